"""The tracker's own process: it reads pictures from shared memory and sends landmarks.

MediaPipe's tasks report their use to Google over the network ("Privacy Notice" of its package), and nobody on
a stage was asked: this process cannot reach the network, see `unplug`. Pictures come by shared memory and
stay there.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Pixels

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision import HandLandmarkerResult

# Takes a picture and its millisecond, gives [hands, ROW].
FindHands: TypeAlias = Callable[[Pixels, int], NDArray[np.float32]]

ROW = 64  # the probability of a left hand (in a mirror of a right one), and 21 landmarks x, y, z
REQUEST = struct.Struct("<qII")  # milliseconds, height, width
ANSWER_HEAD = struct.Struct("<cd")  # one of the following; bytes of memory that the process uses
READY, FOUND, FAILED = b"r", b"f", b"x"
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there
NEW_USER, NEW_NET = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of Linux


def run(connection: Connection, memory: str, model: str) -> None:
    """Serve until the other end is closed, which it is when the show ends or dies."""
    serve(connection, memory, lambda: landmarker(model))
    os._exit(0)  # its own way out tries for seconds to report to Google


def serve(connection: Connection, memory: str, open: Callable[[], FindHands]) -> None:
    """Answer requests with the function that `open` gives; a fault is reported and ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the show
    mute()
    unplug()
    shared = SharedMemory(memory)
    try:
        find = open()
        find(np.zeros((64, 64, 3), np.uint8), 0)
        connection.send_bytes(ANSWER_HEAD.pack(READY, resident()))
        while True:
            milliseconds, height, width = REQUEST.unpack(connection.recv_bytes())
            pixels = np.ndarray((height, width, 3), np.uint8, shared.buf)
            found = find(pixels, milliseconds)
            connection.send_bytes(ANSWER_HEAD.pack(FOUND, resident()) + found.astype("<f4").tobytes())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:  # noqa: BLE001 - whatever the tracker raises is reported to the show
        message = f"{type(error).__name__}: {error}".encode()
        connection.send_bytes(ANSWER_HEAD.pack(FAILED, resident()) + message)


def landmarker(model: str) -> FindHands:
    """MediaPipe's HandLandmarker with the model of a file."""
    import certifi

    # Its metrics are sent by a library that trusts the certificates named here: none.
    certifi.where = lambda: os.devnull
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions
    from mediapipe.tasks.python.vision import HandLandmarker, HandLandmarkerOptions, RunningMode

    finder = HandLandmarker.create_from_options(
        HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=Path(model).read_bytes()),
            running_mode=RunningMode.VIDEO,
            num_hands=2,
        )
    )

    def find(pixels: Pixels, milliseconds: int) -> NDArray[np.float32]:
        image = Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(pixels))
        return rows(finder.detect_for_video(image, milliseconds))

    return find


def rows(result: HandLandmarkerResult) -> NDArray[np.float32]:
    """A HandLandmarkerResult as [hands, ROW]."""
    found = np.zeros((len(result.hand_landmarks), ROW), np.float32)
    for row, hand, sides in zip(found, result.hand_landmarks, result.handedness, strict=True):
        best = sides[0]
        row[0] = best.score if best.category_name == "Left" else 1 - best.score
        row[1:] = [value for mark in hand for value in (mark.x, mark.y, mark.z)]
    return found


def unplug() -> None:
    """Cut this process off the network: a network namespace of its own where the system lets it have one, and
    for what is fetched in the usual ways a proxy that is not there."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ[name] = NOWHERE
    for name in ("no_proxy", "NO_PROXY"):
        os.environ.pop(name, None)
    if sys.platform == "linux":
        # May be refused (containers, hardened kernels); the proxy and the certificates remain.
        ctypes.CDLL(None).unshare(NEW_USER | NEW_NET)


def mute() -> None:
    """Discard the libraries' messages: the terminal shows a dashboard."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def resident() -> float:
    """Bytes of memory that this process uses; where that is unknown, the most it ever used."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return float(pages * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError):
        return _peak()


def _peak() -> float:
    if sys.platform == "win32":
        return 0.0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most if sys.platform == "darwin" else 1024 * most)
