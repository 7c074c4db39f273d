"""Synthesises the demo track: 32 bars of melodic house at 122 bpm, and its truth beside it.

    python -m scripts.demo_track [FOLDER]     writes demo/track.opus and demo/track.json

Everything is drawn from the score and from seeds, so the same sound comes out every time. The
track is a loop: every tail, echo and envelope wraps from the last bar into the first one.
Places in the score are sixteenth notes, mixes are stereo [2, n]; the instruments are in demo_sounds.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from scripts import demo_sounds as sounds
from scripts.demo_sounds import RATE, Sound

BPM = 122
BARS = 32
STEPS = 16  # sixteenth notes in a bar
STEP = 15 / BPM  # seconds
LENGTH = round(BARS * STEPS * STEP * RATE)  # samples of the loop
CEILING = 10 ** (-2.4 / 20)  # the encoder overshoots by about a decibel

SECTIONS = {"intro": 0, "groove": 4, "build": 8, "peak": 12, "rest": 20, "peak again": 24, "outro": 30}
CHORDS = ("Fmaj9", "G6/9", "Am9", "Em11")
ROOTS = (29, 31, 33, 28)  # MIDI notes of the bass, a bar each
VOICINGS = ((53, 57, 60, 64, 67), (55, 59, 62, 64, 69), (52, 57, 60, 64, 71), (52, 55, 59, 62, 69))
# step, length and interval above the root
BASS = ((0, 3, 0), (3, 3, 0), (6, 2, 12), (8, 3, 0), (11, 2, 0), (13, 1, 7), (14, 2, 12))
ARPEGGIO = (0, 2, 4, 1, 3, 4, 2, 4, 1, 3, 4, 0, 2, 4, 3, 2)  # voice of the chord on each sixteenth
# the two halves of the melody: step, length, pitch
CALL = ((0, 6, 69), (6, 6, 72), (12, 4, 76), (16, 10, 74), (28, 4, 71), (32, 6, 72), (38, 6, 76), (44, 4, 81),
        (48, 8, 79), (56, 4, 76), (60, 4, 74))  # fmt: skip
ANSWER = ((0, 6, 72), (6, 6, 76), (12, 4, 79), (16, 10, 81), (28, 4, 79), (32, 6, 76), (38, 6, 72),
          (44, 4, 76), (48, 16, 71))  # fmt: skip
CONGAS = ((3, 57, 0.7), (6, 52, 0.9), (10, 57, 0.6), (11, 60, 0.8), (14, 52, 1.0))  # step, pitch, velocity
SPARSE = (0, 4, 6, 8, 12, 14)  # where the arpeggio is heard when it is quiet
CRASHES = ((4, 0.6), (12, 1.0), (16, 0.7), (20, 0.8), (24, 1.0), (28, 0.7))  # bar, velocity
RIMS = (2, 5, 8, 11, 15)


@dataclass(frozen=True, slots=True)
class Note:
    """One note: `at` and `length` in sixteenths, `pitch` a MIDI note, `velocity` 0..1."""

    at: float
    length: float = 1
    pitch: float = 0
    velocity: float = 1.0

    @property
    def seconds(self) -> float:
        return self.at * STEP


def score() -> dict[str, list[Note]]:
    """Every note of the track by instrument, in order of time."""
    parts = {
        "kick": list(kicks()),
        "clap": list(claps()),
        "hat": list(hats()),
        "shaker": list(shakers()),
        "conga": [Note(16 * b + s, 1, p, v) for b in drummed(8, 11, 12, 30) for s, p, v in CONGAS],
        "rim": [Note(16 * b + s, 1, 0, 0.8) for b in drummed(16, 20, 26, 31) for s in RIMS],
        "roll": [*roll(10), *roll(22)],
        "crash": [Note(16 * bar, velocity=v) for bar, v in CRASHES],
        "bass": list(basses()),
        "arpeggio": list(arpeggios()),
        "lead": list(melody()),
        "bell": [*phrase(ANSWER, 24, 0.8, 12), *phrase(CALL[:5], 28, 0.8, 12)],
        "pad": [Note(16 * bar, 16, p) for bar in range(BARS) for p in VOICINGS[bar % 4]],
    }
    return {name: sorted(notes, key=lambda note: (note.at, note.pitch)) for name, notes in parts.items()}


def drummed(*edges: int) -> Iterator[int]:
    """The bars between pairs of edges that have drums: none in the rest."""
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield from (bar for bar in range(first, last) if not 20 <= bar < 24)


def kicks() -> Iterator[Note]:
    for bar in drummed(4, 31):
        beats = (0, 4) if bar == 11 else (0, 4, 8, 12)  # the bar before the peak holds its breath
        yield from (Note(16 * bar + beat) for beat in beats)
    yield Note(16 * 20)  # the rest begins with a last one


def claps() -> Iterator[Note]:
    for bar in drummed(6, 30):
        yield from (Note(16 * bar + step) for step in (4, 12))
        if bar % 4 == 3:  # the fourth bar leans into the next one
            yield from (Note(16 * bar + step, velocity=v) for step, v in ((7, 0.3), (15, 0.45)))


def hats() -> Iterator[Note]:
    for bar in drummed(4, 11, 12, 31):
        yield from (Note(16 * bar + step, 1.6) for step in (2, 6, 10, 14))


def shakers() -> Iterator[Note]:
    accents = (0.5, 0.25, 0.8, 0.4)
    for bar in drummed(2, 11, 12, 32):
        soft = 0.5 if bar < 6 or bar >= 30 else 1.0
        yield from (Note(16 * bar + step, 0.5, 0, soft * accents[step % 4]) for step in range(16))


def roll(bar: int) -> Iterator[Note]:
    """Two bars of snare, in eighths, sixteenths, then thirty-seconds, rising."""
    steps = [*range(0, 16, 2), *range(16, 28), *np.arange(28, 32, 0.5)]
    yield from (Note(16 * bar + float(s), 1, 0, 0.15 + 0.85 * (float(s) / 32) ** 2) for s in steps)


def basses() -> Iterator[Note]:
    for bar in (*drummed(6, 11), *drummed(12, 30)):
        yield from (Note(16 * bar + s, n, ROOTS[bar % 4] + up, 1 if s == 0 else 0.85) for s, n, up in BASS)


def arpeggios() -> Iterator[Note]:
    for bar in range(BARS):
        sparse = bar < 2 or bar >= 30 or 20 <= bar < 22
        for step in SPARSE if sparse else range(16):
            accent = (
                step % (4 if bar < 4 else 3) == 0
            )  # the intro says where the beat is, then threes play against it
            pitch = VOICINGS[bar % 4][ARPEGGIO[step]] + (24 if accent else 12)
            yield Note(16 * bar + step, 1, pitch, 1.0 if accent else 0.6)


def phrase(
    notes: Sequence[tuple[int, int, int]], bar: int, velocity: float = 1.0, up: int = 0
) -> Iterator[Note]:
    yield from (Note(16 * bar + at, length, pitch + up, velocity) for at, length, pitch in notes)


def melody() -> Iterator[Note]:
    yield from (*phrase(CALL, 12), *phrase(ANSWER, 16))
    yield from phrase(CALL, 20, 0.7)
    yield from (*phrase(CALL, 24), *phrase(ANSWER[:5], 28))


def truth() -> dict[str, object]:
    """What is to be heard in the track, in seconds from its start."""
    names = list(SECTIONS)
    ends = [*list(SECTIONS.values())[1:], BARS]
    onsets = {name: sorted({round(note.seconds, 6) for note in notes}) for name, notes in score().items()}
    return {
        "title": "perform demo track",
        "bpm": BPM,
        "beats_per_bar": 4,
        "seconds": LENGTH / RATE,
        "rate": RATE,
        "sections": [
            {"name": name, "start": round(SECTIONS[name] * 16 * STEP, 6), "end": round(end * 16 * STEP, 6)}
            for name, end in zip(names, ends, strict=True)
        ],
        "chords": [{"name": CHORDS[bar % 4], "start": round(bar * 16 * STEP, 6)} for bar in range(BARS)],
        "beats": [round(beat * 4 * STEP, 6) for beat in range(BARS * 4)],
        "downbeats": [round(bar * 16 * STEP, 6) for bar in range(BARS)],
        "onsets": onsets,
    }


def curve(*points: tuple[float, float]) -> Sound:
    """A line [n] through (bar, value), to automate with."""
    bars, values = zip(*points, strict=True)
    return np.asarray(np.interp(np.arange(LENGTH) * (BARS / LENGTH), bars, values), np.float32)


def silence() -> Sound:
    return np.zeros((2, LENGTH), np.float32)


def drums(notes: dict[str, list[Note]]) -> Sound:
    """Everything with a stick or a pedal but the kick, in a small room."""
    loop = silence()
    for note in notes["clap"]:
        sounds.place(loop, sounds.clap(), note.seconds, 0.85 * note.velocity)
    for note in notes["hat"]:
        sounds.place(loop, sounds.hat(0.2), note.seconds, 0.46, 0.6)
    for i, note in enumerate(notes["shaker"]):
        sounds.place(loop, sounds.shaker(i % 5), note.seconds, 0.6 * note.velocity, 0.3)
    for note in notes["conga"]:
        sounds.place(loop, sounds.conga(note.pitch), note.seconds, 0.45 * note.velocity, 0.72)
    for note in notes["rim"]:
        sounds.place(loop, sounds.rim(), note.seconds, 0.26, 0.2)
    for note in notes["roll"]:
        sounds.place(loop, sounds.snare(), note.seconds, 0.55 * note.velocity)
    return loop + 0.14 * sounds.reverb(loop, 0.7, 100, 0.008)


def effects(notes: dict[str, list[Note]]) -> Sound:
    """Crashes, the ways into them, and air in the quiet sections."""
    loop = silence()
    swell = sounds.crash()[::-1].copy()
    for note in notes["crash"]:
        sounds.place(loop, sounds.crash(), note.seconds, 0.5 * note.velocity, 0.45)
        sounds.place(loop, swell, note.seconds - len(swell) / RATE, 0.3 * note.velocity, 0.6)
    for first, last, gain in ((8, 12, 0.65), (22, 24, 0.5)):
        sounds.place(loop, sounds.riser((last - first) * STEPS * STEP), first * STEPS * STEP, gain)
    for bar in (12, 20, 24):
        sounds.place(loop, sounds.boom(), bar * STEPS * STEP, 0.4 if bar == 20 else 0.2)
    breath = curve(
        (0, 0.7), (4, 1), (5, 0.2), (19.9, 0.1), (20, 0.9), (23.5, 1), (24, 0.1), (30, 0.2), (32, 0.7)
    )
    wave = 0.75 + 0.25 * np.sin(2 * np.pi * np.arange(LENGTH) / LENGTH * BARS / 2)
    for side in range(2):
        loop[side] += 0.006 * breath * wave * sounds.noise(LENGTH / RATE, 60 + side, 700, 5000)
    return loop


def pads(notes: dict[str, list[Note]]) -> Sound:
    """The chords; their filter opens with the arc of the track."""
    loop = silence()
    four_bars = [note for note in notes["pad"] if note.at < 4 * STEPS]
    for i, note in enumerate(four_bars):  # the progression comes round eight times; draw it once
        sound = sounds.pad(note.pitch, note.length * STEP + 0.6, 200 + i)
        for turn in range(BARS // 4):
            sounds.place(loop, sound, note.seconds + turn * 4 * STEPS * STEP)
    quiet, rest = ((0, 500), (3.5, 1500), (4, 900), (8, 1300)), ((20, 700), (23.8, 6500))
    cutoff = curve(*quiet, (11.8, 6500), (12, 2600), (19.9, 4200), *rest, (24, 3800), (29, 4600), (32, 500))
    level = curve(
        (0, 0.9), (4, 0.85), (11.9, 0.9), (12, 0.7), (20, 0.7), (20.1, 1), (24, 0.75), (30, 0.8), (32, 0.9)
    )
    return sounds.swept(loop, cutoff) * level


def plucks(notes: dict[str, list[Note]]) -> Sound:
    """The arpeggio and its dotted echoes."""
    bright = curve(
        (0, 1),
        (4, 3),
        (8, 2.5),
        (11.9, 7),
        (12, 5),
        (20, 6),
        (20.1, 1.5),
        (23.9, 7),
        (24, 6),
        (30, 4),
        (32, 1),
    )
    level = curve((0, 0.55), (4, 0.6), (12, 0.8), (20, 0.8), (24, 0.85), (30, 0.8), (32, 0.55))
    loop = silence()
    for i, note in enumerate(notes["arpeggio"]):
        at = round(note.seconds * RATE)
        pan = 0.5 + 0.28 * np.sin(2 * np.pi * i / 16)
        sound = sounds.pluck(note.pitch, round(bright[at] + note.velocity - 0.5))
        sounds.place(loop, sound, note.seconds, 0.45 * level[at] * note.velocity, pan)
    return loop + sounds.echoes(loop, 3 * STEP, 0.55)


def voices(notes: dict[str, list[Note]]) -> Sound:
    """The lead and the bells above it."""
    loop = silence()
    for note in notes["lead"]:
        sounds.place(
            loop, sounds.lead(note.pitch, note.length * STEP), note.seconds, 0.3 * note.velocity, 0.47
        )
    for note in notes["bell"]:
        sounds.place(loop, sounds.bell(note.pitch), note.seconds, 0.32 * note.velocity, 0.65)
    return loop + 0.55 * sounds.echoes(loop, 3 * STEP, 0.5)


def basslines(notes: dict[str, list[Note]]) -> Sound:
    loop = silence()
    for note in notes["bass"]:
        soft = 0.75 if note.at < 12 * STEPS else 1.0
        sounds.place(
            loop, sounds.bass(note.pitch, 0.8 * note.length * STEP), note.seconds, 0.44 * soft * note.velocity
        )
    return loop


def mix() -> Sound:
    """The whole track [2, n]."""
    notes = score()
    beats = silence()
    for note in notes["kick"]:
        sounds.place(beats, sounds.kick(), note.seconds, 0.74)
    strokes = [note.seconds for note in notes["kick"]]
    ways = effects(notes)
    low = basslines(notes) * sounds.ducked(LENGTH, strokes, 0.85, 0.22)
    music = 0.5 * pads(notes) + plucks(notes)
    singing = voices(notes)
    hall = sounds.reverb(0.5 * music + 0.8 * singing + 0.1 * ways, 2.6, 300)
    music = (music + 0.5 * hall) * sounds.ducked(LENGTH, strokes, 0.6)
    singing *= sounds.ducked(LENGTH, strokes, 0.3)
    bright = sounds.shelf(drums(notes) + ways + music + singing, 2200, 1.7)
    return sounds.limited(0.68 * (beats + low + bright), CEILING)


def encode(loop: Sound, path: Path) -> None:
    """Write [2, n] as Opus."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE, layout="stereo", bit_rate=144_000)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(loop.T).reshape(1, -1), "flt", "stereo")
        frame.sample_rate = RATE
        frame.pts = 0
        container.mux([*stream.encode(frame), *stream.encode(None)])


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "track.json").write_text(json.dumps(truth(), indent=1) + "\n")
    encode(mix(), folder / "track.opus")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "demo")
