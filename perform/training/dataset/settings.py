"""The settings of a dataset: the pictures' shape, their format, and which of them are kept."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from perform.training.dataset.manifest import DatasetError, Recipe
from perform.training.ranges import check_ranges, ranged

FITS, PICTURE_FORMATS, FRAMES = ("crop", "fit", "stretch"), ("png", "jpg", "webp"), ("first", "all")
SHORTEST_SIDE, LONGEST_SIDE = 16, 2048  # a side in pixels
FARTHEST_DUPLICATE = 12  # bits in which two near perceptual hashes may differ: random ones, in 32


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """How pictures are converted and selected. Thresholds of 0 (`bright`: 1) keep everything.

    `fit`: crop (the middle), fit (all of it, with bars of `background`), stretch. `background` also
    lies behind transparency. `quality` is of jpg and webp; webp of 100 is lossless. `frames` of an
    animated file: first or all. `smallest`: pictures with a shorter side, in pixels, are dropped (0: those
    that would have to be enlarged more than twice). `duplicates`: the distance of perceptual hashes, in
    bits, up to which a picture is dropped as a duplicate. `blur`: the least variance of the Laplacian,
    `flat` the least standard deviation of the luminance, `dark` and `bright` its least and highest mean,
    of luminance 0..1 (for `blur`: 0..255, as is the custom).
    """

    size: tuple[int, int] = (256, 256)
    fit: str = "crop"
    background: str = "#000000"
    mirror: bool = False
    format: str = "png"
    quality: int = ranged(95, 1, 100)
    frames: str = "first"
    smallest: int = ranged(0, 0, 100_000)
    duplicates: int = ranged(0, 0, FARTHEST_DUPLICATE)
    blur: float = ranged(0.0, 0, 1e6)
    flat: float = ranged(0.0, 0, 0.5)
    dark: float = ranged(0.0, 0, 1)
    bright: float = ranged(1.0, 0, 1)
    limit: int = ranged(0, 0, 2**40)

    def __post_init__(self) -> None:
        for name, allowed in (("fit", FITS), ("format", PICTURE_FORMATS), ("frames", FRAMES)):
            if getattr(self, name) not in allowed:
                raise DatasetError(f"{name} {getattr(self, name)!r}, must be one of {', '.join(allowed)}")
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.background):
            raise DatasetError(f"background {self.background!r}, must be a colour such as #1a1a1a")
        check_ranges(self, DatasetError)

    @property
    def colour(self) -> tuple[int, int, int]:
        """The background in RGB."""
        red, green, blue = bytes.fromhex(self.background[1:])
        return red, green, blue

    @property
    def recipe(self) -> Recipe:
        """The settings as in dataset.json."""
        width, height = self.size
        return {**asdict(self), "size": f"{width}x{height}"}


def dataset_size(text: str) -> tuple[int, int]:
    """Width and height of `256` (a square: a power of two) or of `WIDTHxHEIGHT`. Raises DatasetError."""
    found = re.fullmatch(r"([0-9]{1,5})(?:[xX×]([0-9]{1,5}))?", text)
    sides = [int(side) for side in found.groups() if side] if found else []
    square = len(sides) == 1 and sides[0].bit_count() == 1
    if not (square or len(sides) == 2) or not all(SHORTEST_SIDE <= side <= LONGEST_SIDE for side in sides):
        raise DatasetError(
            f"size {text!r}, must be a power of two {SHORTEST_SIDE}..{LONGEST_SIDE}, or WIDTHxHEIGHT, each"
            f" {SHORTEST_SIDE}..{LONGEST_SIDE} pixels"
        )
    return sides[0], sides[-1]
