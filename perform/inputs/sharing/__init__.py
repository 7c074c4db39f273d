"""Pictures of other programs, as cameras: through NDI, Spout or Syphon.

A module for each protocol has its receiver, an opened camera by the name `KIND:NAME`. The pictures of
v4l2loopback come from its device, which is a camera like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType

from perform.inputs import CameraDevice
from perform.sharing import lacking

RECEIVERS: Mapping[str, str] = MappingProxyType(
    {"ndi": "NdiReceiver", "spout": "SpoutReceiver", "syphon": "SyphonReceiver"}
)
POLL_SECONDS = 0.005  # between two looks for a new picture
AGAIN_SECONDS = 0.25  # without a new one, after which the last counts again: the sender is there and still
GONE = "the sender has gone"


def shared_kind(camera: str) -> str:
    """The kind of protocol in a camera's name such as ndi:NAME; empty for a camera."""
    kind, colon, _ = camera.partition(":")
    return kind if colon and kind in RECEIVERS else ""


def open_receiver(camera: str) -> CameraDevice:
    """The receiver of a name such as ndi:NAME. Raises RuntimeError if it cannot be used here, LookupError if
    there is no such sender, and what its library raises."""
    kind, _, name = camera.partition(":")
    if why := lacking(kind):
        raise RuntimeError(why)
    opener: Callable[[str], CameraDevice] = getattr(import_module(f"{__name__}.{kind}"), RECEIVERS[kind])
    return opener(name)


def senders(kind: str) -> list[str]:
    """The names of the senders of a kind that are there, after a short search."""
    look: Callable[[], list[str]] = getattr(import_module(f"{__name__}.{kind}"), f"{kind}_senders")
    return look()


def sender_of(name: str, there: Sequence[str]) -> str:
    """The sender of this name, else the first with it as a part of its name; empty: the first. Raises
    LookupError with the senders that are there."""
    if name in there:
        return name
    for sender in there:
        if name.casefold() in sender.casefold():
            return sender
    raise LookupError(f"there is no such sender (there are: {', '.join(there) or 'none'})")
