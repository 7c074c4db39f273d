"""The command `perform new`: a folder for a project of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from perform.paths import quoted, write_whole
from perform.terminal import complaints, program, say

SETLIST = """# The setlist: `perform play {folder}` plays it, from anywhere.
# Each cue is a scene: a preset of presets/.
title = "{title}"

[[cue]]
scene = "first"
bars = 8

[[cue]]
scene = "second"
bars = 8
transition = {{ shader = "iris", beats = 2 }}
"""
PRESETS = {
    "first": """# Rings that jump with the kick. Every number may be a formula: see docs/formulas.md.
title = "First"

[generator]
shader = "rings"

[[filter]]
shader = "pulse"
hit = "envelope(audio.low > 0.7, 0, 0.25)"
scale = "0.3 * pickup(midi.cc16, 0.4)"   # knob CC 16
""",
    "second": """# Flowers of a network. Put a model of your own into models/, and name it here.
title = "Second"

[generator]
model = "flora"
truncation = "0.7 + 0.3 * audio.low"

[latent]
path = "walk"
""",
}
README = """# {title}

    perform play {folder}                       # live
    perform play {folder} --audio song.flac     # with your own sound
    perform check {folder}                      # finds all faults
    perform render song.flac --scene {folder} --out {title}.mp4

What you save while the show plays is seen within a second. A name in a preset or a setlist is looked for
here first, then in the folder in which you start `perform`, then in your own files, then in what comes with
the program.

| here | is |
|---|---|
| `setlist.toml` | the scenes, in their order |
| `presets/` | a scene each: a generator, its filters, its knobs |
| `shaders/generators`, `shaders/filters`, `shaders/transitions` | your own ISF shaders, `.fs` |
| `models/` | trained networks: `.safetensors`, `.pkl`, `.pt` |
| `footage/` | films and pictures |
"""
FOLDERS = ("shaders/generators", "shaders/filters", "shaders/transitions", "models", "footage")


def new(
    folder: Annotated[
        Path, typer.Argument(metavar="NAME", help="The folder to make; its name is the title.")
    ],
) -> None:
    """Make a project: a folder with a setlist, two presets, a README, and places for what is yours."""
    with complaints():
        write_project(folder)
    say(f"{folder}: {program()} play {quoted(folder)} plays it")


def write_project(folder: Path) -> None:
    """Write the files of a new project, all or none. ValueError for a name that no text can hold,
    FileExistsError if the folder holds anything, OSError if it cannot be written."""
    if not str(folder).isprintable():
        raise ValueError(f"name {str(folder)!r}, must have no line ends and no other control characters")
    if folder.is_symlink() and not folder.exists():
        raise FileExistsError(f"{folder} is a link to nothing: give another name")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already: give another name")
    title = "".join(one for one in folder.absolute().name if one.isprintable() and one not in '"\\')
    texts = {"setlist.toml": SETLIST, "README.md": README}
    files = {name: text.format(title=title, folder=quoted(folder)) for name, text in texts.items()}
    files |= {f"presets/{name}.toml": text for name, text in PRESETS.items()}
    try:
        for name in ("presets", *FOLDERS):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(folder / name, text.encode())
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
