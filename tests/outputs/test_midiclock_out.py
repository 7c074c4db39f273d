"""MIDI clock out: exactly, on made-up times; and both ways through JACK between two processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from typing import Any, TypeAlias

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
    """What a grid that changes at certain times says, waited for as the thread does."""
    machine, now, said = PulseSchedule(), 0.0, []
    while now < until:
        tempo = [tempo for since, tempo in tempi if since <= now][-1]
        said += [(now, *message) for message in machine.due(tempo, now)]
        now += max(machine.wait(tempo, now), 1e-6)
    return said


def clock_times(said: list[tuple[float, str, int]]) -> list[float]:
    return [time for time, kind, _ in said if kind == "clock"]


def test_pulses_fall_on_the_grid_and_the_song_starts_with_a_bar() -> None:
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


def test_a_grid_that_jumps_is_located_anew() -> None:
    first = Tempo(bpm=120)
    said = played([(0, first), (4.1, first.resync(4.1)), (7.0, first.resync(4.1).tap(6.8).tap(7.3))], 12.0)
    kinds = [kind for _, kind, _ in said if kind != "clock"]
    assert kinds == ["start", "stop", "songpos", "continue", "stop", "songpos", "continue"]
    place = next(index for index, (_, kind, _) in enumerate(said) if kind == "songpos")
    time, _, position = said[place]
    assert position == round(first.resync(4.1).bar(time) * 16)
    assert first.resync(4.1).bar(time) * 16 == pytest.approx(position, abs=0.01)


def test_the_clock_that_is_sent_is_heard_where_it_was() -> None:
    tempo, sender = Tempo(bpm=93.5), ClockSender()
    for time, kind, position in played([(0, tempo)], 30.0):
        sender.receive(kind, time, position)
    bpm, beat, unit, playing, _ = sender.numbers(30.0)
    assert (unit, playing) == (4, 1)
    assert bpm == pytest.approx(93.5, abs=0.01)
    assert beat == pytest.approx(tempo.beat(30.0) % 4, abs=0.002)


CLOCK = """
import os, random, sys, threading, time, mido
bpm, beats, jitter = map(float, sys.argv[1:])
dice = random.Random(0)
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
    due = origin + number * 60 / (bpm * 24) + dice.uniform(-jitter, jitter)
    while (wait := due - time.perf_counter()) > 0:
        time.sleep(min(wait, 0.005) if wait > 0.001 else 0)
    port.send(mido.Message("clock"))
time.sleep(0.1)
print("sent", flush=True)
sys.stdin.readline()
"""
NAME = "perform-clock"  # not that of other tests, which may be running beside


@contextmanager
def first_in_line() -> Iterator[None]:
    """Before other programs of this machine, where that is allowed, with all that is started here."""
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


def listened(bpm: float, beats: int, jitter: float = 0.0) -> tuple[Doubles, Doubles, Doubles]:
    """A clock of another process: by how many seconds its pulses came off their true time, by how many
    seconds the beat that was made of them is off, and its tempo; after two beats."""
    backend, clocks = mido.Backend(JACK), MidiClocks()
    times: list[float] = []
    said: list[tuple[float, Any]] = []

    def hear(message: mido.Message) -> None:
        now = stopwatch()
        clocks.receive("jack", message.type, now)
        times.extend([now] * (message.type == "clock"))
        said.extend((now, event.value) for event in clocks.take(now))

    with subprocess.Popen(
        [sys.executable, "-c", CLOCK, str(bpm), str(beats), str(jitter)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as other:  # fmt: skip
        assert other.stdin and other.stdout
        assert other.stdout.readline() == "ready\n"
        name = next(name for name in backend.get_input_names() if "sequencer" in name)
        with closing(backend.open_input(name, callback=hear)):
            other.stdin.write("go\n")
            origin = float(other.stdout.readline())
            assert other.stdout.readline() == "sent\n"
        other.stdin.write("end\n")
    arrivals = np.array(times) - origin - np.arange(len(times)) * 60 / (bpm * PULSES)
    off = [((now - origin) * bpm / 60 - value[1] + 2) % 4 - 2 for now, value in said]
    return (
        arrivals[2 * PULSES :],
        np.array(off[PULSES:]) * 60 / bpm,
        np.array([v[0] for _, v in said[PULSES:]]),
    )


SHORT = [(60, 5), (128, 8), (200, 10)]
LONG = [(bpm, bpm) for bpm in range(60, 201, 28)]  # a minute each, 18,720 pulses


def best(attempt: Callable[[], list[float]], limits: list[float]) -> None:
    """One of three attempts stays below its limits: a busy machine is late through nobody's fault."""
    found = []
    for _ in range(3):
        with suppress(pytest.fail.Exception):
            found.append(attempt())
            if all(value < limit for value, limit in zip(found[-1], limits, strict=True)):
                return
    pytest.fail(f"{found}, must be below {limits}")


@pytest.mark.parametrize(("bpm", "beats"), LONG if os.environ.get("PERFORM_SOAK") else SHORT)
def test_through_jack_between_two_processes(jack_of_64: None, bpm: float, beats: int) -> None:
    def attempt() -> list[float]:
        _, off, tempi = listened(bpm, beats)
        return [float(np.percentile(np.abs(off), 90)), float(np.percentile(np.abs(tempi - bpm), 99))]

    best(attempt, [0.002, 0.5])


def test_through_jack_with_jitter_it_is_steadier_than_its_input(jack_of_64: None) -> None:
    def attempt() -> list[float]:
        arrivals, off, tempi = listened(200, 18, jitter=0.01)
        return [off.std() / arrivals.std(), 0.005 / arrivals.std(), float(np.median(np.abs(tempi - 200)))]

    best(attempt, [1 / 3, 1.0, 0.5])


Heard: TypeAlias = list[tuple[float, str, int]]


@contextmanager
def listening() -> Iterator[tuple[LiveClock, Heard]]:
    """Who hears what is sent to the port `drums`."""
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
def test_a_clock_is_sent_steadily_whatever_the_frame_rate(
    fps: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = LiveClock(fps)
    frames.advance()
    port, tempo = Port(frames), Tempo(bpm=200)
    monkeypatch.setattr(midiports, "open_client", lambda direction, api, scans=False: port)
    unit = MidiClockSender("drums", lambda: tempo, frames.now)
    while len(port.sent) < 10 * PULSES:
        now = frames.advance()
        tempo = tempo.towards(now, tempo.beat(now), 200)  # a new grid in each frame
    unit.close()
    assert unit.fault == ""
    assert [0xFA] in [message for _, message in port.sent]
    assert port.sent[-1][1] == [0xFC]
    pulses = np.array([time for time, message in port.sent if message == [0xF8]]) * 200 / 60 * 24
    late = (pulses - np.floor(pulses)) * 60 / (200 * 24)
    assert np.median(late) < 0.002
    assert np.diff(np.floor(pulses)).sum() == pytest.approx(len(pulses) - 1, abs=2)


def test_a_port_that_fails_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Port):
        def send_message(self, message: list[int]) -> None:
            raise RuntimeError("unplugged")

    clock = LiveClock()
    clock.advance()
    ports = [Port(clock), Broken(clock), Port(clock)]  # the first is the one that looks
    last = ports[-1]
    monkeypatch.setattr(midiports, "open_client", lambda direction, api, scans=False: ports.pop(0))
    monkeypatch.setattr(out, "SCAN_INTERVAL", 0.05)
    unit = MidiClockSender("drums", lambda: Tempo(bpm=200), clock.now)
    eventually(lambda: last.sent, "pulses of the second port")
    unit.close()


def test_a_port_that_comes_late_and_goes(jack_of_64: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "SCAN_INTERVAL", 0.1)
    unit = MidiClockSender("drums", Tempo, stopwatch, api="UNIX_JACK")
    for _ in range(2):
        eventually(lambda: "no such port (there are" in unit.fault, "the fault")
        with listening() as (_clock, heard):
            eventually(lambda heard=heard: "start" in {kind for _, kind, _ in heard}, "the start")
            assert unit.fault == ""
    unit.close()


def test_without_its_port_it_waits_and_says_so(jack_of_64: None) -> None:
    unit = MidiClockSender("no such port", Tempo, lambda: 0.0, api="UNIX_JACK")
    eventually(lambda: "no such port (there are" in unit.fault, "the fault")
    unit.close()
    unit.close()
