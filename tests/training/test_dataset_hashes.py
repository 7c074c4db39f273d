"""Perceptual hashes: which pictures are close, which are not, and that the lookup equals comparing all."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from perform.training.dataset.hashes import BITS, Hash, Lookup, closest, picture_hash


def of(image: Image.Image) -> Hash:
    return picture_hash(np.asarray(image.resize((32, 32), Image.Resampling.BOX)))


@cache
def detailed(number: int) -> Image.Image:
    """With large and small forms, as photographs have."""
    draw, whole = np.random.default_rng(number), np.zeros((256, 256, 3))
    for side in (3, 6, 12, 48):
        forms = Image.fromarray(draw.integers(0, 256, (side, side, 3), np.uint8))
        whole += np.asarray(forms.resize((256, 256), Image.Resampling.BICUBIC)) / side
    return Image.fromarray((255 * (whole - whole.min()) / np.ptp(whole)).astype(np.uint8))


def as_jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=25)
    return Image.open(buffer)


CHANGES = {
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.8),
    "smaller": lambda image: image.resize((90, 90), Image.Resampling.LANCZOS),
    "cropped by a pixel": lambda image: image.crop((1, 1, 255, 255)),
    "as a poor jpg": as_jpeg,
}


@pytest.mark.parametrize("name", CHANGES)
def test_similar_pictures_have_close_hashes(name: str) -> None:
    distances = [of(detailed(n)).distance(of(CHANGES[name](detailed(n)))) for n in range(12)]
    assert np.mean(distances) <= 3 and max(distances) <= 6
    assert all(of(detailed(n)).alike(of(CHANGES[name](detailed(n)))) for n in range(12))


def test_deeper_crops_have_more_distant_hashes() -> None:
    def distance(cut: int) -> float:
        crops = (detailed(n).crop((cut, cut, 256 - cut, 256 - cut)) for n in range(12))
        return float(np.mean([of(detailed(n)).distance(of(crop)) for n, crop in enumerate(crops)]))

    near, far, farther = (distance(cut) for cut in (1, 8, 40))
    assert near < 3 < far < farther
    assert farther > 15


def test_different_pictures_have_distant_hashes() -> None:
    hashes = [of(detailed(n)) for n in range(40)]
    distances = [a.distance(b) for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(distances) > 12 and 28 < np.mean(distances) < 36


def test_a_picture_in_another_colour_is_different() -> None:
    image = detailed(3)
    other = Image.fromarray((np.asarray(image) * (1.0, 0.5, 0.4)).astype(np.uint8))
    assert not of(image).alike(of(other))
    lookup = Lookup(12)
    lookup.add(of(image))
    assert lookup.near(of(image)) == (0, 0)
    assert lookup.near(of(other)) is None


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_an_empty_picture_has_no_random_bits(level: int) -> None:
    noise = np.random.default_rng(0).integers(0, 2, (32, 32, 1), np.uint8)
    calm = np.full((32, 32, 3), level, np.uint8)
    assert picture_hash(calm).bits == 0
    # the grain of a black frame: not every one is another picture
    assert picture_hash((noise * (level < 255) + calm).astype(np.uint8)).bits.bit_count() < 12


WORDS = st.integers(0, 2**BITS - 1)


@given(
    st.lists(WORDS, max_size=30),
    WORDS,
    st.lists(st.integers(0, BITS - 1), max_size=12),
    st.integers(0, 12),
)
def test_the_lookup_finds_the_same_as_comparing_all(
    words: list[int], one: int, flips: list[int], distance: int
) -> None:
    for at in flips:
        words.append(one := one ^ (1 << at))
    lookup, asked = Lookup(distance), Hash(one, 0, 0)
    for word in words:
        lookup.add(Hash(word, 0, 0))
    all_distances = [(asked.distance(Hash(word, 0, 0)), n) for n, word in enumerate(words)]
    best = min((pair for pair in all_distances if pair[0] <= distance), default=None)
    assert lookup.near(asked) == (best and best[::-1])


def test_the_lookup_compares_few_hashes() -> None:
    """Of 20,000 hashes, at the usual distance: less than a thousandth."""
    words = np.random.default_rng(0).integers(0, 2**64, 20_000, np.uint64)
    lookup = Lookup(3)
    for word in words.tolist():
        lookup.add(Hash(word, 0, 0))
    asked = [Hash(word, 0, 0) for word in words[:50].tolist()]
    # the comparisons cost time only: the answer does not show them
    compared = sum(len(numbers) for one in asked for numbers in lookup._sharing(one)) / 50
    assert compared < 20
    assert all(lookup.near(one) == (n, 0) for n, one in enumerate(asked))


def test_the_closest_pairs_are_found() -> None:
    words = np.random.default_rng(1).integers(0, 2**64, 3000, np.uint64)
    words[2000] = words[7] ^ np.uint64(1 << 63)  # the highest bit: far away where they are sorted
    words[2500] = words[90] ^ np.uint64(0b11)
    assert closest(words, 2) == [(1, 7, 2000), (2, 90, 2500)]
    assert closest(words[:1], 2) == [] and closest(words[:2], 2)[0][1:] == (0, 1)
