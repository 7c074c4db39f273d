"""MIDI: control changes, notes, pitch bend, pressure and programs of any port, by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from perform.faults import reason
from perform.inputs import Health
from perform.inputs.midi.device import Device
from perform.midi.clock import REALTIME, MidiClocks
from perform.midi.names import device_name, free_name
from perform.midi.ports import LOOK
from perform.midi.profiles import Profile
from perform.signals import Event

RTMIDI = "perform.inputs.midi.rtmidi"
REMEMBERED = 64  # ports whose devices' names are kept
OWN = ("rtmidi", "perform", "midi through")  # ports that nobody plays


class Midi:
    """Listens to the ports whose names contain one of `ports` (None: to all); `now` is the show's time.

    `midi.cc21` 0..1, `midi.note60` its velocity 0..1 and 0 when it is let go, `midi.pitch` -1..1,
    `midi.pressure` 0..1, `midi.program` 0..127; each also of its channel and of its device (see
    `_midi_device`), and by the names that `profiles` have for it. `midi.scene` is the scene that a program
    or a pad asks for, for one frame. Clocks go to `clocks` with the time at which they came.

    Ports are looked for every second: they may come and go, and a note that was held on one
    that went is let go. A device keeps its name when it comes back. `backend` is one of mido's.
    """

    def __init__(
        self,
        ports: Sequence[str] | None,
        now: Callable[[], float],
        backend: str | None = None,
        profiles: Sequence[Profile] = (),
    ) -> None:
        self.name = "midi"
        self.clocks = MidiClocks()
        self._wanted = None if ports is None else [port.casefold() for port in ports]
        self._now, self._backend, self._profiles = now, backend, tuple(profiles)
        self._played: frozenset[str] = frozenset()
        self._looker: Any = None
        self._open: dict[str, Any] = {}
        self._devices: dict[str, Device] = {}  # by port
        self._known: dict[str, Device] = {}  # by name; what a device has been turned to outlasts its absence
        self._called: dict[str, str] = {}  # what the device of a port was called last
        self._faults: dict[str, str] = {}
        self._note = "no port yet"
        self._garbage = 0  # bytes, of ports that went
        self._anew = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="midi", daemon=True)
        self._thread.start()

    @property
    def devices(self) -> Mapping[str, Device]:
        """The devices that are there, by port."""
        return {port: self._devices[port] for port in list(self._open) if port in self._devices}

    @property
    def garbage(self) -> int:
        """Bytes that were no message."""
        return self._garbage + sum(getattr(port, "garbage", 0) for port in list(self._open.values()))

    def use(self, profiles: Sequence[Profile], played: Collection[str] = frozenset()) -> None:
        """Other profiles, from the next look at the ports on (the same change nothing), and the signals that
        formulas hear: a pad among them asks for no scene."""
        self._played = frozenset(played)
        for device in list(self._known.values()):
            device.use(self._played)
        if tuple(profiles) != self._profiles:
            self._profiles = tuple(profiles)
            self._anew.set()

    def poll(self, until: float) -> list[Event]:
        said = [event for device in list(self._known.values()) for event in device.take(until)]
        said.sort(key=lambda event: event.time)
        return [*said, *self.clocks.take(until)]

    def health(self) -> Health:
        names = ", ".join(f"{device.name} ({port})" for port, device in self.devices.items())
        faults = [f"{port}: {fault}" for port, fault in list(self._faults.items())]
        garbage = [f"{self.garbage} bytes of garbage"] if self.garbage else []
        if names:
            return Health("ok", "; ".join((names, *faults, *garbage)))
        return Health("waiting", "; ".join((f"midi: {self._note}", *faults)))

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=5)

    def hear(self, port: str, message: Any) -> None:
        """A message of a port."""
        now = self._now()
        kind = message.type
        if kind in REALTIME:
            self.clocks.hear(port, kind, now, message.pos if kind == "songpos" else 0)
        (self._devices.get(port) or self._device(port)).hear(now, message)

    def _device(self, port: str) -> Device:
        """The device behind a port, under its old name if that is free."""
        profile = next((one for one in self._profiles if one.plays(port)), None)
        taken = {device.name for device in self._devices.values()}
        name = self._called.pop(port, "")
        if not name or name in taken:
            name = free_name(profile.name if profile else device_name(port), taken)
        self._called[port] = name
        if len(self._called) > REMEMBERED:
            del self._called[next(iter(self._called))]
        device = self._known.get(name)
        if device is None or device.profile != profile:
            device = self._known[name] = Device(name, profile, self._played)
        self._devices[port] = device
        if len(self._known) > REMEMBERED:
            there = self._devices.values()
            self._known.pop(next((name for name, one in self._known.items() if one not in there), ""), None)
        return device

    def _watch(self) -> None:
        wait = 0.0
        while not self._closing.wait(wait):
            self._look()
            wait = LOOK
        for port in list(self._open):
            self._let_go(port)
        if self._looker is not None:
            self._looker.close()

    def _look(self) -> None:
        """Open the ports that came, close those that went."""
        try:
            there = self._ports()
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next look may do
            self._note = reason(error)
            return
        if self._anew.is_set():
            self._anew.clear()
            self._forget()
        for port in [port for port in self._open if port not in there]:
            self._let_go(port)
        self._faults = {port: fault for port, fault in self._faults.items() if port in there}
        for port in [port for port in there if port not in self._open]:
            self._listen(port)

    def _ports(self) -> list[str]:
        names = self._names()
        self._note = f"no such port (there are: {', '.join(names) or 'none'})"
        return [name for name in names if _wanted(name, self._wanted)]

    def _names(self) -> list[str]:
        backend = _opened(self._backend)
        if self._looker is None and hasattr(backend.module, "looker"):
            self._looker = backend.module.looker(backend.api)
        return list(self._looker.names()) if self._looker else ports(self._backend)

    def _forget(self) -> None:
        """Take every device anew, as it is with other profiles."""
        for port in list(self._open):
            self._let_go(port)
        self._known, self._called = {}, {}

    def _listen(self, port: str) -> None:
        self._device(port)
        backend = _opened(self._backend)
        try:
            self._open[port] = backend.open_input(port, callback=lambda said: self.hear(port, said))
            self._faults.pop(port, None)
        except Exception as error:  # noqa: BLE001 - one that cannot be opened leaves the others be
            self._faults[port] = reason(error)
            self._devices.pop(port, None)

    def _let_go(self, port: str) -> None:
        opened = self._open[port]
        try:
            opened.close()
        except Exception as error:  # noqa: BLE001 - it has gone, whatever its driver thinks of it
            self._note = reason(error)
        self._garbage += getattr(opened, "garbage", 0)
        self.clocks.forget(port)
        device = self._devices.pop(port, None)
        if device is not None:
            device.let_go(self._now())
        del self._open[port]


def ports(backend: str | None = None) -> list[str]:
    """The names of the ports that are there. Raises OSError where there is no MIDI."""
    return list(dict.fromkeys(_opened(backend).get_input_names()))


def _opened(backend: str | None) -> Any:
    import mido

    return mido.Backend(backend or RTMIDI)


def _wanted(name: str, wanted: Sequence[str] | None) -> bool:
    low = name.casefold()
    if wanted is None:
        return not low.startswith(OWN)
    return any(one in low for one in wanted)
