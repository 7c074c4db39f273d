"""An excerpt: an output that gets only the later frames of a show."""

from __future__ import annotations

from dataclasses import dataclass

from perform.faults import Health
from perform.outputs import Frame, FrameOutput


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Gives an output the frames from number `first` on, so that it begins there. The show has been played up
    to it: its state is the same as in the whole."""

    output: FrameOutput
    first: int

    @property
    def name(self) -> str:
        """That of the output."""
        return self.output.name

    @property
    def may_lag(self) -> bool:
        """Whether the output is live."""
        return self.output.may_lag

    def write(self, frame: Frame) -> None:
        """Pass a frame on, unless it is too early."""
        if frame.moment.frame >= self.first:
            self.output.write(frame)

    def health(self) -> Health:
        return self.output.health()

    def close(self) -> None:
        self.output.close()
