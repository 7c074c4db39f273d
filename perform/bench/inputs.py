"""From an event to the parameter that it plays, for each input; and a flood while the demo set plays.

Each input is played by a process of its own, at uneven intervals, into a show of one small shader at 60
frames/s with everything else of a live show in place. An event counts from when it is sent to when a unit is
handed its parameter; so a wait for the next frame, between none and 17 ms, is in every figure. MIDI comes
over a loopback port in place of a driver (with JACK its period is to be added), keys and the mouse by the X
server's test extension, a page from when it is answered. `unseen` are events after which the next came
before a frame did: the newest wins.

The flood is 10,000 OSC and 3,000 MIDI messages a second. `flood_late_frames` are later than twice the median,
and beside them those of the same set in quiet.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from perform import children, paths, show
from perform.bench import Figure, duration_figures, percentiles, resident, running, senders, wire
from perform.bench.shows import LIVE_RATE, WARM_UP_SECONDS, demo_show, display, late_frames, play_for
from perform.clock import Moment, stopwatch
from perform.inputs.midi import Midi
from perform.inputs.osc import Osc
from perform.library import Library
from perform.networks import Device
from perform.parameters import Parameter, Values
from perform.performance.scene import LatentSource
from perform.render import Image, Unit
from perform.rig import Rig, freeze_gc
from perform.threads import Background

SENDERS_CODE = "import sys; from perform.bench.senders import main; main(*sys.argv[1:])"
LATENCY_GOAL = 1000 / LIVE_RATE + 2  # ms
WINDOW_SIDE = 128  # pixels of the window
EVENT_SECONDS = 0.05  # seconds that an event takes on average
INPUT_SECONDS, FLOOD_SECONDS = 8.0, 20.0  # for each input, and for the flood
HELLO_TIMEOUT = 20.0  # seconds until an input is there
VALUE_TOLERANCE = 0.005  # of a parameter's value
INPUT_SIGNALS = {
    "osc": 'osc["/bench"]',
    "midi": "midi.cc16",
    "key": "key.a",
    "mouse": "mouse.x",
    **{kind: f"feed.{kind}" for kind in ("serial", "http", "mqtt", "artnet", "sacn")},
}
INPUT = '{{"NAME": "{0}", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}}'
SHADER = '/*{{"ISFVSN": "2", "INPUTS": [{0}]}}*/\nvoid main() {{ gl_FragColor = vec4(vec3({1}), 1.0); }}\n'


@dataclass(slots=True)
class Probe:
    """Notes what a unit is handed, and when; then lets it draw."""

    unit: Unit
    parameters: tuple[Parameter, ...]
    noted: list[tuple[float, Values]] = field(default_factory=list)

    def render(self, moment: Moment, values: Values, *images: Image) -> Image:
        """The unit's image."""
        self.noted.append((stopwatch(), values))
        return self.unit.render(moment, values, *images)

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size."""
        self.unit.resize(size)

    def release(self) -> None:
        """Release the unit."""
        self.unit.release()


def inputs_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Every input for `seconds`, then the flood for as long; the latencies need no model."""
    count = max(int((seconds or INPUT_SECONDS) / EVENT_SECONDS), 5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        windowed = stack.enter_context(display(WINDOW_SIDE, WINDOW_SIDE))
        rig, places = input_show(folder, windowed)
        stack.callback(rig.close)
        scene = rig.performance.cues[0].scene
        [layer] = scene.layers
        assert not isinstance(layer.source, LatentSource)
        probe = Probe(layer.source, layer.source.parameters)
        scene.layers = [replace(layer, source=probe)]
        for kind in INPUT_SIGNALS:
            if kind in ("key", "mouse") and not windowed:
                yield Figure(f"{kind}_ms_p99", float("nan"), "ms", LATENCY_GOAL, None, "no display, nor Xvfb")
            else:
                yield from input_latency_figures(kind, latencies(rig, probe, kind, places[kind], count))
    yield from flooded(seconds or FLOOD_SECONDS, model, device)


def input_latency_figures(kind: str, found: list[float | None] | None) -> Iterator[Figure]:
    """The figures of what `latencies` found."""
    if found is None:
        yield Figure(f"{kind}_ms_p99", float("nan"), "ms", LATENCY_GOAL, None, "it was not heard")
        return
    milliseconds = (1000 * one for one in found if one is not None)
    yield from duration_figures(f"{kind}_ms", milliseconds, goal=LATENCY_GOAL)
    yield Figure(f"{kind}_unseen", sum(one is None for one in found), "events")


def latencies(rig: Rig, probe: Probe, kind: str, place: str, count: int) -> list[float | None] | None:
    """Seconds from each event to its parameter, None where it never came; None in all when nothing did."""
    command = children.command(SENDERS_CODE, kind, place, str(count))
    sent: list[tuple[float, float]] = []
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdin is not None and sender.stdout is not None
        lines = sender.stdout
        reader = Background(lambda _closing: sent.extend(_sent_value(line) for line in lines), "sent values")
        ends = stopwatch() + HELLO_TIMEOUT
        while abs(_value(probe, kind) - senders.HELLO) > VALUE_TOLERANCE:
            if stopwatch() > ends or sender.poll() is not None:
                return None
            rig.frame()
        probe.noted.clear()
        sender.stdin.write("\n")
        sender.stdin.close()
        while sender.poll() is None:
            rig.frame()
        reader.close()
        return answers(kind, sent, probe.noted)


def _sent_value(line: str) -> tuple[float, float]:
    time, value = line.split()
    return float(time), float(value)


def _value(probe: Probe, kind: str) -> float:
    return float(probe.noted[-1][1][kind]) if probe.noted else -1.0


def answers(
    kind: str, sent: list[tuple[float, float]], noted: list[tuple[float, Values]]
) -> list[float | None]:
    """For each value that was sent, the time until the first frame that has it, before the next is sent."""
    ends = [time for time, _ in sent[1:]] + [float("inf")]
    found: list[float | None] = []
    for (time, value), end in zip(sent, ends, strict=True):
        after = (
            when - time
            for when, values in noted
            if time < when < end + EVENT_SECONDS and abs(float(values[kind]) - value) < VALUE_TOLERANCE
        )
        found.append(next(after, None))
    return found


def input_show(folder: Path, windowed: bool) -> tuple[Rig, dict[str, str]]:
    """A live show that hears every input, and where each is to be played."""
    port = {name: str(_free_port()) for name in ("midi", "http", "mqtt", "artnet", "sacn")}
    places = port | {"serial": str(folder / "tty"), "key": str(WINDOW_SIDE), "mouse": str(WINDOW_SIDE)}
    feeds = {
        "serial": f'device = "{folder / "tty"}"',
        "http": f'url = "http://127.0.0.1:{port["http"]}/"\nevery = 0.1',
        "mqtt": f'topic = "bench"\nport = {port["mqtt"]}',
        "artnet": f'value = "1"\nport = {port["artnet"]}',
        "sacn": f'value = "1"\nport = {port["sacn"]}',
    }
    for name in ("feeds", "shaders/generators", "presets"):
        (folder / name).mkdir(parents=True)
    for kind, text in feeds.items():
        (folder / "feeds" / f"{kind}.toml").write_text(f'kind = "{kind}"\nlow = 0.0\nhigh = 1.0\n{text}\n')
    inputs = ", ".join(INPUT.format(kind) for kind in INPUT_SIGNALS)
    (folder / "shaders/generators/bench.fs").write_text(SHADER.format(inputs, " + ".join(INPUT_SIGNALS)))
    played = "\n".join(f"{kind} = '{signal}'" for kind, signal in INPUT_SIGNALS.items())
    preset = folder / "presets" / "bench.toml"
    preset.write_text(f'title = "Bench"\n[generator]\nshader = "bench"\n{played}\n')
    options = show.Options(str(preset), size=(WINDOW_SIDE, WINDOW_SIDE), fps=LIVE_RATE, scale=1.0)
    options = replace(options, headless=not windowed, osc_port=0, watch=False)
    rig = show.play(options, Library(folder, paths.shipped()))
    freeze_gc()
    heard = _listening(rig, port["midi"])
    return rig, places | {"osc": str(heard.port)}


def _listening(rig: Rig, wired: str) -> Osc:
    """OSC at a free port, and MIDI over the wire."""
    os.environ[wire.VARIABLE] = wired
    heard = Osc(port=0, now=rig.clock.now)
    rig.inputs += [heard, Midi(None, rig.clock.now, "perform.bench.wire")]
    return heard


def flooded(seconds: float, model: str | None, device: Device) -> Iterator[Figure]:
    """The demo set in quiet, then under the flood."""
    rig = demo_show(size=(640, 360), model=model, device=device)
    try:
        wired = str(_free_port())
        heard = _listening(rig, wired)
        _frame_figures(rig, WARM_UP_SECONDS)
        late, _, longest = _frame_figures(rig, seconds)
        yield Figure("quiet_frame_ms_p99", 1000 * longest, "ms")
        yield Figure("quiet_late_frames", late, "frames")
        yield from flood_figures(rig, heard, wired, seconds)
    finally:
        rig.close()


def flood_figures(rig: Rig, heard: Osc, wired: str, seconds: float) -> Iterator[Figure]:
    """Play under a flood of OSC to `heard` and of MIDI over the wire."""
    before, received, counted, lost = resident(), _received(heard), wire.heard[0], heard.receiver.lost
    places = {"osc": str(heard.port), "midi": wired}
    with ExitStack() as stack:
        floods = {}
        for kind, place in places.items():
            command = children.command(SENDERS_CODE, f"flood-{kind}", place, str(seconds))
            floods[kind] = stack.enter_context(running(command, stdout=subprocess.PIPE))
        late, median, longest = _frame_figures(rig, seconds)
        while any(flood.poll() is None for flood in floods.values()):
            rig.frame()
        _frame_figures(rig, 1.0)
        reports = {kind: json.loads(flood.communicate()[0]) for kind, flood in floods.items()}
    yield Figure("flood_frame_ms_p50", 1000 * median, "ms")
    yield Figure("flood_frame_ms_p99", 1000 * longest, "ms")
    yield Figure.at_most("flood_late_frames", late, "frames", 0.0)
    yield Figure.at_most("flood_memory_growth_mib", resident() - before, "MiB", 8.0)
    yield Figure("flood_osc_dropped", heard.receiver.lost - lost, "messages")
    for kind, came in (("osc", _received(heard) - received), ("midi", wire.heard[0] - counted)):
        sent = reports[kind]["sent"]
        yield Figure.at_least(f"flood_{kind}_rate", sent / seconds, "messages/s", 0.98 * FLOOD_RATES[kind])
        yield Figure.at_most(f"flood_{kind}_uncounted", sent - came, "messages", 0.0)
        yield Figure.at_most(f"flood_{kind}_stale", _stale(rig, kind, reports[kind]["last"]), "signals", 0.0)


FLOOD_RATES = {"osc": senders.OSC_RATE, "midi": senders.MIDI_RATE}


def _received(heard: Osc) -> int:
    """Packets that came, with those that the system reported as dropped."""
    return heard.receiver.received + heard.receiver.overrun


def _stale(rig: Rig, kind: str, last: Mapping[str, float]) -> int:
    """How many signals are not what was sent last."""
    signals = rig.performance.signals
    names = {name: f'osc["/flood/{name}"]' if kind == "osc" else f"midi.cc{name}" for name in last}
    return sum(
        abs(signals.number(names[name], -1.0) - value) > VALUE_TOLERANCE for name, value in last.items()
    )


def _frame_figures(rig: Rig, seconds: float) -> tuple[int, float, float]:
    """Play for so long; how many frames were late, and the median and the 99th percentile in seconds."""
    rig.timings.frames.clear()
    play_for(rig, seconds)
    median, _, longest = percentiles(rig.timings.frames)
    return late_frames(rig.timings.frames), median, longest


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
