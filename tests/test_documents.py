"""Text files of people: encodings, line ends, and faults with file, key, value and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from perform.documents import (
    SceneError,
    document,
    edit_tables,
    fitted_partly,
    parse_document,
    read_marked_text,
    read_text,
)

TEXT = '# ä Ö\ntitle = "Grey"\n\n[generator]\nlevel = 0.5  # level\n'


class Inner(BaseModel):
    """A cue."""

    model_config = ConfigDict(extra="forbid", strict=True)
    FIRST_KEYS: ClassVar[dict[str, tuple[str, ...]]] = {"transition": ("shader",)}
    scene: str
    transition: dict[str, Any] | None = None


class Outer(BaseModel):
    """A file."""

    model_config = ConfigDict(extra="forbid", strict=True)
    FIRST_KEYS: ClassVar[dict[str, tuple[str, ...]]] = {
        "filter": ("shader",),
        "generator": ("model", "shader"),
    }
    title: str
    generator: dict[str, Any] = {}
    filter: list[dict[str, Any]] = []
    cue: list[Inner] = []
    ports: list[str] = []
    level: float = Field(default=0.5, le=1)


def told(act: Callable[[], object]) -> list[str]:
    with pytest.raises(SceneError) as error:
        act()
    return error.value.faults


def faults(text: str, folder: Path) -> list[str]:
    file = folder / "a.toml"
    file.write_text(text)
    return [fault.removeprefix(f"{file}: ") for fault in told(lambda: parse_document(file, Outer))]


def test_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "bom.toml"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert document(file) == {"title": "Grey", "generator": {"level": 0.5}}
    assert read_text(file) == TEXT.replace("\n", "\r\n")
    assert read_marked_text(file).encode() == file.read_bytes()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (TEXT.encode("utf-16"), "is UTF-16: save it as UTF-8"),
        (TEXT.encode("utf-16-be"), "is UTF-16 or no text: save it as UTF-8"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "is UTF-16: save it as UTF-8"),
        (TEXT.encode("utf-32"), "is UTF-32: save it as UTF-8"),
        (b'a = 1\nb = "Br\xfccke"\n', "line 2 has a letter that is not UTF-8: save it as UTF-8"),
    ],
)
def test_other_encodings_are_named(content: bytes, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_bytes(content)
    (sentence,) = told(lambda: document(file))
    assert sentence.startswith(str(file)) and sentence.endswith(fault)


@given(st.sampled_from(["\n", "\r\n"]), st.booleans(), st.floats(0, 1))
def test_an_edit_changes_its_line_only(ends: str, marked: bool, level: float) -> None:
    text = "\ufeff" * marked + TEXT.replace("\n", ends)

    def change(tables: Any) -> None:
        tables["generator"]["level"] = level
        tables["generator"]["grain"] = 1

    after = edit_tables(text, change)
    assert after == text.replace("0.5", repr(level)) + f"grain = 1{ends}"
    assert tomllib.loads(after.removeprefix("\ufeff"))["generator"] == {"level": level, "grain": 1}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('titel = "A"', ["title is missing", "titel is unknown; did you mean title?"]),
        (
            'title = "A"\n[[cue]]\nname = "one"',
            ["cue[0].scene is missing", "cue[0].name is unknown; there are: scene, transition"],
        ),
        (
            'title = "A"\nfilter = "grade"',
            ["filter = 'grade', must be tables, each headed [[filter]], with shader = \"grade\""],
        ),
        (
            'title = "A"\nfilter = ["grade"]',
            ["filter[0] = 'grade', must be tables, each headed [[filter]], with shader = \"grade\""],
        ),
        ('title = "A"\n[filter]\nshader = "a"', ["filter must be tables, each headed [[filter]]"]),
        (
            'title = "A"\ngenerator = "flora"',
            [
                "generator = 'flora', must be a table headed [generator], "
                'with model = "flora" or shader = "flora"'
            ],
        ),
        (
            'title = "A"\n[[cue]]\nscene = "a"\ntransition = "dissolve"',
            [
                "cue[0].transition = 'dissolve', must be a table headed [cue.transition], "
                'with shader = "dissolve"'
            ],
        ),
        ('title = "A"\nports = "a"', ["ports = 'a', must be a list"]),
        ('title = 3\nlevel = 2.0\nother = 1', [
            'title = 3, must be text in quotes: "like this"', "level = 2.0, must be less than or equal to 1",
            "other is unknown; there are: title, generator, filter, cue, ports, level",
        ]),
    ],
)  # fmt: skip
def test_faults_of_inner_tables_know_their_keys(text: str, wanted: list[str], tmp_path: Path) -> None:
    assert faults(text, tmp_path) == wanted


def test_what_is_right_is_there_beside_what_is_wrong() -> None:
    table = {"filter": [{"shader": "a"}], "level": 7.0, "generator": "x"}
    found, wrong = fitted_partly(Path("a.toml"), table, Outer)
    assert (found.title, found.filter, found.level, found.generator) == ("", [{"shader": "a"}], 0.5, {})
    assert len(wrong) == 3


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('a = 1\nshader = "rings\nb = 2', 'a quote is not closed, line 2: shader = "rings'),
        ("a = 'rings", "a quote is not closed, line 1: a = 'rings"),
        ("scale = \u201c0.3\u201d", 'write straight quotes, "like these", line 1: scale = \u201c0.3\u201d'),
        ("a = 1\r\nspeed = 0,3\r\n", "write numbers with a point: 0.3, line 2: speed = 0,3"),
        ("speed = -.5", "write a digit before the point: 0.3, line 1: speed = -.5"),
        ("loop = True  # for ever", "write true or false, line 1: loop = True  # for ever"),
        (
            "fit = mirror",
            'text and formulas stand in quotes: "0.5 * audio.low", line 1: fit = mirror',
        ),
        (
            "gain = 0.5 * audio.low",
            'text and formulas stand in quotes: "0.5 * audio.low", line 1: gain = 0.5 * audio.low',
        ),
        ("[generator\na = 1", "a bracket is not closed, line 1: [generator"),
        ("[[filter]\na = 1", "a bracket is not closed, line 1: [[filter]"),
        ("[source]\na = 1\n[source]", "this table is there already, line 3: [source]"),
        (
            "[cue]\na = 1\n[cue]",
            "this table is there already: several are headed [[cue]] each, line 3: [cue]",
        ),
        (
            "[layer.filter]\na = 1\n[layer.filter]",
            "this table is there already: several are headed [[layer.filter]] each, line 3: [layer.filter]",
        ),
        ("[source]\na = 1\n[source.a]", "this table is there already, line 3: [source.a]"),
        ("[my source]\na = 1", "a table is [name] or [[name]], alone on its line, line 1: [my source]"),
        ("a = [\n[1, 2]\n[3, 4]\n]", "Unclosed array, line 3: [3, 4]"),
        ("[source] a = 1", "a table is [name] or [[name]], alone on its line, line 1: [source] a = 1"),
        ("a = 1\na = 2", "this key is there already, line 2: a = 2"),
        ("a = true\na = false", "this key is there already, line 2: a = false"),
        (
            "a = 1\na = 2  # CC 16 (\u201cknob\u201d)",
            "this key is there already, line 2: a = 2  # CC 16 (\u201cknob\u201d)",
        ),
        (
            "a = 1 2  # (\u201cknob\u201d)",
            "Expected newline or end of document after a statement, line 1: a = 1 2  # (\u201cknob\u201d)",
        ),
        ('a = """b\n\n', 'Unterminated string, line 1: a = """b'),
        (
            f"a = {'b ' * 40}",
            f'text and formulas stand in quotes: "0.5 * audio.low", line 1: a = {"b " * 28}…',
        ),
        ("a = ", "a value is missing, line 1: a ="),
        ("a = 1\nbroken", "write KEY = VALUE, line 2: broken"),
        ("loop true", "write KEY = VALUE, line 1: loop true"),
        ("b = 1\na = " + "9" * 5000, "a number is too long"),
        ("a = " + "[" * 20_000, "too many brackets within each other"),
    ],
)
def test_a_fault_of_toml_shows_its_line_and_what_to_write(text: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(text.encode())
    assert told(lambda: document(file)) == [f"{file}: not valid TOML: {fault}"]


def test_the_line_ends_of_an_old_macintosh_are_named(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"a = 1\rb = 2\r")
    assert told(lambda: document(file)) == [
        f"{file} has the line ends of an old Macintosh (CR): save it with LF"
    ]
