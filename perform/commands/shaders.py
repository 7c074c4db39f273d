"""The subcommands of `perform shaders`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from perform.parameters import size_of
from perform.terminal import AsJson, PictureSize, complain, complaints, out, watched

if TYPE_CHECKING:
    from perform.render.examining import ShaderReport

app = typer.Typer(help="Shaders: check those of other people.", no_args_is_help=True)


@app.callback()
def shaders() -> None:
    """Shaders: check those of other people."""


@app.command("check")
def check_shaders(
    paths: Annotated[list[Path], typer.Argument(help="Shaders, or folders of them.")],
    size: PictureSize = "320x180",
    as_json: AsJson = False,
) -> None:
    """Parse, compile and draw shaders, each in a process that may crash; exit code 1 if one does not draw."""
    from perform.render.examining import examined

    with complaints():
        files = _files(paths)
        found = list(watched(examined(files, size_of(size)), "checking shaders", len(files)))
    if as_json:
        from dataclasses import asdict

        typer.echo(json.dumps([asdict(report) for report in found]))
    else:
        _print(found)
    raise typer.Exit(0 if all(report.draw for report in found) else 1)


def _files(paths: Sequence[Path]) -> list[Path]:
    """The shaders at some paths, each once. ValueError for a path without any."""
    from perform.library import SHADER_SUFFIXES

    files: dict[Path, None] = {}
    for path in paths:
        there = [path]
        if path.is_dir():
            inside = (file for file in path.rglob("*") if not file.is_dir())
            there = sorted(file for file in inside if file.suffix.lower() in SHADER_SUFFIXES)
        if not path.exists():
            raise ValueError(f"{path}: there is no such file or folder")
        if not there:
            raise ValueError(f"{path}: there is no shader ({', '.join(SHADER_SUFFIXES)})")
        files |= dict.fromkeys(there)
    return [*files]


def _print(reports: Sequence[ShaderReport]) -> None:
    """A row for each file that draws, and the faults of the others."""
    table = Table("file", "ms", "remarks", box=None)
    for report in (one for one in reports if one.draw):
        remarks = [
            *(["one colour"] if report.flat else []),
            *(["not a number"] if report.nan else []),
            *([] if report.repeat else ["another picture each time"]),
            *([_counted(len(report.warnings))] if report.warnings else []),
        ]
        table.add_row(Text(report.file), f"{report.ms:.1f}", Text(", ".join(remarks)))
    out.print(table)
    for report in reports:
        for warning in report.warnings:
            out.print(warning, markup=False, highlight=False, soft_wrap=True)
        if report.error:
            complain(
                report.error if report.error.startswith(report.file) else f"{report.file}: {report.error}"
            )
    drawn = sum(report.draw for report in reports)
    out.print(f"{drawn} of {len(reports)} draw")


def _counted(warnings: int) -> str:
    return f"{warnings} warning{'s' if warnings > 1 else ''}"
