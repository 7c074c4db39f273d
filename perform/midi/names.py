"""The names of MIDI signals: `midi.cc21` of any device, `midi.ch2.cc21` of a channel, `midi.midimix.fader1`
of a controller that has a profile, `midi.midimix_2.fader1` of the second of its kind."""

from __future__ import annotations

import re
from collections.abc import Collection

MOST_REMEMBERED = 64  # ports whose devices' names are kept
_BYTE = r"(?: \d | [1-9]\d | 1[01]\d | 12[0-7] )"
_BOTH = r"(?: \d | [1-9]\d{1,3} | 1[0-5]\d{3} | 16[0-2]\d{2} | 163[0-7]\d | 1638[0-3] )"  # 14 bits
_BODY = rf"""
    (?:
        cc {_BYTE} (?: \.fine )? | note {_BYTE} (?: \.pressure )? | n?rpn {_BOTH}
        | pitch | program | pressure
    )
"""
_CHANNEL = r"(?: ch (?: [1-9] | 1[0-6] ) \. )?"
_MESSAGE = r"(?: ch | cc | note | n?rpn ) \d* | pitch | program | pressure"
_DEVICE = rf"(?! (?: {_MESSAGE} | scene | start | stop | continue ) \b ) [a-z]\w*"
_CONTROL = rf"(?! (?: {_MESSAGE} ) \b ) [a-z]\w*"
_SHARED = r"(?: knob | fader | pad | button ) [1-9]\d{0,2}"
PLAIN_MESSAGE = re.compile(rf"{_CHANNEL} {_BODY}", re.VERBOSE | re.ASCII)
MIDI_SIGNAL = re.compile(
    rf"""
    midi\. (?:
        {_CHANNEL} {_BODY} | {_SHARED} | scene | start | stop | continue
        | {_DEVICE} \. (?: {_CHANNEL} {_BODY} | {_CONTROL} )
    )
    """,
    re.VERBOSE | re.ASCII,
)
MIDI_SYNTAX = (
    "midi.cc0 to midi.cc127, midi.note0 to midi.note127, midi.nrpn0 to midi.nrpn16383, midi.pitch, "
    "midi.program or midi.pressure, those of a channel as midi.ch1.cc0 (ch1 to ch16), or a control of a "
    "profile: midi.fader1 of any, midi.midimix.fader1 of one"
)
SHARED_CONTROL = re.compile(_SHARED, re.VERBOSE | re.ASCII)  # controls whose names need no device
DEVICE_NAME = re.compile(_DEVICE, re.VERBOSE | re.ASCII)
CONTROL_NAME = re.compile(_CONTROL, re.VERBOSE | re.ASCII)


def device_name(port: str) -> str:
    """A port's name as a word: `nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0` is nanokontrol2."""
    client = port.partition(":")[0]
    word = re.sub(r"[^a-z0-9]+", "_", client.casefold()).strip("_")[:32].strip("_")
    return word if DEVICE_NAME.fullmatch(word) else f"port_{word}"[:32].rstrip("_")


def free_name(name: str, taken: Collection[str]) -> str:
    """The first of `name`, `name_2`, `name_3` … that is not taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


class DeviceNames:
    """The names of the devices behind ports: a device that comes back has its old name, if that is free."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}  # by port

    def __len__(self) -> int:
        return len(self._last)

    def name(self, port: str, kind: str, taken: Collection[str]) -> str:
        """The name of the device of this kind at a port."""
        name = self._last.pop(port, "")
        if device_kind(name) != kind or name in taken:
            name = free_name(kind, taken)
        self._last[port] = name
        if len(self._last) > MOST_REMEMBERED:
            del self._last[next(iter(self._last))]
        return name


def device_kind(device: str) -> str:
    """The kind of a device: `midimix_2` is a midimix."""
    return re.sub(r"_[2-9]\d?$|_1\d$", "", device)
