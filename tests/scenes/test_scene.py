"""Presets: strict at load, every fault in one run, and formulas that play their parameters."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import Moment
from perform.documents import SceneError
from perform.scenes.reader import read_scene
from perform.signals import Signals
from tests.doubles.catalogue import FakeCatalogue

MOMENT = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)
TULIP = """
title = "Tulip fever"
[generator]
model = "flora"
truncation = "0.5 + 0.4 * audio.level"
[latent]
path = "loop"
seeds = [3, 14, 15, 92]
[[filter]]
shader = "feedback"
amount = "pickup(midi.knob1, 0.4)"
mode = "turn"
[transition]
path = "morph"
beats = 8
softness = 0.25
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "moth.toml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(SceneError) as caught:
        read_scene(write(folder, text), FakeCatalogue())
    return [fault.replace(f"{folder}/", "") for fault in caught.value.faults]


def test_a_scene_is_read(tmp_path: Path) -> None:
    scene = read_scene(write(tmp_path, TULIP), FakeCatalogue())
    assert (scene.title, scene.models) == ("Tulip fever", ("flora",))
    assert scene.layers[0].latent is not None
    assert scene.layers[0].latent.name == "loop"
    assert scene.layers[0].latent.values["seeds"] == (3, 14, 15, 92)
    assert [f.name for f in scene.filters] == ["feedback"]
    assert (scene.transition.beats, scene.transition.morph) == (8.0, True)


def test_a_shader_can_be_the_source(tmp_path: Path) -> None:
    text = 'title = "Grid"\n[generator]\nshader = "grid"\nink = [0.1, "audio.low", 0, 1]\n'
    scene = read_scene(write(tmp_path, text), FakeCatalogue())
    assert scene.models == ()
    assert scene.layers[0].latent is None
    values = scene.layers[0].source.start().step(MOMENT, Signals({"audio.low": 0.75}))
    assert values == {"disorder": 0.5, "ink": (0.1, 0.75, 0.0, 1.0)}


def test_formulas_set_parameters_within_their_range(tmp_path: Path) -> None:
    scene = read_scene(write(tmp_path, TULIP), FakeCatalogue())
    controls = scene.layers[0].source.start()
    assert controls.step(MOMENT, Signals({"audio.level": 0.5}))["truncation"] == pytest.approx(0.7)
    assert controls.step(MOMENT, Signals({"audio.level": 100.0}))["truncation"] == 2.0


def test_a_held_key_is_one_event_and_sound_signals_pass(tmp_path: Path) -> None:
    text = TULIP.replace('mode = "turn"', 'push = "key.space"')
    controls = read_scene(write(tmp_path, text), FakeCatalogue()).filters[0].start()
    keys = [0.0, 1.0, 1.0, 0.0, 1.0]
    spectrum = object()
    values = [controls.step(MOMENT, Signals({"key.space": k, "audio.spectrum": spectrum})) for k in keys]  # type: ignore[dict-item]
    assert [v["push"] for v in values] == [False, True, False, False, True]
    assert values[0]["sound"] is spectrum


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("amount = ", "amount = 1.7 #"), "moth.toml: filter[0].amount = 1.7, must be 0..1"),
        (("mode = ", 'mode = "turm" #'), "mode = 'turm', must be one of zoom, turn; did you mean 'turn'?"),
        (("amount = ", "amont = 1 #"), "moth.toml: filter[0].amont is unknown; did you mean amount?"),
        (("model = ", 'model = "flra" #'), "model = 'flra': there is no such model; did you mean flora?"),
        (("[latent]", "[latnt]"), "moth.toml: latnt is unknown; did you mean latent?"),
        (("beats = 8", "beats = 999"), "moth.toml: transition.beats = 999, must be a number 0..256"),
        (('title = "Tulip fever"', ""), "moth.toml: title is missing"),
        (("seeds = [3,", "seeds = ["), None),
        (("seeds = [3, 14", "seeds = [3.5, 14"), "seeds = [3.5, 14, 15, 92], must hold whole numbers only"),
    ],
)  # fmt: skip
def test_a_wrong_preset_is_rejected_with_file_key_value_and_what_is_allowed(
    tmp_path: Path, change: tuple[str, str], fault: str | None
) -> None:
    text = TULIP.replace(*change)
    if fault is None:
        read_scene(write(tmp_path, text), FakeCatalogue())
    else:
        assert any(fault in one for one in faults(tmp_path, text))


def test_a_wrong_formula_suggests_similar_names(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, TULIP.replace("audio.level", "audio.levl"))
    assert fault.startswith("moth.toml: generator.truncation = '0.5 + 0.4 * audio.levl':")
    assert "audio.level" in fault


def test_one_check_finds_every_fault(tmp_path: Path) -> None:
    text = (
        TULIP.replace("0.5 + 0.4 * audio.level", "nonsense(")
        .replace('"turn"', "3")
        .replace("beats = 8", "beats = -1")
    )
    assert len(faults(tmp_path, text)) == 3


def test_wrong_tables_do_not_hide_the_faults_inside_others(tmp_path: Path) -> None:
    text = TULIP.replace('title = "Tulip fever"', "description = 3").replace("[latent]", "[latnt]")
    text = text.replace('"turn"', '"turm"').replace("beats = 8", "beats = 999")
    found = [fault.removeprefix("moth.toml: ").split(" ")[0] for fault in faults(tmp_path, text)]
    assert sorted(found) == ["description", "filter[0].mode", "latnt", "title", "transition.beats"]


def test_a_wrong_table_has_one_fault(tmp_path: Path) -> None:
    text = 'title = "A"\ngenerator = "grid"\nfilter = [1, 2]\n'
    assert [fault.split(" ")[1] for fault in faults(tmp_path, text)] == [
        "generator",
        "filter[0]",
        "filter[1]",
    ]


INSIDE = """
title = "Inside"
[generator]
model = "flora"
[generator.blend]
model = "flora"
from = "b8.conv1"
amount = "lfo(8)"
[[generator.bend]]
operation = "rotate"
layer = "b8.conv1"
turns = "audio.low"
channels = [0, "audio.high"]
[[generator.bend]]
operation = "dilate"
radius = "4"
"""


def test_bends_blends_and_directions_are_read(tmp_path: Path) -> None:
    scene = read_scene(write(tmp_path, INSIDE), FakeCatalogue())
    [layer] = scene.layers
    assert [one.name for one in layer.bends] == ["rotate", "dilate"]
    assert layer.bends[1].with_defaults["layer"] == "b4.conv1"
    assert layer.blend is not None
    assert (
        layer.blend.name,
        layer.blend.with_defaults["from"],
        layer.blend.with_defaults["to"],
    ) == (
        "flora",
        "b8.conv1",
        "b8.conv1",
    )


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ('"rotate"', '"spin"', "generator.bend[0].operation = 'spin': there is no such operation"),
        (
            'layer = "b8.conv1"',
            'layer = "b9.conv1"',
            "bend[0].layer = 'b9.conv1', must be one of b4",
        ),
        ("turns =", "turn =", "generator.bend[0].turn is unknown; did you mean turns"),
        ('radius = "4"', 'radius = "audio.low"', "generator.bend[1].radius = 'audio.low', must be one of 1"),
        ('from = "b8.conv1"', 'from = "b2"', "generator.blend.from = 'b2', must be one of b4.conv1"),
        ('model = "flora"\nfrom', 'model = "fauna"\nfrom', "generator.blend.model = 'fauna': there is no"),
        ('from = "b8.conv1"', 'to = "b4.conv1"\nfrom = "b8.conv1"', "comes after to = 'b4.conv1', must come"),
        ("[generator.blend]", "[[generator.blend]]", "generator.blend must be a table"),
        ("[[generator.bend]]\noperation", "[generator.bend]\noperation", ""),
    ],
)
def test_faults_of_bends_blends_and_directions_are_reported(
    tmp_path: Path, wrong: str, right: str, says: str
) -> None:
    told = faults(tmp_path, INSIDE.replace(wrong, right, 1))
    assert says in " ".join(told)


def test_invalid_toml_is_rejected(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "title = ")
    assert fault.startswith("moth.toml: not valid TOML")


@given(st.binary(max_size=200))
def test_garbage_gives_only_scene_errors(garbage: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "moth.toml"
        file.write_bytes(garbage)
        with pytest.raises(SceneError):
            read_scene(file, FakeCatalogue())


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
TABLES = st.dictionaries(
    st.sampled_from(["model", "shader", "path", "amount", "truncation", "beats", "seeds", "x"]),
    SCALARS | st.lists(SCALARS, max_size=3),
    max_size=4,
)


@given(TABLES, TABLES, TABLES, TABLES)
def test_any_table_gives_a_scene_or_a_scene_error(source, latent, one, way) -> None:  # type: ignore[no-untyped-def]
    from perform.scenes.reader import SceneText, check_scene

    text = SceneText.model_construct(
        title="t", description="", generator=source, latent=latent, filter=[one], transition=way
    )
    try:
        check_scene(text, FakeCatalogue(), Path("moth.toml"))
    except SceneError as error:
        assert error.faults
