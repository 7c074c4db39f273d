"""What was said between two polls: the newest value of each name, and no press lost."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from perform.signals import Event, Value

NAMES = 4096  # that one input may use; a stranger's thousands of addresses must not fill the memory
TURNS = 4  # of a name between zero and something that wait, at most


class Slots:
    """A bounded buffer between an input's threads and `poll`.

    Of values that follow each other the newest wins. A turn to zero or away from it waits for a
    poll of its own, so that a button pressed and let go within a frame is seen as both.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._turns: dict[str, deque[Event]] = {}
        self._lock = threading.Lock()

    def put(self, time: float, name: str, value: Value) -> None:
        """An input said that `name` is `value`."""
        event = Event(time, name, value)
        with self._lock:
            if name not in self._turns and len(self._turns) >= NAMES:
                self.dropped += 1
                return
            turns = self._turns.setdefault(name, deque())
            if turns and bool(turns[-1].value) == bool(value):
                turns[-1] = event
                return
            turns.append(event)
            if len(turns) > TURNS:
                turns.popleft()
                turns.popleft()

    def take(self, until: float) -> list[Event]:
        """One event of each name that was said, oldest first, none later than `until`."""
        with self._lock:
            events = [turns.popleft() for turns in self._turns.values() if turns]
        events.sort(key=lambda event: event.time)
        return [event if event.time <= until else replace(event, time=until) for event in events]
