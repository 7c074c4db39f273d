"""The terminal's dashboard: the state of the playing show at a glance.

`dashboard_text` is a pure function of a `Status`. `Dashboard` shows the newest status a few times a second on
its own thread, so that a slow terminal does not delay a frame.
"""

from __future__ import annotations

import logging
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from textwrap import wrap
from threading import Event
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from perform.clock import BEATS_PER_BAR
from perform.commands.journal import changes, tempo_source
from perform.faults import Health
from perform.rig import Rig
from perform.show.status import Status, StatusMeter
from perform.terminal import err, printable
from perform.threads import Background

log = logging.getLogger("perform")
ACCENT_STYLE, QUIET_STYLE, TROUBLE_STYLE = "cyan", "dim", "bold yellow"  # the only styles beside plain text
LABEL = 10  # columns of the labels
WIDEST_DASHBOARD = 100  # columns
WIDEST_LABEL = 24  # of a device
GAPS = 5  # empty lines, where there is room
FRAMES_PER_STATUS = 6
METERS = ("level", "low", "mid", "high", "air")
KEY_HINTS = (
    ("B", "blackout"),
    ("F", "freeze"),
    ("T", "tap"),
    ("R", "resync"),
    ("space", "GO"),
    ("1-9", "scenes"),
    ("H", "help"),
    ("Esc", "quit"),
)

Part = str | tuple[str, str]


def dashboard_text(status: Status, width: int = 80, height: int = 24) -> Text:
    """The dashboard as text of at most `width` columns and `height` lines. In a low terminal the space goes
    first, then the meters, then devices without faults."""
    width = min(width, WIDEST_DASHBOARD)
    notes = [_labelled("notes", printable(" ".join(status.notes.split())))] if status.notes else []
    head = [_title(status, width), *notes, _labelled("next", status.next_scene or "-")]
    meters = [_meter(name, getattr(status, name), width) for name in METERS]
    foot = [*_notice(status.notice, width), _keys()]
    balance = [_labelled("balance", (status.balance, QUIET_STYLE))] if status.balance else []
    room = height - len(head) - len((_tempo, _rates, *balance, _stage)) - len(foot)
    shown, gaps = len(status.devices), 0
    if room < shown + len(meters):
        meters = []
    elif room >= shown + len(meters) + GAPS:
        gaps = 1
    gap = [Text()] * gaps
    middle = [*meters, *([Text()] if meters and gaps else []), _rates(status), *balance, _stage(status)]
    devices = _devices(status.devices, max(room - len(meters) - GAPS * gaps, 1))
    lines = [*head, *gap, _tempo(status), *gap, *middle, *gap, *devices, *gap, *foot]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True, overflow="crop").join(lines[:height])


def clock_face(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def _title(status: Status, width: int) -> Text:
    face = clock_face(status.seconds)
    title = _labelled("playing", (status.cue_title or "nothing yet", "bold"))
    position = f"  {status.cue}/{status.cues}" if status.cues else ""
    title.truncate(max(0, width - len(position) - len(face) - 3), overflow="ellipsis")
    title.append(position, QUIET_STYLE)
    title.pad_right(max(0, width - len(title) - len(face) - 1))
    return title.append(face)


def _tempo(status: Status) -> Text:
    current = int(status.bar % 1 * BEATS_PER_BAR)
    lit = f"bold {ACCENT_STYLE}" if status.beat % 1 < 0.5 else ACCENT_STYLE  # pulses: two looks a beat
    dots: list[Part] = [
        ("● ", lit) if beat == current else ("○ ", QUIET_STYLE) for beat in range(BEATS_PER_BAR)
    ]
    sure = f", {status.confidence:.0%} sure" if status.source == "audio" else ""
    source = tempo_source(status)
    return _labelled("beat", *dots, f"  {status.bpm:6.1f} bpm", (f"   {source}{sure}", QUIET_STYLE))


def _meter(name: str, value: float, width: int) -> Text:
    columns = max(1, width - LABEL - 2)
    lit = round(_share(value) * columns)
    return _labelled(name, ("━" * lit, ACCENT_STYLE), ("─" * (columns - lit), QUIET_STYLE))


def _rates(status: Status) -> Text:
    pairs = (
        ("display", _measure(status.display_fps, ".1f", "/s")),
        ("picture", _measure(status.picture_fps, ".1f", "/s")),
        ("p99", _measure(status.frame_ms, ".0f", " ms")),
        ("latency", _measure(status.latency_ms, ".0f", " ms")),
    )
    (_, first), *others = pairs
    rest: list[Part] = []
    for label, value in others:
        rest += [(f"{label:<9}", QUIET_STYLE), f"{value:<9}"]
    return _labelled("display", f"{first:<12}", *rest)


def _stage(status: Status) -> Text:
    switches: list[Part] = [(f"{word.upper()}   ", TROUBLE_STYLE) for word in status.switches]
    recorder: Part = ("not recording", QUIET_STYLE)
    if status.recording:
        recorder = (f"● {clock_face(status.recorded)} {status.recording}", ACCENT_STYLE)
    return _labelled("master", f"{_share(status.master):<12.0%}", *switches, recorder)


def _devices(devices: Sequence[tuple[str, Health]], most: int) -> Iterator[Text]:
    """One line for each device, `most` lines in all; if there are too many, those with faults come first."""
    rows = list(devices)
    if len(rows) > most:
        rows.sort(key=lambda row: row[1].state == "ok")
        rows, rest = rows[: max(most - 1, 1)], len(rows) - max(most - 1, 1)
    else:
        rest = 0
    label = min(max((len(name) + 1 for name, _ in rows), default=LABEL), WIDEST_LABEL)
    for name, health in rows:
        style = QUIET_STYLE if health.state == "ok" else TROUBLE_STYLE
        yield _labelled(name, (f"{health.state:<12}", style), health.detail, width=max(label, LABEL))
    if rest:
        yield _labelled("", (f"and {rest} more", QUIET_STYLE))


def _notice(notice: str, width: int) -> Iterator[Text]:
    """The last line of the log on two rows, which are empty if it is short, so that nothing jumps."""
    rows = wrap(printable(notice), max(width - 2, 8), max_lines=2, placeholder=" …")
    for row in (*rows, "", "")[:2]:
        yield Text(f" {row}")


def _keys() -> Text:
    parts: list[Part] = [" "]
    for key, meaning in KEY_HINTS:
        parts += [(key, ACCENT_STYLE), (f" {meaning}  ", QUIET_STYLE)]
    return Text.assemble(*parts)


def _labelled(label: str, *parts: Part, width: int = LABEL) -> Text:
    line = Text.assemble((f" {label:<{width}.{width - 1}}", QUIET_STYLE), *parts)
    line.plain = printable(line.plain)
    return line


def _measure(value: float | None, form: str, unit: str) -> str:
    return "-" if value is None or value != value else f"{value:{form}}{unit}"


def _share(value: float) -> float:
    """0..1; NaN is 0."""
    return min(value, 1.0) if value > 0 else 0.0


class LogLines(logging.Handler):
    """Keeps the last lines of the log while the dashboard has the screen."""

    KEPT = 100

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=self.KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(" ".join(record.getMessage().split()))

    @property
    def last(self) -> str:
        """The newest line, empty when nothing was logged."""
        return self.lines[-1] if self.lines else ""


class Dashboard:
    """Shows the newest status until closed; without a terminal it logs what changes.

    You may call `show` for every frame: it only stores the status. The log of the time is printed when the
    dashboard closes.
    """

    def __init__(self, console: Console | None = None, rate: float = 5.0) -> None:
        self._console = console or Console(stderr=True, emoji=False)
        self._period = 1 / rate
        self._status: Status | None = None
        self._log = LogLines()
        self._thread: Background | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            log.addHandler(self._log)
            log.propagate = False  # other handlers would write on the screen
        self._thread = Background(self._run, "dashboard")
        return self

    def __exit__(self, *_fault: object) -> None:
        if self._thread is not None:
            self._thread.close(2)  # a stopped terminal must not delay the end of the show
        if self._console.is_terminal:
            log.removeHandler(self._log)
            log.propagate = True
        with suppress(OSError, ValueError):  # the terminal may be gone
            for line in self._log.lines:
                self._console.print(line, markup=False, highlight=False)

    def show(self, status: Status) -> None:
        """Store the newest status; never waits."""
        self._status = status

    def _run(self, closing: Event) -> None:
        try:
            self._run_screen(closing) if self._console.is_terminal else self._run_journal(closing)
        except (OSError, ValueError) as error:  # the terminal is gone
            logging.getLogger(__name__).warning("dashboard stopped: %s", error)

    def _run_screen(self, closing: Event) -> None:
        # The alternate screen is overwritten from its corner, never cleared: no flicker, and the next picture
        # covers what a library writes to the terminal.
        with Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as live:
            while not closing.wait(self._period):
                if (status := self._status) is not None:
                    status = status if status.notice else replace(status, notice=self._log.last)
                    live.update(dashboard_text(status, *self._console.size), refresh=True)

    def _run_journal(self, closing: Event) -> None:
        before: Status | None = None
        while not closing.wait(self._period):
            if (status := self._status) is not None and status is not before:
                for level, line in changes(before, status):
                    log.log(level, "%s", line)
                before = status


def run_with_dashboard(
    rig: Rig,
    seconds: float | None = None,
    finished: Callable[[Rig], bool] = lambda _: False,
    recording: Path | None = None,
) -> None:
    """Play a live show with its dashboard until `seconds` are over, it is `finished` or closed, or a signal
    ends it. `recording` is the file that it records to."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: rig.end())
    meter = StatusMeter(recording)
    with Dashboard(err) as dashboard:

        def over(playing: Rig) -> bool:
            if playing.timings.count % FRAMES_PER_STATUS == 1:
                with playing.faults.contain("the dashboard shows an old state"):
                    dashboard.show(meter.status(playing))
            past = seconds is not None and playing.moment is not None and playing.moment.seconds >= seconds
            return past or finished(playing)

        rig.run(over)
