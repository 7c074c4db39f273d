"""The events between two polls: the newest value of each name, and no press lost."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from perform.signals import Event, Value

MOST_NAMES = 4096  # of one input; thousands of unknown addresses must not fill the memory
MOST_EDGES = 4  # changes of a name to zero or away from it that wait


class Slots:
    """A bounded buffer between an input's threads and `poll`.

    Of the values since the last poll the newest wins. An edge, a change to zero or away from it, waits for a
    poll of its own, so that a button that is pressed and released within a frame gives both events.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._edges: dict[str, deque[Event]] = {}
        self._lock = threading.Lock()

    def put(self, time: float, name: str, value: Value) -> None:
        """A value of a name came."""
        self.put_all(time, ((name, value),))

    def put_all(self, time: float, values: Iterable[tuple[str, Value]]) -> None:
        """Several values came at one moment: no poll sees a part of them."""
        with self._lock:
            for name, value in values:
                self._put(Event(time, name, value))

    def _put(self, event: Event) -> None:
        edges = self._edges.get(event.name)
        if edges is None and len(self._edges) >= MOST_NAMES:
            self.dropped += 1
            return
        if edges is None:
            edges = self._edges[event.name] = deque()
        if edges and bool(edges[-1].value) == bool(event.value):
            edges[-1] = event
            return
        edges.append(event)
        if len(edges) > MOST_EDGES:
            edges.popleft()
            edges.popleft()

    def take(self, until: float) -> list[Event]:
        """One event of each name that waits, oldest first, none later than `until`."""
        with self._lock:
            events = [edges.popleft() for edges in self._edges.values() if edges]
        events.sort(key=lambda event: event.time)
        return [event if event.time <= until else replace(event, time=until) for event in events]
