"""Draws footage/medusa.mp4: a jellyfish of light on black, a swim of four seconds without a seam.

    python -m scripts.medusa_film [FILE]

A bell of revolution is turned a little towards the eye; every rib of it and every tentacle is a line of
points that give light where they fall. The bell's stroke runs from its crown to its rim, and what hangs
from it follows late: all of it by waves whose periods divide the film's length.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles

ROOT = Path(__file__).resolve().parent.parent
SIZE = 640, 640  # pixels
RATE, SECONDS, STROKES = 25, 4, 2
RIBS, RINGS, TENTACLES, ARMS = 96, 4, 56, 5
TILT = 0.42  # radians, of its axis towards the eye
BELL, RIM, THREAD, ARM = (0.16, 0.42, 1.0), (0.5, 0.85, 1.0), (0.75, 0.35, 1.0), (1.0, 0.42, 0.32)


def stroke(turns: Doubles) -> Doubles:
    """How far the bell is drawn together, 0..1: quickly in, slowly out."""
    phase = turns % 1
    return np.where(
        phase < 0.3, np.sin(phase / 0.3 * np.pi / 2) ** 2, np.cos((phase - 0.3) / 0.7 * np.pi / 2) ** 2
    )


def bell(along: Doubles, round_: Doubles, turns: float) -> Doubles:
    """Points of the bell [3, n]: `along` 0 is its crown, 1 its rim; `round_` in radians."""
    drawn = stroke(turns - 0.16 * along)
    angle = along * (1.62 + 0.42 * drawn)
    fold = 1 + 0.05 * along**4 * np.cos(16 * round_)
    radius = (0.62 - 0.2 * drawn * along) * np.sin(angle) * fold
    return np.stack([radius * np.cos(round_), 0.5 * np.cos(angle) + 0.05 * drawn, radius * np.sin(round_)])


def threads(count: int, length: float, width: float, inner: float, turns: float, samples: int) -> Doubles:
    """What hangs from the bell [3, n]: from its rim, or from further in."""
    rng = np.random.default_rng(count)
    own = rng.uniform(0, 1, count)[:, None]
    about = 2 * np.pi * (np.arange(count)[:, None] + 0.6 * own) / count
    down = np.linspace(0, 1, samples)[None]
    start = bell(np.full((count, 1), inner), about, turns)
    late = 2 * np.pi * (turns - 1.1 * down - 0.12 * own)
    sway = width * down * (0.35 + own) * np.sin(late + 2 * np.pi * own)
    aside = width * 0.8 * down * np.cos(2 * np.pi * (turns / STROKES - 0.9 * down + own))
    draw = 1 - 0.45 * down * (1 - inner * 0.4)
    x = start[0] * draw + sway * np.cos(about) + aside * np.sin(about)
    z = start[2] * draw + sway * np.sin(about) - aside * np.cos(about)
    y = start[1] - down * length * (0.55 + 0.45 * own) * (1 + 0.06 * np.sin(late))
    return np.stack([x, y, z])


def splat(
    light: Doubles,
    points: Doubles,
    colour: tuple[float, float, float],
    strength: Doubles | float,
    turns: float,
) -> None:
    """Let points give light to a picture [height, width, 3]."""
    width, height = SIZE
    turn = 0.25 * np.sin(2 * np.pi * turns / STROKES)
    x = points[0] * np.cos(turn) - points[2] * np.sin(turn)
    z = points[0] * np.sin(turn) + points[2] * np.cos(turn)
    y = points[1] * np.cos(TILT) - z * np.sin(TILT)
    depth = points[1] * np.sin(TILT) + z * np.cos(TILT)
    rise = 0.05 * np.sin(2 * np.pi * (turns - 0.35))
    scale = 0.62 * height / (1.9 + 0.35 * depth)
    at_x, at_y = (width / 2 + x * scale * 1.55).ravel(), (0.36 * height - (y + rise) * scale * 1.55).ravel()
    given = np.broadcast_to(strength * (1 - 0.55 * np.clip(depth + 0.4, 0, 1)), x.shape).ravel()
    left, top = np.floor(at_x).astype(int), np.floor(at_y).astype(int)
    for dx in (0, 1):
        for dy in (0, 1):
            share = given * np.abs(1 - dx - (at_x - left)) * np.abs(1 - dy - (at_y - top))
            inside = (left + dx >= 0) & (left + dx < width) & (top + dy >= 0) & (top + dy < height)
            place = (top + dy)[inside] * width + (left + dx)[inside]
            sums = np.bincount(place, share[inside], width * height).reshape(height, width, 1)
            light += sums * np.array(colour)


def blurred(light: Doubles, steps: int) -> Doubles:
    """A soft glow: boxes along both axes, twice, each 2 * steps + 1 pixels wide."""
    for axis in (0, 1, 0, 1):
        sums = np.cumsum(np.pad(light, [(steps + 1, steps) if a == axis else (0, 0) for a in range(3)]), axis)
        ahead = np.take(sums, range(2 * steps + 1, sums.shape[axis]), axis)
        light = (ahead - np.take(sums, range(light.shape[axis]), axis)) / (2 * steps + 1)
    return light


def picture(turns: float) -> NDArray[np.uint8]:
    """One frame [height, width, 3]; `turns` counts strokes of the bell."""
    light = np.zeros((SIZE[1], SIZE[0], 3))
    ribs, along = np.arange(RIBS)[:, None] * 2 * np.pi / RIBS, np.linspace(0.03, 1, 260)[None]
    lit = 0.05 + 0.17 * along**2 + 0 * ribs
    splat(light, bell(along + 0 * ribs, ribs + 0 * along, turns), BELL, lit, turns)
    full, rings = np.linspace(0, 2 * np.pi, 1600)[None], np.linspace(0.25, 0.8, RINGS)[:, None]
    splat(light, bell(rings + 0 * full, full + 0 * rings, turns), BELL, 0.06, turns)
    splat(light, bell(np.ones_like(full), full, turns), RIM, 0.3, turns)
    down = np.linspace(0, 1, 460)[None]
    splat(light, threads(TENTACLES, 1.15, 0.1, 1.0, turns, 460), THREAD, 0.24 * (1 - down), turns)
    arms = threads(ARMS, 1.15, 0.14, 0.2, turns, 460)
    for strand in np.linspace(-1, 1, 11):  # each arm is a frilled ribbon
        frill = 0.05 * strand * np.sin(np.pi * down) * (1 + 0.6 * np.sin(2 * np.pi * (4.5 * down - turns)))
        aside = np.stack([frill, 0.3 * frill, 0.6 * frill])
        splat(light, arms + aside, ARM, 0.16 * (1 - 0.8 * down), turns)
    light = light + 1.4 * blurred(light, 2) + 1.1 * blurred(light, 9) + 0.9 * blurred(light, 34)
    shown = 255 * (1 - np.exp(-1.15 * light)) ** 0.85
    return shown.round().astype(np.uint8)


def main() -> None:
    """Write the film."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "footage" / "medusa.mp4"
    target.parent.mkdir(exist_ok=True)
    frames = RATE * SECONDS
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as file:
        stream = file.add_stream("libx264", rate=RATE)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        # a key frame every half second: it plays backwards as smoothly as forwards
        stream.options = {"crf": "24", "preset": "slow", "g": str(RATE // 2), "bf": "2"}
        for at in range(frames):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture(STROKES * at / frames), "rgb24")))
        file.mux(stream.encode(None))


if __name__ == "__main__":
    main()
