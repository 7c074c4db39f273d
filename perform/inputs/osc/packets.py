"""OSC 1.0 packets: bytes into messages, and back.

The specification: M. Wright, The Open Sound Control 1.0 Specification (2002); of version 1.1 the type I,
an impulse. Single values are read by python-osc; its packets are not used, since they log a line for
each odd byte of an unknown sender, and have no limits of depth and arguments.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.parsing import osc_types

BUNDLE = b"#bundle\0"
AT_ONCE = struct.pack(">Q", 1)  # the time tag of a bundle for now
DEEPEST_BUNDLE = 8  # bundles within bundles
MOST_ARGUMENTS = 64  # of a message
READ_ERRORS = (osc_types.ParseError, ValueError, IndexError, OverflowError, struct.error)
ARGUMENT_READERS: Mapping[str, Callable[[bytes, int], tuple[Any, int]]] = {
    "i": osc_types.get_int,
    "c": osc_types.get_int,
    "h": osc_types.get_int64,
    "f": osc_types.get_float,
    "d": osc_types.get_double,
    "s": osc_types.get_string,
    "S": osc_types.get_string,
    "b": osc_types.get_blob,
    "r": osc_types.get_rgba,
    "m": osc_types.get_midi,
    "t": osc_types.get_timetag,
}
NUMBERS = frozenset("ifhd")
LONGEST_HEAD = 192  # bytes of an address with its type tags that are cached
CONSTANTS = {"T": True, "F": False}
WITHOUT_VALUE = "NI[]"  # nil, impulse, and the brackets of a list


class PacketError(ValueError):
    """Bytes that are not OSC."""


class Message(NamedTuple):
    """A message: its address pattern, its arguments (a colour is four of them, 0..1; None what no signal
    can hold), and when it is due in seconds since 1970; None: at once."""

    address: str
    arguments: tuple[float | str | None, ...] = ()
    due: float | None = None


def messages(packet: bytes) -> list[Message]:
    """The messages of a packet, also of the bundles within it. Raises PacketError."""
    try:
        return list(_unpacked(packet, None, 0))
    except READ_ERRORS as error:
        raise PacketError(str(error)) from error


def message(address: str, arguments: Iterable[float | str | bool]) -> bytes:
    """A message as a packet; floats are sent as 32 bits, whole numbers (int) as whole."""
    builder = OscMessageBuilder(address)
    try:
        for argument in arguments:
            builder.add_arg(argument)
        return bytes(builder.build().dgram)
    except (BuildError, ValueError, OverflowError) as error:
        raise PacketError(f"{address}: {error}") from error


def bundle(packets: Iterable[bytes]) -> bytes:
    """Packets as one, to be taken at once and at one moment."""
    return BUNDLE + AT_ONCE + b"".join(struct.pack(">i", len(packet)) + packet for packet in packets)


def _unpacked(packet: bytes, due: float | None, depth: int) -> Iterator[Message]:
    if not packet.startswith(BUNDLE):
        yield _read_message(packet, due)
        return
    if depth == DEEPEST_BUNDLE:
        raise PacketError(f"more than {DEEPEST_BUNDLE} bundles within each other")
    if packet[8:16] != AT_ONCE:
        due = float(osc_types.get_date(packet, 8)[0])
    at = 16
    if len(packet) < at:
        raise PacketError("a bundle without a time tag")
    while at < len(packet):
        (size,) = struct.unpack_from(">i", packet, at)
        if not 0 < size <= len(packet) - at - 4:
            raise PacketError(f"an element of {size} bytes in a bundle of {len(packet)}")
        yield from _unpacked(packet[at + 4 : at + 4 + size], due, depth + 1)
        at += 4 + size


def _read_message(packet: bytes, due: float | None) -> Message:
    if not packet.startswith(b"/"):
        raise PacketError("an address begins with /")
    at = _padded(packet.index(0))
    if at >= len(packet):
        return Message(osc_types.get_string(packet, 0)[0], (), due)
    at = _padded(packet.index(0, at))
    address, tags, numbers = (_head if at <= LONGEST_HEAD else _head.__wrapped__)(packet[:at])
    if numbers is not None and len(packet) - at == numbers.size:
        return Message(address, numbers.unpack_from(packet, at), due)
    return Message(address, tuple(_arguments(packet, tags[:MOST_ARGUMENTS], at)), due)


@lru_cache(maxsize=4096)
def _head(head: bytes) -> tuple[str, str, struct.Struct | None]:
    """A message's address and type tags; and how its numbers are read at one go, where it has nothing
    else: a fader sends the same head thousands of times."""
    address, at = osc_types.get_string(head, 0)
    tags, _ = osc_types.get_string(head, at)
    if not tags.startswith(","):
        raise PacketError(f"type tags {tags!r}, must begin with a comma")
    plain = 1 < len(tags) <= MOST_ARGUMENTS and NUMBERS.issuperset(tags[1:])
    return address, tags[1:], struct.Struct(">" + tags[1:].replace("h", "q")) if plain else None


def _padded(at: int) -> int:
    """The position after a text that ends at `at`, padded to four bytes."""
    return (at // 4 + 1) * 4


def _arguments(packet: bytes, tags: str, at: int) -> Iterator[float | str | None]:
    for tag in tags:
        if tag in CONSTANTS:
            yield CONSTANTS[tag]
        elif tag in ARGUMENT_READERS:
            value, at = ARGUMENT_READERS[tag](packet, at)
            if tag == "r":
                yield from ((value >> shift & 255) / 255 for shift in (24, 16, 8, 0))
            else:
                yield value if tag in "ichfdsS" else None
        elif tag not in WITHOUT_VALUE:
            raise PacketError(f"unknown type {tag!r}")
