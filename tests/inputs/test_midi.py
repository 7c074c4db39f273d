"""MIDI ports that come and go, several at once, from other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mido
import pytest

from perform.inputs import midi
from perform.inputs.midi import Midi
from perform.midi import ports as midiports
from perform.midi import profiles
from tests.doubles import midi_double
from tests.doubles.midi_double import drivers
from tests.doubles.midi_sender import numbered
from tests.doubles.servers import Server
from tests.doubles.waiting import TIMEOUT, eventually
from tests.folders import ROOT

DOUBLE = "tests.doubles.midi_double"
JACK = "perform.inputs.midi.rtmidi/UNIX_JACK"
MIX = profiles.read_profile(ROOT / "profiles/midimix.toml")
SOAK = 30 if os.environ.get("PERFORM_SOAK") else 1  # half a minute of it, or a minute and more


def heard(unit: Midi, until: float = 1.0) -> dict[str, object]:
    return {event.name: event.value for event in unit.poll(until)}


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Midi]:
    """An input on the double, which scans often."""
    monkeypatch.setattr(midi, "SCAN_INTERVAL", 0.002)
    monkeypatch.setattr(midi_double, "drivers", drivers)
    drivers.__init__()  # type: ignore[misc]
    unit = Midi(None, lambda: 1.0, DOUBLE, [MIX])
    yield unit
    unit.close()


def plug(unit: Midi, *ports: str) -> None:
    drivers.ports = list(ports)
    eventually(lambda: {*unit.devices} == {*ports} and {*drivers.open} == {*ports}, "the ports")


def names(unit: Midi) -> dict[str, str]:
    return {port: device.name for port, device in unit.devices.items()}


def test_several_devices_play_at_once(plugged: Midi) -> None:
    plug(plugged, "MIDI Mix:MIDI Mix MIDI 1 20:0", "Fader Port 2")
    drivers.send("MIDI Mix:MIDI Mix MIDI 1 20:0", [0xB0, 19, 127])
    drivers.send("Fader Port 2", [0xB0, 7, 0], [0x92, 60, 127])
    said = heard(plugged)
    assert said["midi.fader1"] == said["midi.midimix.fader1"] == said["midi.cc19"] == 1.0
    assert said["midi.fader_port_2.ch3.note60"] == said["midi.note60"] == 1.0
    assert said["midi.fader_port_2.cc7"] == said["midi.cc7"] == 0.0
    assert plugged.health().detail == "midimix (MIDI Mix:MIDI Mix MIDI 1 20:0), fader_port_2 (Fader Port 2)"


def test_the_same_model_twice_keeps_its_names(plugged: Midi) -> None:
    first, second = "MIDI Mix:MIDI Mix MIDI 1 20:0", "MIDI Mix:MIDI Mix MIDI 1 24:0"
    plug(plugged, first, second)
    assert names(plugged) == {first: "midimix", second: "midimix_2"}
    drivers.send(first, [0xB0, 19, 0])
    drivers.send(second, [0xB0, 19, 127])
    said = heard(plugged)
    assert said["midi.midimix.fader1"] == 0.0
    assert said["midi.midimix_2.fader1"] == said["midi.fader1"] == 1.0
    plug(plugged, second)
    assert names(plugged) == {second: "midimix_2"}
    plug(plugged)
    plug(plugged, second)
    plug(plugged, second, first)
    assert names(plugged) == {first: "midimix", second: "midimix_2"}
    plug(plugged, second)
    plug(plugged, second, "MIDI Mix:MIDI Mix MIDI 1 28:0")  # another socket
    assert names(plugged)["MIDI Mix:MIDI Mix MIDI 1 28:0"] == "midimix"


def test_a_device_reconnects_a_hundred_times(plugged: Midi) -> None:
    threads = threading.active_count()
    for turn in range(100):
        plug(plugged, "MIDI Mix")
        drivers.send("MIDI Mix", [0xB0, 19, turn], [0x90, 4, 127])
        assert heard(plugged)["midi.midimix.fader1"] == turn / 127  # under the one name
        plug(plugged)
        assert heard(plugged)["midi.note4"] == 0.0  # what was held is released
    assert drivers.opened == 100
    assert names(plugged) == {}
    assert threading.active_count() <= threads  # those of other tests may end
    assert midi.MOST_REMEMBERED < 100


def test_ports_of_ever_new_names_are_forgotten(plugged: Midi) -> None:
    for turn in range(midi.MOST_REMEMBERED + 40):
        plug(plugged, "MIDI Mix", f"thing {turn * 'x'}")
    # memory: a device that is gone shows nowhere
    assert len(plugged._known) <= midi.MOST_REMEMBERED + 1
    assert len(plugged._names) <= midi.MOST_REMEMBERED
    drivers.send("MIDI Mix", [0xB0, 19, 127])
    assert heard(plugged)["midi.midimix.fader1"] == 1.0


def test_a_port_that_does_not_open_does_not_disturb_the_others(plugged: Midi) -> None:
    drivers.broken = {"A"}
    drivers.ports = ["A", "B", "C"]
    eventually(lambda: {*plugged.devices} == {"B", "C"}, "the ports")
    eventually(lambda: "A: A: busy" in plugged.health().detail, "the fault")
    drivers.stuck, drivers.ports = {"B"}, ["A", "C"]
    eventually(lambda: {*plugged.devices} == {"C"}, "the loss")
    drivers.broken = set()
    eventually(lambda: {*plugged.devices} == {"A", "C"}, "the port")
    assert "busy" not in plugged.health().detail


def test_a_failing_driver_is_asked_again(plugged: Midi) -> None:
    plug(plugged, "A")
    drivers.fails = True
    eventually(lambda: "the driver is gone" in plugged.note, "the fault")
    drivers.send("A", [0xB0, 1, 127])
    assert heard(plugged)["midi.a.cc1"] == 1.0
    drivers.fails = False
    plug(plugged, "A", "B")


def test_the_value_of_a_knob_survives_a_reconnection(tmp_path: Path, plugged: Midi) -> None:
    file = tmp_path / "dial.toml"
    file.write_text('title = "D"\nports = ["Dial"]\ncontrols.dial = {cc = 1, encoding = "binary offset"}\n')
    plugged.use([profiles.read_profile(file)])
    plug(plugged, "Dial")
    drivers.send("Dial", [0xB0, 1, 127])
    assert heard(plugged)["midi.dial.dial"] == 63 / 127
    plug(plugged)
    plug(plugged, "Dial")
    drivers.send("Dial", [0xB0, 1, 65])
    assert heard(plugged)["midi.dial.dial"] == 64 / 127


def test_new_profiles_take_effect_while_devices_are_connected(plugged: Midi, tmp_path: Path) -> None:
    plug(plugged, "MIDI Mix", "Box")
    file = tmp_path / "box.toml"
    file.write_text('title = "Box"\nports = ["box"]\ncontrols.fader = {cc = [7]}\n')
    plugged.use([MIX, profiles.read_profile(file)])
    eventually(lambda: drivers.opened == 4 and len(drivers.open) == 2, "the ports again")
    drivers.send("Box", [0xB0, 7, 127])
    assert heard(plugged)["midi.box.fader"] == 1.0
    plugged.use([MIX, profiles.read_profile(file)])
    plug(plugged, "MIDI Mix", "Box", "Other")
    assert drivers.opened == 5  # the same change nothing


def test_a_note_shorter_than_a_frame_is_received() -> None:
    unit = Midi([], lambda: 1.0, DOUBLE)
    unit.close()
    unit.receive("a", mido.Message("note_on", note=60, velocity=127))
    unit.receive("a", mido.Message("note_off", note=60))
    every = {"midi.note60", "midi.ch1.note60", "midi.a.note60", "midi.a.ch1.note60"}
    assert heard(unit) == dict.fromkeys(every, 1.0)
    assert heard(unit) == dict.fromkeys(every, 0.0)
    assert heard(unit) == {}


def test_a_clock_message_is_passed_on_with_its_time() -> None:
    now = 0.0
    unit = Midi([], lambda: now, DOUBLE)
    unit.close()
    unit.receive("a", mido.Message("start"))
    for n in range(48):
        now = n / 48  # 120 bpm
        unit.receive("a", mido.Message("clock"))
    events = {event.name: event.value for event in unit.poll(now)}
    assert events["midi.start"] == 1.0
    bpm, beat, *_ = events["tempo.midi"]  # type: ignore[misc]
    assert (bpm, beat) == pytest.approx((120, 47 / 24), rel=1e-3)
    assert unit.clocks.followed == "a"


def test_thousands_of_messages_a_second_do_not_grow_memory() -> None:
    """A minute's messages (with PERFORM_SOAK; else two seconds'), polled 60 times a second."""
    unit = Midi([], lambda: 1.0, DOUBLE, [MIX])
    unit.close()
    most = last = 0  # events of a poll; bytes
    tracemalloc.start()
    for n, message in enumerate(numbered(6000 * SOAK)):
        unit.receive("MIDI Mix", mido.Message.from_bytes(message))
        if n % 50 == 49:
            most = max(most, len(unit.poll(1.0)))
        if n == 3000:
            last = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - last
    tracemalloc.stop()
    assert most <= 9 * 4  # four names of each control
    assert grown < 20_000


def test_without_midi_the_health_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(midiports, "SEQUENCER", tmp_path / "none")
    unit = Midi(["a"], lambda: 0.0)
    if sys.platform == "linux":
        eventually(lambda: "no ALSA sequencer" in unit.health().detail)
    assert unit.health().state == "waiting"
    unit.close()


def test_a_failing_backend_is_retried() -> None:
    unit = Midi(None, lambda: 0.0, backend="no.such.backend")
    eventually(lambda: "no" in unit.health().detail and "port yet" not in unit.health().detail)
    assert unit.health().state == "waiting"
    unit.close()


def test_a_returned_port_is_open_within_three_seconds() -> None:
    assert midi.SCAN_INTERVAL <= 1.5  # and opening takes milliseconds


class Controller:
    """A controller in another process, at a JACK port."""

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.doubles.midi_sender", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        self.answer("there")

    def tell(self, order: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def answer(self, expected: str = "done") -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == expected + "\n"

    def until(self, bytes_: str, true: Callable[[], object], step: Callable[[], object]) -> None:
        """Send it until it has come: JACK drops messages while its graph changes."""

        def again() -> None:
            self.tell(f"bytes {bytes_}")
            self.answer()
            step()

        eventually(true, bytes_, again)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=TIMEOUT)


@contextmanager
def controller(name: str) -> Iterator[Controller]:
    made = Controller(name)
    try:
        yield made
    finally:
        made.kill()


class Counting(Midi):
    """Counts its messages."""

    came = 0

    def receive(self, port: str, message: mido.Message) -> None:
        self.came += 1
        super().receive(port, message)


def flood(sender: Controller, unit: Counting, count: int) -> dict[str, object]:
    """The last values of so many messages."""
    said: dict[str, object] = {}
    unit.came, resting = 0, iter(range(30))

    def listen() -> None:
        said.update(heard(unit))

    sender.tell(f"send {count} 3000")
    eventually(lambda: unit.came > count / 3, "a third of them", listen)
    sender.answer()
    eventually(lambda: unit.came == count or next(resting, None) is None, "all of them", listen)
    for _ in range(4):
        listen()
    return said


def test_thousands_of_messages_from_another_process(jack: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "SCAN_INTERVAL", 0.1)
    count = 6000 * SOAK
    unit = Counting(["knobs"], lambda: 1.0, backend=JACK)
    with controller("wonder KNOBS") as sender:
        eventually(lambda: unit.health().state == "ok", "the port")
        for _ in range(4):  # a JACK that is starved of time drops messages: it gets another chance
            said = flood(sender, unit, count)
            if unit.came == count:
                break
        (device,) = names(unit).values()
    assert unit.came == count
    last = (count - 1) // 8 % 128
    assert said["midi.cc20"] == said[f"midi.{device}.ch2.cc21"] == said["midi.note60"] == last / 127
    assert said["midi.ch3.pressure"] == said["midi.nrpn300"] == last / 127
    assert said["midi.pitch"] == pytest.approx(((last << 7 | last) - 8192) / 8191)
    assert unit.garbage == 0
    unit.close()


def test_garbage_from_another_process_is_counted(jack: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "SCAN_INTERVAL", 0.1)
    unit = Midi(["knobs"], lambda: 1.0, backend=JACK)
    said: dict[str, object] = {}
    with controller("knobs") as sender:
        eventually(lambda: unit.health().state == "ok", "the port")
        for order in ("13 20", "B0 14", "B0 15 7F", "F4 01", "B0 17 7F"):
            sender.tell(f"bytes {order}")
            sender.answer()
        eventually(lambda: "midi.cc23" in said, "the last", lambda: said.update(heard(unit)))
        assert unit.garbage == 6
        assert "6 bytes of garbage" in unit.health().detail
    assert {name: value for name, value in said.items() if name.count(".") == 1} == {
        "midi.cc21": 1.0,
        "midi.cc23": 1.0,
    }
    unit.close()


def test_a_process_that_dies_and_returns_is_received_again(
    jack: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midi, "SCAN_INTERVAL", 0.1)
    unit = Midi(["knobs"], lambda: 1.0, backend=JACK)
    eventually(lambda: "no such port" in unit.health().detail)
    for turn in range(4):
        if turn == 3:  # its server too
            jack.kill()
            jack.start()
        said: dict[str, object] = {}

        def listen(said: dict[str, object] = said) -> None:
            said.update(heard(unit))

        with controller("knobs") as sender:
            eventually(lambda: unit.health().state == "ok", "the port")
            sender.until("90 3C 7F", lambda said=said: "midi.note60" in said, listen)
            assert said["midi.note60"] == 1.0
        eventually(lambda: unit.health().state == "waiting", "the loss")
        listen()
        assert said["midi.note60"] == said["midi.ch1.note60"] == 0.0
    unit.close()
