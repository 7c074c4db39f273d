"""The pictures of displays in docs: a test card, and two projectors whose edges are blended.

python -m scripts.projection_pictures [--folder FOLDER]
python -m scripts.projection_pictures --time    # milliseconds a frame at 1920x1080, beside `Present`
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import moderngl
import numpy as np

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.render.context import headless
from perform.render.delay import DelayLine
from perform.render.present import Present
from perform.render.projection import Projector
from perform.render.testcard import Card, Shown, display_card
from perform.scenes.look import Look
from perform.scenes.projection import EdgeBlend, Projection
from scripts.contact_sheets import ROOT, save
from scripts.golden import write
from scripts.golden_cases import PROJECTED, pixels, texture
from scripts.shader_sheet import Stage, frames

DISPLAY, OVERLAP, GAP = (640, 360), 160, 16  # pixels
GAMMA, PAPER = 2.2, 40
CANVAS = 2 * DISPLAY[0] - OVERLAP, DISPLAY[1]


def card(context: moderngl.Context) -> Pixels:
    """The card of the first of two displays."""
    shown = Shown(1, "left wall", (1280, 720), (0.0, 0.0, round(DISPLAY[0] / CANVAS[0], 4), 1.0))
    return pixels(Card(context, display_card(shown)).render(0.15))


def edge_blend(context: moderngl.Context) -> Pixels:
    """What two projectors show, and the wall: with the overlap as it is, and with soft edges."""
    (canvas,) = frames(Stage(CANVAS, context), "ridges", "drops", {}, (2.0,))
    hard, soft = (shown(context, canvas, width) for width in (0.0, OVERLAP / DISPLAY[0]))
    width = 2 * DISPLAY[0] + GAP
    apart = np.concatenate([soft[0], np.full((DISPLAY[1], GAP, 3), PAPER, np.uint8), soft[1]], axis=1)
    rows = [apart, *(centred(wall(displays), width) for displays in (hard, soft))]
    below = ((0, GAP), (0, 0), (0, 0))
    return np.concatenate([np.pad(row, below, constant_values=PAPER) for row in rows])[:-GAP]


def shown(context: moderngl.Context, canvas: Pixels, width: float) -> list[Pixels]:
    """What each of two projectors shows of a canvas, with a soft edge of a width."""
    part = DISPLAY[0] / CANVAS[0]
    image = texture(context, np.dstack([canvas, np.full_like(canvas[..., :1], 255)]))
    target, made = context.texture(DISPLAY, 4), []
    for left, blend in (
        (0.0, EdgeBlend(right=width, gamma=GAMMA)),
        (1 - part, EdgeBlend(left=width, gamma=GAMMA)),
    ):
        projector = Projector(context, DISPLAY, Projection((left, 0.0, part, 1.0), blend=blend))
        projector.draw(image, context.framebuffer([target]), (0, 0, *DISPLAY), Look())
        made.append(pixels(target))
    return made


def wall(displays: Sequence[Pixels]) -> Pixels:
    """The light of two projectors on a wall."""
    light = np.zeros((CANVAS[1], CANVAS[0], 3))
    for left, picture in zip((0, DISPLAY[0] - OVERLAP), displays, strict=True):
        light[:, left : left + DISPLAY[0]] += (picture / 255.0) ** GAMMA
    return (np.clip(light, 0, 1) ** (1 / GAMMA) * 255).round().astype(np.uint8)


def centred(picture: Pixels, width: int) -> Pixels:
    """A picture in the middle of a row."""
    beside = width - picture.shape[1]
    around = ((0, 0), (beside // 2, beside - beside // 2), (0, 0))
    return np.pad(picture, around, constant_values=PAPER)


def time_all(context: moderngl.Context, rounds: int = 40) -> Mapping[str, float]:
    """Milliseconds a frame at 1920x1080, the best of `rounds` taken in turns."""
    size = 1920, 1080
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    image, framebuffer = texture(context, noise), context.framebuffer([context.texture(size, 4)])
    units: dict[str, Present | Projector] = {
        "Present": Present(context, size),
        "plain": Projector(context, size),
    }
    units |= {name: Projector(context, size, one) for name, one in PROJECTED.items()}
    line, best = DelayLine(context, 0.1), dict.fromkeys((*units, "delay"), float("inf"))
    for turn in range(rounds):
        for name in best:
            context.finish()
            start = stopwatch()
            if name == "delay":
                line.push(image, turn / 60)
            else:
                units[name].draw(image, framebuffer, (0, 0, *size), Look(frame=turn))
            context.finish()
            best[name] = min(best[name], 1000 * (stopwatch() - start))
    return best


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--time", action="store_true")
    options, context = parser.parse_args(), headless()
    if options.time:
        best = time_all(context)
        lines = (f"{name:22}{ms:7.1f} ms {ms / best['Present']:6.2f}" for name, ms in best.items())
        parser.exit(message="\n".join(lines) + "\n")
    folder: Path = options.folder
    write(card(context), folder / "testcard.png")
    save(edge_blend(context), folder / "edge-blend.jpg")


if __name__ == "__main__":
    main()
