"""The show's picture for other programs: through NDI, v4l2loopback, Spout or Syphon.

A module for each protocol has its sender, with a library or a device behind it. `SharedOutput` is the output
over all of them: a thread opens the sender, converts the newest frame and sends it, so that a slow network or
a receiver that waits takes nothing from the show.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, TypeAlias

import numpy as np

from perform.arrays import Pixels
from perform.faults import Health, reason
from perform.outputs import Frame
from perform.sharing import Share
from perform.threads import Background

log = logging.getLogger("perform")
REOPEN_SECONDS = 1.0  # before a sender that failed is opened again


class PictureSender(Protocol):
    """An opened sender of one protocol. One thread opens, uses and closes it."""

    def send(self, pixels: Pixels) -> None:
        """Send a picture [height, width, 3], sRGB, top row first. Any exception means that it is gone."""
        ...

    def receivers(self) -> int | None:
        """How many programs receive; None where the protocol does not tell."""
        ...

    def close(self) -> None: ...


SenderOpener: TypeAlias = Callable[[str, tuple[int, int], float], PictureSender]
SENDERS: Mapping[str, str] = MappingProxyType(
    {"ndi": "NdiSender", "v4l2": "V4l2Sender", "spout": "SpoutSender", "syphon": "SyphonSender"}
)


def open_sender(kind: str, name: str, size: tuple[int, int], fps: float) -> PictureSender:
    """The sender of a kind, under this name (v4l2: the path of a device), for pictures of `size` (width,
    height), about `fps` a second. Raises what its library or its device raises."""
    opener: SenderOpener = getattr(import_module(f"{__name__}.{kind}"), SENDERS[kind])
    return opener(name, size, fps)


class SharedOutput:
    """Frames of `size` (width, height) for other programs.

    The newest frame wins: if the sender is busy, frames are left out (`dropped`). A sender that fails is
    opened again each second. The log says when pictures stop and when they go on.
    """

    may_lag = True

    def __init__(
        self, share: Share, size: tuple[int, int], fps: float, open: SenderOpener | None = None
    ) -> None:
        self.name, self.size = str(share), size
        self.sent = self.dropped = 0
        self._share, self._fps, self._opener = share, fps, open
        self._note = "opening"  # what it waits for; empty while pictures go out
        self._receivers: int | None = None
        self._next: Pixels | None = None
        self._came = threading.Condition()
        self._background = Background(self._work, self.name, self._came)

    def write(self, frame: Frame) -> None:
        pixels = np.array(frame.pixels)
        with self._came:
            self.dropped += self._next is not None and not self._note
            self._next = pixels
            self._came.notify()

    def health(self) -> Health:
        if self._note:
            return Health("waiting", f"{self.name}: {self._note}")
        width, height = self.size
        count = self._receivers
        told = "" if count is None else f", {count or 'no'} receiver{'s' * (count != 1)}"
        return Health("ok", f"{self.name}, {width}x{height}{told}")

    def close(self) -> None:
        self._background.close()
        self._note = "closed"

    def _work(self, closing: threading.Event) -> None:
        while not closing.is_set():
            try:
                self._send(closing)
            except Exception as error:  # noqa: BLE001 - whatever a library raises, the show goes on
                self._lost(reason(error))
                closing.wait(REOPEN_SECONDS)

    def _send(self, closing: threading.Event) -> None:
        """Open the sender, and send until it fails or the output is closed."""
        kind, name = self._share.kind, self._share.name
        if self._opener:
            sender = self._opener(name, self.size, self._fps)
        else:
            sender = open_sender(kind, name, self.size, self._fps)
        try:
            while (pixels := self._take(closing)) is not None:
                sender.send(pixels)
                self._went(sender.receivers())
        finally:
            with suppress(Exception):  # it may be gone already
                sender.close()

    def _take(self, closing: threading.Event) -> Pixels | None:
        """The newest frame, as soon as there is one; None at the end."""
        with self._came:
            self._came.wait_for(lambda: self._next is not None or closing.is_set())
            pixels, self._next = self._next, None
        return None if closing.is_set() else pixels

    def _went(self, receivers: int | None) -> None:
        """A picture went out."""
        self.sent += 1
        self._receivers = receivers
        if self._note:
            log.info("%s: pictures go out", self.name)
        self._note = ""

    def _lost(self, why: str) -> None:
        """Pictures stop; a reason is logged once, until pictures go out again."""
        if why != self._note:
            log.error("%s: %s", self.name, why)
        self._note = why


def with_alpha(pixels: Pixels) -> Pixels:
    """Pixels [height, width, 3] with an opaque fourth channel, for libraries that take no three."""
    opaque = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    opaque[..., :3] = pixels
    return opaque
