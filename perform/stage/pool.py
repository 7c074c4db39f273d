"""The model pool: the networks of a show, opened in the background, within a budget of memory.

Live, a network is opened, compiled and warmed on its own thread while the show goes on. If it needs the
memory of another, the one that has not played for longest is closed first. One that can never fit is
refused before any other is closed. Offline a request waits until the network is open.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from perform.faults import reason, steps
from perform.generators.extending import Extension, extended_config, extension
from perform.generators.model import Model
from perform.library import Library
from perform.networks import ModelError
from perform.networks.bending import Bend, bend
from perform.networks.blending import Blend, blend
from perform.render.bridges import Bridges
from perform.scenes.readiness import Readiness
from perform.scenes.scene import Layer
from perform.stage.governor import NetworkTime
from perform.stage.worker import Worker

log = logging.getLogger("perform")

RESTING_FINDS = 60  # finds of others after which a worker counts as no longer on show
LONG_WAIT = 600  # requests, one a frame, that find no room, until the log says so
NICENESS = 10  # of networks where a graphics card draws: the picture comes first
SHARED_NICENESS = 4  # of those where the processor draws too: see `_lower_priority`


@dataclass(frozen=True, slots=True)
class PoolKey:
    """What a worker plays: a model with bends, the blend with a second one, and an extension, compiled into
    it."""

    model: Model
    bends: tuple[Bend, ...] = ()
    blend: Blend | None = None
    second: Model | None = None
    extension: Extension | None = None

    @classmethod
    def of(cls, layer: Layer, library: Library, shape: tuple[int, int]) -> PoolKey:
        """What a layer with a model plays; `shape` (width, height) is that of the show."""
        assert layer.model
        bends = tuple(bend(one.name, one.with_defaults) for one in layer.bends)
        other = layer.blend
        second = library.model(other.name) if other else None
        mixed = blend(second.place, other.with_defaults) if second and other else None
        model = library.model(layer.model)
        wider = extension(model.config, layer.source.with_defaults["extend"], shape)
        return cls(model, bends, mixed, second, wider)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of its pictures."""
        return extended_config(self.model.config, self.extension).size

    @property
    def memory(self) -> float:
        """About how many bytes it takes."""
        return self.model.memory + (self.second.memory if self.second else 0.0)


class PoolFull(Exception):  # noqa: N818 - not a fault
    """No memory is free until a scene that goes out is gone."""


class ModelPool:
    """Workers by what they play. `open` opens one, `budget` is how many bytes all of them may take.
    `background` opens on a thread, else a request waits; its threads have this `niceness`. `break_off` ends
    an opening that is under way when the pool closes. `bridges` take the pictures that workers leave on their
    graphics card."""

    def __init__(
        self,
        open: Callable[[PoolKey], Worker],
        budget: float = float("inf"),
        background: bool = False,
        niceness: int = NICENESS,
        break_off: Callable[[], None] = lambda: None,
        bridges: Bridges | None = None,
    ) -> None:
        self._open, self._budget, self.bridges = open, budget, bridges
        self._workers: dict[PoolKey, Worker] = {}  # the one that played last comes last
        self._requests: dict[PoolKey, Future[None]] = {}
        self._failed: set[PoolKey] = set()
        self._changes: list[tuple[PoolKey, Readiness]] = []
        self._used: dict[PoolKey, int] = {}  # the count of finds when it was last found or requested
        self._finds = 0
        self._waits: Counter[PoolKey] = Counter()  # how often there was no room
        self._closed = NetworkTime()  # of workers that are closed
        self._lock = threading.RLock()
        self._break_off, self._closing = break_off, False
        self._executor = ThreadPoolExecutor(1, "models", _lower_priority, (niceness,)) if background else None

    def fits(self, keys: Sequence[PoolKey]) -> bool:
        """Whether all of these may be open together."""
        return sum(key.memory for key in keys) <= self._budget

    def readiness(self, key: PoolKey) -> Readiness:
        """How far its opening is."""
        with self._lock:
            if key in self._workers:
                return Readiness.READY
            if key in self._failed:
                return Readiness.FAILED
            return Readiness.OPENING if key in self._requests else Readiness.ABSENT

    def request(self, key: PoolKey) -> None:
        """Open it, if it is not open and has not failed. One that is open stays open for a while."""
        with self._lock:
            pending = self._requests.get(key)
            if key in self._workers:
                self._used[key] = self._finds
            elif key not in self._failed and (pending is None or pending.done()):
                self._requests[key] = self._run(self._try, key)

    def changes(self) -> list[tuple[PoolKey, Readiness]]:
        """What was opened (READY), failed or was closed (ABSENT) since the last call."""
        with self._lock:
            changes, self._changes = self._changes, []
            return changes

    def find(self, key: PoolKey) -> Worker | None:
        """The worker, if it is open."""
        with self._lock:
            self._finds += 1
            worker = self._workers.pop(key, None)
            if worker is not None:
                self._workers[key] = worker
                self._used[key] = self._finds
            return worker

    def open(self, key: PoolKey) -> Worker:
        """The worker, opened now if it is not. Raises ModelError, or what the runtime raises."""
        if self.find(key) is None:
            self._run(self._open_now, key).result()
        return self._workers[key]

    def forget(self, key: PoolKey, client: Hashable) -> None:
        """Keep no picture for a client that has gone, if the worker is open."""
        with self._lock:
            if worker := self._workers.get(key):
                worker.forget(client)

    def allow_retry(self, key: PoolKey) -> None:
        """Let the next request open it again if it has failed: its file may have changed."""
        with self._lock:
            self._failed.discard(key)

    def network_time(self) -> NetworkTime:
        """How many pictures have been drawn, and how long they took."""
        with self._lock:
            return sum((worker.network_time() for worker in self._workers.values()), self._closed)

    def close(self) -> None:
        """Close every worker; one that is being opened is closed when it is open."""
        self._closing = True
        self._break_off()
        if self._executor:
            self._executor.shutdown(cancel_futures=True)
        for key in list(self._workers):
            self._close(key)
        if self.bridges:
            self.bridges.close()

    def _run(self, work: Callable[[PoolKey], None], key: PoolKey) -> Future[None]:
        """Work on the pool's thread, or at once if it has none."""
        if self._executor:
            return self._executor.submit(work, key)
        work(key)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def _try(self, key: PoolKey) -> None:
        """Open it, or remember that it cannot be opened."""
        try:
            self._open_now(key)
        except PoolFull:
            self._waits[key] += 1
            if self._waits[key] == LONG_WAIT:
                log.warning("%s waits: the models on show take the memory that it needs", key.model)
        except Exception as error:  # noqa: BLE001 - the show goes on without this model
            if not self._closing:
                log.error("%s cannot be opened: %s", key.model, reason(error))
            with self._lock:
                self._failed.add(key)
                self._changes.append((key, Readiness.FAILED))

    def _open_now(self, key: PoolKey) -> None:
        for other in self._to_close(key):
            self._close(other)
        steps.info("opening the model %s", key.model)
        worker = self._open(key)
        with self._lock:
            del self._waits[key]
            self._workers[key] = worker
            self._used[key] = self._finds
            self._changes.append((key, Readiness.READY))

    def _to_close(self, key: PoolKey) -> list[PoolKey]:
        """What must close to make room for this. PoolFull while that plays; ModelError if it never fits."""
        with self._lock:
            known = list(self._workers)
            resting = {one for one in known if self._finds - self._used[one] > RESTING_FINDS}
        needed, open_now = key.memory, sum(one.memory for one in known)
        on_show = known[-1].memory if known else 0.0
        if needed + on_show > self._budget:
            mib = [round(size / 2**20) for size in (needed, on_show, self._budget)]
            raise ModelError(f"it takes {mib[0]} MiB, the model on show {mib[1]}, and all may take {mib[2]}")
        closing: list[PoolKey] = []
        for other in known[:-1]:
            if open_now + needed <= self._budget:
                break
            if other not in resting:
                raise PoolFull
            closing.append(other)
            open_now -= other.memory
        return closing

    def _close(self, key: PoolKey) -> None:
        with self._lock:
            worker = self._workers.pop(key)
            self._requests.pop(key, None)
            self._changes.append((key, Readiness.ABSENT))
            self._closed += replace(worker.network_time(), running=0.0)
        worker.close()


def _lower_priority(niceness: int) -> None:
    """Give this thread, and all that it starts (the network's), a lower priority than the display's.

    Where the processor draws too, SHARED_NICENESS leaves the network a share when other programs are busy.
    With eight of them on two cores: as many frames as with a network that only gets what nobody else wants
    (SCHED_IDLE), and three times its pictures; with niceness 0 half the frames, and no more pictures.
    """
    with suppress(AttributeError, OSError):  # only Linux has threads with a priority of their own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
