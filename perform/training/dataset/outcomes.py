"""The outcomes of a source's items: a kept picture, or a lost one with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from perform.training.dataset.hashes import Hash

# In the order of the report.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "foreign": "not a picture",
        "unsupported": "a kind of picture that cannot be read",
        "unreadable": "could not be opened",
        "corrupt": "damaged or cut off",
        "broken": "frames that could not be decoded",
        "huge": "too many pixels",
        "small": "too small: it would have to be enlarged too much",
        "cut": "next to a cut",
        "scene": "more of the same scene",
        "flat": "hardly any contrast",
        "dark": "too dark",
        "bright": "too bright",
        "blurred": "not sharp enough",
        "duplicate": "near-duplicates of one that was kept",
    }
)
HANDLED: Mapping[str, str] = MappingProxyType(
    {
        "rotated": "turned upright",
        "profile": "colour profile brought to sRGB",
        "cmyk": "CMYK to RGB",
        "deep": "16 or more bits to 8",
        "grey": "grey",
        "alpha": "transparency laid over the background",
        "animated": "animated: its first frame taken",
        "stretched": "film of oblong pixels brought to square ones",
        "hdr": "HDR film, not tone-mapped",
        "enlarged": "enlarged",
    }
)


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that is not in the dataset; `reason` is a key of REASONS."""

    name: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """An encoded picture with its hash and its facts: name, size before and more."""

    name: str
    data: bytes
    hash: Hash
    facts: Mapping[str, Any]


def legible(name: str) -> str:
    """A file's name; bytes that are not text are written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
