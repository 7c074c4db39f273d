"""A film as a source of pictures: a range, every n-th frame, some frames of each scene.

A film is read once. To find scenes it is read twice, the first time as thumbnails. A resumed run reads it
again from the start of the range and skips what is done: seeking is faster, but depends on key frames.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perform import media, paths
from perform.arrays import Pixels
from perform.footage.reel import matrix
from perform.media import Orientation
from perform.training.dataset.cuts import THUMBNAIL_SIZE, FrameChooser, cuts, difference, dropped_frames
from perform.training.dataset.manifest import DatasetError, Recipe
from perform.training.dataset.opening import OpenedPicture
from perform.training.dataset.outcomes import Lost, legible
from perform.training.dataset.settings import DatasetSettings

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from PIL import Image

    from perform.training.dataset.converting import Item

FINGERPRINT_BYTES = 2**20  # bytes that are hashed to identify a film
HDR_CURVES = (16, 18)  # transfer curves: SMPTE ST 2084 (PQ), ARIB STD-B67 (HLG)


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """The frames to take: from second `start` to `end` (None: the end), every `stride`-th, or `fps` a second
    (0: all). With `scenes`, so many of each scene, evenly spread; `margin` frames on both sides of a cut are
    left out, as dissolves and encoders blur them."""

    start: float = 0.0
    end: float | None = None
    stride: int = 1
    fps: float = 0.0
    scenes: int = 0
    margin: int = 0

    def __post_init__(self) -> None:
        end = math.inf if self.end is None else self.end
        if not 0 <= self.start < end:
            raise DatasetError(f"from {self.start:g} to {end:g} s, must be a range from 0 on")
        if not (self.stride >= 1 and 0 <= self.fps <= 1000 and self.scenes >= 0 and self.margin >= 0):
            raise DatasetError(
                f"stride = {self.stride}, fps = {self.fps:g}, scenes = {self.scenes}, margin = {self.margin}:"
                " stride must be 1 or more, fps 0..1000, the others 0 or more"
            )
        if self.stride > 1 and self.fps:
            raise DatasetError("give one of stride and fps")


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A decoded frame: its number in the range and its time in the film."""

    number: int
    seconds: float
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """A frame's pixels as they are stored, `aspect` (a pixel's width over its height), and the
    orientation that makes the frame upright."""

    name: str
    pixels: Pixels
    seconds: float
    aspect: float
    orientation: Orientation
    hdr: bool

    def opened(self, settings: DatasetSettings) -> Iterator[OpenedPicture]:
        """The frame as a projector shows it."""
        from PIL import Image

        image: Image.Image = Image.fromarray(self.orientation.upright(self.pixels))
        handled = ("rotated",) * self.orientation.changes + ("hdr",) * self.hdr
        if self.aspect != 1.0:
            aspect = 1 / self.aspect if self.orientation.transposed else self.aspect
            wide, high = image.size
            size = (round(wide * aspect), high) if aspect > 1 else (wide, round(high / aspect))
            image, handled = image.resize(size, reducing_gap=3.0), (*handled, "stretched")
        yield OpenedPicture(self.name, image, image.size, handled, {"seconds": round(self.seconds, 6)})


class Film:
    """Frames of a film file. Raises DatasetError if it cannot be opened or has no pictures."""

    def __init__(self, path: Path, pick: FrameChoice, threads: int = 1) -> None:
        file = paths.found(path)
        if file is None:
            raise DatasetError(f"{path}: there is no such file")
        self.path, self.pick, self._threads = file, pick, threads
        with self._opened() as (_, stream):
            self._rate = float(stream.average_rate or stream.guessed_rate or 25)
            self.seconds = float((stream.duration or 0) * (stream.time_base or 0))
            self._aspect = float(stream.sample_aspect_ratio or 1) or 1.0

    @property
    def recipe(self) -> Recipe:
        with self.path.open("rb") as file:
            seen = hashlib.sha256(file.read(FINGERPRINT_BYTES))
        seen.update(str(self.path.stat().st_size).encode())
        return {
            "source": "film",
            "from": legible(self.path.name),
            "fingerprint": seen.hexdigest()[:16],
            **asdict(self.pick),
            "end": -1.0 if self.pick.end is None else self.pick.end,
        }

    @property
    def total(self) -> int | None:
        return None

    @property
    def expected(self) -> int:
        """The approximate number of frames to take, from the file's length."""
        end = min(self.pick.end or self.seconds, self.seconds)
        return max(round((end - self.pick.start) * (self.pick.fps or self._rate / self.pick.stride)), 1)

    def items(self, start: int) -> Iterator[Item | Lost]:
        for one in islice(self._picked(), start, None):
            yield one if isinstance(one, Lost) else self._lost(one.number) or self._film_frame(one)

    def _picked(self) -> Iterator[DecodedFrame | Lost]:
        choose = self._chooser()
        for one in self.decoded():
            if isinstance(one, Lost) or choose(one.number, one.seconds):
                yield one

    def _lost(self, number: int) -> Lost | None:
        reason = self._plan.get(number)
        return Lost(self._name(number), reason) if reason else None

    @cached_property
    def _plan(self) -> dict[int, str]:
        """The frames that scenes and cuts leave out, by number, from a first reading of the film."""
        if not self.pick.scenes and not self.pick.margin:
            return {}
        choose, chosen = self._chooser(), []
        steps: list[float] = []
        before: Pixels | None = None
        for one in self.decoded():
            if isinstance(one, Lost):
                continue
            look: Any = one.frame.reformat(*THUMBNAIL_SIZE, format="rgb24").to_ndarray()
            steps += [] if before is None else [difference(before, look)]
            before = look
            if choose(one.number, one.seconds):
                chosen.append(one.number)
        return dropped_frames(chosen, cuts(steps), self.pick.scenes, self.pick.margin)

    def _chooser(self) -> FrameChooser:
        return FrameChooser(self.pick.start, self.pick.stride, self.pick.fps)

    def decoded(self) -> Iterator[DecodedFrame | Lost]:
        """Every frame of the range, and the faults of the decoder."""
        end = self.pick.end
        with self._opened() as (container, stream):
            first = float((stream.start_time or 0) * stream.time_base)
            if self.pick.start:
                container.seek(int((self.pick.start + first) / stream.time_base), stream=stream)
            number, faults, seconds = 0, 0, -1 / self._rate
            for frame in self._frames(container, stream):
                if isinstance(frame, str):
                    yield Lost(f"{self._name(number)}!{faults}", "broken", frame)
                    faults += 1
                    continue
                # a frame without a time comes one frame after the one before
                if frame.pts is None or frame.time_base is None:
                    seconds += 1 / self._rate
                else:
                    seconds = float(frame.pts * frame.time_base) - first
                if end is not None and seconds >= end:
                    return
                if seconds >= self.pick.start - 1e-6:
                    yield DecodedFrame(number, seconds, frame)
                    number += 1

    def _frames(self, container: InputContainer, stream: Any) -> Iterator[av.VideoFrame | str]:
        """The stream's frames. A damaged frame is replaced by its fault, and so are all frames up to the next
        key frame, which depend on it. If the decoder repairs damage silently, its frames are kept."""
        import av

        whole = True
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                yield f"the film ends early: {error.strerror}"
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                whole, frames = False, []
                yield str(error.strerror)
            for frame in frames:
                whole = (whole or bool(frame.key_frame)) and not frame.is_corrupt
                yield frame if whole else "made from a damaged frame"

    def _film_frame(self, decoded: DecodedFrame) -> FilmFrame:
        frame = decoded.frame
        upright, hdr = media.orientation(frame), frame.color_trc in HDR_CURVES
        return FilmFrame(self._name(decoded.number), rgb(frame), decoded.seconds, self._aspect, upright, hdr)

    def _name(self, number: int) -> str:
        return f"{legible(self.path.name)}#{number:06d}"

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, Any]]:
        """The container and its first stream of pictures."""
        try:
            container = media.open_media(self.path)
        except media.faults() as error:
            raise DatasetError(f"{self.path} cannot be read as a film: {media.why(error)}") from error
        with container:
            if not container.streams.video:
                raise DatasetError(f"{self.path} holds no pictures")
            stream = container.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = "AUTO", self._threads
            yield container, stream


def rgb(frame: av.VideoFrame) -> Pixels:
    """A frame's pixels [height, width, 3]."""
    from av.video.reformatter import Colorspace

    pixels: Any = frame.reformat(format="rgb24", src_colorspace=Colorspace(matrix(frame))).to_ndarray()
    return np.asarray(pixels, np.uint8)
