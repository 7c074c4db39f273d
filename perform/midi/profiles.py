"""Profiles: what the controls of a MIDI controller are called, what they send, and how its lights are lit.

A profile is a file `profiles/NAME.toml`; formulas name its controls: `midi.NAME.fader1`. A port whose name
contains one of its `ports` is played by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from perform.documents import SceneError, fitted, parse
from perform.midi.names import ANYBODYS, CONTROL, DEVICE, PLAIN, kind

MOST = 512  # controls of a profile
LARGEST = {"cc": 127, "note": 127, "nrpn": 16383, "pitch": 0, "channel": 16}
Kind: TypeAlias = Literal["cc", "note", "nrpn", "pitch"]
KINDS: tuple[Kind, ...] = ("cc", "note", "nrpn", "pitch")
Encoding: TypeAlias = Literal["absolute", "14-bit", "twos complement", "binary offset", "signed bit"]
RELATIVE = ("twos complement", "binary offset", "signed bit")
Mode: TypeAlias = Literal["momentary", "toggle", "trigger"]
State: TypeAlias = Literal["off", "on", "empty", "loaded", "playing", "queued"]
STATES: tuple[State, ...] = ("off", "on", "empty", "loaded", "playing", "queued")
RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
NOTE_ON, CONTROL_CHANGE, PITCH = 0x90, 0xB0, 0xE0


def _numbers(said: Any) -> tuple[int, ...]:
    """Whole numbers and ranges of them, `[16, "20-23"]`, in order."""
    found: list[int] = []
    for one in said if isinstance(said, list) else [said]:
        match = RANGE.fullmatch(str(one)) if type(one) in (int, str) else None
        if match is None:
            raise PydanticCustomError("numbers", 'must be a whole number or a list, such as [16, "20-23"]')
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    if not 0 < len(found) <= MOST:
        raise PydanticCustomError("numbers", "must have 1 to {most} numbers", {"most": MOST})
    return tuple(found)


def _message(said: Any) -> bytes:
    """A message in hexadecimal, `F0 00 20 F7`."""
    try:
        message = bytes.fromhex(said)
    except (TypeError, ValueError):
        message = b""
    exclusive = len(message) > 2 and message[0] == 0xF0 and message[-1] == 0xF7
    of_a_channel = bool(message) and 0x80 <= message[0] < 0xF0
    data = message[1:-1] if exclusive else message[1:]
    length = 2 if of_a_channel and message[0] >> 4 in (0xC, 0xD) else 3
    if any(byte > 127 for byte in data) or not (exclusive or (of_a_channel and len(message) == length)):
        raise PydanticCustomError("message", "must be a MIDI message in hexadecimal, such as 'F0 00 20 F7'")
    return message


Numbers: TypeAlias = Annotated[tuple[int, ...], BeforeValidator(_numbers)]
Message: TypeAlias = Annotated[bytes, BeforeValidator(_message)]


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: str = Field(min_length=1)
    ports: list[Annotated[str, Field(min_length=1)]] = Field(min_length=1)
    not_ports: list[Annotated[str, Field(min_length=1)]] = []
    controls: dict[str, dict[str, Any]] = Field(min_length=1)
    scenes: str = ""
    lights: dict[str, dict[str, Any]] = {}
    enter: list[Message] = []
    leave: list[Message] = []


class _ControlText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    cc: Numbers | None = None
    note: Numbers | None = None
    nrpn: Numbers | None = None
    pitch: bool = False
    channel: Numbers | None = None
    encoding: Encoding = "absolute"
    steps: int = Field(default=127, ge=1, le=16384)
    mode: Mode = "momentary"


class _LightText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    value: int = Field(ge=0, le=127)
    channel: int | None = Field(default=None, ge=1, le=16)
    blink: bool = False


@dataclass(frozen=True, slots=True)
class Control:
    """A knob, a fader, a pad: `number` of its messages (0 for pitch), on `channel` 1..16 (None: any)."""

    name: str
    kind: Kind
    number: int = 0
    channel: int | None = None
    encoding: Encoding = "absolute"
    steps: int = 127  # of a relative control from 0 to 1
    mode: Mode = "momentary"


@dataclass(frozen=True, slots=True)
class Light:
    """The message that shows a state; with `blink` the host is to send it and the one for `off` in turn."""

    message: bytes
    blink: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A controller as its file describes it.

    `scenes` are the controls that stand for the scenes of a setlist, in order. `lights` are by control
    and state; `rings` the controls that show a value. `enter` and `leave` are sent when the device is
    opened and before it is let go.
    """

    name: str
    title: str
    ports: tuple[str, ...]
    controls: Mapping[str, Control]
    scenes: tuple[str, ...] = ()
    lights: Mapping[str, Mapping[State, Light]] = field(default_factory=dict)
    rings: frozenset[str] = frozenset()
    enter: tuple[bytes, ...] = ()
    leave: tuple[bytes, ...] = ()
    not_ports: tuple[str, ...] = ()
    file: Path = field(default_factory=Path)

    def plays(self, port: str) -> bool:
        """Whether it is for the port of that name."""
        name = port.casefold()
        return any(one.casefold() in name for one in self.ports) and not any(
            one.casefold() in name for one in self.not_ports
        )

    def light(self, control: str, state: State) -> Light | None:
        """What shows a state at a control; None where there is no light. What is not said is like `off`."""
        lights = self.lights.get(control, {})
        return lights.get(state) or lights.get("on" if state in ("playing", "queued") else "off")

    def ring(self, control: str, value: float) -> bytes | None:
        """What shows a value 0..1 around a knob; None where nothing can."""
        if control not in self.rings:
            return None
        return _sent(self.controls[control], round(min(max(value, 0.0), 1.0) * 127))

    @property
    def dark(self) -> tuple[bytes, ...]:
        """What turns every light off."""
        return tuple(one.message for name in self.lights if (one := self.light(name, "off")))


def read(file: Path) -> Profile:
    """The profile that a file describes. Raises SceneError with every fault, OSError."""
    text = parse(file, _Text)
    faults: list[str] = []
    if not DEVICE.fullmatch(file.stem) or kind(file.stem) != file.stem:
        faults.append(f"{file}: its name must be a word of small letters, not ending in _2 or the like")
    controls, groups = _controls(file, text, faults)
    lights: dict[str, dict[State, Light]] = {}
    rings: list[str] = []
    for group, table in text.lights.items():
        if group not in groups:
            faults.append(f"{file}: lights.{group}, must be one of {', '.join(groups)}")
            continue
        if any(controls[name].kind == "nrpn" for name in groups[group]):
            faults.append(f"{file}: lights.{group}, must be of a cc, a note or a pitch")
        ring, states = _lights(file, group, table, faults)
        for name in groups[group]:
            rings += [name] if ring else []
            lights[name] = {state: _light(controls[name], light) for state, light in states.items()}
    if text.scenes and text.scenes not in groups:
        faults.append(f"{file}: scenes = {text.scenes!r}, must be one of {', '.join(groups)}")
    if faults:
        raise SceneError(faults)
    return Profile(
        file.stem,
        text.title,
        tuple(text.ports),
        controls,
        groups.get(text.scenes, ()),
        {name: states for name, states in lights.items() if states},
        frozenset(rings),
        tuple(text.enter),
        tuple(text.leave),
        tuple(text.not_ports),
        file,
    )


def called(control: Control, device: str) -> Iterator[str]:
    """The signals that a control of a device may be heard as, the most particular first."""
    yield f"midi.{device}.{control.name}"
    if ANYBODYS.fullmatch(control.name):
        yield f"midi.{control.name}"
    body = control.kind if control.kind == "pitch" else f"{control.kind}{control.number}"
    channels = range(1, 17) if control.channel is None else (control.channel,)
    for before in (f"midi.{device}", "midi"):
        yield from (f"{before}.ch{channel}.{body}" for channel in channels)
        yield f"{before}.{body}"


def of_a_device(signal: str) -> bool:
    """Whether a signal is of MIDI and of one device: `midi.midimix.fader1`."""
    first, _, rest = signal.partition(".")
    return first == "midi" and "." in rest and not PLAIN.fullmatch(rest)


def check(signal: str, known: Mapping[str, Profile]) -> None:
    """Raises LookupError when no profile has that control."""
    _, device, rest = signal.split(".", 2)
    profile = known.get(kind(device))
    if PLAIN.fullmatch(rest) or (profile and rest in profile.controls):
        return
    if profile is None:
        names = ", ".join(sorted(known)) or "none"
        raise LookupError(f"{signal}: there is no profile {kind(device)}; there are: {names}")
    near = get_close_matches(rest, profile.controls, 3) or list(profile.controls)
    raise LookupError(f"{signal}: {profile.file} has no {rest}; it has {', '.join(near)}")


def _controls(
    file: Path, text: _Text, faults: list[str]
) -> tuple[dict[str, Control], dict[str, tuple[str, ...]]]:
    """The controls by name, and the names of each group, `fader` for fader1, fader2 …"""
    controls: dict[str, Control] = {}
    groups: dict[str, tuple[str, ...]] = {}
    for group, table in text.controls.items():
        key = f"controls.{group}"
        if not CONTROL.fullmatch(group):
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
        if twice or len(controls) + len(made) > MOST:
            why = f"{twice[0]} is there already" if twice else f"more than {MOST} controls"
            faults.append(f"{file}: {key}, {why}")
            continue
        controls.update((one.name, one) for one in made)
        groups[group] = tuple(one.name for one in made)
    return controls, groups


def _group(group: str, text: _ControlText) -> Iterator[Control]:
    """The controls of a table: a list of numbers, or of channels, makes several. ValueError says why not."""
    kinds = [one for one in KINDS if getattr(text, one) not in (None, False)]
    if len(kinds) != 1:
        raise ValueError(f", must have one of {', '.join(KINDS)}")
    sent = kinds[0]
    numbers: Sequence[int] = (0,) if sent == "pitch" else getattr(text, sent)
    channels: Sequence[int | None] = text.channel or (None,)
    _within(sent, numbers, 0)
    _within("channel", text.channel or (), 1)
    if len(numbers) > 1 and len(channels) > 1:
        raise ValueError(f", {sent} and channel, only one of them can be a list")
    if sent != "cc" and text.encoding != "absolute":
        raise ValueError(f".encoding = {text.encoding!r}, must be 'absolute' for what is no cc")
    if text.encoding == "14-bit" and max(numbers) > 31:
        raise ValueError(f".cc = {max(numbers)}, must be 0..31 for 14 bits; the other half is 32 higher")
    pairs = [(number, channel) for number in numbers for channel in channels]
    more = text.encoding, text.steps, text.mode
    for i, (number, channel) in enumerate(pairs, 1):
        yield Control(group if len(pairs) == 1 else f"{group}{i}", sent, number, channel, *more)


def _within(key: str, numbers: Sequence[int], least: int) -> None:
    for number in numbers:
        if not least <= number <= LARGEST[key]:
            raise ValueError(f".{key} = {number}, must be {least}..{LARGEST[key]}")


def _lights(
    file: Path, group: str, table: dict[str, Any], faults: list[str]
) -> tuple[bool, dict[State, _LightText]]:
    """Whether a group shows values, and what it sends for each state."""
    ring = table.get("ring", False)
    if not isinstance(ring, bool):
        faults.append(f"{file}: lights.{group}.ring = {ring!r}, must be true or false")
    states: dict[State, _LightText] = {}
    for state, light in table.items():
        known: list[State] = [one for one in STATES if one == state]
        if known and isinstance(light, dict):
            try:
                states[known[0]] = fitted(file, light, _LightText, f"lights.{group}.{state}")
            except SceneError as error:
                faults += error.faults
        elif state != "ring":
            unknown = f"is unknown; known: {', '.join(STATES)}, ring"
            faults.append(f"{file}: lights.{group}.{state} {'must have a value' if known else unknown}")
    return ring is True, states


def _light(control: Control, text: _LightText) -> Light:
    return Light(_sent(control, text.value, text.channel), text.blink)


def _sent(control: Control, value: int, channel: int | None = None) -> bytes:
    """The message by which a control is told a value 0..127: its own, coming back."""
    place = (channel or control.channel or 1) - 1
    match control.kind:
        case "pitch":
            return bytes((PITCH + place, 0, value))
        case "note":
            return bytes((NOTE_ON + place, control.number, value))
        case _:
            return bytes((CONTROL_CHANGE + place, control.number & 127, value))
