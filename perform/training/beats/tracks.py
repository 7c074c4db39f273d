"""Tracks with beats of one's own: a folder of sounds, each with a text file that gives its beats.

`NAME.beats` is next to the sound `NAME.SUFFIX`. It has a line per beat: seconds, and after a space or a tab
its place in the bar, which is 1 for a downbeat. This is how madmom and the annotations of GTZAN write beats.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np

from perform.arrays import Doubles, Floats
from perform.documents import read_text
from perform.inputs.audio import SOUND_SUFFIXES, check_sound
from perform.inputs.audio.decoding import SAMPLE_RATE
from perform.inputs.audio.reader import SoundReader
from perform.training.beats.examples import Example, example

DAY = 86400.0  # seconds: no sound is longer
BLOCK = 10 * SAMPLE_RATE

Track: TypeAlias = tuple[Path, Path]  # a sound and its beats


def tracks_of(folder: Path) -> list[Track]:
    """The sounds of a folder and their beats. ValueError if there are none, or for one that cannot be read:
    music is made for an hour before they are."""
    sounds = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SOUND_SUFFIXES)
    found = [
        (sound, sound.with_suffix(".beats")) for sound in sounds if sound.with_suffix(".beats").is_file()
    ]
    if not found:
        raise ValueError(f"{folder}: has no sound with a .beats file beside it")
    for sound, beats in found:
        check_sound(sound)
        if not read_beats(beats)[1].any():  # the network would learn that no beat begins a bar
            raise ValueError(f"{beats}: must have a beat that begins a bar, whose place is 1")
    return found


def read_track(sound: Path, beats: Path) -> Example:
    """The example of a track. SoundError, or ValueError for beats that cannot be read."""
    times, first = read_beats(beats)
    return example(_mono(sound), SAMPLE_RATE, times, times[first])


def read_beats(file: Path) -> tuple[Doubles, np.ndarray]:
    """The beats of a file in seconds [beats], and which of them begin a bar [beats]. ValueError."""
    beats = [_beat(file, line) for line in read_text(file).splitlines() if line.strip()]
    times, first = np.array([time for time, _ in beats]), np.array([place == 1 for _, place in beats], bool)
    if not len(times) or not np.all(np.diff(times) > 0) or not 0 <= times[0] <= times[-1] <= DAY:
        raise ValueError(f"{file}: must have beats in order of time, in seconds from 0 to {DAY:g}")
    return times, first


def _beat(file: Path, line: str) -> tuple[float, float]:
    """The seconds and the place in the bar of a line, 0 where it has none."""
    try:
        seconds, place, *_ = map(float, [*line.split()[:2], "0"])
    except ValueError:
        raise ValueError(f"{file}: {line.strip()!r}, must be SECONDS PLACE_IN_THE_BAR, as 12.5 1") from None
    return seconds, place


def _mono(sound: Path) -> Floats:
    reader = SoundReader(sound)
    mixed = np.concatenate([block.mean(axis=1) for block in reader.blocks(BLOCK)])
    return mixed[: reader.length]
