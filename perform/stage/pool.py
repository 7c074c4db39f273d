"""The model pool: the networks of a show, opened in the background, within a budget of memory.

On stage a network is opened, compiled and warmed on a thread of its own while the show goes on. When
another needs its memory, the one that has not played for longest is closed first. One that would never
fit is refused before any other is closed. Offline a request waits until the network is open.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from perform.faults import reason
from perform.generators.model import Model
from perform.networks import ModelError
from perform.networks.bending import Bend
from perform.networks.blending import Blend
from perform.scenes.readiness import Readiness
from perform.stage.worker import Worker

log = logging.getLogger("perform")

RESTING_FINDS = 60  # finds of others after which a worker counts as no longer on show
NICENESS = 10  # of networks where a graphics card draws: the picture comes first

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PoolKey:
    """What a worker plays: a model with bends and the blend with a second one, compiled into it."""

    model: Model
    bends: tuple[Bend, ...] = ()
    blend: Blend | None = None
    second: Model | None = None

    @property
    def memory(self) -> float:
        """About how many bytes it takes."""
        return self.model.memory + (self.second.memory if self.second else 0.0)


class PoolFull(Exception):  # noqa: N818 - not a fault
    """There is no room until a scene that is going out has gone."""


class ModelPool:
    """Workers by what they play. `open` opens one, `budget` is how many bytes all of them may take.
    `background` opens on a thread, else a request waits; `last`: see
    `_after_the_display`. `break_off` ends an opening that is under way when the pool closes."""

    def __init__(
        self,
        open: Callable[[PoolKey], Worker],
        budget: float = float("inf"),
        background: bool = False,
        last: bool = False,
        break_off: Callable[[], None] = lambda: None,
    ) -> None:
        self._open, self._budget = open, budget
        self._workers: dict[PoolKey, Worker] = {}  # the one that played last comes last
        self._requests: dict[PoolKey, Future[None]] = {}
        self._failed: set[PoolKey] = set()
        self._changes: list[tuple[PoolKey, Readiness]] = []
        self._used: dict[PoolKey, int] = {}  # the count of finds when it was last found or requested
        self._finds = 0
        self._made = 0
        self._lock = threading.RLock()
        self._break_off, self._closing = break_off, False
        self._executor: Executor = Immediate()
        if background:
            self._executor = ThreadPoolExecutor(1, "models", _after_the_display, (last,))

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
                self._requests[key] = self._executor.submit(self._try, key)

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
            self._executor.submit(self._bring, key).result()
        return self._workers[key]

    def forget(self, key: PoolKey) -> None:
        """Try again, when requested, what could not be opened: its file may have changed."""
        with self._lock:
            self._failed.discard(key)

    def made(self) -> int:
        """How many pictures have been drawn."""
        with self._lock:
            return self._made + sum(worker.made for worker in self._workers.values())

    def close(self) -> None:
        """Close every worker; one that is being opened is closed when it is open."""
        self._closing = True
        self._break_off()
        self._executor.shutdown(cancel_futures=True)
        for key in list(self._workers):
            self._close(key)

    def _try(self, key: PoolKey) -> None:
        """Open it, or remember that it cannot be opened."""
        try:
            self._bring(key)
        except PoolFull:
            pass
        except Exception as error:  # noqa: BLE001 - the show goes on without this model
            if not self._closing:
                log.error("%s cannot be opened: %s", key.model, reason(error))
            with self._lock:
                self._failed.add(key)
                self._changes.append((key, Readiness.FAILED))

    def _bring(self, key: PoolKey) -> None:
        for other in self._leaving(key):
            self._close(other)
        worker = self._open(key)
        with self._lock:
            self._workers[key] = worker
            self._used[key] = self._finds
            self._changes.append((key, Readiness.READY))

    def _leaving(self, key: PoolKey) -> list[PoolKey]:
        """What must close so that this fits beside what is on show. ModelError when it never fits."""
        with self._lock:
            known = list(self._workers)
            resting = {one for one in known if self._finds - self._used[one] > RESTING_FINDS}
        needed, open_now = key.memory, sum(one.memory for one in known)
        on_show = known[-1].memory if known else 0.0
        if needed + on_show > self._budget:
            mib = [round(size / 2**20) for size in (needed, on_show, self._budget)]
            raise ModelError(f"it takes {mib[0]} MiB beside {mib[1]} on show, and all may take {mib[2]}")
        leaving: list[PoolKey] = []
        for other in known[:-1]:
            if open_now + needed <= self._budget:
                break
            if other not in resting:
                raise PoolFull
            leaving.append(other)
            open_now -= other.memory
        return leaving

    def _close(self, key: PoolKey) -> None:
        with self._lock:
            worker = self._workers.pop(key)
            self._requests.pop(key, None)
            self._changes.append((key, Readiness.ABSENT))
            self._made += worker.made
        worker.close()


class Immediate(Executor):
    """Runs what is submitted at once, on the caller's thread."""

    def submit(
        self, fn: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Future[Result]:
        future: Future[Result] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the caller finds it in the future
            future.set_exception(error)
        return future


def _after_the_display(last: bool) -> None:
    """Let this thread, and all that it starts (the network's), compute after the display's.

    `last`: only when no other thread wants the core, for where the processor draws too. A network's threads
    wait for each other at every layer, so whatever holds one of them up stops all: by turns with drawing,
    28 pictures a second became 26, and the longest frames 2 ms longer; niceness 10 and 19 gained nothing.
    """
    with suppress(AttributeError, OSError):  # only Linux has threads with a priority of their own
        if last:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        else:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
