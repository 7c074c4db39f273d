"""Cameras: the newest picture of a device, which may freeze, go away and come back.

Each camera is read on its own thread and offers its newest picture to any number of readers. Pictures stay
in memory: nothing here writes them anywhere. Another program that shares its picture is a camera, too.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perform import media
from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.faults import Health, reason
from perform.inputs import CameraDevice
from perform.inputs.listener import Listener
from perform.inputs.sharing import open_receiver, shared_kind
from perform.signals import Event
from perform.threads import Background

if TYPE_CHECKING:
    import av

Region: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom, 0..1 of the picture

CAPTURE_SIZE = 640, 480  # pixels that a device is asked for; it gives what it has
CAPTURE_FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
REOPEN_INTERVAL = 0.5  # seconds before a device that failed is opened again
OPENING = 4.0  # seconds that a device has for its first picture
LATE = 1.0  # seconds without a picture after which a device counts as gone
STILL, STILLEST = 1.5, 60.0  # seconds of one picture after which it is opened again: at first, at most
CHECK_INTERVAL = 0.1  # seconds between two checks of the thread that reads
MOST_HUNG = 4  # threads of devices that never answered, at most
COARSE = 8  # every so many-th pixel is compared to see whether the picture changes
MOVED = 20  # of 255, by which a pixel that moves differs
DARK, LIFTED, STRONGEST = 0.3, 0.45, 0.35  # of luminance: below it is lifted, to what, and the smallest gamma
CAMERA_SIGNALS = tuple(f"camera.{word}" for word in ("level", "motion", "age"))


@dataclass(frozen=True, slots=True)
class CameraPicture:
    """A camera's picture: `pixels`, read-only; when it was `taken` (stopwatch); its number, from 1."""

    pixels: Pixels
    taken: float
    number: int


@dataclass(frozen=True, slots=True)
class View:
    """The view of a camera: its region, mirrored, and brightened where it is dark."""

    region: Region = (0.0, 0.0, 1.0, 1.0)
    mirror: bool = True
    lift: bool = False

    def of(self, pixels: Pixels) -> Pixels:
        """A picture as it is viewed; shares its memory unless it is brightened."""
        viewed = cropped(pixels, self.region)
        viewed = viewed[:, ::-1] if self.mirror else viewed
        return lifted(viewed) if self.lift else viewed


def region_of(text: str) -> Region:
    """The region of a text such as 0.1,0,0.9,1: left, top, right, bottom. Raises ValueError."""
    try:
        left, top, right, bottom = (float(word) for word in text.split(","))
    except ValueError:
        raise ValueError(f"region {text!r}, must be left,top,right,bottom, each 0..1") from None
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(f"region {text!r}, must be within 0..1 with left below right and top below bottom")
    return left, top, right, bottom


def cropped(pixels: Pixels, region: Region) -> Pixels:
    """The region of a picture, 16 pixels a side at least."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = region
    x, y = min(round(left * width), width - 16), min(round(top * height), height - 16)
    x, y = max(x, 0), max(y, 0)
    return pixels[y : max(round(bottom * height), y + 16), x : max(round(right * width), x + 16)]


def lifted(pixels: Pixels) -> Pixels:
    """A dark picture with its middle tones lifted by a gamma, its mean to LIFTED; a bright one as it is."""
    mean = float(pixels[::COARSE, ::COARSE].mean()) / 255
    if mean >= DARK or mean == 0:
        return pixels
    gamma = max(float(np.log(LIFTED) / np.log(mean)), STRONGEST)
    curve = (255 * (np.arange(256) / 255) ** gamma).round().astype(np.uint8)
    return np.take(curve, pixels)


def changed(before: Pixels, after: Pixels) -> tuple[float, bool]:
    """The share of pixels that differ by more than MOVED, and whether any differs at all."""
    difference = np.abs(after.astype(np.int16) - before)
    return float((difference > MOVED).mean()), bool(difference.any())


class Camera(Listener):
    """A device by (a part of) its name, its number or its path; empty: the first. It is opened again
    while it is away, and when its picture stays the same for too long. `KIND:NAME` is another program that
    shares its picture (perform.sharing), which `may_stay` the same."""

    def __init__(self, name: str = "", open: Callable[[str], CameraDevice] | None = None) -> None:
        self.may_stay = bool(shared_kind(name))
        super().__init__(name if self.may_stay else f"camera {name}".rstrip(), "opening")
        self.level = self.motion = 0.0  # mean of the picture; share of it that moves
        self.opened = 0  # times that the device was opened
        self._wanted, self._open = name, open or _opened
        self.newest: CameraPicture | None = None  # however old it is
        self._coarse: Pixels | None = None  # the last picture, every COARSE-th pixel
        self._changed = self._came = stopwatch()
        self._patience = STILL
        self._arrived = threading.Condition()
        self._reader: Background | None = None
        self._hung: list[Background] = []
        self.start()

    @property
    def here(self) -> bool:
        """Whether pictures come."""
        return not self.note

    def wait(self, after: int, seconds: float) -> CameraPicture | None:
        """The newest picture if its number is above `after`; waits for one so long, then None."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._newer(after) is not None, seconds)
            return self._newer(after)

    def age(self) -> float | None:
        """Seconds since the newest picture was taken; None before the first."""
        return None if self.newest is None else stopwatch() - self.newest.taken

    def _newer(self, number: int) -> CameraPicture | None:
        return self.newest if self.newest is not None and self.newest.number > number else None

    def _details(self) -> str:
        if self.newest is None:
            return self.name
        height, width = self.newest.pixels.shape[:2]
        return f"{self.name}, {width}x{height}"

    def _listen(self, closing: threading.Event) -> None:
        """Keep one thread reading; abandon a thread whose device does not answer."""
        began = -REOPEN_INTERVAL
        while not closing.wait(CHECK_INTERVAL):
            now = stopwatch()
            if self._reader is None or not self._reader.running:
                self._hung = [reader for reader in self._hung if reader.running]
                if now - began >= REOPEN_INTERVAL and len(self._hung) < MOST_HUNG:
                    began = self._came = now
                    self._reader = Background(self._read, f"{self.name} reader")
            elif now - self._came > (LATE if self.here else OPENING):
                self._hung.append(self._reader)
                self._abandon("does not answer")
        self._abandon("closed")

    def _abandon(self, note: str) -> None:
        """Make the reader end as soon as its device answers."""
        if self._reader is not None:
            self._reader.closing.set()
        self._reader, self.note = None, note

    def _read(self, abandoned: threading.Event) -> None:
        """Read the device until it fails or the thread is abandoned."""
        device = None
        try:
            device = self._open(self._wanted)
            self.opened += 1
            while not abandoned.is_set():
                pixels, taken = device.read()
                if not abandoned.is_set():
                    self._take(pixels, taken)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, the device is gone
            if not abandoned.is_set():
                self.note = reason(error)
        finally:
            if device is not None:
                with suppress(Exception):  # it is gone already
                    device.close()

    def _take(self, pixels: Pixels, taken: float) -> None:
        """A picture came. Raises OSError when it has been the same for too long."""
        self._measure(pixels)
        now = stopwatch()
        if now - self._changed > self._patience and not self.may_stay:
            self._changed, self._patience = now, min(2 * self._patience, STILLEST)
            raise OSError("its picture does not change")
        pixels.flags.writeable = False
        number = 1 if self.newest is None else self.newest.number + 1
        with self._arrived:
            self.newest = CameraPicture(pixels, taken, number)
            self._came, self.note = now, ""
            self._arrived.notify_all()

    def _measure(self, pixels: Pixels) -> None:
        """How bright it is, how much of it moves, and whether anything has changed: even a still scene
        is never the same twice in a sensor that works."""
        coarse = np.ascontiguousarray(pixels[::COARSE, ::COARSE, 1])
        before, self._coarse = self._coarse, coarse
        self.level = float(coarse.mean()) / 255
        if before is None or before.shape != coarse.shape:
            self._changed = stopwatch()
            return
        self.motion, alive = changed(before, coarse)
        if alive:
            self._changed, self._patience = stopwatch(), STILL


class Cameras:
    """The cameras of a show, as one input: each device is opened once, however many use it.

    `usual` is the camera to use where none is named. Its `camera.level`, else that of the first one, is how
    bright its picture is, `camera.motion` how much of it moves, both 0..1, and `camera.age` how many seconds
    old it is.
    """

    name = "cameras"

    def __init__(
        self, now: Callable[[], float], usual: str = "", open: Callable[[str], CameraDevice] | None = None
    ) -> None:
        self._now, self._usual, self._opener = now, usual, open
        self._cameras: dict[str, Camera] = {}
        self._lock = threading.Lock()
        self._polled = 0  # the number of the last picture

    def camera(self, name: str = "") -> Camera:
        """The camera of that name, opened if it is not; on any thread."""
        name = name or self._usual
        with self._lock:
            if name not in self._cameras:
                self._cameras[name] = Camera(name, self._opener)
            return self._cameras[name]

    def use(self, signals: frozenset[str]) -> None:
        """Open the usual camera if any of these signals is a camera's."""
        if any(name.startswith("camera.") for name in signals):
            self.camera()

    def __len__(self) -> int:
        return len(self._cameras)

    def poll(self, until: float) -> list[Event]:
        first = self._cameras.get(self._usual) or next(iter(self._cameras.values()), None)
        picture = first.newest if first else None
        if first is None or picture is None or picture.number == self._polled:
            return []
        self._polled = picture.number
        time = min(self._now() - (stopwatch() - picture.taken), until)
        values = {"level": first.level, "motion": first.motion, "age": max(stopwatch() - picture.taken, 0.0)}
        return [Event(time, f"camera.{name}", value) for name, value in values.items()]

    def health(self) -> Health:
        cameras = [camera.health() for camera in list(self._cameras.values())]
        waiting = [health.detail for health in cameras if health.state != "ok"]
        if waiting:
            return Health("waiting", "; ".join(waiting))
        return Health("ok", ", ".join(health.detail for health in cameras) or "none")

    def close(self) -> None:
        for camera in list(self._cameras.values()):
            camera.close()


def cameras() -> Mapping[str, str]:
    """The cameras that are there: names by the paths that open them."""
    import av

    try:
        found = av.enumerate_input_devices(_capture_format())
    except media.faults():
        return {}
    return {one.name: one.description or one.name for one in found if "video" in one.media_types}


def camera_path(name: str, there: Mapping[str, str]) -> str:
    """The path of a camera by its path, its number, or a part of its name; empty: the first.
    Raises LookupError with the names that are there."""
    numbers = {str(number): path for number, path in enumerate(there)}
    for path, title in there.items():
        if name in (path, "") or (name not in numbers and name.casefold() in title.casefold()):
            return path
    if name in numbers:
        return numbers[name]
    raise LookupError(f"there is no such camera (there are: {', '.join(there.values()) or 'none'})")


class _FfmpegDevice:
    """A device as FFmpeg reads it."""

    def __init__(self, path: str) -> None:
        import av

        formats: tuple[dict[str, str], ...] = (
            ({"input_format": "mjpeg"}, {}) if sys.platform.startswith("linux") else ({},)
        )
        size = {"video_size": "{}x{}".format(*CAPTURE_SIZE), "framerate": "30"}
        for options in (*(size | one for one in formats), {"framerate": "30"}, {}):
            try:
                self._file = av.open(path, format=_capture_format(), options=options)
                break
            except media.faults() as error:  # it has no such size, rate or format
                fault = error
        else:
            raise fault
        stream = self._file.streams.video[0]
        stream.thread_type = "SLICE"  # threads by frame would keep pictures back
        self._frames = self._decoded(stream)

    def _decoded(self, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
        pause = threading.Event()
        while True:
            try:
                yield from self._file.decode(stream)
                return
            except BlockingIOError:  # a device that does not wait for its next picture
                pause.wait(0.004)

    def read(self) -> tuple[Pixels, float]:
        frame = next(self._frames, None)
        if frame is None:
            raise OSError("it sends no more pictures")
        now, taken = stopwatch(), frame.time
        # Some drivers stamp pictures by the clock that the stopwatch reads.
        if taken is None or not 0 <= now - taken < LATE:
            taken = now
        return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), taken

    def close(self) -> None:
        self._file.close()


def _capture_format() -> str:
    return CAPTURE_FORMATS.get(sys.platform, "v4l2")


def _opened(name: str) -> CameraDevice:
    if shared_kind(name):
        return open_receiver(name)
    there = cameras()
    path = camera_path(name, there)
    return _FfmpegDevice(f"video={path}" if sys.platform == "win32" else path)
