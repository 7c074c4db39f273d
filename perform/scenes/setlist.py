"""Setlists: an ordered list of cues, each a scene with its way in and its way on; and bindings,
the formulas that play the show itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from perform.clock import Lead
from perform.documents import SceneError, parse_document
from perform.formula import ANY
from perform.parameters import Parameter
from perform.scenes.controls import UnitSettings
from perform.scenes.mapping import SignalMapping
from perform.scenes.reader import Reader, Table, read_scene
from perform.scenes.scene import Catalogue, Scene, Transition

QUANTISE_BEATS = {"off": 0, "beat": 1, "bar": 4, "4 bars": 16}

SHOW_PARAMETERS = (
    Parameter("master", 1.0, 0.0, 1.0, description="brightness of everything"),
    Parameter("blackout", 0.0, 0.0, 1.0, kind="bool", description="the output is black"),
    Parameter("freeze", 0.0, 0.0, 1.0, kind="bool", description="the picture stands still"),
    Parameter(
        "panic",
        0.0,
        0.0,
        1.0,
        kind="event",
        description="releases everything held by hand; no blackout, no freeze",
    ),
    Parameter("go", 0.0, 0.0, 1.0, kind="event", description="goes to the next cue"),
    Parameter("back", 0.0, 0.0, 1.0, kind="event", description="goes back to the cue before"),
    Parameter("scene", 0.0, 0.0, 999.0, kind="int", description="goes to cue number n; 0 stays"),
    Parameter(
        "crossfade",
        0.0,
        0.0,
        1.0,
        description="moves the transition to the next cue by hand, from end to end",
    ),
    Parameter("tap", 0.0, 0.0, 1.0, kind="event", description="a tap of the tempo"),
    Parameter("resync", 0.0, 0.0, 1.0, kind="event", description="the bar begins now"),
    Parameter("double", 0.0, 0.0, 1.0, kind="event", description="twice the tempo"),
    Parameter("halve", 0.0, 0.0, 1.0, kind="event", description="half the tempo"),
    Parameter("later", 0.0, 0.0, 1.0, kind="event", description="the beat 1/32 later"),
    Parameter("sooner", 0.0, 0.0, 1.0, kind="event", description="the beat 1/32 sooner"),
    Parameter("listen", 0.0, 0.0, 1.0, kind="event", description="the tempo follows the sound again"),
    Parameter("tempo", 0.0, 0.0, 220.0, "bpm", kind="float", description="the tempo by number; 0 leaves it"),
    Parameter(
        "clock",
        -1.0,
        -1.0,
        5.0,
        kind="int",
        description="the clock that leads: 0 auto, 1 hand, 2 Link … -1 leaves it",
    ),
    Parameter("nextclock", 0.0, 0.0, 1.0, kind="event", description="the next clock is pinned"),
)

# A key, or an OSC message: each fires when it is pressed or sent, whatever the other is at. What has no
# message here is set by one all the same, at its own address (see nodes.py).
_EITHER = 'max(onset(key.{0}), onset(osc["{1}"]))'
_CLOCKS = ", ".join(f'{n} * onset(osc["/tempo/clock/{lead}"])' for n, lead in enumerate(get_args(Lead), 1))
BINDINGS = {
    "master": "pickup(midi.cc62, 1)",
    "blackout": "toggle(onset(key.b))",
    "freeze": "toggle(onset(key.f))",
    "panic": _EITHER.format("p", "/panic"),
    "go": _EITHER.format("space", "/go"),
    "back": _EITHER.format("backspace", "/back"),
    "scene": "max(midi.scene, "
    + ", ".join(f"{n} * {_EITHER.format(n, f'/scene/{n}')}" for n in range(1, 10))
    + ")",
    "tap": _EITHER.format("t", "/tempo/tap"),
    "resync": _EITHER.format("r", "/tempo/resync"),
    "double": _EITHER.format("up", "/tempo/double"),
    "halve": _EITHER.format("down", "/tempo/halve"),
    "later": "key.left",
    "sooner": "key.right",
    "listen": _EITHER.format("l", "/tempo/listen"),
    "tempo": 'osc["/tempo/bpm"]',
    "clock": f"max({_CLOCKS}) - 1",
    "nextclock": _EITHER.format("c", "/tempo/clock/next"),
}
KEYS = (  # what the bindings above have on the keyboard, for the help
    ("Space", "go on to the next cue"),
    ("Backspace", "back to the cue before"),
    ("1 - 9", "to that cue"),
    ("B", "blackout"),
    ("F", "freeze"),
    ("P", "panic: nothing held by hand, no blackout, no freeze"),
    ("T", "tap the tempo"),
    ("R", "the bar begins now"),
    ("Up  Down", "twice, half the tempo"),
    ("Left  Right", "the beat later, sooner"),
    ("L", "the tempo follows the sound again"),
    ("C", "the next clock: auto, hand, Link, MIDI …"),
)


@dataclass(frozen=True, slots=True)
class Cue:
    """A scene in a setlist: `transition` is its way in; after `bars` the next cue follows (None: on GO)."""

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
    clock: Lead = "auto"  # who leads the beat

    @property
    def signal_names(self) -> frozenset[str]:
        """The signals that formulas of its scenes, its transitions and the show name, and the inputs of its
        mappings."""
        units = [unit for cue in self.cues for unit in (cue.scene, cue.transition.shader)]
        postures = [signal for mapping in self.mappings for signal in mapping.text.signals]
        return self.show.signal_names.union(postures, *(unit.signal_names for unit in units))


class _CueText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    scene: str
    bars: float | None = Field(default=None, gt=0, le=4096)
    transition: Table | None = None


class _SetlistText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: str = Field(min_length=1)
    quantise: Literal["off", "beat", "bar", "4 bars"] = "bar"
    loop: bool = False
    clock: Lead = "auto"
    cue: list[_CueText] = Field(min_length=1)
    bindings: Table = {}


def read_setlist(path: Path, catalogue: Catalogue, preset: Callable[[str], Path]) -> Setlist:
    """The setlist in a file, with its scenes; `preset` gives a scene's file by name.

    Raises SceneError with every fault of the setlist and of its presets, OSError when it cannot be read.
    """
    text = parse_document(path, _SetlistText)
    reader = Reader(path, catalogue.vocabulary)
    faults: list[str] = []
    scenes: dict[str, Scene] = {}
    cues = []
    for i, cue in enumerate(text.cue):
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
        transition = scene.transition if own is None else reader.transition(key, own, catalogue)
        cues.append(Cue(scene, transition, cue.bars))
    show = reader.settings("bindings", "show", SHOW_PARAMETERS, BINDINGS | text.bindings)
    _finish(reader, faults)
    files = (path, *dict.fromkeys(scene.file for scene in scenes.values()))
    quantise = QUANTISE_BEATS[text.quantise]
    return Setlist(text.title, tuple(cues), show, quantise, text.loop, files, clock=text.clock)


def single(scene: Scene) -> Setlist:
    """A setlist of one scene."""
    show = Reader(scene.file, ANY).settings("bindings", "show", SHOW_PARAMETERS, BINDINGS)
    return Setlist(scene.title, (Cue(scene, scene.transition),), show, files=(scene.file,), clock=scene.clock)


def _finish(reader: Reader, faults: list[str]) -> None:
    try:
        reader.finish()
    except SceneError as error:
        faults += error.faults
    if faults:
        raise SceneError(list(dict.fromkeys(faults)))
