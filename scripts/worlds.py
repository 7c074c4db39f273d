"""Pictures of another kind than flowers: worlds that there are not, globes in the dark, some with rings.

    python -m scripts.worlds FOLDER [--count 200]

Sums of waves on a sphere (an fBm, warped by another one) are clouds, bands and continents; Lambert's law
lights them.
"""

from __future__ import annotations

import argparse
from colorsys import hsv_to_rgb
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE, FINER = 256, 2  # pixels of a side; each is the mean of FINER x FINER
WAVES, OCTAVES, GAIN = (
    12,
    6,
    0.55,
)  # of an fBm: waves of an octave, octaves, and how much each counts of the one before
STARS = 90

Reals = NDArray[np.float64]


def world(draw: np.random.Generator) -> NDArray[np.uint8]:
    """A picture [SIZE, SIZE, 3]."""
    steps = (np.arange(SIZE * FINER) + 0.5) / (SIZE * FINER) * 2 - 1
    x, y = np.meshgrid(steps - draw.normal(0, 0.06), steps - draw.normal(0, 0.06))
    x, y = turned(x, y, draw.normal(0, 0.5))
    radius = draw.uniform(0.36, 0.68)
    distance = np.hypot(x, y) / radius  # from the middle, in radii
    z = np.sqrt(np.clip(1 - distance**2, 0, None))
    surface = np.stack([x / radius, y / radius, z], -1)
    light = draw.normal(0, 1, 3) * (1, 0.7, 0) + (0, 0, 0.55)
    light /= np.linalg.norm(light)
    colours, gas = palette(draw), draw.random() < 0.55
    ground = (bands if gas else continents)(surface, colours, draw)
    lit = np.clip(surface @ light + 0.05, 0, None) ** 0.8 * (1 - 0.35 * (1 - z))
    haze = np.exp(-np.abs(distance - 1) * 18) * np.clip(surface @ light + 0.35, 0, 1)
    inside = np.clip((1 - distance) * radius * SIZE, 0, 1)[..., None]
    picture = sky(draw, colours, x, y) * (1 - inside) + ground * lit[..., None] * inside
    picture += haze[..., None] * colours[2] * 0.55
    if draw.random() < (0.45 if gas else 0.1):
        tilted = y / draw.uniform(0.12, 0.4)
        seen = (tilted > 0) | (distance > 1)  # before the globe, or beside it
        picture = mixed(picture, colours[2] * 0.8, ring(np.hypot(x, tilted) / radius, draw) * seen[..., None])
    small = picture.reshape(SIZE, FINER, SIZE, FINER, 3).mean((1, 3))
    return np.asarray(np.clip(small, 0, 1) ** (1 / 1.8) * 255 + 0.5, np.uint8)


def turned(x: Reals, y: Reals, angle: float) -> tuple[Reals, Reals]:
    """The plane, turned."""
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def palette(draw: np.random.Generator) -> Reals:
    """Four colours that go together: three near each other, and one across."""
    hue = draw.random()
    hues = hue + np.array([0, draw.normal(0, 0.05), draw.normal(0, 0.08), 0.45 + draw.normal(0, 0.08)])
    values = zip(hues % 1, draw.uniform(0.25, 0.8, 4), (0.75, 0.35, 0.95, 0.6), strict=True)
    return np.array([hsv_to_rgb(*one) for one in values])


def waves(places: Reals, draw: np.random.Generator, octaves: int = OCTAVES) -> Reals:
    """An fBm of places [..., 3], about -1..1."""
    total = np.zeros(places.shape[:-1])
    for octave in range(octaves):
        directions = draw.normal(0, 1, (3, WAVES)) * 2.2 * 2**octave
        total += GAIN**octave * np.sin(places @ directions + draw.uniform(0, 2 * np.pi, WAVES)).mean(-1)
    return total * 2


def bands(surface: Reals, colours: Reals, draw: np.random.Generator) -> Reals:
    """A gas giant's: stripes, stirred."""
    stirred = surface[..., 1] + 0.06 * waves(surface * (1.0, 2.0, 1.0), draw)
    stripe = np.sin(stirred * draw.uniform(7, 18) + 2 * np.sin(stirred * draw.uniform(3, 7)))
    fine = waves(surface * (1.2, 5.0, 1.2), draw)
    share = np.clip(0.5 + 0.4 * stripe + 0.35 * fine, 0, 1)[..., None]
    spot = np.exp(-(((surface[..., :2] - draw.uniform(-0.5, 0.5, 2)) / (0.2, 0.1)) ** 2).sum(-1))[..., None]
    return mixed(mixed(colours[1], colours[2], share), colours[3], 0.8 * spot * (draw.random() < 0.5))


def continents(surface: Reals, colours: Reals, draw: np.random.Generator) -> Reals:
    """A rock's: land and sea, ice at the poles, clouds."""
    high = waves(surface + 0.25 * waves(surface, draw, 3)[..., None], draw)
    land = np.clip((high - draw.uniform(-0.3, 0.2)) * 9, 0, 1)[..., None]
    ground = mixed(colours[3] * 0.5, mixed(colours[0], colours[2], np.clip(high, 0, 1)[..., None]), land)
    cold = np.clip((np.abs(surface[..., 1]) + 0.2 * high - draw.uniform(0.75, 1.1)) * 8, 0, 1)[..., None]
    cloud = np.clip(waves(surface * (1, 2.2, 1) + 3, draw) - 0.1, 0, 1)[..., None] * draw.uniform(0, 1.6)
    return mixed(mixed(ground, np.ones(3), cold), np.ones(3), np.clip(cloud, 0, 0.9))


def sky(draw: np.random.Generator, colours: Reals, x: Reals, y: Reals) -> Reals:
    """Stars, and a glow of dust."""
    places = np.stack([x, y, np.zeros_like(x)], -1)
    dust = np.clip(waves(places * 0.6, draw, 4), 0, 1)[..., None] ** 2 * colours[3] * 0.1
    found = np.zeros((SIZE, SIZE))
    found[tuple(draw.integers(0, SIZE, (2, STARS)))] = draw.random(STARS) ** 3
    stars = np.repeat(np.repeat(found, FINER, 0), FINER, 1)[..., None]
    return np.asarray(dust + stars + 0.004)


def ring(distance: Reals, draw: np.random.Generator) -> Reals:
    """How much of a ring is at a distance from its middle, in radii of the globe."""
    inner, outer = draw.uniform(1.25, 1.5), draw.uniform(1.8, 2.3)
    inside = np.clip((distance - inner) * 30, 0, 1) * np.clip((outer - distance) * 30, 0, 1)
    grooves = 0.6 + 0.4 * np.sin(distance * 37 + np.sin(distance * 91))
    return np.asarray(inside * grooves * draw.uniform(0.5, 0.9))[..., None]


def mixed(one: Reals, other: Reals, share: Reals) -> Reals:
    """Colours between two."""
    return np.asarray(one + (other - one) * share)


def main() -> None:
    """Write them as PNG."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for number in range(given.count):
        Image.fromarray(world(np.random.default_rng(number))).save(given.folder / f"{number:04}.png")


if __name__ == "__main__":
    main()
