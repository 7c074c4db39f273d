"""Cameras: the newest picture of a device, which may freeze, go away and come back.

A camera is read on a thread of its own and hands over its newest picture, whoever looks at it and how
often. Its pictures stay in memory: nothing here writes any of them anywhere.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.faults import reason
from perform.inputs import Health
from perform.signals import Event

Region: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom, 0..1 of the picture

SIZE = 640, 480  # pixels that a device is asked for; it gives what it has
FORMATS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
AGAIN = 0.5  # seconds before a device that failed is opened again
OPENING = 4.0  # seconds that a device has for its first picture
LATE = 1.0  # seconds without a picture after which a device counts as gone
STILL, STILLEST = 1.5, 60.0  # seconds of one and the same picture after which it is opened again
TEND = 0.1  # seconds between two looks at the thread that reads
HUNG = 4  # threads of devices that never answered, at most
LOOKED = 8  # every so many-th pixel tells whether the picture changes
MOVED = 20  # of 255, by which a pixel that moves differs
DARK, LIFTED, STRONGEST = 0.3, 0.45, 0.35  # of luminance: below it is lifted, to what, and the smallest gamma
SIGNALS = tuple(f"camera.{word}" for word in ("level", "motion", "age"))


class Device(Protocol):
    """An opened camera."""

    def read(self) -> tuple[Pixels, float]:
        """The next picture, as soon as there is one, and when it was taken (stopwatch). Any exception
        is a device that is gone."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Shot:
    """A camera's picture: `pixels`, which nobody may change, when it was `taken` (stopwatch), and its
    number, counted from 1 on."""

    pixels: Pixels
    taken: float
    number: int


@dataclass(frozen=True, slots=True)
class View:
    """How a camera is looked at: its region, as a mirror shows it, and lifted where it is dark."""

    region: Region = (0.0, 0.0, 1.0, 1.0)
    mirror: bool = True
    lift: bool = False

    def of(self, pixels: Pixels) -> Pixels:
        """What is seen of a picture; a view into it where nothing is lifted."""
        seen = cropped(pixels, self.region)
        seen = seen[:, ::-1] if self.mirror else seen
        return lifted(seen) if self.lift else seen


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
    mean = float(pixels[::LOOKED, ::LOOKED].mean()) / 255
    if mean >= DARK or mean == 0:
        return pixels
    gamma = max(float(np.log(LIFTED) / np.log(mean)), STRONGEST)
    curve = (255 * (np.arange(256) / 255) ** gamma).round().astype(np.uint8)
    return np.take(curve, pixels)


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[float, bool]:
    """The share of pixels that differ by more than MOVED, and whether any differs at all."""
    difference = np.abs(after.astype(np.int16) - before)
    return float((difference > MOVED).mean()), bool(difference.any())


class Camera:
    """A device by (a part of) its name, its number or its path; empty: the first. It is opened again
    and again while it is away, and when its picture stands still."""

    def __init__(self, name: str = "", open: Callable[[str], Device] | None = None) -> None:
        self.name = f"camera {name}".rstrip()
        self.level = self.motion = 0.0  # mean of the picture; share of it that moves
        self.opened = 0  # times that the device was opened
        self._wanted, self._open = name, open or _opened
        self._shot: Shot | None = None
        self._looked: Pixels | None = None  # the last picture, coarsely
        self._changed = self._came = stopwatch()
        self._patience = STILL
        self._note = "opening"
        self._here = False
        self._news, self._closing = threading.Condition(), threading.Event()
        self._reader: threading.Thread | None = None
        self._hung: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._tend, name=self.name, daemon=True)
        self._thread.start()

    @property
    def newest(self) -> Shot | None:
        """The newest picture, however old it is; None before the first."""
        return self._shot

    @property
    def here(self) -> bool:
        """Whether pictures come."""
        return self._here

    def wait(self, after: int, seconds: float) -> Shot | None:
        """The newest picture if its number is above `after`; waits for one so long, then None."""
        with self._news:
            self._news.wait_for(lambda: self._shot is not None and self._shot.number > after, seconds)
            return self._shot if self._shot is not None and self._shot.number > after else None

    def age(self) -> float | None:
        """Seconds since the newest picture was taken; None before the first."""
        return None if self._shot is None else stopwatch() - self._shot.taken

    def health(self) -> Health:
        if not self._here or self._shot is None:
            return Health("waiting", f"{self.name}: {self._note}")
        height, width = self._shot.pixels.shape[:2]
        return Health("ok", f"{self.name}, {width}x{height}")

    def close(self) -> None:
        """Let go of the device; safe to call twice."""
        self._closing.set()
        self._thread.join(2.0)

    def _tend(self) -> None:
        """Keep one thread reading; leave one behind whose device does not answer."""
        began = -AGAIN
        while not self._closing.wait(TEND):
            now = stopwatch()
            if self._reader is None or not self._reader.is_alive():
                self._hung = [one for one in self._hung if one.is_alive()]
                if now - began >= AGAIN and len(self._hung) < HUNG:
                    began = self._came = now
                    self._begin()
            elif now - self._came > (LATE if self._here else OPENING):
                self._hung.append(self._reader)
                self._reader, self._here, self._note = None, False, "does not answer"
        self._reader, self._here, self._note = None, False, "closed"

    def _begin(self) -> None:
        self._reader = threading.Thread(target=self._read, name=f"{self.name} reader", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Read the device until it fails, or until it is another thread's turn."""
        device = None
        mine = threading.current_thread()
        try:
            device = self._open(self._wanted)
            self.opened += 1
            while self._reader is mine:
                pixels, taken = device.read()
                if self._reader is mine:
                    self._take(pixels, taken)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, the device is gone
            if self._reader is mine:
                self._here, self._note = False, reason(error)
        finally:
            if device is not None:
                _close(device)

    def _take(self, pixels: Pixels, taken: float) -> None:
        """A picture came. Raises OSError when it has been the same for too long."""
        self._look(pixels)
        now = stopwatch()
        if now - self._changed > self._patience:
            self._changed, self._patience = now, min(2 * self._patience, STILLEST)
            raise OSError("its picture stands still")
        pixels.flags.writeable = False
        number = 1 if self._shot is None else self._shot.number + 1
        with self._news:
            self._shot = Shot(pixels, taken, number)
            self._came, self._here, self._note = now, True, ""
            self._news.notify_all()

    def _look(self, pixels: Pixels) -> None:
        """How bright it is, how much of it moves, and whether anything has changed: even a still scene
        is never the same twice in a sensor that works."""
        looked = np.ascontiguousarray(pixels[::LOOKED, ::LOOKED, 1])
        before, self._looked = self._looked, looked
        self.level = float(looked.mean()) / 255
        if before is None or before.shape != looked.shape:
            self._changed = stopwatch()
            return
        self.motion, alive = changed(before, looked)
        if alive:
            self._changed, self._patience = stopwatch(), STILL


class Cameras:
    """The cameras of a show, as one input: each device is opened once, whoever looks at it.

    The first one's `camera.level` is how bright its picture is, `camera.motion` how much of it moves,
    both 0..1, and `camera.age` how many seconds old it is. `usual` is the one that is meant where none
    is named.
    """

    name = "cameras"

    def __init__(
        self, now: Callable[[], float], usual: str = "", open: Callable[[str], Device] | None = None
    ) -> None:
        self._now, self._usual, self._opener = now, usual, open
        self._cameras: dict[str, Camera] = {}
        self._said = 0

    def camera(self, name: str = "") -> Camera:
        """The camera of that name, opened if it is not."""
        name = name or self._usual
        if name not in self._cameras:
            self._cameras[name] = Camera(name, self._opener)
        return self._cameras[name]

    def use(self, heard: frozenset[str]) -> None:
        """Open the usual one if any of these signals is a camera's."""
        if any(name.startswith("camera.") for name in heard):
            self.camera()

    def __len__(self) -> int:
        return len(self._cameras)

    def poll(self, until: float) -> list[Event]:
        first = next(iter(self._cameras.values()), None)
        shot = first.newest if first else None
        if first is None or shot is None or shot.number == self._said:
            return []
        self._said = shot.number
        time = min(self._now() - (stopwatch() - shot.taken), until)
        values = {"level": first.level, "motion": first.motion, "age": max(stopwatch() - shot.taken, 0.0)}
        return [Event(time, f"camera.{name}", value) for name, value in values.items()]

    def health(self) -> Health:
        told = [camera.health() for camera in self._cameras.values()]
        waiting = [health.detail for health in told if health.state != "ok"]
        if waiting:
            return Health("waiting", "; ".join(waiting))
        return Health("ok", ", ".join(health.detail for health in told) or "none")

    def close(self) -> None:
        for camera in self._cameras.values():
            camera.close()


def cameras() -> Mapping[str, str]:
    """The cameras that are there: names by the places where they are opened."""
    import av

    try:
        found = av.enumerate_input_devices(FORMATS.get(sys.platform, "v4l2"))
    except (OSError, ValueError):
        return {}
    return {one.name: one.description or one.name for one in found if "video" in one.media_types}


def place(name: str, there: Mapping[str, str]) -> str:
    """Where the camera of a name is: its place, its number, or a part of its name; empty: the first.
    Raises LookupError with the names that are there."""
    numbers = {str(number): where for number, where in enumerate(there)}
    for where, called in there.items():
        if name in (where, "") or (name not in numbers and name.casefold() in called.casefold()):
            return where
    if name in numbers:
        return numbers[name]
    raise LookupError(f"there is no such camera (there are: {', '.join(there.values()) or 'none'})")


class _Film:
    """A device as FFmpeg reads it."""

    def __init__(self, where: str) -> None:
        import av

        self._file: Any = None
        wishes: tuple[dict[str, str], ...] = ({"input_format": "mjpeg"}, {}) if _linux() else ({},)
        size = {"video_size": "{}x{}".format(*SIZE), "framerate": "30"}
        for wish in (*(size | wish for wish in wishes), {"framerate": "30"}, {}):
            try:
                self._file = av.open(where, format=FORMATS.get(sys.platform, "v4l2"), options=wish)
                break
            except (OSError, ValueError) as error:  # it has no such size, rate or format
                fault = error
        else:
            raise fault
        stream = self._file.streams.video[0]
        stream.thread_type = "SLICE"  # threads by frame would keep pictures back
        self._frames: Iterator[Any] = self._decoded(stream)

    def _decoded(self, stream: Any) -> Iterator[Any]:
        pause = threading.Event()
        while True:
            try:
                yield from self._file.decode(stream)
                return
            except BlockingIOError:  # a device that says "not yet" instead of waiting
                pause.wait(0.004)

    def read(self) -> tuple[Pixels, float]:
        frame = next(self._frames, None)
        if frame is None:
            raise OSError("it says no more")
        now, taken = stopwatch(), frame.time
        # A driver that stamps pictures with the clock that the stopwatch reads says when they were taken.
        known = taken is not None and 0 <= now - taken < LATE
        return frame.to_ndarray(format="rgb24"), taken if known else now

    def close(self) -> None:
        self._file.close()


def _linux() -> bool:
    return sys.platform.startswith("linux")


def _opened(name: str) -> Device:
    there = cameras()
    where = place(name, there)
    return _Film(f"video={where}" if sys.platform == "win32" else where)


def _close(device: Device) -> None:
    try:
        device.close()
    except Exception:  # noqa: BLE001 - it is gone already
        return
