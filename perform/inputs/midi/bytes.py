"""Bytes of a MIDI driver as messages; what is none is counted and dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LENGTHS = {0x80: 3, 0x90: 3, 0xA0: 3, 0xB0: 3, 0xC0: 2, 0xD0: 2, 0xE0: 3}  # of what goes to a channel
COMMON = {0xF1: 2, 0xF2: 3, 0xF3: 2, 0xF6: 1}
REALTIME = frozenset({0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF})
SYSEX, END = 0xF0, 0xF7


class Stream:
    """One port's bytes. A driver hands over whole messages, so running status holds within a packet only:
    data at a packet's beginning is garbage, unless a system exclusive message goes on."""

    def __init__(self) -> None:
        self.garbage = 0  # bytes
        self._status = 0
        self._data: list[int] = []
        self._exclusive = False

    def feed(self, packet: Iterable[int]) -> Iterator[list[int]]:
        """The messages of a packet, each complete, none of them system exclusive."""
        self._forget()
        for byte in packet:
            if byte in REALTIME:
                yield [byte]
            elif byte >= 0x80:
                yield from self._begins(byte)
            elif not self._exclusive:
                yield from self._goes_on(byte)
        self.garbage += len(self._data)
        self._data.clear()

    def _begins(self, status: int) -> Iterator[list[int]]:
        ends, self._exclusive = self._exclusive and status == END, status == SYSEX
        if ends:
            return
        self._forget()
        length = LENGTHS.get(status & 0xF0) or COMMON.get(status, 0)
        if length == 1:
            yield [status]
        elif length:
            self._status, self._data = status, [status]
        elif status != SYSEX:
            self.garbage += 1

    def _goes_on(self, byte: int) -> Iterator[list[int]]:
        if not self._status:
            self.garbage += 1
            return
        if not self._data:  # running status
            self._data.append(self._status)
        self._data.append(byte)
        if len(self._data) == (LENGTHS.get(self._status & 0xF0) or COMMON[self._status]):
            yield self._data
            self._data = []
            self._status = self._status if self._status < SYSEX else 0

    def _forget(self) -> None:
        self.garbage += len(self._data)
        self._status, self._data = 0, []
