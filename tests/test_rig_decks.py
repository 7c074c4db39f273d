"""Two decks on a rig with real pictures: edits never make the deck that is on the wall jump."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import moderngl
import pytest

from perform.performance import Performance
from perform.performance.preview import Preview
from tests.doubles.library import BLUE, save
from tests.doubles.rig_shows import Show, shows_of

CUE = '[[cue]]\nscene = "{}"\n'
HEAD = 'title = "Decks"\nquantise = "off"\n'
WALK = """title = "Walk"
[generator]
model = "untrained-small"
[latent]
path = "walk"
speed = 3
[transition]
beats = 0
"""
HALVES = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"}, {"NAME": "progress", "TYPE": "float", "DEFAULT": 0},
    {"NAME": "green", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}]}*/
void main() {
    gl_FragColor = progress < 0.5 ? IMG_THIS_PIXEL(startImage) : IMG_THIS_PIXEL(endImage);
    gl_FragColor.g = green;
}
"""
FEEDBACK = """title = "Feedback"
[[layer]]
[layer.source]
feedback = "stage"
[[layer]]
opacity = 0.5
[layer.generator]
model = "untrained-small"
[layer.latent]
path = "walk"
[transition]
beats = 0.5
path = "morph"
"""


def cues(*names: str) -> str:
    return HEAD + "".join(map(CUE.format, names))


def frame(show: Show, *said: tuple[str, float]) -> bytes:
    """The next frame."""
    show.pixel(*said)
    assert show.memory.last
    return show.memory.last.pixels.tobytes()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Show]]:
    save(tmp_path / "shaders/transitions/halves.fs", HALVES)
    save(tmp_path / "presets/walk.toml", WALK)
    save(tmp_path / "presets/feedback.toml", FEEDBACK)
    yield from shows_of(tmp_path, "setlists/decks.toml")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("red", "walk", "blue"), ("red", "walk", "blue", "walk")),
        (("walk", "walk", "blue"), ("red", "walk", "blue")),
        (("walk", "walk", "walk"), ("walk",)),
    ],
)
def test_a_scene_that_is_opened_twice_or_no_longer_twice_goes_on(
    start: Callable[[str], Show], before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    show = start(cues(*before))
    show.pixel()
    pixels = [show.pixel(("/scene/2", 1.0))]
    for number in range(20):
        if number == 10:
            show.edit("setlists/decks.toml", cues(*after))
        pixels.append(show.pixel())
    assert not show.rig.faults.counts
    plain = start(cues(*before))
    plain.pixel()
    assert [plain.pixel(("/scene/2", 1.0)), *(plain.pixel() for _ in range(20))] == pixels
    assert len(set(pixels)) > 5


def test_the_same_scene_on_both_decks_has_a_path_and_hands_of_its_own(start: Callable[[str], Show]) -> None:
    show, plain = start(cues("walk", "walk")), start(cues("walk", "red"))
    said = [[("/deck/b/latent/seed", 7.0)], [("/deck/b/generator/truncation", 0.1)], []]
    assert [frame(show, *one) for one in said] == [frame(plain) for _ in said]
    assert frame(show, ("/go", 1.0)) != frame(plain)


def test_a_small_preview_is_whole_when_it_comes_in(start: Callable[[str], Show]) -> None:
    show = start(cues("red", "blue", "walk"))
    performance, stage = show.rig.performance, show.rig.stage
    plain = Performance(performance.setlist, performance.cues, None, preview=Preview(shrink=stage.shrink))
    show.rig.performance = plain
    plain.viewers = 1
    assert show.pixel() == (255, 0, 0)
    assert plain.preview and plain.preview.size == (32, 18)
    stage.resize((48, 28), plain.cues)  # the governor chose another level
    show.pixel()
    assert (plain.preview.size, show.rig.picture and show.rig.picture.image.size) == ((24, 14), (48, 28))
    show.edit("presets/blue.toml", BLUE.replace("[0, 0,", "[0, 1,"))
    show.pixel()
    assert plain.preview.size == (24, 14)
    assert show.pixel(("/go", 1.0)) == (0, 255, 255)
    assert show.rig.picture and show.rig.picture.image.size == (48, 28)
    assert plain.preview.size == (24, 14)
    assert not show.rig.faults.counts


def test_the_law_of_the_crossfader(start: Callable[[str], Show]) -> None:
    law = '[crossfader]\nlaw = "halves"\ngreen = {}\n'
    show = start(cues("red", "blue") + law.format("0.2"))
    show.pixel()
    assert show.pixel(("/crossfader", 0.25)) == (255, 51, 0)
    assert show.pixel(("/crossfader", 0.75)) == (0, 51, 255)
    show.edit("setlists/decks.toml", cues("red", "blue") + law.format("0.4"))
    assert show.pixel() == (0, 102, 255)
    assert show.pixel(("/crossfader/green", 1.0)) == (0, 255, 255)
    assert show.pixel(("/crossfader", 0.25)) == (255, 255, 0)
    assert show.rig.performance.snapshot().values["/crossfader/green"] == (1.0,)
    show.edit("setlists/decks.toml", cues("red", "blue"))
    assert show.pixel() == (191, 0, 64)  # that of the cue, which mixes
    show.edit("setlists/decks.toml", cues("red", "blue") + law.format("0.4"))
    assert show.pixel(("/crossfader", 1.0)) == (0, 0, 255)
    assert not show.rig.faults.counts


def test_a_transition_that_is_not_made_by_hand_has_no_law(start: Callable[[str], Show]) -> None:
    show = start(cues("red", "walk", "blue") + '[crossfader]\nlaw = "halves"\ngreen = 1\n')
    show.pixel()
    assert show.pixel(("/scene/3", 1.0)) == (0, 0, 255)
    assert show.rig.performance.snapshot().values["/crossfader/green"] == (1.0,)


def test_an_edit_keeps_what_is_held_of_the_transitions(start: Callable[[str], Show]) -> None:
    way = 'transition = {{ shader = "halves", green = 0.2, beats = {} }}\n'
    text = cues("red") + way.format(1) + CUE.format("blue") + way.format(30)
    show = start(text)
    said = [("/transition/green", 0.4), ("/deck/b/transition/green", 1.0), ("/deck/b/generator/tint.0", 1.0)]
    show.pixel(*said)
    show.edit("setlists/decks.toml", "quantise = 'off'\n" + text.replace('quantise = "off"\n', ""))
    show.edit("presets/blue.toml", BLUE + '[[filter]]\nshader = "invert"\namount = 0\n')
    for _ in range(4):
        show.pixel()
    values = show.rig.performance.snapshot().values
    assert values["/deck/b/transition/green"] == (1.0,)
    assert show.rig.performance.saved().held == {
        "/transition/green": {0: pytest.approx(0.4)},
        "/deck/b/transition/green": {0: 1.0},
        "/deck/b/generator/tint": {0: 1.0},
    }
    show.pixel(("/go", 1.0))
    assert show.pixel() == (255, 255, 0)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_fails_and_nothing_that_is_released_is_shown(start: Callable[[str], Show], seed: int) -> None:
    """Scenes of each kind on both decks, with previews, edits and sizes in any order."""
    draw = random.Random(seed)

    def text() -> str:
        scenes = draw.choices(["red", "blue", "walk", "feedback"], k=draw.randint(1, 5))
        lengths = (draw.choice(["", "bars = 0.25\n"]) for _ in scenes)
        law = draw.choice(["", '[crossfader]\nlaw = "halves"\n'])
        return (
            HEAD
            + "".join(CUE.format(scene) + bars for scene, bars in zip(scenes, lengths, strict=True))
            + law
        )

    show = start(text())
    stage, opened = show.rig.stage, show.rig.performance
    preview = Preview(4.0, shrink=stage.shrink)
    performance = Performance(
        opened.setlist, opened.cues, None, None, stage.feedback, stage.copied, preview, stage.law, seed == 1
    )
    show.rig.performance = performance
    for _ in range(80):
        address = draw.choice(
            ["/go", "/scene", "/standby", "/crossfader", "/crossfader", "/freeze", "/fadeout"]
        )
        numbers = [draw.randint(1, 5)] if address in ("/scene", "/standby") else [0, 0, 0.5, 1]
        match draw.randrange(6):
            case 0:
                show.edit("setlists/decks.toml", text())
            case 1:
                show.edit("presets/blue.toml", BLUE.replace("[0, 0,", f"[0, {draw.random()},"))
            case 2:
                stage.resize(draw.choice([(48, 28), (64, 36)]), performance.cues)
            case 3:
                performance.viewers = draw.randint(0, 1)
        show.pixel((address, float(draw.choice(numbers))))
        assert not show.rig.faults.counts
        assert show.rig.picture
        for image in filter(None, (performance.preview, show.rig.picture.image)):
            assert not isinstance(image.mglo, moderngl.InvalidObject)
