"""Footage: films, stills and cameras as sources of a scene, and of the images that shaders take.

A film or a still is a file. A `Reel` reads the pictures of a film, a `Course` is where the film is by the
show's clock, and a `Projector` gives the picture of a course: decoded with each frame, or in the background.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perform.arrays import Pixels
from perform.parameters import Parameter

LOOPS = ("loop", "bounce", "once")
CLOSE = 1e-6  # seconds that two times may differ by rounding

FILM = (
    Parameter("speed", 1.0, -8.0, 8.0, description="1 as it was filmed, 0 still, below 0 backwards"),
    Parameter(
        "position", 0.0, 0.0, 1.0, description="where in its part it begins; with speed 0, where it is"
    ),
    Parameter("start", 0.0, 0.0, 1.0, description="where the part that is played begins, 1: the film's end"),
    Parameter("end", 1.0, 0.0, 1.0, description="where that part ends"),
    Parameter(
        "blend", False, 0, 1, kind="bool", description="mix each picture into the next: for slow motion"
    ),
    Parameter("loop", "loop", kind="choice", choices=LOOPS, description="what it does at the part's end"),
)
CAMERA = (
    Parameter("mirror", True, 0, 1, kind="bool", description="as a mirror shows it"),
    Parameter("lift", False, 0, 1, kind="bool", description="lift a dark picture"),
    Parameter("hold", 2.0, 0.0, 60.0, "s", "how long the last picture stays when the camera has gone"),
    Parameter("fade", 2.0, 0.0, 60.0, "s", "how long it then takes to become the fallback"),
)


SHARED = (replace(CAMERA[0], default=False), *CAMERA[1:])  # of another program


class FootageError(ValueError):
    """A film or a still that cannot be played; the message has the file and what is wrong with it."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrame:
    """A picture of a film, which is on from `start` until before `end`, in seconds from its beginning."""

    start: float
    end: float
    pixels: Pixels

    def off(self, at: float) -> float:
        """How many seconds it is away from being on at `at`: 0 while it is on."""
        at += CLOSE
        return max(self.start - at, 0.0) if at < self.end else at - self.end + CLOSE
