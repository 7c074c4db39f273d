"""The dashboard: what it shows, that it fits, and that it never delays the show."""

from __future__ import annotations

import io
import logging
import threading
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from perform.commands.dashboard import DEVICE_ROWS, Dashboard, LogLines, dashboard_text, status_line
from perform.faults import Health
from perform.show.status import Status

PLAYING = Status(
    seconds=754.0,
    scene="Tulip fever",
    next_scene="Moth",
    cue=3,
    cues=6,
    low=0.5,
    beat=70.2,
    bar=17.55,
    bpm=124.02,
    source="audio",
    confidence=0.82,
    display_fps=60.0,
    picture_fps=28.43,
    frame_ms=31.2,
    latency_ms=22.1,
    recording="output/show.mkv",
    recorded=192.0,
    devices=(("audio", Health("ok", "track.opus")), ("midi", Health("waiting", "nanoKONTROL2"))),
    notice="preset saved",
)


def rows(status: Status, width: int = 80) -> list[str]:
    return dashboard_text(status, width).plain.split("\n")


def row(status: Status, label: str) -> str:
    (found,) = (line for line in rows(status) if line.startswith(f" {label} "))
    return found


def test_every_fact_of_the_show_is_on_the_dashboard() -> None:
    assert row(PLAYING, "playing").split() == ["playing", "Tulip", "fever", "3/6", "0:12:34"]
    assert row(PLAYING, "next").split() == ["next", "Moth"]
    assert row(PLAYING, "beat").split(maxsplit=1)[1] == (
        "○ ○ ● ○    124.0 bpm   following the sound, 82% sure"
    )
    assert row(PLAYING, "display").split() == (
        ["display", "60.0/s", "picture", "28.4/s", "p99", "31", "ms", "latency", "22", "ms"]
    )
    assert row(PLAYING, "master").split() == ["master", "100%", "●", "0:03:12", "output/show.mkv"]
    assert row(PLAYING, "midi").split() == ["midi", "waiting", "nanoKONTROL2"]
    assert " preset saved" in rows(PLAYING)
    assert rows(PLAYING)[-1].split()[:2] == ["B", "blackout"]


def test_an_unknown_value_is_a_dash() -> None:
    unknown = replace(PLAYING, picture_fps=None, latency_ms=float("nan"))
    assert row(unknown, "display").split() == [
        "display",
        "60.0/s",
        "picture",
        "-",
        "p99",
        "31",
        "ms",
        "latency",
        "-",
    ]


@pytest.mark.parametrize(
    ("bar", "dots"), [(0.0, "● ○ ○ ○"), (0.26, "○ ● ○ ○"), (7.5, "○ ○ ● ○"), (-0.01, "○ ○ ○ ●")]
)
def test_one_dot_lights_on_each_beat(bar: float, dots: str) -> None:
    assert dots in row(replace(PLAYING, bar=bar), "beat")


@pytest.mark.parametrize(("value", "lit"), [(0, 0), (0.5, 34), (1, 68), (7, 68), (-1, 0), (float("nan"), 0)])
def test_the_length_of_a_meter_is_its_value(value: float, lit: int) -> None:
    meter = row(replace(PLAYING, low=value), "low")
    assert (meter.count("━"), meter.count("─")) == (lit, 68 - lit)


def test_blackout_and_freeze_show_only_while_they_are_on() -> None:
    assert row(replace(PLAYING, blackout=True, freeze=True), "master").split()[2:4] == [
        "BLACKOUT",
        "FREEZE",
    ]
    assert "BLACKOUT" not in row(PLAYING, "master")


def test_inputs_with_trouble_are_shown_first() -> None:
    fine = tuple((f"in{n}", Health("ok")) for n in range(8))
    crowded = replace(PLAYING, devices=(*fine, ("camera", Health("failed", "unplugged"))))
    assert "unplugged" in row(crowded, "camera")
    assert any("and 4 more" in line for line in rows(crowded))
    assert len(rows(crowded)) == 24
    assert len(fine) > DEVICE_ROWS


texts = st.text(max_size=120)
states = st.sampled_from(["ok", "waiting", "failed"])
inputs = st.lists(st.tuples(texts, st.builds(Health, states, texts)), max_size=9).map(tuple)
rates = st.none() | st.floats(0, 1e4)
statuses = st.builds(
    Status,
    seconds=st.floats(0, 1e7),
    scene=texts,
    next_scene=texts,
    level=st.floats(),
    bar=st.floats(-1e6, 1e6),
    frame_ms=rates,
    recording=texts,
    notice=texts,
    devices=inputs,
)


@given(statuses, st.integers(20, 200))
def test_every_status_fits_the_terminal(status: Status, width: int) -> None:
    console = Console(width=width, file=io.StringIO(), force_terminal=True)
    assert len(console.render_lines(dashboard_text(status, width), pad=False)) <= 24
    assert all(line.cell_len <= width for line in dashboard_text(status, width).split("\n"))


def test_the_plain_line_has_no_colour_and_no_second_line() -> None:
    assert status_line(replace(PLAYING, freeze=True)) == (
        "0:12:34  Tulip fever 3/6  124.0 bpm (audio)  display 60.0/s  picture 28.4/s  p99 31 ms  FREEZE"
    )


def test_the_log_keeps_its_last_lines_as_lines() -> None:
    log = LogLines()
    assert log.last == ""
    for number in range(LogLines.KEPT + 5):
        log.handle(logging.makeLogRecord({"msg": "line\n%d", "args": (number,)}))
    assert log.last == f"line {LogLines.KEPT + 4}"
    assert len(log.lines) == LogLines.KEPT


class Paper(io.StringIO):
    """The other end of a terminal, which waits for a word."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word, self.written = word, threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        if self.word in self.getvalue():
            self.written.set()
        return count


def dashboard(paper: io.StringIO, terminal: bool) -> Dashboard:
    console = Console(file=paper, force_terminal=terminal, width=80, height=24)
    return Dashboard(console, rate=200.0, plain_rate=200.0)


def test_a_terminal_shows_the_dashboard_and_is_restored() -> None:
    paper = Paper("Moth")
    with dashboard(paper, terminal=True) as board:
        board.show(PLAYING)
        assert paper.written.wait(10)
    assert paper.getvalue().startswith("\x1b[?1049h")
    assert "\x1b[?1049l" in paper.getvalue()


def test_log_messages_are_shown_and_printed_at_the_end() -> None:
    paper = Paper("the disk is full")
    with dashboard(paper, terminal=True) as board:
        logging.getLogger("perform.recorder").warning("the disk is full")
        board.show(replace(PLAYING, notice=""))
        assert paper.written.wait(10)
    assert "the disk is full" in paper.getvalue().split("\x1b[?1049l")[1]
    log = logging.getLogger("perform")
    assert log.propagate and not any(isinstance(one, LogLines) for one in log.handlers)


def test_a_pipe_gets_plain_lines() -> None:
    paper = Paper("\n")
    with dashboard(paper, terminal=False) as board:
        board.show(PLAYING)
        assert paper.written.wait(10)
    assert set(paper.getvalue().splitlines()) == {status_line(PLAYING)}


def test_a_closed_terminal_ends_only_the_dashboard(caplog: pytest.LogCaptureFixture) -> None:
    class Gone(Paper):
        def write(self, text: str) -> int:
            self.written.set()
            raise OSError("terminal is gone")

    paper = Gone("")
    board = dashboard(paper, terminal=False)
    with board:
        board.show(PLAYING)
        assert paper.written.wait(10)
    assert "dashboard stopped: terminal is gone" in caplog.text


def test_every_field_of_the_status_changes_something() -> None:
    """Every field of the status is shown."""
    base = replace(PLAYING, source="audio")
    other: dict[str, Any] = {
        "source": "hand",
        "devices": (),
        "blackout": True,
        "freeze": True,
        "recording": "a.mp4",
        "master": 0.5,
    }
    for field in fields(Status):
        now = getattr(base, field.name)
        new: Any = f"{now}x" if isinstance(now, str) else None
        new = other[field.name] if field.name in other else new or now / 2 + 0.4
        shown = dashboard_text(replace(base, **{field.name: new}))
        assert (shown, shown.spans) != (dashboard_text(base), dashboard_text(base).spans), field.name
