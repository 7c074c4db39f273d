"""The commands that look at this machine: `devices`, `doctor` and `hands`."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from perform.terminal import (
    REGION_HELP,
    AsJson,
    Mirror,
    StopAfter,
    complaints,
    err,
    out,
    say,
)

STATE_STYLE = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def devices() -> None:
    """List sound devices, MIDI ports, Link peers, cameras, senders of pictures, gamepads and displays."""
    from perform.commands.doctor.devices import found

    for kind, names in found().items():
        out.print(f"[bold]{kind}[/bold]")
        for name in names or ["none"]:
            out.print(f"  {name}", markup=False, highlight=False)


def doctor(as_json: AsJson = False) -> None:
    """Check this machine: what is ready, what is missing, and how to get it."""
    from perform.commands.doctor import checks

    rows = checks()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for row in rows:
            table.add_row(row.name, f"[{STATE_STYLE[row.state]}]{row.state}[/]", row.why, row.remedy)
        out.print(table)
    raise typer.Exit(1 if any(row.state == "fail" for row in rows) else 0)


def hands(
    camera: Annotated[
        str, typer.Option(help="The camera: its name, number or path. (default: the first)")
    ] = "",
    region: Annotated[str, typer.Option(help=REGION_HELP)] = "0,0,1,1",
    mirror: Mirror = True,
    seconds: StopAfter = None,
    as_json: AsJson = False,
) -> None:
    """Show the hands that the camera and the tracker see, to set up camera and lights. Ctrl-C ends.
    The exit code is 1 if camera or tracker is missing."""
    from rich.live import Live

    from perform.commands.hands import looks, open_meter
    from perform.inputs.camera import View, region_of

    with complaints(), open_meter(camera, View(region_of(region), mirror, lift=True)) as seen:
        with Live(console=err, transient=True) as live, contextlib.suppress(KeyboardInterrupt):
            for one in looks(seen, seconds):
                live.update(one.table())
        missing = seen.missing()
        state = missing or seen.state()
        if as_json:
            typer.echo(json.dumps({"state": state, "signals": seen.values}))
        else:
            say(state)
    raise typer.Exit(1 if missing else 0)
