"""Edits of learning: comments kept, written completely or not at all, undone, shipped presets copied."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pythonosc.osc_message_builder import OscMessageBuilder
from typer.testing import CliRunner

from perform import clock, paths, show
from perform.cli import app
from perform.clock import OfflineClock
from perform.documents import SceneError, document
from perform.learning import edits
from perform.learning.edits import editable_file, undo, with_value
from perform.learning.targets import find_target, scene_targets
from perform.library import Library
from perform.scenes.reader import read_scene
from tests.doubles.tapes import Tape, turned

TEXT = """\
# A field of squares, thrown.
title = "Field" # on the door

[generator]
shader = "molnar"
columns = 5   # how many
ink = [0.9, 0.8, 0.7, 1] # paper
# the end of the generator

# The last touch
[[filter]]
shader = "grade"
gain = 'pickup(osc["/loud"], 1)' # louder

[[filter]]
shader = "grain"
"""


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    file = tmp_path / "field.toml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def learn(
    file: Path, key: str, text: str, part: int | None = None, default: tuple[float, ...] = ()
) -> edits.Edit:
    return edits.edit(file, (key, part, default), text, lambda one: read_scene(one, Library(Path.cwd())))


def changes(after: str) -> list[str]:
    """The lines that are not in the text of before, each with its sign."""
    import difflib

    rows = difflib.unified_diff(TEXT.splitlines(), after.splitlines(), n=0, lineterm="")
    return [row for row in rows if not row.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize(
    ("key", "value", "part", "default", "lines"),
    [
        ("generator.columns", "midi.cc1", None, (), [
            "-columns = 5   # how many", '+columns = "midi.cc1"   # how many'
        ]),
        ("generator.weight", "midi.cc1", None, (), ['+weight = "midi.cc1"']),
        ("filter[0].gain", 'osc["/a"]', None, (), [
            "-gain = 'pickup(osc[\"/loud\"], 1)' # louder", "+gain = 'osc[\"/a\"]' # louder"
        ]),
        ("filter[1].amount", "midi.cc1", None, (), ['+amount = "midi.cc1"']),
        ("generator.ink", "midi.cc1", 2, (), [
            "-ink = [0.9, 0.8, 0.7, 1] # paper", '+ink = [0.9, 0.8, "midi.cc1", 1] # paper'
        ]),
        ("generator.ground", "midi.cc1", 0, (0.5, 0.25, 0, 1), ['+ground = ["midi.cc1", 0.25, 0, 1]']),
        ("transition.softness", "midi.cc1", None, (), ["+", "+[transition]", '+softness = "midi.cc1"']),
    ],
)  # fmt: skip
def test_an_edit_changes_one_value_and_nothing_else(
    key: str, value: str, part: int | None, default: tuple[float, ...], lines: list[str]
) -> None:
    assert changes(with_value(TEXT, key, value, part, default)) == lines


def test_a_new_value_goes_into_its_table_before_the_comment_of_the_next() -> None:
    rows = with_value(TEXT, "generator.weight", "midi.cc1").splitlines()
    assert rows[rows.index('weight = "midi.cc1"') - 1].startswith("ink")


def test_a_generator_parameter_is_written_to_the_source_table() -> None:
    text = '[source]\nfilm = "a.mp4"\n'
    assert with_value(text, "generator.speed", "midi.cc1") == text + 'speed = "midi.cc1"\n'
    text = '[generator]\nshader = "a"\n'
    assert with_value(text, "source.speed", "midi.cc1") == text + 'speed = "midi.cc1"\n'


def test_a_source_has_the_name_that_the_preset_has_for_it(preset: Path) -> None:
    generator = scene_targets(read_scene(preset, Library(Path.cwd())))
    tables = {target.key.partition(".")[0] for target in generator}
    assert tables == {"generator", "filter[0]", "filter[1]", "transition"}
    preset.write_text(TEXT.replace("[generator]", "[source]"), encoding="utf-8")
    targets = scene_targets(read_scene(preset, Library(Path.cwd())))
    assert [target.name for target in targets if target.name.startswith("generator")] == []
    for name in ("source.columns", "generator.columns", "columns", "/generator/columns"):
        assert find_target(targets, name).name == "source.columns"
    assert find_target(generator, "source.columns").name == "generator.columns"
    learn(preset, find_target(targets, "generator.columns").key, "midi.cc1")
    assert document(preset)["source"]["columns"] == "midi.cc1"
    preset.write_text(TEXT.replace("[generator]", "[source]").replace("columns = 5", "columns = 500"))
    with pytest.raises(SceneError, match=r"source\.columns = 500"):
        read_scene(preset, Library(Path.cwd()))


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20))
@example("""osc["/it's"] * '2'""")
def test_any_text_reads_back(text: str) -> None:
    import tomllib

    assert tomllib.loads(with_value(TEXT, "filter[0].gain", text))["filter"][0]["gain"] == text


def test_steps_are_undone_one_by_one_exactly(preset: Path) -> None:
    learn(preset, "generator.columns", "scale(pickup(midi.cc1, 0.3), 1, 24)")
    middle = preset.read_text(encoding="utf-8")
    learn(preset, "generator.weight", "pickup(midi.cc2, 0.3)")
    learn(preset, "generator.ink", "midi.cc3", 1)
    assert read_scene(preset, Library(Path.cwd())).signal_names >= {"midi.cc1", "midi.cc2", "midi.cc3"}
    assert [undo().key, undo(preset).key] == ["generator.ink", "generator.weight"]
    assert preset.read_text(encoding="utf-8") == middle
    assert undo(preset).formula.startswith("scale(pickup(midi.cc1")
    assert preset.read_text(encoding="utf-8") == TEXT
    with pytest.raises(LookupError, match="nothing was learned in"):
        undo(preset)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
def test_bytes_stay_but_for_what_is_learned_and_undo_brings_them_back(
    preset: Path, mark: bytes, ends: bytes
) -> None:
    before = mark + TEXT.encode().replace(b"\n", ends)
    preset.write_bytes(before)
    learn(preset, "generator.columns", "midi.cc1")
    learned = preset.read_bytes()
    assert learned == before.replace(b"columns = 5", b'columns = "midi.cc1"')
    learn(preset, "filter[1].amount", "midi.cc2")
    learn(preset, "transition.softness", "midi.cc3")
    after = preset.read_bytes()
    assert after.startswith(learned[: len(mark) + 20]) and after.count(b"\n") == after.count(ends)
    for _ in range(2):
        undo(preset)
    assert preset.read_bytes() == learned
    undo(preset)
    assert preset.read_bytes() == before


def test_mixed_line_ends_stay_as_they_are(preset: Path) -> None:
    before = TEXT.encode().replace(b"\n", b"\r\n", 3)
    preset.write_bytes(before)
    learn(preset, "generator.columns", "midi.cc1")
    assert preset.read_bytes() == before.replace(b"columns = 5", b'columns = "midi.cc1"')
    undo(preset)
    assert preset.read_bytes() == before


def test_a_preset_that_is_not_utf_8_is_left_alone(preset: Path) -> None:
    before = TEXT.replace("Field", "Br\u00fccke").encode("latin-1", "replace")
    preset.write_bytes(before)
    with pytest.raises(SceneError, match="save it as UTF-8"):
        learn(preset, "generator.columns", "midi.cc1")
    assert preset.read_bytes() == before


def test_undo_keeps_later_edits(preset: Path) -> None:
    learn(preset, "generator.columns", "scale(pickup(midi.cc1, 0.3), 1, 24)")
    learn(preset, "generator.weight", "midi.cc2")
    learn(preset, "generator.ink", "midi.cc3", 1)
    edited = (
        preset.read_text(encoding="utf-8").replace('title = "Field"', 'title = "Meadow"') + "amount = 0.5\n"
    )
    preset.write_text(edited, encoding="utf-8")
    for _ in range(3):
        undo(preset)
    assert changes(preset.read_text(encoding="utf-8")) == [
        '-title = "Field" # on the door', '+title = "Meadow" # on the door', "+amount = 0.5"
    ]  # fmt: skip


def test_a_value_that_cannot_be_played_is_not_written(preset: Path) -> None:
    with pytest.raises(
        SceneError, match=r"field\.toml: generator\.colums is unknown; did you mean columns"
    ) as refused:
        learn(preset, "generator.colums", "midi.cc1")
    assert ".part" not in str(refused.value)
    assert preset.read_text(encoding="utf-8") == TEXT and list(preset.parent.iterdir()) == [preset]
    preset.write_text("title = ", encoding="utf-8")
    with pytest.raises(ValueError, match=r"field\.toml: .*at line 1"):
        learn(preset, "generator.columns", "midi.cc1")


def test_an_interrupted_write_leaves_the_old_file(preset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is on the disk under another name before it takes the file's place, in one step."""
    synced: list[str] = []

    def cut(part: Path, file: Path) -> None:
        synced.append(part.read_text(encoding="utf-8"))
        raise OSError("power cut")

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(OSError, match="power cut"):
        learn(preset, "generator.columns", "midi.cc1")
    assert "midi.cc1" in synced[0] and preset.read_text(encoding="utf-8") == TEXT
    assert list(preset.parent.iterdir()) == [preset]


@pytest.mark.parametrize("mode", [0o640, 0o444])
def test_a_file_keeps_its_mode(preset: Path, mode: int) -> None:
    preset.chmod(mode)
    learn(preset, "generator.columns", "midi.cc1")
    assert preset.stat().st_mode & 0o777 == mode


def test_a_shipped_preset_is_copied_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    shipped = paths.shipped() / "presets" / "disorder.toml"
    before, copy = shipped.read_text(encoding="utf-8"), tmp_path / "perform" / "presets" / "disorder.toml"
    assert editable_file(shipped, by_name=True) == copy and editable_file(shipped, by_name=False) == shipped
    assert editable_file(copy, by_name=True) == copy
    for key in ("generator.columns", "generator.squares"):
        edits.edit(shipped, (key, None, ()), "midi.cc9", lambda one: read_scene(one, Library()), by_name=True)
    assert shipped.read_text(encoding="utf-8") == before
    assert Library().preset_file("disorder") == copy, "the user's own is played from now on"
    assert document(copy)["generator"]["squares"] == document(copy)["generator"]["columns"] == "midi.cc9"
    undo()
    assert copy.is_file()
    undo()
    assert Library().preset_file("disorder") == shipped, "the copy goes with the first step"


def test_an_unreadable_history_is_reported_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "perform").mkdir()
    (tmp_path / "perform" / "learn.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"learn\.json cannot be read; delete it and try again"):
        undo()


def run(*words: str, expect: int = 0) -> str:
    done = CliRunner().invoke(app, ["learn", *words])
    assert done.exit_code == expect, done.output
    return " ".join(done.output.split())


class Fader:
    """A fader of a touchscreen, moved up and down on another thread until the end of the block."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._still = threading.Event()
        self._thread = threading.Thread(target=self._move)

    def __enter__(self) -> Fader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._still.set()
        self._thread.join()

    def _move(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            step = 0
            while not self._still.wait(0.02):
                step += 1
                value = min(step / 200, 1.0)
                builder = OscMessageBuilder("/1/fader3")
                builder.add_arg(value, "f")
                out.sendto(builder.build().dgram, ("127.0.0.1", self.port))


def test_the_command_learns_a_touchscreen_fader(preset: Path) -> None:
    with Fader() as fader:
        said = run(str(preset), "generator.columns", "--osc-port", str(fader.port), "--takeover", "none")
    assert 'field.toml: generator.columns = scale(said(osc["/1/fader3"], ' in said
    assert 'columns = \'scale(said(osc["/1/fader3"], ' in preset.read_text(encoding="utf-8")
    assert "generator.columns is as it was" in run(str(preset), "--undo")
    assert preset.read_text(encoding="utf-8") == TEXT


def test_the_command_learns_one_control_after_another(preset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tape = Tape(turned(30, 0, 100, 1.0), turned(31, 0, 100, 4.0))
    monkeypatch.setattr(clock, "LiveClock", lambda rate: OfflineClock(100))
    monkeypatch.setattr(show, "control_inputs", lambda *_: [tape])
    run(str(preset), "columns", "gain", "--takeover", "scaling")
    assert changes(preset.read_text(encoding="utf-8")) == [
        "-columns = 5   # how many",
        '+columns = "scale(scaling(midi.cc30, 0.107143), 2, 30)"   # how many',
        "-gain = 'pickup(osc[\"/loud\"], 1)' # louder",
        '+gain = "pickup(midi.cc31, 1)" # louder',
    ]


def test_the_command_lists_the_parameters(preset: Path) -> None:
    said = run(str(preset))
    assert "generator.columns" in said and "filter[0].gain" in said and 'pickup(osc["/loud"], 1)' in said
    assert "bindings.master 0..1" in run("setlists/demo.toml")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("FILE", "columms"), "there is no parameter 'columms' to learn; did you mean generator.columns"),
        (("FILE", "columns", "--low", "-4"), "generator.columns from -4 to"),
        (("FILE", "columns", "--takeover", "jump"), "takeover 'jump', must be one of pickup, scaling, none"),
        (("FILE", "--undo"), "nothing was learned in"),
        ((), "the preset is missing"),
        (("shaders/generators/drops.fs",), "drops.fs is no preset: write one that plays it"),
        (("FILE", "columns", "--osc-port", "0", "--seconds", "1"), "no control moved within 1 s"),
    ],
)
def test_the_command_reports_faults(preset: Path, words: tuple[str, ...], sentence: str) -> None:
    given = [str(preset) if word == "FILE" else word for word in words]
    assert sentence in run(*given, expect=1)
