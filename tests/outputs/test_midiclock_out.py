"""MIDI clock out: exactly, on made-up times; and both ways through JACK between two processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from typing import TypeAlias

import mido
import numpy as np
import pytest

from perform.arrays import Doubles
from perform.clock import LiveClock, Tempo, stopwatch
from perform.midi import ports as midiports
from perform.midi.clock import PULSES, ClockSender, MidiClocks
from perform.outputs import midiclock as out
from perform.outputs.midiclock import MidiClockSender, PulseSchedule
from tests.doubles.jack_port import Port as JackPort
from tests.doubles.servers import Server
from tests.doubles.waiting import eventually, needs

JACK = "perform.inputs.midi.rtmidi/UNIX_JACK"


def played(tempi: list[tuple[float, Tempo]], until: float) -> list[tuple[float, str, int]]:
    """The messages of a grid that changes at certain times, with the waits of the thread."""
    machine, now, said = PulseSchedule(), 0.0, []
    while now < until:
        tempo = [tempo for since, tempo in tempi if since <= now][-1]
        said += [(now, *message) for message in machine.due(tempo, now)]
        now += max(machine.wait(tempo, now), 1e-6)
    return said


def clock_times(said: list[tuple[float, str, int]]) -> list[float]:
    return [time for time, kind, _ in said if kind == "clock"]


def test_pulses_are_on_the_grid_and_the_song_starts_with_a_bar() -> None:
    said = played([(0, Tempo(bpm=100, anchor_beat=-1.5))], 10.0)
    times = clock_times(said)
    assert len(times) == pytest.approx(10 * 100 / 60 * 24, abs=1)
    at = [time * 100 / 60 * 24 for time in times]
    assert max(abs(pulse - round(pulse)) for pulse in at) < 0.001
    (start,) = [index for index, (_, kind, _) in enumerate(said) if kind == "start"]
    assert said[start + 1][:2] == (pytest.approx(0.9, abs=1e-4), "clock")  # a beat and a half later


def test_a_new_tempo_and_a_glide_neither_lose_a_pulse_nor_jump() -> None:
    first = Tempo(bpm=120)
    faster = first.set(150, 4.0)
    gliding = faster.towards(8.0, faster.beat(8.0) + 0.4, 150, 1)
    said = played([(0, first), (4.0, faster), (8.0, gliding)], 12.0)
    assert {kind for _, kind, _ in said} == {"start", "clock"}
    times = clock_times(said)
    assert len(times) == pytest.approx(24 * gliding.beat(12.0), abs=1.5)
    gaps = [b - a for a, b in pairwise(times)]
    assert min(gaps) > 60 / (150 * 24 * 1.25) - 2e-4
    assert max(gaps) < 60 / (120 * 24) + 2e-4


def test_a_grid_that_jumps_sends_a_song_position() -> None:
    first = Tempo(bpm=120)
    said = played([(0, first), (4.1, first.resync(4.1)), (7.0, first.resync(4.1).tap(6.8).tap(7.3))], 12.0)
    kinds = [kind for _, kind, _ in said if kind != "clock"]
    assert kinds == ["start", "stop", "songpos", "continue", "stop", "songpos", "continue"]
    place = next(index for index, (_, kind, _) in enumerate(said) if kind == "songpos")
    time, _, position = said[place]
    assert position == round(first.resync(4.1).bar(time) * 16)
    assert first.resync(4.1).bar(time) * 16 == pytest.approx(position, abs=0.01)


def test_a_sent_clock_is_received_at_the_same_beat() -> None:
    tempo, sender = Tempo(bpm=93.5), ClockSender()
    for time, kind, position in played([(0, tempo)], 30.0):
        sender.receive(kind, time, position)
    bpm, beat, unit, playing, _ = sender.numbers(30.0)
    assert (unit, playing) == (4, 1)
    assert bpm == pytest.approx(93.5, abs=0.01)
    assert beat == pytest.approx(tempo.beat(30.0) % 4, abs=0.002)


CLOCK = """
import os, sys, threading, time, mido
bpm, beats = map(float, sys.argv[1:])
backend = mido.Backend("mido.backends.rtmidi/UNIX_JACK")
port = backend.open_output("clock", client_name="sequencer", virtual=True)
# a server that does not answer holds a sender for ever
watchdog = threading.Timer(beats * 60 / bpm + 20, os._exit, (1,))
watchdog.daemon = True
watchdog.start()
print("ready", flush=True)
sys.stdin.readline()
origin = time.perf_counter() + 0.05
print(repr(origin), flush=True)
port.send(mido.Message("start"))
for number in range(int(beats * 24)):
    time.sleep(max(origin + number * 60 / (bpm * 24) - time.perf_counter(), 0))
    port.send(mido.Message("clock"))
time.sleep(0.1)
print("sent", flush=True)
sys.stdin.readline()
"""
NAME = "perform-clock"  # not that of other tests, which may run at the same time


@contextmanager
def first_in_line() -> Iterator[None]:
    """Run with a higher priority than other programs, where that is allowed, and so do its processes."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


@pytest.fixture
def jack_of_64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """JACK with periods of 1.3 ms: what it carries waits for the next one."""
    needs("jackd", "jack_lsp")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", NAME)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    # a server that is not --sync drops what a client is late with
    options = ["--no-mlock", "--no-realtime", "--sync", "--timeout", "10000", "-n", NAME]
    server = Server(["jackd", *options, "-d", "dummy", "-r", "48000", "-p", "64"], ["jack_lsp"])
    with first_in_line():
        try:
            server.start()
            yield
        finally:
            JackPort.close_all()
            server.stop()


Arrivals: TypeAlias = list[tuple[float, str]]  # seconds, and the kind of message


def through_jack(bpm: float, beats: int) -> tuple[float, Arrivals]:
    """The clock of another process: when it began, and when each of its messages arrived."""
    backend, arrivals = mido.Backend(JACK), Arrivals()
    with subprocess.Popen(
        [sys.executable, "-c", CLOCK, str(bpm), str(beats)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as other:  # fmt: skip
        assert other.stdin and other.stdout
        assert other.stdout.readline() == "ready\n"
        name = next(name for name in backend.get_input_names() if "sequencer" in name)
        with closing(
            backend.open_input(name, callback=lambda message: arrivals.append((stopwatch(), message.type)))
        ):
            other.stdin.write("go\n")
            origin = float(other.stdout.readline())
            assert other.stdout.readline() == "sent\n"
            eventually(lambda: len(arrivals) > beats * PULSES, "every pulse")
        other.stdin.write("end\n")
    return origin, arrivals


def followed(origin: float, arrivals: Arrivals, bpm: float) -> tuple[Doubles, Doubles]:
    """The errors in seconds of the beat that follows a clock, and its tempo; after two beats."""
    clocks, events = MidiClocks(), []
    for time, kind in arrivals:
        clocks.receive("jack", kind, time)
        events += [(time, event.value) for event in clocks.take(time)]
    off = [((time - origin) * bpm / 60 - value[1] + 2) % 4 - 2 for time, value in events[PULSES:]]
    return np.array(off) * 60 / bpm, np.array([value[0] for _, value in events[PULSES:]])


SHORT = [(60, 3), (128, 5), (200, 6)]
LONG = [(bpm, bpm) for bpm in range(60, 201, 28)]  # a minute each, 18,720 pulses


@pytest.mark.parametrize(("bpm", "beats"), LONG if os.environ.get("PERFORM_SOAK") else SHORT)
def test_a_clock_passes_through_jack_between_two_processes(jack_of_64: None, bpm: float, beats: int) -> None:
    origin, arrivals = through_jack(bpm, beats)
    assert [kind for _, kind in arrivals] == ["start", *["clock"] * (beats * PULSES)]
    _, tempi = followed(origin, arrivals, bpm)
    assert np.median(tempi) == pytest.approx(bpm, rel=0.02)  # a busy machine delivers late


def test_a_received_clock_is_steadier_than_its_input() -> None:
    jitter = np.random.default_rng(0).uniform(-0.01, 0.01, 18 * PULSES)
    times = 0.05 + np.arange(len(jitter)) * 60 / (200 * PULSES) + jitter
    off, tempi = followed(0.05, [(0.0, "start"), *((float(time), "clock") for time in times)], 200)
    assert off.std() < jitter.std() / 3
    assert np.median(np.abs(tempi - 200)) < 0.5


Heard: TypeAlias = list[tuple[float, str, int]]


@contextmanager
def listening() -> Iterator[tuple[LiveClock, Heard]]:
    """A receiver of what is sent to the port `drums`."""
    clock = LiveClock()
    clock.advance()
    heard: Heard = []

    def hear(said: bytes) -> None:
        message = mido.Message.from_bytes(said)
        heard.append((clock.now(), message.type, getattr(message, "pos", 0)))

    port = JackPort("drums", hear)
    try:
        yield clock, heard
    finally:
        port.close()


class Port:
    """A port of rtmidi's that keeps what is sent, with its time."""

    def __init__(self, clock: LiveClock) -> None:
        self.sent: list[tuple[float, list[int]]] = []
        self._clock = clock

    def get_ports(self) -> list[str]:
        return ["Drums 1"]

    def delete(self) -> None:
        pass

    def open_port(self, number: int, name: str) -> None:
        pass

    def send_message(self, message: list[int]) -> None:
        self.sent.append((self._clock.now(), message))

    def close_port(self) -> None:
        pass


@pytest.mark.parametrize("fps", [5, 60])
def test_a_clock_is_sent_steadily_whatever_the_frame_rate(fps: int) -> None:
    tempo, grids = Tempo(bpm=200), []
    for frame in range(3 * fps):
        tempo = tempo.towards(frame / fps, tempo.beat(frame / fps), 200)  # a new grid in each frame
        grids.append((frame / fps, tempo))
    pulses = np.array(clock_times(played(grids, 3.0))) * 200 / 60 * 24
    late = (pulses + 1e-6) % 1 * 60 / (200 * 24)
    assert np.median(late) < 0.002
    assert np.diff(np.floor(pulses + 1e-6)).sum() == pytest.approx(len(pulses) - 1, abs=2)


def test_a_thread_sends_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = LiveClock()
    clock.advance()
    port = Port(clock)
    monkeypatch.setattr(midiports, "open_client", lambda direction, api, scans=False: port)
    unit = MidiClockSender("drums", lambda: Tempo(bpm=200), clock.now)
    eventually(lambda: [0xFA] in [message for _, message in port.sent], "the start of the song")
    unit.close()
    assert unit.fault == ""
    assert port.sent[-1][1] == [0xFC]


def test_a_port_that_fails_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Port):
        def send_message(self, message: list[int]) -> None:
            raise RuntimeError("unplugged")

    clock = LiveClock()
    clock.advance()
    ports = [Port(clock), Broken(clock), Port(clock)]  # the first one scans
    last = ports[-1]
    monkeypatch.setattr(midiports, "open_client", lambda direction, api, scans=False: ports.pop(0))
    monkeypatch.setattr(out, "SCAN_INTERVAL", 0.05)
    unit = MidiClockSender("drums", lambda: Tempo(bpm=200), clock.now)
    eventually(lambda: last.sent, "pulses of the second port")
    unit.close()


def test_a_port_can_appear_late_and_disappear(jack_of_64: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "SCAN_INTERVAL", 0.1)
    unit = MidiClockSender("drums", Tempo, stopwatch, api="UNIX_JACK")
    for _ in range(2):
        eventually(lambda: "no such port (there are" in unit.fault, "the fault")
        with listening() as (_clock, heard):
            eventually(lambda heard=heard: "start" in {kind for _, kind, _ in heard}, "the start")
            assert unit.fault == ""
    unit.close()


def test_without_its_port_the_health_is_waiting(jack_of_64: None) -> None:
    unit = MidiClockSender("no such port", Tempo, lambda: 0.0, api="UNIX_JACK")
    eventually(lambda: "no such port (there are" in unit.fault, "the fault")
    unit.close()
    unit.close()
