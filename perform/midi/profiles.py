"""Profiles: the names of a MIDI controller's controls, their messages, and its lights.

A profile is a file `profiles/NAME.toml`; formulas name its controls: `midi.NAME.fader1`. It is used for every
port whose name contains one of its `ports`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from perform.documents import SceneError, document, fitted, fitted_partly
from perform.midi.names import CONTROL_NAME, DEVICE_NAME, PLAIN_MESSAGE, SHARED_CONTROL, device_kind
from perform.parameters import name_hint

MOST_CONTROLS = 512  # controls of a profile
LARGEST_NUMBER = {"cc": 127, "note": 127, "nrpn": 16383, "pitch": 0, "channel": 16}
ControlKind: TypeAlias = Literal["cc", "note", "nrpn", "pitch"]
CONTROL_KINDS: tuple[ControlKind, ...] = get_args(ControlKind)
Encoding: TypeAlias = Literal["absolute", "14-bit", "twos complement", "binary offset", "signed bit"]
RELATIVE = ("twos complement", "binary offset", "signed bit")
Mode: TypeAlias = Literal["momentary", "toggle", "trigger"]
LightState: TypeAlias = Literal["off", "on", "empty", "loaded", "playing", "queued"]
LIGHT_STATES: tuple[LightState, ...] = get_args(LightState)
NUMBER_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
Table: TypeAlias = dict[str, object]  # of a TOML file
NOTE_ON, CONTROL_CHANGE, PITCH = 0x90, 0xB0, 0xE0


def _number_list(value: object) -> tuple[int, ...]:
    """Whole numbers and ranges of them, `[16, "20-23"]`, in order."""
    found: list[int] = []
    for one in value if isinstance(value, list) else [value]:
        match = NUMBER_RANGE.fullmatch(str(one)) if type(one) in (int, str) else None
        if match is None:
            raise PydanticCustomError("numbers", 'must be a whole number or a list, such as [16, "20-23"]')
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    if not 0 < len(found) <= MOST_CONTROLS:
        raise PydanticCustomError("numbers", "must have 1 to {most} numbers", {"most": MOST_CONTROLS})
    return tuple(found)


def _hex_message(value: object) -> bytes:
    """A message in hexadecimal, `F0 00 20 F7`."""
    try:
        message = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        message = b""
    exclusive = len(message) > 2 and message[0] == 0xF0 and message[-1] == 0xF7
    of_a_channel = bool(message) and 0x80 <= message[0] < 0xF0
    data = message[1:-1] if exclusive else message[1:]
    length = 2 if of_a_channel and message[0] >> 4 in (0xC, 0xD) else 3
    if any(byte > 127 for byte in data) or not (exclusive or (of_a_channel and len(message) == length)):
        raise PydanticCustomError("message", "must be a MIDI message in hexadecimal, such as 'F0 00 20 F7'")
    return message


NumberList: TypeAlias = Annotated[tuple[int, ...], BeforeValidator(_number_list)]
HexMessage: TypeAlias = Annotated[bytes, BeforeValidator(_hex_message)]


class _ProfileText(BaseModel, extra="forbid", strict=True):
    title: str = Field(min_length=1)
    ports: list[Annotated[str, Field(min_length=1)]] = Field(min_length=1)
    not_ports: list[Annotated[str, Field(min_length=1)]] = []
    controls: dict[str, Table] = Field(min_length=1)
    scenes: str = ""
    lights: dict[str, Table] = {}
    enter: list[HexMessage] = []
    leave: list[HexMessage] = []


class _ControlText(BaseModel, extra="forbid", strict=True):
    cc: NumberList | None = None
    note: NumberList | None = None
    nrpn: NumberList | None = None
    pitch: bool = False
    channel: NumberList | None = None
    encoding: Encoding = "absolute"
    steps: int = Field(default=127, ge=1, le=16384)
    mode: Mode = "momentary"


class _LightText(BaseModel, extra="forbid", strict=True):
    value: int = Field(ge=0, le=127)
    channel: int | None = Field(default=None, ge=1, le=16)
    blink: bool = False


@dataclass(frozen=True, slots=True)
class Control:
    """A knob, a fader, a pad: `number` of its messages (0 for pitch), on `channel` 1..16 (None: any)."""

    name: str
    kind: ControlKind
    number: int = 0
    channel: int | None = None
    encoding: Encoding = "absolute"
    steps: int = 127  # of a relative control from 0 to 1
    mode: Mode = "momentary"


@dataclass(frozen=True, slots=True)
class Light:
    """The message that shows a state; with `blink` the host sends it and the one for `off` in turn."""

    message: bytes
    blink: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A controller as its file describes it.

    `scenes` are the controls that play the scenes of a setlist, in order. `lights` are by control and
    state; `rings` are the controls that show a value. `enter` and `leave` are sent when the device is
    opened and before it is closed.
    """

    name: str
    title: str
    ports: tuple[str, ...]
    controls: Mapping[str, Control]
    scenes: tuple[str, ...] = ()
    lights: Mapping[str, Mapping[LightState, Light]] = field(default_factory=dict)
    rings: frozenset[str] = frozenset()
    enter: tuple[bytes, ...] = ()
    leave: tuple[bytes, ...] = ()
    not_ports: tuple[str, ...] = ()
    file: Path = field(default_factory=Path)

    def matches(self, port: str) -> bool:
        """Whether it is for the port of that name."""
        name = port.casefold()
        return any(one.casefold() in name for one in self.ports) and not any(
            one.casefold() in name for one in self.not_ports
        )

    def light(self, control: str, state: LightState) -> Light | None:
        """The light of a control for a state, or None; a missing state is like `off`."""
        lights = self.lights.get(control, {})
        return lights.get(state) or lights.get("on" if state in ("playing", "queued") else "off")

    def ring(self, control: str, value: float) -> bytes | None:
        """The message that shows a value 0..1 around a knob; None where there is no ring."""
        if control not in self.rings:
            return None
        return _value_message(self.controls[control], round(min(max(value, 0.0), 1.0) * 127))

    @property
    def dark(self) -> tuple[bytes, ...]:
        """The messages that turn every light off."""
        return tuple(one.message for name in self.lights if (one := self.light(name, "off")))


def read_profile(file: Path) -> Profile:
    """The profile that a file describes. Raises SceneError with every fault, OSError."""
    text, faults = fitted_partly(file, document(file), _ProfileText)
    if not DEVICE_NAME.fullmatch(file.stem) or device_kind(file.stem) != file.stem:
        faults.append(f"{file}: its name must be a word of small letters, not ending in _2 or the like")
    controls, groups = _controls(file, text, faults)
    lights: dict[str, dict[LightState, Light]] = {}
    rings: list[str] = []
    for group, table in text.lights.items():
        if group not in groups:
            faults += [f"{file}: lights.{group}, must be one of {', '.join(groups)}"] if groups else []
            continue
        if any(controls[name].kind == "nrpn" for name in groups[group]):
            faults.append(f"{file}: lights.{group}, must be of a cc, a note or a pitch")
        ring, states = _lights(file, group, table, faults)
        for name in groups[group]:
            rings += [name] if ring else []
            lights[name] = {
                state: Light(_value_message(controls[name], light.value, light.channel), light.blink)
                for state, light in states.items()
            }
    if text.scenes and groups and text.scenes not in groups:
        faults.append(f"{file}: scenes = {text.scenes!r}, must be one of {', '.join(groups)}")
    if faults:
        raise SceneError(faults)
    return Profile(
        name=file.stem,
        title=text.title,
        ports=tuple(text.ports),
        controls=controls,
        scenes=groups.get(text.scenes, ()),
        lights={name: states for name, states in lights.items() if states},
        rings=frozenset(rings),
        enter=tuple(text.enter),
        leave=tuple(text.leave),
        not_ports=tuple(text.not_ports),
        file=file,
    )


def signals_of(control: Control, device: str) -> Iterator[str]:
    """The signals of a device's control, the most particular first."""
    yield f"midi.{device}.{control.name}"
    if SHARED_CONTROL.fullmatch(control.name):
        yield f"midi.{control.name}"
    body = control.kind if control.kind == "pitch" else f"{control.kind}{control.number}"
    channels = range(1, 17) if control.channel is None else (control.channel,)
    for before in (f"midi.{device}", "midi"):
        yield from (f"{before}.ch{channel}.{body}" for channel in channels)
        yield f"{before}.{body}"


def names_device(signal: str) -> bool:
    """Whether a signal is of MIDI and of one device: `midi.midimix.fader1`."""
    first, _, rest = signal.partition(".")
    return first == "midi" and "." in rest and not PLAIN_MESSAGE.fullmatch(rest)


def check_control(signal: str, known: Mapping[str, Profile]) -> None:
    """Raises LookupError when no profile has that control."""
    _, device, rest = signal.split(".", 2)
    profile = known.get(device_kind(device))
    if PLAIN_MESSAGE.fullmatch(rest) or (profile and rest in profile.controls):
        return
    if profile is None:
        kind = device_kind(device)
        raise LookupError(f"{signal}: there is no profile {kind}{name_hint(kind, sorted(known))}")
    raise LookupError(f"{signal}: {profile.file} has no {rest}{name_hint(rest, profile.controls)}")


def _controls(
    file: Path, text: _ProfileText, faults: list[str]
) -> tuple[dict[str, Control], dict[str, tuple[str, ...]]]:
    """The controls by name, and the names of each group: `fader` for fader1, fader2 …"""
    controls: dict[str, Control] = {}
    groups: dict[str, tuple[str, ...]] = {}
    for group, table in text.controls.items():
        key = f"controls.{group}"
        if not CONTROL_NAME.fullmatch(group):
            faults.append(f"{file}: {key}, must be a word of small letters, and none that MIDI has")
            continue
        try:
            made = list(_group(group, fitted(file, table, _ControlText, key)))
        except SceneError as error:
            faults += error.faults
            continue
        except ValueError as error:
            faults.append(f"{file}: {key}{error}")
            continue
        twice = [one.name for one in made if one.name in controls]
        if twice or len(controls) + len(made) > MOST_CONTROLS:
            why = f"{twice[0]} exists already" if twice else f"more than {MOST_CONTROLS} controls"
            faults.append(f"{file}: {key}, {why}")
            continue
        controls.update((one.name, one) for one in made)
        groups[group] = tuple(one.name for one in made)
    return controls, groups


def _group(group: str, text: _ControlText) -> Iterator[Control]:
    """The controls of a table; a list of numbers, or of channels, makes several. Raises ValueError."""
    kinds = [one for one in CONTROL_KINDS if getattr(text, one) not in (None, False)]
    if len(kinds) != 1:
        raise ValueError(f", must have one of {', '.join(CONTROL_KINDS)}")
    sent = kinds[0]
    numbers: Sequence[int] = (0,) if sent == "pitch" else getattr(text, sent)
    channels: Sequence[int | None] = text.channel or (None,)
    _check_range(sent, numbers, 0)
    _check_range("channel", text.channel or (), 1)
    if len(numbers) > 1 and len(channels) > 1:
        raise ValueError(f", {sent} and channel, only one of them can be a list")
    if sent != "cc" and text.encoding != "absolute":
        raise ValueError(f".encoding = {text.encoding!r}, must be 'absolute' for anything but a cc")
    if text.encoding == "14-bit" and max(numbers) > 31:
        raise ValueError(f".cc = {max(numbers)}, must be 0..31 for 14 bits; the other half is 32 higher")
    pairs = [(number, channel) for number in numbers for channel in channels]
    for i, (number, channel) in enumerate(pairs, 1):
        name = group if len(pairs) == 1 else f"{group}{i}"
        yield Control(name, sent, number, channel, text.encoding, text.steps, text.mode)


def _check_range(key: str, numbers: Sequence[int], least: int) -> None:
    for number in numbers:
        if not least <= number <= LARGEST_NUMBER[key]:
            raise ValueError(f".{key} = {number}, must be {least}..{LARGEST_NUMBER[key]}")


def _lights(
    file: Path, group: str, table: Table, faults: list[str]
) -> tuple[bool, dict[LightState, _LightText]]:
    """Whether a group shows values, and what it sends for each state."""
    ring = table.get("ring", False)
    if not isinstance(ring, bool):
        faults.append(f"{file}: lights.{group}.ring = {ring!r}, must be true or false")
    states: dict[LightState, _LightText] = {}
    for state, light in table.items():
        known: list[LightState] = [one for one in LIGHT_STATES if one == state]
        if known and isinstance(light, dict):
            try:
                states[known[0]] = fitted(file, light, _LightText, f"lights.{group}.{state}")
            except SceneError as error:
                faults += error.faults
        elif state != "ring":
            unknown = f"is unknown{name_hint(state, (*LIGHT_STATES, 'ring'))}"
            faults.append(f"{file}: lights.{group}.{state} {'must have a value' if known else unknown}")
    return ring is True, states


def _value_message(control: Control, value: int, channel: int | None = None) -> bytes:
    """The message that sets a control to a value 0..127: the one that it sends itself."""
    offset = (channel or control.channel or 1) - 1
    match control.kind:
        case "pitch":
            return bytes((PITCH + offset, 0, value))
        case "note":
            return bytes((NOTE_ON + offset, control.number, value))
        case _:
            return bytes((CONTROL_CHANGE + offset, control.number & 127, value))
