"""A backend of mido over python-rtmidi, for inputs.

Beside mido's own it tells two ports of one name apart (Windows and macOS give the same model the same name
twice), and counts what is no message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mido
import rtmidi

from perform.inputs._midi_bytes import Stream

CLIENT = "perform"
EMPTY = 20  # looks that find no port, after which a new client looks: the driver may be another


class Looker:
    """Looks again and again which ports there are, through one client.

    For each new one JACK stops all threads for a tenth of a second, orders its graph anew and loses
    messages: two of three at a look every 0.3 s.
    """

    def __init__(self, api: str | None = None) -> None:
        self._api = api
        self._client: Any = None
        self._found = 0
        self._empty = 0

    def names(self) -> list[str]:
        """The ports that are there."""
        if self._client is None:
            self._client = rtmidi.MidiIn(_api(self._api), CLIENT)
        names = _distinct(self._client.get_ports())
        self._empty = 0 if names else self._empty + 1
        if not names and (self._found or self._empty >= EMPTY):
            self.close()
        self._found = len(names)
        return names

    def close(self) -> None:
        """Give the client back."""
        client, self._client, self._empty = self._client, None, 0
        if client is not None:
            client.delete()


def get_devices(api: str | None = None, **_options: Any) -> list[dict[str, Any]]:
    """The ports that are there, as mido asks for them."""
    looker = Looker(api)
    try:
        return [{"name": name, "is_input": True, "is_output": False} for name in looker.names()]
    finally:
        looker.close()


class Input:
    """An open port; its messages go to `callback` on the driver's thread."""

    def __init__(
        self, name: str, callback: Callable[[Any], None], api: str | None = None, **_options: Any
    ) -> None:
        """Raises OSError when there is no such port (any more)."""
        self.name, self._callback, self._stream = name, callback, Stream()
        self._client = rtmidi.MidiIn(_api(api), CLIENT)
        try:
            self._open(name)
        except Exception:
            self._client.delete()
            raise

    @property
    def garbage(self) -> int:
        """Bytes that were no message."""
        return self._stream.garbage

    def close(self) -> None:
        """Hear no more."""
        self._client.cancel_callback()
        self._client.close_port()
        self._client.delete()

    def _open(self, name: str) -> None:
        names = _distinct(self._client.get_ports())
        if name not in names:
            raise OSError(f"no port {name}")
        self._client.ignore_types(sysex=True, timing=False, active_sense=True)
        self._client.set_callback(self._hear)
        self._client.open_port(names.index(name), "in")

    def _hear(self, packet: tuple[list[int], float], _data: object) -> None:
        for message in self._stream.feed(packet[0]):
            self._callback(mido.Message.from_bytes(message))


def _api(name: str | None) -> int:
    return int(rtmidi.API_UNSPECIFIED if name is None else getattr(rtmidi, f"API_{name}"))


def _distinct(names: Sequence[str]) -> list[str]:
    """The second port of a name is called `NAME (2)`."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct
