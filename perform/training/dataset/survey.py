"""The numbers and small pictures of a dataset for its report."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Doubles, Pixels
from perform.training.colours import oklab
from perform.training.dataset import Dataset
from perform.training.dataset.hashes import closest
from perform.training.dataset.manifest import DROPPED
from perform.training.dataset.settings import FARTHEST_DUPLICATE

if TYPE_CHECKING:
    from PIL import Image

SURVEYED = 480  # pictures, evenly spread, for colours and the mean picture
SHEET_PICTURES = 96  # of these on the contact sheet
PAIRS = 8
EXAMPLES = 3
COLOURS, GREY = 8, 0.01  # of the palette; the pull of a grey point, where a vivid one has 0.2
HUE = np.array([0.5, 1.5, 1.5])  # hues count more than lightness
_SMALL = 32  # pixels a side of what colours are counted in
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two pictures that are near each other."""

    distance: int
    pictures: tuple[Image.Image, Image.Image]
    names: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Survey:
    """`sizes` [n, 2]: widths and heights before. `luminance`: shares of 64 steps from black to white.
    `palette`: colours and their shares, the most frequent first. `mean`: the mean of all pictures."""

    surveyed: int
    sheet: list[Image.Image]
    mean: Image.Image
    colour: tuple[int, int, int]
    luminance: Doubles
    palette: list[tuple[tuple[int, int, int], float]]
    sizes: Doubles
    pairs: list[NearPair]
    examples: dict[str, list[str]]


def survey(pictures: Dataset) -> Survey:
    """Survey a dataset: all its facts, and up to 480 of its pictures."""
    from PIL import Image

    spread = np.unique(np.linspace(0, len(pictures) - 1, SURVEYED).round().astype(int)).tolist()
    shown = {spread[n * len(spread) // SHEET_PICTURES] for n in range(SHEET_PICTURES)}
    total = np.zeros((pictures.size[1], pictures.size[0], 3))
    sheet, small = [], []
    for number in spread:
        pixels = pictures.picture(number)
        image = Image.fromarray(pixels)
        total += pixels
        small.append(np.asarray(image.resize((_SMALL, _SMALL), Image.Resampling.BOX)))
        sheet += [thumbnail(image)] if number in shown else []
    mean = total / len(spread)
    points = np.stack(small).reshape(-1, 3)
    facts = [pictures.facts(number) for number in range(len(pictures))]
    return Survey(
        len(spread),
        sheet,
        thumbnail(Image.fromarray(mean.round().astype(np.uint8)), 256),
        _rgb(mean.mean((0, 1))),
        np.histogram(points @ _LUMINANCE, 64, (0, 256))[0] / len(points),
        palette(points[:: max(len(points) // 40_000, 1)]),
        np.array([(one.get("width", 0), one.get("height", 0)) for one in facts], np.float64),
        _pairs(pictures, facts),
        _examples(pictures.path / DROPPED),
    )


def thumbnail(image: Image.Image, side: int = 160) -> Image.Image:
    """The picture, at most `side` pixels wide and high."""
    small = image.copy()
    small.thumbnail((side, side))
    return small


def palette(points: Pixels, count: int = COLOURS) -> list[tuple[tuple[int, int, int], float]]:
    """Colours that stand for many, sRGB [n, 3], and their shares: k-means in Oklab (Ottosson, "A perceptual
    color space for image processing", 2020), begun with points that lie far apart. Vivid points pull more
    than their number, or all colours of dark pictures would be dark."""
    lab = oklab(points / 255)
    pull = GREY + np.hypot(lab[:, 1], lab[:, 2])
    lab *= HUE
    centres = lab.mean(0, keepdims=True)
    nearest = ((lab - centres[0]) ** 2).sum(1)
    for _ in range(count - 1):
        # far apart, but not one of a kind: the place of the upper twentieth
        pick = np.argsort(nearest, kind="stable")[int(0.95 * (len(lab) - 1))]
        centres = np.concatenate((centres, lab[pick : pick + 1]))
        nearest = np.minimum(nearest, ((lab - lab[pick]) ** 2).sum(1))
    for _ in range(12):
        owner = ((lab[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        centres = np.stack(
            [
                np.average(lab[owner == n], 0, pull[owner == n]) if (owner == n).any() else centres[n]
                for n in range(count)
            ]
        )
    shares = np.bincount(owner, minlength=count) / len(lab)
    order = [n for n in np.argsort(-shares, kind="stable").tolist() if shares[n] > 0]
    return [(_rgb(points[owner == n].mean(0)), float(shares[n])) for n in order]


def _rgb(colour: Doubles) -> tuple[int, int, int]:
    red, green, blue = colour.round().astype(int).tolist()
    return red, green, blue


def _pairs(pictures: Dataset, facts: list[dict[str, object]]) -> list[NearPair]:
    """The nearest pairs by their hashes; empty without stored hashes."""
    from PIL import Image

    hashes = [one.get("hash") for one in facts]
    if not all(isinstance(one, str) for one in hashes):
        return []
    bits = np.array([int(str(one), 16) for one in hashes], np.uint64)
    found = []
    for distance, *both in closest(bits, PAIRS):
        if distance > FARTHEST_DUPLICATE:
            break
        a, b = (thumbnail(Image.fromarray(pictures.picture(number))) for number in both)
        found.append(NearPair(distance, (a, b), (pictures.name(both[0]), pictures.name(both[1]))))
    return found


def _examples(file: Path) -> dict[str, list[str]]:
    """The first dropped pictures for each reason."""
    found: dict[str, list[str]] = defaultdict(list)
    if not file.is_file():
        return found
    with file.open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            names = found[str(row.get("reason"))]
            if len(names) < EXAMPLES:
                detail = row.get("detail")
                names.append(f"{row.get('name')} ({detail})" if detail else str(row.get("name")))
    return found
