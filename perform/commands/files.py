"""The commands that look at files: `check` and `beats`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from perform.terminal import AsJson, complain, complaints, err, existing, out, show_names


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Presets and setlists, by name or file; shaders, models, or folders of all these.",
            autocompletion=show_names,
        ),
    ],
) -> None:
    """Find all faults of presets, setlists, shaders, feeds, profiles and models; exit code 1 if any."""
    from perform.commands.check import check_all

    with complaints():
        checked, faults = check_all(paths)
    for fault in faults:
        complain(fault)
    out.print(f"{checked} checked, {len(faults)} fault{'s' * (len(faults) != 1)}")
    raise typer.Exit(1 if faults else 0)


def beats(
    sound: Annotated[Path, typer.Argument(help="A sound file.")],
    as_json: AsJson = False,
) -> None:
    """Print the beats of a sound, as the live tracker finds them: time, tempo, confidence."""
    from perform.inputs.audio import tracked

    with complaints():
        found = tracked(existing(sound))
    if as_json:
        typer.echo(json.dumps({"sound": str(sound), "beats": [asdict(beat) for beat in found]}))
        return
    if not found:
        err.print(f"{sound}: no beats are heard in it", markup=False, highlight=False, soft_wrap=True)
    for beat in found:
        mark = "[cyan]●[/cyan]" if beat.downbeat else "○"
        out.print(f"{mark} {beat.time:8.3f} s  {beat.bpm:6.1f} bpm  {beat.confidence:4.0%}")
