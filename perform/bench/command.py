"""The command `perform bench`."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from perform.bench import NAMES, report, run
from perform.bench.stage import CHANGES, PARTS
from perform.faults import Faults
from perform.terminal import ENDLESS, AsJson, NetworkDevice, PlayedModel, complaints, one_of, out


def bench(
    name: Annotated[
        str | None,
        typer.Argument(
            help=f"What to measure: {', '.join(NAMES)}. (default: all)", autocompletion=one_of(*NAMES)
        ),
    ] = None,
    as_json: AsJson = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, max=ENDLESS, help="How long each measurement lasts.")
    ] = None,
    model: PlayedModel = None,
    device: NetworkDevice = "auto",
    part: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Of `stage` alone: {', '.join(PARTS)}. You can give it several times. (default: all)",
            autocompletion=one_of(*PARTS),
        ),
    ] = None,
    changes: Annotated[
        int | None, typer.Option(min=1, help=f"Scene changes of `stage`. (default: {CHANGES})")
    ] = None,
) -> None:
    """Measure this machine: each figure beside its goal. For `training`, --model is the folder of a run."""
    from perform.models import located

    with complaints(), _whole_end():
        given = {"parts": part, "changes": changes}
        options = {option: value for option, value in given.items() if value}
        if options and name != "stage":
            raise ValueError("--part and --changes are of perform bench stage")
        if model is not None and not Path(model).is_dir():  # a folder is a run's
            model = located(model)
        every = [one for one in NAMES if model is None or one != "training"]  # which takes a run, no model
        faults = Faults()
        for one in every if name is None else (name,):
            # one that lacks something here leaves the others
            with faults.contain(f"bench {one}") if name is None else nullcontext():
                result = report(one, run(one, seconds=seconds, model=model, device=device, **options))
                if as_json:
                    typer.echo(json.dumps(result))
                else:
                    _print(result)
        if faults.counts:
            raise typer.Exit(1)


@contextmanager
def _whole_end() -> Iterator[None]:
    """SIGTERM ends the bench as Ctrl-C does: what it started and its folders go with it."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print(result: dict[str, Any]) -> None:
    machine, versions = result["machine"], result["versions"]
    out.print(f"[bold]{result['bench']}[/bold]  {machine['processor']}, {machine['cores']} cores")
    out.print("  ".join(f"{k} {v}" for k, v in versions.items()), style="dim", highlight=False)
    table = Table("figure", "value", "unit", "goal", "", box=None)
    for row in result["figures"]:
        value = "-" if row["value"] is None else f"{row['value']:.2f}"
        goal = "" if row["goal"] is None else f"{row['goal']:g}"
        met = {True: "met", False: "missed", None: ""}[row["met"]]
        table.add_row(row["name"], value, row["unit"], goal, ": ".join(filter(None, [met, row.get("note")])))
    out.print(table)
