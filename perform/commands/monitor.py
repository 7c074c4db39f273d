"""The command `perform monitor`: the signals of inputs, live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from perform.commands.play import (
    CLOCK_LEADS,
    AudioSource,
    CameraName,
    ClockLead,
    JoinLink,
)
from perform.commands.render import SceneOption
from perform.parameters import choice, place_of
from perform.terminal import (
    REGION_HELP,
    MidiPort,
    Mirror,
    OscAddress,
    StopAfter,
    complaints,
    opening,
    out,
    printable,
    say,
    signal_names,
)

if TYPE_CHECKING:
    from perform.show.monitor import Monitor, SignalReading

BAR = 30  # characters
LINE_INTERVAL = 1.0  # seconds between two lines of a signal, without a terminal


def monitor(
    signals: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SIGNAL]...",
            autocompletion=signal_names,
            help="Signals (midi.cc21), formulas (max(audio.low, 0.5)) or families (audio, midi, osc, hand, "
            "feed …). (default: all of sound, MIDI, OSC and Link that have moved)",
        ),
    ] = None,
    scene: SceneOption = None,
    audio: AudioSource = None,
    midi: MidiPort = None,
    osc: OscAddress = "9000",
    clock: ClockLead = None,
    link: JoinLink = False,
    camera: CameraName = "",
    region: Annotated[str, typer.Option(help=REGION_HELP)] = "0,0,1,1",
    mirror: Mirror = True,
    seconds: StopAfter = None,
) -> None:
    """Show signals live: name, value, a bar, and how long ago each came. Ctrl-C ends.

    The inputs are those of perform play, by the same options. Cameras, hands and feeds open if you name them.
    """
    with complaints():
        with opening("loading the program"):
            from perform import show
            from perform.inputs.camera import View, region_of
            from perform.show.monitor import open_monitor
        host, port = place_of(osc)
        options = show.Options(
            sound=show.sound_option(audio),
            midi=midi,
            osc_host=host,
            osc_port=port,
            clock=None if clock is None else choice("clock", clock, CLOCK_LEADS),
            link=link,
            camera=camera,
            view=View(region_of(region), mirror, lift=True),
        )
        with opening("opening the inputs"):
            opened = open_monitor(options, signals or [], scene)
        with closing(opened), suppress(KeyboardInterrupt):
            (_show_table if out.is_terminal else _print_lines)(opened, seconds)


def frames(monitor: Monitor, seconds: float | None) -> Iterator[float]:
    """The time after each frame of the monitor, for so many seconds or without end."""
    while seconds is None or monitor.now < seconds:
        monitor.frame()
        yield monitor.now


def _show_table(monitor: Monitor, seconds: float | None) -> None:
    """A table that is drawn again and again."""
    with Live(console=out, auto_refresh=False) as live:
        for _ in frames(monitor, seconds):
            live.update(table(monitor, out.height), refresh=True)


def _print_lines(monitor: Monitor, seconds: float | None) -> None:
    """A line for each signal once a second; what is missing once."""
    said: set[str] = set()
    due = LINE_INTERVAL
    for now in frames(monitor, seconds):
        if now < due:
            continue
        due += LINE_INTERVAL
        for sentence in monitor.missing():
            if sentence not in said:
                say(sentence)
            said.add(sentence)
        for reading in monitor.readings():
            say(line(reading, now))


def line(reading: SignalReading, now: float) -> str:
    """A reading as text: name, value and age."""
    return f"{reading.name} {value_text(reading.value)} {age(reading, now)}"


def table(monitor: Monitor, height: int) -> Group:
    """The readings as bars, as many as `height` lines hold, with what is missing below."""
    readings, notes = monitor.readings(), monitor.missing()
    most = max(height - len(notes) - 4, 1)
    if len(readings) > most:
        notes.insert(0, f"and {len(readings) - most} more: name those that you want to see")
    if not readings:
        notes.insert(0, "nothing has moved yet: move a control, or make a sound")
    shown = Table(box=None, pad_edge=False)
    shown.add_column("signal", no_wrap=True)
    shown.add_column("")
    shown.add_column("value", justify="right", no_wrap=True)
    shown.add_column("age", justify="right", no_wrap=True)
    for reading in readings[:most]:
        style = "" if monitor.now - reading.since < 1 else "dim"
        cells = reading.name, bar(reading), value_text(reading.value), age(reading, monitor.now)
        shown.add_row(*(Text(cell, style) for cell in cells))
    return Group(shown, *(Text(note) for note in notes))


def bar(reading: SignalReading) -> str:
    """The value in its range as a bar; of a range below 0, from its left end."""
    lit = round(reading.share * BAR)
    return "━" * lit + "─" * (BAR - lit)


def value_text(value: float | str | None) -> str:
    """A value: a number with three decimals or, far from 1, five digits; - if there is none yet."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return printable(value)
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.5g}"


def age(reading: SignalReading, now: float) -> str:
    """How long ago a value came."""
    if reading.value is None:
        return "-"
    seconds = max(now - reading.since, 0.0)
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
