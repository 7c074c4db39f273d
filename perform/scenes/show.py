"""The controls of the show itself: each with its parameter, its address, and the formula bound to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from perform.clock import Lead
from perform.parameters import Parameter
from perform.scenes.holds import HoldMode

DECKS: tuple[Literal["a", "b"], ...] = ("a", "b")  # as they are called in addresses

# A key, or an OSC message: each fires when it is pressed or sent, whatever the other is at. A control whose
# formula names no message is set by one all the same, at its own address (see nodes.py).
_KEY_OR_OSC = 'max(onset(key.{0}), onset(osc["{1}"]))'
_SCENES = ", ".join(f"{n} * {_KEY_OR_OSC.format(n, f'/scene/{n}')}" for n in range(1, 10))
_CLOCKS = ", ".join(f'{n} * onset(osc["/tempo/clock/{lead}"])' for n, lead in enumerate(get_args(Lead), 1))


@dataclass(frozen=True, slots=True)
class ShowControl:
    """A control of the show. `binding` is its formula unless a setlist sets another; `panic` is the value
    that panic sets it to, `released` whether panic and `/release` release it."""

    parameter: Parameter
    address: str
    binding: str = ""
    mode: HoldMode = "moved"
    panic: float | None = None
    released: bool = True

    @property
    def name(self) -> str:
        """The parameter's name."""
        return self.parameter.name


def _switch(name: str, key: str, description: str) -> ShowControl:
    parameter = Parameter(name, 0.0, 0.0, 1.0, kind="bool", description=description)
    return ShowControl(parameter, f"/{name}", f"toggle(onset(key.{key}))", panic=False)


def _press(name: str, key: str, description: str, address: str = "", binding: str = "") -> ShowControl:
    parameter = Parameter(name, 0.0, 0.0, 1.0, kind="event", description=description)
    address = address or f"/{name}"
    return ShowControl(parameter, address, binding or _KEY_OR_OSC.format(key, address))


def _load(name: str, address: str, where: str) -> ShowControl:
    about = f"loads this cue on {where}: it comes next; 0 does nothing"
    return ShowControl(Parameter(name, 0.0, 0.0, 999.0, kind="int", description=about), address, mode="once")


SHOW_CONTROLS = (
    ShowControl(
        Parameter("master", 1.0, 0.0, 1.0, description="brightness of everything"),
        "/master",
        "pickup(midi.cc62, 1)",
    ),
    _switch("blackout", "b", "the output is black"),
    _switch("freeze", "f", "the picture does not move"),
    _switch("pause", "w", "lengths, waits and transitions of cues stand still"),
    _switch("fadeout", "o", "fades to black and pauses; fades in again, and goes on"),
    _press("panic", "p", "releases all that is held by hand; ends blackout, freeze, pause and fade-out"),
    _press("go", "space", "goes to the next cue"),
    _press("back", "backspace", "goes to the previous cue"),
    ShowControl(
        Parameter("scene", 0.0, 0.0, 999.0, kind="int", description="goes to this cue; 0 does nothing"),
        "/scene",
        f"max(midi.scene, {_SCENES})",
        mode="once",
    ),
    _load("standby", "/standby", "the free deck"),
    _press("load_next", "n", "loads the cue after the one in standby", "/standby/next"),
    _load("deck_a", "/deck/a/scene", "deck A, if it is free"),
    _load("deck_b", "/deck/b/scene", "deck B, if it is free"),
    ShowControl(
        Parameter(
            "crossfader",
            0.0,
            0.0,
            1.0,
            description="from deck A (0) to deck B (1): a transition to the next cue by hand",
        ),
        "/crossfader",
        released=False,  # the picture would jump
    ),
    _press("tap", "t", "taps the tempo", "/tempo/tap"),
    _press("resync", "r", "starts the bar now", "/tempo/resync"),
    _press("double", "up", "doubles the tempo", "/tempo/double"),
    _press("halve", "down", "halves the tempo", "/tempo/halve"),
    _press("later", "left", "moves the beat 1/32 later", "/tempo/later", "key.left"),
    _press("sooner", "right", "moves the beat 1/32 sooner", "/tempo/sooner", "key.right"),
    _press("listen", "l", "makes the tempo follow the sound again", "/tempo/listen"),
    ShowControl(
        Parameter("tempo", 0.0, 0.0, 220.0, "bpm", description="sets the tempo; 0 does nothing"),
        "/tempo/bpm",
        'osc["/tempo/bpm"]',
        mode="once",
    ),
    ShowControl(
        Parameter(
            "clock",
            -1.0,
            -1.0,
            5.0,
            kind="int",
            description="pins a clock: 1 hand, 2 Link, 3 MIDI, 4 audio, 5 free; 0 auto; -1 does nothing",
        ),
        "/tempo/clock",
        f"max({_CLOCKS}) - 1",
        mode="once",
    ),
    _press("nextclock", "c", "pins the next clock", "/tempo/clock/next"),
)
SHOW_PARAMETERS = tuple(control.parameter for control in SHOW_CONTROLS)
BINDINGS = {control.name: control.binding for control in SHOW_CONTROLS if control.binding}
KEY_HELP = (  # what the bindings have on the keyboard
    ("Space", "next cue"),
    ("Backspace", "previous cue"),
    ("1 - 9", "go to cue 1 to 9"),
    ("N", "another cue comes next"),
    ("B", "blackout"),
    ("F", "freeze"),
    ("W", "pause: the setlist waits"),
    ("O", "fade out and pause; fade in and go on"),
    ("P", "panic: release all, show the picture, go on"),
    ("T", "tap the tempo"),
    ("R", "start the bar now"),
    ("Up  Down", "double, halve the tempo"),
    ("Left  Right", "move the beat later, sooner"),
    ("L", "the tempo follows the sound again"),
    ("C", "the next clock: auto, hand, Link, MIDI …"),
)
STATUS_PARAMETERS = (  # read only, below /now
    Parameter("cue", 1, 1, 999, description="the number of the current cue", kind="int"),
    Parameter("title", "", description="the title of its scene", kind="text"),
    Parameter("number", "", description="the number of the current cue, as the setlist has it", kind="text"),
    Parameter("name", "", description="its name", kind="text"),
    Parameter("notes", "", description="its notes", kind="text"),
    Parameter("queued", 0, 0, 999, description="the number of the queued cue; 0: none", kind="int"),
    Parameter("deck", "a", kind="choice", choices=DECKS, description="the deck of the current cue"),
    Parameter("standby", 0, 0, 999, description="the number of the cue that comes next; 0: none", kind="int"),
    Parameter("beat", 1, 1, 4, description="the current beat of the bar", kind="int"),
    Parameter("held", 0, 0, description="how many parameters are held by hand", kind="int"),
)
