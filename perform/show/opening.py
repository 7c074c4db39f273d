"""Opens a show: from options to a rig that is ready to play."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perform import __version__, generators, paths
from perform.clock import LiveClock, OfflineClock, Tempo
from perform.documents import SceneError
from perform.faults import Faults, reason, steps
from perform.footage.opening import Opener
from perform.generators.compiler import Compiler
from perform.inputs import audio
from perform.inputs.camera import Cameras
from perform.inputs.feeds.live import Feeds
from perform.library import Library
from perform.networks import devices
from perform.outputs import Output, Screen, StateOutput
from perform.performance import Performance
from perform.performance.preview import Preview
from perform.render.context import describe, headless, is_software
from perform.render.limiter import FlashLimiter
from perform.render.passed import PassedShaders
from perform.render.present import Present
from perform.render.trials import Trials
from perform.rig import Learner, Rig
from perform.scenes.saved import SavedState, read_state
from perform.scenes.setlist import Setlist
from perform.show.devices import configure, open_inputs, recorders, senders, shared_outputs
from perform.show.edits import FileWatcher
from perform.show.files import find, names_file, open_library, read_show
from perform.show.operator import OperatorView
from perform.show.options import Options
from perform.show.screens import open_live, open_wall, open_window
from perform.show.state import StateKeeper, state_file
from perform.stage import Stage
from perform.stage.balance import Balance, scaled
from perform.stage.governor import Governor, Level, pinned
from perform.stage.pool import NICENESS, SHARED_NICENESS, ModelPool, PoolKey
from perform.stage.worker import ThreadedWorker, Worker

if TYPE_CHECKING:
    import moderngl

    from perform.learning.live import LiveLearning
    from perform.outputs.window import Window
    from perform.render.bridges import Bridges
    from perform.venue import Venue

log = logging.getLogger("perform")
FPS = 60.0  # frames a second live, at most
RENDER_FPS = 30.0
PREVIEW_FPS = 30.0  # frames a second of the preview, at most
SHARED_PREVIEW_FPS = 4.0  # of it where the processor draws
SWITCH_INTERVAL = 0.0005  # seconds that another thread may hold the interpreter


def load(file: Path, library: Library, before: Setlist | None = None) -> Setlist:
    """The setlist in a file, or that of a single scene, with its mappings. A preset of a setlist that is
    broken since `before` has the scene that it had there. Raises SceneError, OSError."""
    setlist = read_show(file, library, before)
    if faults := library.signal_faults(file, setlist.signal_names):
        raise SceneError([*faults, *setlist.faults])
    return replace(setlist, mappings=tuple(library.mappings(setlist.signal_names)))


def check_options(options: Options) -> None:
    """Raises what is wrong with the setlist, its models and the sound, before a device or a display opens."""
    library = open_library(options.setlist, options.model, options.venue)
    load(find(options.setlist, library), library)
    audio.check_sound(options.sound)


def play(options: Options, library: Library | None = None, loaded: Setlist | None = None) -> Rig:
    """A live show: devices, a live clock, and a window unless it is headless. `loaded` replaces the setlist
    that the options name. All that was given is checked before a device or the window opens."""
    library = library or open_library(options.setlist, options.model, options.venue)
    setlist = _pin_clock(loaded or load(find(options.setlist, library), library), options)
    audio.check_sound(options.sound)
    options = replace(options, link=options.link or setlist.lead == "link")
    steps.info("opening the picture and the sound")
    window = None if options.headless else open_window(options)
    context = window.context if window else headless(devices.cuda_device(options.device))
    levels = _levels(options, is_software(context))
    fps = levels[0].fps
    clock = LiveClock(fps)
    sys.setswitchinterval(SWITCH_INTERVAL)
    sound = audio.open_sound(options.sound, clock.now, loop=options.loop)
    clock.position = sound.position
    cameras = Cameras(clock.now, options.camera)
    stage, performance = _open_stage(options, library, setlist, context, levels[0].scale, cameras)
    profiles = library.profiles(log.error)
    inputs = open_inputs(options, clock, sound, cameras, profiles, lambda: performance.tempo.bpm)
    outputs = recorders(options, fps, sound, live=True)
    outputs += senders(options, clock, performance, profiles)
    outputs += shared_outputs(options, fps)
    outputs += [device for device in inputs if isinstance(device, StateOutput)]
    outputs += _state(options, find(options.setlist, library), performance)
    configure([*inputs, *outputs], library, setlist.signal_names, profiles)

    newest = setlist

    def read_again() -> Setlist:
        nonlocal newest
        newest = load(find(options.setlist, library), library, newest)  # perhaps a new copy of a shipped file
        configure([*inputs, *outputs], library, newest.signal_names, library.profiles(log.error))
        return _pin_clock(newest, options)

    learns = open_learner(options, library, performance, window.notify) if window and options.watch else None
    screens, learner = _screens(options, window, stage.faults, learns)
    own = {file.parent for file in (find(options.setlist, library), *setlist.files)}
    folders = [*library.watched(), *own] if options.watch else []
    rig = Rig(
        clock=clock,
        context=context,
        stage=stage,
        performance=performance,
        present=Present(context, options.size),
        inputs=inputs,
        screens=screens,
        outputs=outputs,
        sound=sound,
        learner=learner,
        edits=FileWatcher(folders, read_again) if options.watch else None,
        balance=Balance(Governor(levels), clock, stage, options.size) if len(levels) > 1 else None,
        gamma=options.gamma,
        limiter=_limiter(options, context, options.venue if window else None),
    )
    if window and options.venue and isinstance(window.presenter, OperatorView):
        window.presenter.watch(rig)
    return rig


def _screens(
    options: Options, window: Window | None, faults: Faults, learner: LiveLearning | None
) -> tuple[list[Screen], Learner | None]:
    """The window, and the displays of the venue; and the learner, after the editor of the displays."""
    venue = options.venue
    if window is None or venue is None or not venue.displays:
        return [window] if window else [], learner
    wall = open_wall(venue, window, options.size, faults)
    return [window, wall], open_live(venue, wall, window, faults, options.watch, learner)


def _levels(options: Options, software: bool) -> tuple[Level, ...]:
    """The levels among which the governor chooses, with what the options pin; one where a graphics card
    draws, or with `adapt` off."""
    if not software:
        return (Level(options.fps or FPS, options.scale or 1.0),)
    levels = pinned(options.fps, options.scale)
    return levels if options.adapt else levels[:1]


def render(options: Options) -> Rig:
    """The same show on an offline clock: a sound file, and every frame exact."""
    library = open_library(options.setlist, options.model, options.venue)
    setlist = _pin_clock(load(find(options.setlist, library), library), options)
    fps = options.fps or RENDER_FPS
    clock = OfflineClock(fps)
    steps.info("opening the picture and the sound")
    context = headless()
    sound = audio.open_sound(options.sound, clock.now, loop=False, play=False)
    stage, performance = _open_stage(options, library, setlist, context, options.scale or 1.0)
    feeds = library.feeds(setlist.signal_names)
    replayed = [feed for feed in feeds if feed.text.kind == "csv"]  # the others are live devices
    return Rig(
        clock=clock,
        context=context,
        stage=stage,
        performance=performance,
        present=Present(context, options.size),
        inputs=[sound, Feeds(replayed, clock.now)],
        outputs=recorders(options, fps, sound, live=False),
        sound=sound,
        gamma=options.gamma,
        limiter=_limiter(options, context),
    )


def _limiter(options: Options, context: moderngl.Context, venue: Venue | None = None) -> FlashLimiter | None:
    """The flash limiter, if the options want it; it knows what each display of a venue shows."""
    if options.flashes == "off":
        return None
    displays = venue.displays if venue else ()
    later, parts = any(one.delay for one in displays), [one.projection.part for one in displays]
    return FlashLimiter(context, options.flashes, later, parts)


def _pin_clock(setlist: Setlist, options: Options) -> Setlist:
    """The setlist with the clock that the options pin, if they pin one."""
    return replace(setlist, lead=options.clock or setlist.lead)


def _open_stage(
    options: Options,
    library: Library,
    setlist: Setlist,
    context: moderngl.Context,
    scale: float,
    cameras: Cameras | None = None,
) -> tuple[Stage, Performance]:
    """The stage with everything open that the setlist plays, and its performance; live shows have cameras."""
    live = cameras is not None
    software = live and is_software(context)
    compiler = Compiler() if live else None
    bridges = _bridges(options, context) if live else None

    def open_worker(key: PoolKey) -> Worker:
        network = generators.open(
            key.model,
            options.device,
            options.precision,
            bends=key.bends,
            blend=key.blend,
            extension=key.extension,
            compiler=compiler,
        )
        return ThreadedWorker(network, lambda: bool(bridges and bridges.direct)) if live else Worker(network)

    pool = ModelPool(
        open_worker,
        options.memory or devices.spare_memory(options.device),
        background=live,
        niceness=SHARED_NICENESS if software else NICENESS,
        break_off=compiler.close if compiler else lambda: None,
        bridges=bridges,
    )
    size = scaled(options.size, scale)
    trials = _trials(context, size) if live else None
    stage = Stage(library, context, size, pool, Opener(live, cameras), trials)
    performance = Performance(
        setlist,
        stage.open(setlist),
        Tempo(offset=options.offset),
        stage.over,
        stage.feedback,
        stage.copied,
        _preview(stage, software),
        stage.law,
        holds=software,
    )
    if compiler:
        compiler.begin()
    return stage, performance


def _bridges(options: Options, context: moderngl.Context) -> Bridges | None:
    """What takes pictures to textures where an NVIDIA card draws them; None elsewhere, or if none works."""
    if devices.cuda_device(options.device) is None:
        return None
    from perform.render.bridges.opening import open_bridges

    try:
        bridges = open_bridges(context)
    except Exception as error:  # noqa: BLE001 - the networks' threads copy their pictures then
        log.error("pictures do not stay on the graphics card: %s", reason(error))
        return None
    log.info("pictures take the bridge %s", bridges.best)
    return bridges


def _trials(context: moderngl.Context, size: tuple[int, int]) -> Trials:
    """The trials of shaders; those that have passed them with this driver are in the user's cache."""
    passed = PassedShaders(paths.user_cache() / "trials", __version__, size, describe(context))
    return Trials(size, paths.shipped(), known=passed)


def _preview(stage: Stage, software: bool) -> Preview:
    """The preview of the free deck: where the processor draws it is small, and seldom."""
    if software:
        return Preview(SHARED_PREVIEW_FPS, stage.shrink, stage.faults)
    return Preview(PREVIEW_FPS, faults=stage.faults)


def _state(options: Options, setlist: Path, performance: Performance) -> list[Output]:
    """The keeper of the show's state, if the options want it; with `resume` the show goes on from it."""
    file = state_file(setlist)
    if options.resume:
        try:
            _resume(performance, read_state(file))
            log.info("resumed from %s", file)
        except FileNotFoundError:
            log.warning("there is no saved state of %s to resume", options.setlist)
        except (OSError, SceneError) as error:
            log.error("the show begins anew: %s", reason(error))
    return [StateKeeper(file, performance.saved)] if options.keep_state else []


def _resume(performance: Performance, state: SavedState) -> None:
    """Go on from a state, and say what of it has no place in the show any more."""
    performance.restore(state)
    now = performance.saved()
    if now.scene != state.scene:
        log.warning("%s is in no cue any more: the show begins with %s", state.scene, now.scene)
    if state.standby is not None and now.standby_scene != state.standby_scene:
        log.warning("%s, which was loaded to come next, is in no cue any more", state.standby_scene)
    if gone := [address for address, parts in state.held.items() if now.held.get(address) != parts]:
        log.warning("what was held does not fit the show any more: %s", ", ".join(gone))


def open_learner(
    options: Options, library: Library, performance: Performance, notify: Callable[[str], None]
) -> LiveLearning:
    """Learns, by keys of the window, which control plays what; `notify` shows the operator a sentence."""
    from perform.learning.live import LiveLearning

    for kind in ("presets", "setlists"):
        with suppress(OSError):  # to be watched: copies of shipped files are saved there
            (paths.user_data() / kind).mkdir(parents=True, exist_ok=True)
    return LiveLearning(performance, notify, library, by_name=not names_file(options.setlist))
