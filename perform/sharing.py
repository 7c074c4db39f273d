"""Sharing pictures with other programs: what inputs and outputs of each protocol have in common.

NDI goes over the network, v4l2loopback is a camera of Linux that a program fills, Spout and Syphon are
between programs of one machine. Their libraries are optional extras, which are imported when somebody asks
for them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from types import MappingProxyType

SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}

_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class SharingKind:
    """A protocol: its title, its systems (as in sys.platform), and its library, if it needs one."""

    title: str
    systems: tuple[str, ...]
    library: str = ""


KINDS: Mapping[str, SharingKind] = MappingProxyType(
    {
        "ndi": SharingKind("NDI", ("linux", "darwin", "win32"), "cyndilib"),
        "v4l2": SharingKind("v4l2loopback", ("linux",)),
        "spout": SharingKind("Spout", ("win32",), "SpoutGL"),
        "syphon": SharingKind("Syphon", ("darwin",), "syphon-python"),
    }
)


@dataclass(frozen=True, slots=True)
class Share:
    """Where pictures go: the kind of protocol, and the name that others see (v4l2: the path of a device)."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def share_of(text: str) -> Share:
    """The share of a text such as ndi:NAME or v4l2:/dev/video10. Raises ValueError."""
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name.strip():
        raise ValueError(f"share {text!r}, must be KIND:NAME, with KIND one of {', '.join(KINDS)}")
    if kind == "v4l2" and not name.startswith("/"):
        raise ValueError(f"share {text!r}, must be the path of a device, such as v4l2:/dev/video10")
    return Share(kind, name.strip())


def lacking(kind: str) -> str:
    """Why a kind cannot be used here, and what to do about it; empty if it can."""
    needs = KINDS[kind]
    if sys.platform not in needs.systems:
        return f"{needs.title} is of {' and '.join(SYSTEMS[one] for one in needs.systems)}"
    if needs.library and not version(kind):
        return f"the optional extra for {needs.title} is not installed: pip install 'perform-live[{kind}]'"
    return ""


def load_whole(library: str) -> None:
    """Import a library of several modules as a whole, on one thread at a time: those of cyndilib import each
    other, and another thread would get a half of them."""
    with _LOADING:
        import_module(library)


def version(kind: str) -> str:
    """The version of the library of a kind; empty if it has none or it is not installed."""
    try:
        return metadata.version(KINDS[kind].library) if KINDS[kind].library else ""
    except metadata.PackageNotFoundError:
        return ""
