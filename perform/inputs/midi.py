"""MIDI: control changes, notes, pitch bend, pressure and programs of any port, by name."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from perform.inputs import Health
from perform.inputs._slots import Slots
from perform.signals import Event

RTMIDI = "mido.backends.rtmidi"
LOOK = 2.0  # seconds between two looks at the list of ports
SEQUENCER = Path("/dev/snd/seq")  # ALSA complains on the terminal about each look when it is missing
OWN = ("rtmidi", "perform", "midi through")  # ports that nobody plays


class Midi:
    """Listens to the ports whose names contain one of `ports` (None: to all); `now` is the show's time.

    `midi.cc21` 0..1, `midi.note60` its velocity 0..1 and 0 when it is let go, `midi.pitch` -1..1,
    `midi.pressure` 0..1, `midi.program` 0..127; each also as `midi.ch2.cc21` for its channel (1..16).
    Ports are looked for every two seconds: they may come and go, and a note that was held on one
    that went is let go. `backend` is one of mido's.
    """

    def __init__(
        self, ports: Sequence[str] | None, now: Callable[[], float], backend: str | None = None
    ) -> None:
        self.name = "midi"
        self._wanted = None if ports is None else [port.casefold() for port in ports]
        self._now, self._backend = now, backend
        self._slots = Slots()
        self._open: dict[str, Any] = {}
        self._held: dict[str, set[str]] = {}
        self._note = "no port yet"
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._thread.start()

    def poll(self, until: float) -> list[Event]:
        return self._slots.take(until)

    def health(self) -> Health:
        names = ", ".join(list(self._open))
        return Health("ok", names) if names else Health("waiting", f"midi: {self._note}")

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=5)

    def hear(self, port: str, message: Any) -> None:
        """A message of a port."""
        now = self._now()
        for name, value in said(message):
            self._slots.put(now, name, value)
            if ".note" in name:
                held = self._held.setdefault(port, set())
                (held.add if value else held.discard)(name)

    def _watch(self) -> None:
        wait = 0.0
        while not self._closing.wait(wait):
            self._look()
            wait = LOOK
        for name in list(self._open):
            self._let_go(name)

    def _look(self) -> None:
        """Open the ports that came, close those that went."""
        try:
            there = self._ports()
            for name in self._open.keys() - there:
                self._let_go(name)
            for name in there - self._open.keys():
                self._listen(name)
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next look may do
            self._note = str(error) or type(error).__name__

    def _ports(self) -> set[str]:
        names = ports(self._backend)
        self._note = f"no such port (there are: {', '.join(names) or 'none'})"
        return {name for name in names if _wanted(name, self._wanted)}

    def _listen(self, name: str) -> None:
        import mido

        backend = mido.Backend(self._backend or RTMIDI)
        self._open[name] = backend.open_input(name, callback=lambda said: self.hear(name, said))

    def _let_go(self, name: str) -> None:
        now = self._now()
        for note in self._held.pop(name, set()):
            self._slots.put(now, note, 0.0)
        self._open.pop(name).close()


def ports(backend: str | None = None) -> list[str]:
    """The names of the ports that are there. Raises OSError where there is no MIDI."""
    import mido

    if backend is None and sys.platform == "linux" and not SEQUENCER.exists():
        raise OSError(f"no ALSA sequencer ({SEQUENCER})")
    return list(mido.Backend(backend or RTMIDI).get_input_names())


def said(message: Any) -> Iterable[tuple[str, float]]:
    """What a mido message says, as names and values: nothing for what is not played by hand."""
    match message.type:
        case "control_change":
            name, value = f"cc{message.control}", message.value / 127
        case "note_on":
            name, value = f"note{message.note}", message.velocity / 127
        case "note_off":
            name, value = f"note{message.note}", 0.0
        case "pitchwheel":
            name, value = "pitch", max(message.pitch / 8191, -1.0)
        case "aftertouch":
            name, value = "pressure", message.value / 127
        case "program_change":
            name, value = "program", float(message.program)
        case _:
            return ()
    return ((f"midi.{name}", value), (f"midi.ch{message.channel + 1}.{name}", value))


def _wanted(name: str, wanted: Sequence[str] | None) -> bool:
    low = name.casefold()
    if wanted is None:
        return not low.startswith(OWN)
    return any(one in low for one in wanted)
