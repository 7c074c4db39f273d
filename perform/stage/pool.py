"""The generators of a show: opened beside it, within a budget of memory.

On stage a network is opened, compiled and warmed on a thread of its own while the show goes on; what
was not played for longest goes first when another needs its memory. What would never fit is refused
before anything is given up. Offline everything is opened at once, when it is asked for.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from perform.networks import ModelError
from perform.networks.bending import Bend
from perform.networks.blending import Blend
from perform.stage.worker import Studio

log = logging.getLogger("perform")

RESTING = 60  # how often others were looked for since a studio was, when it is no longer on show
NICENESS = 10  # of networks where a graphics card draws: the picture comes first


class Wanted(NamedTuple):
    """A model, and what is compiled into it."""

    model: str
    bends: tuple[Bend, ...] = ()
    blend: Blend | None = None


class _Later(Exception):  # noqa: N818 - not a fault
    """There will be room when a scene that is going out has gone."""


class Studios:
    """Studios by what they play. `open` opens one, `memory` says how many bytes it takes, `budget` how
    many all of them may; `beside` opens on a thread, else opening waits. `last`: see `_after_the_display`;
    `break_off` ends an opening that is under way, when the show ends."""

    def __init__(
        self,
        open: Callable[[Wanted], Studio],
        memory: Callable[[Wanted], float] = lambda wanted: 0.0,
        budget: float = float("inf"),
        beside: bool = False,
        last: bool = False,
        break_off: Callable[[], None] = lambda: None,
    ) -> None:
        self._open, self._memory, self._budget = open, memory, budget
        self._studios: dict[Wanted, Studio] = {}  # the one that played last comes last
        self._known_bytes: dict[Wanted, float] = {}
        self._failed: dict[Wanted, str] = {}
        self._asked: set[Wanted] = set()
        self._lock = threading.Lock()
        self._looked: dict[Wanted, int] = {}  # when it was looked for last, in lookings
        self._lookings = 0
        self._made = 0
        self._break_off, self._closing = break_off, False
        self._pool = ThreadPoolExecutor(1, "studios", _after_the_display, (last,)) if beside else None

    def fits(self, wanteds: Sequence[Wanted]) -> bool:
        """Whether all of these may be open together."""
        return sum(map(self._bytes, wanteds)) <= self._budget

    def ready(self, wanted: Wanted) -> bool | None:
        """Whether it is open; if not, it will be. None: it cannot be opened, and the log said why."""
        with self._lock:
            if wanted in self._studios:
                self._looked[wanted] = self._lookings  # who asks is about to play it: it stays
                return True
            if wanted in self._failed:
                return None
            if wanted in self._asked:
                return False
            self._asked.add(wanted)
        if self._pool:
            self._pool.submit(self._bring, wanted)
            return False
        self._bring(wanted)
        return wanted in self._studios or None

    def find(self, wanted: Wanted) -> Studio | None:
        """A studio to play in, if it is open."""
        with self._lock:
            self._lookings += 1
            studio = self._studios.pop(wanted, None)
            if studio is not None:
                self._studios[wanted] = studio
                self._looked[wanted] = self._lookings
            return studio

    def open(self, wanted: Wanted) -> Studio:
        """A studio to play in, opened now if it is not. Raises ModelError, or what the runtime raises."""
        if self.find(wanted) is None:
            if self._pool:
                self._pool.submit(self._opened, wanted).result()
            else:
                self._opened(wanted)
        return self._studios[wanted]

    def forget(self, wanted: Wanted) -> None:
        """Try anew, when asked, what could not be opened: its file may be another now."""
        with self._lock:
            self._failed.pop(wanted, None)
            self._known_bytes.pop(wanted, None)

    def made(self) -> int:
        """How many pictures have been drawn."""
        with self._lock:
            return self._made + sum(studio.made for studio in self._studios.values())

    def close(self) -> None:
        """Close every studio; one that is being opened is closed when it is."""
        self._closing = True
        self._break_off()
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        for wanted in list(self._studios):
            self._give_up(wanted)

    def _bring(self, wanted: Wanted) -> None:
        """Open, or remember why not."""
        try:
            self._opened(wanted)
        except _Later:
            pass
        except Exception as error:  # noqa: BLE001 - the show goes on without this model
            if not self._closing:
                log.error("%s cannot be opened: %s", wanted.model, error)
            with self._lock:
                self._failed[wanted] = str(error)
        with self._lock:
            self._asked.discard(wanted)

    def _opened(self, wanted: Wanted) -> None:
        for other in self._leaving(wanted):
            self._give_up(other)
        studio = self._open(wanted)
        with self._lock:
            self._studios[wanted] = studio
            self._looked[wanted] = self._lookings

    def _leaving(self, wanted: Wanted) -> list[Wanted]:
        """Who must go so that `wanted` fits beside what is on show. ModelError when it never will."""
        with self._lock:
            known = list(self._studios)
            resting = {one for one in known if self._lookings - self._looked[one] > RESTING}
        needed, open_now = self._bytes(wanted), sum(map(self._bytes, known))
        on_show = sum(map(self._bytes, known[-1:]))
        if needed + on_show > self._budget:
            mib = [round(size / 2**20) for size in (needed, on_show, self._budget)]
            raise ModelError(f"it takes {mib[0]} MiB beside {mib[1]} on show, and all may take {mib[2]}")
        leaving: list[Wanted] = []
        for other in known[:-1]:
            if open_now + needed <= self._budget:
                break
            if other not in resting:
                raise _Later
            leaving.append(other)
            open_now -= self._bytes(other)
        return leaving

    def _bytes(self, wanted: Wanted) -> float:
        """What it takes, from its file once: while there is no room yet it is asked in every frame."""
        known = self._known_bytes.get(wanted)
        if known is None:
            known = self._known_bytes[wanted] = self._memory(wanted)
        return known

    def _give_up(self, wanted: Wanted) -> None:
        with self._lock:
            studio = self._studios.pop(wanted)
            self._made += studio.made
        studio.close()


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
