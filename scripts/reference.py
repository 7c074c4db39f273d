"""Writes docs/formulas.md from the declarations themselves: signals, functions, latent paths, the show.

python -m scripts.reference
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from perform.clock import Moment
from perform.formula.functions import FUNCTIONS
from perform.generators.extending import EXTEND
from perform.latent.controls import LATENT, NOISE, NOISE_LAYERS
from perform.latent.directions import PARAMETERS as DIRECTION
from perform.latent.paths import PATHS, path_parameters
from perform.library.vocabulary import VOCABULARY
from perform.parameters import Parameter
from perform.render.pictures import PARAMETERS as PICTURES
from perform.rhythm.features import AUDIO_SIGNALS
from perform.rhythm.tempo import TEMPO_SIGNALS as TEMPO
from perform.scenes.show import BINDINGS, SHOW_PARAMETERS

FILE = Path(__file__).parent.parent / "docs" / "formulas.md"
HEAD = """# Signals, formulas and latent paths

Written by `scripts/reference.py` from the declarations in the code.

Every parameter of a preset is a number or a formula in quotes: `truncation = "0.5 + 0.4 * audio.level"`. A
formula has numbers, signals, functions, `+ - * / % **`, comparisons, `and or not`, and `a if x else b`. It is
checked when the preset is loaded. Its result is clipped to the parameter's range; a seed or a way that may
grow for ever goes through its range again. A parameter of kind *event* fires on the frame in which its
formula rises above 0.5. A part of a formula that has no finite value keeps its last one.
"""
OPEN = {
    "midi": "`midi.cc21`, `midi.note60`, `midi.pitch` …; on one channel `midi.ch2.cc21`; on any controller "
    "with a profile `midi.fader1`, on one of them `midi.midimix.fader1`: [controllers](controllers.md)",
    "osc": '`osc["/sensor/1"]`, further arguments `osc["/sensor/1"].1` and so on',
    "key": "`key.space`, `key.a`, `key.up`: 1 while it is down",
    "mouse": "over the window, from the lower left: `mouse.x`, `mouse.y`; `mouse.left` …, `mouse.wheel`",
    "hand": "two hands, such as `hand.left.x`; the whole list is in [hands](hands.md)",
    "camera": "the brightness, movement and age of its picture: `camera.level`, `.motion`, `.age`",
    "feed": "numbers from outside, such as `feed.room.heat`: [feeds](feeds.md)",
    "pad": "from [gamepads](sources.md#gamepads): `pad.lx`, `pad.lt`, `pad.a`; the second's `pad.2.a`",
    "learned": "values of a mapping by demonstration, `learned.pose.zoom`: [demonstration](demonstration.md)",
}
ABOUT = {
    "walk": "An endless path through the keyframes of the seeds, from `seed` on.",
    "loop": "A closed path through `seeds`, without a jump.",
    "orbit": "A circle around a seed's point.",
    "hold": "The point of one seed, until a jump goes to the next.",
    "keys": "The keyframes of `seeds`, in an order that you choose.",
    "weights": "A point between `seeds`: a higher weight is nearer to its seed.",
}


def text() -> str:
    """The page."""
    return "\n".join((HEAD, *_signals(), *_functions(), *_controls(), *_paths(), *_show())) + "\n"


def _signals() -> Iterator[str]:
    moment = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0).signals()
    rows = {
        "time": ", ".join(f"`{name}`" for name in moment if name.startswith("time.")),
        "beat": ", ".join(f"`{name}`" for name in (*moment, "beat.confidence") if name.startswith("beat.")),
        "tempo": f"the leading clock ([tempo](tempo.md)): {', '.join(f'`{name}`' for name in TEMPO)}",
        "audio": ", ".join(f"`{name}`" for name in AUDIO_SIGNALS if name in VOCABULARY.names),
    }
    yield "## Signals\n"
    yield "Signals of the sound are 0 to 1, and 0 in silence. A signal is 0 until its first value.\n"
    yield "| | |\n|---|---|"
    for kind, names in (
        rows | {word: OPEN[word] for word in ("key", "mouse", "hand", "camera", "pad", *VOCABULARY.open)}
    ).items():
        yield f"| {kind} | {names} |"


def _functions() -> Iterator[str]:
    yield "\n## Functions\n\nTimes are in seconds. Triggers fire when they rise above 0.\n"
    yield "| function | gives |\n|---|---|"
    for function in FUNCTIONS.values():
        yield f"| `{function.signature}` | {function.about} |"


def _controls() -> Iterator[str]:
    yield "\n## [generator], with a model\n"
    yield from _table((*LATENT, *NOISE, NOISE_LAYERS, EXTEND, *PICTURES))
    yield "\n## [[direction]], with a model\n"
    yield "`name` is one of the model's directions, which `perform directions` finds: [space](space.md).\n"
    yield from _table(DIRECTION)


def _paths() -> Iterator[str]:
    yield "\n## [latent]\n"
    for name in PATHS:
        yield f'### path = "{name}"\n\n{ABOUT[name]}\n'
        yield from _table(path_parameters(name))
        yield ""


def _show() -> Iterator[str]:
    yield "## The show itself: [bindings] of a setlist\n"
    yield "| control | is | formula, unless the setlist sets another |\n|---|---|---|"
    for parameter in SHOW_PARAMETERS:
        own = "none; its [address](osc.md)"
        bound = f"`{BINDINGS[parameter.name]}`" if parameter.name in BINDINGS else own
        yield f"| {parameter.name} | {parameter.description} | {bound} |"


def _table(parameters: tuple[Parameter, ...]) -> Iterator[str]:
    yield "| parameter | default | allowed | |\n|---|---|---|---|"
    for one in parameters:
        yield f"| {one.name} | {_plain(one.default) or 'none'} | {_allowed(one)} | {one.description} |"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _allowed(parameter: Parameter) -> str:
    match parameter.kind:
        case "event":
            return "event"
        case "list":
            return "whole numbers"
        case "text":
            return "text"
        case "int" if (parameter.high or 0) > 2**30:
            return "whole number"
    return parameter.range


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
