"""Composes music at random, with its beats: chords, a bass, voices and drums over a tempo that may move.

Places in a piece are beats, counted from the first downbeat; `Piece` holds seconds.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from perform.arrays import Doubles
from perform.training.beats.grooves import GROOVES, MELODIC, STRENGTH, Groove

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 1, 3, 5, 7, 8, 10))
PROGRESSIONS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (0, 3), (0, 6), (0, 0, 3, 4), (0, 2, 3, 4), (0,),
    (0, 5, 1, 4), (0, 3, 0, 4), (0, 6, 5, 6), (0, 5), (0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4), (0, 6, 3, 4),
)  # fmt: skip
GROUND = {"kick", "snare", "rim", "tom"}  # drums that say where the beat is
TYPICAL = 0.85  # how often a voice plays a rhythm that is typical of the groove
RHYTHMS = (
    "x.......x.......", "x...x...x...x...", "x..x..x...x.....", "..x...x...x...x.", "x.x.x.x.x.x.x.x.",
    "x.....x.....x...", "x..x....x..x....", "x..x..x..x..x.x.", "x...............", "x.xx..x.x.xx..x.",
    "....x.......x...", "x.....xx....x...", "..xx..xx..xx..xx", "xxxxxxxxxxxxxxxx", ".xxx.xxx.xxx.xxx",
    "x..x..x.x..x..x.", "x...x.x.x...x.x.", "x.x...x.x.x...x.",
)  # fmt: skip
TERNARY_RHYTHMS = (
    "x.....x.....",
    "x..x..x..x..",
    "x.xx.xx.xx.x",
    "xxxxxxxxxxxx",
    "..x..x..x..x",
    "x.....x.x...",
)
TRIPLE_RHYTHMS = (
    "x...........",
    "x...x...x...",
    "....x...x...",
    "x.x.x.x.x.x.",
    "x..x..x.....",
    "xxxxxxxxxxxx",
)


@dataclass(frozen=True, slots=True)
class Note:
    """A note of `voice` at `time` for `length` seconds; `pitch` is a MIDI note, `strength` 0..1."""

    time: float
    length: float
    voice: str
    pitch: int
    strength: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of `seconds`: its notes, its beats (seconds) and which of them begin a bar [beats]. One without
    a pulse has no beats. `electronic`: machines play its drums and its bass."""

    groove: str
    seconds: float
    notes: tuple[Note, ...]
    beats: Doubles
    downbeat: Doubles
    electronic: bool


def compose(random: np.random.Generator, seconds: float, groove: Groove | None = None) -> Piece:
    """A piece of a groove, else of any."""
    shares = np.array([groove.share for groove in GROOVES])
    drawn = GROOVES[random.choice(len(GROOVES), p=shares / shares.sum())]
    groove = groove or drawn
    return _Composer(random, groove, seconds).piece()


def drift(random: np.random.Generator, seconds: float) -> Piece:
    """A piece without a pulse: long tones that come and go at any time."""
    notes: list[Note] = []
    scale, root = SCALES[random.integers(len(SCALES))], int(random.integers(33, 46))
    density = random.uniform(0.15, 1.0)
    time = random.uniform(0, 2)
    while time < seconds - 2:
        pitch = root + 12 * int(random.integers(0, 4)) + scale[random.integers(7)]
        notes.append(
            Note(
                time,
                random.uniform(1.5, 9),
                random.choice(["pad", "chords"]),
                pitch,
                random.uniform(0.2, 0.7),
            )
        )
        time += random.exponential(1 / density)
    return Piece("drift", seconds, tuple(notes), np.zeros(0), np.zeros(0), False)


class _Composer:
    """Writes one piece, part by part."""

    def __init__(self, random: np.random.Generator, groove: Groove, seconds: float) -> None:
        self.random, self.groove, self.seconds = random, groove, seconds
        self.electronic = bool(random.random() < groove.electronic)
        low, high = groove.tempi
        self.bpm = float(np.exp(random.uniform(np.log(low), np.log(high))))
        self.start = float(random.choice([0.0, random.uniform(0, 0.6), random.uniform(0, 2.5)]))
        self.times = self._beat_times()
        self.bars = (len(self.times) - 1) // groove.beats
        self.sections = self._sections()
        self.ternary = any(len(p) == 3 * groove.beats for ps in groove.drums.values() for p in ps)
        if not groove.drums and random.random() < 0.15:
            self.ternary = True
        self.swing = groove.swing * random.random() / 3 if random.random() < 0.5 else 0.0
        self.swung = 2 if random.random() < 0.6 else 4  # the steps per beat that swing
        self.jitter = 0.0 if self.electronic else random.uniform(0.0, 0.012)
        self.scale = SCALES[random.integers(len(SCALES))]
        self.root = int(random.integers(0, 12))
        self.chords = self._chords()
        self.leaning: set[str] = set()  # voices that avoid the beat

    def piece(self) -> Piece:
        notes = [*self._drums(), *self._melodic()]
        whole = self.times[: self.bars * self.groove.beats]
        downbeat = (np.arange(len(whole)) % self.groove.beats == 0).astype(np.float64)
        inside = whole < self.seconds
        kept = tuple(sorted((n for n in notes if 0 <= n.time < self.seconds), key=lambda n: n.time))
        return Piece(self.groove.name, self.seconds, kept, whole[inside], downbeat[inside], self.electronic)

    def _beat_times(self) -> Doubles:
        """Seconds of each beat: steady, or with the drift of a player, a ramp or a jump of the tempo."""
        random, count = self.random, int(self.seconds * self.bpm / 60 * 1.2) + 8
        tempo = np.zeros(count)
        kind = random.random()
        if not self.electronic:
            wander = np.cumsum(random.standard_normal(count)) * random.uniform(0, 0.004)
            tempo += np.clip(wander, -0.08, 0.08)
        if kind < 0.06:
            tempo += np.linspace(0, random.uniform(-0.15, 0.15), count)
        elif kind < 0.10:
            tempo[random.integers(count // 3, 2 * count // 3) :] += random.uniform(-0.25, 0.25)
        lengths = 60 / self.bpm * np.exp(-tempo)
        return self.start + np.concatenate(([0.0], np.cumsum(lengths)))

    def _sections(self) -> list[tuple[int, int, set[str]]]:
        """Sections [first bar, end, voices that play], most of them 4 or 8 bars long."""
        random = self.random
        drums = list(self.groove.drums)
        alone = self.groove.alone or ({"kick", "snare"} <= set(drums) and random.random() < 0.1)
        sections: list[tuple[int, int, set[str]]] = []
        everything = {voice for voice in MELODIC if random.random() < 0.75}
        everything |= {drum for drum in drums if random.random() < 0.85 or drum in ("kick", "snare", "tom")}
        everything |= set(self.groove.parts) - {"figure"}
        if alone:
            everything = set(drums)
        elif not everything:
            everything = {"chords"}
        bar, built = 0, random.random() < 0.5
        while bar < self.bars:
            length = int(random.choice([2, 4, 4, 8, 8, 16]))
            share = 0.45 if built and not sections else random.choice([1.0, 0.85, 0.85, 0.6, 0.4])
            plays = {voice for voice in sorted(everything) if alone or random.random() < share}
            sections.append((bar, min(bar + length, self.bars), plays or {sorted(everything)[0]}))
            bar += length
        return sections

    def _time(self, beats: float) -> float:
        """Seconds of a place, with swing and the player's imprecision."""
        if self.swing and not self.ternary:
            step = beats * self.swung
            half = step % 2
            late = self.swing * (1 - abs(half - 1))  # the off-beat step is the latest
            beats += late / self.swung * 2
        whole = float(np.interp(beats, np.arange(len(self.times)), self.times))
        return whole + self.jitter * float(self.random.standard_normal())

    def _note(self, beats: float, length: float, voice: str, pitch: int = 0, strength: float = 1.0) -> Note:
        time = self._time(beats)
        seconds = max(length * 60 / self.bpm, 0.03)
        return Note(max(time, 0.0), seconds, voice, pitch, float(np.clip(strength, 0.05, 1)))

    # drums

    def _drums(self) -> Iterator[Note]:
        random, beats = self.random, self.groove.beats
        chosen = {drum: self._varied(random.choice(options)) for drum, options in self.groove.drums.items()}
        accents = random.uniform(0.5, 1.0)
        every = int(random.choice([2, 2, 4, 1000]))  # bars, the last of which is played another way
        for first, end, plays in self.sections:
            if random.random() < 0.25:
                chosen = {
                    drum: self._varied(random.choice(self.groove.drums[drum]))
                    if drum not in ("kick", "snare", "clap") or random.random() < 0.3
                    else pattern
                    for drum, pattern in chosen.items()
                }
            drums = sorted(plays & set(chosen))
            answers = {drum: self._answer(drum, pattern) for drum, pattern in sorted(chosen.items())}
            for bar in range(first, end):
                last = bar == end - 1 and end - first > 2
                filled = last and drums and random.random() < 0.4
                silent = last and random.random() < 0.06
                for drum in drums:
                    if silent or (filled and drum != "kick"):
                        continue
                    pattern = (answers if bar % every == every - 1 else chosen)[drum]
                    step = beats / len(pattern)
                    for i, mark in enumerate(pattern):
                        if mark in STRENGTH:
                            on = 1.0 if i * step % 1 == 0 else accents
                            yield self._stroke(bar * beats + i * step, drum, STRENGTH[mark] * on)
                if filled:
                    yield from self._fill(bar * beats)
            if "crash" not in drums and drums and random.random() < 0.5:
                yield self._note(first * beats, 2, "crash", strength=random.uniform(0.5, 1))

    def _answer(self, drum: str, pattern: str) -> str:
        """The pattern, as a rule with the second half of another one of the drum."""
        other, half = str(self.random.choice(self.groove.drums[drum])), len(pattern) // 2
        return pattern[:half] + other[half:] if self.random.random() < 0.6 else pattern

    def _stroke(self, beats: float, drum: str, strength: float) -> Note:
        return self._note(beats, 0.25, drum, strength=strength * self.random.uniform(0.85, 1.0))

    def _varied(self, pattern: str) -> str:
        """The pattern with a few strokes more or less, off the beat."""
        marks = list(str(pattern))
        for i in range(len(marks)):
            if self.random.random() < 0.04 and i % (len(marks) // self.groove.beats) != 0:
                marks[i] = "." if marks[i] in STRENGTH else "-"
        return "".join(marks)

    def _fill(self, bar: float) -> Iterator[Note]:
        """A fill: strokes on snare and toms that grow towards the end of the bar."""
        beats, step = self.groove.beats, 1 / 3 if self.ternary else 1 / 4
        start = float(self.random.choice([0, beats / 2, beats - 1]))
        busy = self.random.uniform(0.5, 1)
        for at in np.arange(start, beats - 1e-6, step):
            if self.random.random() < busy:
                drum = self.random.choice(
                    ["snare", "snare", "tom", "tom", "clap" if self.electronic else "snare"]
                )
                yield self._stroke(bar + float(at), drum, 0.5 + 0.5 * float(at) / beats)

    # melodic parts

    def _chords(self) -> list[tuple[float, float, int]]:
        """Chords [beat, beats, degree of the scale]: of a bar, half of one, or two."""
        random, beats = self.random, self.groove.beats
        progression = PROGRESSIONS[random.integers(len(PROGRESSIONS))]
        length = float(random.choice([1, 1, 1, 2, 2, 4, 0.5 if beats == 4 else 1])) * beats
        early = 0.5 if random.random() < 0.12 else 0.0  # the chord comes before the bar
        return [
            (max(i * length - early, 0.0), length, progression[i % len(progression)])
            for i in range(int(self.bars * beats / length) + 1)
        ]

    def _melodic(self) -> Iterator[Note]:
        parts: dict[str, Callable[[], Iterator[Note]]] = {
            "bass": self._bass,
            "chords": self._stabs,
            "pad": self._pad,
            "figure": self._figure,
            "melody": self._melody,
        }
        playing = np.zeros(self.bars, dtype=object)
        for first, end, plays in self.sections:
            playing[first:end] = [plays] * (end - first)
        for name, part in parts.items():
            for note in part():
                bar = int(np.searchsorted(self.times[:: self.groove.beats], note.time + 0.05) - 1)
                if 0 <= bar < self.bars and name in playing[bar] and self._clear(name, playing[bar]):
                    yield note

    def _clear(self, voice: str, playing: set[str]) -> bool:
        """Whether one can hear where the beat is: a part that avoids it plays only with one that does not."""
        ground = GROUND if voice == "bass" else GROUND | ({"bass"} - self.leaning)
        return voice not in self.leaning or bool(playing & ground)

    def _chord(self, at: float) -> int:
        """The chord (degree of the scale) at a place."""
        return self.chords[max(bisect(self.chords, at + 1e-6, key=lambda chord: chord[0]) - 1, 0)][2]

    def _pitch(self, degree: int, octave: int) -> int:
        return 12 * (octave + degree // 7) + self.root + self.scale[degree % 7]

    def _rhythm(self, voice: str) -> str:
        """The rhythm of a bar of a voice: one that is typical of the groove, or any. A voice that avoids the
        beat is noted as leaning."""
        options: tuple[str, ...] = RHYTHMS
        if self.ternary:
            options = TERNARY_RHYTHMS
        elif self.groove.beats == 3:
            options = TRIPLE_RHYTHMS
        if not self.groove.drums:  # nothing else says where the beat is
            options = tuple(one for one in options if one[0] == "x")
        if voice in self.groove.parts and self.random.random() < TYPICAL:
            options = tuple(self.groove.parts[voice])
        rhythm = str(self.random.choice(options))
        if rhythm[0] == ".":
            self.leaning.add(voice)
        return rhythm

    def _struck(self, rhythm: str) -> Iterator[tuple[float, float, int, str]]:
        """Places, lengths in beats, chords and marks of a rhythm that is repeated in each bar."""
        beats, step = self.groove.beats, self.groove.beats / len(rhythm)
        places = [i for i, mark in enumerate(rhythm) if mark in STRENGTH]
        for bar in range(self.bars):
            for i, following in zip(places, [*places[1:], len(rhythm)], strict=True):
                at = bar * beats + i * step
                yield at, (following - i) * step, self._chord(at), rhythm[i]

    def _bass(self) -> Iterator[Note]:
        random = self.random
        octave, kind = int(random.choice([2, 3, 3])), random.random()
        typical = "bass" in self.groove.parts
        if kind < (0.05 if typical else 0.25):  # as long as the chord
            for at, beats, degree in self.chords:
                yield self._note(at, beats * 0.95, "bass", self._pitch(degree, octave), 0.9)
            return
        if kind < (0.1 if typical else 0.4):  # walks
            for beat in range(self.bars * self.groove.beats):
                _, _, degree = self.chords[min(int(beat / self.chords[0][1]), len(self.chords) - 1)]
                walk = degree if beat % self.groove.beats == 0 else degree + int(random.integers(-3, 5))
                yield self._note(beat, 0.9, "bass", self._pitch(walk, octave), random.uniform(0.7, 0.9))
            return
        short, rhythm = random.uniform(0.4, 1), self._rhythm("bass")
        ups = [12 if random.random() < 0.15 else 7 if random.random() < 0.1 else 0 for _ in rhythm]
        for i, (at, beats, degree, mark) in enumerate(self._struck(rhythm)):
            up = 12 if mark == "o" else ups[i % len(ups)] if at % self.groove.beats else 0
            pitch = self._pitch(degree, octave) + up
            yield self._note(at, beats * short, "bass", pitch, random.uniform(0.7, 0.95))

    def _stabs(self) -> Iterator[Note]:
        rhythm, short = self._rhythm("chords"), self.random.uniform(0.3, 1)
        octave, loud = int(self.random.choice([4, 5])), self.random.uniform(0.4, 0.9)
        accent = self.random.uniform(0.5, 1)
        for at, beats, degree, mark in self._struck(rhythm):
            strength = loud * self.random.uniform(0.8, 1) * (1 if at % 1 == 0 else accent) * STRENGTH[mark]
            for third in (0, 2, 4):
                yield self._note(at, beats * short, "chords", self._pitch(degree + third, octave), strength)

    def _pad(self) -> Iterator[Note]:
        octave = int(self.random.choice([4, 5]))
        for at, beats, degree in self.chords:
            for third in (0, 2, 4, 6)[: 3 + int(self.random.random() < 0.3)]:
                yield self._note(at, beats * 1.02, "pad", self._pitch(degree + third, octave), 0.6)

    def _figure(self) -> Iterator[Note]:
        """Broken chords in a rhythm, or in even notes of a length that may be out of step with the bar."""
        random = self.random
        shape = random.integers(0, 5, int(random.choice([3, 4, 4, 4, 6, 8, 8, 16])))
        octave, accent = int(random.choice([4, 5, 6])), random.uniform(0.5, 1)
        if "figure" in self.groove.parts or random.random() < 0.2:
            rhythm = self._rhythm("figure")
        else:
            step = 3 if self.ternary else int(random.choice([2, 2, 4, 4, 1]))
            rhythm = ("x" + "." * (4 // step - 1)) * step * self.groove.beats
        for i, (at, beats, degree, _) in enumerate(self._struck(rhythm)):
            strength = 0.8 if at % 1 == 0 else 0.8 * accent
            pitch = self._pitch(degree + 2 * int(shape[i % len(shape)]), octave)
            yield self._note(at, beats * 0.9, "figure", pitch, strength)

    def _melody(self) -> Iterator[Note]:
        """A motif of one or two bars, repeated with other notes."""
        random, beats = self.random, self.groove.beats
        length = int(random.choice([1, 2, 2, 4])) * beats
        motif = [*self._motif(length)]
        octave, degree = int(random.choice([5, 5, 6])), int(random.integers(0, 7))
        for phrase in range(int(self.bars * beats / length)):
            again = phrase % 2 and random.random() < 0.6
            for at, held, move in motif:
                place, strength = phrase * length + at, random.uniform(0.6, 1)
                step = move if again else int(random.integers(-2, 3))
                degree = int(np.clip(degree + step, -3, 10))
                if at % beats == 0 and random.random() < 0.6:  # into the chord
                    degree = self._chord(place) + 2 * int(random.integers(0, 3))
                yield self._note(place, held, "melody", self._pitch(degree, octave), strength)

    def _motif(self, length: float) -> Iterator[tuple[float, float, int]]:
        units: Sequence[float] = (
            (1 / 3, 2 / 3, 1, 1) if self.ternary else (0.5, 0.5, 1, 1, 1.5, 0.25, 0.75, 2)
        )
        at = float(self.random.choice([0, 0, 0.5, 1]))
        while at < length:
            held = float(self.random.choice(units))
            if at % 1 and self.random.random() < 0.6:
                held = 1 - at % 1  # to the next beat
            if self.random.random() < 0.85:
                yield at, held * self.random.uniform(0.7, 1), int(self.random.integers(-2, 3))
            at += held
