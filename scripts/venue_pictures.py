"""The picture of the editor in docs/venue.md: a test card on a bent wall, with the handles of its mesh.

python -m scripts.venue_pictures [--folder FOLDER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from perform.arrays import Pixels
from perform.render.context import headless
from perform.render.testcard import Card, Shown, canvas_card
from perform.scenes.look import Look
from perform.scenes.projection import EdgeBlend, Mask, Projection
from perform.venue.drawing import DisplayPresenter, Overlay
from perform.venue.editor import Editor
from perform.venue.shapes import outlines
from scripts.contact_sheets import ROOT

SIZE, CANVAS = (1280, 720), (2304, 720)
PART, SOFT = (0.0, 0.0, 5 / 9, 1.0), 0.2
CORNERS = ((0.07, 0.09), (0.95, 0.04), (0.97, 0.9), (0.04, 0.96))
STROKES = "2" + "r" * 1 + "c" * 2


def editor() -> Editor:
    """The editor after some work: corners, a mesh that follows a round wall, a soft edge, a mask."""
    lamp = Mask(((0.0, 0.0), (0.16, 0.0), (0.1, 0.2), (0.0, 0.24)), 0.01)
    projection = Projection(PART, corners=CORNERS, blend=EdgeBlend(right=SOFT), masks=(lamp,))
    state = Editor(("left", "right"), (projection, Projection()), size=SIZE)
    for key in STROKES:
        state = state.press(key)
    for number, up in ((1, -46), (2, -46), (9, 46), (10, 46), (5, -10), (6, -10)):
        while state.point != number:
            state = state.press("pagedown")
        state = state.nudge(0, up)
    return state


def picture() -> Pixels:
    """The display while it is edited [height, width, 3]."""
    context, state = headless(), editor()
    shown = [Shown(1, "left", SIZE, PART), Shown(2, "right", SIZE, (4 / 9, 0.0, 5 / 9, 1.0))]
    card = Card(context, canvas_card(CANVAS, shown)).render(0.4)
    presenter = DisplayPresenter(context, SIZE, state.projection)
    presenter.overlay = Overlay(outlines(state.projection, state.mode), state.handles, state.point)
    framebuffer = context.framebuffer([context.texture(SIZE, 3)])
    presenter.draw(card, framebuffer, SIZE, Look())
    height, width = SIZE[1], SIZE[0]
    return np.frombuffer(framebuffer.read(), np.uint8).reshape(height, width, 3)[::-1]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    folder: Path = parser.parse_args().folder
    Image.fromarray(picture()).quantize(128).save(folder / "venue-editor.png", optimize=True)


if __name__ == "__main__":
    main()
