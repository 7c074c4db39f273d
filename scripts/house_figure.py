"""Draws docs/pictures/house.svg: the rooms of the code along the sentence that one frame is.

python -m scripts.house_figure
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

FILE = Path(__file__).parent.parent / "docs" / "pictures" / "house.svg"
WIDTH, LEFT, STEP, BOX = 1240, 24, 172, 152
INK, QUIET, ACCENT, PAPER, LINE = "#1d1f24", "#5b616b", "#0b7285", "#fbfbf9", "#c9ccd1"
SENTENCE = (
    ("events", ("inputs/", "audio midi osc link", "hands camera feeds")),
    ("signals", ("signals.py", "rhythm/", "features, beat, tempo")),
    ("parameters", ("scenes/", "presets, controls,", "addresses, cues", "formula/")),
    ("latent", ("latent/", "space, paths,", "curves, directions")),
    ("image", ("stage/ opens", "generators/", "on networks/", "footage/, shaders")),
    ("pixels", ("render/", "ISF shaders, targets,", "present: the last pass")),
    ("outputs", ("outputs/", "window, recorder,", "lights, MIDI clock")),
)
FLOORS = (
    ("the doors", "cli.py  ·  commands/  ·  bench/"),
    (
        "what they share",
        "training/  flora/  models/  sampling/  loops/  learning/  demonstrations/",
    ),
    ("the ground", "clock  parameters  paths  documents  faults  threads  arrays  keys"),
)


def text(x: float, y: float, words: str, size: int = 13, ink: str = INK, weight: int = 400) -> str:
    """A line of text, its middle at x."""
    style = f'font-size="{size}" fill="{ink}" font-weight="{weight}" text-anchor="middle"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, stroke: str = LINE) -> str:
    """A rounded box."""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} rx="7" fill="#fff" stroke="{stroke}"/>'


def sentence(top: float) -> Iterator[str]:
    """The seven words, an arrow between each and the next, and the rooms under them."""
    for i, (word, rooms) in enumerate(SENTENCE):
        x = LEFT + i * STEP
        yield box(x, top, BOX, 36, ACCENT) + text(x + BOX / 2, top + 24, word, 15, ACCENT, 600)
        for row, room in enumerate(rooms):
            heading = "/" in room or ".py" in room
            yield text(x + BOX / 2, top + 58 + 18 * row, room, 13, INK if heading else QUIET)
        if i:
            yield f'<path d="M{x - 17} {top + 18} h11" stroke="{ACCENT}" marker-end="url(#head)"/>'


def span(first: int, last: int, top: float, words: str) -> Iterator[str]:
    """A line under some of the words, with what happens there."""
    left, right = LEFT + first * STEP, LEFT + last * STEP + BOX
    yield f'<path d="M{left} {top} v7 H{right} v-7" fill="none" stroke="{LINE}" stroke-width="1.5"/>'
    yield text((left + right) / 2, top + 25, words, 13)


def floors(top: float) -> Iterator[str]:
    """The rooms above and below the frame."""
    for row, (name, rooms) in enumerate(FLOORS):
        y = top + 44 * row
        yield box(LEFT, y, 6 * STEP + BOX, 34)
        yield f'<text x="{LEFT + 16}" y="{y + 22}" font-size="13" fill="{QUIET}">{escape(name)}</text>'
        yield text(WIDTH / 2 + 40, y + 22, rooms, 13)


def figure(parts: Sequence[str], height: int) -> str:
    """The whole picture."""
    head = (
        '<marker id="head" markerWidth="6" markerHeight="6" refX="4" refY="3" orient="auto">'
        f'<path d="M0 0 L6 3 L0 6 z" fill="{ACCENT}"/></marker>'
    )
    frame = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
    paper = f'<rect width="{WIDTH}" height="{height}" rx="10" fill="{PAPER}"/>'
    return "\n".join((f"<svg {frame}>", f"<defs>{head}</defs>", paper, *parts, "</svg>", ""))


def main() -> None:
    """Write the picture."""
    parts = [
        *sentence(24),
        *span(1, 4, 170, "performance/: one step of the show, no device and no file known"),
        *span(
            0,
            6,
            218,
            "rig.py: the loop. It gathers events, contains faults, gives frames to outputs",
        ),
        text(
            WIDTH / 2,
            276,
            "show/ builds the rig from what you asked for; the library finds files by name",
            13,
        ),
        *floors(296),
    ]
    FILE.write_text(figure(parts, 442), encoding="utf-8")


if __name__ == "__main__":
    main()
