"""Writes docs/command-line.md from the commands' own help.

python -m scripts.command_line
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from perform.cli import PANELS, app

FILE = Path(__file__).parent.parent / "docs" / "command-line.md"
HEAD = """# The command line

Written by `scripts/command_line.py` from the commands' own help: `perform COMMAND --help` shows the same.

- `perform --version` prints the version. `python -m perform` is the same program.
- `perform --install-completion` lets the shell complete commands, options and their words, and the names of
  shows, models, signals and parameters with the Tab key. Open a new shell after it.
- A show is a name (`demo`), a file (`my.toml`, a picture, a film, a shader, a model) or the folder of a
  project: [where files are](files.md).
- Exit codes: 0 if all is well, 1 if not, 2 for an option that does not exist, 130 after Ctrl-C.
- Nothing that you made is overwritten. A recording gets a number; other files need `--force`.
  What a command reads it never replaces.
"""


def text() -> str:
    """The page."""
    listed = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    lines = [HEAD]
    for panel, commands in PANELS.items():
        lines += [f"## {panel}", ""]
        for name in commands:
            lines += _command(f"perform {name}", listed[name])
    return "\n".join(lines).rstrip() + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    """A command, or a group and its commands."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and "--help" not in one.opts]
    words = [_usage(one) for one in arguments] + ["[OPTIONS]"] * bool(options)
    inner = getattr(command, "commands", {})
    if any(one.hidden for one in inner.values()):  # it is what the group does without a further word
        for word, one in inner.items():
            yield from _command(name if one.hidden else f"{name} {word}", one)
        return
    yield from (f"### {' '.join([name, *words])}", "", *_paragraphs(command.help or ""))
    rows = [*map(_argument, arguments), *map(_option, options)]
    if rows:
        yield from ("| option | default | does |", "|---|---|---|", *rows, "")
    for word, one in inner.items():
        yield from _command(f"{name} {word}", one)


def _usage(argument: Any) -> str:
    word = argument.metavar or argument.name.upper()
    several = "..." if argument.nargs == -1 and "..." not in word else ""
    return f"{word}{several}" if argument.required or "[" in word else f"[{word}]{several}"


def _argument(argument: Any) -> str:
    word = (argument.metavar or argument.name.upper()).strip("[].")
    return _row(word, _default(argument), argument.help)


def _option(option: Any) -> str:
    switches = ", ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else " " + (option.metavar or _kind(option))
    return _row(switches + value, _default(option), option.help)


def _kind(option: Any) -> str:
    """The word for an option's value: its own name, in capitals."""
    return str(option.opts[0].lstrip("-").replace("-", "_").upper())


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    value = parameter.default
    if getattr(parameter, "is_flag", False):
        return ("on" if value else "off") if parameter.secondary_opts else ""
    return "" if value is None or callable(value) or value in ("", [], ()) else f"{value}"


def _row(*cells: str | None) -> str:
    first, default, help_ = ((cell or "").replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| `{first}` | {default} | {help_} |".replace("|  |", "| |")


def _paragraphs(help_: str) -> Iterator[str]:
    """The help, with each paragraph on one line."""
    for paragraph in inspect.cleandoc(help_).replace("\b\n", "").split("\n\n"):
        yield from (" ".join(paragraph.split()), "")


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
