"""A backend of mido over python-rtmidi, for inputs.

Unlike mido's own it tells two ports of one name apart (Windows and macOS give the same model the same name
twice), and counts bytes that are no message.
"""

from __future__ import annotations

from collections.abc import Callable

import mido

from perform.inputs.midi.parser import MidiParser
from perform.midi import ports as midiports


def scanner(api: str | None = None) -> midiports.PortScanner:
    """Scans the input ports."""
    return midiports.PortScanner("in", api)


def get_devices(api: str | None = None, **_options: object) -> list[dict[str, object]]:
    """The ports that are there, as mido asks for them."""
    return [{"name": name, "is_input": True, "is_output": False} for name in midiports.port_names("in", api)]


class Input:
    """An open port; its messages go to `callback` on the driver's thread."""

    def __init__(
        self, name: str, callback: Callable[[mido.Message], None], api: str | None = None, **_options: object
    ) -> None:
        """Raises OSError when there is no such port (any more)."""
        self.name, self._callback, self._parser = name, callback, MidiParser()
        self._client = midiports.open_client("in", api)
        try:
            self._open(name)
        except Exception:
            midiports.close_client(self._client)
            raise

    @property
    def garbage(self) -> int:
        """Bytes that were no message."""
        return self._parser.garbage

    def close(self) -> None:
        """Stop receiving."""
        self._client.cancel_callback()
        midiports.close_client(self._client)

    def _open(self, name: str) -> None:
        names = midiports.distinct_names(self._client.get_ports())
        if name not in names:
            raise OSError(f"no port {name}")
        self._client.ignore_types(sysex=True, timing=False, active_sense=True)
        self._client.set_callback(self._receive)
        self._client.open_port(names.index(name), "in")

    def _receive(self, packet: tuple[list[int], float], _data: object) -> None:
        for message in self._parser.feed(packet[0]):
            self._callback(mido.Message.from_bytes(message))
