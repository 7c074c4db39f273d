"""A backend of mido over python-rtmidi, for inputs.

Beside mido's own it tells two ports of one name apart (Windows and macOS give the same model the same name
twice), and counts what is no message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mido

from perform.inputs.midi.bytes import Stream
from perform.midi import ports as midiports


def looker(api: str | None = None) -> midiports.Looker:
    """What looks for inputs again and again."""
    return midiports.Looker("in", api)


def get_devices(api: str | None = None, **_options: Any) -> list[dict[str, Any]]:
    """The ports that are there, as mido asks for them."""
    return [{"name": name, "is_input": True, "is_output": False} for name in midiports.ports("in", api)]


class Input:
    """An open port; its messages go to `callback` on the driver's thread."""

    def __init__(
        self, name: str, callback: Callable[[Any], None], api: str | None = None, **_options: Any
    ) -> None:
        """Raises OSError when there is no such port (any more)."""
        self.name, self._callback, self._stream = name, callback, Stream()
        self._client = midiports.client("in", api)
        try:
            self._open(name)
        except Exception:
            midiports.let_go(self._client)
            raise

    @property
    def garbage(self) -> int:
        """Bytes that were no message."""
        return self._stream.garbage

    def close(self) -> None:
        """Hear no more."""
        self._client.cancel_callback()
        midiports.let_go(self._client)

    def _open(self, name: str) -> None:
        names = midiports.distinct(self._client.get_ports())
        if name not in names:
            raise OSError(f"no port {name}")
        self._client.ignore_types(sysex=True, timing=False, active_sense=True)
        self._client.set_callback(self._hear)
        self._client.open_port(names.index(name), "in")

    def _hear(self, packet: tuple[list[int], float], _data: object) -> None:
        for message in self._stream.feed(packet[0]):
            self._callback(mido.Message.from_bytes(message))
