"""Sound: a file, a live device or silence, as `audio.*` signals and beats.

Files and devices are analysed by the same code (`analysis`), whose only time is the count of samples.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from perform import paths
from perform.arrays import Samples
from perform.clock import stopwatch
from perform.faults import Health
from perform.inputs import Input
from perform.inputs.audio.analysis import SoundAnalyzer
from perform.inputs.audio.decoding import SAMPLE_RATE
from perform.inputs.audio.decoding import SoundError as SoundError
from perform.inputs.audio.pacing import PacedSound
from perform.inputs.audio.portaudio import AudioDevice as AudioDevice
from perform.inputs.audio.portaudio import DeviceError as DeviceError
from perform.inputs.audio.portaudio import audio_devices as audio_devices
from perform.inputs.audio.reader import SoundReader
from perform.inputs.audio.streams import Microphone, Speaker
from perform.rhythm.beat import Beat
from perform.rhythm.features import HOPS_PER_SECOND, FeatureExtractor
from perform.rhythm.tracker import open_tracker
from perform.signals import Event

SOUND_SUFFIXES = (
    *(".aac", ".ac3", ".aif", ".aiff", ".flac", ".m4a", ".mka", ".mp2", ".mp3", ".oga", ".ogg", ".opus"),
    *(".wav", ".wma", ".wv", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ogv", ".webm"),
)  # of files, even of missing ones; "USB Audio 2.0" is a device
LONGEST_BLOCK = SAMPLE_RATE  # samples that are analysed at a time
MOST_WAITING = 10 * SAMPLE_RATE  # samples that wait for `take_sound()`
LONGEST_STALL = 5.0  # seconds without a poll for which the sound plays on
DRIFT_CORRECTION = 0.02  # share of the difference between two crystals that is corrected per poll
JUMP_CORRECTION = 0.1  # seconds of difference that are corrected at once


class Sound(Input, Protocol):
    """An input of sound, as the clock and a recorder use it. `rate` is the rate of `take_sound`."""

    rate: int

    def take_sound(self) -> Samples:
        """The samples between the last call and the last poll [n, 2], the last 10 seconds at most; the first
        call starts the count and gives none."""
        ...

    def position(self) -> float | None:
        """Seconds of the show's clock that the audience hears now; None when nothing plays."""
        return None

    @property
    def finished(self) -> bool:
        """Whether the sound has come to its end."""
        ...


def open_sound(
    spec: str | Path | None, now: Callable[[], float], loop: bool = True, play: bool = True
) -> Sound:
    """A file, a device by (a part of) its name, or silence for None and "none". A spec is a file if it
    exists, is a Path, has a folder or one of SOUND_SUFFIXES. Raises SoundError if a file is no sound."""
    if spec is None or str(spec) in ("", "none"):
        return Silence()
    if _names_file(spec):
        return SoundFile(spec, loop=loop, play=play)
    return SoundDevice(str(spec), now)


def check_sound(spec: str | Path | None) -> None:
    """Raises SoundError if a spec of `open_sound` is a file that is no sound; opens no device."""
    if spec is not None and _names_file(spec):
        SoundReader(spec).close()


def _names_file(spec: str | Path) -> bool:
    path = Path(spec)
    known = path.parts[1:] or path.suffix.lower() in SOUND_SUFFIXES or paths.found(path)
    return isinstance(spec, Path) or bool(known)


def tracked(path: str | Path) -> list[Beat]:
    """The beats of a sound file, as a live run finds them. Raises SoundError."""
    reader, extractor, tracker = SoundReader(path), FeatureExtractor(SAMPLE_RATE), open_tracker()
    hops = (hop for block in reader.blocks(LONGEST_BLOCK) for hop in extractor.process(block))
    beats = [beat for hop in hops if (beat := tracker.process(hop))]
    return [beat for beat in beats if reader.length is None or beat.time * SAMPLE_RATE <= reader.length]


class _SampleCount:
    """Counts the samples that passed: polls move `until`, `take` gives those since the last take."""

    def __init__(self) -> None:
        self.until = 0.0
        self._taken: int | None = None

    def take(self) -> range:
        """The numbers of the samples, none at the first call."""
        stop = round(self.until * SAMPLE_RATE)
        start, self._taken = stop if self._taken is None else self._taken, stop
        return range(max(start, stop - MOST_WAITING), stop)


class SoundFile:
    """A sound file whose first sample is at 0 of the show's clock; with `play` it plays through the speakers.
    Its events depend on the samples only, never on the speakers.

    Raises SoundError (see SoundReader).
    """

    rate = SAMPLE_RATE

    def __init__(self, path: str | Path, loop: bool = False, play: bool = False) -> None:
        self.name = Path(path).name
        self._reader = SoundReader(path, loop)
        self._analyzer = SoundAnalyzer(SAMPLE_RATE)
        self._passed = _SampleCount()
        self._polled: tuple[float, float] | None = None  # until when, and when by the stopwatch
        self._speaker = Speaker(self._reader.read, self._now, SAMPLE_RATE) if play else None

    def poll(self, until: float) -> list[Event]:
        self._passed.until, self._polled = until, (until, stopwatch())
        events: list[Event] = []
        stop = round(until * SAMPLE_RATE)
        while self._analyzer.count < stop:
            start = self._analyzer.count
            events += self._analyzer.process(self._reader.read(start, min(start + LONGEST_BLOCK, stop)))
        return events

    def take_sound(self) -> Samples:
        passed = self._passed.take()
        return self._reader.read(passed.start, passed.stop)

    def position(self) -> float | None:
        return self._speaker.position() if self._speaker else None

    @property
    def duration(self) -> float | None:
        """Seconds; until the end was decoded, as the file says them, None if it does not."""
        return self._reader.duration

    @property
    def finished(self) -> bool:
        length = self._reader.length
        return length is not None and self._analyzer.count >= length

    def ends_by(self, seconds: float) -> bool:
        """Whether no sample comes after this time; decodes up to there."""
        stop = round(seconds * SAMPLE_RATE)
        self._reader.read(stop, stop + 1)
        return self._reader.length is not None and self._reader.length <= stop

    def health(self) -> Health:
        if self._reader.fault:
            return Health("failed", f"{self.name}: {self._reader.fault}")
        unheard = f"no sound output: {self._speaker.note}" if self._speaker and self._speaker.note else ""
        return Health("ok", ", ".join(filter(None, (self.name, self._reader.note, unheard))))

    def close(self) -> None:
        if self._speaker:
            self._speaker.close()
        self._reader.close()

    def _now(self) -> float | None:
        """The show's time between two polls; None before the first."""
        if self._polled is None:
            return None
        until, polled_at = self._polled
        return until + min(stopwatch() - polled_at, LONGEST_STALL)


class SoundDevice(Sound):
    """A live device, by (a part of) its name; `now` is the show's time. It may come and go: while it is away
    it counts as silent, so that signals fall by the release of the features.

    Its latency is one of the device's smallest blocks and one hop of the features.
    """

    rate = SAMPLE_RATE
    finished = False

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.name = name
        self._microphone = Microphone(name, now, SAMPLE_RATE)
        self._analyzer = SoundAnalyzer(SAMPLE_RATE)
        self._offset: float | None = None  # the show's time of the first sample
        self._paced = PacedSound(SAMPLE_RATE)
        self._passed = _SampleCount()

    def poll(self, until: float) -> list[Event]:
        self._passed.until = until
        if self._microphone.rate != self._analyzer.rate:
            self._analyzer, self._offset = SoundAnalyzer(self._microphone.rate), None
        samples = self._microphone.samples()
        if len(samples):
            recorded_until = self._microphone.recorded_until
        else:
            samples, recorded_until = self._silence(until), until
        self._paced.add(samples, self._analyzer.rate)
        if not len(samples):
            return []
        passed = (self._analyzer.count + len(samples)) / self._analyzer.rate
        offset = min(self._follow(recorded_until - passed), until - passed)
        return self._analyzer.process(samples, offset)

    def take_sound(self) -> Samples:
        return self._paced.take(len(self._passed.take()))

    def health(self) -> Health:
        if not self._microphone.open:
            return Health("waiting", f"{self.name}: {self._microphone.note}")
        dropped = self._microphone.dropped
        return Health("ok", f"{self.name}, {dropped} samples lost" if dropped else self.name)

    def close(self) -> None:
        self._microphone.close()

    def _silence(self, until: float) -> Samples:
        """The samples of a device that is away: zeros up to `until`."""
        if self._microphone.open:
            return np.zeros((0, 1), np.float32)
        if self._offset is None:
            self._offset = until - self._analyzer.count / self._analyzer.rate
        missing = round((until - self._offset) * self._analyzer.rate) - self._analyzer.count
        return np.zeros((min(max(missing, 0), LONGEST_BLOCK), 1), np.float32)

    def _follow(self, measured: float) -> float:
        """The show's time of the first sample, after it was measured (with jitter) again."""
        offset = measured if self._offset is None else self._offset
        error = measured - offset
        self._offset = offset + (error if abs(error) > JUMP_CORRECTION else error * DRIFT_CORRECTION)
        return self._offset


class Silence(Sound):
    """No sound: every signal comes once, with its value in silence."""

    name = "silence"
    rate = SAMPLE_RATE
    finished = False

    def __init__(self) -> None:
        self._passed = _SampleCount()
        self._analyzer = SoundAnalyzer(SAMPLE_RATE)
        self._sent = False

    def poll(self, until: float) -> list[Event]:
        self._passed.until = until
        if self._sent:
            return []
        self._sent = True
        hop = np.zeros((SAMPLE_RATE // HOPS_PER_SECOND, 1), np.float32)
        return self._analyzer.process(hop, until - 1 / HOPS_PER_SECOND)

    def take_sound(self) -> Samples:
        return np.zeros((len(self._passed.take()), 2), np.float32)

    def health(self) -> Health:
        return Health("ok", self.name)

    def close(self) -> None:
        pass
