"""Opening picture files of every kind as they look: upright, in sRGB, 8 bits, opaque."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from perform.training.dataset.settings import DatasetSettings

if TYPE_CHECKING:
    from PIL import Image, ImageCms

MOST_PIXELS = 150_000_000  # pixels: 600 MB in memory; small files can claim more to exhaust it
# Not all of Pillow's formats: EPS runs a program, and some are never pictures.
PILLOW_FORMATS = (
    "AVIF", "BMP", "DDS", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD", "QOI",
    "SGI", "TGA", "TIFF", "WEBP",
)  # fmt: skip
PICTURE_SUFFIXES = frozenset(
    (
        ".apng", ".avif", ".bmp", ".dds", ".gif", ".icns", ".ico", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg",
        ".mpo", ".pbm", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".qoi", ".sgi", ".tga", ".tif",
        ".tiff", ".webp",
    )
)  # fmt: skip
# Some of these open as TIFF and give a thumbnail.
UNSUPPORTED_SUFFIXES = frozenset(
    (
        ".arw", ".cr2", ".cr3", ".dng", ".eps", ".exr", ".hdr", ".heic", ".heif", ".jxl", ".nef", ".orf",
        ".raf", ".rw2", ".svg", ".xcf",
    )
)  # fmt: skip
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF's orientations as Pillow's Transpose
_ALPHA = frozenset(("RGBA", "LA", "PA", "RGBa", "La"))


class Unfit(Exception):  # noqa: N818 - not an error, but an outcome
    """A picture cannot be in the dataset; `reason` is a key of losses.REASONS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """A picture in RGB, its size before (upright), how it was handled, and other facts."""

    name: str
    image: Image.Image
    size: tuple[int, int]
    handled: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file with a picture, or with several."""

    path: Path
    name: str

    def opened(self, settings: DatasetSettings) -> Iterator[OpenedPicture]:
        """Its picture; all frames of an animation if `settings.frames` is all. Raises Unfit."""
        if self.path.suffix.lower() in UNSUPPORTED_SUFFIXES:
            raise Unfit("unsupported", f"{self.path.suffix.lower()}, convert it to .png or .jpg first")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's warnings are in the report, or harmless
                yield from self._opened(settings)
        except (Unfit, GeneratorExit):
            raise
        except MemoryError as error:
            raise Unfit("huge", "there is not enough memory") from error
        except Exception as error:  # decoders raise anything; the file is lost, and listed
            kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
            raise Unfit("corrupt", f"{kind}{error}"[:200]) from error

    def _opened(self, settings: DatasetSettings) -> Iterator[OpenedPicture]:
        with self._file() as image:
            size = image.size
            count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if settings.frames == "first" or count == 1:
                image.draft(None, _draft_size(image, settings))
                yield self._frame(image, size, settings, self.name, ("animated",) * (count > 1))
                return
            for number in range(count):
                image.seek(number)
                yield self._frame(image.copy(), image.size, settings, f"{self.name}#{number}", ())

    def _file(self) -> Image.Image:
        """The opened file; its pixels are not read yet."""
        from PIL import Image, UnidentifiedImageError

        try:
            image = Image.open(self.path, formats=_formats())
        except UnidentifiedImageError as error:
            if self.path.suffix.lower() not in PICTURE_SUFFIXES:
                raise Unfit("foreign") from error
            empty = not self.path.stat().st_size
            raise Unfit("corrupt", "empty" if empty else "not what its name says") from error
        except Image.DecompressionBombError as error:
            raise Unfit("huge", f"more than {MOST_PIXELS // 10**6} megapixels") from error
        except (PermissionError, FileNotFoundError) as error:
            raise Unfit("unreadable", error.strerror or "") from error
        if image.width * image.height > MOST_PIXELS:
            image.close()
            raise Unfit("huge", f"{image.width}x{image.height}, more than {MOST_PIXELS // 10**6} megapixels")
        return image

    @staticmethod
    def _frame(
        image: Image.Image,
        size: tuple[int, int],
        settings: DatasetSettings,
        name: str,
        handled: tuple[str, ...],
    ) -> OpenedPicture:
        image.load()
        turn = orientation(image)
        plain, done = to_srgb(image, settings.colour)
        if turn:
            plain, done = plain.transpose(TURNS[turn]), (*done, "rotated")  # type: ignore[arg-type]
            size = size[::-1] if turn >= 5 else size
        return OpenedPicture(name, plain, size, (*handled, *done))


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file, upright, without reading its pixels. Raises Unfit."""
    try:
        with PictureFile(path, path.name)._file() as image:
            turned = image.format in ("JPEG", "MPO", "TIFF", "WEBP") and orientation(image) >= 5
            return image.size[::-1] if turned else image.size
    except OSError as error:
        raise Unfit("corrupt", str(error)) from error


def orientation(image: Image.Image) -> int:
    """The camera's orientation as a key of TURNS; 0: upright or unknown."""
    try:
        found = image.getexif().get(0x0112, 1)
    except (OSError, ValueError, LookupError, TypeError, SyntaxError, AttributeError, struct.error):
        return 0  # damaged metadata do not make a picture unfit
    return found if isinstance(found, int) and found in TURNS else 0


def to_srgb(image: Image.Image, background: tuple[int, int, int]) -> tuple[Image.Image, tuple[str, ...]]:
    """A loaded picture of any mode in sRGB, over a background, and how it was handled."""
    from PIL import Image

    handled = []
    if image.mode == "CMYK":
        handled.append("cmyk")
    if image.mode.startswith(("I", "F")):
        image, handled = _eight_bits(image), ["deep"]
    if image.mode in ("1", "L", "LA", "La"):
        handled.append("grey")
    alpha = None
    if image.mode in _ALPHA or "transparency" in image.info:
        profile = image.info.get("icc_profile")
        whole = image.convert("RGBA")
        alpha, image = whole.getchannel("A"), whole.convert("RGB")
        image.info["icc_profile"] = profile
    colours, matched = _srgb(image)
    handled += ["profile"] * matched
    if alpha is not None and alpha.getextrema()[0] != 255:
        colours = Image.composite(colours, Image.new("RGB", colours.size, background), alpha)
        handled.append("alpha")
    return colours, tuple(handled)


def _eight_bits(image: Image.Image) -> Image.Image:
    """A grey picture of 16 bits, 32 bits or floats in 8 bits; ranges but 0..1 and 0..255 are 16 bits."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image).astype(np.float64), posinf=0, neginf=0)
    highest = float(values.max())
    if image.mode == "F":
        scale = 255.0 if highest <= 1 else 255 / max(highest, 255.0)
    else:
        scale = 1.0 if image.mode == "I" and highest <= 255 else 255 / max(highest, 65535.0)
    small = Image.fromarray((values * scale).clip(0, 255).round().astype(np.uint8))
    small.info = {name: value for name, value in image.info.items() if name == "icc_profile"}
    return small


def _srgb(image: Image.Image) -> tuple[Image.Image, bool]:
    """A picture without alpha in sRGB, and whether a colour profile was applied."""
    from PIL import ImageCms

    base = image if image.mode in ("RGB", "L", "CMYK", "LAB") else image.convert("RGB")
    target = _profile("sRGB")
    try:
        if profile := image.info.get("icc_profile"):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if base.mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
                return base, False
            changed = ImageCms.profileToProfile(base, source, target, outputMode="RGB")
            return (base, False) if changed is None else (changed, True)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        pass  # a damaged profile, or one for other colours than the picture's, is ignored
    if base.mode == "LAB":
        changed = ImageCms.profileToProfile(base, _profile("LAB"), target, outputMode="RGB")
        assert changed is not None
        return changed, True
    return base.convert("RGB"), False


@cache
def _formats() -> tuple[str, ...]:
    """The formats of this build of Pillow, which knows some only after it has loaded all."""
    from PIL import Image

    Image.init()
    return tuple(name for name in PILLOW_FORMATS if name in Image.OPEN)


@cache
def _profile(name: Literal["sRGB", "LAB"]) -> ImageCms.ImageCmsProfile:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name))


def _draft_size(image: Image.Image, settings: DatasetSettings) -> tuple[int, int]:
    """The least size at which a JPEG may be decoded: twice what is needed, in both directions."""
    longest = max(settings.size)
    scale = min(2 * longest / min(image.size), 1.0)
    return max(round(image.width * scale), 1), max(round(image.height * scale), 1)
