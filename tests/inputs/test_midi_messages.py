"""Messages of MIDI: 14 bits, parameters, relative controls, aftertouch, programs, transport, garbage."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterable
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import OfflineClock, Tempo
from perform.inputs.midi.device import MidiDevice, relative_steps
from perform.inputs.midi.numbers import MOST_PARAMETERS, TwoByteNumber
from perform.inputs.midi.parser import MidiParser
from perform.midi import profiles
from perform.midi.names import MIDI_SIGNAL, device_kind, device_name, free_name
from perform.scenes.controls import bound
from perform.scenes.show import BINDINGS, SHOW_PARAMETERS
from perform.signals import Signals

Message = mido.Message
SOAK = 50 if os.environ.get("PERFORM_SOAK") else 1
ANY = (
    'controls.dial = {cc = 1, encoding = "twos complement"}',
    'controls.wheel = {cc = 2, encoding = "binary offset", steps = 10}',
    'controls.jog = {cc = 3, encoding = "signed bit"}',
    'controls.fader = {cc = [4, 5], encoding = "14-bit", channel = 2}',
    'controls.pad = {note = ["36-38"]}',
    'controls.switch = {note = 40, mode = "toggle"}',
    'controls.drum = {note = 41, mode = "trigger"}',
    'controls.key = {cc = 42, mode = "toggle"}',
    "controls.send = {nrpn = 300}",
    "controls.mackie = {pitch = true, channel = [1, 2]}",
)


@pytest.fixture
def device(tmp_path: Path) -> MidiDevice:
    """A device whose profile has everything."""
    file = tmp_path / "box.toml"
    file.write_text("\n".join(('title = "Box"', 'ports = ["box"]', 'scenes = "pad"', *ANY)))
    return MidiDevice("box", profiles.read_profile(file))


def said(device: MidiDevice, *messages: Message) -> dict[str, float]:
    """The last value of each name, without the device's part of it."""
    return {name.removeprefix("midi.box."): value for one in messages for name, value in device.values(one)}


def values(device: MidiDevice, name: str, messages: Iterable[Message]) -> list[float]:
    """All values of a name, in order."""
    return [value for one in messages for what, value in device.values(one) if what == f"midi.box.{name}"]


def cc(number: int, value: int, channel: int = 0) -> Message:
    return Message("control_change", channel=channel, control=number, value=value)


@pytest.mark.parametrize(
    ("message", "name", "value"),
    [
        (cc(21, 127, 1), "cc21", 1.0),
        (cc(0, 0, 1), "cc0", 0.0),
        (Message("note_on", channel=1, note=60, velocity=127), "note60", 1.0),
        (Message("note_on", channel=1, note=60, velocity=0), "note60", 0.0),
        (Message("note_off", channel=1, note=60, velocity=64), "note60", 0.0),
        (Message("pitchwheel", channel=1, pitch=8191), "pitch", 1.0),
        (Message("pitchwheel", channel=1, pitch=-8192), "pitch", -1.0),
        (Message("pitchwheel", channel=1, pitch=0), "pitch", 0.0),
        (Message("aftertouch", channel=1, value=127), "pressure", 1.0),
        (Message("polytouch", channel=1, note=60, value=127), "note60.pressure", 1.0),
        (Message("program_change", channel=1, program=7), "program", 7.0),
    ],
)
def test_a_played_message_has_four_names(message: Message, name: str, value: float) -> None:
    device = MidiDevice("thing")
    device.receive(2.0, message)
    events = [event for event in device.take(3.0) if event.name != "midi.scene"]
    every = (f"midi.{name}", f"midi.ch2.{name}", f"midi.thing.{name}", f"midi.thing.ch2.{name}")
    assert {event.name: event.value for event in events} == dict.fromkeys(every, value)
    assert {event.time for event in events} == {2.0}
    assert all(MIDI_SIGNAL.fullmatch(event.name) for event in events)


def test_other_messages_give_no_signals() -> None:
    for name in ("clock", "active_sensing", "sysex", "songpos", "song_select", "tune_request", "reset"):
        assert MidiDevice("a").values(Message(name)) == []


def test_transport_is_a_trigger() -> None:
    for name in ("start", "stop", "continue"):
        assert MidiDevice("a").values(Message(name)) == [(f"midi.{name}", 1.0), (f"midi.{name}", 0.0)]


def test_a_program_change_requests_a_scene_for_one_frame() -> None:
    device = MidiDevice("a")
    for program in (2, 2, 0):
        device.receive(0.0, Message("program_change", program=program))
    scenes = [[e.value for e in device.take(0.0) if e.name == "midi.scene"] for _ in range(7)]
    assert scenes == [[3.0], [0.0], [1.0], [0.0], [], [], []]  # of turns that do not fit the oldest go


def test_the_show_gets_the_requested_scene() -> None:
    show = bound("show", SHOW_PARAMETERS, BINDINGS).start()
    moment = OfflineClock(60).moment(Tempo())
    asked = [show.step(moment, Signals({"midi.scene": n}))["scene"] for n in (0.0, 3.0, 0.0, 12.0)]
    assert asked == [0, 3, 0, 12]


def test_two_halves_of_a_14_bit_number_do_not_jump() -> None:
    """A fader from bottom to top and back, in steps of 37 of 16383: it never turns back on its way."""
    device = MidiDevice("box")
    way = [*range(0, 16384, 37), 16383, *range(16383, -1, -37), 0]
    messages = [half for n in way for half in (cc(1, n >> 7), cc(33, n & 127))]
    heard = values(device, "ch1.cc1.fine", messages)
    top = heard.index(1.0)
    assert all(a <= b for a, b in itertools.pairwise(heard[:top]))
    assert all(a >= b for a, b in itertools.pairwise(heard[top:]))
    assert max(abs(a - b) for a, b in itertools.pairwise(heard)) < 38 / 16383
    assert heard[0] == heard[-1] == 0.0
    assert heard[2::2][:50] == [n / 16383 for n in way[1:51]]


GOLDEN = bytes.fromhex("B02750 B00746 B0277F B00700 B02700 B00701 B02701 B00701")
WAY = [*range(0, 16384, 37), 16383, *range(16383, -1, -37), 0]  # of a fader, up and down


def test_the_fine_half_may_come_first() -> None:
    """The stream of a controller whose low byte comes first: a number when the pair is whole, not before."""
    messages = [Message.from_bytes(GOLDEN[at : at + 3]) for at in range(0, len(GOLDEN), 3)]
    device = MidiDevice("box")
    heard = [values(device, "ch1.cc7.fine", [message]) for message in messages]
    assert heard == [[], [9040 / 16383], [], [127 / 16383], [], [128 / 16383], [], [129 / 16383]]


@pytest.mark.parametrize("step", [1, 37, 500])
@pytest.mark.parametrize("fine_first", [False, True])
def test_a_fader_is_exact_at_rest_and_never_turns_back_in_either_order(step: int, fine_first: bool) -> None:
    way = [*range(0, 16384, step), 16383]
    pairs = [
        [cc(33, n & 127), cc(1, n >> 7)] if fine_first else [cc(1, n >> 7), cc(33, n & 127)] for n in way
    ]
    device = MidiDevice("box")
    heard = [values(device, "ch1.cc1.fine", pair) for pair in pairs]
    assert [one[-1] for one in heard] == [n / 16383 for n in way]
    flat = [value for one in heard for value in one]
    assert flat == sorted(flat)


@pytest.mark.parametrize("fine_first", [False, True])
def test_the_order_is_found_from_the_middle_of_a_pair(fine_first: bool) -> None:
    halves = [(cc(33, n & 127), cc(1, n >> 7))[:: 1 if fine_first else -1] for n in range(1000, 3000)]
    device = MidiDevice("box")
    values(device, "ch1.cc1.fine", [halves[0][1], *(half for pair in halves[1:1500] for half in pair)])
    rest = [values(device, "ch1.cc1.fine", [*pair])[-1] for pair in halves[1500:]]
    assert rest == [n / 16383 for n in range(2500, 3000)]


def test_parameters_whose_fine_half_comes_first() -> None:
    device = MidiDevice("box")
    choice = [cc(98, 44), cc(99, 2)]
    pairs = [[*choice, cc(38, n & 127), cc(6, n >> 7)] for n in WAY]
    heard = [values(device, "ch1.nrpn300", pair) for pair in pairs]
    assert [one[-1] for one in heard] == [n / 16383 for n in WAY]
    assert all(len(one) == 1 for one in heard[1:])  # nothing between the halves


def test_a_fader_of_a_profile_whose_fine_half_comes_first(device: MidiDevice) -> None:
    pairs = [[cc(36, n & 127, 1), cc(4, n >> 7, 1)] for n in WAY]
    assert [values(device, "fader1", pair) for pair in pairs] == [[n / 16383] for n in WAY]


def test_the_fine_half_alone_refines_the_number() -> None:
    device = MidiDevice("box")
    assert values(device, "ch1.cc1.fine", [cc(1, 64), cc(33, 0), cc(33, 1), cc(33, 2)]) == [
        8192 / 16383,
        8193 / 16383,
        8194 / 16383,
    ]


def test_two_knobs_with_numbers_of_a_pair_are_two_knobs() -> None:
    """The MIDImix has knobs at 16 and 48; nobody turns both at the same moment."""
    device = MidiDevice("box")
    heard = [*values(device, "ch1.cc16.fine", [cc(16, 5), cc(17, 3), cc(48, 9), cc(48, 10), cc(16, 6)])]
    assert heard == []
    assert said(device, cc(48, 127))["ch1.cc48"] == 1.0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 127)), max_size=40))
def test_a_pair_stays_within_its_coarse_half(bytes_: list[tuple[bool, int]]) -> None:
    pair, coarse = TwoByteNumber(), None
    for upper, byte in bytes_:
        value = pair.coarse(byte) if upper else pair.fine(byte)
        coarse = byte if upper else coarse
        assert 0 <= value <= 1
        if coarse is not None and pair.whole:
            assert coarse << 7 <= round(value * 16383) <= coarse << 7 | 127


def test_nrpn_and_rpn_are_signals() -> None:
    device = MidiDevice("box")
    heard = values(
        device, "ch3.nrpn300", [cc(99, 2, 2), cc(98, 44, 2), cc(6, 64, 2), cc(38, 0, 2), cc(38, 9, 2)]
    )
    assert heard == [64 / 127, 8192 / 16383, 8201 / 16383]
    assert values(device, "ch3.nrpn300", [cc(96, 0, 2), cc(97, 0, 2), cc(97, 0, 2)]) == [
        8202 / 16383,
        8201 / 16383,
        8200 / 16383,
    ]
    assert values(device, "ch3.nrpn301", [cc(98, 45, 2), cc(6, 127, 2)]) == [1.0]  # its other half stays
    assert values(device, "ch3.rpn0", [cc(101, 0, 2), cc(100, 0, 2), cc(6, 127, 2)]) == [1.0]
    assert values(device, "ch3.nrpn300", [cc(99, 2, 2), cc(98, 44, 2), cc(6, 65, 2)]) == [65 * 128 / 16383]
    none = [cc(101, 127, 2), cc(100, 127, 2), cc(6, 3, 2)]
    assert said(device, *none) == {"ch3.cc6": 3 / 127}


def test_the_controllers_of_an_nrpn_give_no_other_signals() -> None:
    device = MidiDevice("box")
    said(device, cc(99, 2), cc(98, 44), cc(6, 64))
    assert said(device, cc(99, 2), cc(98, 44), cc(6, 1), cc(38, 1)).keys() == {"ch1.nrpn300"}


def test_knobs_with_controller_numbers_of_nrpn_are_knobs() -> None:
    device = MidiDevice("box")
    turned = [cc(98, 1), cc(98, 2), cc(101, 5), cc(99, 7), cc(6, 64), cc(96, 3)]
    assert said(device, *turned).keys() == {"ch1.cc98", "ch1.cc101", "ch1.cc99", "ch1.cc6", "ch1.cc96"}


def test_garbage_parameters_do_not_fill_memory() -> None:
    device, names = MidiDevice("box"), set()
    for n in range(2000):
        names |= said(device, cc(99, n >> 7), cc(98, n & 127), cc(6, 1)).keys()
    assert MOST_PARAMETERS <= len(names) < MOST_PARAMETERS + 10


@pytest.mark.parametrize(
    ("encoding", "bytes_", "expected"),
    [
        ("twos complement", [1, 5, 63, 127, 123, 64, 0], [1, 5, 63, -1, -5, -64, 0]),
        ("binary offset", [65, 69, 127, 63, 59, 0, 64], [1, 5, 63, -1, -5, -64, 0]),
        ("signed bit", [1, 5, 63, 65, 69, 127, 0, 64], [1, 5, 63, -1, -5, -63, 0, 0]),
    ],
)
def test_three_relative_encodings_are_read(encoding: str, bytes_: list[int], expected: list[int]) -> None:
    assert [relative_steps(encoding, byte) for byte in bytes_] == expected


def test_relative_controls_accumulate_within_their_range(device: MidiDevice) -> None:
    assert values(device, "dial", [cc(1, 1), cc(1, 2), cc(1, 127), cc(1, 65), cc(1, 64)]) == [
        1 / 127, 3 / 127, pytest.approx(2 / 127), 0.0, 0.0,
    ]  # fmt: skip
    assert values(device, "dial", [cc(1, 63), cc(1, 63), cc(1, 63), cc(1, 127)])[1:] == [
        126 / 127, 1.0, 126 / 127,
    ]  # fmt: skip
    assert values(device, "wheel", [cc(2, 65), cc(2, 69), cc(2, 60)]) == pytest.approx([0.1, 0.6, 0.2])
    jog = values(device, "jog", [cc(3, 63), cc(3, 66), cc(3, 64)])
    assert jog == pytest.approx([63 / 127, 61 / 127, 61 / 127])


def test_a_14_bit_fader_is_read_on_its_channel(device: MidiDevice) -> None:
    assert values(device, "fader1", [cc(4, 64, 1), cc(36, 0, 1), cc(36, 1, 1), cc(4, 1), cc(36, 1)]) == [
        64 / 127,
        8192 / 16383,
        8193 / 16383,
    ]
    assert "fader2" not in said(device, cc(4, 3, 1))


def test_notes_can_be_momentary_toggle_or_trigger(device: MidiDevice) -> None:
    def played(note: int) -> list[Message]:
        off = Message("note_off", note=note)
        return [Message("note_on", note=note, velocity=v) for v in (127, 0, 64)] + [off]

    assert values(device, "pad1", played(36)) == [1.0, 0.0, 64 / 127, 0.0]
    assert values(device, "switch", played(40)) == [1.0, 0.0]
    assert values(device, "drum", played(41)) == [1.0, 0.0, 64 / 127, 0.0]  # each goes back to 0 immediately
    assert device.values(Message("note_off", note=41))[1:] == []
    assert values(device, "key", [cc(42, 127), cc(42, 0), cc(42, 127), cc(42, 64)]) == [1.0, 0.0]


def test_a_scene_pad_requests_its_scene(device: MidiDevice) -> None:
    pressed = device.values(Message("note_on", note=37, velocity=1))
    assert pressed[1:] == [("midi.box.pad2", 1 / 127), ("midi.scene", 2.0), ("midi.scene", 0.0)]
    assert ("midi.scene", 2.0) not in device.values(Message("note_on", note=37, velocity=9))  # still down


@pytest.mark.parametrize("signal", ["midi.pad2", "midi.box.pad2", "midi.note37", "midi.box.ch1.note37"])
def test_a_pad_in_a_formula_requests_no_scene(device: MidiDevice, signal: str) -> None:
    press = [Message("note_on", note=note, velocity=9) for note in (36, 37)]
    device.use({signal, "midi.cc1"})
    assert [one for message in press for one in device.values(message) if one[0] == "midi.scene"] == [
        ("midi.scene", 1.0),
        ("midi.scene", 0.0),
    ]


def test_a_pad_is_a_signal_without_its_device_name(device: MidiDevice) -> None:
    device.receive(0.0, Message("note_on", note=38, velocity=127))
    heard = {event.name: event.value for event in device.take(0.0)}
    assert heard["midi.pad3"] == heard["midi.box.pad3"] == 1.0
    assert "midi.switch" not in heard


def test_pitch_bend_faders_are_read(device: MidiDevice) -> None:
    bends = [Message("pitchwheel", channel=1, pitch=pitch) for pitch in (-8192, 0, 8191)]
    assert values(device, "mackie2", bends) == [0.0, 8192 / 16383, 1.0]


def test_a_control_can_be_an_nrpn(device: MidiDevice) -> None:
    assert values(device, "send", [cc(99, 2), cc(98, 44), cc(6, 127)]) == [1.0]


def test_held_controls_are_released_when_the_device_disconnects(device: MidiDevice) -> None:
    for message in (
        Message("note_on", note=36, velocity=9),
        Message("note_on", note=40, velocity=9),
        Message("aftertouch", value=5),
        Message("polytouch", note=36, value=5),
        cc(16, 99),
    ):
        device.receive(0.0, message)
    device.take(0.0)
    device.release(1.0)
    gone = {event.name: event.value for event in device.take(1.0)}
    assert {name for name in gone if name.startswith("midi.box.") and ".ch" not in name} == {
        *("midi.box.note36", "midi.box.note40", "midi.box.pressure", "midi.box.note36.pressure"),
        "midi.box.pad1",
    }
    assert set(gone.values()) == {0.0}


def test_a_released_key_has_no_pressure() -> None:
    device = MidiDevice("box")
    said(device, Message("note_on", note=60, velocity=9), Message("polytouch", note=60, value=5))
    assert said(device, Message("note_off", note=60)) == {"ch1.note60": 0.0, "ch1.note60.pressure": 0.0}
    assert said(device, Message("note_off", note=60)) == {"ch1.note60": 0.0}


def test_running_status_holds_within_a_packet() -> None:
    stream = MidiParser()
    assert list(stream.feed([0xB0, 1, 2, 3, 4, 0xF8, 0xC5, 9, 10])) == [
        [0xB0, 1, 2], [0xB0, 3, 4], [0xF8], [0xC5, 9], [0xC5, 10],
    ]  # fmt: skip
    assert stream.garbage == 0
    assert list(stream.feed([5, 6, 0x90, 60, 0xFA, 1])) == [[0xFA], [0x90, 60, 1]]
    assert stream.garbage == 2


@pytest.mark.parametrize(
    ("packet", "garbage"),
    [
        ([1, 2, 3], 3),
        ([0xB0], 1),
        ([0xB0, 1], 2),
        ([0xB0, 1, 0x90, 2], 4),
        ([0xF4], 1),
        ([0xF5, 1], 2),
        ([0xF9], 1),
        ([0xF2, 1], 2),
        ([0xF7], 1),
        ([0xF0, 1, 2, 3, 0xF7], 0),
        ([0xF0, 1, 2, 3], 0),
        ([], 0),
    ],
)
def test_garbage_is_counted_and_dropped(packet: list[int], garbage: int) -> None:
    stream = MidiParser()
    assert list(stream.feed(packet)) == []
    assert stream.garbage == garbage


def test_system_exclusive_messages_in_parts_are_ignored() -> None:
    stream = MidiParser()
    assert list(stream.feed([0xF0, 1, 2])) == []
    assert list(stream.feed([3, 0xF8, 4])) == [[0xF8]]
    assert list(stream.feed([5, 0xF7, 0xB0, 1, 2])) == [[0xB0, 1, 2]]
    assert list(stream.feed([])) == []  # what it kept would be garbage now
    assert stream.garbage == 0


def test_random_bytes_give_only_signals_that_formulas_can_use() -> None:
    """Twenty thousand packets, a million with PERFORM_SOAK."""
    dice, stream, device = random.Random(7), MidiParser(), MidiDevice("thing")
    twin, named = MidiDevice("thing"), set()
    for n in range(20_000 * SOAK):
        for data in stream.feed(dice.randbytes(dice.randrange(8))):
            message = Message.from_bytes(data)
            device.receive(0.0, message)
            named |= {name for name, _ in twin.values(message)}
        if n % 500 == 0:
            events = device.take(0.0)
            for event in events:
                assert MIDI_SIGNAL.fullmatch(event.name)
                assert -1 <= event.value <= 128  # type: ignore[operator]
            assert named <= {event.name for event in events}  # none is dropped
            named.clear()
    assert stream.garbage > 10_000
    device.receive(0.0, cc(16, 127))
    assert ("midi.cc16", 1.0) in {(event.name, event.value) for event in device.take(0.0)}


@pytest.mark.parametrize(
    ("port", "name"),
    [
        ("nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", "nanokontrol2"),
        ("Arturia BeatStep 1", "arturia_beatstep_1"),
        ("CC1", "port_cc1"),
        ("ch 3", "ch_3"),
        ("Program", "port_program"),
        ("2 Knobs", "port_2_knobs"),
        ("ノブ", "port"),
        ("a" * 60, "a" * 32),
    ],
)
def test_a_port_has_a_name_for_formulas(port: str, name: str) -> None:
    assert device_name(port) == name
    assert MIDI_SIGNAL.fullmatch(f"midi.{name}.cc1")


def test_the_second_of_a_kind_has_a_number() -> None:
    assert free_name("midimix", set()) == "midimix"
    assert free_name("midimix", {"midimix", "midimix_2"}) == "midimix_3"
    assert device_kind("midimix_3") == device_kind("midimix") == "midimix"
    assert device_kind("nanokontrol2") == "nanokontrol2"
    assert device_kind("nanokontrol2_12") == "nanokontrol2"
