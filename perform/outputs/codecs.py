"""Codecs: how the pictures of a film are encoded, through the encoders of FFmpeg."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

from perform.parameters import choice

SUFFIXES = (".mp4", ".mov", ".mkv")
SMALLEST_SIDE = 16  # pixels of a film's picture


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec: FFmpeg's encoder, the files that hold it (the usual one first), its pixel format, and its
    `qualities`: from the best number to the worst, or names with their numbers, or None if it is lossless."""

    encoder: str
    suffixes: tuple[str, ...]
    pixels: str
    qualities: tuple[int, int] | Mapping[str, int] | None = None
    default: str = ""
    option: str = "crf"  # of the encoder, for the quality
    presets: tuple[str, str] | None = None  # of the encoder: offline and live
    fixed: tuple[tuple[str, str], ...] = ()  # options that are always given

    @property
    def allowed(self) -> str:
        """The qualities, in words."""
        match self.qualities:
            case None:
                return "left out: it is lossless"
            case (best, worst):
                return f"{best}..{worst}, less is better"
            case names:
                return f"one of {', '.join(names)}"

    def number(self, quality: str) -> int | None:
        """The encoder's number for a quality; None for one that it does not have."""
        match self.qualities:
            case None:
                return None
            case (best, worst):
                return int(quality) if quality.isdecimal() and best <= int(quality) <= worst else None
            case names:
                return names.get(quality)


PRORES = MappingProxyType({"proxy": 0, "lt": 1, "standard": 2, "hq": 3, "4444": 4})
CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        "h264": Codec("libx264", SUFFIXES, "yuv420p", (0, 51), "18", presets=("veryfast", "ultrafast")),
        "hevc": Codec(
            "libx265",
            SUFFIXES,
            "yuv420p",
            (0, 51),
            "20",
            presets=("veryfast", "ultrafast"),
            fixed=(("x265-params", "log-level=error"),),
        ),
        "av1": Codec("libsvtav1", (".mp4", ".mkv"), "yuv420p", (1, 63), "28", presets=("8", "12")),
        "prores": Codec("prores_ks", (".mov", ".mkv"), "yuv422p10le", PRORES, "hq", "profile"),
        "ffv1": Codec("ffv1", (".mkv",), "bgr0", fixed=(("level", "3"), ("slicecrc", "1"))),
    }
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec with its quality, for the file `path`."""

    codec: Codec
    name: str
    quality: int | None

    @property
    def pixels(self) -> str:
        """The pixel format."""
        return (
            "yuv444p10le" if self.name == "prores" and self.quality == PRORES["4444"] else self.codec.pixels
        )

    def options(self, live: bool, fps: Fraction) -> dict[str, str]:
        """The encoder's options: a keyframe a second; live, fast enough to go with a show."""
        options = {"g": str(max(round(fps), 1)), **dict(self.codec.fixed)}
        if self.codec.presets:
            options["preset"] = self.codec.presets[live]
        if self.quality is not None:
            options[self.codec.option] = str(self.quality)
        return options

    def sound(self, suffix: str) -> str:
        """The codec of the sound in such a file: lossless where the pictures are for an editor."""
        if suffix == ".mkv":
            return "flac"
        return "pcm_s24le" if self.name == "prores" else "aac"

    def tag(self, suffix: str) -> str | None:
        """The name that players on a Mac need in the file, where it is not FFmpeg's."""
        return "hvc1" if self.name == "hevc" and suffix != ".mkv" else None


def encoding(path: Path | None, codec: str = "h264", quality: str | None = None) -> Encoding:
    """The encoding of a film by the options of a command. Raises ValueError if the codec is unknown, if
    FFmpeg has none here, or if the quality or the file (None: any) does not suit it."""
    chosen = CODECS[choice("codec", codec, (*CODECS,))]
    number = chosen.number(quality or chosen.default)
    if number is None and (quality is not None or chosen.default):
        raise ValueError(f"quality {quality!r} of {codec}, must be {chosen.allowed}")
    if path is not None and path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: the name must end in {', '.join(SUFFIXES)}")
    if path is not None and path.suffix.lower() not in chosen.suffixes:
        raise ValueError(f"{path}: a film in {codec} must end in {' or '.join(chosen.suffixes)}")
    if codec != "h264":
        _check_encoder(codec, chosen.encoder)
    return Encoding(chosen, codec, number)


def check_size(size: tuple[int, int]) -> None:
    """ValueError if no film has pictures of this (width, height): the codecs store colours of two by two
    pixels."""
    if any(side < SMALLEST_SIDE or side % 2 for side in size):
        raise ValueError(f"size = {size[0]}x{size[1]}, must be even numbers from {SMALLEST_SIDE} on")


def _check_encoder(codec: str, encoder: str) -> None:
    """ValueError if the FFmpeg of PyAV has no such encoder."""
    import av

    os.environ.setdefault("SVT_LOG", "1")  # errors only
    try:
        av.codec.Codec(encoder, "w")
    except ValueError as error:
        raise ValueError(f"codec {codec!r}: FFmpeg has no encoder {encoder} here") from error
