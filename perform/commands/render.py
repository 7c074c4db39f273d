"""The command `perform render`, and a show as a video with a progress bar, for other commands, too."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from perform.parameters import choice
from perform.terminal import (
    NetworkDevice,
    NetworkPrecision,
    PictureSize,
    PlayedModel,
    SceneScale,
    complaints,
    err,
    existing,
    options_of,
    out,
    size_of,
)

if TYPE_CHECKING:
    from perform.rig import Rig
    from perform.show import Options


def render(
    context: typer.Context,
    sound: Annotated[Path, typer.Argument(help="The sound file to play to.")],
    out_file: Annotated[Path, typer.Option("--out", help="The video file to write: .mp4, .mov or .mkv.")],
    scene: Annotated[str, typer.Option(help="A preset or setlist, by name or file.")] = "demo",
    size: PictureSize = "1280x720",
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames a second.")] = 30.0,
    scale: SceneScale = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Render only this many seconds from the start.")
    ] = None,
    model: PlayedModel = None,
    precision: NetworkPrecision = "auto",
    device: NetworkDevice = "auto",
) -> None:
    """Render a sound to a video, every frame exact."""
    with complaints():
        render_show(
            show_options(context, setlist=scene, sound=str(existing(sound)), record=out_file, headless=True),
            seconds,
        )


def show_options(context: typer.Context, **changed: object) -> Options:
    """The options of a show: those of a command, but for those that are `changed`."""
    from perform.show import Options

    options = options_of(context, Options) | {
        "size": size_of(context.params["size"]),
        "precision": choice(
            "precision", context.params["precision"], ("auto", "float32", "bfloat16", "float16")
        ),
        "device": choice("device", context.params["device"], ("auto", "cpu", "cuda", "mps")),
    }
    return Options(**options | changed)


def render_show(options: Options, seconds: float | None) -> None:
    """Render a show; an interrupted render keeps its frames."""
    from perform import show
    from perform.clock import stopwatch
    from perform.outputs.digest import Digest

    length = min(_duration(options.sound), math.inf if seconds is None else seconds)
    if math.isinf(length):
        raise ValueError("the length of the sound is unknown: give --seconds")
    rig, digest = show.render(options), Digest()
    rig.outputs.append(digest)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: rig.end())
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TextColumn("{task.fields[rate]:.1f} frames/s"), TimeRemainingColumn(),
    )  # fmt: skip
    frames = round(length * (options.fps or show.RENDER_FPS))
    began = stopwatch()
    with Progress(*columns, console=err) as progress:
        task = progress.add_task(f"rendering {options.setlist}", total=frames, rate=0.0)

        def over(rendering: Rig) -> bool:
            done = rendering.timings.count
            progress.update(task, completed=done, rate=done / max(stopwatch() - began, 1e-6))
            return done >= frames or rendering.lost > 0

        rig.run(over)
    frames, took = rig.timings.count, stopwatch() - began
    out.print(f"{frames} frames in {took:.1f} s: {frames / took:.1f} frames/s, sha256 {digest.hexadecimal}")
    report_end(rig, options)


def report_end(rig: Rig, options: Options) -> None:
    """Print how many faults there were and where the recording is; exit code 1 if it stopped early."""
    total = sum(rig.stage.faults.counts.values())
    if total:
        err.print(f"{total} faults on stage, of {len(rig.stage.faults.counts)} sorts")
    if options.record:
        whole = "recorded to" if not rig.lost else "the recording stopped early; what there is of it is in"
        out.print(f"{whole} {options.record}", highlight=False, soft_wrap=True)
    if rig.lost:
        raise typer.Exit(1)


def _duration(sound: str | None) -> float:
    """Seconds of a sound file; infinite if unknown or without a file."""
    from perform.inputs.audio import SoundFile

    if sound is None:
        return math.inf
    file = SoundFile(sound)
    file.close()
    return file.duration or math.inf
