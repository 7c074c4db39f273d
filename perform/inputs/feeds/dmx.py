"""Channels of lighting desks over the net: Art-Net 4 and sACN (ANSI E1.31), one universe, values 0..1."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Mapping

from perform.inputs.feeds import Say
from perform.inputs.feeds.document import Dmx

PORTS = {"artnet": 6454, "sacn": 5568}
TICK = 0.2  # seconds within which closing is noticed
ART_DMX = 0x5000
ACN, ROOT, FRAMING, DMP = b"ASC-E1.17\0\0\0", 4, 2, 2  # E1.31, tables 4-1, 5-4 and 6-3


class Levels(Mapping[str, float]):
    """A frame's channels by their numbers from "1", each 0..1. Only those that are asked for are computed: a
    universe has 512, a feed a few."""

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
        self.port = PORTS[text.kind] if text.port is None else text.port

    def listen(self, say: Say, closing: threading.Event) -> None:
        """Say all channels of every frame until `closing` is set. OSError: the port cannot be had."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as net:
            net.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            net.bind((self._text.host, self.port))
            self.port = net.getsockname()[1]
            self._join(net)
            net.settimeout(TICK)
            while not closing.is_set():
                try:
                    packet = net.recv(2048)
                except TimeoutError:
                    continue
                universe, channels = self._parse(packet)
                if channels and universe == self._text.universe:
                    say(Levels(channels))

    def _join(self, net: socket.socket) -> None:
        """sACN speaks to a group of its own for each universe, unless it is sent to this machine alone."""
        if self._text.kind == "sacn" and not self._text.host.startswith("127."):
            group = socket.inet_aton(f"239.255.{self._text.universe >> 8}.{self._text.universe & 255}")
            here = socket.inet_aton(self._text.host)
            net.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + here)


def art_net(packet: bytes) -> tuple[int, bytes]:
    """Universe and channels of an ArtDmx packet; no channels when it is something else."""
    if len(packet) < 20 or packet[:8] != b"Art-Net\0" or struct.unpack_from("<H", packet, 8)[0] != ART_DMX:
        return 0, b""
    universe = packet[14] | (packet[15] & 0x7F) << 8
    (length,) = struct.unpack_from(">H", packet, 16)
    return universe, packet[18 : 18 + min(length, 512)]


def sacn(packet: bytes) -> tuple[int, bytes]:
    """Universe and channels of an E1.31 data packet; no channels when it is something else, a preview, or of
    another start code."""
    if len(packet) < 126 or packet[4:16] != ACN:
        return 0, b""
    root, framing, options = (
        struct.unpack_from(">I", packet, 18)[0],
        struct.unpack_from(">I", packet, 40)[0],
        packet[112],
    )
    universe, count = struct.unpack_from(">H", packet, 113)[0], struct.unpack_from(">H", packet, 123)[0]
    if (root, framing, packet[117], packet[125]) != (ROOT, FRAMING, DMP, 0) or options & 0x80:
        return 0, b""
    return universe, packet[126 : 125 + min(count, 513)]


def open(text: Dmx) -> Universe:
    """The universe of a feed."""
    return Universe(text)
