"""Still pictures from files of any kind that Pillow reads: upright, sRGB, 8 bits, with their alpha."""

from __future__ import annotations

import io
import logging
import math
import threading
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Pixels
from perform.faults import reason, system_reason
from perform.footage import FootageError
from perform.footage.changes import LOOK_INTERVAL, Changes
from perform.threads import Background

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger("perform")
LONGEST_SIDE = 4096  # pixels: what is longer is made smaller
MOST_PIXELS = 178_000_000  # pixels that a file may claim, as Pillow has it


def read(path: Path) -> Pixels:
    """The picture in a file [height, width, 3 | 4]; of an animation the first. Raises FootageError."""
    pixels, size = _read(path, LONGEST_SIDE)
    if max(size) > LONGEST_SIDE:
        log.warning("%s is %dx%d, shown at %dx%d", path, *size, *pixels.shape[1::-1])
    return pixels


def check(path: Path) -> None:
    """Raises FootageError if the picture in a file cannot be read."""
    _read(path, 64)


def _read(path: Path, longest: int) -> tuple[Pixels, tuple[int, int]]:
    """The picture in a file, no side longer than `longest`, and its own width and height."""
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise FootageError(f"{path}: there is no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size, and of damaged metadata
            with Image.open(path, formats=_formats()) as image:
                size = image.size
                return _pixels(image, longest), size
    except UnidentifiedImageError as error:
        raise FootageError(f"{path} cannot be read as a picture") from error
    except Image.DecompressionBombError as error:
        raise FootageError(f"{path} has more than {MOST_PIXELS // 10**6} million pixels") from error
    except (OSError, ValueError, SyntaxError, MemoryError, OverflowError) as error:
        why = system_reason(error) if isinstance(error, OSError) else reason(error)
        raise FootageError(f"{path} cannot be read: {why}") from error


@cache
def _formats() -> tuple[str, ...]:
    """All of Pillow but one: to read EPS it runs a program."""
    from PIL import Image

    Image.init()
    return tuple(name for name in Image.OPEN if name != "EPS")


def _pixels(image: Image.Image, longest: int) -> Pixels:
    from PIL import Image, ImageOps

    scale = min(longest / max(image.size), 1.0)  # a JPEG may be decoded at a half, a quarter or an eighth
    image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
    turned = ImageOps.exif_transpose(image)
    plain = _plain(turned)
    if max(plain.size) > longest:
        plain.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(plain)


def _plain(image: Image.Image) -> Image.Image:
    """A picture of any mode as RGB, or as RGBA if anything in it can be seen through."""
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image).convert("RGB")
    clear = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    profile = image.info.get("icc_profile")
    alpha = image.convert("RGBA").getchannel("A") if clear else None
    plain = _matched(image if image.mode == "CMYK" else image.convert("RGB"), profile)
    if alpha is not None:
        plain.putalpha(alpha)
    return plain


def _eight_bits(image: Image.Image) -> Image.Image:
    """A grey picture of 16 or 32 bits or of floats; what is neither 0..1 nor 0..255 counts as 16 bits."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0, neginf=0)
    highest = float(values.max(initial=0))
    if image.mode == "F" and highest <= 1:
        scale = 255.0
    else:
        scale = 1.0 if image.mode in ("F", "I") and highest <= 255 else 255 / max(highest, 65535.0)
    return Image.fromarray((values * scale).clip(0, 255).round().astype(np.uint8))


def _matched(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture in sRGB by its colour profile; a damaged profile is ignored."""
    from PIL import ImageCms

    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
            return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image.convert("RGB")


class WatchedStill:
    """A still that is read again, on its own thread, when its file is saved."""

    def __init__(self, path: Path) -> None:
        self._path, self._changes = path, Changes(path)
        self._new: Pixels | None = None
        self._watching = Background(self._watch, "still")

    def take(self) -> Pixels | None:
        """The picture as it was saved last, once."""
        new, self._new = self._new, None
        return new

    def close(self) -> None:
        """Stop watching, without waiting: the show goes on; safe to call twice."""
        self._watching.stop()

    def _watch(self, closing: threading.Event) -> None:
        while not closing.wait(LOOK_INTERVAL):
            if self._changes.seen():
                try:
                    self._new = read(self._path)
                    log.info("%s is shown as it is now", self._path)
                except FootageError as error:
                    log.error("kept the last good picture: %s", error)
