"""Opens a show: from what a person asks for to a rig that is ready to play it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perform import generators, paths
from perform.catalogue import Library
from perform.clock import Clock, LiveClock, OfflineClock, Tempo
from perform.documents import SceneError, document
from perform.footage.opening import Opener
from perform.generators.compiler import Compiler
from perform.inputs import Input, audio
from perform.inputs.audio import Sound
from perform.inputs.camera import Cameras
from perform.inputs.feeds.live import Feeds
from perform.inputs.hands import Hands
from perform.networks import devices
from perform.outputs import Output, StateOutput
from perform.performance import Performance
from perform.render.context import headless, is_software, of_window
from perform.render.present import Present
from perform.rig import Rig
from perform.scenes.reader import read_scene
from perform.scenes.setlist import Setlist, read_setlist, single
from perform.show.edits import Watch
from perform.show.options import Options
from perform.stage import Stage
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.worker import SynchronousWorker, ThreadedWorker, Worker

if TYPE_CHECKING:
    import moderngl

    from perform.learning.live import LiveLearning
    from perform.outputs.window import Window

log = logging.getLogger("perform")
FPS = 60.0  # frames a second live, at most
# Where the processor draws, it must leave time for the generator: fewer frames, and scenes at half size
# (a pass at 1280x720 is 10 to 15 ms of processor time, and a picture of 256² loses little).
SOFTWARE_FPS, SOFTWARE_SCALE = 31.0, 0.5
RENDER_FPS = 30.0
SWITCH = 0.0005  # seconds that a thread may keep the picture waiting for the interpreter


def is_file(name: str) -> bool:
    """Whether a setlist or a preset of that name is a file, not one found by name."""
    return name.endswith(".toml") or Path(name).is_file()


def find(name: str, library: Library) -> Path:
    """The file of a setlist or a preset, by path or by name. Raises LookupError."""
    if is_file(name):
        if not Path(name).is_file():
            raise LookupError(f"{name}: there is no such file")
        return Path(name)
    with suppress(LookupError):
        return library.setlist_file(name)
    try:
        return library.preset_file(name)
    except LookupError as error:
        raise LookupError(f"{name}: {error}") from None


def load(file: Path, library: Library) -> Setlist:
    """A setlist from its file, or from a preset's (which has a generator or a source). Raises SceneError."""
    if {"generator", "source"} & document(file).keys():
        setlist = single(read_scene(file, library))
    else:
        setlist = read_setlist(file, library, library.preset_file)
    try:
        setlist = replace(setlist, mappings=tuple(library.mappings(setlist.signal_names)))
        library.feeds(setlist.signal_names)
        library.controls(setlist.signal_names)
    except LookupError as error:
        raise SceneError([f"{file}: {error.args[0]}"]) from error
    return setlist


def play(options: Options, library: Library | None = None, loaded: Setlist | None = None) -> Rig:
    """A live show: devices, a live clock, and a window unless it is headless. `loaded` plays in place of
    the setlist that the options name."""
    library = library or Library(model=options.model)
    setlist = loaded or load(find(options.setlist, library), library)
    window = None if options.headless else _window(options)
    context = of_window() if window else headless()
    software = is_software(context)
    fps = options.fps or (SOFTWARE_FPS if software else FPS)
    scale = options.scale or (SOFTWARE_SCALE if software else 1.0)
    clock = LiveClock(fps)
    sys.setswitchinterval(SWITCH)
    sound = audio.open_sound(options.sound, clock.now, loop=options.loop)
    clock.position = sound.position
    cameras = Cameras(clock.now, options.camera)
    footage = Opener(background=True, cameras=cameras)
    stage, performance = _staged(options, library, setlist, context, ThreadedWorker, scale, software, footage)
    inputs = _inputs(options, library, setlist, clock, performance, sound, cameras)
    outputs = _outputs(options, library, clock, performance, _recorder(options, fps, sound, live=True))
    outputs += [device for device in inputs if isinstance(device, StateOutput)]

    def read_again() -> Setlist:
        edited = load(find(options.setlist, library), library)  # a copy of a shipped one may have come
        _use([*inputs, *outputs], library, edited.signal_names)
        return edited

    folders = [*library.watched(), find(options.setlist, library).parent] if options.watch else []
    return Rig(
        clock,
        context,
        stage,
        performance,
        Present(context, options.size),
        inputs,
        [window] if window else [],
        outputs,
        sound=sound,
        learner=learner(options, library, performance, window.notify) if window and options.watch else None,
        edits=Watch(folders, read_again) if options.watch else None,
        gamma=options.gamma,
    )


def render(options: Options) -> Rig:
    """The same show on an offline clock: a sound file, and every frame as it should be."""
    library = Library(model=options.model)
    setlist = load(find(options.setlist, library), library)
    fps = options.fps or RENDER_FPS
    clock = OfflineClock(fps)
    context = headless()
    sound = audio.open_sound(options.sound, clock.now, loop=False, play=False)
    stage, performance = _staged(options, library, setlist, context, SynchronousWorker, options.scale or 1.0)
    feeds = library.feeds(setlist.signal_names)
    replayed = [feed for feed in feeds if feed.text.kind == "csv"]  # devices are live
    return Rig(
        clock,
        context,
        stage,
        performance,
        Present(context, options.size),
        [sound, Feeds(replayed, clock.now)],
        outputs=_recorder(options, fps, sound, live=False),
        sound=sound,
        gamma=options.gamma,
    )


def _window(options: Options) -> Window:
    """The window, and its keys on the help."""
    from perform.learning.live import ROWS
    from perform.outputs.window import Window

    rows = (*options.keys, *(ROWS if options.watch else ()))
    return Window(options.size, of_window, "perform", options.fullscreen, options.display, rows)


def _staged(
    options: Options,
    library: Library,
    setlist: Setlist,
    context: moderngl.Context,
    worker: Callable[[generators.Generator], Worker],
    scale: float,
    last: bool = False,
    footage: Opener | None = None,
) -> tuple[Stage, Performance]:
    """The stage with everything open that the setlist plays, and its performance."""
    compiler = Compiler() if worker is ThreadedWorker else None

    def opened(key: PoolKey) -> Worker:
        device, precision = options.device, options.precision
        return worker(generators.open(key.model, device, precision, 0, key.bends, key.blend, compiler))

    width, height = (max(round(side * scale), 1) for side in options.size)
    pool = ModelPool(
        opened,
        options.memory or devices.spare_memory(options.device),
        background=compiler is not None,
        idle=last,
        break_off=compiler.close if compiler else lambda: None,
    )
    stage = Stage(library, context, (width, height), pool, footage)
    performance = Performance(setlist, stage.open(setlist), Tempo(offset=options.offset))
    if compiler:
        compiler.begin()
    performance.authority.clock = options.clock or setlist.clock
    return stage, performance


def _inputs(
    options: Options,
    library: Library,
    setlist: Setlist,
    clock: Clock,
    performance: Performance,
    sound: Sound,
    cameras: Cameras,
) -> list[Input]:
    """Every input of a live show. A device that is not there reports so by its health."""
    feeds = Feeds(library.feeds(setlist.signal_names), clock.now)
    hands = Hands(cameras.camera, clock.now, options.view)
    cameras.use(setlist.signal_names)
    hands.use(setlist.signal_names)
    inputs: list[Input] = [
        sound,
        feeds,
        *by_hand(options, clock, library, setlist.signal_names),
        hands,
        cameras,
    ]
    if options.link or "link" in (options.clock, setlist.clock):
        from perform.inputs import link

        inputs.append(link.Link(clock.now, lambda: performance.tempo.bpm))
    return inputs


def by_hand(
    options: Options, clock: Clock, library: Library, heard: frozenset[str] = frozenset()
) -> list[Input]:
    """Knobs and messages: MIDI and OSC, each of which may be missing. Formulas hear the signals `heard`."""
    from perform.inputs.midi import Midi
    from perform.inputs.osc import Osc

    profiles = library.profiles(log.error)
    midi = Midi([options.midi] if options.midi else None, clock.now, None, profiles)
    midi.use(profiles, heard)
    inputs: list[Input] = [midi]
    if not options.osc_port:
        return inputs
    host, port = options.osc_host, options.osc_port
    token = os.environ.get("PERFORM_OSC_TOKEN", "")
    try:
        inputs.append(Osc(host, port, now=clock.now, feedback=options.osc_feedback, query=port, token=token))
    except OSError as error:
        log.error("osc: port %d: %s", port, error)
    return inputs


def _outputs(
    options: Options, library: Library, clock: Clock, performance: Performance, recorder: list[Output]
) -> list[Output]:
    """Every outgoing device of a live show but the screens; OSC is an input that is one of them, too."""
    outputs = list(recorder)
    if options.lights:
        from perform.outputs.lights import MidiLights

        outputs.append(MidiLights(library.profiles(), options.midi))
    if options.clock_out:
        from perform.outputs.midiclock import MidiClockSender

        outputs.append(MidiClockSender(options.clock_out, lambda: performance.tempo, clock.now))
    return outputs


def _recorder(options: Options, fps: float, sound: Sound, live: bool) -> list[Output]:
    """The recorder, if a recording is asked for."""
    if not options.record:
        return []
    from perform.outputs.recorder import Recorder

    options.record.parent.mkdir(parents=True, exist_ok=True)
    return [Recorder(options.record, options.size, fps, sound.rate if options.sound else None, live)]


def learner(
    options: Options, library: Library, performance: Performance, say: Callable[[str], None]
) -> LiveLearning:
    """Learns by keys of the window which control plays what; `say` shows a sentence to the operator."""
    from perform.learning.live import LiveLearning

    for kind in ("presets", "setlists"):
        with suppress(OSError):  # to be watched: copies of what is shipped come there
            (paths.user_data() / kind).mkdir(parents=True, exist_ok=True)
    own = Library(*library.folders, model=options.model)  # it reads files on another thread
    return LiveLearning(performance, say, own, by_name=not is_file(options.setlist))


def _use(devices: Iterable[object], library: Library, heard: frozenset[str]) -> None:
    """Have devices use the feeds and profiles that are saved now, and hear the signals `heard`."""
    from perform.inputs.midi import Midi
    from perform.outputs.lights import MidiLights

    profiles = library.profiles(log.error)
    for device in devices:
        match device:
            case Feeds():
                device.use(library.feeds(heard))
            case Midi():
                device.use(profiles, heard)
            case MidiLights():
                device.use(profiles)
            case Cameras() | Hands():
                device.use(heard)
