"""OSC 1.0 packets: bytes into messages, and back.

The specification: M. Wright, The Open Sound Control 1.0 Specification (2002); of version 1.1 the type I,
an impulse. Single values are read by python-osc; its packets are not used, since they log a line for
each odd byte of an unknown sender, and have no limits of depth and arguments.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

from pythonosc.osc_message_builder import BuildError, OscMessageBuilder
from pythonosc.parsing import osc_types

BUNDLE = b"#bundle\0"
AT_ONCE = struct.pack(">Q", 1)  # the time tag of a bundle for now
DEEPEST_BUNDLE = 8  # bundles within bundles
MOST_ARGUMENTS = 1024  # of a message
READ_ERRORS = (osc_types.ParseError, ValueError, IndexError, OverflowError, struct.error)
WITHOUT_SLASH = re.compile(rb"[A-Za-z0-9_.][^\0]*+\0++,")  # an address whose sender forgets the first /


def _binary_number(form: struct.Struct, packet: bytes, at: int) -> tuple[Any, int]:
    """The number at a place of a packet, and the place after it. struct.error if it is cut off."""
    return form.unpack_from(packet, at)[0], at + form.size


ARGUMENT_READERS: Mapping[str, Callable[[bytes, int], tuple[Any, int]]] = {
    "i": osc_types.get_int,
    "c": osc_types.get_int,
    "h": osc_types.get_int64,
    "f": partial(_binary_number, struct.Struct(">f")),  # python-osc reads what is cut off as 0
    "d": partial(_binary_number, struct.Struct(">d")),
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


def messages(packet: bytes, drop: Callable[[str], None] = lambda fault: None) -> list[Message]:
    """The messages of a packet, also of the bundles within it. Raises PacketError if none can be read.

    `drop` gets the fault of everything that is left out: an element of a bundle (of an unknown type, or cut
    off), and arguments beyond MOST_ARGUMENTS.
    """
    try:
        return _unpacked(packet, None, 0, drop)
    except READ_ERRORS as error:
        raise PacketError(_sentence(error)) from error


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


def _unpacked(packet: bytes, due: float | None, depth: int, drop: Callable[[str], None]) -> list[Message]:
    if not packet.startswith(BUNDLE):
        return [_read_message(packet, due, drop)]
    if depth == DEEPEST_BUNDLE:
        raise PacketError(f"more than {DEEPEST_BUNDLE} bundles within each other")
    elements = list(_elements(packet))
    if packet[8:16] != AT_ONCE:
        due = float(osc_types.get_date(packet, 8)[0])
    found: list[Message] = []
    for element in elements:
        try:
            found += _unpacked(element, due, depth + 1, drop)
        except READ_ERRORS as error:  # OSC 1.0: the other messages of the bundle are taken
            drop(_sentence(error))
    return found


def _elements(bundle: bytes) -> Iterator[bytes]:
    """The elements of a bundle. PacketError where their sizes do not fit: none of them can be trusted."""
    at = 16
    if len(bundle) < at:
        raise PacketError("a bundle without a time tag")
    while at < len(bundle):
        (size,) = struct.unpack_from(">i", bundle, at)
        if not 0 < size <= len(bundle) - at - 4:
            raise PacketError(f"an element of {size} bytes in a bundle of {len(bundle)}")
        yield bundle[at + 4 : at + 4 + size]
        at += 4 + size


def _read_message(packet: bytes, due: float | None, drop: Callable[[str], None]) -> Message:
    if not packet.startswith(b"/") and not WITHOUT_SLASH.match(packet):
        raise PacketError("an address begins with /")
    at = _padded(packet.index(0))
    if at >= len(packet):
        return Message(_address(osc_types.get_string(packet, 0)[0]), (), due)
    at = _padded(packet.index(0, at))
    address, tags, numbers = (_head if at <= LONGEST_HEAD else _head.__wrapped__)(packet[:at])
    if numbers is not None and len(packet) - at == numbers.size:
        return Message(address, numbers.unpack_from(packet, at), due)
    arguments = list(_arguments(packet, tags, at))
    if len(arguments) > MOST_ARGUMENTS:
        drop(f"{address}: {len(arguments)} arguments, the first {MOST_ARGUMENTS} are heard")
    return Message(address, tuple(arguments[:MOST_ARGUMENTS]), due)


def _address(text: str) -> str:
    """An address as OSC spells it: some senders forget the first slash, or add a last one."""
    return "/" + text.strip("/")


def _sentence(error: Exception) -> str:
    """A fault of a packet; those of struct and of python-osc are about code."""
    if isinstance(error, UnicodeError):
        return "a text that is not UTF-8"
    return str(error) if isinstance(error, PacketError) else "a message that is cut off"


@lru_cache(maxsize=4096)
def _head(head: bytes) -> tuple[str, str, struct.Struct | None]:
    """A message's address and type tags; and how its numbers are read at one go, where it has nothing
    else: a fader sends the same head thousands of times."""
    address, at = osc_types.get_string(head, 0)
    tags, _ = osc_types.get_string(head, at)
    if not tags.startswith(","):
        raise PacketError(f"type tags {tags!r}, must begin with a comma")
    plain = 1 < len(tags) <= MOST_ARGUMENTS and NUMBERS.issuperset(tags[1:])
    return _address(address), tags[1:], struct.Struct(">" + tags[1:].replace("h", "q")) if plain else None


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
    if any(packet[at:]):  # zeros are only padding
        raise PacketError(f"{len(packet) - at} bytes after the last argument")
