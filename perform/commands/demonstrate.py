"""The command `perform demonstrate`."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perform import paths
from perform.parameters import place_of, size_of
from perform.terminal import (
    MidiPort,
    OscAddress,
    PictureSize,
    StopAfter,
    check_new,
    complaints,
    err,
    out,
    preset_names,
)

if TYPE_CHECKING:
    from perform.demonstrations.live import DemonstrationPlan, DemonstrationRequest
    from perform.library import Library
    from perform.scenes.mapping import Example
    from perform.show import Options

SIGNALS_HELP = "The signals of a posture, such as hand.right.x,hand.right.pinch,midi.cc16,audio.low."
PARAMETERS_HELP = "The preset's parameters to play: generator.truncation,filter[0].zoom and so on."


def demonstrate(
    preset: Annotated[str, typer.Argument(help="A preset, by name or file.", autocompletion=preset_names)],
    name: Annotated[str, typer.Argument(help="The mapping's name: formulas use learned.NAME.VALUE.")],
    signals: Annotated[str, typer.Option(help=SIGNALS_HELP)] = "",
    parameters: Annotated[str, typer.Option(help=PARAMETERS_HELP)] = "",
    seeds: Annotated[str, typer.Option(help="Also learn the position between these seeds: 3,14,15.")] = "",
    method: Annotated[
        str | None, typer.Option(help="ridge, nearest or mlp. (default: ridge, or the method before)")
    ] = None,
    table: Annotated[Path | None, typer.Option("--from", help="Learn from the rows of a .csv.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Fit the kept examples again.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing mapping, or an existing preset with --save.")
    ] = False,
    save: Annotated[Path | None, typer.Option(help="Write a preset with the formulas to this .toml.")] = None,
    audio: Annotated[
        str | None,
        typer.Option(help="A sound file, a sound device by name, or none. (default: the demo track)"),
    ] = None,
    headless: Annotated[bool, typer.Option(help="Play without a window; control it with OSC.")] = False,
    size: PictureSize = "1280x720",
    seconds: StopAfter = None,
    model: Annotated[str | None, typer.Option(help="Play this model in place of the preset's.")] = None,
    midi: MidiPort = None,
    osc: OscAddress = "9000",
    camera: Annotated[str, typer.Option(help="The camera for hands: by name, number or path.")] = "",
) -> None:
    """Show postures with the pictures that you want; formulas play the result as learned.NAME."""
    from perform import show
    from perform.demonstrations import live

    with complaints():
        check_new(save, force=force)
        known = None if force and not again else live.load_mapping(name)
        if known:
            signals = signals or ",".join(known.text.signals)
            method = method or known.text.method
        request = live.DemonstrationRequest(
            preset, name, _words(signals), _words(parameters), _seeds(seeds), method or "ridge"
        )
        if again:
            _again(request)
            return
        library = show.open_library(preset, model)
        plan = live.DemonstrationPlan.of(request, library)
        if table:
            live.save_mapping(plan.of_table(table), preset)
        else:
            sound, (host, port) = show.sound_option(audio), place_of(osc)
            options = show.Options(
                preset, sound, size_of(size), model=model, headless=headless,
                midi=midi, osc_host=host, osc_port=port, camera=camera,
            )  # fmt: skip
            _live(plan, options, library, [] if force else _before(plan), seconds)
        _report(plan, library, save)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _seeds(text: str) -> tuple[int, ...]:
    words = _words(text)
    if not all(word.isascii() and word.isdigit() and int(word) < 2**32 for word in words):
        raise ValueError(f"seeds {text!r}, must be whole numbers such as 3,14,15")
    return tuple(map(int, words))


def _again(request: DemonstrationRequest) -> None:
    from perform.demonstrations import live
    from perform.demonstrations.fit import fit
    from perform.scenes.mapping import SignalMapping

    known = live.load_mapping(request.name)
    if known is None:
        raise LookupError(
            f"{live.MAPPINGS_FOLDER / request.name}.toml: there is no such file, nothing was shown yet"
        )
    text = known.text
    fitted = fit(request.method, text.signals, text.values, text.example)
    live.save_mapping(SignalMapping(request.name, fitted), request.preset)
    out.print(f"learned.{request.name}: {request.method}, examples: {len(text.example)}", highlight=False)


def _before(plan: DemonstrationPlan) -> Sequence[Example]:
    """The examples that it goes on from."""
    from perform.demonstrations import live
    from perform.demonstrations.demonstration import matches_mapping

    known = live.load_mapping(plan.request.name)
    if known is None:
        return ()
    if not matches_mapping(known.text, plan.request.signals, plan.targets):
        raise ValueError(
            f"learned.{known.name} was shown from {', '.join(known.text.signals)} to "
            f"{', '.join(known.text.values)}: name the same, another name, or --force to begin again"
        )
    return known.text.example


def _live(
    plan: DemonstrationPlan,
    options: Options,
    library: Library,
    before: Sequence[Example],
    seconds: float | None,
) -> None:
    from perform.commands.dashboard import run_with_dashboard
    from perform.demonstrations import live
    from perform.library import Library

    assert isinstance(library, Library)
    for key, what in live.KEY_ROWS:
        err.print(f"{key:>12}  {what}", highlight=False)
    rig, _session, trainer = live.open_demonstration(plan, options, library, before)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        run_with_dashboard(rig, seconds)
    finally:
        trainer.close()
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _report(plan: DemonstrationPlan, library: Library, save: Path | None) -> None:
    """Say what plays it, or write it into a preset."""
    from perform.demonstrations import live, preset
    from perform.demonstrations.targets import formula_texts
    from perform.documents import read_marked_text
    from perform.show import find

    request = plan.request
    learned = live.load_mapping(request.name)
    if learned is None:
        out.print("nothing was kept, nothing is learned", highlight=False)
        return
    summary = f"learned.{request.name}: {learned.text.method}, examples: {len(learned.text.example)}"
    out.print(summary, highlight=False)
    formulas = formula_texts(request.name, plan.targets)
    if save is None:
        for key, formula in formulas.items():
            out.print(f"  {key} = {formula!r}", highlight=False, markup=False, soft_wrap=True)
        return
    file = find(request.preset, library)
    text = preset.insert_formulas(read_marked_text(file), formulas, request.seeds)
    paths.write_whole(save, text.encode())
    out.print(f"{save}: plays it", highlight=False, markup=False)
