"""The course of a film: where it is at a moment, and where it will be, as its parameters play it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from perform.clock import Moment
from perform.footage import CLOSE
from perform.parameters import Values

LAST = 4 * CLOSE  # seconds before its end that a part is played to at most: there is no picture at the end
SHORTEST_PART = 0.02  # seconds of a part


@dataclass(frozen=True, slots=True)
class Course:
    """A way through the part from second `low` to `high` of a film: after `run` seconds of playing, at
    `speed`. `loop` is what happens at the ends: loop, bounce or once."""

    low: float
    high: float
    run: float = 0.0
    speed: float = 1.0
    loop: str = "loop"

    @property
    def at(self) -> float:
        """The second of the film."""
        return self.after(0.0)

    def after(self, seconds: float) -> float:
        """The second of the film, so many seconds of the show from now if the speed stays."""
        span, run = self.high - self.low, self.run + self.speed * seconds
        match self.loop:
            case "bounce":
                run = span - abs(run % (2 * span) - span)
            case "loop":
                run = (run + CLOSE) % span - CLOSE
        return self.low + min(max(run, 0.0), span - LAST)

    def beyond(self, seconds: float) -> float:
        """The second of the film that is so many of its seconds further on."""
        return replace(self, run=self.run + seconds).at


class Transport:
    """Plays a film by the show's time. While the speed stays the same, the way is counted from where it
    was set: no sum of steps, hence no drift against the clock."""

    def __init__(self) -> None:
        self._anchor, self._from = 0.0, 0.0  # the show's second from which `_from` seconds of way are counted
        self._seconds, self._run = 0.0, 0.0  # of the last step
        self._speed: float | None = None  # None: it begins

    def rewind(self) -> None:
        """Start again at the next step."""
        self._speed = None

    def step(self, moment: Moment, values: Values, length: float) -> Course:
        """The course at this moment; `values` are those of the parameters FILM, `length` is the film's."""
        low, high = part(values["start"], values["end"], length)
        offset = min(float(values["position"]) * (high - low), high - low - LAST)
        speed, loop = float(values["speed"]), str(values["loop"])
        if self._speed is None:
            self._anchor, self._from = moment.seconds, 0.0
        elif speed != self._speed:
            self._anchor, self._from = self._seconds, self._run
        run = self._from + speed * (moment.seconds - self._anchor)
        if loop == "once" and not -offset <= run <= high - low - offset:
            run = min(max(run, -offset), high - low - offset)  # what is over turns back at once
            self._anchor, self._from = moment.seconds, run
        self._seconds, self._run, self._speed = moment.seconds, run, speed
        return Course(low, high, offset + run, speed, loop)


def part(start: float, end: float, length: float) -> tuple[float, float]:
    """The part of a film of `length` seconds between two shares of it, SHORTEST_PART long at least."""
    low, high = sorted((start * length, end * length))
    low = max(min(low, length - SHORTEST_PART), 0.0)
    return low, max(high, low + SHORTEST_PART)
