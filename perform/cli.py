"""The command line: `perform play`, `render`, `models`, `directions`, `check`, `devices` and the rest."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.logging import RichHandler
from rich.table import Table

from perform import __version__
from perform.clock import Lead
from perform.commands import render as films
from perform.commands.dataset import app as dataset
from perform.commands.demonstrate import demonstrate
from perform.commands.flora import app as flora
from perform.commands.learn import learn
from perform.commands.loop import loop
from perform.commands.metrics import metrics
from perform.commands.models import app as models
from perform.commands.models import directions
from perform.commands.osc import osc as osc_list
from perform.commands.single import kinds
from perform.commands.train import train
from perform.parameters import choice
from perform.terminal import AsJson, complaints, err, out, place_of, size_of

if TYPE_CHECKING:
    from perform.rig import Rig
    from perform.show import Options

app = typer.Typer(
    name="perform",
    help="An instrument for live visuals: trained image generators, played like a synthesizer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(models, name="models")
app.add_typer(dataset, name="dataset")
app.add_typer(flora, name="flora")
app.command()(directions)
app.command()(demonstrate)
app.command()(loop)
app.command()(learn)
app.command("osc")(osc_list)
app.add_typer(kinds(train), name="train")
app.command()(metrics)
STYLE = {"ok": "green", "warn": "yellow", "fail": "bold red"}

Size = Annotated[str, typer.Option(help="WIDTHxHEIGHT of the picture in pixels.")]
Scale = Annotated[
    float | None,
    typer.Option(min=0.1, max=1, help="Draw scenes at this part of the size. [1; live software GL: 0.5]"),
]
Model = Annotated[str | None, typer.Option(help="Play this model in place of the presets' own.")]
Precision = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
Display = Annotated[str | None, typer.Option(help="Which display, by name; see `perform devices`.")]
Memory = Annotated[
    float | None, typer.Option(min=0.1, help="GiB that open models may take. [most of what is free]")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Audio = Annotated[
    str | None,
    typer.Option(help="A sound file, a sound device by name, or none. [default: the demo track]"),
]
Fps = Annotated[
    float | None, typer.Option(min=1, max=240, help="Frames a second at most. [60; software GL: 31]")
]
OSC = "OSC is heard here: a UDP port of this machine only, or HOST:PORT; 0.0.0.0 is every network. 0: none."
Osc = Annotated[str, typer.Option("--osc", "--osc-port", help=OSC)]
Feedback = Annotated[
    list[str] | None, typer.Option(help="Tell this HOST:PORT what changes, over OSC. May be given again.")
]
LEADS: tuple[str, ...] = get_args(Lead)
ClockSource = Annotated[
    str | None, typer.Option(help=f"Who leads the beat: {', '.join(LEADS)}. [what the setlist says]")
]
Camera = Annotated[
    str, typer.Option(help="The camera that sees hands: its name, number or path. [the first]")
]
Offset = Annotated[
    int, typer.Option(min=-200, max=200, help="Show beats so many milliseconds early, for a slow projector.")
]
REGION = "The part of the camera's picture in which hands play: left,top,right,bottom, each 0..1."


@app.callback()
def main() -> None:
    """An instrument for live visuals."""
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=err, show_path=False)]
    )
    logging.getLogger("perform").setLevel(logging.INFO)


@app.command()
def version() -> None:
    """Print the version."""
    out.print(f"perform {__version__}")


@app.command()
def play(
    setlist: Annotated[str, typer.Argument(help="A setlist or a preset, by name or file.")] = "demo",
    audio: Audio = None,
    headless: Annotated[bool, typer.Option(help="Play without a window.")] = False,
    size: Size = "1280x720",
    fps: Fps = None,
    scale: Scale = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")] = None,
    record: Annotated[Path | None, typer.Option(help="Record to this .mp4 or .mkv.")] = None,
    model: Model = None,
    precision: Precision = "auto",
    device: Device = "auto",
    fullscreen: Annotated[bool, typer.Option(help="Fill a display.")] = False,
    display: Display = None,
    midi: Annotated[str | None, typer.Option(help="Listen to this MIDI port only.")] = None,
    lights: Annotated[bool, typer.Option(help="Show scenes and values on controllers' lights.")] = True,
    osc: Osc = "9000",
    osc_feedback: Feedback = None,
    clock: ClockSource = None,
    link: Annotated[bool, typer.Option(help="Join the Ableton Link session of this network.")] = False,
    clock_out: Annotated[str | None, typer.Option(help="Send MIDI clock to this MIDI port.")] = None,
    camera: Camera = "",
    region: Annotated[str, typer.Option(help=REGION)] = "0,0,1,1",
    mirror: Annotated[bool, typer.Option(help="See hands as in a mirror.")] = True,
    offset: Offset = 0,
    gamma: Annotated[float, typer.Option(min=0.3, max=3, help="Above 1 lightens mid-tones.")] = 1.0,
    once: Annotated[bool, typer.Option(help="Stop when the sound is over, do not loop it.")] = False,
    memory: Memory = None,
) -> None:
    """Play a show live. Without a display and without --headless, the show is rendered to a video."""
    from perform import show
    from perform.inputs.camera import View, region_of

    with complaints():
        options = show.Options(
            setlist=setlist,
            sound=show.sounding(audio),
            size=size_of(size),
            fps=fps,
            scale=scale,
            model=model,
            precision=choice("precision", precision, ("auto", "float32", "bfloat16", "float16")),
            device=choice("device", device, ("auto", "cpu", "cuda", "mps")),
            record=record,
            headless=headless,
            fullscreen=fullscreen,
            display=display,
            midi=midi,
            lights=lights,
            clock=None if clock is None else choice("clock", clock, LEADS),
            link=link,
            clock_out=clock_out,
            camera=camera,
            view=View(region_of(region), mirror, lift=True),
            loop=not once,
            offset=offset / 1000,
            gamma=gamma,
            memory=2**30 * (memory or 0.0),
        )
        (_play if headless or _has_display() else _film)(_wired(options, osc, osc_feedback or []), seconds)


@app.command()
def render(
    sound: Annotated[Path, typer.Argument(help="The sound file to play to.")],
    out_file: Annotated[Path, typer.Option("--out", help="The .mp4 or .mkv to write.")],
    scene: Annotated[str, typer.Option(help="A preset or setlist, by name or file.")] = "demo",
    size: Size = "1280x720",
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames a second.")] = 30.0,
    scale: Scale = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Only the first so many seconds.")] = None,
    model: Model = None,
    precision: Precision = "auto",
    device: Device = "auto",
) -> None:
    """Render a sound to a video, every frame exact."""
    from perform import show

    with complaints():
        options = show.Options(
            setlist=scene,
            sound=str(_existing(sound)),
            size=size_of(size),
            fps=fps,
            scale=scale,
            model=model,
            precision=choice("precision", precision, ("auto", "float32", "bfloat16", "float16")),
            device=choice("device", device, ("auto", "cpu", "cuda", "mps")),
            record=out_file,
            headless=True,
        )
        films.render_show(options, seconds)


@app.command()
def check(
    paths: Annotated[
        list[Path], typer.Argument(help="Presets, setlists, shaders, models, or folders of them.")
    ],
) -> None:
    """Find every fault of presets, setlists, shaders, feeds, profiles and models; exit code 1 if any."""
    from perform.commands.check import check_all

    checked, faults = check_all(paths)
    for fault in faults:
        err.print(fault, style="red", markup=False, highlight=False, soft_wrap=True)
    out.print(f"{checked} checked, {len(faults)} fault{'s' * (len(faults) != 1)}")
    raise typer.Exit(1 if faults else 0)


@app.command()
def devices() -> None:
    """List the sound devices, MIDI ports, Link peers, cameras, gamepads and displays that are there."""
    from perform.commands.doctor import found

    for kind, names in found().items():
        out.print(f"[bold]{kind}[/bold]")
        for name in names or ["none"]:
            out.print(f"  {name}", markup=False, highlight=False)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what of this machine is ready to play, and what to do about the rest."""
    from perform.commands.doctor import checks

    rows = checks()
    if as_json:
        print(json.dumps([{k: getattr(row, k) for k in ("name", "state", "why", "remedy")} for row in rows]))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for row in rows:
            table.add_row(row.name, f"[{STYLE[row.state]}]{row.state}[/]", row.why, row.remedy)
        out.print(table)
    raise typer.Exit(1 if any(row.state == "fail" for row in rows) else 0)


@app.command()
def hands(
    camera: Annotated[str, typer.Option(help="The camera: its name, number or path. [the first]")] = "",
    region: Annotated[str, typer.Option(help=REGION)] = "0,0,1,1",
    mirror: Annotated[bool, typer.Option(help="See hands as in a mirror.")] = True,
    seconds: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Watch what the camera and the tracker see of hands, to set up camera and lights; Ctrl-C ends. Exit
    code 1 when either is missing."""
    from rich.live import Live

    from perform.commands import hands as meter
    from perform.inputs.camera import View, region_of

    with complaints(), meter.open_meter(camera, View(region_of(region), mirror, lift=True)) as seen:
        with Live(console=err, transient=True) as live, contextlib.suppress(KeyboardInterrupt):
            for one in meter.looks(seen, seconds):
                live.update(one.table())
        missing = seen.missing()
        said = missing or seen.state()
        if as_json:
            print(json.dumps({"state": said, "signals": seen.values}))
        else:
            out.print(said, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if missing else 0)


@app.command()
def beats(
    sound: Annotated[Path, typer.Argument(help="A sound file.")],
    as_json: AsJson = False,
) -> None:
    """The beats of a sound as a live run would have heard them: time, tempo, confidence."""
    from perform.inputs.audio import tracked

    with complaints():
        found = tracked(_existing(sound))
    if as_json:
        rows = [
            {"time": b.time, "bpm": b.bpm, "confidence": b.confidence, "downbeat": b.downbeat} for b in found
        ]
        print(json.dumps({"sound": str(sound), "beats": rows}))
        return
    for beat in found:
        mark = "[cyan]●[/cyan]" if beat.downbeat else "○"
        out.print(f"{mark} {beat.time:8.3f} s  {beat.bpm:6.1f} bpm  {beat.confidence:4.0%}")


@app.command()
def bench(
    name: Annotated[
        str | None,
        typer.Argument(
            help="loop, generator, latency, render, switch, models, inputs, training. [default: all]"
        ),
    ] = None,
    as_json: AsJson = False,
    seconds: Annotated[float | None, typer.Option(help="How long each measurement lasts.")] = None,
    model: Model = None,
    device: Device = "auto",
) -> None:
    """Measure this machine, each figure beside its goal. Of `training`, --model is a run's folder."""
    from perform.bench import NAMES, report, run
    from perform.models import located

    with complaints():
        if model is not None and not Path(model).is_dir():  # a folder is a run's
            model = located(model)
        every = [one for one in NAMES if model is None or one != "training"]  # which takes a run, no model
        for one in every if name is None else (choice("bench", name, NAMES),):
            result = report(one, run(one, seconds=seconds, model=model, device=device))
            if as_json:
                print(json.dumps(result))
            else:
                _figures(result)


def _play(options: Options, seconds: float | None) -> None:
    """A live show with its dashboard, until the time is over, the window closed, or a signal comes."""
    from perform import show
    from perform.commands.dashboard import Dashboard
    from perform.show.status import Watcher

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # until there is a show to end
    rig = show.play(options)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: rig.end())
    watcher = Watcher(options.record)
    with Dashboard(err) as dashboard:

        def over(playing: Rig) -> bool:
            if playing.timings.count % 6 == 1:
                dashboard.show(watcher.status(playing))
            past = seconds is not None and playing.moment is not None and playing.moment.seconds >= seconds
            return past or (not options.loop and playing.sound is not None and playing.sound.finished)

        rig.run(over)
    films.farewell(rig, options)


def _wired(options: Options, osc: str, feedback: list[str]) -> Options:
    """The options with what a person said of OSC."""
    host, port = place_of(osc)
    told = tuple(place_of(one) for one in feedback)
    return replace(options, osc_host=host, osc_port=port, osc_feedback=told)


def _film(options: Options, seconds: float | None) -> None:
    """No display: the show is rendered to a video instead."""
    from perform import paths, show

    file = options.record or paths.output() / f"{Path(options.setlist).stem}.mp4"
    err.print(
        f"no display here: rendering {options.setlist} to {file} (a window needs DISPLAY or WAYLAND_DISPLAY)"
    )
    films.render_show(
        replace(options, record=file, headless=True, fps=options.fps or show.RENDER_FPS), seconds
    )


def _figures(result: dict[str, Any]) -> None:
    machine, versions = result["machine"], result["versions"]
    out.print(f"[bold]{result['bench']}[/bold]  {machine['processor']}, {machine['cores']} cores")
    out.print("  ".join(f"{k} {v}" for k, v in versions.items()), style="dim", highlight=False)
    table = Table("figure", "value", "unit", "goal", "", box=None)
    for row in result["figures"]:
        value = "-" if row["value"] is None else f"{row['value']:.2f}"
        goal = "" if row["goal"] is None else f"{row['goal']:g}"
        said = {True: "met", False: "missed", None: row.get("note", "")}[row["met"]]
        table.add_row(row["name"], value, row["unit"], goal, said)
    out.print(table)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    return path


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
