"""The monitor: what each signal is at, on an exact clock and inputs that a test plays."""

from __future__ import annotations

import socket

import pytest

from perform.clock import OfflineClock, Tempo
from perform.faults import Health
from perform.formula import FormulaError
from perform.inputs import camera, hands
from perform.inputs.osc.packets import message
from perform.rhythm.tempo import TempoAuthority
from perform.scenes.mapping import MappingPlayers
from perform.show import Options
from perform.show.monitor import Monitor, SignalReading, open_monitor, wanted
from tests.doubles.feeds import free_port
from tests.doubles.hand_inputs import FakeCamera, FakeTracker
from tests.doubles.inputs import PlayedInput
from tests.doubles.waiting import eventually


def monitor(*names: str) -> tuple[Monitor, PlayedInput]:
    """A monitor at 10 frames a second, and its only input."""
    device = PlayedInput()
    tempo = TempoAuthority(Tempo(bpm=120))
    return Monitor(OfflineClock(10), [device], wanted(names), MappingPlayers(), tempo), device


def play(unit: Monitor, device: PlayedInput, *frames: list[tuple[str, float]]) -> None:
    for events in frames:
        device.next = list(events)
        unit.frame()


def shown(unit: Monitor) -> dict[str, tuple[float | str | None, float]]:
    """The value of each signal, and its age in tenths of a second."""
    return {one.name: (one.value, round(10 * (unit.now - one.since))) for one in unit.readings()}


def test_a_signal_that_is_named_has_its_value_and_its_age() -> None:
    unit, device = monitor("midi.cc21")
    play(unit, device, [])
    assert shown(unit) == {"midi.cc21": (None, 0)}
    play(unit, device, [("midi.cc21", 0.25)], [("midi.cc22", 1.0)], [])
    assert shown(unit) == {"midi.cc21": (0.25, 2)}
    play(unit, device, [("midi.cc21", 0.25)])  # the same value, but it came
    assert shown(unit) == {"midi.cc21": (0.25, 0)}


def test_a_formula_is_computed_on_every_frame() -> None:
    unit, device = monitor("max(midi.cc1, midi.cc2) * 10", "time.seconds")
    play(unit, device, [("midi.cc1", 0.2)], [("midi.cc2", 0.5)], [])
    assert shown(unit) == {"max(midi.cc1, midi.cc2) * 10": (5.0, 1), "time.seconds": (0.2, 0)}


def test_without_names_all_that_have_moved_are_shown_hands_first() -> None:
    unit, device = monitor()
    play(unit, device, [("audio.low", 0.1), ("midi.cc10", 0.5), ("midi.cc9", 0.5), ("midi.cc8", 0.5)])
    assert shown(unit) == {}  # the first value is where it stands
    play(unit, device, [("audio.low", 0.2), ("midi.cc10", 0.6), ("midi.cc9", 0.6), ("midi.cc8", 0.5)])
    moved = [*shown(unit)]
    assert moved[:2] == ["midi.cc9", "midi.cc10"]
    assert moved[2:] == ["audio.low"]  # neither midi.cc8, nor beat.phase and time.seconds


def test_a_family_is_shown_whole() -> None:
    unit, device = monitor("midi", "audio.low")
    play(unit, device, [("midi.cc1", 0.5), ("audio.low", 0.5), ("audio.mid", 0.5)])
    assert [*shown(unit)] == ["audio.low", "midi.cc1"]


def test_a_bar_grows_with_its_range() -> None:
    reading = SignalReading("a")
    shares = []
    for value in (0.5, 2.0, 1.0, -2.0, 0.0):
        reading.take(value, 0.0, came=True)
        shares.append(reading.share)
    assert shares == [0.5, 1.0, 0.5, 0.0, 0.5]


def test_text_of_osc_is_text() -> None:
    unit, device = monitor('osc["/title"]')
    device.next = [('osc["/title"]', "Tulip")]  # type: ignore[list-item]
    unit.frame()
    assert shown(unit) == {'osc["/title"]': ("Tulip", 0)}


def test_an_input_that_fails_is_dropped_and_the_others_go_on() -> None:
    unit, device = monitor("midi.cc1")
    other = PlayedInput()
    unit.inputs.append(other)
    device.fault = OSError("unplugged")
    other.next = [("midi.cc1", 0.5)]
    unit.frame()
    assert shown(unit) == {"midi.cc1": (0.5, 0)} and device.closed
    unit.close()
    assert other.closed


def test_what_is_missing_is_one_sentence_each() -> None:
    unit, device = monitor()
    assert unit.missing() == []
    away = (("says: no port", "says: no port"), ("no port", "says: no port"))
    for detail, sentence in away:
        device.state = Health("waiting", detail)
        assert unit.missing() == [sentence]


def test_what_is_no_signal_is_refused() -> None:
    with pytest.raises(FormulaError, match=r"unknown signal audio\.kick; did you mean audio\.low\.hit"):
        wanted(["audio.kick"])
    with pytest.raises(ValueError, match=r"key\.space comes from the window of perform play"):
        wanted(["toggle(key.space)"])


def test_the_inputs_are_those_of_a_show() -> None:
    unit = open_monitor(Options(sound=None, osc_port=0), ["feed.tide.sea"])
    try:
        assert [one.name for one in unit.inputs] == ["silence", "feeds", "midi", "hands", "cameras"]
        for _ in range(3):
            unit.frame()
        (reading,) = unit.readings()
        assert isinstance(reading.value, float) and 0 <= reading.value <= 1
    finally:
        unit.close()


def test_messages_of_osc_arrive_by_the_network() -> None:
    port = free_port()
    unit = open_monitor(Options(sound=None, osc_port=port), ["osc"])
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(message("/sensor/1", [0.25]), ("127.0.0.1", port))
            eventually(unit.readings, "the message", unit.frame)
        assert [(one.name, one.value) for one in unit.readings()] == [('osc["/sensor/1"]', 0.25)]
    finally:
        unit.close()


def test_the_camera_opens_only_for_hands_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    device = FakeCamera()
    monkeypatch.setattr(camera, "_opened", device)
    monkeypatch.setattr(hands, "Tracker", lambda model: FakeTracker())
    unit = open_monitor(Options(sound=None, osc_port=0), [])
    unit.frame()
    unit.close()
    assert device.count == 0
    unit = open_monitor(Options(sound=None, osc_port=0), ["camera"])
    try:
        eventually(unit.readings, "a picture", unit.frame)
    finally:
        unit.close()
    assert {one.name for one in unit.readings()} == {"camera.level", "camera.motion", "camera.age"}


def test_a_feed_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match="there is no such feed nothing"):
        open_monitor(Options(sound=None, osc_port=0), ["feed.nothing"])
