"""Converting an item of a source to pictures: shaped, measured, encoded. Runs in any process."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from perform.arrays import Doubles, Pixels
from perform.training.dataset.hashes import HASH_SIDE, picture_hash
from perform.training.dataset.opening import OpenedPicture, Unfit
from perform.training.dataset.outcomes import Kept, Lost, legible
from perform.training.dataset.settings import DatasetSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

Outcome: TypeAlias = Kept | Lost
ENLARGED = 2.0  # times at most, if no smallest size is given
PNG_LEVEL = 3  # 6, the usual, makes files 3 % smaller and takes twice the time


class Item(Protocol):
    """An item of a source: gives pictures, or raises Unfit. It can be sent to another process."""

    @property
    def name(self) -> str: ...
    def opened(self, settings: DatasetSettings) -> Iterator[OpenedPicture]: ...


def convert(item: Item, settings: DatasetSettings) -> list[Outcome]:
    """The outcomes of an item's pictures, in order."""
    outcomes: list[Outcome] = []
    try:
        for opened in item.opened(settings):
            outcomes.append(_outcome(opened, settings))
    except Unfit as fault:
        outcomes.append(Lost(legible(item.name), fault.reason, legible(fault.detail)))
    return outcomes


def _outcome(opened: OpenedPicture, settings: DatasetSettings) -> Outcome:
    from PIL import Image

    name = legible(opened.name)
    try:
        scale = _scale(opened, settings)
        inner = shaped(opened.image, settings)
        _check_thresholds(np.asarray(inner.convert("L"), np.float64), settings)
    except Unfit as fault:
        return Lost(name, fault.reason, fault.detail)
    width, height = opened.size
    small = inner.resize((HASH_SIDE, HASH_SIDE), Image.Resampling.BOX)
    found = picture_hash(np.asarray(small))
    facts = {
        "name": name,
        "width": width,
        "height": height,
        "handled": [*opened.handled, *["enlarged"] * (scale > 1.0)],
        "hash": f"{found.bits:016x}",
        **opened.facts,
    }
    return Kept(name, encoded(framed(inner, settings), settings), found, facts)


def _scale(opened: OpenedPicture, settings: DatasetSettings) -> float:
    """How much a picture is enlarged. Raises Unfit if it is too small."""
    ratios = [new / old for new, old in zip(settings.size, opened.size, strict=True)]
    scale = min(ratios) if settings.fit == "fit" else max(ratios)
    shorter = min(opened.size)
    if shorter < settings.smallest if settings.smallest else scale > ENLARGED:
        raise Unfit("small", f"{opened.size[0]}x{opened.size[1]}")
    return scale


def shaped(image: Image.Image, settings: DatasetSettings) -> Image.Image:
    """The picture in the dataset's size; with `fit`, as large as it fits."""
    from PIL import Image

    (width, height), (wide, high) = settings.size, image.size
    box, size = (0.0, 0.0, float(wide), float(high)), (width, height)
    if settings.fit == "crop":
        scale = min(wide / width, high / height)
        left, top = (wide - width * scale) / 2, (high - height * scale) / 2
        box = max(left, 0.0), max(top, 0.0), min(wide - left, wide), min(high - top, high)
    elif settings.fit == "fit":
        scale = min(width / wide, height / high)
        size = max(round(wide * scale), 1), max(round(high * scale), 1)
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def framed(inner: Image.Image, settings: DatasetSettings) -> Image.Image:
    """The picture in the middle of the background."""
    from PIL import Image

    if inner.size == settings.size:
        return inner
    whole = Image.new("RGB", settings.size, settings.colour)
    whole.paste(inner, tuple((a - b) // 2 for a, b in zip(settings.size, inner.size, strict=True)))  # type: ignore[arg-type]
    return whole


def encoded(image: Image.Image, settings: DatasetSettings) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    if settings.format == "png":
        image.save(buffer, "PNG", compress_level=PNG_LEVEL)
    elif settings.format == "jpg":
        image.save(buffer, "JPEG", quality=settings.quality, subsampling=0)
    else:
        lossless = settings.quality == 100
        image.save(buffer, "WEBP", lossless=lossless, quality=30 if lossless else settings.quality, method=2)
    return buffer.getvalue()


def _check_thresholds(grey: Doubles, settings: DatasetSettings) -> None:
    """Raise Unfit if the picture, luminance 0..255, is beyond a threshold of the settings."""
    mean, spread = grey.mean() / 255, grey.std() / 255
    sharp = sharpness(grey) if settings.blur else 0.0
    if settings.dark and mean < settings.dark:
        raise Unfit("dark", f"mean luminance {mean:.3f}")
    if mean > settings.bright:
        raise Unfit("bright", f"mean luminance {mean:.3f}")
    if settings.flat and spread < settings.flat:
        raise Unfit("flat", f"contrast {spread:.3f}")
    if settings.blur and sharp < settings.blur:
        raise Unfit("blurred", f"sharpness {sharp:.1f}")


def sharpness(grey: Doubles) -> float:
    """The variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy",
    ICPR 2000) of a luminance 0..255 [height, width]."""
    middle = 4 * grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((middle - around).var()) if middle.size else 0.0


def decoded(data: bytes) -> Pixels:
    """The pixels [height, width, 3] of an encoded picture of a shard. Raises OSError or ValueError."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
        return np.array(image.convert("RGB"))
