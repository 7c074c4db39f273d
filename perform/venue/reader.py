"""The file of a venue as checked values: its displays, its devices, and how it is lit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field

from perform.clock import Lead
from perform.documents import SceneError, document, fitted_partly
from perform.inputs.feeds.document import PlacedFeeds
from perform.networks import Device, Precision
from perform.scenes.look import FlashMode
from perform.scenes.projection import (
    LONGEST_DELAY,
    SQUARE,
    WHOLE,
    ColourCorrection,
    EdgeBlend,
    Mask,
    Projection,
)
from perform.venue.values import (
    CameraRegion,
    CanvasPart,
    CornerPoints,
    MeshPoints,
    Place,
    Polygon,
    SharedPlace,
    Size,
    White,
)

OPERATOR_SIZE = (1280, 720)
OPTIONS = {  # of `perform play`, and the key that has each
    "size": "size", "fps": "fps", "scale": "scale",
    "offset": "offset", "gamma": "gamma", "flashes": "flashes",
    "audio": "sound.device",
    "midi": "midi.port", "lights": "midi.lights", "clock_out": "midi.clock_out",
    "osc": "osc.listen", "osc_feedback": "osc.feedback",
    "clock": "clock.lead", "link": "clock.link",
    "camera": "camera.name", "region": "camera.region", "mirror": "camera.mirror",
    "share": "share", "device": "models.device", "precision": "models.precision", "memory": "models.memory",
}  # fmt: skip

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class _Text(BaseModel, extra="forbid", strict=True):
    """A table of the file."""


class _Sound(_Text):
    device: str = Field(default="", min_length=1)


class _Midi(_Text):
    port: str = Field(default="", min_length=1)
    lights: bool = True
    clock_out: str = Field(default="", min_length=1)


class _Osc(_Text):
    listen: Place = "9000"
    feedback: list[Place] = []


class _Clock(_Text):
    lead: Lead = "auto"
    link: bool = False


class _Camera(_Text):
    name: str = ""
    region: CameraRegion = (0.0, 0.0, 1.0, 1.0)
    mirror: bool = True


class _Models(_Text):
    device: Device = "auto"
    precision: Precision = "auto"
    memory: float = Field(default=1.0, ge=0.1, le=1e6)


class _Blend(_Text):
    left: Share = 0.0
    right: Share = 0.0
    bottom: Share = 0.0
    top: Share = 0.0
    gamma: float = Field(default=2.2, ge=1, le=4)


class _Mask(_Text):
    points: Polygon
    feather: Share = 0.0
    invert: bool = False


class _Colour(_Text):
    brightness: float = Field(default=0.0, ge=-1, le=1)
    contrast: float = Field(default=1.0, ge=0, le=4)
    gamma: float = Field(default=1.0, ge=0.3, le=3)
    white: White = (1.0, 1.0, 1.0)


class _Display(_Text):
    monitor: str = Field(min_length=1)
    name: str = ""
    size: Size | None = None
    refresh: int | None = Field(default=None, ge=1, le=1000)
    shows: CanvasPart = WHOLE
    rotate: Literal[0, 90, 180, 270] = 0
    flip: bool = False
    corners: CornerPoints = SQUARE
    mesh: MeshPoints = ()
    blend: _Blend = _Blend()
    masks: list[_Mask] = []
    colour: _Colour = _Colour()
    delay: float = Field(default=0.0, ge=0, le=1000 * LONGEST_DELAY)


class _Operator(_Text):
    window: bool = True
    monitor: str = Field(default="", min_length=1)
    size: Size = OPERATOR_SIZE


class VenueText(_Text):
    """The tables of a venue's file."""

    title: str = ""
    public: bool = False
    size: Size = (1280, 720)
    fps: float = Field(default=60.0, ge=1, le=240)
    scale: float = Field(default=1.0, ge=0.1, le=1)
    offset: int = Field(default=0, ge=-200, le=200)
    gamma: float = Field(default=1.0, ge=0.3, le=3)
    flashes: FlashMode = "off"
    share: list[SharedPlace] = []
    sound: _Sound = _Sound()
    midi: _Midi = _Midi()
    osc: _Osc = _Osc()
    clock: _Clock = _Clock()
    camera: _Camera = _Camera()
    models: _Models = _Models()
    feed: dict[str, dict[str, Any]] = {}
    display: list[_Display] = []
    operator: _Operator = _Operator()


@dataclass(frozen=True, slots=True)
class VenueDisplay:
    """A display: `monitor` is where it is plugged in, as `perform devices` names it. It runs at `size`
    (width, height) and `refresh` (hertz), None: as the desktop has it, and shows the canvas `delay` seconds
    late."""

    name: str
    monitor: str
    size: tuple[int, int] | None = None
    refresh: int | None = None
    projection: Projection = field(default_factory=Projection)
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's window: on `monitor`, "" on the primary one, of `size`; not at all without `window`."""

    window: bool = True
    monitor: str = ""
    size: tuple[int, int] = OPERATOR_SIZE


@dataclass(frozen=True, slots=True)
class Venue:
    """A place. `options` are those of `perform play` that its file sets, in the form in which the command
    takes them; `feeds` is what it sets of feeds, None for nothing."""

    file: Path
    title: str = ""
    displays: tuple[VenueDisplay, ...] = ()
    operator: Operator = field(default_factory=Operator)
    options: Mapping[str, Any] = field(default_factory=dict)
    feeds: PlacedFeeds | None = None


def read_venue(file: Path) -> Venue:
    """The venue of a file. Raises SceneError with every fault, OSError."""
    table = document(file)
    if {"cue", "generator", "layer", "source"} & {*table}:
        raise SceneError([f"{file} is a {'setlist' if 'cue' in table else 'preset'}, must be a venue"])
    text, faults = fitted_partly(file, table, VenueText)
    if not faults:
        displays = tuple(map(_display, text.display))
        faults = [f"{file}: {fault}" for fault in _display_faults(displays)]
    if faults:
        raise SceneError(faults)
    operator = Operator(text.operator.window, text.operator.monitor, text.operator.size)
    feeds = PlacedFeeds(file, text.feed) if text.feed else None
    return Venue(file, text.title, displays, operator, _options(text, file.parent), feeds)


def _display(text: _Display) -> VenueDisplay:
    masks = tuple(Mask(one.points, one.feather, one.invert) for one in text.masks)
    projection = Projection(
        text.shows,
        text.rotate,
        text.flip,
        text.corners,
        text.mesh,
        EdgeBlend(**dict(text.blend)),
        masks,
        ColourCorrection(**dict(text.colour)),
    )
    name = text.name or text.monitor
    return VenueDisplay(name, text.monitor, text.size, text.refresh, projection, text.delay / 1000)


def _display_faults(displays: tuple[VenueDisplay, ...]) -> Iterator[str]:
    """What is wrong with the displays beside each other, and with their geometry."""
    for number, display in enumerate(displays):
        for before in displays[:number]:
            for key in ("name", "monitor"):
                value = getattr(display, key)
                if value.casefold() == getattr(before, key).casefold():
                    yield f"display[{number}].{key} = {value!r} is there already, each display has its own"
        yield from (f"display[{number}].{fault}" for fault in display.projection.faults())


def _options(text: VenueText, folder: Path) -> dict[str, Any]:
    """The options that a file in a folder sets; in a public place the flash limiter is on unless it says
    otherwise. A sound may be a file that lies beside it."""
    found = {option: value for option, key in OPTIONS.items() if (value := _given(text, key)) is not None}
    if text.public:
        found.setdefault("flashes", "on")
    if (sound := found.get("audio")) and (folder / sound).is_file():
        found["audio"] = str(folder / sound)
    return found


def _given(text: VenueText, key: str) -> Any:
    """The value of a key that the file sets, as a command takes it; None if it does not set it."""
    *tables, name = key.split(".")
    table: BaseModel = text
    for one in tables:
        table = getattr(table, one)
    if name not in table.model_fields_set:
        return None
    value = getattr(table, name)
    match name:
        case "size":
            return "x".join(map(str, value))
        case "region":
            return ",".join(f"{one:g}" for one in value)
    return value
