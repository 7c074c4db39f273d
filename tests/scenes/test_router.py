"""The address router: how addresses are made, and what a message to one does to the show."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.clock import OfflineClock, Tempo
from perform.latent.paths import open_path
from perform.library import Library
from perform.parameters import Parameter
from perform.paths import shipped
from perform.performance import CueInstance, Performance, Picture, SceneInstance
from perform.performance.scene import LatentSource, LayerInstance
from perform.scenes.nodes import READ, WRITE, Node, all_nodes
from perform.scenes.reader import read_scene
from perform.scenes.scene import Scene
from perform.scenes.setlist import Setlist, read_setlist, single
from perform.show import load
from perform.signals import Event
from tests.doubles.catalogue import SHADERS, FakeCatalogue
from tests.doubles.performances import SPACE, FakeGenerator, FakeUnit, Stack

GRID = """
title = "Grid"
[generator]
shader = "grid"
disorder = '0.5 * said(osc["/wild"], 0.5)'
[[filter]]
shader = "feedback"
amount = "beat.phase"
[[filter]]
shader = "feedback"
amount = 'osc["/filter/feedback2/amount"] / 2'
[transition]
beats = 0
"""
FLORA = """
title = "Flora"
[generator]
model = "flora"
[[generator.bend]]
operation = "zoom"
[generator.blend]
model = "flora"
[latent]
path = "walk"
[[direction]]
name = "smile"
amount = 2
[transition]
beats = 0
"""
SET = """
title = "Two"
quantise = "off"
loop = true
[[cue]]
scene = "grid"
[[cue]]
scene = "flora"
[bindings]
halve = "midi.note3"
"""


class Show:
    """A show without pictures: its image is the arguments of its units."""

    def __init__(self, setlist: Setlist) -> None:
        scenes = {cue.scene.file: _instance(cue.scene) for cue in setlist.cues}
        cues = [
            CueInstance(cue, scenes[cue.scene.file], FakeUnit("dissolve"), cue.transition.shader.start())
            for cue in setlist.cues
        ]
        self.performance = Performance(setlist, cues, Tempo(120))
        self.clock = OfflineClock(30)
        self.picture: Picture | None = None

    def step(self, *said: tuple[str, Any]) -> Picture:
        """A frame with messages: an address, and its value or its values."""
        seconds = self.clock.advance()
        events = []
        for address, value in said:
            values = value if isinstance(value, tuple) else (value,)
            names = [f'osc["{address}"]', *(f'osc["{address}"].{n}' for n in range(1, len(values)))]
            events += [Event(seconds, name, one) for name, one in zip(names, values, strict=True)]
        return self.frame(events)

    def send(self, *sent: tuple[str, float | str]) -> Picture:
        """A frame with these events."""
        seconds = self.clock.advance()
        return self.frame([Event(seconds, name, value) for name, value in sent])

    def frame(self, events: list[Event]) -> Picture:
        self.picture = self.performance.step(self.clock.moment(self.performance.tempo), events)
        return self.picture

    def value(self, address: str) -> Any:
        return self.performance.snapshot().values[address]

    @property
    def nodes(self) -> dict[str, Node]:
        return dict(self.performance.snapshot().nodes)


def _instance(scene: Scene) -> SceneInstance:
    filters: list[Any] = [FakeUnit(one.name) for one in scene.filters]
    layers = []
    for layer in scene.layers:
        source: Any = FakeUnit(scene.title)
        if layer.latent:
            steps = [np.zeros(4, np.float32) for _ in layer.directions]
            source = LatentSource(FakeGenerator(), open_path(layer.latent.name, SPACE), steps)
        layers.append(LayerInstance(layer, source, [FakeUnit(one.name) for one in layer.filters]))
    compositor = Stack() if scene.layers[0].placement else None
    return SceneInstance(scene, layers, filters, compositor)


@pytest.fixture
def setlist(tmp_path: Path) -> Setlist:
    for name, text in (("grid", GRID), ("flora", FLORA), ("set", SET)):
        (tmp_path / f"{name}.toml").write_text(text)
    return read_setlist(tmp_path / "set.toml", FakeCatalogue(), lambda name: tmp_path / f"{name}.toml")


@pytest.fixture
def show(setlist: Setlist) -> Show:
    return Show(setlist)


def test_every_unit_of_a_scene_has_addresses(setlist: Setlist) -> None:
    grid, flora = (all_nodes(setlist, cue) for cue in setlist.cues)
    assert [a for a in grid if a.startswith(("/generator", "/filter", "/transition"))] == [
        *("/generator/disorder", "/generator/ink"),
        *("/filter/feedback/amount", "/filter/feedback/mode", "/filter/feedback/push"),
        *("/filter/feedback2/amount", "/filter/feedback2/mode", "/filter/feedback2/push"),
        "/transition/softness",
    ]
    assert {"/bend/zoom/factor", "/blend/amount", "/direction/smile/amount", "/latent/speed"} <= flora.keys()
    assert not {"/latent/seeds", "/generator/kept", "/filter/feedback/sound"} & {*grid, *flora}
    assert {"/master", "/go", "/tempo/tap", "/tempo/bpm", "/scene/2", "/release", "/now/title"} <= grid.keys()
    assert grid.keys() - flora.keys() >= {"/wild", "/filter/feedback/amount"}


def test_a_node_describes_its_parameter_and_its_setting(setlist: Setlist) -> None:
    nodes = all_nodes(setlist, setlist.cues[0])
    amount = nodes["/filter/feedback/amount"]
    assert (amount.setting, amount.access, amount.in_formulas) == ("beat.phase", READ | WRITE, False)
    assert nodes["/filter/feedback2/amount"].in_formulas
    assert nodes["/go"].access == WRITE
    assert nodes["/now/cue"].access == READ
    assert nodes["/wild"].parameter.description == "a signal of /generator/disorder"
    assert nodes["/scene/2"].parameter.description == "to cue 2, Flora"
    assert "/scene/9" not in nodes


def test_a_message_holds_its_parameter_until_it_is_released(show: Show) -> None:
    show.step(("/generator/disorder", 0.8))
    assert show.value("/generator/disorder") == (0.8,)
    for _ in range(3):
        show.step()
        assert show.value("/generator/disorder") == (0.8,)
    assert show.value("/now/held") == (1.0,)
    show.step(("/source/disorder", 0.7))  # the other name of a scene's source
    assert show.value("/generator/disorder") == (0.7,)
    show.step(("/source/disorder/release", 1.0))
    assert show.value("/generator/disorder") == (0.25,)
    assert show.value("/now/held") == (0.0,)


def test_an_address_in_a_formula_is_not_held(show: Show) -> None:
    show.step(("/filter/feedback2/amount", 0.8), ("/wild", 0.2))
    assert show.value("/filter/feedback2/amount") == (
        0.8,
    )  # the value that was sent, not the result of the formula
    assert show.picture is not None
    assert show.picture.image[1] == pytest.approx(0.4)
    assert show.value("/generator/disorder") == (0.1,)
    assert show.value("/wild") == (0.2,)
    assert show.value("/now/held") == (0.0,)


def test_a_scene_cannot_use_addresses_of_the_show(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID.replace("/wild", "/master"))
    show = Show(single(read_scene(tmp_path / "grid.toml", FakeCatalogue())))
    assert show.step(("/master", 0.25)).master == 0.25
    assert show.value("/generator/disorder") == (0.125,)


def test_units_of_the_same_name_get_different_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "b", "a", "a2", "a", "a"]
    for name in names:
        monkeypatch.setitem(SHADERS, ("filter", name), (Parameter("amount", 0.5, 0.0, 1.0),))
    filters = "".join(f'[[filter]]\nshader = "{name}"\n' for name in names)
    (tmp_path / "many.toml").write_text('title = "Many"\n[generator]\nshader = "grid"\n' + filters)
    setlist = single(read_scene(tmp_path / "many.toml", FakeCatalogue()))
    addresses = (one.split("/") for one in all_nodes(setlist, setlist.cues[0]))
    assert [one[2] for one in addresses if one[1] == "filter"] == ["a", "b", "a3", "a2", "a4", "a5"]


def test_a_value_comes_in_its_unit_or_as_a_share_of_its_range(setlist: Setlist) -> None:
    show = Show(setlist)
    show.step()
    show.step(("/scene/2", 1.0))
    show.step()
    assert show.value("/now/title") == ("Flora",)
    show.step(("/generator/truncation", 1.5), ("/generator/noise/norm", 0.25), ("/latent/speed/norm", 0.5))
    assert show.value("/generator/truncation") == (1.5,)
    assert show.value("/generator/noise") == (1.0,)
    assert show.value("/latent/speed") == (0.0,)
    show.step(("/generator/truncation", 99.0), ("/latent/interpolation", "linear"))
    assert show.value("/generator/truncation") == (2.0,)
    assert show.value("/latent/interpolation") == ("linear",)
    show.step(("/latent/interpolation", "zigzag"), ("/generator/truncation", "high"))
    assert show.value("/latent/interpolation") == ("linear",)
    assert show.value("/generator/truncation") == (2.0,)


def test_colours_are_held_by_channel(show: Show) -> None:
    show.step(("/generator/ink", (0.25, 0.5)))
    assert show.value("/generator/ink") == (0.25, 0.5, 0.0, 1.0)
    show.step(("/generator/ink", (1.0, 1.0, 1.0, 0.5)))
    assert show.value("/generator/ink") == (1.0, 1.0, 1.0, 0.5)


@pytest.mark.parametrize("name", ['osc["/generator/disorder"]', "/generator/disorder"])
def test_osc_and_the_console_hold_a_parameter_the_same_way(show: Show, name: str) -> None:
    assert show.send((name, 0.8)).image
    assert show.value("/generator/disorder") == (0.8,)
    show.send((name.replace("disorder", "disorder/release"), 1.0), (name, 0.6))
    assert show.value("/generator/disorder") == (0.6,)
    show.send((name.replace("disorder", "disorder/norm"), 0.5))
    assert show.value("/generator/disorder") == (0.5,)


def test_the_console_sends_parts_choices_and_presses(show: Show) -> None:
    show.send(("/generator/ink", 0.25), ("/generator/ink.1", 0.5))
    assert show.value("/generator/ink") == (0.25, 0.5, 0.0, 1.0)
    show.send(("/scene/2", 1.0))
    show.send(("/latent/interpolation", "linear"))
    assert show.value("/now/title") == ("Flora",)
    assert show.value("/latent/interpolation") == ("linear",)


def test_a_formula_reads_the_console_like_osc(show: Show) -> None:
    show.send(("/wild", 0.2), ("/filter/feedback2/amount", 0.8))
    assert show.value("/generator/disorder") == (0.1,)
    assert show.value("/filter/feedback2/amount") == (0.8,)
    assert show.performance.signals.number('osc["/wild"]') == 0.2
    assert show.value("/now/held") == (0.0,)


def test_a_tap_of_the_console_counts_from_its_own_time(setlist: Setlist) -> None:
    tempos = []
    for name in ('osc["/tempo/tap"]', "/tempo/tap"):
        show = Show(setlist)
        for frame in range(100):
            show.send(*[(name, float(frame % 20 == 0))] if frame % 20 in (0, 1) else [])
        tempos.append(show.performance.tempo.bpm)
    assert tempos[0] == tempos[1] == pytest.approx(90)


@pytest.mark.parametrize("name", ["midi.cc16", "key.space", "audio.low", "learned.pose.x", "hand.right.x"])
def test_events_of_other_inputs_keep_their_names_in_formulas(show: Show, name: str) -> None:
    show.send((name, 0.5))
    assert show.performance.signals.number(name) == 0.5
    assert show.value("/now/held") == (0.0,)


@pytest.mark.parametrize("name", ["/", "//", "/nothing", "/generator/ink.9", "/generator/ink.", '/a"].1'])
def test_an_unknown_address_changes_nothing(show: Show, name: str) -> None:
    show.send((name, 0.5))
    assert show.value("/now/held") == (0.0,)


def test_a_release_comes_before_values_of_the_same_time(show: Show) -> None:
    show.step(("/generator/disorder", 0.8), ("/filter/feedback/amount", 0.3))
    show.step(("/generator/disorder", 0.6), ("/release", 1.0))
    assert show.value("/generator/disorder") == (0.6,)
    assert show.value("/now/held") == (1.0,)


def test_a_new_scene_has_no_held_parameters(show: Show) -> None:
    show.step(("/generator/disorder", 0.8))
    show.step(("/scene/2", 1.0))
    assert "/generator/disorder" not in show.nodes
    show.step(("/scene/1", 1.0))
    show.step()
    assert show.value("/generator/disorder") == (0.25,)


def test_the_addresses_of_the_show_control_it(show: Show) -> None:
    show.step(("/tempo/bpm", 97.0))
    show.step()
    assert show.value("/tempo/bpm") == (97.0,)
    show.step(("/master", 0.25))
    assert show.step().master == 0.25
    show.step(("/scene", 2.0))
    show.step()
    assert show.value("/now/cue") == show.value("/scene") == (2.0,)
    show.step(("/scene", 1.0))
    show.step()
    assert show.value("/now/cue") == (1.0,)
    before = show.performance.tempo.bpm
    show.step(("/tempo/halve", 1.0))  # bound to a note in this setlist, and its address still works
    assert show.performance.tempo.bpm == before / 2


def test_the_last_blackout_message_counts_from_any_sender(show: Show) -> None:
    def key(value: float) -> bool:
        seconds = show.clock.advance()
        events = [Event(seconds, "key.b", value)]
        return show.performance.step(show.clock.moment(show.performance.tempo), events).blackout

    show.step()
    assert show.step(("/blackout", 1.0)).blackout
    assert show.step(("/blackout", 1.0)).blackout
    assert not key(1.0)
    assert not key(0.0)
    assert key(1.0)
    key(0.0)
    assert show.step(("/blackout", 1.0)).blackout
    assert not show.step(("/blackout", 0.0)).blackout
    assert not show.step().blackout


def test_panic_restores_the_picture(show: Show) -> None:
    """The master goes back to where its fader stands, here nowhere: to full brightness."""
    show.step(("/blackout", 1.0), ("/freeze", 1.0), ("/master", 0.0), ("/generator/disorder", 0.9))
    show.step()
    picture = show.step(("/panic", 1.0))
    assert (picture.blackout, picture.freeze) == (False, False)
    picture = show.step(("/panic", 0.0))
    assert (picture.master, picture.blackout, picture.freeze) == (1.0, False, False)
    assert show.value("/generator/disorder") == (0.25,)


def test_panic_leaves_the_master_where_the_fader_stands(show: Show) -> None:
    for place in (1.0, 0.3):
        show.send(("midi.cc62", place))
    assert show.step(("/blackout", 1.0)).master == pytest.approx(0.3)
    for _ in range(2):
        picture = show.step(("/panic", 1.0))
        assert (picture.master, picture.blackout) == (pytest.approx(0.3), False)


def test_a_crossfader_goes_to_the_next_scene_and_panic_keeps_it(show: Show) -> None:
    show.step()
    show.step(("/generator/disorder", 0.8))
    picture = show.step(("/crossfader", 0.25))
    assert picture.image[:2] == ("dissolve", 0.25)
    assert show.value("/now/title") == ("Flora",)
    assert show.step(("/crossfader", 0.5)).image[:2] == ("dissolve", 0.5)
    show.step(("/crossfader", 0.0))
    show.step()
    assert show.value("/now/title") == ("Grid",)
    assert show.value("/generator/disorder") == (0.8,)  # it had not been left
    show.step(("/crossfader", 1.0))
    show.step(("/panic", 1.0))
    for _ in range(3):
        show.step()
    assert show.value("/now/title") == ("Flora",)
    assert show.value("/crossfader") == (1.0,)


def test_the_nodes_are_the_same_object_until_they_change(show: Show) -> None:
    show.step()
    first = show.performance.snapshot().nodes
    show.step(("/generator/disorder", 0.3))
    assert show.performance.snapshot().nodes is first
    show.step(("/scene/2", 1.0))
    assert show.performance.snapshot().nodes is not first


@pytest.mark.parametrize("preset", sorted((shipped() / "presets").glob("*.toml")), ids=lambda file: file.stem)
def test_any_value_at_any_address_of_any_preset_gives_a_frame(preset: Path) -> None:
    setlist = load(preset, Library(shipped()))
    show, random = Show(setlist), np.random.default_rng(7)
    for _ in range(4):
        said: list[tuple[str, Any]] = []
        for address, node in show.nodes.items():
            choices = node.parameter.choices
            value = random.choice(choices) if choices else float(random.choice([-1e9, 0, 0.5, 1, 3, 1e9]))
            if not address.startswith(("/scene", "/go", "/back", "/panic", "/release")):
                said += [(address, str(value) if choices else (value,) * 4)]
        show.step(*said)
        show.step()
    assert show.value("/now/held") > (0.0,)
