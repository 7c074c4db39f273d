"""The table of docs/beat-tracking.md: every made stimulus, and real music, through three beat trackers.

    python -m scripts.beat_table [FOLDER OF MUSIC]

Ours hears the sound as in a live run. librosa's (Ellis 2007) sees the whole sound before it answers.
aubio's (Brossier 2006) is causal like ours; it is left out when the package is not there.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import librosa
import mir_eval
import numpy as np
from numpy.typing import NDArray

from perform.inputs.audio import SOUND_SUFFIXES
from perform.rhythm.beat import CONFIDENT, Beat
from perform.training.beats.tracks import read_beats
from tests.doubles.stimuli import NEAR, RATE, Stimulus, Times, errors, everything, locked, track

SHORTEST = 15.0  # seconds of music


def main(music: Path | None) -> None:
    warnings.simplefilter("ignore")  # mir_eval about empty lists of beats
    show(header("stimulus", ("F", "CMLt", "AMLt", "Cemgil", "offset", "lock", "false"), others=True))
    for stimulus in everything():
        show(row(stimulus))
    if music:
        show(
            [
                "",
                *header(
                    "track", ("seconds", "bpm", "confident", "F", "CMLt", "AMLt", "offset"), others=False
                ),
            ]
        )
        for path in sorted(one for one in music.iterdir() if one.suffix.lower() in SOUND_SUFFIXES):
            sound, beats = decoded(path), path.with_suffix(".beats")
            known = read_beats(beats)[0] if beats.is_file() else None
            if len(sound) >= SHORTEST * RATE:
                show([agreement(path.stem, sound, known)])


def header(first: str, figures: Iterable[str], others: bool) -> list[str]:
    names = [first, *figures]
    if others:
        names += [
            f"{tracker} {what}"
            for tracker in ("librosa", "aubio")
            for what in ("F", "CMLt", "AMLt", "Cemgil")
        ]
    return [cells(names), cells("---" for _ in names)]


def row(stimulus: Stimulus) -> str:
    tracked = track(stimulus.sound, RATE)
    times = np.array([beat.time for beat in tracked])
    true = stimulus.beats
    figures = [
        *scores(true, times),
        offset(true, times),
        lock(true, times, stimulus.change),
        false(true, tracked),
    ]
    mono = stimulus.sound[:, 0]
    return cells([stimulus.name, *figures, *scores(true, offline(mono)), *scores(true, causal(mono))])


def agreement(name: str, sound: NDArray[np.float32], known: Times | None) -> str:
    """Our beats of real music against those that are known, else librosa's, which may be wrong."""
    tracked = track(sound[:, None], RATE)
    times = np.array([beat.time for beat in tracked])
    reference = offline(sound) if known is None else known
    sure = [beat for beat in tracked if beat.confidence >= CONFIDENT]
    tempo = np.median([beat.bpm for beat in tracked] or [0.0])
    fmeasure, cml, aml, _ = scores(reference, times)
    figures = [f"{len(sound) / RATE:.0f}", f"{tempo:.0f}", f"{len(sure) / max(len(tracked), 1):.0%}"]
    return cells([name, *figures, fmeasure, cml, aml, offset(reference, times)])


def scores(true: Times, tracked: Times | None) -> list[str]:
    """F, CMLt, AMLt and Cemgil's accuracy, from 5 s on; without true beats only how many were reported,
    nothing without a tracker."""
    if tracked is None:
        return ["", "", "", ""]
    if not len(true):
        return [f"{len(tracked)} reported", "", "", ""]
    true, tracked = mir_eval.beat.trim_beats(true), mir_eval.beat.trim_beats(tracked)
    _, cml, _, aml = mir_eval.beat.continuity(true, tracked)
    figures = mir_eval.beat.f_measure(true, tracked), cml, aml, mir_eval.beat.cemgil(true, tracked)[0]
    return [f"{figure:.2f}" for figure in figures]


def offset(true: Times, tracked: Times) -> str:
    """Median of tracked minus true, in milliseconds, of the right beats from 5 s on."""
    tracked = mir_eval.beat.trim_beats(tracked)
    if not len(true) or not len(tracked):
        return ""
    offsets = errors(true, tracked)
    right = offsets[np.abs(offsets) <= NEAR]
    return f"{1000 * np.median(right):+.0f} ms" if len(right) else ""


def lock(true: Times, tracked: Times, start: float) -> str:
    """Seconds from `start` to the first of eight true beats in a row that were tracked, and nothing else."""
    if not len(true):
        return ""
    seconds = locked(true, tracked, start)
    return f"{seconds:.1f} s" if np.isfinite(seconds) else "never"


def false(true: Times, tracked: list[Beat]) -> str:
    """How many beats were tracked with confidence where there is none."""
    sure = np.array([beat.time for beat in tracked if beat.confidence >= CONFIDENT])
    if not len(true) or not len(sure):
        return str(len(sure))
    return str(int((np.abs(errors(true, sure)) > NEAR).sum()))


def offline(sound: NDArray[np.float32]) -> Times:
    beats: Times = librosa.beat.beat_track(y=sound, sr=RATE, units="time")[1]
    return beats


def causal(sound: NDArray[np.float32]) -> Times | None:
    try:
        tracker = importlib.import_module("aubio").tempo("default", 1024, 512, RATE)
    except ModuleNotFoundError:
        return None
    hops = range(0, len(sound) - 511, 512)
    return np.array([tracker.get_last_s() for at in hops if tracker(sound[at : at + 512])[0]])


def decoded(path: Path) -> NDArray[np.float32]:
    """A sound file's samples, mixed to one channel."""
    return np.concatenate(list(_blocks(path)))


def _blocks(path: Path) -> Iterator[NDArray[np.float32]]:
    resampler = av.AudioResampler("fltp", "mono", RATE)
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            yield from (block.to_ndarray()[0] for block in resampler.resample(frame))


def cells(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"


def show(lines: str | list[str]) -> None:
    sys.stdout.write((lines if isinstance(lines, str) else "\n".join(lines)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
