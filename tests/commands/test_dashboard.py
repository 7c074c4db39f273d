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

from perform.commands.dashboard import Dashboard, LogLines, dashboard_text
from perform.faults import Health
from perform.show.status import Status
from tests.doubles.waiting import eventually

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


def test_the_balance_of_display_and_network_is_one_line() -> None:
    text = "display 24/s, scenes at half size: the processor is busy"
    found = replace(PLAYING, balance=text)
    assert row(found, "balance").split(maxsplit=1)[1] == text
    assert len(rows(found)) <= 24
    assert not any(line.startswith(" balance") for line in rows(PLAYING))


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
    stopped = replace(PLAYING, pause=True, fadeout=True)
    assert row(stopped, "master").split()[2:4] == ["PAUSE", "FADEOUT"]


def test_a_cue_shows_its_number_and_its_notes() -> None:
    cue = replace(PLAYING, scene="Drop", number="2.5", notes="watch\nMika")
    assert row(cue, "playing").split()[1:3] == ["2.5", "Drop"]
    assert row(cue, "notes").split() == ["notes", "watch", "Mika"]
    assert not [line for line in rows(PLAYING) if line.startswith(" notes")]


def test_every_device_has_a_line_with_its_whole_name() -> None:
    fine = tuple((f"in{n}", Health("ok")) for n in range(8))
    many = replace(PLAYING, devices=(*fine, ("the hand tracker", Health("failed", "unplugged"))))
    assert row(many, "the hand tracker").split() == ["the", "hand", "tracker", "failed", "unplugged"]
    assert all(row(many, name) for name, _ in fine)
    assert len(rows(many)) <= 24


def test_in_a_low_terminal_what_matters_is_there() -> None:
    """The devices with faults, the tempo, the notice and the keys; the meters give way."""
    fine = tuple((f"in{n}", Health("ok")) for n in range(8))
    many = replace(PLAYING, devices=(*fine, ("camera", Health("failed", "unplugged"))))
    shown = dashboard_text(many, 80, 14).plain.split("\n")
    assert len(shown) == 14
    words = [line.split()[0] if line.strip() else "" for line in shown]
    assert words == [
        "playing", "next", "beat", "display", "master", "camera", "in0", "in1", "in2", "in3", "and", "preset",
        "", "B",
    ]  # fmt: skip
    assert shown[10].split() == ["and", "4", "more"]
    assert len(dashboard_text(PLAYING, 80, 14).plain.split("\n")) <= 14
    assert len(dashboard_text(PLAYING, 80, 5).plain.split("\n")) == 5


def test_a_high_terminal_has_room_for_all() -> None:
    many = replace(PLAYING, devices=tuple((f"in{n}", Health("ok")) for n in range(30)))
    shown = dashboard_text(many, 80, 60).plain
    assert "in29" in shown and "more" not in shown and shown.count("\n\n") == 5


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


@given(statuses, st.integers(20, 200), st.integers(1, 60))
def test_any_status_fits_the_terminal(status: Status, width: int, height: int) -> None:
    console = Console(width=width, file=io.StringIO(), force_terminal=True)
    assert len(console.render_lines(dashboard_text(status, width, height), pad=False)) <= height
    assert all(line.cell_len <= width for line in dashboard_text(status, width).split("\n"))


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
    return Dashboard(console, rate=200.0)


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


def test_without_a_terminal_what_changes_is_logged_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "perform")
    paper = io.StringIO()
    with dashboard(paper, terminal=False) as board:
        board.show(PLAYING)
        eventually(lambda: "midi: waiting" in caplog.text, "the first lines")
        first = len(caplog.records)
        board.show(replace(PLAYING, seconds=760.0, level=0.9, beat=80.0, bar=20.0, bpm=123.7))
        board.show(replace(PLAYING, blackout=True))
        eventually(lambda: "blackout: on" in caplog.text, "the change")
    assert [record.getMessage() for record in caplog.records[first:]] == ["blackout: on"]
    assert paper.getvalue() == ""


def test_a_closed_terminal_ends_only_the_dashboard(caplog: pytest.LogCaptureFixture) -> None:
    class Gone(Paper):
        def write(self, text: str) -> int:
            self.written.set()
            raise OSError("terminal is gone")

    paper = Gone("")
    board = dashboard(paper, terminal=True)
    logging.getLogger("perform").addHandler(caplog.handler)
    with board:
        board.show(PLAYING)
        assert paper.written.wait(10)
    logging.getLogger("perform").removeHandler(caplog.handler)
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
