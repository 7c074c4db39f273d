"""Lights of controllers: what is sent to each of the five that have a profile, byte for byte; and that no
controller, slow or disconnected, delays the show or another."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.midi import ports as midiports
from perform.outputs.lights import MOST_MESSAGES, ControllerLights, LightChanges, MidiLights
from perform.outputs.lights.patterns import LightPattern, dark
from tests.doubles.lights import FILES, FakeShow, profile
from tests.doubles.waiting import eventually
from tests.folders import DATA

GOLDEN = DATA / "lights"
PLAYED = {  # a knob or fader that plays how much is inverted, and a button that is the blackout
    "apc40": ("midi.apc40.knob3", "midi.ch2.note50"),
    "apcmini2": ("midi.cc48", "midi.apcmini2.track2"),
    "launchpad": ("midi.cc7", "midi.cc91"),
    "midimix": ("midi.midimix.fader1", "midi.note6"),
    "nanokontrol2": ("midi.fader2", "midi.nanokontrol2.m3"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_the_five_controllers_have_lights() -> None:
    assert set(FILES) == set(PLAYED)
    assert all(profile(name).lights for name in FILES)


@pytest.mark.parametrize("name", PLAYED)
def test_the_bytes_of_the_lights_are_exact(name: str, folder: Path) -> None:
    """One show on each controller; tests/data/lights/NAME.txt has what the controller gets."""
    show, one = FakeShow.of(folder, *PLAYED[name]), profile(name)
    lights, changes, lines = LightPattern(one), LightChanges(), []

    def note(what: str, messages: list[bytes]) -> None:
        lines.append(f"# {what}")
        lines.extend(message.hex(" ").upper() for message in messages)

    def paint(what: str, seconds: float = 0.0, **values: float) -> None:
        show.values |= {key: (value,) for key, value in values.items()}
        note(what, changes.due(lights.messages(show.snapshot(), seconds), most=1000))

    note("it comes", list(one.enter))
    paint("scene 1 of 3 plays")
    paint("nothing has changed")
    paint("scene 3 waits for its beat", **{"/now/queued": 3})
    paint("a quarter of a second later", 0.25)
    paint("scene 3 plays", 0.5, **{"/now/cue": 3, "/now/queued": 0})
    paint("blackout", 0.5, **{"/blackout": 1})
    paint("half inverted", 0.5, **{"/filter/invert/amount": 0.5})
    note("it goes", [*dark(one), *one.leave])
    text = "\n".join(lines) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("PERFORM_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_a_pad_in_a_formula_shows_its_state(folder: Path) -> None:
    show = FakeShow.of(folder, "midi.apcmini2.pad3", "midi.apcmini2.pad2")
    lights = LightPattern(profile("apcmini2"))
    assert lights.messages(show.snapshot(), 0)["pad2"].hex() == "963900", (
        "its button is up, though there is a scene 2"
    )
    show.values |= {"/blackout": (1.0,), "/filter/invert/amount": (0.6,)}
    shown = lights.messages(show.snapshot(), 0)
    assert (shown["pad2"].hex(), shown["pad3"].hex()) == ("963903", "963a03")


def test_a_pad_in_a_formula_of_the_next_scene_is_still_that_of_its_scene(folder: Path) -> None:
    lights = LightPattern(profile("apcmini2"))
    pads = {}
    for on in (1, 2):  # the first scene, whose formula has the pad, is next after the third
        show = FakeShow.of(folder / str(on), "midi.apcmini2.pad3", "midi.note99", on=on)
        pads[on] = lights.messages(show.snapshot(), 0)["pad3"]
    assert pads[2] == pads[1]
    plays = FakeShow.of(folder / "0", "midi.apcmini2.pad3", "midi.note99")
    assert lights.messages(plays.snapshot(), 0)["pad3"] != pads[1]


def test_a_second_controller_shows_its_own_lights(folder: Path) -> None:
    show = FakeShow.of(folder, "midi.midimix_2.record4", "midi.midimix.record4")
    show.values |= {"/filter/invert/amount": (1.0,), "/blackout": (0.0,)}
    one = profile("midimix")
    first, second = (
        LightPattern(one, name).messages(show.snapshot(), 0)["record4"] for name in ("midimix", "midimix_2")
    )
    assert (first[2], second[2]) == (0, 127)


def test_an_edit_moves_the_light_to_the_new_control(folder: Path) -> None:
    lights = LightPattern(profile("apc40"))
    before = FakeShow.of(folder / "a", "midi.apc40.knob1", "midi.note99")
    after = FakeShow.of(folder / "b", "midi.apc40.knob2", "midi.note99")
    rings = []
    for one in (before, after):
        one.values["/filter/invert/amount"] = (1.0,)
        shown = lights.messages(one.snapshot(), 0)
        rings.append((shown["knob1"][2], shown["knob2"][2]))
    assert rings == [(127, 0), (0, 127)]


names = st.sampled_from([f"light{n}" for n in range(60)])


@given(
    st.lists(st.dictionaries(names, st.binary(min_size=3, max_size=3), min_size=60), min_size=1, max_size=5)
)
def test_messages_are_limited_and_all_arrive_in_the_end(pictures: list[dict[str, bytes]]) -> None:
    changes, shown = LightChanges(), dict[bytes, None]()
    for wanted in pictures:
        due = changes.due(wanted)
        assert len(due) <= MOST_MESSAGES
    for _ in range(3):
        shown |= dict.fromkeys(changes.due(pictures[-1]))
    assert changes.due(pictures[-1]) == [], "only what changes is sent"


def test_every_light_is_updated_when_many_change() -> None:
    changes, seen = LightChanges(), set()
    for n in range(6):
        moving = {f"light{i}": bytes([0xB0, i, n]) for i in range(3 * MOST_MESSAGES)}
        seen |= {message[1] for message in changes.due(moving)}
    assert len(seen) == 3 * MOST_MESSAGES


class Device:
    """A controller at the other end: keeps its messages; it can be slow, or disconnect."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.free, self.gone, self.closed = threading.Event(), False, False
        self.free.set()

    def send(self, data: bytes) -> None:
        self.free.wait(20)
        if self.gone:
            raise OSError("no such device")
        self.got.append(bytes(data))

    def close(self) -> None:
        self.closed = True


def test_a_slow_controller_delays_neither_the_frame_nor_another(folder: Path) -> None:
    show, slow, quick = FakeShow.of(folder, "midi.fader1", "midi.note3"), Device(), Device()
    slow.free.clear()
    mix = profile("midimix")
    controllers = [ControllerLights("midimix", mix, one.send, one.close) for one in (slow, quick)]
    told = threading.Event()

    def tell() -> None:
        for frame in range(500):
            for controller in controllers:
                controller.update(frame / 60, show.snapshot())
        told.set()

    threading.Thread(target=tell).start()
    assert told.wait(10), "telling never waits for a controller"
    eventually(lambda: len(quick.got) == 16, "the quick one's picture")
    assert slow.got == []
    slow.free.set()
    eventually(lambda: len(slow.got) == 16, "the slow one's picture")
    for controller in controllers:
        controller.close()
    assert slow.got[16:] == quick.got[16:] == list(dark(profile("midimix"))) and slow.closed


def test_a_hanging_controller_is_abandoned_at_the_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show, device = FakeShow.of(folder, "midi.fader1", "midi.note3"), Device()
    device.free.clear()
    controller = ControllerLights("midimix", profile("midimix"), device.send, device.close)
    controller.update(0.0, show.snapshot())
    controller.close(0.1)
    assert not device.closed
    device.free.set()
    eventually(lambda: device.closed, "its end")


def test_an_unplugged_controller_is_released(folder: Path) -> None:
    show, device = FakeShow.of(folder, "midi.fader1", "midi.note3"), Device()
    controller = ControllerLights("midimix", profile("midimix"), device.send, device.close)
    device.gone = True
    controller.update(0.0, show.snapshot())
    eventually(lambda: controller.failed == "no such device" and device.closed, "the loss")


def test_without_midi_the_health_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(midiports, "SEQUENCER", tmp_path / "none")
    monkeypatch.setattr(sys, "platform", "linux")
    lights = MidiLights([profile("midimix")])
    eventually(lambda: "no ALSA sequencer" in lights.health().detail)
    lights.close()


def test_all_lights_are_sent_again_after_messages_may_be_lost(folder: Path) -> None:
    show, device = FakeShow.of(folder, "midi.fader1", "midi.note3"), Device()
    controller = ControllerLights("midimix", profile("midimix"), device.send, device.close)
    controller.update(0.0, show.snapshot())
    eventually(lambda: len(device.got) == 16, "the picture")
    controller.resend()
    eventually(lambda: len(device.got) == 32, "the picture, again")
    assert device.got[:16] == device.got[16:]
    controller.close()
