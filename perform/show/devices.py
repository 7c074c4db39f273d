"""The devices of a show, opened from its options: inputs, senders, recordings."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterable, Sequence

from perform.clock import Clock
from perform.faults import reason
from perform.inputs import Input
from perform.inputs.audio import Sound
from perform.inputs.camera import Cameras
from perform.inputs.feeds.live import Feeds
from perform.inputs.hands import Hands
from perform.library import Library
from perform.midi.profiles import Profile
from perform.outputs import Output
from perform.performance import Performance
from perform.show.options import Options

log = logging.getLogger("perform")


def open_inputs(
    options: Options,
    clock: Clock,
    sound: Sound,
    cameras: Cameras,
    profiles: Sequence[Profile],
    bpm: Callable[[], float],
) -> list[Input]:
    """The inputs of a live show but those of its window; `bpm` gives the tempo to Link."""
    inputs: list[Input] = [sound, Feeds([], clock.now), *control_inputs(options, clock, profiles)]
    inputs += [Hands(cameras.camera, clock.now, options.view), cameras]
    if options.link:
        from perform.inputs import link

        inputs.append(link.Link(clock.now, bpm))
    return inputs


def control_inputs(options: Options, clock: Clock, profiles: Sequence[Profile]) -> list[Input]:
    """MIDI with its controllers' profiles, and OSC unless its port is 0 or cannot be opened."""
    from perform.inputs.midi import Midi
    from perform.inputs.osc import Osc

    inputs: list[Input] = [Midi([options.midi] if options.midi else None, clock.now, None, profiles)]
    if not options.osc_port:
        return inputs
    host, port = options.osc_host, options.osc_port
    token = os.environ.get("PERFORM_OSC_TOKEN", "")
    try:
        inputs.append(Osc(host, port, now=clock.now, feedback=options.osc_feedback, query=port, token=token))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        log.error(
            "%s%s", reason(error), f": --osc {host}:{port % 65535 + 1} is another port" if taken else ""
        )
    return inputs


def senders(
    options: Options, clock: Clock, performance: Performance, profiles: Sequence[Profile]
) -> list[Output]:
    """The MIDI outputs of a live show."""
    outputs: list[Output] = []
    if options.lights:
        from perform.outputs.lights import MidiLights

        outputs.append(MidiLights(profiles, options.midi))
    if options.clock_out:
        from perform.outputs.midiclock import MidiClockSender

        outputs.append(MidiClockSender(options.clock_out, lambda: performance.tempo, clock.now))
    return outputs


def shared_outputs(options: Options, fps: float) -> list[Output]:
    """What shares the picture with other programs."""
    if not options.shares:
        return []
    from perform.outputs.sharing import SharedOutput

    return [SharedOutput(share, options.size, fps) for share in options.shares]


def recorders(options: Options, fps: float, sound: Sound, live: bool) -> list[Output]:
    """The recorder, if the options name a file for it."""
    if not options.record:
        return []
    from perform.outputs.recorder import Recorder

    options.record.parent.mkdir(parents=True, exist_ok=True)
    rate = sound.rate if options.sound else None
    return [Recorder(options.record, options.size, fps, rate, live, options.codec, options.quality)]


def configure(
    devices: Iterable[Input | Output], library: Library, signals: frozenset[str], profiles: Sequence[Profile]
) -> None:
    """Give devices the feeds and profiles as they are saved now, and the signals that formulas use; also from
    the thread that reads edits."""
    from perform.inputs.midi import Midi
    from perform.outputs.lights import MidiLights

    for device in devices:
        match device:
            case Feeds():
                device.use(library.feeds(signals))
            case Midi():
                device.use(profiles, signals)
            case MidiLights():
                device.use(profiles)
            case Cameras() | Hands():
                device.use(signals)
