"""The events between two polls: the newest value of each name, and no press lost."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from perform.signals import Event, Value

MOST_NAMES = 4096  # of one input; a stranger's thousands of addresses must not fill the memory
MOST_TURNS = 4  # of a name to zero or away from it that wait


class Slots:
    """A bounded buffer between an input's threads and `poll`.

    Of values that follow each other the newest wins. A turn to zero or away from it waits for a
    poll of its own, so that a button that is pressed and released within a frame is seen as both.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._turns: dict[str, deque[Event]] = {}
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
        turns = self._turns.get(event.name)
        if turns is None and len(self._turns) >= MOST_NAMES:
            self.dropped += 1
            return
        if turns is None:
            turns = self._turns[event.name] = deque()
        if turns and bool(turns[-1].value) == bool(event.value):
            turns[-1] = event
            return
        turns.append(event)
        if len(turns) > MOST_TURNS:
            turns.popleft()
            turns.popleft()

    def take(self, until: float) -> list[Event]:
        """One event of each name that waits, oldest first, none later than `until`."""
        with self._lock:
            events = [turns.popleft() for turns in self._turns.values() if turns]
        events.sort(key=lambda event: event.time)
        return [event if event.time <= until else replace(event, time=until) for event in events]
