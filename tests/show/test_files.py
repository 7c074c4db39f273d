"""Files at the door of a show: what plays by itself, and what any other file is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform.commands.check import check_all, check_file
from perform.documents import SceneError
from perform.library import Library
from perform.networks.modelfiles import write_weights
from perform.show import Options, find, load, open_library, render
from perform.show.files import document_kind
from tests.doubles.library import BLUE, DEMO, INVERT, RED, save, write_library
from tests.doubles.networks import FAMILIES
from tests.doubles.reels import barred, write_film
from tests.doubles.shows import watched

SHADER = '/*{"ISFVSN": "2"}*/\nvoid main() { gl_FragColor = vec4(1.0, 0.5, 0.0, 1.0); }\n'
VEIL = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "skin", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1}]}*/
void main() { gl_FragColor = amount * IMG_THIS_PIXEL(skin); }
"""
SIZE = (64, 36)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.chdir(write_library(tmp_path))
    return Library(tmp_path)


def picture(file: Path) -> None:
    Image.fromarray(np.full((36, 64, 3), (0, 255, 0), np.uint8)).save(file)


def film(file: Path) -> None:
    write_film(file, 2, pictures=[barred(255)] * 2)


def shader(file: Path) -> None:
    file.write_text(SHADER)


def model(file: Path) -> None:
    write_weights(file, FAMILIES["dcgan"]())


def run(folder: Path) -> None:
    folder.mkdir()
    model(folder / "latest.safetensors")


PLAYED = [
    ("pic.png", picture, "still", (0, 255, 0)),
    ("PIC.JPG", picture, "still", None),
    ("clip.mp4", film, "film", None),
    ("own.fs", shader, "shader", (255, 128, 0)),
    ("own.isf", shader, "shader", (255, 128, 0)),
    ("net.safetensors", model, "model", None),
    ("my run", run, "model", None),
]


@pytest.mark.parametrize(("name", "write", "kind", "colour"), PLAYED)
def test_a_file_plays_as_a_scene_of_its_own(
    library: Library,
    tmp_path: Path,
    name: str,
    write: Callable[[Path], None],
    kind: str,
    colour: tuple[int, int, int] | None,
) -> None:
    write(tmp_path / name)
    scene = load(find(name, library), library).cues[0].scene
    assert (scene.layers[0].source.kind, scene.title) == (kind, Path(name).stem)
    rig = render(Options(str(tmp_path / name), size=SIZE, headless=True))
    memory = watched(rig)
    try:
        for _ in range(3):
            rig.frame()
        assert memory.last is not None
        pixels = memory.last.pixels
        assert pixels.max() > 0
        assert colour is None or np.abs(pixels[18, 32].astype(int) - colour).max() <= 1
    finally:
        rig.close()


def test_a_picture_without_a_suffix_is_known_by_its_content(library: Library, tmp_path: Path) -> None:
    picture(tmp_path / "pic.png")
    (tmp_path / "pic.png").rename(tmp_path / "unnamed")
    assert load(Path("unnamed"), library).cues[0].scene.layers[0].source.kind == "still"


def test_a_runs_folder_is_taken_where_a_model_is(library: Library, tmp_path: Path) -> None:
    run(tmp_path / "run")
    latest, best = tmp_path / "run/latest.safetensors", tmp_path / "run/best.safetensors"
    assert library.model_place("run") == "run/latest.safetensors"
    model(best)
    assert Path(library.model_place(str(tmp_path / "run"))) == best
    assert Library(tmp_path, model="run").model("anything").place == "run/best.safetensors"
    (tmp_path / "presets/of-a-run.toml").write_text('title = "R"\n[generator]\nmodel = "../run"\n')
    scene = load(find("of-a-run", library), library).cues[0].scene
    assert Path(library.model_place(scene.layers[0].source.name)).resolve() == best
    best.unlink()
    latest.unlink()
    with pytest.raises(LookupError, match=r"run is a folder without setlist\.toml and without a model"):
        find("run", library)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("song.wav", b"RIFF", "song.wav is a sound: perform play SHOW --audio song.wav plays it"),
        ("net.onnx", b"\x08\x07", "net.onnx is a network of a kind that is not played"),
        ("rows.csv", b"a,b\n", "rows.csv is a table: a feed replays it"),
        ("noise.xyz", bytes(range(256)), "noise.xyz is nothing that plays; presets and setlists (.toml)"),
        ("pic.toml", b"\xff\xd8\xff\xe0\0\x10JFIF", "pic.toml is UTF-16 or no text: save it as UTF-8"),
        ("invert.fs", INVERT.encode(), "invert.fs is a filter: a preset plays it, [[filter]] with shader"),
        ("a.directions.safetensors", b"x", "a.directions.safetensors belongs to a model"),
        ("room.toml", b'kind = "artnet"\n', "room.toml is a feed: formulas of presets play it as feed.room"),
        ("box.toml", b'title = "B"\n[controls]\n', "box.toml is a profile of a MIDI controller"),
        (
            "pose.toml",
            b"[[example]]\n",
            "pose.toml is a mapping: formulas of presets play it as learned.pose",
        ),
        ("broken.png", b"\x89PNG\r\n", "source.still = "),
        ("broken.pt", b"PK\x03\x04", "generator.model = "),
    ],
)
def test_any_other_file_is_named_for_what_it_is(
    library: Library, tmp_path: Path, name: str, content: bytes, fault: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SceneError) as told:
        load(find(name, library), library)
    assert fault in told.value.faults[0]


@pytest.mark.parametrize(
    ("text", "folder", "kind"),
    [
        ('[generator]\nshader = "a"', "", "preset"),
        ('[[cue]]\nscene = "a"', "", "setlist"),
        ('title = "A"\n[[filter]]\nshader = "a"', "", "preset"),
        ('title = "A"\n[generater]\nshader = "a"', "", "preset"),
        ('title = "A"\nquantise = "bar"', "", "setlist"),
        ('title = "A"\n[[cues]]\nscene = "a"', "", "setlist"),
        ('title = "A"', "", "preset"),
        ('title = "A"', "setlists", "setlist"),
        ('title = "A"', "setlist.toml", "setlist"),
        ('url = "http://a"', "feeds", "feed"),
        ('title = "A"', "profiles", "profile"),
    ],
)
def test_what_a_file_is_meant_to_be(text: str, folder: str, kind: str) -> None:
    import tomllib

    file = Path(folder) if folder.endswith(".toml") else Path(folder) / "a.toml"
    assert document_kind(file, tomllib.loads(text)) == kind


def test_every_fault_of_a_file_in_one_run(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "presets/wrong.toml"
    file.write_text(
        'titel = "A"\ntransition = "dissolve"\nlatnet = 3\n[[filter]]\nshader = "inwert"\n'
        '[source]\nshader = "re"\n'
    )
    faults = [fault.removeprefix(f"{file}: ") for fault in check_file(file, library)]
    assert [fault.partition("; looked for")[0] for fault in faults] == [
        "title is missing",
        "transition = 'dissolve', must be a table headed [transition], with shader = \"dissolve\"",
        "titel is unknown; did you mean title?",
        "latnet is unknown; did you mean latent?",
        "source.shader = 're': there is no such generator shader; there are: colour",
        "filter[0].shader = 'inwert': there is no such filter shader; did you mean invert?",
    ]


def test_a_preset_without_a_source_says_so(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "presets/empty.toml"
    file.write_text('title = "A"\n[[filter]]\nshader = "invert"\n')
    assert check_file(file, library) == [
        f"{file}: source is missing: a scene has a [generator] or a [source]"
    ]


def test_every_fault_of_a_setlist_in_one_run(library: Library, tmp_path: Path) -> None:
    (tmp_path / "presets/blue.toml").write_text(BLUE.replace("title", "titel"))
    file = tmp_path / "setlists/wrong.toml"
    file.write_text(
        'title = "A"\nquantize = "bar"\n[[cue]]\nnme = "one"\npreset = "red"\n[[cue]]\nscene = "blue"\n'
        'transition = "dissolve"\n[[cue]]\nscene = "bleu"\nbars = -1.0\n'
    )
    faults = [fault.removeprefix(f"{tmp_path}/") for fault in check_file(file, library)]
    assert faults[:4] == [
        "setlists/wrong.toml: quantize is unknown; did you mean quantise?",
        "setlists/wrong.toml: cue[0].scene is missing",
        "setlists/wrong.toml: cue[0].nme is unknown; did you mean name or number?",
        "setlists/wrong.toml: cue[0].preset is unknown; there are: scene, number, name, notes, bars, beats,"
        " seconds, until, follow, pre_wait, post_wait, quantise, armed, transition",
    ]
    assert any("presets/blue.toml: title is missing" in fault for fault in faults)
    assert (
        "setlists/wrong.toml: cue[1].transition = 'dissolve', must be a table headed [cue.transition], "
        'with shader = "dissolve"' in faults
    )
    assert "setlists/wrong.toml: cue[2].bars = -1.0, must be greater than 0" in faults
    assert any("cue[2].scene = 'bleu': there is no such preset; did you mean blue" in one for one in faults)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that fails to be read is of Linux")
def test_a_file_that_cannot_be_read_says_why(library: Library, tmp_path: Path) -> None:
    """The first byte of the memory of this process is nobody's to read."""
    (tmp_path / "presets/lost.toml").symlink_to("/proc/self/mem")
    file = tmp_path / "setlists/wrong.toml"
    save(file, 'title = "A"\n[[cue]]\nscene = "lost"\n')
    assert check_file(file, library) == [f"{file}: cue[0].scene = 'lost': Input/output error"]


def test_a_cue_names_its_preset_by_path_or_with_its_suffix(library: Library, tmp_path: Path) -> None:
    """A path is of the setlist's folder, of its project, or of the current folder."""
    save(tmp_path / "setlists/green.toml", RED)
    named = ("red", "red.toml", "presets/red.toml", f"{tmp_path}/presets/red.toml", "green.toml")
    cues = "".join(f'[[cue]]\nscene = "{name}"\n' for name in named)
    save(tmp_path / "setlists/friday.toml", f'title = "Friday"\n{cues}')
    setlist = load(tmp_path / "setlists/friday.toml", open_library(str(tmp_path / "setlists/friday.toml")))
    red = tmp_path / "presets/red.toml"
    assert [cue.scene.file for cue in setlist.cues] == [red, red, red, red, tmp_path / "setlists/green.toml"]


@pytest.mark.parametrize(
    ("scene", "hint"),
    [("Red", "did you mean red?"), ("preset/red", "did you mean red?"), ("redd.toml", "did you mean red?")],
)
def test_a_preset_that_is_not_there_is_looked_for_by_its_name(
    library: Library, tmp_path: Path, scene: str, hint: str
) -> None:
    save(tmp_path / "setlists/friday.toml", f'title = "Friday"\n[[cue]]\nscene = "{scene}"\n')
    (fault,) = check_file(tmp_path / "setlists/friday.toml", library)
    assert f"cue[0].scene = {scene!r}: there is no such preset; {hint}; looked for presets/" in fault
    assert ".toml.toml" not in fault


def test_near_names_of_a_show_are_setlists_presets_and_projects(library: Library, tmp_path: Path) -> None:
    save(tmp_path / "tulips/setlist.toml", DEMO)
    for name, near in (("tulip", "tulips"), ("Demo", "demo"), ("blu", "blue")):
        with pytest.raises(
            LookupError, match=f"{name}: there is no such setlist or preset; did you mean {near}"
        ):
            find(name, library)
    with pytest.raises(LookupError, match=rf"^{tmp_path}/gone: there is no such file$"):
        find(f"{tmp_path}/gone", library)


def test_a_model_plays_by_its_name(library: Library, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir(exist_ok=True)
    model(tmp_path / "models/leaves.safetensors")
    assert find("leaves", library) == tmp_path / "models/leaves.safetensors"
    scene = load(find("leaves", library), library).cues[0].scene
    assert (scene.title, scene.layers[0].source.kind) == ("leaves", "model")
    save(tmp_path / "presets/leaves.toml", 'title = "Preset"\n[generator]\nshader = "colour"\n')
    assert find("leaves", library) == tmp_path / "presets/leaves.toml"
    with pytest.raises(
        LookupError, match=r"^untrained is a model without a file: --model untrained plays it"
    ):
        find("untrained", library)


def test_a_generator_is_a_model_or_a_shader(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "presets/both.toml"
    save(file, 'title = "Both"\n[generator]\nshader = "colour"\nmodel = "untrained-small"\n')
    (fault,) = check_file(file, library)
    assert fault == f"{file}: generator has model and shader: a generator has one of these"


def test_an_image_of_a_shader_is_among_the_names_that_are_proposed(library: Library, tmp_path: Path) -> None:
    save(tmp_path / "shaders/generators/veil.fs", VEIL)
    file = tmp_path / "presets/veil.toml"
    save(file, 'title = "Veil"\n[generator]\nshader = "veil"\n[generator.skn]\nstill = "a.png"\n')
    assert check_file(file, library) == [f"{file}: generator.skn is unknown; did you mean skin?"]


def test_a_file_is_checked_by_its_name(library: Library, tmp_path: Path) -> None:
    assert check_all([Path("demo"), Path("red")]) == (2, [])
    checked, (fault,) = check_all([Path("bleu")])
    assert checked == 1
    assert fault.startswith("bleu: there is no such setlist or preset; did you mean blue?")


def test_a_fault_of_a_preset_and_of_its_setlist_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "friday/setlist.toml", 'title = "Friday"\n[[cue]]\nscene = "a"\n')
    save(tmp_path / "friday/presets/a.toml", 'titel = "A"\n[source]\ntext = "a"\n')
    monkeypatch.chdir(tmp_path)
    wanted = ["title is missing", "titel is unknown; did you mean title?"]
    file = Path("friday/presets/a.toml")
    assert check_all([Path("friday")]) == (2, [f"{file}: {fault}" for fault in wanted])
    absolute = tmp_path / file
    assert check_all([tmp_path / "friday"]) == (2, [f"{absolute}: {fault}" for fault in wanted])
