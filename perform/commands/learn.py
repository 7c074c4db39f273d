"""The command `perform learn`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from perform.learning import Press, Takeover
from perform.parameters import choice, place_of
from perform.terminal import (
    ENDLESS,
    MidiPort,
    OscAddress,
    complaints,
    err,
    one_of,
    say,
    show_names,
)

if TYPE_CHECKING:
    from perform.clock import Clock
    from perform.inputs import Input
    from perform.learning.live import TargetInFile
    from perform.learning.movement import Control, MovementDetector
    from perform.learning.targets import LearnTarget
    from perform.library import Library

log = logging.getLogger("perform")
TAKEOVERS: tuple[Takeover, ...] = get_args(Takeover)
PRESSES: tuple[Press, ...] = get_args(Press)
LOOKS = 100.0  # a second
Wait = Annotated[float, typer.Option(min=1, max=ENDLESS, help="How long to wait for a control.")]


def parameter_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Parameters of the preset whose names begin so; none of one that cannot be read."""
    try:
        names = [place.target.name for place in _learnable(str(ctx.params["preset"]))[1]]
    except (ValueError, LookupError, OSError):
        return []
    return [name for name in names if name.startswith(incomplete)]


def learn(
    preset: Annotated[
        str | None,
        typer.Argument(
            metavar="PRESET|FILE",
            help="A preset or a setlist, by name or file.",
            autocompletion=show_names,
        ),
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PARAMETER",
            help="Parameters to play, such as filter[0].zoom, one control after another.",
            autocompletion=parameter_names,
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Undo the last edit.")] = False,
    takeover: Annotated[
        str,
        typer.Option(
            help="When the knob is not at the value: pickup waits until the knob passes the value, scaling "
            "brings them together, none jumps.",
            autocompletion=one_of(*TAKEOVERS),
        ),
    ] = "pickup",
    press: Annotated[
        str,
        typer.Option(
            help="What a button does: momentary (default for numbers) or toggle (default for switches).",
            autocompletion=one_of(*filter(None, PRESSES)),
        ),
    ] = "",
    low: Annotated[
        float | None,
        typer.Option(help="The value at the control's lower end. (default: the end of the range)"),
    ] = None,
    high: Annotated[
        float | None,
        typer.Option(help="The value at the control's upper end. (default: the end of the range)"),
    ] = None,
    midi: MidiPort = None,
    osc: OscAddress = "9000",
    seconds: Wait = 60.0,
) -> None:
    """Choose a parameter and move a control: the control then plays it, by a formula in the preset."""
    with complaints():
        if undo:
            return _undo(preset)
        if preset is None:
            raise ValueError("the preset is missing: perform learn PRESET lists its parameters")
        ways = choice("takeover", takeover, TAKEOVERS)
        pressed = choice("press", press, PRESSES)
        library, places = _learnable(preset)
        names = parameters or _chosen(places)
        found = [_target_of(places, name, low, high) for name in names]
        if found:
            with _open(midi, place_of(osc)) as (inputs, clock):
                _each(found, inputs, clock, seconds, library, ways, pressed)
    return None


def _each(
    places: Sequence[TargetInFile],
    inputs: Sequence[Input],
    clock: Clock,
    seconds: float,
    library: Library,
    takeover: Takeover,
    press: Press,
) -> None:
    """Learn one parameter after another."""
    from perform.learning.formulas import formula
    from perform.learning.movement import MovementDetector

    watch = MovementDetector()
    for place in places:
        target = place.target
        sentence = f"{target.name}, {target.parameter.range}: move a control"
        ask = partial(err.print, sentence, markup=False, highlight=False)
        text = formula(target, wait_for_control(inputs, clock, seconds, watch, ask), None, takeover, press)
        say(place.write(text, library))


def wait_for_control(
    inputs: Sequence[Input],
    clock: Clock,
    seconds: float,
    watch: MovementDetector,
    ready: Callable[[], None] = lambda: None,
) -> Control:
    """The control that moves within so many seconds; `ready` is called when one may. TimeoutError."""
    from perform.learning.movement import INITIAL_REST

    begun = now = clock.advance()
    announced = False
    watch.begin(begun)
    while now - begun < seconds:
        watch.hear([event for one in inputs for event in one.poll(now)])
        control = watch.moved(now)
        if control is not None:
            return control
        if now - begun >= INITIAL_REST and not announced:
            announced = True
            ready()
        now = clock.advance()
    states = "; ".join(one.health().detail or one.name for one in inputs)
    raise TimeoutError(f"no control moved within {seconds:g} s; inputs: {states}")


@contextmanager
def _open(midi: str | None, osc: tuple[str, int]) -> Iterator[tuple[list[Input], Clock]]:
    from perform.clock import LiveClock
    from perform.library import Library
    from perform.show import Options, control_inputs

    clock, (host, port) = LiveClock(LOOKS), osc
    with ExitStack() as stack:
        profiles = Library().profiles(log.error)
        inputs = control_inputs(Options(midi=midi, osc_host=host, osc_port=port), clock, profiles)
        for one in inputs:
            stack.enter_context(closing(one))
        yield inputs, clock


def _chosen(places: Sequence[TargetInFile]) -> list[str]:
    """The parameters that you choose from the list on a terminal."""
    _list([place.target for place in places])
    if not sys.stdin.isatty():
        return []
    return str(typer.prompt("learn", default="", show_default=False, err=True)).split()


def _target_of(
    places: Sequence[TargetInFile], name: str, low: float | None, high: float | None
) -> TargetInFile:
    from perform.learning.targets import find_target

    target = find_target([place.target for place in places], name)
    place = next(place for place in places if place.target is target)
    return place if low is high is None else replace(place, target=target.between(low, high))


def _learnable(name: str) -> tuple[Library, list[TargetInFile]]:
    from perform.learning.edits import check_preset
    from perform.learning.live import learnable
    from perform.show import find, load, names_file, open_library

    library = open_library(name)
    file = find(name, library)
    check_preset(file)
    setlist = load(file, library)
    found = learnable(setlist, setlist.cues[0], not names_file(name), library)
    return library, [place for place in found if place.file == setlist.files[0]]


def _list(targets: Sequence[LearnTarget]) -> None:
    from perform.learning.targets import setting_text

    width = max((len(target.name) for target in targets), default=0)
    for target in targets:
        say(f"{target.name:<{width}}  {target.parameter.range:<12}  {setting_text(target.setting)}")


def _undo(preset: str | None) -> None:
    from perform.learning import edits
    from perform.show import find, names_file, open_library

    file = None
    if preset is not None:
        file = edits.editable_file(find(preset, open_library(preset)), not names_file(preset))
    step = edits.undo(file)
    say(f"{step.file}: {step.key} is as it was before {step.formula}")
