"""An excerpt: an output that gets only the later frames of a show."""

from __future__ import annotations

from perform.arrays import Samples
from perform.faults import Health
from perform.outputs import Frame, FrameOutput, SoundOutput


class Excerpt:
    """Gives an output the frames from number `first` on, so that it begins there. The show has been played up
    to it: its state is the same as in the whole."""

    def __init__(self, output: FrameOutput, first: int) -> None:
        self.name, self.may_lag = output.name, output.may_lag
        self._output, self._first = output, first
        self._begun = False

    def write(self, frame: Frame) -> None:
        """Pass a frame on, unless it is too early."""
        if frame.moment.frame >= self._first:
            self._begun = True
            self._output.write(frame)

    def write_sound(self, samples: Samples) -> None:
        """Pass the sound of the last frame on, unless that was too early."""
        if self._begun and isinstance(self._output, SoundOutput):
            self._output.write_sound(samples)

    def health(self) -> Health:
        return self._output.health()

    def close(self) -> None:
        self._output.close()
