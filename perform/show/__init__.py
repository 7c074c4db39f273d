"""Shows: from what a person asks for to a rig that is ready to play it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from perform import generators, paths
from perform.catalogue import Library
from perform.clock import Clock, Lead, LiveClock, OfflineClock, Tempo
from perform.documents import SceneError, document
from perform.footage.opening import Opener
from perform.generators.compiler import Compiler
from perform.inputs import Input, audio
from perform.inputs.camera import Cameras, View
from perform.inputs.feeds.live import Feeds
from perform.inputs.hands import Hands
from perform.networks import Device, Precision
from perform.performance import Performance
from perform.render.context import headless, is_software
from perform.render.present import Present
from perform.render.readback import Readback
from perform.rig import Rig
from perform.scenes.scene import read
from perform.scenes.setlist import KEYS, Setlist, read_setlist, single
from perform.stage import Stage
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.worker import SynchronousWorker, ThreadedWorker, Worker

log = logging.getLogger("perform")
DEMO = "demo"  # the setlist that plays when none is named
FPS = 60.0  # frames a second live, at most
# Where the processor draws, it must leave time for the generator: fewer frames, and scenes at half size
# (a pass at 1280x720 is 10 to 15 ms of processor time, and a picture of 256² loses little).
SOFTWARE_FPS, SOFTWARE_SCALE = 31.0, 0.5
RENDER_FPS = 30.0
SWITCH = 0.0005  # seconds that a thread may keep the picture waiting for the interpreter


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks for. `setlist` is a setlist or a preset, by name or file; `sound` a file, a
    device, or None for silence; `size` is (width, height) in pixels. Scenes are
    drawn at `scale` (0.1..1) times that size and enlarged at the end. `fps` and `scale` None are what
    suits the machine. Beats are shown `offset` seconds early, mid-tones lighter for a `gamma` above 1."""

    setlist: str = DEMO
    sound: str | None = None
    size: tuple[int, int] = (1280, 720)
    fps: float | None = None
    scale: float | None = None
    offset: float = 0.0
    gamma: float = 1.0
    model: str | None = None
    precision: Precision = "auto"
    device: Device = "auto"
    record: Path | None = None
    headless: bool = False
    fullscreen: bool = False
    display: str | None = None
    midi: str | None = None
    lights: bool = True  # of controllers
    osc_port: int = 9000  # UDP, and TCP for queries; 0: none
    osc_host: str = "127.0.0.1"
    osc_feedback: tuple[tuple[str, int], ...] = ()  # who is told what changes, besides the last senders
    clock: Lead | None = None  # who leads the beat; what the setlist says
    link: bool = False
    clock_out: str | None = None  # a MIDI port
    camera: str = ""  # by name, number or path; the first
    view: View | None = None  # of the camera, for hands
    memory: float = 0.0  # bytes that all open models may take, 0: most of what is free
    loop: bool = True
    watch: bool = True
    keys: tuple[tuple[str, str], ...] = KEYS  # what the window's help lists

    def __post_init__(self) -> None:
        """Raises RuntimeError when Link is asked for and not installed."""
        from perform.inputs import link

        if (self.link or self.clock == "link") and not link.installed():
            raise RuntimeError(f"link: {link.not_installed()}")


def find(name: str, library: Library) -> Path:
    """The file of a setlist or a preset, by path or by name. Raises LookupError."""
    if name.endswith(".toml") or Path(name).is_file():
        if not Path(name).is_file():
            raise LookupError(f"{name}: there is no such file")
        return Path(name)
    try:
        return library.setlist_file(name)
    except LookupError:
        pass
    try:
        return library.preset_file(name)
    except LookupError as error:
        raise LookupError(f"{name}: {error}") from None


def load(file: Path, library: Library) -> Setlist:
    """A setlist from its file, or from a preset's (which has a generator or a source). Raises SceneError."""
    if {"generator", "source"} & document(file).keys():
        setlist = single(read(file, library))
    else:
        setlist = read_setlist(file, library, library.preset_file)
    try:
        setlist = replace(setlist, learned=tuple(library.learned(setlist.heard)))
        library.feeds(setlist.heard)
        library.controls(setlist.heard)
    except LookupError as error:
        raise SceneError([f"{file}: {error.args[0]}"]) from error
    return setlist


def play(options: Options, library: Library | None = None, loaded: Setlist | None = None) -> Rig:
    """A live show: devices, a live clock, and a window unless it is headless. `loaded` plays in place of
    the setlist that the options name."""
    library = library or Library(model=options.model)
    setlist = loaded or load(find(options.setlist, library), library)
    window = None
    if not options.headless:
        from perform.learning.live import ROWS
        from perform.outputs.window import Window

        rows = (*options.keys, *(ROWS if options.watch else ()))
        window = Window(options.size, "perform", options.fullscreen, options.display, rows)
    context = window.context if window else headless()
    software = is_software(context)
    fps = options.fps or (SOFTWARE_FPS if software else FPS)
    scale = options.scale or (SOFTWARE_SCALE if software else 1.0)
    clock = LiveClock(fps)
    sys.setswitchinterval(SWITCH)
    sound = audio.open(options.sound, clock.now, loop=options.loop)
    clock.position = sound.position
    cameras = Cameras(clock.now, options.camera)
    footage = Opener(beside=True, cameras=cameras)
    rig = _rig(
        options, library, setlist, clock, context, ThreadedWorker, scale, last=software, footage=footage
    )
    feeds = Feeds(library.feeds(setlist.heard), clock.now)
    hands = Hands(cameras.camera, clock.now, options.view)
    eyes = cameras, hands
    for eye in eyes:
        eye.use(setlist.heard)
    rig.screen, rig.sound = window, sound
    played = by_hand(options, clock, setlist.heard)
    rig.inputs = [sound, feeds, *played, hands, cameras, *_link(options, setlist, rig)]
    if options.lights:
        from perform.outputs.lights import Feedback

        rig.senders.append(Feedback(library.profiles(), options.midi))
    if options.clock_out:
        from perform.outputs.midiclock import ClockOut

        rig.senders.append(ClockOut(options.clock_out, lambda: rig.performance.tempo, clock.now))
    if options.record:
        _record(rig, options, fps)
    if window and options.watch:
        _learn(rig, window.say, options, library)
    if options.watch:
        _watch(rig, options, library, feeds, eyes)
    return rig


def render(options: Options) -> Rig:
    """The same show on an offline clock: a sound file, and every frame as it should be."""
    library = Library(model=options.model)
    setlist = load(find(options.setlist, library), library)
    fps = options.fps or RENDER_FPS
    clock = OfflineClock(fps)
    sound = audio.open(options.sound, clock.now, loop=False, play=False)
    rig = _rig(options, library, setlist, clock, headless(), SynchronousWorker, options.scale or 1.0)
    replayed = [feed for feed in library.feeds(setlist.heard) if feed.text.kind == "csv"]  # devices are live
    rig.sound, rig.inputs, rig.live = sound, [sound, Feeds(replayed, clock.now)], False
    if options.record:
        _record(rig, options, fps)
    return rig


def _rig(
    options: Options,
    library: Library,
    setlist: Setlist,
    clock: Clock,
    context: Any,
    worker: Callable[[generators.Generator], Worker],
    scale: float,
    last: bool = False,
    footage: Opener | None = None,
) -> Rig:
    compiler = Compiler() if worker is ThreadedWorker else None

    def opened(key: PoolKey) -> Worker:
        device, precision = options.device, options.precision
        return worker(generators.open(key.model, device, precision, 0, key.bends, key.blend, compiler))

    width, height = (max(round(side * scale), 1) for side in options.size)
    pool = ModelPool(
        opened,
        lambda key: generators.memory(key.model) * (2 if key.blend else 1),
        options.memory or generators.spare_memory(options.device),
        background=compiler is not None,
        last=last,
        break_off=compiler.close if compiler else lambda: None,
    )
    stage = Stage(library, context, (width, height), pool, footage)
    performance = Performance(setlist, stage.open(setlist), Tempo(offset=options.offset))
    if compiler:
        compiler.begin()
    performance.authority.clock = options.clock or setlist.clock
    return Rig(clock, context, stage, performance, Present(context, options.size), gamma=options.gamma)


def by_hand(options: Options, clock: Clock, heard: frozenset[str] = frozenset()) -> list[Input]:
    """Knobs and messages: MIDI and OSC, each of which may be missing. Formulas hear the signals `heard`."""
    from perform.inputs.midi import Midi
    from perform.inputs.osc import Osc

    profiles = Library().profiles(log.error)
    midi = Midi([options.midi] if options.midi else None, clock.now, None, profiles)
    midi.use(profiles, heard)
    inputs: list[Input] = [midi]
    if not options.osc_port:
        return inputs
    try:
        token = os.environ.get("PERFORM_OSC_TOKEN", "")
        where, told = (options.osc_host, options.osc_port), options.osc_feedback
        inputs.append(Osc(*where, now=clock.now, feedback=told, query=where[1], token=token))
    except OSError as error:
        log.error("osc: port %d: %s", options.osc_port, error)
    return inputs


def _link(options: Options, setlist: Setlist, rig: Rig) -> list[Input]:
    """Ableton Link, where it is asked for; what is not installed is its health."""
    from perform.inputs import link

    wanted = options.link or "link" in (options.clock, setlist.clock)
    return [link.Link(rig.clock.now, lambda: rig.performance.tempo.bpm)] if wanted else []


def _record(rig: Rig, options: Options, fps: float) -> None:
    from perform.outputs.recorder import Recorder

    assert options.record
    options.record.parent.mkdir(parents=True, exist_ok=True)
    rate = rig.sound.rate if rig.sound and options.sound else None
    rig.outputs.append(Recorder(options.record, options.size, fps, rate, live=rig.live))
    rig.readback = Readback(rig.context, options.size)


def _learn(rig: Rig, say: Callable[[str], None], options: Options, library: Library) -> None:
    """Keys of the window choose what the next control plays."""
    from perform.learning.live import Learner

    for kind in ("presets", "setlists"):
        with suppress(OSError):  # to be watched, copies of what is shipped come there
            (paths.user_data() / kind).mkdir(parents=True, exist_ok=True)
    by_name = not (options.setlist.endswith(".toml") or Path(options.setlist).is_file())
    beside = Library(*library.folders, model=options.model)
    rig.learner = Learner(rig.performance, say, beside, by_name)


def _name_controls(units: Sequence[object], library: Library, heard: frozenset[str]) -> None:
    """Take up profiles that were saved, and what formulas hear."""
    from perform.inputs.midi import Midi
    from perform.outputs.lights import Feedback

    profiles = library.profiles(log.error)
    for unit in units:
        if isinstance(unit, Midi):
            unit.use(profiles, heard)
        elif isinstance(unit, Feedback):
            unit.use(profiles)


def _watch(
    rig: Rig, options: Options, library: Library, feeds: Feeds, eyes: tuple[Cameras | Hands, ...]
) -> None:
    """Take up what is saved in the folders that the show was read from."""
    from watchfiles import watch

    changed, stop = threading.Event(), threading.Event()  # stop: set when the rig closes
    file = find(options.setlist, library)
    folders = {folder.resolve() for folder in (*library.watched(), file.parent)}

    def ours(_: object, path: str) -> bool:
        return path.endswith((".toml", ".fs", ".vs"))

    def listen() -> None:
        changes = watch(*folders, watch_filter=ours, stop_event=stop, debounce=50, step=20, recursive=False)
        try:
            for _changes in changes:
                changed.set()
        except (OSError, RuntimeError) as error:  # too many watches, or a folder that is gone
            log.error("edits are no longer taken up: %s", error)

    def taken() -> bool:
        if not changed.is_set():
            return False
        changed.clear()
        return True

    def again() -> Setlist:
        setlist = load(find(options.setlist, library), library)  # a copy of a shipped one may have come
        feeds.use(library.feeds(setlist.heard))
        _name_controls([*rig.inputs, *rig.senders], library, setlist.heard)
        for eye in eyes:
            eye.use(setlist.heard)
        return setlist

    threading.Thread(target=listen, name="watch", daemon=True).start()
    rig.changed, rig.reload, rig.unwatch = taken, again, stop.set


def demo_track() -> Path | None:
    """The demo track, None where it is not installed."""
    return next((file for file in sorted(paths.demo().glob("track.*")) if file.suffix != ".json"), None)


def sounding(audio: str | None) -> str | None:
    """The sound asked for, None for "none"; the demo track when nothing was."""
    if audio is not None:
        return None if audio == "none" else audio
    track = demo_track()
    return str(track) if track else None
