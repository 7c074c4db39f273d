"""MIDI clock, sent: 24 pulses to the quarter, with start, stop and song position, to a port by name.

A thread computes the time of each pulse from the show's grid and waits for it, so that the clock is as steady
at 10 frames a second as at 60.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import Literal, TypeAlias

from perform.clock import BEATS_PER_BAR, Tempo
from perform.faults import Health, reason
from perform.midi import ports as midiports
from perform.midi.ports import SCAN_INTERVAL
from perform.threads import Background

PULSES = 24  # per quarter note
BAR, SIXTEENTH = PULSES * BEATS_PER_BAR, PULSES // 4  # pulses
POSITIONS = 1 << 14  # sixteenths that a song position can count
STATUS = {"clock": 0xF8, "start": 0xFA, "continue": 0xFB, "stop": 0xFC, "songpos": 0xF2}
LONGEST_WAIT = 0.02  # seconds until a pulse's time is computed again: the grid may change
GRID_JUMP = 3.0  # pulses: after a grid moved further, the song is located again

log = logging.getLogger("perform")
PendingStart: TypeAlias = Literal["start", "continue", ""]


class PulseSchedule:
    """The messages that are due by the grid of a show, as (kind, position in sixteenths)."""

    def __init__(self) -> None:
        self._tempo: Tempo | None = None
        self._next = 0  # pulse, counted from the show's first bar
        self._origin = 0  # the pulse that was the song's beginning
        self._pending: PendingStart = "start"

    def restart(self) -> None:
        """A port was opened: start at the next bar."""
        self._tempo, self._pending = None, "start"

    def wait(self, tempo: Tempo, now: float) -> float:
        """Seconds until the next pulse, at most LONGEST_WAIT; 0 when it is due."""
        here, there = _pulse(tempo, now), _pulse(tempo, now + LONGEST_WAIT)
        share = (self._next - here) / (there - here)  # the grid is straight, but for a kink now and then
        return LONGEST_WAIT * min(max(share, 0.0), 1.0)

    def due(self, tempo: Tempo, now: float) -> list[tuple[str, int]]:
        """The messages that are due at `now`, in order."""
        messages = self._moved(tempo, now)
        while self._next <= _pulse(tempo, now):
            messages += self._located()
            messages.append(("clock", 0))
            self._next += 1
        return messages

    def _moved(self, tempo: Tempo, now: float) -> list[tuple[str, int]]:
        """Follow the grid; after it jumped, or was missed for a beat, the song stops and is located again."""
        here, before = _pulse(tempo, now), self._tempo
        self._tempo = tempo
        jumped = before is not None and before is not tempo and abs(here - _pulse(before, now)) > GRID_JUMP
        if before is not None and not jumped and here - self._next < PULSES:
            return []
        self._next = math.ceil(here)
        if self._pending:
            return []
        self._pending = "continue"
        return [("stop", 0)]

    def _located(self) -> list[tuple[str, int]]:
        """The messages before the next pulse."""
        pending = self._pending
        if pending == "start" and self._next % BAR == 0:
            self._origin, self._pending = self._next, ""
            return [("start", 0)]
        if pending == "continue" and self._next % SIXTEENTH == 0:
            self._pending = ""
            position = (self._next - self._origin) // SIXTEENTH % POSITIONS
            return [("songpos", position), ("continue", 0)]
        return []


class MidiClockSender:
    """Sends MIDI clock to the port whose name contains `port`; `tempo` is the show's grid, `now` its time.

    The port may come and go; `fault` is why there is none. Closing sends a stop. `api` is one of
    rtmidi's, such as UNIX_JACK; None is the system's own.
    """

    def __init__(
        self, port: str, tempo: Callable[[], Tempo], now: Callable[[], float], api: str | None = None
    ) -> None:
        self.name, self.fault = "midi clock", "no port yet"
        self._wanted, self._tempo, self._now, self._api = port.casefold(), tempo, now, api
        self._pulses = PulseSchedule()
        self._scanner = midiports.PortScanner("out", api)
        self._port: midiports.Client | None = None
        self._opened = ""
        self._lock = threading.RLock()
        self._threads = [Background(run, self.name) for run in (self._watch, self._tick)]

    def health(self) -> Health:
        return Health("waiting" if self.fault else "ok", self.fault)

    def close(self) -> None:
        """Stop the song and close the port; safe to call twice."""
        for thread in self._threads:
            thread.close()
        self._send([("stop", 0)])
        self._close_port()

    def _watch(self, closing: threading.Event) -> None:
        wait = 0.0
        logged = ""
        while not closing.wait(wait):
            wait = SCAN_INTERVAL
            try:
                self._scan()
            except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next scan may work
                self.fault = reason(error)
            if self.fault != logged and (logged := self.fault):
                log.warning("midi clock: %s", logged)
        self._scanner.close()

    def _scan(self) -> None:
        names = self._scanner.names()
        if self._port is not None and self._opened not in names:
            log.warning("midi clock: port %s has gone", self._opened)
            self._close_port()
        found = next((name for name in names if self._wanted in name.casefold()), None)
        if found is None:
            self.fault = f"no such port (there are: {', '.join(names) or 'none'})"
        elif self._port is None:
            self._open(found, names.index(found))

    def _open(self, name: str, number: int) -> None:
        port = midiports.open_output(number, "clock", self._api)
        with self._lock:
            self._port, self._opened, self.fault = port, name, ""
            self._pulses.restart()

    def _tick(self, closing: threading.Event) -> None:
        while not closing.is_set():
            with self._lock:
                due = self._pulses.due(self._tempo(), self._now()) if self._port else []
            self._send(due)
            with self._lock:
                wait = self._pulses.wait(self._tempo(), self._now()) if self._port else LONGEST_WAIT
            closing.wait(wait)

    def _send(self, messages: list[tuple[str, int]]) -> None:
        """Send to the port, if there is one; a port that fails is closed, and opened by a later scan."""
        with self._lock:  # a closed port must not be touched
            if self._port is None:
                return
            try:
                for kind, position in messages:
                    data = (position & 127, position >> 7) if kind == "songpos" else ()
                    self._port.send_message([STATUS[kind], *data])
            except Exception as error:  # noqa: BLE001 - drivers raise what they like
                log.warning("midi clock: %s: %s", self._opened, reason(error))
                self._close_port()

    def _close_port(self) -> None:
        with self._lock:
            port, self._port = self._port, None
            if port is not None:
                midiports.close_client(port)


def _pulse(tempo: Tempo, seconds: float) -> float:
    return tempo.bar(seconds) * BAR
