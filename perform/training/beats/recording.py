"""Records a piece as sound: machines are computed, bands are played from a General MIDI sound font.

FluidSynth (LGPL) plays them, as a program of its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import av
import mido
import numpy as np
from scipy import fft

from perform.arrays import Floats
from perform.paths import check_file
from perform.training.beats import kit
from perform.training.beats.grooves import MELODIC
from perform.training.beats.kit import RATE
from perform.training.beats.score import Note, Piece

FONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
)
NEEDED = "music for training needs FluidSynth and a sound font: apt install fluidsynth fluid-soundfont-gm"
BASS = (130.0, 3700.0), (8.0, 0.0)  # from one frequency to the other (Hz), so many decibels more
SOUND_FONT = re.compile(rb"RIFF....sfbk", re.DOTALL)
PLAYING = (  # of FluidSynth: quietly, without its own room, into a file
    *("-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5"),
    *("-r", str(RATE), "-z", "1024", "-O", "s16"),
)
DRUM_CHANNEL = 9
DRUM_KITS = (0, 8, 16, 24, 25, 32, 40, 48)
DRUM_NOTES = {
    "kick": (35, 36), "snare": (38, 40), "clap": (39,), "hat": (42,), "open_hat": (46,), "ride": (51, 59, 53),
    "pedal": (44,), "crash": (49, 57), "tom": (41, 43, 45, 47, 48), "conga": (60, 61, 62, 63, 64, 65),
    "shaker": (70, 82), "cowbell": (56,), "rim": (37, 75, 76),
}  # fmt: skip
PROGRAMS = {  # of General MIDI, from 0
    "bass": (*range(32, 40), 43, 58),
    "chords": (*range(0, 8), *range(16, 32), 45, 48, 55, 61, 62, 105, 106, 107),
    "pad": (*range(48, 55), *range(88, 96), 19, 16, 21),
    "figure": (0, 1, 4, 6, *range(8, 15), 24, 25, 26, 27, 45, 46, 80, 81, 104, 106, 107, 108, 114),
    "melody": (
        *(*range(0, 8), 11, *range(21, 32), 40, 41, 42, 56, 57),
        *(*range(60, 82), 104, 110, 111),
    ),
}


class FluidSynth:
    """Plays notes from a sound font. OSError if the program or the font is missing, ValueError for a file
    that is no sound font."""

    def __init__(self, font: Path | None = None) -> None:
        installed = [Path(one) for one in FONTS if Path(one).is_file()]
        if shutil.which("fluidsynth") is None or not (font or installed):
            raise FileNotFoundError(NEEDED)
        self._font = font or installed[0]
        _check_font(self._font)

    def play(self, random: np.random.Generator, notes: Iterable[Note], seconds: float) -> Floats:
        """The notes [n] with instruments drawn at random."""
        with tempfile.TemporaryDirectory() as folder:
            score, sound = Path(folder) / "score.mid", Path(folder) / "sound.wav"
            self._score(random, notes).save(score)
            command = ["fluidsynth", *PLAYING, "-F", str(sound), str(self._font), str(score)]
            code = subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if code or not sound.is_file():
                raise OSError(f"fluidsynth made no sound with {self._font} (it ended with {code})")
            return _fitted(_read_wave(sound), int(seconds * RATE))

    def _score(self, random: np.random.Generator, notes: Iterable[Note]) -> mido.MidiFile:
        messages: list[tuple[float, mido.Message]] = [
            (0.0, mido.Message("program_change", channel=DRUM_CHANNEL, program=int(random.choice(DRUM_KITS))))
        ]
        channels = {voice: channel for channel, voice in enumerate(MELODIC)}
        drums = {drum: int(random.choice(options)) for drum, options in DRUM_NOTES.items()}
        for voice, channel in [*channels.items(), ("drums", DRUM_CHANNEL)]:
            if voice in PROGRAMS:
                program = int(random.choice(PROGRAMS[voice]))
                messages.append((0.0, mido.Message("program_change", channel=channel, program=program)))
            volume = int(random.integers(50, 127))
            messages.append((0.0, mido.Message("control_change", channel=channel, control=7, value=volume)))
        for note in notes:
            channel = channels.get(note.voice, DRUM_CHANNEL)
            pitch = note.pitch if channel != DRUM_CHANNEL else drums[note.voice]
            if note.voice == "tom":
                pitch = int(random.choice(DRUM_NOTES["tom"]))
            pitch, velocity = int(np.clip(pitch, 0, 127)), max(1, min(127, round(25 + 100 * note.strength)))
            messages.append(
                (note.time, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity))
            )
            messages.append((note.time + note.length, mido.Message("note_off", channel=channel, note=pitch)))
        file = mido.MidiFile(ticks_per_beat=1000)
        track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)])
        file.tracks.append(track)
        before = 0
        for time, message in sorted(messages, key=lambda one: (one[0], one[1].type == "note_on")):
            tick = round(time * 1000)
            track.append(message.copy(time=tick - before))
            before = tick
        return file


def _check_font(font: Path) -> None:
    """ValueError for a file that is no whole sound font: FluidSynth would go on without it, and play another
    one."""
    check_file(font)
    with font.open("rb") as file:
        head = file.read(12)
    if SOUND_FONT.match(head) is None:
        raise ValueError(f"{font} is no sound font, must be an .sf2 or .sf3")
    if font.stat().st_size < int.from_bytes(head[4:8], "little") + 8:
        raise ValueError(f"{font} is cut off: get it again")


def record(random: np.random.Generator, piece: Piece, band: FluidSynth) -> Floats:
    """The sound [n] of a piece, mono at RATE: played, mixed, and sent through a room, a mastering and a
    loudspeaker drawn at random."""
    size = int(piece.seconds * RATE)
    machine = _machine_voices(random, piece)
    computed, ducking = _machines(random, [n for n in piece.notes if n.voice in machine], size)
    played = np.zeros(size, np.float32)
    rest = [note for note in piece.notes if note.voice not in machine]
    if rest:
        played = band.play(random, rest, piece.seconds)
    played *= np.float32(10 ** random.uniform(-0.35, 0.35) / max(played.std() / 0.1, 1e-3))
    if piece.electronic and random.random() < 0.6:
        played = played * ducking
    mixed = computed + played if computed.any() else played
    return master(random, mixed)


def master(random: np.random.Generator, mixed: Floats) -> Floats:
    """Room, tone, compression, noise and loudness, drawn at random."""
    sound = np.asarray(mixed / max(float(np.abs(mixed).max()), 1e-4), np.float32)
    sound = _through(random, sound)
    if random.random() < 0.6:
        drive = random.uniform(1, 6)
        sound = np.tanh(drive * sound) / np.float32(np.tanh(drive))
    if random.random() < 0.3:
        level = 10 ** random.uniform(-3, -1) * max(float(sound.std()), 1e-3) * 3
        sound = sound + np.float32(level) * _coloured(random, len(sound))
    return np.asarray(
        sound * 10 ** random.uniform(-1.5, 0) / max(float(np.abs(sound).max()), 1e-4), np.float32
    )


def hiss(random: np.random.Generator, seconds: float) -> Floats:
    """Noise of some colour [n] that swells at random: rain, wind, a crowd far away, a machine."""
    size = int(seconds * RATE)
    slow = np.interp(
        np.arange(size), np.linspace(0, size, 40), random.uniform(0.2, 1, 40) ** random.uniform(0, 2)
    )
    return np.asarray(_coloured(random, size) * slow * 0.2, np.float32)


def babble(random: np.random.Generator, seconds: float) -> Floats:
    """Something like speech [n]: voiced and hissed syllables in phrases, of one voice or of several."""
    size = int(seconds * RATE)
    sound = np.zeros(size, np.float32)
    for _ in range(int(random.choice([1, 1, 1, 2, 4, 10]))):
        at, base, rate = random.uniform(0, 1), random.uniform(85, 260), random.uniform(0.7, 1.3)
        while at < seconds - 0.5:
            length = random.uniform(0.08, 0.35) / rate
            syllable = _syllable(random, base, int(length * RATE))
            start = int(at * RATE)
            sound[start : start + len(syllable)] += syllable[: size - start]
            at += length * random.uniform(0.7, 1.2)
            if random.random() < 0.14:
                at += random.uniform(0.2, 1.2)
    return sound


def _syllable(random: np.random.Generator, base: float, size: int) -> Floats:
    t = np.arange(size) / RATE
    swell = np.sin(np.pi * np.arange(size) / size) ** random.uniform(0.3, 1.5)
    if random.random() < 0.25:
        return np.asarray(0.1 * swell * np.diff(random.standard_normal(size + 1)), np.float32)
    pitch = base * random.uniform(0.8, 1.3) * (1 + random.uniform(-0.3, 0.3) * t)
    formants = random.uniform(250, 850), random.uniform(850, 2600), random.uniform(2300, 3500)

    def weight(k: int) -> float:
        near = (np.exp(-(((k * base - formant) / 160) ** 2)) for formant in formants)
        return float(sum(one / (i + 1) for i, one in enumerate(near)) + 0.08 / k)

    voice = kit.harmonics(np.cumsum(pitch) / RATE, weight, int(4000 / base) - 1)
    return np.asarray(0.2 * swell * voice, np.float32)


def _machine_voices(random: np.random.Generator, piece: Piece) -> set[str]:
    """Which voices of a piece are computed."""
    if not piece.electronic:
        return set()
    drums = set(kit.DRUMS) if random.random() < 0.75 else set()
    return drums | {voice for voice in MELODIC if random.random() < 0.5}


def _machines(random: np.random.Generator, notes: list[Note], size: int) -> tuple[Floats, Floats]:
    """What machines play [n], and how far their kick turns the others down [n]."""
    sound, ducking = np.zeros(size, np.float32), np.ones(size, np.float32)
    drums: dict[str, Floats] = {}
    synthesisers: dict[str, kit.Synthesiser] = {}
    gains = {voice: random.uniform(0.25, 0.9) for voice in (*sorted(kit.DRUMS), *MELODIC)}
    gains["kick"] = random.uniform(0.6, 1.0)
    cache: dict[tuple[str, int, int], Floats] = {}
    depth, recovery = random.uniform(0, 0.9), random.uniform(0.1, 0.35)
    dip = 1 - depth * np.exp(-np.arange(int(3 * recovery * RATE)) / (recovery * RATE)).astype(np.float32)
    for note in notes:
        start = int(note.time * RATE)
        if note.voice in MELODIC:
            key = (note.voice, note.pitch, int(note.length * 20))
            if key not in cache:
                synthesiser = synthesisers.setdefault(note.voice, kit.Synthesiser(random, note.voice))
                cache[key] = synthesiser.tone(note.pitch, note.length)
            wave = cache[key]
        else:
            wave = drums.setdefault(note.voice, kit.drum(random, note.voice))
        room = sound[start : start + len(wave)]
        room += wave[: len(room)] * np.float32(gains[note.voice] * note.strength)
        if note.voice == "kick":
            ducked = ducking[start : start + len(dip)]
            np.minimum(ducked, dip[: len(ducked)], out=ducked)
    return sound, ducking


def _room(random: np.random.Generator) -> Floats:
    """The answer [n] of a room to a click: the click, and noise that dies away."""
    length = random.choice([random.uniform(0.1, 0.5), random.uniform(0.5, 2.5)])
    t = np.arange(int(length * RATE), dtype=np.float32) / RATE
    echo = random.standard_normal(len(t), dtype=np.float32) * np.exp(-6.9 * t / length)
    echo[: 1 + int(random.uniform(0, 0.02) * RATE)] = 0
    echo *= random.uniform(0.05, 0.5) / np.sqrt((echo**2).sum() + 1e-9)
    echo[0] = 1
    answer: Floats = echo.astype(np.float32)
    return answer


def _tone(random: np.random.Generator, hertz: Floats) -> Floats:
    """A random gain of the frequencies `hertz`, and now and then a small loudspeaker or a poor encoder.

    Released music has more bass than what the instruments here make."""
    curve = np.interp(np.log2(hertz), np.linspace(4, 14.5, 8), random.normal(0, 3.5, 8))
    curve += np.interp(hertz, *BASS)
    gain = np.asarray(10 ** (curve / 20), np.float32)
    if random.random() < 0.15:
        gain /= 1 + (random.uniform(80, 350) / hertz) ** 4
    if random.random() < 0.2:
        gain /= 1 + (hertz / random.uniform(3000, 12000)) ** 6
    return gain


def _through(random: np.random.Generator, sound: Floats) -> Floats:
    """The sound, perhaps in a room, with another tone."""
    answer = _room(random) if random.random() < 0.5 else np.ones(1, np.float32)
    size = fft.next_fast_len(len(sound) + len(answer), real=True)
    hertz = np.asarray(np.linspace(1, RATE / 2, size // 2 + 1), np.float32)
    spectrum = fft.rfft(sound, size) * fft.rfft(answer, size) * _tone(random, hertz)
    return np.asarray(fft.irfft(spectrum, size)[: len(sound)], np.float32)


def _coloured(random: np.random.Generator, size: int) -> Floats:
    """Noise [size] between white and pink, at unit power; it repeats after six seconds."""
    length = 1 << 18
    spectrum = fft.rfft(random.standard_normal(length, dtype=np.float32))
    hertz = np.asarray(np.linspace(20, RATE / 2, length // 2 + 1), np.float32)
    noise: Floats = fft.irfft(spectrum * hertz ** np.float32(-random.uniform(0, 1)), length)
    repeated: Floats = np.resize(noise / noise.std(), size).astype(np.float32)
    return repeated


def _read_wave(path: Path) -> Floats:
    """A 16-bit WAV as mono [n]."""
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
        channels = file.streams.audio[0].channels
    samples = np.concatenate(frames, axis=1).reshape(-1, channels)
    return np.asarray(samples.mean(axis=1) / 32768, np.float32)


def _fitted(sound: Floats, size: int) -> Floats:
    return np.pad(sound[:size], (0, max(0, size - len(sound))))
