"""The command `perform play`: a live show with its dashboard."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from perform import paths
from perform.clock import Lead
from perform.commands.render import (
    FlashLimit,
    SceneOption,
    expected_frames,
    render_show,
    report_end,
    show_and_sound,
    show_options,
)
from perform.parameters import choice, place_of
from perform.paths import claimed, quoted
from perform.sharing import share_of
from perform.terminal import (
    REGION_HELP,
    FilmCodec,
    FilmQuality,
    MidiPort,
    Mirror,
    NetworkDevice,
    NetworkPrecision,
    OscAddress,
    PictureSize,
    PlayedModel,
    SceneScale,
    StopAfter,
    attended,
    complaints,
    err,
    in_panel,
    one_of,
    opening,
    program,
    say,
    show_names,
    venue_names,
)

if TYPE_CHECKING:
    from perform.rig import Rig
    from perform.show import Options
    from perform.venue import Venue

FIRST_SECONDS = 20.0  # of a show that becomes a film because there is no display
WHOLE_OPTIONS = (
    "size",
    "fps",
    "scale",
    "codec",
    "quality",
    "model",
    "precision",
    "device",
    "flashes",
)  # they change the film

PANELS = {  # of options that are not listed first
    "Venue": (
        "size", "fps", "scale", "adapt", "fullscreen", "display", "midi", "lights", "clock_out", "osc",
        "osc_feedback", "clock", "link", "camera", "region", "mirror", "offset", "gamma", "flashes", "share",
        "device", "precision", "memory",
    ),
    "Recording": ("codec", "quality", "film"),
}  # fmt: skip

VenueName = Annotated[
    str | None,
    typer.Option(
        help="A venue, by name or file: displays and devices of a place. (default: venue.toml of a project)",
        autocompletion=venue_names,
    ),
]
DisplayName = Annotated[
    str | None, typer.Option(help="The display for the window, by name; `perform devices` lists them.")
]
ModelMemory = Annotated[
    float | None,
    typer.Option(
        min=0.1, max=1e6, help="Most memory for open models, in GiB. (default: most of the free memory)"
    ),
]
AudioSource = Annotated[
    str | None,
    typer.Option(help="A sound file, a sound device by name, or none. (default: the demo track)"),
]
MostFrames = Annotated[
    float | None,
    typer.Option(min=1, max=240, help="Frames a second at most. (default: 60; with software GL 31 to 26)"),
]
Adapt = Annotated[
    bool,
    typer.Option(
        help="Where the processor draws: lower the scenes' size and the frame rate while it is busy. "
        "--fps and --scale pin them."
    ),
]
OscFeedback = Annotated[
    list[str] | None,
    typer.Option(help="Send changes to this HOST:PORT over OSC. You can give it several times."),
]
CLOCK_LEADS: tuple[str, ...] = get_args(Lead)
ClockLead = Annotated[
    str | None,
    typer.Option(
        help=f"The clock that leads the beat: {', '.join(CLOCK_LEADS)}. (default: the setlist's clock)",
        autocompletion=one_of(*CLOCK_LEADS),
    ),
]
JoinLink = Annotated[bool, typer.Option(help="Join the Ableton Link session of this network.")]
CameraName = Annotated[
    str,
    typer.Option(
        help="The camera that sees hands: its name, number or path, or ndi:NAME. (default: the first)"
    ),
]
BeatOffset = Annotated[
    int,
    typer.Option(min=-200, max=200, help="Show beats this many milliseconds earlier, for a slow projector."),
]

SharedWith = Annotated[
    list[str] | None,
    typer.Option(
        help="Share the picture with other programs: ndi:NAME (on the network), v4l2:/dev/video10, "
        "spout:NAME or syphon:NAME. You can give it several times."
    ),
]
ShowArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SHOW",
        autocompletion=show_names,
        help="A setlist or a preset, by name or file; with --scene SHOW, the sound. (default: demo)",
    ),
]
RecordingFile = Annotated[
    Path | None,
    typer.Option(
        help="Record to this .mp4, .mov or .mkv; if it is there already, with a number: show-2.mp4."
    ),
]
FilmInstead = Annotated[
    bool, typer.Option("--film", help="Without a display make a video, even without a terminal.")
]
Fullscreen = Annotated[bool, typer.Option(help="Show the picture in full screen.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the cue and the held values of the last run.")
]
Gamma = Annotated[float, typer.Option(min=0.3, max=3, help="Brightness of mid-tones: above 1 is lighter.")]
NO_DISPLAY = (
    "there is no display (a window needs DISPLAY or WAYLAND_DISPLAY): --headless plays without a window, "
    "and perform render SOUND --scene {show} --out FILE.mp4 makes a video"
)


def play(
    context: typer.Context,
    what: ShowArgument = None,
    scene: SceneOption = None,
    audio: AudioSource = None,
    venue: VenueName = None,
    headless: Annotated[bool, typer.Option(help="Play without a window.")] = False,
    film: FilmInstead = False,
    size: PictureSize = "1280x720",
    fps: MostFrames = None,
    scale: SceneScale = None,
    adapt: Adapt = True,
    seconds: StopAfter = None,
    record: RecordingFile = None,
    share: SharedWith = None,
    codec: FilmCodec = "h264",
    quality: FilmQuality = None,
    model: PlayedModel = None,
    precision: NetworkPrecision = "auto",
    device: NetworkDevice = "auto",
    fullscreen: Fullscreen = False,
    display: DisplayName = None,
    midi: MidiPort = None,
    lights: Annotated[bool, typer.Option(help="Show scenes and values on lights of controllers.")] = True,
    osc: OscAddress = "9000",
    osc_feedback: OscFeedback = None,
    clock: ClockLead = None,
    link: JoinLink = False,
    clock_out: Annotated[str | None, typer.Option(help="Send MIDI clock to this MIDI port.")] = None,
    camera: CameraName = "",
    region: Annotated[str, typer.Option(help=REGION_HELP)] = "0,0,1,1",
    mirror: Mirror = True,
    offset: BeatOffset = 0,
    gamma: Gamma = 1.0,
    flashes: FlashLimit = "off",
    resume: Resume = False,
    once: Annotated[bool, typer.Option(help="Stop at the end of the sound; do not loop it.")] = False,
    memory: ModelMemory = None,
) -> None:
    """Play a show live. Where there is a terminal but no display, it is rendered to a video instead."""
    with complaints():
        with opening("loading the program"):
            import perform.show  # noqa: F401 - what takes seconds is loaded here
        _play(_options(context), context)


for _panel, _names in PANELS.items():
    in_panel(play, _panel, _names)


def _options(context: typer.Context) -> Options:
    """The options of the show; those that were not given are those of its venue."""
    from perform import show
    from perform.inputs.camera import View, region_of

    given = context.params
    setlist, sound = show_and_sound(given["what"], given["scene"], given["audio"])
    venue = show.venue_of(setlist, given["venue"])
    if venue:
        _take_venue(context, venue)
    osc, lead = place_of(given["osc"]), given["clock"]
    return show_options(
        context,
        setlist=setlist,
        sound=show.sound_option(given["audio"] if sound is None else sound),
        venue=venue,
        osc_host=osc[0],
        osc_port=osc[1],
        osc_feedback=tuple(place_of(one, "osc-feedback") for one in given["osc_feedback"] or []),
        clock=None if lead is None else choice("clock", lead, CLOCK_LEADS),
        shares=tuple(map(share_of, given["share"] or [])),
        view=View(region_of(given["region"]), given["mirror"], lift=True),
        loop=not given["once"],
        keep_state=True,
        offset=given["offset"] / 1000,
        memory=2**30 * (given["memory"] or 0.0),
    )


def _take_venue(context: typer.Context, venue: Venue) -> None:
    """Take what a venue sets in place of the options that were not given. ValueError for an option that a
    venue with displays leaves no place for."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = {name for name, source in sources.items() if source and source.name != "DEFAULT"}
    for name in ("fullscreen", "display"):
        if name in given and venue.displays:
            raise ValueError(f"--{name}: {venue.file} has the displays; --venue none plays without it")
    context.params.update({name: value for name, value in venue.options.items() if name not in given})


def _play(options: Options, context: typer.Context) -> None:
    """Play the show, or make a video of it where there is no display; under a name that is free."""
    from perform import show
    from perform.outputs.codecs import CODECS

    live, record, seconds = options.headless or _has_display(), options.record, context.params["seconds"]
    if not live:
        if options.resume:
            raise ValueError("--resume needs a live show, and there is no display: add --headless")
        if options.shares:
            raise ValueError("--share needs a live show, and there is no display: add --headless")
        show.check_options(options)
    if not live and not context.params["film"] and not attended():
        raise RuntimeError(NO_DISPLAY.format(show=quoted(options.setlist)))
    if record is None and not live:
        record = paths.output() / (Path(options.setlist).stem + CODECS[options.codec].suffixes[0])
    with claimed(record) if record else nullcontext() as file:
        options = replace(options, record=file)
        if live:
            _live(options, seconds)
        else:
            _film(options, seconds, context)


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _live(options: Options, seconds: float | None) -> None:
    """A live show with its dashboard, until the time is over, the window is closed, or a signal comes."""
    from perform import show
    from perform.commands.dashboard import run_with_dashboard

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # until there is a show to end
    with opening(f"reading {options.setlist}"):
        rig = show.play(options)

    def finished(playing: Rig) -> bool:
        return not options.loop and playing.sound is not None and playing.sound.finished

    run_with_dashboard(rig, seconds, finished, options.record)
    report_end(rig, options)


def _film(options: Options, seconds: float | None, context: typer.Context) -> None:
    """No display: the show is rendered to a video instead, without `seconds` only its beginning."""
    from perform import show

    fps = options.fps or show.RENDER_FPS
    part = seconds is None and expected_frames(options.sound, fps) > FIRST_SECONDS * fps
    what = f"the first {FIRST_SECONDS:g} seconds of {options.setlist}" if part else options.setlist
    err.print(
        f"no display here: rendering {what} to {options.record} "
        "(a window needs DISPLAY or WAYLAND_DISPLAY)",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    render_show(
        replace(options, headless=True, fps=fps),
        FIRST_SECONDS if part else seconds,
    )
    if part and options.sound and options.record:
        say(f"for all of it: {_whole(options, options.record, context)}")


def _whole(options: Options, film: Path, context: typer.Context) -> str:
    """The command that renders the whole show, with the options that were given for its beginning."""
    words = [options.sound or "", "--scene", options.setlist, "--out", film.with_stem(f"{film.stem}-whole")]
    for option in context.command.params:
        value = context.params.get(option.name or "")
        if option.name in WHOLE_OPTIONS and value != option.default:
            words += [option.opts[0], value]
    return f"{program()} render {shlex.join(map(str, words))}"
