"""The devices behind feeds, one kind per file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

Report: TypeAlias = Callable[[Mapping[str, float | str]], None]  # takes the fields of a message by name


POLL_INTERVAL = 0.2  # seconds within which a source notices that it is to close


class FeedSource(Protocol):
    """A device that sends numbers: a port, a page, a broker."""

    def listen(self, report: Report, closing: threading.Event) -> None:
        """Report the fields of every message until `closing` is set. Any exception means that the device
        is gone."""
        ...
