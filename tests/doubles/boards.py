"""A show's addresses without a show, and a controller on the other end of a socket."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import MappingProxyType

from perform.inputs.osc.packets import Message, messages
from perform.parameters import Parameter
from perform.scenes.nodes import READ, WRITE, Node
from perform.scenes.snapshot import Snapshot, SnapshotSlot

NODES = (
    Node("/master", Parameter("master", 1.0, 0.0, 1.0, description="brightness of everything")),
    Node("/blackout", Parameter("blackout", False, 0, 1, kind="bool")),
    Node("/go", Parameter("go", False, 0, 1, kind="event", description="on"), access=WRITE),
    Node("/filter/grade/gain", Parameter("gain", 1.0, 0.0, 4.0, "stops")),
    Node("/filter/grade/dark", Parameter("dark", (0.0, 0.0, 0.0, 1.0), 0.0, 1.0, kind="color")),
    Node("/filter/grain/size", Parameter("size", 3, 1, 9, kind="int")),
    Node("/latent/order", Parameter("order", "once", kind="choice", choices=("once", "twice"))),
    Node("/now/title", Parameter("title", "", kind="text"), access=READ),
    Node("/wild", Parameter("wild", 0.0, 0.0, 1.0), in_formulas=True),
)
VALUES: Mapping[str, tuple[float | str, ...]] = {
    "/master": (1.0,),
    "/blackout": (0.0,),
    "/filter/grade/gain": (1.5,),
    "/filter/grade/dark": (0.0, 0.25, 0.5, 1.0),
    "/filter/grain/size": (3.0,),
    "/latent/order": ("once",),
    "/now/title": ("Ink",),
}


class Fixed:
    """A show in the state that a test sets."""

    def __init__(self) -> None:
        self.nodes = MappingProxyType({node.address: node for node in NODES})
        self.values = dict(VALUES)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.nodes, MappingProxyType(dict(self.values)))


def slot() -> SnapshotSlot:
    """A slot with the addresses above."""
    made = SnapshotSlot()
    made.put(Fixed().snapshot())
    return made


class Controller:
    """A UDP socket that sends and receives OSC."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.0)
        self.address: tuple[str, int] = self._socket.getsockname()
        self.packets: list[bytes] = []

    def send(self, packet: bytes, port: int) -> None:
        self._socket.sendto(packet, ("127.0.0.1", port))

    def heard(self) -> list[Message]:
        """Every message that has come."""
        while True:
            try:
                self.packets.append(self._socket.recv(65_535))
            except BlockingIOError:
                break
        return [message for packet in self.packets for message in messages(packet)]

    def newest(self) -> dict[str, tuple[float | str | None, ...]]:
        """The last value that came of each address."""
        return {message.address: message.arguments for message in self.heard()}

    def close(self) -> None:
        self._socket.close()
