"""Setlists: an ordered list of cues, each a scene with its transition and its duration; and bindings, the
formulas that play the show itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from pydantic import BaseModel, Field

from perform.clock import BEATS_PER_BAR, Lead
from perform.documents import SceneError, document, fitted_partly
from perform.faults import reason
from perform.parameters import Parameter
from perform.scenes.addresses import segment
from perform.scenes.controls import UnitSettings, bound
from perform.scenes.layers import LAYER_PARAMETERS
from perform.scenes.mapping import SignalMapping
from perform.scenes.reader import Reader, Table, read_scene
from perform.scenes.scene import PROGRAMME, Catalogue, Layer, Scene, Transition
from perform.scenes.show import BINDINGS, SHOW_PARAMETERS

Quantise: TypeAlias = Literal["off", "beat", "bar", "4 bars"]
Follow: TypeAlias = Literal["follow", "continue", "stay"]
QUANTISE_BEATS: Mapping[Quantise, int] = {"off": 0, "beat": 1, "bar": 4, "4 bars": 16}
OF_CUE = "cue"  # the law of a crossfader: the transition of the cue that comes in
UNTIL = (Parameter("until", False, 0, 1, kind="bool", description="the cue is over"),)


@dataclass(frozen=True, slots=True)
class Cue:
    """A scene in a setlist: `transition` brings it in. Its length is `bars` or `seconds`, or until the
    formula of `until` is above 0.5.

    With `follow` the next cue comes in after its length and `post_wait` seconds, with `continue` after
    `post_wait` seconds alone; with `stay` it waits for GO. Each cue waits `pre_wait` seconds before it comes
    in. `quantise` is the number of beats that GO waits for, None: as the setlist has it. One that is not
    `armed` is skipped. `number`, `name` and `notes` are for people.
    """

    scene: Scene
    transition: Transition
    bars: float | None = None
    seconds: float | None = None
    until: UnitSettings | None = None
    follow: Follow = "follow"
    pre_wait: float = 0.0
    post_wait: float = 0.0
    quantise: int | None = None
    armed: bool = True
    number: str = ""
    name: str = ""
    notes: str = ""

    @property
    def title(self) -> str:
        """Its name, else the title of its scene."""
        return self.name or self.scene.title


@dataclass(frozen=True, slots=True)
class Setlist:
    """What is played, in order. `quantise` is the number of beats that a change waits for (0: at once).
    `faults` are those of presets that were edited: in their cues the scenes from before are played."""

    title: str
    cues: tuple[Cue, ...]
    show: UnitSettings
    quantise: int = 4
    loop: bool = False
    files: tuple[Path, ...] = field(default=())
    mappings: tuple[SignalMapping, ...] = ()
    lead: Lead = "auto"  # the clock that leads the beat
    faults: tuple[str, ...] = ()
    fade: float = 2.0  # seconds of a fade-out and a fade-in
    crossfader: UnitSettings | None = None  # the transition that it makes; None: that of the cue
    over: Scene | None = None  # overlays and filters over every scene, which is the lowest layer of this

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """The scenes of its cues, and what is over them."""
        return (*(cue.scene for cue in self.cues), *filter(None, [self.over]))

    @property
    def mapping_inputs(self) -> frozenset[str]:
        """The signals that its mappings take."""
        return frozenset(signal for mapping in self.mappings for signal in mapping.text.signals)

    @property
    def signal_names(self) -> frozenset[str]:
        """The signals that formulas of its scenes, its transitions and the show name, and the inputs of its
        mappings."""
        scenes = [scene.signal_names for scene in self.scenes]
        units = [unit for cue in self.cues for unit in (cue.transition.shader, cue.until) if unit]
        units += filter(None, [self.crossfader])
        return self.show.signal_names.union(
            self.mapping_inputs, *scenes, *(unit.signal_names for unit in units)
        )


class _CueText(BaseModel, extra="forbid", strict=True):
    FIRST_KEYS: ClassVar[Mapping[str, tuple[str, ...]]] = {"transition": ("shader",)}
    scene: str
    number: str | int | float = ""
    name: str = ""
    notes: str = ""
    bars: float | None = Field(default=None, gt=0, le=4096)
    beats: float | None = Field(default=None, gt=0, le=16384)
    seconds: float | None = Field(default=None, gt=0, le=86400)
    until: str | None = None
    follow: Follow | None = None
    pre_wait: float = Field(default=0.0, ge=0, le=86400)
    post_wait: float = Field(default=0.0, ge=0, le=86400)
    quantise: Quantise | None = None
    armed: bool = True
    transition: Table | None = None

    @property
    def lengths(self) -> list[str]:
        """The names of the lengths that it has."""
        return [name for name in ("bars", "beats", "seconds", "until") if getattr(self, name) is not None]


class SetlistText(BaseModel, extra="forbid", strict=True):
    """The tables of a setlist."""

    FIRST_KEYS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "cue": ("scene",),
        "overlay": ("name",),
        "filter": ("shader",),
        "crossfader": ("law",),
    }
    title: str = Field(min_length=1)
    quantise: Quantise = "bar"
    loop: bool = False
    clock: Lead = "auto"
    fade: float = Field(default=2.0, ge=0, le=600)
    cue: list[Table] = Field(min_length=1)
    overlay: list[Table] = []
    filter: list[Table] = []
    crossfader: Table = {}
    bindings: Table = {}


def read_setlist(
    path: Path, catalogue: Catalogue, preset: Callable[[str], Path], before: Setlist | None = None
) -> Setlist:
    """The setlist in a file, with its scenes; `preset` gives a scene's file by name. A preset that is broken
    since `before` has the scene that it had there.

    Raises SceneError with every fault of the setlist and of its presets, OSError when it cannot be read.
    """
    text, faults = fitted_partly(path, document(path), SetlistText)
    reader = Reader(path, catalogue, faults)
    presets = _Presets(reader, preset, before)
    cues: list[Cue] = []
    numbers: dict[str, str] = {}
    for i, table in enumerate(text.cue):
        cue, faults = fitted_partly(path, table, _CueText, f"cue[{i}]")
        reader.faults += faults
        _take_number(reader, f"cue[{i}]", str(cue.number), numbers)
        own = None if cue.transition is None else reader.transition(f"cue[{i}].transition", cue.transition)
        until = _until(reader, f"cue[{i}]", cue)
        if scene := presets.scene(f"cue[{i}].scene", cue.scene):
            cues.append(_cue(cue, scene, own or scene.transition, until))
    show = reader.settings("bindings", "show", SHOW_PARAMETERS, BINDINGS | text.bindings)
    crossfader, over = _crossfader(reader, text.crossfader), _over(reader, text, path)
    for one in reader.left_out:
        catalogue.leave_out(one)
    if reader.faults:
        raise SceneError(list(dict.fromkeys((*reader.faults, *presets.faults))))
    files = (path, *dict.fromkeys(scene.file for scene in presets.scenes.values()))
    quantise = QUANTISE_BEATS[text.quantise]
    return Setlist(
        text.title,
        tuple(cues),
        show,
        quantise,
        text.loop,
        files,
        lead=text.clock,
        faults=tuple(presets.faults),
        fade=text.fade,
        crossfader=crossfader,
        over=over,
    )


def _take_number(reader: Reader, key: str, number: str, taken: dict[str, str]) -> None:
    """Note a fault if another cue has the address of this number; `taken` are the keys of cues by theirs."""
    if number and (first := taken.setdefault(segment(number), key)) != key:
        reader.fault(
            f"{key}.number", f"= {number!r}, but {first} has its address /cue/{segment(number)}/start"
        )


def _until(reader: Reader, key: str, cue: _CueText) -> UnitSettings | None:
    """The formula that ends a cue, if it has one; faults of its lengths are noted."""
    lengths = cue.lengths
    if len(lengths) > 1:
        reader.fault(f"{key}.{lengths[1]}", f"and {lengths[0]} are given: a cue has one of them")
    if cue.follow == "follow" and not lengths:
        reader.fault(f"{key}.follow", "= 'follow' needs a length: bars, beats, seconds or until")
    return None if cue.until is None else reader.settings(key, "until", UNTIL, {"until": cue.until})


def _cue(text: _CueText, scene: Scene, transition: Transition, until: UnitSettings | None) -> Cue:
    return Cue(
        scene,
        transition,
        bars=text.bars if text.beats is None else text.beats / BEATS_PER_BAR,
        seconds=text.seconds,
        until=until,
        follow=text.follow or "follow",
        pre_wait=text.pre_wait,
        post_wait=text.post_wait,
        quantise=QUANTISE_BEATS[text.quantise] if text.quantise else None,
        armed=text.armed,
        number=str(text.number),
        name=text.name,
        notes=text.notes,
    )


def _crossfader(reader: Reader, table: Table) -> UnitSettings | None:
    """The transition that a crossfader makes; None: that of the cue that comes in."""
    law = table.get("law", OF_CUE)
    if law != OF_CUE:
        return reader.shader("crossfader", table, "transition", "law")
    for key in table.keys() - {"law"}:
        reader.fault(f"crossfader.{key}", f"needs a law that has it: the name of a transition, not {law!r}")
    return None


def _over(reader: Reader, text: SetlistText, path: Path) -> Scene | None:
    """What a setlist has over its scenes; None if that is nothing."""
    overlays = reader.placed_layers("overlay", text.overlay)
    filters = reader.filters("filter", text.filter)
    if not overlays and not filters:
        return None
    placement = UnitSettings(PROGRAMME, LAYER_PARAMETERS, {}) if overlays else None
    scenes = Layer(UnitSettings("", (), {}, kind=PROGRAMME), placement=placement, prefix=f"/{PROGRAMME}")
    transition = Transition(0, UnitSettings("", (), {}))
    return Scene(text.title, (scenes, *overlays), filters, transition, file=path, prefix="/stage")


class _Presets:
    """The presets that the cues of a setlist name, each read once. One that is broken since `before` has the
    scene that it had there, and its faults are in `faults`; those of any other go to the reader."""

    def __init__(self, reader: Reader, file: Callable[[str], Path], before: Setlist | None) -> None:
        self.scenes: dict[str, Scene] = {}  # by name
        self.faults: list[str] = []
        self._reader, self._file = reader, file
        self._before = {cue.scene.file: cue.scene for cue in before.cues} if before else {}

    def scene(self, key: str, name: str) -> Scene | None:
        """The scene of a preset, for the cue at `key`; None if it cannot be played."""
        if name not in self.scenes and name and (scene := self._read(key, name)):
            self.scenes[name] = scene
        return self.scenes.get(name)

    def _read(self, key: str, name: str) -> Scene | None:
        before = None
        try:
            file = self._file(name)
            before = self._before.get(file)
            scene = read_scene(file, self._reader.catalogue)
            if faults := self._reader.catalogue.signal_faults(file, scene.signal_names):
                raise SceneError(faults)
            return scene
        except SceneError as error:
            (self.faults if before else self._reader.faults).extend(error.faults)
        except (LookupError, OSError) as error:
            self._reader.fault(key, f"= {name!r}: {reason(error)}")
        return before


def single(scene: Scene) -> Setlist:
    """A setlist of one scene."""
    show = bound("show", SHOW_PARAMETERS, BINDINGS)
    return Setlist(scene.title, (Cue(scene, scene.transition),), show, files=(scene.file,), lead=scene.lead)
