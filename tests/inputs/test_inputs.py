"""Every input behaves as `Input` promises, and every unit is in this suite."""

from __future__ import annotations

import importlib
import inspect
import json
import math
import pkgutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import mido
import numpy as np
import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from perform import inputs
from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.faults import Health
from perform.formula import ARRAYS
from perform.inputs import Input, audio, camera, hands, link, midi, osc
from perform.inputs.feeds import Report, csv
from perform.inputs.feeds import live as feed
from perform.inputs.feeds.document import read_feed
from tests.doubles.formulas import compiled
from tests.doubles.sounds import tone, write_sound
from tests.doubles.waiting import eventually

Speak: TypeAlias = Callable[[], Any]


def now() -> float:
    return 0.25


def sound_file(folder: Path) -> tuple[Input, Speak]:
    return audio.SoundFile(write_sound(folder / "tone.wav", tone(1.0))), lambda: None


def sound_device(folder: Path) -> tuple[Input, Speak]:
    device = audio.SoundDevice("no such device", now)
    device.poll(0.0)
    return device, lambda: None


def silence(folder: Path) -> tuple[Input, Speak]:
    return audio.Silence(), lambda: None


def midi_ports(folder: Path) -> tuple[Input, Speak]:
    unit = midi.Midi(["no such port"], now, backend="no.such.backend")
    return unit, lambda: unit.receive("a port", mido.Message("control_change", control=21, value=64))


def osc_socket(folder: Path) -> tuple[Input, Speak]:
    unit = osc.Osc(port=0, now=now)
    message = OscMessageBuilder("/sensor/1")
    message.add_arg(0.5)
    message.add_arg(2)
    return unit, lambda: unit.receive(message.build().dgram)


class FakeDesk:
    """A source of a feed that reports given values."""

    say: Report

    def listen(self, say: Report, closing: threading.Event) -> None:
        self.say = say
        closing.wait()


def live_feed(folder: Path) -> tuple[Input, Speak]:
    (folder / "desk.toml").write_text('kind = "artnet"\n')
    desk = FakeDesk()
    unit = feed.LiveFeed(read_feed(folder / "desk.toml"), desk, now)
    eventually(lambda: hasattr(desk, "say"))
    return unit, lambda: desk.say({"1": 0.5})


def all_feeds(folder: Path) -> tuple[Input, Speak]:
    (folder / "rows.csv").write_text("1\n2\n")
    (folder / "rows.toml").write_text('kind = "csv"\nfile = "rows.csv"\n')
    return feed.Feeds([read_feed(folder / "rows.toml")], now), lambda: None


def feed_of_rows(folder: Path) -> tuple[Input, Speak]:
    (folder / "rows.csv").write_text("1\n2\n")
    (folder / "rows.toml").write_text('kind = "csv"\nfile = "rows.csv"\n')
    return csv.Replay(read_feed(folder / "rows.toml")), lambda: None


class OnePicture:
    """A camera that takes one picture."""

    taken = False

    def read(self) -> tuple[Pixels, float]:
        if self.taken:
            threading.Event().wait(1.0)
            raise OSError("no more")
        self.taken = True
        return np.full((32, 32, 3), 51, np.uint8), stopwatch()

    def close(self) -> None: ...


def all_cameras(folder: Path) -> tuple[Input, Speak]:
    unit = camera.Cameras(now, open=lambda name: OnePicture())
    return unit, lambda: eventually(lambda: unit.camera().here)


def two_hands(folder: Path) -> tuple[Input, Speak]:
    unit = hands.Hands(camera.Camera, now)
    # without a camera, which would continue after the test
    return unit, lambda: unit._put(stopwatch(), {"hand.left.present": 1.0, "hand.left.roll": -0.25})


def link_peer(folder: Path) -> tuple[Input, Speak]:
    unit = link.Link(now, peer=("no such program",))

    def speak() -> None:
        said = {"at": stopwatch(), "bpm": 120.0, "phase": 1.5, "peers": 1, "playing": 0}
        assert unit.receive(json.dumps(said).encode())

    return unit, speak


UNITS: dict[type, Callable[[Path], tuple[Input, Speak]]] = {
    audio.SoundFile: sound_file,
    audio.SoundDevice: sound_device,
    audio.Silence: silence,
    midi.Midi: midi_ports,
    osc.Osc: osc_socket,
    feed.LiveFeed: live_feed,
    feed.Feeds: all_feeds,
    csv.Replay: feed_of_rows,
    camera.Cameras: all_cameras,
    hands.Hands: two_hands,
    link.Link: link_peer,
}


@pytest.fixture(params=UNITS.values(), ids=[unit.__name__ for unit in UNITS])
def opened(request: pytest.FixtureRequest, tmp_path: Path, no_sound: None) -> Iterator[tuple[Input, Speak]]:
    unit, speak = request.param(tmp_path)
    yield unit, speak
    unit.close()


def test_every_unit_is_in_this_suite() -> None:
    modules = [module.name for module in pkgutil.walk_packages(inputs.__path__, "perform.inputs.")]
    found = {
        unit
        for module in modules
        for unit in vars(importlib.import_module(module)).values()
        if inspect.isclass(unit)
        and unit.__module__ == module
        and hasattr(unit, "poll")
        and not getattr(unit, "_is_protocol", False)
    }
    assert found == UNITS.keys()
    kinds = {module.split(".")[2] for module in modules} - {"listener", "quantities", "slots", "sharing"}
    assert {unit.__module__.split(".")[2] for unit in found} == kinds


def test_values_are_polled_once_and_in_order(opened: tuple[Input, Speak]) -> None:
    unit, speak = opened
    speak()
    events = unit.poll(0.5)
    assert events
    assert unit.poll(0.5) == []
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert all(math.isfinite(event.time) and event.time <= 0.5 for event in events)


def test_values_are_finite_and_names_are_valid_in_formulas(opened: tuple[Input, Speak]) -> None:
    unit, speak = opened
    speak()
    for event in unit.poll(0.5):
        if isinstance(event.value, np.ndarray):
            assert event.value.dtype == np.float32
            assert np.isfinite(event.value).all()
        elif not isinstance(event.value, str):
            assert type(event.value) is float
            assert math.isfinite(event.value)
        if event.name not in {*ARRAYS, "tempo.beat", "tempo.link"}:
            assert compiled(event.name).names == {event.name}


def test_every_unit_reports_its_health(opened: tuple[Input, Speak]) -> None:
    unit, _ = opened
    assert unit.name
    health = unit.health()
    assert isinstance(health, Health)
    assert health.state in ("ok", "waiting", "failed")
    assert health.detail


def test_a_closed_input_sends_nothing_and_can_be_closed_again(opened: tuple[Input, Speak]) -> None:
    unit, _ = opened
    unit.poll(0.5)
    unit.close()
    unit.close()
    unit.poll(0.5)
    assert unit.health().detail
