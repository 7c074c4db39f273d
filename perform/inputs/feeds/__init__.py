"""What feeds listen to, one kind of device per file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

Say: TypeAlias = Callable[[Mapping[str, float]], None]


class Source(Protocol):
    """What speaks: a port, a page, a broker."""

    def listen(self, say: Say, closing: threading.Event) -> None:
        """Say the numbers of every message until `closing` is set. Any exception is a device that is gone."""
        ...
