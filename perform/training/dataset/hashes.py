"""Near-duplicates: a perceptual hash of 64 bits, and a look-up that does not compare all with all.

The hash is that of pHash (Zauner, "Implementation and benchmarking of perceptual image hash functions",
2010): the signs of low frequencies of the luminance against their median. Ours takes the first 64 in zigzag
order after the mean, so that no bit is spent on brightness. It does not see colour, so two more bytes, the
mean chroma, must agree too: a red tulip is not a duplicate of a yellow one.

The imagehash package is not used: its hash has other bits, which existing datasets do not match, and needs
SciPy.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles, Pixels

HASH_SIDE = 32  # pixels of the small picture that is transformed
BITS = 64
CHROMA = 12  # levels of 255 by which the mean Cb and Cr of duplicates may differ
_LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as in JPEG


@dataclass(frozen=True, slots=True)
class Hash:
    """`bits` of the picture's forms; its mean chroma Cb and Cr, each 0..255."""

    bits: int
    blue: int
    red: int

    def distance(self, other: Hash) -> int:
        """Bits that differ, 0..64."""
        return (self.bits ^ other.bits).bit_count()

    def alike(self, other: Hash) -> bool:
        """Whether the colours agree."""
        return abs(self.blue - other.blue) <= CHROMA and abs(self.red - other.red) <= CHROMA


def picture_hash(small: Pixels) -> Hash:
    """The hash of a picture that was shrunk to [SIDE, SIDE, 3]."""
    pixels = small.astype(np.float64)
    grey = pixels @ _LUMINANCE
    waves = _cosines() @ grey @ _cosines().T
    first = waves.ravel()[_zigzag()]
    # below this step a sign is random: plain pictures, such as black ones, get the same bits
    first = np.where(np.abs(first) < 1.0, 0.0, first)
    bits = first > np.median(first)
    blue, red = (pixels[..., channel].mean() - grey.mean() for channel in (2, 0))
    packed = int.from_bytes(np.packbits(bits).tobytes(), "big")
    return Hash(packed, round(127.5 + blue * 0.5 / 0.886), round(127.5 + red * 0.5 / 0.701))


@cache
def _cosines() -> Doubles:
    """The orthonormal DCT-II as a matrix [SIDE, SIDE]."""
    rows, columns = np.mgrid[:HASH_SIDE, :HASH_SIDE]
    waves: Doubles = np.cos(np.pi * rows * (2 * columns + 1) / (2 * HASH_SIDE)) * np.sqrt(2 / HASH_SIDE)
    waves[0] /= np.sqrt(2)
    return waves


@cache
def _zigzag() -> NDArray[np.int64]:
    """The indices of the 64 lowest frequencies after the mean, in [HASH_SIDE, HASH_SIDE]."""
    rows, columns = np.mgrid[:HASH_SIDE, :HASH_SIDE]
    order = np.lexsort((rows.ravel(), (rows + columns).ravel()))
    return order[1 : BITS + 1]


class Lookup:
    """Finds a hash within `distance` bits among those added.

    Two hashes that differ in at most d bits agree in at least one of d + 1 bands of them (Manku, Jain and
    Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007): only those are compared.
    """

    def __init__(self, distance: int) -> None:
        self.distance = distance
        edges = np.linspace(0, BITS, distance + 2).round().astype(int).tolist()
        self._bands = [(low, (1 << (high - low)) - 1) for low, high in pairwise(edges)]
        self._buckets: list[dict[int, array[int]]] = [defaultdict(lambda: array("L")) for _ in self._bands]
        self._hashes: list[Hash] = []
        self._bits = np.empty(1024, np.uint64)

    def add(self, one: Hash) -> None:
        """Add a hash under the next number, from 0."""
        number = len(self._hashes)
        if number == len(self._bits):
            self._bits = np.concatenate((self._bits, np.empty_like(self._bits)))
        self._bits[number] = one.bits
        self._hashes.append(one)
        for bucket, (shift, mask) in zip(self._buckets, self._bands, strict=True):
            bucket[one.bits >> shift & mask].append(number)

    def near(self, one: Hash) -> tuple[int, int] | None:
        """Number and distance of the nearest hash that is near enough and of similar colour."""
        found = [self._within(numbers, one) for numbers in self._sharing(one)]
        distance, number = min((best for best in found if best), default=(0, -1))
        return None if number < 0 else (number, distance)

    def _sharing(self, one: Hash) -> list[array[int]]:
        bands = zip(self._buckets, self._bands, strict=True)
        found = (bucket.get(one.bits >> shift & mask) for bucket, (shift, mask) in bands)
        return [numbers for numbers in found if numbers]

    def _within(self, numbers: array[int], one: Hash) -> tuple[int, int] | None:
        """The best of one bucket as (distance, number)."""
        each = np.frombuffer(numbers, np.dtype(f"u{numbers.itemsize}"))
        distances = np.bitwise_count(self._bits[each] ^ np.uint64(one.bits))
        near = np.flatnonzero(distances <= self.distance)
        likely = ((int(distances[at]), int(each[at])) for at in near)
        return min((pair for pair in likely if one.alike(self._hashes[pair[1]])), default=None)


def closest(bits: NDArray[np.uint64], count: int, reach: int = 6) -> list[tuple[int, int, int]]:
    """About the `count` nearest pairs (distance, a, b) among many hashes, each hash in one pair at most.

    Sorted by each of eight rotations, near hashes come to lie within `reach` of each other: an
    approximation, in n log n.
    """
    pairs: dict[tuple[int, int], int] = {}
    for turn in range(0, BITS, 8):
        turned = bits if not turn else (bits << np.uint64(turn)) | (bits >> np.uint64(BITS - turn))
        order = np.argsort(turned, kind="stable")
        for step in range(1, reach + 1):
            distances = np.bitwise_count(bits[order[step:]] ^ bits[order[:-step]])
            for at in np.argsort(distances, kind="stable")[: 4 * count]:
                a, b = sorted((int(order[at]), int(order[at + step])))
                pairs[a, b] = int(distances[at])
    return _disjoint(sorted((distance, a, b) for (a, b), distance in pairs.items()), count)


def _disjoint(pairs: list[tuple[int, int, int]], count: int) -> list[tuple[int, int, int]]:
    taken: set[int] = set()
    chosen: list[tuple[int, int, int]] = []
    for distance, a, b in pairs:
        if len(chosen) < count and not {a, b} & taken:
            chosen.append((distance, a, b))
            taken |= {a, b}
    return chosen
