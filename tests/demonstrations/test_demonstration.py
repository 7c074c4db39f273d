"""Mappings by demonstration: the file, how a mapping plays, and how each method is fitted."""

from __future__ import annotations

import io
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perform import show
from perform.clock import Moment, stopwatch
from perform.commands.check import check_all
from perform.demonstrations import fit as fitting
from perform.demonstrations.fit import fit
from perform.documents import SceneError
from perform.library import Library
from perform.library.vocabulary import VOCABULARY
from perform.scenes.mapping import (
    NEIGHBOURS,
    Example,
    MappingPlayer,
    MappingPlayers,
    MappingText,
    SignalMapping,
    mapping_text,
    nearest,
    read_mapping,
)
from perform.signals import Signals
from tests.doubles.library import save, write_library
from tests.doubles.waiting import eventually

MOMENT = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)
HAND = ["hand.right.x", 'osc["/pinch"]']
CORNERS = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5)]
METHODS = ["ridge", "nearest", "mlp"]


def plane(x: float, y: float) -> tuple[float, float]:
    return 2 * x - y + 0.5, 3 * y


def saddle(x: float, y: float) -> tuple[float, float]:
    return (2 * x - 1) * (2 * y - 1), x


def shown(f: object = plane, places: object = CORNERS) -> list[Example]:
    return [Example(signals=list(place), values=list(f(*place))) for place in places]  # type: ignore[attr-defined, operator]


def learned(method: str, examples: list[Example], values: list[str] | None = None) -> SignalMapping:
    return SignalMapping("pose", fit(method, HAND, values or ["zoom", "hue"], examples))


def said(player: MappingPlayer, x: float, y: float) -> tuple[float, ...]:
    return tuple(player.step(Signals(dict(zip(HAND, (x, y), strict=True)))).values())


@cache
def fitted(method: str) -> SignalMapping:
    return learned(method, shown(saddle))


@pytest.mark.parametrize("method", METHODS)
def test_a_demonstrated_mapping_is_played(method: str) -> None:
    player = MappingPlayer(learned(method, shown(plane)))
    for x, y in CORNERS:
        assert said(player, x, y) == pytest.approx(plane(x, y), abs=0.03)


def test_ridge_extrapolates_beyond_the_examples() -> None:
    player = MappingPlayer(learned("ridge", shown(plane)))
    assert said(player, 0.25, 0.75) == pytest.approx(plane(0.25, 0.75), abs=0.03)
    assert said(player, 2.0, -1.0) == pytest.approx(plane(2.0, -1.0), abs=0.1)


def test_the_mlp_bends_where_ridge_cannot() -> None:
    player = MappingPlayer(learned("mlp", shown(saddle)))
    assert all(said(player, x, y) == pytest.approx(saddle(x, y), abs=0.05) for x, y in CORNERS)
    straight = MappingPlayer(learned("ridge", shown(saddle)))
    assert abs(said(straight, 0.0, 0.0)[0]) < 0.1


def test_nearest_stays_within_the_examples_and_does_not_jump() -> None:
    draw = np.random.default_rng(3)
    posture, wanted = draw.random((20, 2)), draw.random((20, 1))
    way = np.linspace([0.0, 0.2], [1.0, 0.9], 4001)
    values = np.array([nearest(x, posture, wanted)[0] for x in way])
    assert wanted.min() <= values.min() and values.max() <= wanted.max()
    assert np.abs(np.diff(values)).max() < 0.02
    assert len({tuple(np.argsort(((posture - x) ** 2).sum(1))[:NEIGHBOURS]) for x in way}) > 10


def test_two_targets_of_one_posture_are_averaged() -> None:
    twice = [Example(signals=[0.5, 0.5], values=[v, 1.0]) for v in (0.0, 1.0)]
    for method in METHODS:
        assert said(MappingPlayer(learned(method, twice)), 0.5, 0.5) == pytest.approx((0.5, 1.0), abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_one_example_is_enough_to_begin(method: str) -> None:
    player = MappingPlayer(learned(method, shown(plane, [(0.3, 0.4)])))
    assert said(player, 0.3, 0.4) == pytest.approx(plane(0.3, 0.4), abs=1e-4)
    assert all(map(math.isfinite, said(player, 0.9, 0.1)))


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_signal_holds_its_value(method: str) -> None:
    player = MappingPlayer(learned(method, shown(plane)))
    fresh = MappingPlayer(learned(method, shown(plane)))
    assert tuple(player.step(Signals()).values()) == said(fresh, 0.5, 0.5)
    here = said(player, 1.0, 0.25)
    for gone in (math.nan, math.inf, 1e31, "text", np.zeros(3, np.float32)):
        held = player.step(Signals({HAND[0]: gone}))
        assert tuple(held.values()) == here


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=50, deadline=None)
@given(st.floats(), st.floats())
def test_any_input_gives_finite_values(method: str, x: float, y: float) -> None:
    player = MappingPlayer(fitted(method))
    assert all(map(math.isfinite, said(player, x, y)))


@pytest.mark.parametrize("method", METHODS)
def test_a_mapping_file_survives_a_round_trip(method: str, tmp_path: Path) -> None:
    file = tmp_path / "pose.toml"
    file.write_text(mapping_text(fitted(method).text, "Shown\n\nby hand."))
    assert read_mapping(file, VOCABULARY) == fitted(method)
    assert mapping_text(read_mapping(file, VOCABULARY).text, "Shown\n\nby hand.") == file.read_text()
    assert check_all([file]) == (1, [])


def test_a_fit_takes_less_than_a_second() -> None:
    places = np.random.default_rng(5).random((60, 2))
    for method in METHODS:
        fit(method, HAND, ["zoom", "hue"], shown(saddle, places.tolist()))  # imports
        began = stopwatch()
        fit(method, HAND, ["zoom", "hue"], shown(saddle, places.tolist()))
        assert stopwatch() - began < 10  # a second on an idle machine; here only a runaway is found


def test_a_fit_is_the_same_every_time() -> None:
    assert fit("mlp", HAND, ["zoom", "hue"], shown(saddle)) == fitted("mlp").text


@pytest.mark.parametrize(
    ("key", "change", "fault"),
    [
        ("version", 2, "version = 2"),
        ("method", "forest", "method = 'forest'"),
        ("signals", ["hand.right.x", "hand.right.x"], "signals: one is named twice"),
        ("signals", ["hand.right.x", "hnad.y"], "unknown signal hnad.y"),
        ("signals", ["hand.right.x", "1 + audio.low"], "must be a signal of an input"),
        ("signals", ["hand.right.x", "learned.other.a"], "must be a signal of an input"),
        ("values", ["zoom", "Hue!"], "values: 'Hue!', must be a word"),
        ("values", ["zoom"], "example[0] must have 2 signals and 1 values"),
        ("example", [], "example"),
        ("pickle", "x", "pickle is unknown"),
    ],
)
def test_a_wrong_file_is_rejected(key: str, change: object, fault: str, tmp_path: Path) -> None:
    import tomlkit

    file = tmp_path / "pose.toml"
    file.write_text(tomlkit.dumps({**fitted("ridge").text.model_dump(), key: change}))
    with pytest.raises(SceneError) as error:
        read_mapping(file, VOCABULARY)
    assert fault in str(error.value)
    assert all(line.startswith(f"{file}: ") for line in error.value.faults)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("weights = [\n", "weights = [\n    [nan, 1.0],\n", "model.layer[0].weights[0][0]"),
        ("weights = [\n", "weights = [\n    [1.0, 1.0],\n", "model.layer[0] must have weights 2 by 2"),
        ("bias = [", "bias = [0.0, ", "model.layer[0] must have weights 2 by 3"),
        ("spread = [", "spread = [0.0, ", "model.spread[0]"),
        ("spread = [", "spread = [1.0, ", "must have 2 numbers each"),
        ('method = "ridge"', 'method = "nearest"', "nearest has none"),
    ],
)
def test_wrong_shapes_are_rejected(old: str, new: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "pose.toml"
    file.write_text(mapping_text(fitted("ridge").text).replace(old, new, 1))
    with pytest.raises(SceneError) as error:
        read_mapping(file, VOCABULARY)
    assert fault in str(error.value)


def test_an_impossible_fit_gives_a_clear_error() -> None:
    with pytest.raises(ValueError, match="method 'forest', must be one of ridge, nearest, mlp"):
        fit("forest", HAND, ["zoom"], shown())
    with pytest.raises(ValueError, match="no examples"):
        fit("ridge", HAND, ["zoom"], [])
    with pytest.raises(ValueError, match="must be a signal"):
        fit("ridge", ["3"], ["zoom"], shown())


def test_the_process_answers_every_line() -> None:
    question = {"method": "ridge", "signals": HAND, "values": ["zoom", "hue"], "examples": [
        example.model_dump() for example in shown()
    ]}  # fmt: skip
    lines = [json.dumps(question), "garbage", "{}", "[]", json.dumps({**question, "examples": [{"a": 1}]})]
    told = io.StringIO()
    fitting.serve(io.StringIO("\n".join(lines) + "\n"), told)
    answers = [json.loads(line) for line in told.getvalue().splitlines()]
    assert MappingText.model_validate(answers[0]) == fit("ridge", HAND, ["zoom", "hue"], shown())
    assert [set(answer) for answer in answers[1:]] == [{"fault"}] * 4


def test_unchanged_mappings_continue() -> None:
    one = fitted("ridge")
    mappings = MappingPlayers([one])
    now = mappings.step(MOMENT, Signals({HAND[0]: 1.0}))
    mappings.use([SignalMapping("other", one.text), one])
    later = mappings.step(MOMENT, Signals())
    assert {name: later[name] for name in now} == now
    mappings.use([])
    assert mappings.step(MOMENT, Signals()) == {}


def mapped(folder: Path, formula: str) -> Library:
    write_library(folder)
    one = fit("ridge", ["midi.cc16"], ["light"], [Example(signals=[v], values=[v / 2]) for v in (0.0, 1.0)])
    save(folder / "learned/pose.toml", mapping_text(one))
    save(
        folder / "presets/posed.toml",
        'title = "Posed"\n[generator]\nshader = "colour"\n'
        f'tint = ["{formula}", 0, 0, 1]\n[transition]\nbeats = 0\n',
    )
    return Library(folder)


def test_a_preset_plays_a_mapping(tmp_path: Path) -> None:
    library = mapped(tmp_path, "learned.pose + learned.pose.light")
    setlist = show.load(library.preset_file("posed"), library)
    assert "midi.cc16" in setlist.signal_names  # so that the message of opening is seen
    signals = Signals({"midi.cc16": 0.5})
    controls = setlist.cues[0].scene.layers[0].source.start()
    found = controls.step(MOMENT, signals.joined(MappingPlayers(setlist.mappings).step(MOMENT, signals)))
    assert found["tint"] == pytest.approx((0.5, 0, 0, 1), abs=0.01)


@pytest.mark.parametrize(
    ("formula", "fault"),
    [
        ("learned.pise.light", "there is no such mapping pise; did you mean pose?"),
        ("learned.pose.lihgt", "learned.pose.lihgt: pose has learned.pose.light"),
        ("learned", "learned needs a path"),
    ],
)
def test_a_missing_mapping_is_rejected_at_load(formula: str, fault: str, tmp_path: Path) -> None:
    library = mapped(tmp_path, formula)
    with pytest.raises(SceneError) as error:
        show.load(library.preset_file("posed"), library)
    assert fault in str(error.value)


def test_a_mapping_demonstrated_again_takes_effect(tmp_path: Path) -> None:
    library = mapped(tmp_path, "learned.pose")
    options = show.Options(str(library.preset_file("posed")), size=(64, 36), headless=True, osc_port=0)
    rig = show.play(options, library)

    def said() -> float:
        return rig.performance.signals.number("learned.pose")

    try:
        eventually(lambda: said() == pytest.approx(0.25, abs=0.01), step=rig.frame)  # nobody moved the knob
        again = [Example(signals=[v], values=[0.875]) for v in (0.0, 1.0)]
        save(tmp_path / "learned/pose.toml", mapping_text(fit("nearest", ["midi.cc16"], ["light"], again)))
        eventually(lambda: said() == 0.875, step=rig.frame)
        assert not rig.stage.faults.counts
    finally:
        rig.close()
