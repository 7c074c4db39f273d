"""Lines from a serial port: each is JSON, CSV, key=value pairs or a number."""

from __future__ import annotations

import threading

from perform.inputs.feeds import POLL_INTERVAL, Report
from perform.inputs.feeds.document import Serial
from perform.inputs.feeds.messages import LONGEST_LINE, fields


class SerialPort:
    """A serial port."""

    def __init__(self, text: Serial) -> None:
        self._text = text

    def listen(self, report: Report, closing: threading.Event) -> None:
        """Report the fields of every line until `closing` is set. OSError: the port is gone."""
        import serial

        with serial.Serial(self._text.device, self._text.baud, timeout=POLL_INTERVAL) as port:
            splitter = LineSplitter()
            while not closing.is_set():
                for line in splitter.cut(port.read(max(port.in_waiting, 1))):
                    report(fields(line))


class LineSplitter:
    """Cuts bytes into lines of LONGEST_LINE bytes at most; longer ones are dropped. So is what comes before
    the first line end: its beginning is missing."""

    def __init__(self) -> None:
        self._rest: bytes | None = None

    def cut(self, chunk: bytes) -> list[str]:
        """The lines that a chunk completes."""
        *whole, rest = ((self._rest or b"") + chunk).replace(b"\r", b"\n").split(b"\n")
        begun, self._rest = self._rest is not None, self._rest
        if whole or begun:
            self._rest = rest[-LONGEST_LINE - 1 :]
        lines = whole if begun else whole[1:]
        return [line.decode(errors="replace") for line in lines if 0 < len(line) <= LONGEST_LINE]
