"""Sound and film files as FFmpeg opens them: only files, never addresses, playlists or other text."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from perform.arrays import AnyArray
from perform.paths import special

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

log = logging.getLogger("perform")

# Nothing is fetched, and a name with a percent sign is no row of pictures.
OPTIONS: Mapping[str, str] = MappingProxyType({"protocol_whitelist": "file", "pattern_type": "none"})
MOST_LOGGED, MOST_PLACES = 10, 1000  # faults of one file that are logged, and that are counted
LAST_MICROSECONDS = 2_000_000  # of a file, in which its last picture is looked for
HEAD_BYTES = 4096  # of a file, by which text is recognised
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # characters that no text has
PLAYLIST = re.compile(
    r"#extm3u|\[playlist\]|\[reference\]|<playlist|<asx|<smil|<\?wpl|<mpd|ffconcat version"
    r"|^\s*file\s.*\s(wave|mp3|aiff|flac|ogg|binary|motorola)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
PLAYLIST_SUFFIXES = (
    *(".asx", ".b4s", ".cue", ".m3u", ".m3u8", ".mpd", ".pls"),
    *(".ram", ".strm", ".wax", ".wpl", ".wvx", ".xspf"),
)
WEB_PAGE = re.compile(r"\s*(<!doctype html|<html)", re.IGNORECASE)


class MediaError(ValueError):
    """A file that is neither sound nor film; the message says what it is, without its name."""


@dataclass(slots=True)
class Damage:
    """The faults of a decoder in one file, each place once, however often it is read."""

    path: Path
    first: str = ""
    _places: set[float] = field(default_factory=set)

    def note(self, seconds: float, error: Exception) -> None:
        """Log a fault at a time of the file, of the first places only."""
        place = round(max(seconds, 0.0), 3)
        if place in self._places or len(self._places) >= MOST_PLACES:
            return
        sentence = f"damaged at {int(place // 60)}:{place % 60:06.3f} ({why(error)})"
        self.first = self.first or sentence
        self._places.add(place)
        if len(self._places) <= MOST_LOGGED:
            log.warning("%s: %s", self.path, sentence)

    @property
    def summary(self) -> str:
        """For an operator; empty without faults."""
        others = len(self._places) - 1
        return self.first + (f" and at {others} other place{'s' * (others > 1)}" if others > 0 else "")


def address(path: Path) -> str:
    """A file as FFmpeg names it: a colon in its name is no protocol."""
    return f"file:{path}"


def open_media(path: Path) -> InputContainer:
    """The container in a file. Raises MediaError for an empty file, for text and for what is no file, else
    what `av.open` does."""
    import av

    if kind := special(path):
        raise MediaError(f"it is {kind}, must be a file")
    _refuse_text(path)
    return av.open(address(path), options=dict(OPTIONS), metadata_errors="replace")


@cache
def faults() -> tuple[type[Exception], ...]:
    """What FFmpeg raises."""
    from av.error import FFmpegError

    return OSError, ValueError, FFmpegError


def why(error: Exception) -> str:
    """What FFmpeg or the system says of a file, without its name."""
    return str(getattr(error, "strerror", "") or error)


def origin(container: InputContainer) -> float:
    """The second of the file's own time at which it begins: where its first sound or picture does."""
    starts = [_start(one) for one in (*container.streams.audio, *films(container))]
    return float(min((start for start in starts if start is not None), default=0))


def films(container: InputContainer) -> list[Any]:
    """The streams of moving pictures; the cover of a record is none."""
    import av

    cover = av.stream.Disposition.attached_pic
    return [one for one in container.streams.video if not one.disposition & cover]


def pictures_end(container: InputContainer) -> float | None:
    """The second, from its beginning, at which the last moving picture of a file is over; None without any.
    Reads the container to its end."""
    streams = films(container)
    if not streams:
        return None
    lasting = 1 / float(streams[0].average_rate or 25)
    ends = []
    with suppress(*faults()):
        if container.duration:
            container.seek(max(container.duration - LAST_MICROSECONDS, 0) + (container.start_time or 0))
        for packet in container.demux(streams[0]):
            if packet.size and packet.pts is not None:
                ends.append(float((packet.pts + (packet.duration or 0)) * packet.time_base))
                ends[-1] += 0 if packet.duration else lasting
    return max(ends) - origin(container) if ends else None


def _start(stream: Any) -> Fraction | None:
    if stream.start_time is None or stream.time_base is None:
        return None
    return Fraction(stream.start_time * stream.time_base)


def _refuse_text(path: Path) -> None:
    """Raises MediaError if the file is empty, or text: FFmpeg would play what a playlist names."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise MediaError("it is empty")
    text = _text(head)
    if text is None:
        return
    if PLAYLIST.search(text) or path.suffix.lower() in PLAYLIST_SUFFIXES:
        raise MediaError("it is a playlist: give one of the files that it names")
    raise MediaError("it is a web page" if WEB_PAGE.match(text) else "it is a text")


def _text(head: bytes) -> str | None:
    """The beginning of a file as text; None if it is something else."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    else:
        text = head.decode("utf-8-sig", errors="replace")
    return None if CONTROLS.search(text) else text


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pictures become upright: first `transposed` (rows become columns), then mirrored left to
    right and top to bottom. The eight display matrices are these."""

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @property
    def changes(self) -> bool:
        """Whether the upright picture is another than the stored one."""
        return self != Orientation()

    def upright(self, pixels: AnyArray) -> AnyArray:
        """The upright picture of stored pixels [height, width, channels]."""
        turned = pixels.swapaxes(0, 1) if self.transposed else pixels
        rows = slice(None, None, -1) if self.flipped else slice(None)
        columns = slice(None, None, -1) if self.mirrored else slice(None)
        return np.ascontiguousarray(turned[rows, columns])


def orientation(frame: av.VideoFrame) -> Orientation:
    """The orientation that a frame's display matrix gives it; the nearest of the eight."""
    _accept_new_side_data()
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    matrix = np.frombuffer(bytes(data), np.int32)[:6].astype(np.int64)
    a, b, _, c, d, _ = matrix.tolist()  # (x, y) goes to (a x + c y, b x + d y)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


@cache
def _accept_new_side_data() -> None:
    """Give FFmpeg's newer kinds of side data, such as the EXIF of a JPEG, a name in PyAV's list of kinds. It
    refuses all side data of a frame that has one of a kind outside of its list."""
    from av.sidedata.sidedata import Type

    def missing(cls: Any, number: int) -> Any:
        kind = object.__new__(cls)
        kind._name_, kind._value_ = f"KIND_{number}", number
        return kind

    Type._missing_ = classmethod(missing)  # type: ignore[assignment, method-assign]
