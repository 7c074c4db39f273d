"""Lines from a serial port: JSON, CSV, key=value or a number each."""

from __future__ import annotations

import threading

from perform.inputs.feeds import Say
from perform.inputs.feeds.document import Serial, numbers

LINE = 4096  # bytes of a line; a longer one is dropped
TICK = 0.2  # seconds within which closing is noticed


class Port:
    """A serial port."""

    def __init__(self, text: Serial) -> None:
        self._text = text

    def listen(self, say: Say, closing: threading.Event) -> None:
        """Say the numbers of every line until `closing` is set. OSError: the port is gone."""
        import serial

        with serial.Serial(self._text.device, self._text.baud, timeout=TICK) as port:
            lines = Lines()
            while not closing.is_set():
                for line in lines.cut(port.read(max(port.in_waiting, 1))):
                    say(numbers(line))


class Lines:
    """Bytes cut into lines; what came before the first end of a line is left out, for it has no beginning."""

    def __init__(self) -> None:
        self._rest: bytes | None = None

    def cut(self, chunk: bytes) -> list[str]:
        """The lines that a chunk completes."""
        *whole, rest = ((self._rest or b"") + chunk).replace(b"\r", b"\n").split(b"\n")
        begun, self._rest = self._rest is not None, self._rest
        if whole or begun:
            self._rest = rest[-LINE - 1 :]
        lines = whole if begun else whole[1:]
        return [line.decode(errors="replace") for line in lines if 0 < len(line) <= LINE]


def open(text: Serial) -> Port:
    """The port of a feed."""
    return Port(text)
