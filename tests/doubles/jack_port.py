"""A port of JACK's, as a controller or a drum machine has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import rtmidi

from perform.midi.ports import close_client


class Port:
    """A port of a given name that receives. Its client is closed with it: none may outlive its server."""

    opened: ClassVar[list[Port]] = []

    def __init__(self, name: str, hear: Callable[[bytes], object]) -> None:
        self.name = name
        self._client: Any = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name)
        self._client.ignore_types(sysex=False, timing=False, active_sense=False)
        self._client.set_callback(lambda packet, _: hear(bytes(packet[0])))
        self._client.open_virtual_port(name)
        self.opened.append(self)

    def close(self) -> None:
        self.opened.remove(self)
        self._client.cancel_callback()
        close_client(self._client)

    @classmethod
    def close_all(cls) -> None:
        """Closes those that a test left open."""
        for port in list(cls.opened):
            port.close()
