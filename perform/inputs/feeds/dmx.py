"""Channels of lighting desks over the network: Art-Net 4 and sACN (ANSI E1.31), one universe, values 0..1.

Packets are read by hand, twelve lines a protocol: the library sacn has threads and sockets of its own, and no
Art-Net.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Mapping

from perform.inputs.feeds import POLL_INTERVAL, Report
from perform.inputs.feeds.document import Dmx

DMX_PORTS = {"artnet": 6454, "sacn": 5568}
ART_DMX = 0x5000
ACN, ROOT_DATA, FRAMING_DATA, SET_PROPERTY = b"ASC-E1.17\0\0\0", 4, 2, 2  # E1.31, tables 4-1, 5-4 and 6-3


class Channels(Mapping[str, float]):
    """The channels of a frame by their numbers from "1", each 0..1, computed when they are read: a universe
    has 512, a feed uses a few."""

    def __init__(self, channels: bytes) -> None:
        self._channels = channels

    def __getitem__(self, name: str) -> float:
        if not (name.isascii() and name.isdigit() and 1 <= int(name) <= len(self._channels)):
            raise KeyError(name)
        return self._channels[int(name) - 1] / 255

    def __iter__(self) -> Iterator[str]:
        return (str(n) for n in range(1, len(self._channels) + 1))

    def __len__(self) -> int:
        return len(self._channels)


class Universe:
    """Frames of one universe, of either protocol."""

    def __init__(self, text: Dmx) -> None:
        self._text = text
        self._parse = art_net if text.kind == "artnet" else sacn
        self.port = DMX_PORTS[text.kind] if text.port is None else text.port

    def listen(self, report: Report, closing: threading.Event) -> None:
        """Report all channels of every frame until `closing` is set. OSError: the port cannot be opened."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as net:
            net.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            net.bind((self._text.host, self.port))
            self.port = net.getsockname()[1]
            self._join(net)
            net.settimeout(POLL_INTERVAL)
            while not closing.is_set():
                try:
                    packet = net.recv(2048)
                except TimeoutError:
                    continue
                universe, channels = self._parse(packet)
                if channels and universe == self._text.universe:
                    report(Channels(channels))

    def _join(self, net: socket.socket) -> None:
        """sACN has a multicast group for each universe, unless it is sent to this machine alone."""
        if self._text.kind == "sacn" and not self._text.host.startswith("127."):
            group = socket.inet_aton(f"239.255.{self._text.universe >> 8}.{self._text.universe & 255}")
            here = socket.inet_aton(self._text.host)
            net.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + here)


def art_net(packet: bytes) -> tuple[int, bytes]:
    """Universe and channels of an ArtDmx packet; no channels if it is anything else."""
    if len(packet) < 20 or packet[:8] != b"Art-Net\0" or struct.unpack_from("<H", packet, 8)[0] != ART_DMX:
        return 0, b""
    universe = packet[14] | (packet[15] & 0x7F) << 8
    (length,) = struct.unpack_from(">H", packet, 16)
    return universe, packet[18 : 18 + min(length, 512)]


def sacn(packet: bytes) -> tuple[int, bytes]:
    """Universe and channels of an E1.31 data packet; no channels if it is anything else, a preview, or has
    another start code."""
    if len(packet) < 126 or packet[4:16] != ACN:
        return 0, b""
    (root,), (framing,) = struct.unpack_from(">I", packet, 18), struct.unpack_from(">I", packet, 40)
    (universe,), (count,) = struct.unpack_from(">H", packet, 113), struct.unpack_from(">H", packet, 123)
    preview = packet[112] & 0x80
    if preview or (root, framing, packet[117], packet[125]) != (ROOT_DATA, FRAMING_DATA, SET_PROPERTY, 0):
        return 0, b""
    return universe, packet[126 : 125 + min(count, 513)]
