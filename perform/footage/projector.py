"""Films on show: decoded with each frame, or ahead of the show on their own thread."""

from __future__ import annotations

import logging
import math
import threading
from contextlib import suppress
from typing import Protocol

from perform.clock import stopwatch
from perform.footage import FilmFrame, changes
from perform.footage.course import Course
from perform.footage.reel import Reel
from perform.threads import Background

log = logging.getLogger("perform")
AHEAD_SECONDS = 0.4  # decoded ahead of the show
FINEST, COARSEST = 1 / 120, 1 / 24  # seconds between two times ahead that are looked at
AT_MOST = 24  # pictures, and
MOST_BYTES = 128 * 2**20  # of them that are kept
IDLE_SECONDS = 5.0  # after which a film that is not shown releases its pictures
RETRY_SECONDS = 1.0  # before a file that failed is opened again
LOG_INTERVAL = 60.0  # seconds from a logged fault to the next


class Projector(Protocol):
    """Gives the pictures of a film."""

    length: float

    def ask(self, course: Course) -> FilmFrame:
        """The picture for where the film is now."""
        ...

    def following(self, course: Course, shot: FilmFrame) -> FilmFrame | None:
        """The picture after that one, if it is there."""
        ...

    def stop(self) -> None:
        """Stop, without waiting: the show goes on."""
        ...

    def close(self) -> None: ...


class SynchronousProjector:
    """Decodes the picture of each frame while the frame waits: for rendering offline."""

    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self.length = reel.length

    def ask(self, course: Course) -> FilmFrame:
        """The picture that is on where the course is."""
        return self._reel.read(course.at)

    def following(self, course: Course, shot: FilmFrame) -> FilmFrame | None:
        """The picture after that one."""
        return self._reel.read(course.beyond(shot.end - course.at))

    def stop(self) -> None:
        """Stop."""
        self.close()

    def close(self) -> None:
        self._reel.close()


class ThreadedProjector:
    """Decodes on its own thread ahead along the course, across the ends of a loop, too; the show gets the
    nearest decoded picture and never waits. The film's first picture is always there. A file that changes
    is opened again; one that is gone is retried, and meanwhile its pictures stay."""

    def __init__(self, reel: Reel) -> None:
        self._wake = threading.Condition()
        self._begin(reel)
        self._course: Course | None = None
        self._asked = 0.0  # stopwatch
        self._logged = -math.inf  # when a fault was logged last, on the stopwatch
        self._changes = changes.Changes(reel.path)
        self._decoding = Background(self._work, "film", self._wake)

    def ask(self, course: Course) -> FilmFrame:
        """The picture that is nearest to where the course is."""
        with self._wake:
            self._asked = stopwatch()
            if course != self._course:
                self._course = course
                self._wake.notify()
            shots = self._shots
        at = course.at
        return min(shots, key=lambda shot: shot.off(at))

    def following(self, course: Course, shot: FilmFrame) -> FilmFrame | None:
        """The picture after that one, if it is there."""
        at = course.beyond(shot.end - course.at)
        return next((one for one in self._shots if one.off(at) == 0), None)

    def stop(self) -> None:
        """Stop decoding, without waiting for the picture that is being decoded."""
        self._decoding.stop()

    def close(self) -> None:
        """Stop decoding; safe to call twice."""
        self._decoding.close()

    def _begin(self, reel: Reel) -> None:
        first = reel.read(0.0)
        with self._wake:
            self._reel, self._first, self._shots = reel, first, [first]
            self.length = reel.length

    def _work(self, closing: threading.Event) -> None:
        done: Course | None = None  # the course whose pictures are all decoded
        while not closing.is_set():
            course = self._next(done, closing)
            try:
                if self._changes.seen():
                    self._again()
                    log.info("%s is played as it is now", self._reel.path)
                done = course if course is None or not self._decode(course) else None
            except Exception as error:  # noqa: BLE001 - a file may go away; the show goes on without it
                self._fail(error, closing)
        self._reel.close()

    def _next(self, done: Course | None, closing: threading.Event) -> Course | None:
        """The newest course, as soon as it needs decoding; None while the film is not shown."""
        with self._wake:
            if self._wake.wait_for(lambda: self._course != done or closing.is_set(), changes.LOOK_INTERVAL):
                return None if closing.is_set() else self._course
            if self._course is None or stopwatch() - self._asked < IDLE_SECONDS:
                return done
            self._course, self._shots = None, [self._first]
        self._reel.rest()
        return None

    def _decode(self, course: Course) -> bool:
        """Decode the first missing picture ahead; False if none is missing."""
        room = min(MOST_BYTES // self._first.pixels.nbytes + 1, AT_MOST)
        kept: list[FilmFrame] = []
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

    def _keep(self, kept: list[FilmFrame], room: int) -> None:
        """Keep what is needed next, and as many other pictures as there is room for."""
        others = [shot for shot in self._shots if shot not in kept and shot is not self._first]
        with self._wake:
            self._shots = [self._first, *kept, *others[: max(room - len(kept), 0)]]

    def _again(self) -> None:
        """Open the file again; raises if it cannot be played."""
        old = self._reel
        self._begin(Reel(old.path, old.wanted))
        old.close()

    def _fail(self, error: Exception, closing: threading.Event) -> None:
        """Log what is wrong, at most once a minute, and try again after a while."""
        now = stopwatch()
        if now - self._logged >= LOG_INTERVAL:
            self._logged = now
            log.error("a film stopped: %s", error)
        closing.wait(RETRY_SECONDS)
        with suppress(Exception):
            self._again()


def times(course: Course, first: float) -> list[float]:
    """The times ahead at which a picture will be shown, as fine as a film's frames pass by; and that of the
    picture after the present one, whose length is about `first`."""
    following = course.beyond(first)
    if course.speed == 0:
        return [course.at, following]
    step = max(min(first, COARSEST) / 2 / abs(course.speed), FINEST)
    count = math.ceil(AHEAD_SECONDS / step)
    return [course.at, following, *(course.after(at * step) for at in range(1, count + 1))]
