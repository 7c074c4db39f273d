"""`perform osc`: every OSC address of a show, with its type, range and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from perform.terminal import AsJson, complaints, out, show_names

if TYPE_CHECKING:
    from perform.scenes.nodes import Node
    from perform.scenes.setlist import Setlist

SUFFIXES_HELP = """After the address of a parameter
  /norm     its value as 0..1 of its range
  /release  releases the parameter: its formula plays it again; /release alone releases all
The addresses of a scene are those of the cue that is on. With /deck/a or /deck/b before them, they are
those of the cue on that deck.
To ask for a value, send the text ? as the only argument.
Addresses may have * ? [a-z] [!a-z] {one,another} in them."""


def osc(
    show: Annotated[
        str, typer.Argument(help="A setlist or a preset, by name or file.", autocompletion=show_names)
    ] = "demo",
    as_json: AsJson = False,
) -> None:
    """List all OSC addresses of a show: type, range, value or formula in the preset, and meaning."""
    from perform.show import find, load, open_library

    with complaints():
        library = open_library(show)
        setlist = load(find(show, library), library)
    if as_json:
        typer.echo(json.dumps(described(setlist)))
        return
    for title, nodes in chapters(setlist):
        out.print(title, style="bold", markup=False)
        out.print(_table(nodes))
    out.print(SUFFIXES_HELP, markup=False, highlight=False)


def chapters(setlist: Setlist) -> Iterator[tuple[str, list[Node]]]:
    """The addresses of the show, then those of each scene."""
    from perform.scenes.nodes import cue_nodes, show_nodes

    yield setlist.title, [*show_nodes(setlist).values()]
    once = {cue.scene.file: cue for cue in reversed(setlist.cues)}
    for cue in reversed([*once.values()]):
        yield cue.scene.title, [*cue_nodes(setlist, cue).values()]


def described(setlist: Setlist) -> dict[str, object]:
    """The list as one object."""
    (title, show), *scenes = chapters(setlist)
    return {
        "title": title,
        "show": [_row(node) for node in show],
        "scenes": [{"title": name, "addresses": [_row(node) for node in nodes]} for name, nodes in scenes],
    }


def _row(node: Node) -> dict[str, object]:
    parameter = node.parameter
    return {
        "address": node.address,
        "type": parameter.kind,
        "low": parameter.low,
        "high": parameter.high,
        "unit": parameter.unit,
        "choices": list(parameter.choices),
        "default": parameter.default,
        "setting": node.setting,
        "access": node.access,
        "formula": node.in_formulas,
        "description": parameter.description,
    }


def _table(nodes: Iterable[Node]) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("address", no_wrap=True)
    table.add_column("type", no_wrap=True)
    table.add_column("range", max_width=18)
    table.add_column("is", no_wrap=True, ratio=1, min_width=8, max_width=32)  # cut; a sentence never is
    table.add_column("does", ratio=2, min_width=18)
    for node in nodes:
        parameter = node.parameter
        spanned = parameter.kind not in ("event", "bool", "text", "message")
        setting = "" if node.setting is None or parameter.kind == "event" else str(node.setting)
        row = node.address, parameter.kind, parameter.range if spanned else "", setting
        table.add_row(*(escape(text) for text in (*row, parameter.description)))
    return table
