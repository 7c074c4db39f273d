"""Films on show: in step with the frames, or on a thread of their own that decodes ahead of them."""

from __future__ import annotations

import logging
import math
import threading
from contextlib import suppress
from typing import Protocol

from perform.clock import stopwatch
from perform.footage import Shot, changes
from perform.footage.course import Course
from perform.footage.reel import Reel

log = logging.getLogger("perform")
AHEAD = 0.4  # seconds that are decoded ahead of the show
FINEST, COARSEST = 1 / 120, 1 / 24  # seconds between two times ahead that are looked at
AT_MOST = 24  # pictures, and
MEMORY = 128 * 2**20  # bytes of them that are kept
REST = 5.0  # seconds after which a film that nobody looks at gives back what it keeps
AGAIN = 1.0  # seconds before a file that failed is opened again
SILENT = 60.0  # seconds after a fault was logged in which no other is


class Projector(Protocol):
    """What shows a film."""

    length: float
    alpha: bool

    def ask(self, course: Course) -> Shot:
        """The picture for where the film is now."""
        ...

    def following(self, course: Course, shot: Shot) -> Shot | None:
        """The picture after that one, if it is there."""
        ...

    def leave(self) -> None:
        """Stop, without waiting: the show goes on."""
        ...

    def close(self) -> None: ...


class InStep:
    """Every frame gets the picture that belongs to it, however long that takes: for rendering offline."""

    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self.length, self.alpha = reel.length, reel.alpha

    def ask(self, course: Course) -> Shot:
        """The picture that is on where the course is."""
        return self._reel.read(course.at)

    def following(self, course: Course, shot: Shot) -> Shot | None:
        """The picture after that one."""
        return self._reel.read(course.beyond(shot.end - course.at))

    def leave(self) -> None:
        """Stop."""
        self.close()

    def close(self) -> None:
        self._reel.close()


class Beside:
    """Decodes on a thread of its own where the course leads, across the ends of a loop too; the show gets
    the nearest picture that there is and never waits. The film's first picture is always there. A file
    that changes is opened anew; one that goes away again and again, and meanwhile its pictures stay."""

    def __init__(self, reel: Reel) -> None:
        self._wake = threading.Condition()
        self._begin(reel)
        self._course: Course | None = None
        self._asked = 0.0  # stopwatch
        self._fault = ""
        self._told = -math.inf  # when a fault was logged last, on the stopwatch
        self._open = True
        self._changes = changes.Changes(reel.path)
        self._thread = threading.Thread(target=self._work, name="film", daemon=True)
        self._thread.start()

    def ask(self, course: Course) -> Shot:
        """The picture that is nearest to where the course is."""
        with self._wake:
            self._asked = stopwatch()
            if course != self._course:
                self._course = course
                self._wake.notify()
            shots = self._shots
        at = course.at
        return min(shots, key=lambda shot: shot.off(at))

    def following(self, course: Course, shot: Shot) -> Shot | None:
        """The picture after that one, if it is there."""
        at = course.beyond(shot.end - course.at)
        return next((one for one in self._shots if one.off(at) == 0), None)

    def leave(self) -> None:
        """Stop decoding, without waiting for the picture that is being decoded."""
        with self._wake:
            self._open = False
            self._wake.notify()

    def close(self) -> None:
        """Stop decoding; safe to call twice."""
        self.leave()
        self._thread.join(timeout=5)

    def _begin(self, reel: Reel) -> None:
        first = reel.read(0.0)
        with self._wake:
            self._reel, self._first, self._shots = reel, first, [first]
            self.length, self.alpha = reel.length, reel.alpha

    def _work(self) -> None:
        done: Course | None = None  # for which everything is there
        while self._open:
            course = self._next(done)
            try:
                if self._changes.seen():
                    self._again()
                    log.info("%s is played as it is now", self._reel.path)
                done = course if course is None or not self._decode(course) else None
            except Exception as error:  # noqa: BLE001 - a file may go away; the show goes on without it
                self._fail(error)
        self._reel.close()

    def _next(self, done: Course | None) -> Course | None:
        """The newest course, as soon as there is something to do for it; None while nobody looks."""
        with self._wake:
            if self._wake.wait_for(lambda: self._course != done or not self._open, changes.LOOK):
                return self._course if self._open else None
            if self._course is None or stopwatch() - self._asked < REST:
                return done
            self._course, self._shots = None, [self._first]
        self._reel.rest()
        return None

    def _decode(self, course: Course) -> bool:
        """Decode the first picture ahead that is missing; False when there is none."""
        room = min(MEMORY // self._first.pixels.nbytes + 1, AT_MOST)
        kept: list[Shot] = []
        for at in times(course, self._first.end):
            if not any(shot.off(at) == 0 for shot in kept):
                there = next((shot for shot in self._shots if shot.off(at) == 0), None)
                kept.append(there or self._reel.read(at))
                if there is None:
                    self._keep(kept, room)
                    return True
                if len(kept) >= room:
                    break
        return False

    def _keep(self, kept: list[Shot], room: int) -> None:
        """Show what is needed next, and of what else there is as much as there is room for."""
        others = [shot for shot in self._shots if shot not in kept and shot is not self._first]
        with self._wake:
            self._shots = [self._first, *kept, *others[: max(room - len(kept), 0)]]

    def _again(self) -> None:
        """Open the file again, or raise why not."""
        old = self._reel
        self._begin(Reel(old.path, old.wanted))
        old.close()
        self._fault = ""

    def _fail(self, error: Exception) -> None:
        """Say what is wrong, at most once a minute, and try again in a while."""
        self._fault, now = str(error), stopwatch()
        if now - self._told >= SILENT:
            self._told = now
            log.error("a film stands still: %s", error)
        with self._wake:
            self._wake.wait_for(lambda: not self._open, AGAIN)
        with suppress(Exception):
            self._again()


def times(course: Course, first: float) -> list[float]:
    """The times ahead at which a picture will be asked for, as fine as a film's frames pass by; and the
    one that follows what is on, whose length is about `first`."""
    following = course.beyond(first)
    if course.speed == 0:
        return [course.at, following]
    step = max(min(first, COARSEST) / 2 / abs(course.speed), FINEST)
    return [course.at, following, *(course.after(at * step) for at in range(1, math.ceil(AHEAD / step) + 1))]
