"""MIDI ports through python-rtmidi: scanned through one client, and closed completely.

When a JACK server has gone and a new client is made, libjack frees all clients that are left, and to touch
one of those is a segmentation fault. So a client that finds the server gone marks all of them, and no
client is made before every marked one is closed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import rtmidi

    Client: TypeAlias = rtmidi.MidiIn | rtmidi.MidiOut

PortDirection: TypeAlias = Literal["in", "out"]

SEQUENCER = Path("/dev/snd/seq")  # without it ALSA prints an error at each scan
CLIENT_NAME = "perform"
MOST_EMPTY = 20  # scans that find no port, after which a new client scans: the driver may be another one
SCAN_INTERVAL = 1.0  # seconds between two scans, at most


class Clients:
    """The process's JACK clients. `orphans` are those whose server has gone."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.open: dict[int, Client] = {}
        self.scanning: set[int] = set()
        self.orphans: set[int] = set()

    def add(self, made: Client, scans: bool) -> None:
        """A client was made."""
        import rtmidi

        with self.lock:
            if made.get_current_api() == rtmidi.API_UNIX_JACK:
                self.open[id(made)] = made
                self.scanning |= {id(made)} if scans else set()

    def remove(self, closed: Client) -> None:
        """A client was closed."""
        with self.lock:
            self.open.pop(id(closed), None)
            self.scanning.discard(id(closed))
            self.orphans.discard(id(closed))

    def orphan(self) -> None:
        """The server has gone."""
        with self.lock:
            self.orphans = set(self.open)

    def idle(self) -> bool:
        """Whether all clients only scan: none of them would notice that the server has gone."""
        with self.lock:
            return self.open.keys() <= self.scanning


clients = Clients()


class PortScanner:
    """Scans the ports again and again, through one client.

    For each new client JACK stops all threads for a tenth of a second, sorts its graph again and loses
    messages: two of three at a scan every 0.3 s.
    """

    def __init__(self, direction: PortDirection, api: str | None = None) -> None:
        self._direction, self._api = direction, api
        self._client: Client | None = None
        self._found = 0
        self._empty = 0

    def names(self) -> list[str]:
        """The ports that are there, in the driver's order. Raises OSError where there is no MIDI."""
        if id(self._client) in clients.orphans:
            self.close()
            return []
        try:
            if self._client is None:
                self._client = open_client(self._direction, self._api, scans=True)
            names = distinct_names(self._client.get_ports())
        except Exception:
            self.close()
            raise
        self._empty = 0 if names else self._empty + 1
        if not names and (self._found or (self._empty >= MOST_EMPTY and clients.idle())):
            clients.orphan()
            self.close()
        self._found = len(names)
        return names

    def close(self) -> None:
        """Close the client."""
        client, self._client = self._client, None
        self._found = self._empty = 0
        if client is not None:
            _delete(client)


def open_client(direction: PortDirection, api: str | None = None, scans: bool = False) -> Client:
    """A client of rtmidi's `api`, such as UNIX_JACK; None is the system's own. Raises OSError without one."""
    import rtmidi

    if api is None and sys.platform == "linux" and not SEQUENCER.exists():
        raise OSError(f"no ALSA sequencer ({SEQUENCER})")
    kind = rtmidi.MidiIn if direction == "in" else rtmidi.MidiOut
    with clients.lock:
        if clients.orphans:
            raise OSError("JACK has gone: its last clients are being closed")
        made: Client = kind(getattr(rtmidi, f"API_{api or 'UNSPECIFIED'}"), CLIENT_NAME)
        clients.add(made, scans)
    return made


def open_output(number: int, name: str, api: str | None = None) -> Client:
    """A client whose port, called `name`, is connected to output `number`."""
    client = open_client("out", api)
    try:
        client.open_port(number, name=name)
    except Exception:
        close_client(client)
        raise
    return client


def close_client(client: Client) -> None:
    """Close a client's port and the client; it must not be used any more."""
    try:
        client.close_port()
    finally:
        _delete(client)


def port_names(direction: PortDirection, api: str | None = None) -> list[str]:
    """The names of the ports that are there. Raises OSError where there is no MIDI."""
    scanner = PortScanner(direction, api)
    try:
        return scanner.names()
    finally:
        scanner.close()


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names, the second port of a name as `NAME (2)`."""
    count: dict[str, int] = {}
    distinct = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        distinct.append(name if count[name] == 1 else f"{name} ({count[name]})")
    return distinct


def _delete(client: Client) -> None:
    """Delete a client now: otherwise rtmidi's stays until the garbage collector takes it, or longer."""
    try:
        client.delete()
    finally:
        clients.remove(client)
