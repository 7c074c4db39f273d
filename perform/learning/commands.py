"""The command `perform learn`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perform.terminal import choice, complaints, err, out

if TYPE_CHECKING:
    from perform.catalogue import Library
    from perform.clock import Clock
    from perform.inputs import Input
    from perform.learning.live import Place
    from perform.learning.moved import Control

LOOKS = 100.0  # a second


def learn(
    preset: Annotated[
        str | None, typer.Argument(metavar="PRESET|FILE", help="A preset or a setlist, by name or file.")
    ] = None,
    parameter: Annotated[
        str | None, typer.Argument(help="What to play, such as filter[0].zoom; without it, what there is.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was learned last.")] = False,
    takeover: Annotated[
        str,
        typer.Option(
            help="When a knob is not where its parameter is: pickup waits until it gets there, scaling "
            "brings them together, none jumps."
        ),
    ] = "pickup",
    press: Annotated[
        str,
        typer.Option(help="What a button does: momentary or toggle. [a number: momentary, a switch: toggle]"),
    ] = "",
    low: Annotated[float | None, typer.Option(help="What the control's lower end is. [its range's]")] = None,
    high: Annotated[float | None, typer.Option(help="What the control's upper end is. [its range's]")] = None,
    midi: Annotated[str | None, typer.Option(help="Listen to this MIDI port only.")] = None,
    osc_port: Annotated[int, typer.Option(min=0, max=65535, help="UDP port for OSC; 0: none.")] = 9000,
    seconds: Annotated[float, typer.Option(min=1, help="How long to wait for a control.")] = 60.0,
) -> None:
    """Choose a parameter, move a control: from then on the control plays it, as a formula in the preset."""
    with complaints():
        if undo:
            return _undo(preset)
        if preset is None:
            raise ValueError("learn what? perform learn PRESET lists its parameters")
        ways = choice("takeover", takeover, ("pickup", "scaling", "none"))
        pressed = choice("press", press, ("", "momentary", "toggle"))
        library, places = _places(preset)
        if parameter is None:
            return _list(places)
        from perform.learning.formulas import formula
        from perform.learning.targets import named

        chosen = named([place.target for place in places], parameter)
        place = next(place for place in places if place.target is chosen)
        target = chosen if low is high is None else chosen.between(low, high)
        control = _moved(f"{target.name}, {target.parameter.range}", midi, osc_port, seconds)
        text = formula(target, control, None, ways, pressed)
        out.print(place.write(text, library), markup=False, highlight=False, soft_wrap=True)
    return None


def waited(
    inputs: Sequence[Input], clock: Clock, seconds: float, ready: Callable[[], None] = lambda: None
) -> Control:
    """The control that is moved within so many seconds; `ready` is called when one may be. TimeoutError."""
    from perform.learning.moved import REST, Watch

    begun = now = clock.advance()
    watch, told = Watch(begun), False
    while now - begun < seconds:
        watch.hear([event for one in inputs for event in one.poll(now)])
        control = watch.moved(now)
        if control is not None:
            return control
        if now - begun >= REST and not told:
            told = True
            ready()
        now = clock.advance()
    raise TimeoutError(f"no control was moved within {seconds:g} s: {'; '.join(_health(inputs))}")


def _health(inputs: Sequence[Input]) -> list[str]:
    return [one.health().detail or one.name for one in inputs]


def _moved(what: str, midi: str | None, osc_port: int, seconds: float) -> Control:
    from perform.clock import LiveClock
    from perform.show import Options, by_hand

    clock = LiveClock(LOOKS)
    inputs = by_hand(Options(midi=midi, osc_port=osc_port), clock)
    with ExitStack() as stack:
        for one in inputs:
            stack.enter_context(closing(one))
        return waited(
            inputs,
            clock,
            seconds,
            lambda: err.print(f"{what}: move a control", markup=False, highlight=False),
        )


def _places(name: str) -> tuple[Library, list[Place]]:
    from perform.catalogue import Library
    from perform.learning.live import places
    from perform.show import find, load

    library = Library()
    setlist = load(find(name, library), library)
    by_name = not (name.endswith(".toml") or Path(name).is_file())
    found = places(setlist, setlist.cues[0].scene, by_name)
    return library, [place for place in found if place.file == setlist.files[0]]


def _list(places: Sequence[Place]) -> None:
    from perform.learning.targets import text_of

    width = max((len(place.target.name) for place in places), default=0)
    for place in places:
        target = place.target
        said = f"{target.name:<{width}}  {target.parameter.range:<12}  {text_of(target.setting)}"
        out.print(said, markup=False, highlight=False, soft_wrap=True)


def _undo(preset: str | None) -> None:
    from perform.catalogue import Library
    from perform.learning import files
    from perform.show import find

    file = None if preset is None else files.own(find(preset, Library()), not preset.endswith(".toml"))
    step = files.undo(file)
    said = f"{step.file}: {step.key} is as it was before {step.formula}"
    out.print(said, markup=False, highlight=False, soft_wrap=True)
