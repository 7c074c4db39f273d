"""Ports of MIDI through python-rtmidi: looked for through one client, and let go whole.

When a server of JACK has gone and a new client is made, libjack frees all clients that are left, and to touch
one of those is a segmentation fault. So who finds that it has gone says so to all, and nobody makes a client
before every other has been let go.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

Way: TypeAlias = Literal["in", "out"]

SEQUENCER = Path("/dev/snd/seq")  # ALSA complains on the terminal about each look when it is missing
CLIENT = "perform"
EMPTY = 20  # looks that find no port, after which a new client looks: the driver may be another
LOOK = 1.0  # seconds between two looks, at most


class Clients:
    """The process's clients of JACK. `left` are those whose server has gone."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.held: dict[int, Any] = {}
        self.lookers: set[int] = set()
        self.left: set[int] = set()

    def add(self, made: Any, looks: bool) -> None:
        """One that was made."""
        import rtmidi

        with self.lock:
            if made.get_current_api() == rtmidi.API_UNIX_JACK:
                self.held[id(made)] = made
                self.lookers |= {id(made)} if looks else set()

    def drop(self, gone: Any) -> None:
        """One that was let go."""
        with self.lock:
            self.held.pop(id(gone), None)
            self.lookers.discard(id(gone))
            self.left.discard(id(gone))

    def leave(self) -> None:
        """The server has gone."""
        with self.lock:
            self.left = set(self.held)

    def idle(self) -> bool:
        """Whether there is nothing but lookers, none of which would see that the server has gone."""
        with self.lock:
            return self.held.keys() <= self.lookers


clients = Clients()


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

    def names(self) -> list[str]:
        """The ports that are there, in the driver's order. Raises OSError where there is no MIDI."""
        if id(self._client) in clients.left:
            self.close()
            return []
        try:
            if self._client is None:
                self._client = client(self._way, self._api, looks=True)
            names = distinct(self._client.get_ports())
        except Exception:
            self.close()
            raise
        self._empty = 0 if names else self._empty + 1
        if not names and (self._found or (self._empty >= EMPTY and clients.idle())):
            clients.leave()
            self.close()
        self._found = len(names)
        return names

    def close(self) -> None:
        """Give the client back."""
        held, self._client, self._found, self._empty = self._client, None, 0, 0
        if held is not None:
            _delete(held)


def client(way: Way, api: str | None = None, looks: bool = False) -> Any:
    """A client of rtmidi's `api`, such as UNIX_JACK; None is the system's own. Raises OSError without one."""
    import rtmidi

    if api is None and sys.platform == "linux" and not SEQUENCER.exists():
        raise OSError(f"no ALSA sequencer ({SEQUENCER})")
    kind = rtmidi.MidiIn if way == "in" else rtmidi.MidiOut
    with clients.lock:
        if clients.left:
            raise OSError("JACK has gone: its last clients are being let go")
        made = kind(getattr(rtmidi, f"API_{api or 'UNSPECIFIED'}"), CLIENT)
        clients.add(made, looks)
    return made


def opened(number: int, name: str, api: str | None = None) -> Any:
    """A client whose port, called `name`, is connected to output `number`."""
    made = client("out", api)
    try:
        made.open_port(number, name=name)
    except Exception:
        let_go(made)
        raise
    return made


def let_go(held: Any) -> None:
    """Close a client's port, and the client; it must not be used any more."""
    try:
        held.close_port()
    finally:
        _delete(held)


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


def _delete(held: Any) -> None:
    """Delete a client; without it rtmidi's stays until nobody remembers it, if not longer."""
    try:
        held.delete()
    finally:
        clients.drop(held)
