"""Bytes of a MIDI driver as messages; all others are counted and dropped.

Parsed by hand: mido's parser has no running status, and drops a message that a realtime byte interrupts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

CHANNEL_LENGTHS = {0x80: 3, 0x90: 3, 0xA0: 3, 0xB0: 3, 0xC0: 2, 0xD0: 2, 0xE0: 3}
COMMON_LENGTHS = {0xF1: 2, 0xF2: 3, 0xF3: 2, 0xF6: 1}
REALTIME_BYTES = frozenset({0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF})
SYSEX, SYSEX_END = 0xF0, 0xF7


class MidiParser:
    """Parses the bytes of one port. A driver sends whole messages, so running status holds within a packet
    only: data at the beginning of a packet is garbage, unless a system exclusive message continues."""

    def __init__(self) -> None:
        self.garbage = 0  # bytes
        self._status = 0
        self._data: list[int] = []
        self._exclusive = False

    def feed(self, packet: Iterable[int]) -> Iterator[list[int]]:
        """The complete messages of a packet, without system exclusive ones."""
        self._reset()
        for byte in packet:
            if byte in REALTIME_BYTES:
                yield [byte]
            elif byte >= 0x80:
                yield from self._take_status(byte)
            elif not self._exclusive:
                yield from self._take_data(byte)
        self.garbage += len(self._data)
        self._data.clear()

    def _take_status(self, status: int) -> Iterator[list[int]]:
        ends, self._exclusive = self._exclusive and status == SYSEX_END, status == SYSEX
        if ends:
            return
        self._reset()
        length = CHANNEL_LENGTHS.get(status & 0xF0) or COMMON_LENGTHS.get(status, 0)
        if length == 1:
            yield [status]
        elif length:
            self._status, self._data = status, [status]
        elif status != SYSEX:
            self.garbage += 1

    def _take_data(self, byte: int) -> Iterator[list[int]]:
        if not self._status:
            self.garbage += 1
            return
        if not self._data:  # running status
            self._data.append(self._status)
        self._data.append(byte)
        if len(self._data) == (CHANNEL_LENGTHS.get(self._status & 0xF0) or COMMON_LENGTHS[self._status]):
            yield self._data
            self._data = []
            self._status = self._status if self._status < SYSEX else 0

    def _reset(self) -> None:
        self.garbage += len(self._data)
        self._status, self._data = 0, []
