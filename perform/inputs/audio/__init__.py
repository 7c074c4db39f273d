"""Sound: a file, a live device or silence, heard as `audio.*` signals and as beats.

File and device are heard by the same code (`_ear`), whose only time is the count of samples.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from perform.arrays import Samples
from perform.clock import stopwatch
from perform.inputs import Health, Input
from perform.inputs.audio.analysis import Ear
from perform.inputs.audio.line import Microphone, Speaker
from perform.inputs.audio.portaudio import Device as Device
from perform.inputs.audio.portaudio import DeviceError as DeviceError
from perform.inputs.audio.portaudio import devices as devices
from perform.inputs.audio.steady import Steady
from perform.inputs.audio.tape import RATE, Tape
from perform.inputs.audio.tape import SoundError as SoundError
from perform.rhythm.beat import Beat, BeatTracker
from perform.rhythm.features import HOPS_PER_SECOND, FeatureExtractor
from perform.signals import Event

SUFFIXES = (
    *(".aac", ".ac3", ".aif", ".aiff", ".flac", ".m4a", ".mka", ".mp2", ".mp3", ".oga", ".ogg", ".opus"),
    *(".wav", ".wma", ".wv", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ogv", ".webm"),
)  # of files, whether they are there or not; "USB Audio 2.0" is a device
LONGEST = RATE  # samples that are heard at a time
KEPT = 10 * RATE  # samples that wait for `take_sound()`, at most
STALL = 5.0  # seconds without a poll that the sound plays through
DRIFT = 0.02  # share of the difference between two crystals that is made up per poll
JUMP = 0.1  # seconds of difference that are made up at once


class Sound(Input, Protocol):
    """What the clock and a recorder want from a sound beside its events. `rate` is that of `take_sound`."""

    rate: int

    def take_sound(self) -> Samples:
        """What passed between the last call and the last poll [n, 2], the last 10 seconds at most;
        the first call begins the counting and gives nothing."""
        ...

    def position(self) -> float | None:
        """Seconds of the show's clock that the audience hears now; None when nothing plays."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the sound has come to its end."""
        ...


def open(spec: str | Path | None, now: Callable[[], float], loop: bool = True, play: bool = True) -> Sound:
    """The sound called `spec`: a file, a device by (a part of) its name, or silence for None and
    "none". What is there, a Path, has a folder or one of SUFFIXES is a file. Raises SoundError when a
    file is none."""
    if spec is None or str(spec) in ("", "none"):
        return Silence()
    path = Path(spec)
    if isinstance(spec, Path) or path.exists() or path.parts[1:] or path.suffix.lower() in SUFFIXES:
        return SoundFile(path, loop=loop, play=play)
    return SoundDevice(spec, now)


def tracked(path: str | Path) -> list[Beat]:
    """The beats of a sound file as a live run would have said them. Raises SoundError."""
    tape, extractor, tracker = Tape(path), FeatureExtractor(RATE), BeatTracker()
    beats, start = [], 0
    while tape.length is None or start < tape.length:
        hops = extractor.process(tape.read(start, start + LONGEST))
        beats += [beat for hop in hops if (beat := tracker.process(hop))]
        start += LONGEST
    return [beat for beat in beats if tape.length is None or beat.time * RATE <= tape.length]


class _Passed:
    """The samples that passed: `until` is moved by polls, `take` gives those since the last take."""

    def __init__(self) -> None:
        self.until = 0.0
        self._taken: int | None = None

    def take(self) -> range:
        """The samples' numbers, none at the first call."""
        stop = round(self.until * RATE)
        begun, self._taken = stop if self._taken is None else self._taken, stop
        return range(max(begun, stop - KEPT), stop)


class SoundFile:
    """A sound file whose first sample is at 0 of the show's clock, played through the speakers with
    `play`. What is heard depends on the samples only, never on the speakers.

    `duration` is in seconds, as the file says it, or None. Raises SoundError (see Tape).
    """

    rate = RATE

    def __init__(self, path: str | Path, loop: bool = False, play: bool = False) -> None:
        self.name = Path(path).name
        self._tape = Tape(path, loop)
        self.duration = self._tape.duration
        self._ear = Ear(RATE)
        self._passed = _Passed()
        self._polled: tuple[float, float] | None = None  # until when, and when by the stopwatch
        self._speaker = Speaker(self._tape.read, self._now, RATE) if play else None

    def poll(self, until: float) -> list[Event]:
        self._passed.until, self._polled = until, (until, stopwatch())
        events: list[Event] = []
        stop = round(until * RATE)
        while self._ear.heard < stop:
            start = self._ear.heard
            events += self._ear.hear(self._tape.read(start, min(start + LONGEST, stop)))
        return events

    def take_sound(self) -> Samples:
        passed = self._passed.take()
        return self._tape.read(passed.start, passed.stop)

    def position(self) -> float | None:
        return self._speaker.position() if self._speaker else None

    @property
    def finished(self) -> bool:
        length = self._tape.length
        return length is not None and self._ear.heard >= length

    def health(self) -> Health:
        if self._tape.fault:
            return Health("failed", f"{self.name}: {self._tape.fault}")
        if self._speaker and self._speaker.note:
            return Health("ok", f"{self.name}, not heard: {self._speaker.note}")
        return Health("ok", self.name)

    def close(self) -> None:
        if self._speaker:
            self._speaker.close()

    def _now(self) -> float | None:
        """The show's time between two polls; None before the first."""
        if self._polled is None:
            return None
        until, polled_at = self._polled
        return until + min(stopwatch() - polled_at, STALL)


class SoundDevice:
    """A live device, by (a part of) its name; `now` says the show's time. It may come and go: while
    it is not there silence is heard, so that signals fall as the features' own release lets them.

    Latency is that of the device's smallest blocks and one hop of the features.
    """

    rate = RATE
    finished = False

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.name = name
        self._microphone = Microphone(name, now, RATE)
        self._ear = Ear(RATE)
        self._offset: float | None = None  # the show's time of the ear's first sample
        self._steady = Steady(RATE)
        self._passed = _Passed()

    def poll(self, until: float) -> list[Event]:
        self._passed.until = until
        if self._microphone.rate != self._ear.rate:
            self._ear, self._offset = Ear(self._microphone.rate), None
        samples = self._microphone.samples()
        if len(samples):
            heard_until = self._microphone.heard_until
        else:
            samples, heard_until = self._silence(until), until
        self._steady.add(samples, self._ear.rate)
        if not len(samples):
            return []
        passed = (self._ear.heard + len(samples)) / self._ear.rate
        offset = min(self._follow(heard_until - passed), until - passed)
        return self._ear.hear(samples, offset)

    def take_sound(self) -> Samples:
        return self._steady.take(len(self._passed.take()))

    def position(self) -> float | None:
        return None

    def health(self) -> Health:
        if not self._microphone.open:
            return Health("waiting", f"{self.name}: {self._microphone.note}")
        dropped = self._microphone.dropped
        return Health("ok", f"{self.name}, {dropped} samples lost" if dropped else self.name)

    def close(self) -> None:
        self._microphone.close()

    def _silence(self, until: float) -> Samples:
        """What is heard of a device that is not there: zeros up to `until`."""
        if self._microphone.open:
            return np.zeros((0, 1), np.float32)
        if self._offset is None:
            self._offset = until - self._ear.heard / self._ear.rate
        missing = round((until - self._offset) * self._ear.rate) - self._ear.heard
        return np.zeros((min(max(missing, 0), LONGEST), 1), np.float32)

    def _follow(self, measured: float) -> float:
        """The show's time of the ear's first sample, after it was measured (with jitter) again."""
        offset = measured if self._offset is None else self._offset
        off = measured - offset
        self._offset = offset + (off if abs(off) > JUMP else off * DRIFT)
        return self._offset


class Silence:
    """Nothing to hear: every signal is said once, as it is in silence."""

    name = "silence"
    rate = RATE
    finished = False

    def __init__(self) -> None:
        self._passed = _Passed()
        self._ear = Ear(RATE)  # loads librosa: seconds, which the first frame need not wait for
        self._said = False

    def poll(self, until: float) -> list[Event]:
        self._passed.until = until
        if self._said:
            return []
        self._said = True
        hop = np.zeros((RATE // HOPS_PER_SECOND, 1), np.float32)
        return self._ear.hear(hop, until - 1 / HOPS_PER_SECOND)

    def take_sound(self) -> Samples:
        return np.zeros((len(self._passed.take()), 2), np.float32)

    def position(self) -> float | None:
        return None

    def health(self) -> Health:
        return Health("ok", self.name)

    def close(self) -> None:
        pass
