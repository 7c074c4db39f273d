"""A MIDI device: its messages as names and values, by its number of each kind and by its profile's names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, TypeAlias

from perform.inputs.midi.numbers import ParameterNumbers, TwoByteNumber
from perform.inputs.slots import Slots
from perform.midi.names import SHARED_CONTROL
from perform.midi.profiles import RELATIVE, Control, Profile, signals_of
from perform.signals import Event

if TYPE_CHECKING:
    import mido

NamedValue: TypeAlias = tuple[str, float]
FINE_OFFSET = 32  # from a controller's number to the one of its lower seven bits
TRANSPORT_KINDS = ("start", "stop", "continue")


class MidiDevice:
    """One device. One thread gives it messages, another may take its events.

    `midi.NAME.ch2.cc21` is also sent as `midi.NAME.cc21`, `midi.ch2.cc21` and `midi.cc21`. A control of its
    profile is `midi.NAME.fader1`; a knob, fader, pad or button is also `midi.fader1`. A trigger
    goes back to 0 at once.
    """

    def __init__(
        self, name: str, profile: Profile | None = None, played: Collection[str] = frozenset()
    ) -> None:
        """`played` are the signals that formulas use: a pad among them requests no scene."""
        self.name, self.profile = name, profile
        self._scenes: dict[str, int] = {}
        self._routes: dict[tuple[str, int, int | None], list[Control]] = defaultdict(list)
        self.use(played)
        for control in profile.controls.values() if profile else ():
            self._routes[control.kind, control.number, control.channel].append(control)
            if control.encoding == "14-bit":
                self._routes["fine", control.number + FINE_OFFSET, control.channel].append(control)
        # Separate, so that none is ever full: 2048 controllers, 2048 notes, and all the rest.
        self._slots = Slots(), Slots(), Slots()
        self._names: dict[tuple[int, str], str] = {}
        self._also: dict[str, tuple[str, ...]] = {}  # the other names of each name
        self._pairs: dict[tuple[int, int], TwoByteNumber] = defaultdict(TwoByteNumber)
        self._paired: set[tuple[int, int]] = set()  # pairs of which one has followed the other
        self._last: dict[int, int] = {}  # controller of a channel
        self._parameters: dict[int, ParameterNumbers] = defaultdict(ParameterNumbers)
        self._named: dict[str, TwoByteNumber] = defaultdict(TwoByteNumber)
        self._turned: dict[str, float] = {}
        self._on: dict[str, bool] = {}
        self._down: set[str] = set()
        self._held: set[str] = set()

    def receive(self, now: float, message: mido.Message) -> None:
        """A mido message came."""
        self._put(now, self.values(message))

    def use(self, played: Collection[str]) -> None:
        """Formulas use other signals."""
        scenes = enumerate(self.profile.scenes, 1) if self.profile else ()
        self._scenes = {name: n for n, name in scenes if not self._is_played(name, played)}

    def release(self, now: float) -> None:
        """Everything that is held goes to 0: the device has gone."""
        self._put(now, [(name, 0.0) for name in sorted(self._held)])
        self._held.clear()
        self._down.clear()

    def take(self, until: float) -> list[Event]:
        """The events since the last call, under all names; the newest value of each, and no press lost."""
        events = [event for slots in self._slots for event in slots.take(until)]
        events.sort(key=lambda event: event.time)
        return [
            Event(event.time, name, event.value)
            for event in events
            for name in (event.name, *self._also.get(event.name, ()))
        ]

    def _put(self, now: float, values: list[NamedValue]) -> None:
        for name, value in values:
            body = name.rpartition(".")[2]
            kind = 0 if body.startswith("cc") else 1 if body.startswith("note") else 2
            self._slots[kind].put(now, name, value)

    def values(self, message: mido.Message) -> list[NamedValue]:
        """The values of a mido message, each under one name; none for messages that nobody plays by hand."""
        match message.type:
            case "control_change":
                return list(self._control(message.channel, message.control, message.value))
            case "note_on":
                return list(self._note(message.channel, message.note, message.velocity))
            case "note_off":
                return list(self._note(message.channel, message.note, 0))
            case "polytouch":
                return self._pressed(message.channel, f"note{message.note}.pressure", message.value)
            case "aftertouch":
                return self._pressed(message.channel, "pressure", message.value)
            case "pitchwheel":
                return list(self._pitch(message.channel, message.pitch))
            case "program_change":
                scene = ("midi.scene", message.program + 1.0), ("midi.scene", 0.0)
                return [*self._plain(message.channel, "program", float(message.program)), *scene]
            case kind if kind in TRANSPORT_KINDS:
                return [(f"midi.{kind}", 1.0), (f"midi.{kind}", 0.0)]
            case _:
                return []

    def _is_played(self, name: str, played: Collection[str]) -> bool:
        controls = self.profile.controls if self.profile else {}
        return any(one in played for one in signals_of(controls[name], self.name))

    def _plain(self, channel: int, body: str, value: float) -> list[NamedValue]:
        name = self._names.get((channel, body))
        if name is None:
            by = f"ch{channel + 1}.{body}"
            name = self._names[channel, body] = f"midi.{self.name}.{by}"
            self._also[name] = f"midi.{self.name}.{body}", f"midi.{by}", f"midi.{body}"
        return [(name, value)]

    def _controls(self, kind: str, number: int, channel: int) -> Iterator[Control]:
        yield from self._routes.get((kind, number, channel + 1), ())
        yield from self._routes.get((kind, number, None), ())

    def _control(self, channel: int, number: int, byte: int) -> Iterator[NamedValue]:
        parameters = self._parameters[channel]
        parameter = parameters.receive(number, byte)
        if parameter is not None:
            yield from self._plain(channel, *parameter)
            for control in self._controls("nrpn", _nrpn_number(parameter[0]), channel):
                yield from self._profile_values(control, parameter[1])
        elif not parameters.carries(number):
            yield from self._plain(channel, f"cc{number}", byte / 127)
            yield from self._fine_values(channel, number, byte)
        for control in self._controls("cc", number, channel):
            yield from self._controller_values(control, byte)
        for control in self._controls("fine", number, channel):
            named = self._named[control.name]
            value = named.fine(byte)
            if named.whole and not named.waiting:
                yield from self._profile_values(control, value)

    def _fine_values(self, channel: int, number: int, byte: int) -> Iterator[NamedValue]:
        """The 14-bit number of a pair of controllers, once one has followed the other."""
        before = self._last.get(channel)
        self._last[channel] = number
        if number >= 2 * FINE_OFFSET:
            return
        coarse = number % FINE_OFFSET
        pair = self._pairs[channel, coarse]
        value = pair.coarse(byte) if number == coarse else pair.fine(byte)
        if before == number ^ FINE_OFFSET and pair.fine_first == (number == coarse):
            self._paired.add((channel, coarse))
        if (channel, coarse) in self._paired and not pair.waiting:
            yield from self._plain(channel, f"cc{coarse}.fine", value)

    def _note(self, channel: int, note: int, velocity: int) -> Iterator[NamedValue]:
        yield from self._holding(self._plain(channel, f"note{note}", velocity / 127))
        if not velocity:
            yield from self._release_pressure(channel, f"note{note}.pressure")
        for control in self._controls("note", note, channel):
            yield from self._profile_values(control, velocity / 127)

    def _pressed(self, channel: int, body: str, value: int) -> list[NamedValue]:
        return self._holding(self._plain(channel, body, value / 127))

    def _release_pressure(self, channel: int, body: str) -> list[NamedValue]:
        """A key that is up has no pressure; many keyboards do not send that."""
        return self._pressed(channel, body, 0) if self._names.get((channel, body)) in self._held else []

    def _pitch(self, channel: int, pitch: int) -> Iterator[NamedValue]:
        yield from self._plain(channel, "pitch", max(pitch / 8191, -1.0))
        for control in self._controls("pitch", 0, channel):
            yield from self._profile_values(control, (pitch + 8192) / 16383)

    def _controller_values(self, control: Control, byte: int) -> list[NamedValue]:
        """A controller's byte in its encoding."""
        if control.encoding == "14-bit":
            return self._profile_values(control, self._named[control.name].coarse(byte))
        if control.encoding not in RELATIVE:
            return self._profile_values(control, byte / 127)
        before = self._turned.get(control.name, 0.0)
        turned = min(max(before + relative_steps(control.encoding, byte) / control.steps, 0.0), 1.0)
        self._turned[control.name] = turned
        return self._profile_values(control, turned)

    def _profile_values(self, control: Control, value: float) -> list[NamedValue]:
        """The values of a profile's control, in its mode."""
        name = f"midi.{self.name}.{control.name}"
        if name not in self._also:
            self._also[name] = (f"midi.{control.name}",) if SHARED_CONTROL.fullmatch(control.name) else ()
        pressed = value > 0 and control.name not in self._down
        (self._down.add if value > 0 else self._down.discard)(control.name)
        values = [(name, one) for one in self._mode(control, value, pressed)]
        if control.kind == "note" and control.mode == "momentary":
            self._holding(values)
        if pressed and control.name in self._scenes:
            values += [("midi.scene", float(self._scenes[control.name])), ("midi.scene", 0.0)]
        return values

    def _mode(self, control: Control, value: float, pressed: bool) -> tuple[float, ...]:
        match control.mode:
            case "toggle" if pressed:
                self._on[control.name] = not self._on.get(control.name, False)
                return (float(self._on[control.name]),)
            case "trigger" if pressed:
                return value, 0.0
            case "momentary":
                return (value,)
            case _:
                return ()

    def _holding(self, values: list[NamedValue]) -> list[NamedValue]:
        """Remember what must be released when the device goes."""
        for name, value in values:
            (self._held.add if value else self._held.discard)(name)
        return values


def relative_steps(encoding: str, byte: int) -> int:
    """How many steps an endless knob was turned: up, or (below 0) down."""
    match encoding:
        case "twos complement":
            return byte - 128 if byte >= 64 else byte
        case "binary offset":
            return byte - 64
        case _:  # signed bit
            return -(byte & 63) if byte & 64 else byte


def _nrpn_number(parameter: str) -> int:
    """The number of an NRPN; -1, which no profile has, for an RPN."""
    return int(parameter[4:]) if parameter.startswith("nrpn") else -1
