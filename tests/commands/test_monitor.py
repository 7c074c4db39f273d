"""`perform monitor` as a person starts it: with a terminal, and without one."""

from __future__ import annotations

import os
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from perform.clock import OfflineClock, Tempo
from perform.commands.monitor import frames, line, table
from perform.rhythm.tempo import TempoAuthority
from perform.scenes.mapping import MappingPlayers
from perform.show.monitor import Monitor, SignalReading, wanted
from tests.doubles import command
from tests.doubles.command import environment, finished, start
from tests.doubles.inputs import PlayedInput


def shown(unit: Monitor, height: int = 24) -> list[str]:
    console = Console(width=100, record=True, file=StringIO())
    console.print(table(unit, height))
    return [one.rstrip() for one in console.export_text().splitlines()]


def monitor(*names: str) -> tuple[Monitor, PlayedInput]:
    device = PlayedInput()
    tempo = TempoAuthority(Tempo(bpm=120))
    return Monitor(OfflineClock(10), [device], wanted(names), MappingPlayers(), tempo), device


def test_a_table_has_name_bar_value_and_age() -> None:
    unit, device = monitor("midi.cc1", "midi.cc2")
    device.next = [("midi.cc1", 0.5)]
    for _ in frames(unit, 0.3):
        pass
    header, first, second, *_ = shown(unit)
    assert header.split() == ["signal", "value", "age"]
    assert first.split() == ["midi.cc1", "━" * 15 + "─" * 15, "0.500", "0.3", "s"]
    assert second.split() == ["midi.cc2", "─" * 30, "-", "-"]


def test_more_than_the_terminal_holds_is_counted() -> None:
    unit, device = monitor("midi")
    device.next = [(f"midi.cc{number}", 0.5) for number in range(30)]
    unit.frame()
    lines = shown(unit, 14)
    assert [text.split()[0] for text in lines[1:11]] == [f"midi.cc{number}" for number in range(10)]
    assert "and 20 more: name those that you want to see" in " ".join(lines)


def test_nothing_yet_is_said() -> None:
    unit, _ = monitor()
    unit.frame()
    assert "nothing has moved yet" in " ".join(shown(unit))


@pytest.mark.parametrize(
    ("value", "since", "text"),
    [
        (0.12345, 9.7, "a 0.123 0.3 s"),
        (440.0, 0.0, "a 440 10 s"),
        (None, 0.0, "a - -"),
        ("on\x1b[2J", 10.0, "a on [2J 0.0 s"),
    ],
)
def test_a_line(value: float | str | None, since: float, text: str) -> None:
    assert line(SignalReading("a", value, since=since), 10.0) == text


def test_without_a_terminal_each_signal_has_a_line_a_second(tmp_path: Path) -> None:
    words = (
        "monitor",
        "beat.bpm",
        "time.seconds * 0 + 2",
        "--audio",
        "none",
        "--osc",
        "0",
        "--seconds",
        "2.5",
    )
    done = finished(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [text for text in done.stdout.splitlines() if not text.startswith("midi")]
    assert [text.split()[0] for text in lines] == ["beat.bpm", "time.seconds"] * 2
    assert lines[0].startswith("beat.bpm 120 ")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
def test_on_a_terminal_there_are_bars(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    words = ("monitor", "beat.phase", "--audio", "none", "--osc", "0", "--seconds", "1")
    environ = environment() | {"TERM": "xterm"}
    show = start(*words, cwd=tmp_path, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    while True:
        try:
            found = os.read(ours, 4096)
        except OSError:
            break
        if not found:
            break
        text += found
    assert show.wait(60) == 0
    assert "beat.phase" in text.decode() and "━" in text.decode()


def test_bad_words_are_one_sentence() -> None:
    assert "unknown signal audio.kick" in command.run("monitor", "audio.kick", expect=1)
