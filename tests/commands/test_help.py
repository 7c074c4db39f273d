"""What `perform --help` lists, and what the shell completes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from perform.cli import PANELS, app
from perform.terminal import complaints
from tests.doubles import command
from tests.doubles.library import save, write_library


def test_every_command_stands_in_a_group_with_a_sentence() -> None:
    text = command.run("--help")
    places = [text.index(f"─ {panel} ─") for panel in PANELS]
    assert places == sorted(places)
    names = [name for commands in PANELS.values() for name in commands]
    listed = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert sorted(names) == sorted(listed)
    assert all(one.get_short_help_str() for one in listed.values())


def test_every_number_with_a_least_value_has_a_largest_one() -> None:
    open_ended: list[str] = []

    def look(one: Any) -> None:
        for inner in getattr(one, "commands", {}).values():
            look(inner)
        for option in one.params:
            kind = getattr(getattr(option, "type_descriptor", None), "annotation", None)
            open_ended_kind = kind is float or (kind is int and option.name == "seed")
            if open_ended_kind and option.min is not None and option.max is None:
                open_ended.append(f"{one.name} {option.name}")

    look(typer.main.get_command(app))
    assert open_ended == []


def test_every_command_that_writes_a_film_takes_its_codec_and_quality() -> None:
    found: dict[str, set[str]] = {}

    def look(one: Any, name: str) -> None:
        for inner, its in getattr(one, "commands", {}).items():
            look(its, f"{name} {inner}".strip())
        if any(".mp4" in (option.help or "") and option.name != "codec" for option in one.params):
            found[name] = {option.name for option in one.params}

    look(typer.main.get_command(app), "")
    assert sorted(found) == ["flora film", "loop", "play", "render"]
    assert [name for name, options in found.items() if not {"codec", "quality"} <= options] == []


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("perform play re", ["red"]),
        ("perform play de", ["demo", "desk"]),
        ("perform render a.wav --scene inv", ["inverted"]),
        ("perform models info flora-6", ["flora-64"]),
        ("perform play --model flo", ["flora", "flora-64"]),
        ("perform monitor audio.low", ["audio.low", "audio.low.hit", "audio.low.presence"]),
        ("perform rend", ["render"]),
        ("perform learn inverted filter", ["filter[0].amount"]),
        ("perform learn nothing filter", []),
        ("perform play --clock mi", ["midi"]),
        ("perform play --venue h", ["hall"]),
        ("perform venue check h", ["hall"]),
        ("perform render --codec h", ["h264", "hevc"]),
        ("perform bench s", ["stage", "switch"]),
        ("perform play --device c", ["cpu", "cuda"]),
    ],
)
def test_the_shell_completes_names(tmp_path: Path, words: str, completed: list[str]) -> None:
    """The names of this folder, and those that come with the program."""
    environ = os.environ | {
        "_PERFORM_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    save(tmp_path / "venues/hall.toml", 'title = "Hall"\n')
    done = command.finished(cwd=write_library(tmp_path), env=environ)
    assert sorted(done.stdout.split()) == completed, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("render a.wav --out a.mp4 --seconds 3s", "'--seconds': '3s', must be a number, such as 3 or 0.5"),
        ("render a.wav --out a.mp4 --from 1:00", "'--from': '1:00', must be a number, such as 3 or 0.5"),
        ("render a.wav --out a.mp4 --seconds -1", "'--seconds': '-1', must be 0 or more"),
        ("render a.wav --out a.mp4 --fps 500", "'--fps': '500', must be 240 or less"),
        ("render a.wav --out a.mp4 --from inf", "'--from': 'inf', must be 1000000000 or less"),
        ("train dcgan a b --pictures many", "'--pictures': 'many', must be a whole number"),
        ("train dcgan a b --pictures 0", "'--pictures': '0', must be 1 or more"),
        ("train dcgan a b --minutes 0", "'--minutes': '0', must be 0.01 or more"),
        ("loop flora --each 1.5", "'--each': '1.5', must be a whole number"),
    ],
)
def test_a_wrong_number_is_shown_with_what_is_allowed(
    words: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 2
    assert f"Invalid value for {said}" in done.output


@pytest.mark.parametrize("error", [OverflowError("too large"), MemoryError("no room"), ValueError("wrong")])
def test_a_fault_of_numbers_or_memory_is_a_sentence(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit), complaints():
        raise error
    assert capsys.readouterr().err == f"perform: {error}\n"
