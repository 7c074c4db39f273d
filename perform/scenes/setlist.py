"""Setlists: an ordered list of cues, each a scene with its transition and its duration; and bindings, the
formulas that play the show itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from perform.clock import Lead
from perform.documents import SceneError, parse_leniently
from perform.scenes.controls import UnitSettings, bound
from perform.scenes.mapping import SignalMapping
from perform.scenes.reader import Reader, Table, read_scene
from perform.scenes.scene import Catalogue, Scene, Transition
from perform.scenes.show import BINDINGS, SHOW_PARAMETERS

QUANTISE_BEATS = {"off": 0, "beat": 1, "bar": 4, "4 bars": 16}


@dataclass(frozen=True, slots=True)
class Cue:
    """A scene in a setlist: `transition` brings it in; after `bars` the next cue follows (None: on GO)."""

    scene: Scene
    transition: Transition
    bars: float | None = None


@dataclass(frozen=True, slots=True)
class Setlist:
    """What is played, in order. `quantise` is the number of beats that a change waits for (0: at once)."""

    title: str
    cues: tuple[Cue, ...]
    show: UnitSettings
    quantise: int = 4
    loop: bool = False
    files: tuple[Path, ...] = field(default=())
    mappings: tuple[SignalMapping, ...] = ()
    lead: Lead = "auto"  # the clock that leads the beat

    @property
    def mapping_inputs(self) -> frozenset[str]:
        """The signals that its mappings take."""
        return frozenset(signal for mapping in self.mappings for signal in mapping.text.signals)

    @property
    def signal_names(self) -> frozenset[str]:
        """The signals that formulas of its scenes, its transitions and the show name, and the inputs of its
        mappings."""
        units = [unit for cue in self.cues for unit in (cue.scene, cue.transition.shader)]
        return self.show.signal_names.union(self.mapping_inputs, *(unit.signal_names for unit in units))


class _CueText(BaseModel, extra="forbid", strict=True):
    scene: str = ""
    bars: float | None = Field(default=None, gt=0, le=4096)
    transition: Table | None = None


class _SetlistText(BaseModel, extra="forbid", strict=True):
    title: str = Field(min_length=1)
    quantise: Literal["off", "beat", "bar", "4 bars"] = "bar"
    loop: bool = False
    clock: Lead = "auto"
    cue: list[_CueText] = []
    bindings: Table = {}


def read_setlist(path: Path, catalogue: Catalogue, preset: Callable[[str], Path]) -> Setlist:
    """The setlist in a file, with its scenes; `preset` gives a scene's file by name.

    Raises SceneError with every fault of the setlist and of its presets, OSError when it cannot be read.
    """
    text, found = parse_leniently(path, _SetlistText, {"title": "untitled"})
    reader = Reader(path, catalogue, found)
    if not text.cue:
        reader.fault("cue", "is missing, must be tables, each headed [[cue]]")
    faults: list[str] = []
    scenes: dict[str, Scene] = {}
    cues = []
    for i, cue in enumerate(text.cue):
        if not cue.scene:
            reader.fault(f"cue[{i}].scene", "is missing")
            continue
        try:
            scene = scenes.get(cue.scene) or read_scene(preset(cue.scene), catalogue)
        except SceneError as error:
            faults += error.faults
            continue
        except (LookupError, OSError) as error:
            reader.fault(f"cue[{i}].scene", f"= {cue.scene!r}: {error.args[0] if error.args else error}")
            continue
        scenes[cue.scene] = scene
        own = cue.transition
        key = f"cue[{i}].transition"
        transition = scene.transition if own is None else reader.transition(key, own)
        cues.append(Cue(scene, transition, cue.bars))
    show = reader.settings("bindings", "show", SHOW_PARAMETERS, BINDINGS | text.bindings)
    faults += reader.faults
    if faults:
        raise SceneError(list(dict.fromkeys(faults)))
    files = (path, *dict.fromkeys(scene.file for scene in scenes.values()))
    quantise = QUANTISE_BEATS[text.quantise]
    return Setlist(text.title, tuple(cues), show, quantise, text.loop, files, lead=text.clock)


def single(scene: Scene) -> Setlist:
    """A setlist of one scene."""
    show = bound("show", SHOW_PARAMETERS, BINDINGS)
    return Setlist(scene.title, (Cue(scene, scene.transition),), show, files=(scene.file,), lead=scene.lead)
