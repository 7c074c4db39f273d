"""Every preset and setlist that is shipped: it loads, draws, moves with the music, and is easy on eyes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from perform import generators, paths, show
from perform.arrays import Floats, Pixels
from perform.clock import Moment
from perform.formula import Formula
from perform.generators.model import Model
from perform.library import Library
from perform.networks.bending import Bend
from perform.networks.blending import Blend
from perform.networks.controls import NetworkValues
from perform.networks.runtimes.inputs import DEFAULTS
from perform.outputs.memory import Memory
from perform.rig import Rig
from perform.signals import Signals
from tests.doubles.sounds import write_sound

Frames = NDArray[np.float32]  # relative luminance [frames, height, width], 0..1

RATE = 48_000
FPS = 24
SIZE = (288, 162)
START = 1.0  # seconds that a preset takes to begin
SILENCE = 2.0  # seconds before the first kick
KICKS = SILENCE + np.arange(4) * 60 / 126  # seconds
SECONDS = 3.7
PRESETS = sorted((paths.shipped() / "presets").glob("*.toml"))
SETLISTS = sorted((paths.shipped() / "setlists").glob("*.toml"))


def drums() -> NDArray[np.float32]:
    """Silence, then a kick on every beat, a clap on every other, and hats between [n, 1]."""
    sound = np.zeros(round(SECONDS * RATE), np.float32)
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    time = np.arange(round(0.35 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (50 * time + 6 * (1 - np.exp(-30 * time)))) * np.exp(-6 * time)
    clap = np.diff(noise[: len(time) + 1]) * np.exp(-25 * time) * 0.3
    hat = np.diff(noise[: len(time) + 2], 2) * np.exp(-50 * time) * 0.15
    for beat, at in enumerate(KICKS):
        hits = [(at, kick), (at + 30 / 126, hat), *([(at, clap)] if beat % 2 else [])]
        for start, hit in hits:
            first = round(start * RATE)
            part = sound[first : first + len(hit)]
            part += 0.7 * hit[: len(part)]
    return sound[:, None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sound(tmp_path_factory.mktemp("presets") / "drums.wav", drums())


class Shared:
    """A generator that stays open for the next rig when one closes it. It draws every other picture, like a
    network that is slower than the display: networks take most of the time of these tests."""

    def __init__(self, generator: generators.Generator) -> None:
        self.space, self.parameters = generator.space, generator.parameters
        self.size = generator.size
        self.map, self.mean = generator.map, generator.mean
        self._generator = generator
        self._picture: Pixels | None = None

    def synthesise(self, ws: Floats, values: NetworkValues = DEFAULTS) -> Pixels:
        """The picture of this call, or again that of the last one."""
        if self._picture is None:
            self._picture = self._generator.synthesise(ws, values)
            return self._picture
        picture, self._picture = self._picture, None
        return picture

    def close(self) -> None:
        """Later."""


@pytest.fixture(scope="module", autouse=True)
def one_generator() -> Iterator[None]:
    """The same generators for all of them: opening one takes longer than playing it."""
    opened: dict[tuple[object, ...], generators.Generator] = {}
    really_open = generators.open

    def open_once(
        model: Model,
        *_settings: object,
        bends: Sequence[Bend] = (),
        blend: Blend | None = None,
        **_named: object,
    ) -> Shared:
        key = model, tuple(bends), blend
        if key not in opened:
            opened[key] = really_open(model, precision="float32", threads=1, bends=bends, blend=blend)
        return Shared(opened[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generators, "open", open_once)
        yield
    for generator in opened.values():
        generator.close()


@pytest.fixture(scope="module", params=PRESETS, ids=lambda file: file.stem)
def frames(request: pytest.FixtureRequest, sound: Path) -> Iterator[Frames]:
    """What a preset draws to the drums."""
    yield luminance(drawn(str(request.param), sound, SECONDS))


def drawn(
    name: str,
    sound: Path,
    seconds: float,
    size: tuple[int, int] = SIZE,
) -> NDArray[np.uint8]:
    """The frames of a preset or setlist [frames, height, width, 3], drawn without a fault."""
    rig = show.render(show.Options(name, str(sound), size=size, fps=FPS, headless=True))
    memory = Memory(keep=round(seconds * FPS))
    rig.outputs.append(memory)
    rig.run(lambda _rig: memory.count == memory.frames.maxlen)
    assert not rig.stage.faults.counts
    return np.stack([frame.pixels for frame in memory.frames])


def luminance(pixels: NDArray[np.uint8]) -> Frames:
    """Relative luminance as WCAG 2 defines it, from sRGB."""
    light = (np.arange(256) / 255) ** 2.2
    parts = [np.float32(weight * light) for weight in (0.2126, 0.7152, 0.0722)]
    return np.stack([sum(part.take(frame[..., at]) for at, part in enumerate(parts)) for frame in pixels])


def blocks(frames: Frames) -> Frames:
    """Means of 12 x 12 pixels: what is seen from far away, without the grain."""
    height, width = (side // 12 for side in frames.shape[1:])
    cut = frames[:, : height * 12, : width * 12]
    return np.asarray(cut.reshape(len(frames), height, 12, width, 12).mean((2, 4)))


def flashes(frames: Frames) -> int:
    """The most general flashes in any second: a rise and a fall of a tenth of the largest luminance over
    a quarter of the frame, each within three frames (WCAG 2.3.1)."""
    seen = blocks(frames)
    change = seen[3:] - seen[:-3]
    up = (change >= 0.1).mean((1, 2)) >= 0.25
    down = (change <= -0.1).mean((1, 2)) >= 0.25
    begun: list[int] = []
    rising = False
    for frame, (brighter, darker) in enumerate(zip(up, down, strict=True)):
        if rising and darker:
            begun.append(frame)
        rising = bool(brighter or (rising and not darker))
    return max((sum(start <= other < start + FPS for other in begun) for start in begun), default=0)


def change(frames: Frames, at: float, span: float = 0.15) -> float:
    """The mean difference between neighbouring frames in the `span` seconds after `at`."""
    first = round(at * FPS)
    part = blocks(frames[first : first + round(span * FPS) + 1])
    return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(part)]))


@pytest.mark.parametrize("file", [*PRESETS, *SETLISTS], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_every_preset_loads(file: Path) -> None:
    assert show.load(file, Library()).cues


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.stem)
def test_every_preset_names_its_knobs(file: Path) -> None:
    comment = [line for line in file.read_text().splitlines() if line.startswith("#")]
    text = file.read_text()
    knobs = {cc for cc in ("16", "17", "18", "20") if f"midi.cc{cc}" in text}
    assert 2 <= len(knobs) <= 4
    assert all(f"CC {cc}" in " ".join(comment) for cc in knobs)


@pytest.mark.parametrize("file", PRESETS, ids=lambda file: file.stem)
def test_what_moves_with_the_time_still_moves_after_a_month(file: Path) -> None:
    scene = show.load(file, Library()).cues[0].scene
    for unit in (*(unit for layer in scene.layers for unit in layer.settings), *scene.filters):
        controls = unit.start()
        month = [30 * 86_400.0 + 10 * step for step in range(4)]
        steps = [
            controls.step(moment, Signals().after(moment, ()))
            for moment in (Moment(at, 0, 10.0, 2 * at, at / 2, 120.0) for at in month)
        ]
        for name, setting in unit.values.items():
            if isinstance(setting, Formula) and setting.names & {"time.seconds", "beat.bar", "beat.count"}:
                assert len({step[name] for step in steps}) > 1, f"{unit.name}: {name} stands still"


def test_every_preset_is_bright_enough(frames: Frames) -> None:
    assert np.median(frames[round(START * FPS) :].max((1, 2))) > 0.02


def test_every_preset_moves_in_silence(frames: Frames) -> None:
    quiet = frames[round(START * FPS) : round(SILENCE * FPS)]
    assert np.abs(quiet[-1] - quiet[0]).max() > 0.005


def test_every_preset_moves_with_the_kick(frames: Frames) -> None:
    still = change(frames, START, SILENCE - START - 0.05)
    hit = np.median([change(frames, at) for at in KICKS[1:]])
    assert hit > 1.5 * still


def test_every_preset_flashes_at_most_three_times_a_second(frames: Frames) -> None:
    assert flashes(frames) <= 3


def test_flashes_are_counted() -> None:
    strobe = np.zeros((2 * FPS, 108, 192), np.float32)
    strobe[::4] = strobe[1::4] = 0.5
    assert flashes(strobe) == FPS // 4
    strobe[:, :, 36:] = 0
    assert flashes(strobe) == 0


def test_the_demo_set_has_different_scenes_and_transitions() -> None:
    setlist = show.load(paths.shipped() / "setlists" / "demo.toml", Library())
    assert setlist.loop
    assert sum(cue.bars or 0 for cue in setlist.cues) == 32
    assert len({cue.scene.file for cue in setlist.cues}) == len(setlist.cues) >= 8
    assert any(cue.transition.morph for cue in setlist.cues)
    shaders = [cue.transition.shader.name for cue in setlist.cues if not cue.transition.morph]
    assert len(set(shaders)) >= 6


def test_the_stage_set_follows_the_sections_of_the_demo_track() -> None:
    options = show.Options(
        "stage", str(show.demo_track()), size=(64, 36), fps=8, model="flora-64", headless=True
    )
    rig, began = show.render(options), [0.0]

    def over(playing: Rig) -> bool:
        position = playing.performance.position
        if playing.moment and position.bar != began[-1]:
            began.append(position.bar)
        return len(began) == 7

    rig.run(over)
    assert not rig.stage.faults.counts
    assert began == pytest.approx([0, 4, 8, 12, 20.25, 24, 32], abs=0.1)
    assert rig.performance.position.cue == 0


@pytest.mark.parametrize("size", [(108, 192), (384, 108)], ids=["9:16", "32:9"])
def test_the_demo_set_plays_at_other_aspect_ratios(sound: Path, size: tuple[int, int]) -> None:
    pixels = drawn("demo", sound, 1.5, size)
    assert pixels.shape[1:] == (size[1], size[0], 3)
    halves = np.split(luminance(pixels[-1:]), 2, axis=2 if size[0] > size[1] else 1)
    assert all(half.max() > 0.01 for half in halves)
