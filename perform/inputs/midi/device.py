"""A MIDI device: its messages as names and values, by its number of each kind and by its profile's names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from perform.inputs.midi.numbers import Pair, Parameters
from perform.inputs.slots import Slots
from perform.midi.names import ANYBODYS
from perform.midi.profiles import RELATIVE, Control, Profile, called
from perform.signals import Event

Said: TypeAlias = tuple[str, float]
LOWER = 32  # what is added to a controller's number for its lower seven bits
TRANSPORT = ("start", "stop", "continue")


class Device:
    """One device. One thread tells it what came, another may take what it said.

    `midi.NAME.ch2.cc21` is also said as `midi.NAME.cc21`, `midi.ch2.cc21` and `midi.cc21`. A control of its
    profile is `midi.NAME.fader1`, and what is called a knob, fader, pad or button also `midi.fader1`.
    What is a trigger is taken back at once.
    """

    def __init__(
        self, name: str, profile: Profile | None = None, played: Collection[str] = frozenset()
    ) -> None:
        """`played` are the signals that formulas hear: a pad among them asks for no scene."""
        self.name, self.profile = name, profile
        self._scenes: dict[str, int] = {}
        self._routes: dict[tuple[str, int, int | None], list[Control]] = defaultdict(list)
        self.use(played)
        for control in profile.controls.values() if profile else ():
            self._routes[control.kind, control.number, control.channel].append(control)
            if control.encoding == "14-bit":
                self._routes["fine", control.number + LOWER, control.channel].append(control)
        # Kept apart so that none is ever full: 2048 controllers, 2048 notes, and all the rest.
        self._slots = Slots(), Slots(), Slots()
        self._names: dict[tuple[int, str], str] = {}
        self._also: dict[str, tuple[str, ...]] = {}  # the other names of what is said
        self._pairs: dict[tuple[int, int], Pair] = defaultdict(Pair)
        self._last: dict[int, int] = {}  # controller of a channel
        self._parameters: dict[int, Parameters] = defaultdict(Parameters)
        self._named: dict[str, Pair] = defaultdict(Pair)
        self._turned: dict[str, float] = {}
        self._on: dict[str, bool] = {}
        self._down: set[str] = set()
        self._held: set[str] = set()

    def hear(self, now: float, message: Any) -> None:
        """A mido message came."""
        self._put(now, self.said(message))

    def use(self, played: Collection[str]) -> None:
        """Other signals are heard by formulas."""
        scenes = enumerate(self.profile.scenes, 1) if self.profile else ()
        self._scenes = {name: n for n, name in scenes if not self._heard(name, played)}

    def let_go(self, now: float) -> None:
        """What is held turns to 0: the device has gone."""
        self._put(now, [(name, 0.0) for name in sorted(self._held)])
        self._held.clear()
        self._down.clear()

    def take(self, until: float) -> list[Event]:
        """What was said since, under all its names; the newest value of each, and no press lost."""
        events = [event for slots in self._slots for event in slots.take(until)]
        events.sort(key=lambda event: event.time)
        return [
            Event(event.time, name, event.value)
            for event in events
            for name in (event.name, *self._also.get(event.name, ()))
        ]

    def _put(self, now: float, said: list[Said]) -> None:
        for name, value in said:
            body = name.rpartition(".")[2]
            self._slots[0 if body.startswith("cc") else 1 if body.startswith("note") else 2].put(
                now, name, value
            )

    def said(self, message: Any) -> list[Said]:
        """What a mido message says, each under one name; nothing for what is not played by hand."""
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
            case kind if kind in TRANSPORT:
                return [(f"midi.{kind}", 1.0), (f"midi.{kind}", 0.0)]
            case _:
                return []

    def _heard(self, name: str, played: Collection[str]) -> bool:
        controls = self.profile.controls if self.profile else {}
        return any(one in played for one in called(controls[name], self.name))

    def _plain(self, channel: int, body: str, value: float) -> list[Said]:
        name = self._names.get((channel, body))
        if name is None:
            by = f"ch{channel + 1}.{body}"
            name = self._names[channel, body] = f"midi.{self.name}.{by}"
            self._also[name] = f"midi.{self.name}.{body}", f"midi.{by}", f"midi.{body}"
        return [(name, value)]

    def _controls(self, kind: str, number: int, channel: int) -> Iterator[Control]:
        yield from self._routes.get((kind, number, channel + 1), ())
        yield from self._routes.get((kind, number, None), ())

    def _control(self, channel: int, number: int, byte: int) -> Iterator[Said]:
        parameters = self._parameters[channel]
        parameter = parameters.hear(number, byte)
        if parameter is not None:
            yield from self._plain(channel, *parameter)
            for control in self._controls("nrpn", *_numbered(parameter[0]), channel):
                yield from self._said(control, parameter[1])
        elif not parameters.carries(number):
            yield from self._plain(channel, f"cc{number}", byte / 127)
            yield from self._both(channel, number, byte)
        for control in self._controls("cc", number, channel):
            yield from self._turns(control, byte)
        for control in self._controls("fine", number, channel):
            yield from self._said(control, self._named[control.name].fine(byte))

    def _both(self, channel: int, number: int, byte: int) -> Iterator[Said]:
        """The 14 bits of a pair of controllers, once one has followed the other."""
        before = self._last.get(channel)
        self._last[channel] = number
        if number < LOWER:
            pair = self._pairs[channel, number]
            pair.coarse(byte)
            if pair.whole:
                yield from self._plain(channel, f"cc{number}.fine", pair.value)
        elif number < 2 * LOWER and (channel, number - LOWER) in self._pairs:
            pair = self._pairs[channel, number - LOWER]
            if pair.whole or before == number - LOWER:
                yield from self._plain(channel, f"cc{number - LOWER}.fine", pair.fine(byte))

    def _note(self, channel: int, note: int, velocity: int) -> Iterator[Said]:
        yield from self._holding(self._plain(channel, f"note{note}", velocity / 127))
        if not velocity:
            yield from self._let_up(channel, f"note{note}.pressure")
        for control in self._controls("note", note, channel):
            yield from self._said(control, velocity / 127)

    def _pressed(self, channel: int, body: str, value: int) -> list[Said]:
        return self._holding(self._plain(channel, body, value / 127))

    def _let_up(self, channel: int, body: str) -> list[Said]:
        """A key that is up is not pressed, which many keyboards do not say."""
        return self._pressed(channel, body, 0) if self._names.get((channel, body)) in self._held else []

    def _pitch(self, channel: int, pitch: int) -> Iterator[Said]:
        yield from self._plain(channel, "pitch", max(pitch / 8191, -1.0))
        for control in self._controls("pitch", 0, channel):
            yield from self._said(control, (pitch + 8192) / 16383)

    def _turns(self, control: Control, byte: int) -> list[Said]:
        """A controller's byte in its encoding."""
        if control.encoding == "14-bit":
            return self._said(control, self._named[control.name].coarse(byte))
        if control.encoding not in RELATIVE:
            return self._said(control, byte / 127)
        before = self._turned.get(control.name, 0.0)
        turned = min(max(before + steps(control.encoding, byte) / control.steps, 0.0), 1.0)
        self._turned[control.name] = turned
        return self._said(control, turned)

    def _said(self, control: Control, value: float) -> list[Said]:
        """What a control of the profile says, in its mode."""
        name = f"midi.{self.name}.{control.name}"
        if name not in self._also:
            self._also[name] = (f"midi.{control.name}",) if ANYBODYS.fullmatch(control.name) else ()
        pressed = value > 0 and control.name not in self._down
        (self._down.add if value > 0 else self._down.discard)(control.name)
        said = [(name, one) for one in self._mode(control, value, pressed)]
        if control.kind == "note" and control.mode == "momentary":
            self._holding(said)
        if pressed and control.name in self._scenes:
            said += [("midi.scene", float(self._scenes[control.name])), ("midi.scene", 0.0)]
        return said

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

    def _holding(self, said: list[Said]) -> list[Said]:
        """Remember what has to be let go when the device goes."""
        for name, value in said:
            (self._held.add if value else self._held.discard)(name)
        return said


def steps(encoding: str, byte: int) -> int:
    """How many steps an endless knob was turned: up, or (below 0) down."""
    match encoding:
        case "twos complement":
            return byte - 128 if byte >= 64 else byte
        case "binary offset":
            return byte - 64
        case _:  # signed bit
            return -(byte & 63) if byte & 64 else byte


def _numbered(parameter: str) -> tuple[int]:
    """The number of an NRPN; of an RPN none that a profile has."""
    return (int(parameter[4:]) if parameter.startswith("nrpn") else -1,)
