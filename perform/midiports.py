"""Ports of MIDI through python-rtmidi: looked for through one client, and let go whole.

A client of JACK must be deleted before another is made after its server has gone: libjack then frees all
that are left, and to touch one of those is a segmentation fault.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from perform.clock import stopwatch

Way: TypeAlias = Literal["in", "out"]

SEQUENCER = Path("/dev/snd/seq")  # ALSA complains on the terminal about each look when it is missing
CLIENT = "perform"
EMPTY = 20  # looks that find no port, after which a new client looks: the driver may be another
LOOK = 1.0  # seconds between two looks, at most
GRACE = 1.5 * LOOK  # seconds in which all others find that the ports have gone, and let their clients go


class Looker:
    """Looks again and again which ports there are, through one client.

    For each new one JACK stops all threads for a tenth of a second, orders its graph anew and loses
    messages: two of three at a look every 0.3 s.
    """

    def __init__(self, way: Way, api: str | None = None) -> None:
        self._way, self._api = way, api
        self._client: Any = None
        self._found = 0
        self._empty = 0
        self._again = 0.0  # on the stopwatch: no new client before

    def names(self) -> list[str]:
        """The ports that are there, in the driver's order. Raises OSError where there is no MIDI."""
        if self._client is None:
            if stopwatch() < self._again:
                return []
            self._client = client(self._way, self._api)
        names = distinct(self._client.get_ports())
        self._empty = 0 if names else self._empty + 1
        if not names and (self._found or self._empty >= EMPTY):
            self.close()
            self._again = stopwatch() + GRACE
        self._found = len(names)
        return names

    def close(self) -> None:
        """Give the client back."""
        held, self._client, self._empty = self._client, None, 0
        if held is not None:
            held.delete()


def client(way: Way, api: str | None = None) -> Any:
    """A client of rtmidi's `api`, such as UNIX_JACK; None is the system's own. Raises OSError without one."""
    import rtmidi

    if api is None and sys.platform == "linux" and not SEQUENCER.exists():
        raise OSError(f"no ALSA sequencer ({SEQUENCER})")
    made = rtmidi.MidiIn if way == "in" else rtmidi.MidiOut
    return made(getattr(rtmidi, f"API_{api or 'UNSPECIFIED'}"), CLIENT)


def let_go(held: Any) -> None:
    """Close a client's port, and the client, which else would stay until nobody remembers it."""
    try:
        held.close_port()
    finally:
        held.delete()


def ports(way: Way, api: str | None = None) -> list[str]:
    """The names of the ports that are there. Raises OSError where there is no MIDI."""
    looker = Looker(way, api)
    try:
        return looker.names()
    finally:
        looker.close()


def distinct(names: Sequence[str]) -> list[str]:
    """The second port of a name is called `NAME (2)`."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told
