"""Controllers as recorded bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import mido
import numpy as np

from perform.faults import Health
from perform.inputs.midi import Midi
from perform.midi import profiles
from perform.signals import Event

PROFILES = [profiles.read_profile(file) for file in sorted(Path("profiles").glob("*.toml"))]
Stream = Iterable[tuple[float, bytes]]  # seconds, and the bytes at that time


class Tape:
    """An input that plays recorded bytes through the MIDI input, as from a port of that name."""

    name = "tape"

    def __init__(self, *streams: Stream, port: str = "tape", midi: Midi | None = None) -> None:
        self._now, self._port = 0.0, port
        self._midi = midi or Midi([], lambda: self._now, backend="no.such.backend", profiles=PROFILES)
        self._midi.close()
        self._parser = mido.Parser()
        self._stream = sorted((piece for stream in streams for piece in stream), key=lambda piece: piece[0])

    def poll(self, until: float) -> list[Event]:
        while self._stream and self._stream[0][0] <= until:
            self._now, data = self._stream.pop(0)
            self._parser.feed(data)
            for message in self._parser:
                self._midi.receive(self._port, message)
        return self._midi.poll(until)

    def health(self) -> Health:
        return Health("ok", "tape")

    def close(self) -> None:
        pass


def turned(
    cc: int, start: int, end: int, at: float, seconds: float = 0.5, channel: int = 0
) -> Iterator[tuple[float, bytes]]:
    """A knob that is turned; every step is sent, as a nanoKONTROL2 does."""
    values = np.linspace(start, end, abs(end - start) + 1).astype(int)
    for time, value in zip(np.linspace(at, at + seconds, len(values)), values, strict=True):
        yield float(time), bytes([0xB0 | channel, cc, int(value)])
