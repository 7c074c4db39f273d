"""The presets and setlists that the bench of the stage plays, written into a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from perform import show
from perform.library import Library
from perform.rig import Rig, freeze_gc

DECK_MODEL = "flora"
GROUNDS = ("chladni", "cloth")  # the shader of the lowest layer of each deck
UPPER = ("rings", "truchet")  # that of its third layer
DECK_SETLIST = """
[[overlay]]
[overlay.source]
text = "ON AIR"
size = 0.1
place = [0.05, 0.9]
align = "left"

[[filter]]
shader = "grade"
contrast = 0.2
"""
FILTERS = """
[[layer.filter]]
shader = "displace"
amount = "0.2 + 0.1 * lfo(3)"
[[layer.filter]]
shader = "chromatic"
[[layer.filter]]
shader = "grade"
hue = "time.seconds / 16"
"""
DECK = f"""
[[layer]]
[layer.generator]
shader = "GROUND"
{FILTERS}
[[layer]]
name = "picture"
blend = "screen"
opacity = "0.5 + 0.4 * lfo(5)"
rotation = "8 * lfo(7)"
scale = 0.8
[layer.generator]
model = "MODEL"
fit = "fit"
[layer.latent]
path = "walk"
seed = 7
{FILTERS}
[[layer]]
blend = "overlay"
opacity = 0.6
[layer.generator]
shader = "UPPER"
{FILTERS}
[[layer]]
name = "words"
blend = "difference"
key = "luma"
[layer.source]
text = "DECK\\n{{value:.0f}}"
value = "beat.count"
size = 0.2
place = [0.1, 0.4]
{FILTERS}
[transition]
shader = "dissolve"
beats = 4
"""


def preset(title: str, text: str) -> str:
    """A preset with a title."""
    return f'title = "{title}"\n{text}'


def deck(number: int, model: str = DECK_MODEL) -> str:
    """A preset of four layers with three filters each: the first deck's (0) or the second's (1)."""
    text = DECK.replace("GROUND", GROUNDS[number]).replace("UPPER", UPPER[number])
    return preset(f"Deck {number + 1}", text.replace("MODEL", model))


def setlist(title: str, cues: Iterable[str], more: str = "") -> str:
    """A setlist whose cues, tables of TOML or names of presets, wait for GO; and its other tables."""
    tables = [one if "=" in one else f'scene = "{one}"' for one in cues]
    text = "".join(f'[[cue]]\nfollow = "stay"\n{table}\n' for table in tables)
    return f'title = "{title}"\nquantise = "off"\nloop = true\n{text}{more}'


def write_files(folder: Path, files: Mapping[str, str]) -> Library:
    """Write texts by their paths in a folder, and give the library that finds them there first."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Library(folder, *Library().folders)


def open_show(library: Library, name: str, **options: Any) -> Rig:
    """A live show of a written setlist, without a window, sound and OSC; `options` are those of a show."""
    given = {"headless": True, "osc_port": 0, "watch": False} | options
    rig = show.play(show.Options(name, **given), library)
    freeze_gc()
    return rig
