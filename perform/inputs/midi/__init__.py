"""MIDI: control changes, notes, pitch bend, pressure and programs of any port, by name."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from perform.faults import Health, reason
from perform.inputs.listener import Listener
from perform.inputs.midi.device import MidiDevice
from perform.midi.clock import REALTIME, MidiClocks
from perform.midi.names import MOST_REMEMBERED, DeviceNames, device_name
from perform.midi.ports import SCAN_INTERVAL, PortScanner
from perform.midi.profiles import Profile
from perform.signals import Event

if TYPE_CHECKING:
    import mido

log = logging.getLogger("perform")
RTMIDI_BACKEND = "perform.inputs.midi.rtmidi"
SYSTEM_PORTS = ("rtmidi", "perform", "midi through")  # beginnings of ports that nobody plays


class InputPort(Protocol):
    """An open port of a mido backend."""

    def close(self) -> None: ...


class Midi(Listener):
    """Listens to the ports whose names contain one of `ports` (None: to all); `now` is the show's time.

    `midi.cc21` 0..1, `midi.note60` its velocity 0..1 and 0 when it is released, `midi.pitch` -1..1,
    `midi.pressure` 0..1, `midi.program` 0..127; each also by its channel and by its device (see
    `MidiDevice`), and by the names that `profiles` have for it. `midi.scene` is the scene that a program
    or a pad requests, for one frame. Clock messages go to `clocks` with the time at which they came.

    Ports are scanned every second: they may come and go, and the notes of a port that goes are released.
    A device keeps its name when it comes back. `backend` is one of mido's.
    """

    def __init__(
        self,
        ports: Sequence[str] | None,
        now: Callable[[], float],
        backend: str | None = None,
        profiles: Sequence[Profile] = (),
    ) -> None:
        super().__init__("midi", "no port yet")
        self.clocks = MidiClocks()
        self._wanted = None if ports is None else [port.casefold() for port in ports]
        self._now, self._backend, self._profiles = now, backend, tuple(profiles)
        self._played: frozenset[str] = frozenset()
        self._scanner: PortScanner | None = None
        self._open: dict[str, InputPort] = {}
        self._devices: dict[str, MidiDevice] = {}  # by port
        self._known: dict[str, MidiDevice] = {}  # by name; the values of its knobs outlast its absence
        self._names = DeviceNames()
        self._faults: dict[str, str] = {}
        self._logged = ""  # why the wanted ports are missing
        self._garbage = 0  # bytes, of ports that went
        self._new_profiles = threading.Event()
        self.start()

    @property
    def devices(self) -> Mapping[str, MidiDevice]:
        """The devices that are there, by port."""
        return {port: self._devices[port] for port in list(self._open) if port in self._devices}

    @property
    def garbage(self) -> int:
        """Bytes that were no message."""
        return self._garbage + sum(getattr(port, "garbage", 0) for port in list(self._open.values()))

    def use(self, profiles: Sequence[Profile], played: Collection[str] = frozenset()) -> None:
        """Use other profiles, from the next scan on (the same ones change nothing). `played` are the signals
        that formulas use: a pad among them requests no scene."""
        self._played = frozenset(played)
        for device in list(self._known.values()):
            device.use(self._played)
        if tuple(profiles) != self._profiles:
            self._profiles = tuple(profiles)
            self._new_profiles.set()

    def poll(self, until: float) -> list[Event]:
        events = [event for device in list(self._known.values()) for event in device.take(until)]
        events.sort(key=lambda event: event.time)
        return [*events, *self.clocks.take(until)]

    def health(self) -> Health:
        names = ", ".join(f"{device.name} ({port})" for port, device in self.devices.items())
        faults = [f"{port}: {fault}" for port, fault in list(self._faults.items())]
        garbage = [f"{self.garbage} bytes of garbage"] if self.garbage else []
        if names:
            return Health("ok", "; ".join((names, *faults, *garbage)))
        return Health("waiting", "; ".join((f"midi: {self.note}", *faults)))

    def receive(self, port: str, message: mido.Message) -> None:
        """A message of a port."""
        now = self._now()
        kind = message.type
        if kind in REALTIME:
            self.clocks.receive(port, kind, now, message.pos if kind == "songpos" else 0)
        (self._devices.get(port) or self._device(port)).receive(now, message)

    def _device(self, port: str) -> MidiDevice:
        """The device behind a port, under its old name if that is free."""
        profile = next((one for one in self._profiles if one.matches(port)), None)
        taken = {device.name for device in self._devices.values()}
        name = self._names.name(port, profile.name if profile else device_name(port), taken)
        device = self._known.get(name)
        if device is None or device.profile != profile:
            device = self._known[name] = MidiDevice(name, profile, self._played)
        self._devices[port] = device
        if len(self._known) > MOST_REMEMBERED:
            there = self._devices.values()
            self._known.pop(next((name for name, one in self._known.items() if one not in there), ""), None)
        return device

    def _listen(self, closing: threading.Event) -> None:
        wait = 0.0
        while not closing.wait(wait):
            self._scan()
            self._log_missing()
            wait = SCAN_INTERVAL
        for port in list(self._open):
            self._close_port(port)
        if self._scanner is not None:
            self._scanner.close()

    def _log_missing(self) -> None:
        """Log once why the ports that were asked for are missing, and again after one was there."""
        missing = self.note if self._wanted and not self._open else ""
        if missing and missing != self._logged:
            log.warning("midi: %s", missing)
        self._logged = missing

    def _scan(self) -> None:
        """Open the ports that came, close those that went."""
        try:
            there = self._ports()
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next scan may work
            self.note = reason(error)
            return
        if self._new_profiles.is_set():
            self._new_profiles.clear()
            self._forget()
        for port in [port for port in self._open if port not in there]:
            self._close_port(port)
        self._faults = {port: fault for port, fault in self._faults.items() if port in there}
        for port in [port for port in there if port not in self._open]:
            self._open_port(port)

    def _ports(self) -> list[str]:
        names = self._port_names()
        self.note = f"no such port (there are: {', '.join(names) or 'none'})"
        return [name for name in names if _wanted(name, self._wanted)]

    def _port_names(self) -> list[str]:
        backend = _mido_backend(self._backend)
        if self._scanner is None and hasattr(backend.module, "scanner"):
            self._scanner = backend.module.scanner(backend.api)
        return list(self._scanner.names()) if self._scanner else input_ports(self._backend)

    def _forget(self) -> None:
        """Close and forget every device: with other profiles it is another one."""
        for port in list(self._open):
            self._close_port(port)
        self._known, self._names = {}, DeviceNames()

    def _open_port(self, port: str) -> None:
        self._device(port)
        backend = _mido_backend(self._backend)
        try:
            self._open[port] = backend.open_input(port, callback=partial(self.receive, port))
            self._faults.pop(port, None)
        except Exception as error:  # noqa: BLE001 - the others play on
            self._faults[port] = reason(error)
            self._devices.pop(port, None)

    def _close_port(self, port: str) -> None:
        opened = self._open[port]
        try:
            opened.close()
        except Exception as error:  # noqa: BLE001 - it has gone, whatever its driver raises
            self.note = reason(error)
        self._garbage += getattr(opened, "garbage", 0)
        self.clocks.forget(port)
        if port in self._devices:
            self._devices[port].release(self._now())
            del self._devices[port]
        del self._open[port]


def input_ports(backend: str | None = None) -> list[str]:
    """The names of the ports that are there. Raises OSError where there is no MIDI."""
    return list(dict.fromkeys(_mido_backend(backend).get_input_names()))


def _mido_backend(backend: str | None) -> mido.Backend:
    import mido

    return mido.Backend(backend or RTMIDI_BACKEND)


def _wanted(name: str, wanted: Sequence[str] | None) -> bool:
    low = name.casefold()
    if wanted is None:
        return not low.startswith(SYSTEM_PORTS)
    return any(one in low for one in wanted)
