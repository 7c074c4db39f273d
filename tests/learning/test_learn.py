"""Learning: which control was moved, and its formula. The streams are bytes as devices send them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perform.clock import Moment, OfflineClock, Tempo
from perform.commands.learn import wait_for_control
from perform.inputs.midi import Midi
from perform.learning.formulas import formula as text_for
from perform.learning.movement import Control, MovementDetector
from perform.learning.targets import LearnTarget, find_target, other_name, scene_targets, show_targets
from perform.library import Library
from perform.parameters import Parameter
from perform.scenes.reader import read_scene
from perform.scenes.setlist import read_setlist
from perform.scenes.show import BINDINGS, SHOW_PARAMETERS
from perform.signals import Event, Signals
from tests.doubles.formulas import compiled
from tests.doubles.tapes import Stream, Tape, turned

LIBRARY = Library(Path.cwd())
Message = mido.Message


def jitter(cc: int, around: int, steps: int, until: float, seed: int = 0) -> Iterator[tuple[float, bytes]]:
    """A worn fader: untouched, it sends values within a few steps ten times a second."""
    draw = np.random.default_rng(seed)
    for time in np.arange(0.0, until, 0.1):
        yield float(time), bytes([0xB0, cc, around + int(draw.integers(-steps, steps + 1))])


def learned(*streams: Stream, seconds: float = 8.0, port: str = "tape") -> Control:
    return wait_for_control([Tape(*streams, port=port)], OfflineClock(100), seconds, MovementDetector())


def test_the_turned_knob_is_learned() -> None:
    assert learned(turned(21, 3, 90, 1.0)) == Control("midi.cc21")


def test_small_jitter_is_no_movement() -> None:
    with pytest.raises(TimeoutError, match="no control moved within 4 s; inputs: tape"):
        learned(jitter(7, 60, 4, 9.0), seconds=4.0)


def test_a_turned_knob_is_learned_rather_than_a_noisy_fader() -> None:
    assert learned(jitter(7, 60, 5, 9.0), turned(21, 40, 70, 1.5)).signal == "midi.cc21"


@pytest.mark.parametrize("order", [(20, 100, 21, 60), (21, 60, 20, 100)])
def test_the_control_that_moves_most_is_learned(order: tuple[int, int, int, int]) -> None:
    first, far, second, near = order
    said = learned(turned(first, 0, far, 1.0, 0.4), turned(second, 0, near, 1.05, 0.4))
    assert said.signal == "midi.cc20"


def test_a_button_is_learned_while_a_sensor_streams() -> None:
    times = np.arange(0.0, 9.0, 0.02)
    sweep = [(float(t), bytes([0xB0, 1, round(63.5 + 63 * np.sin(9 * t))])) for t in times]
    press = [(2.0, bytes([0x99, 36, 100])), (2.2, bytes([0x89, 36, 0]))]
    assert learned(sweep, press) == Control("midi.note36", button=True)


def test_a_drifting_fader_is_no_movement() -> None:
    drift = turned(7, 40, 60, 0.0, 8.0)
    with pytest.raises(TimeoutError):
        learned(drift, seconds=8.0)


def test_a_button_that_sends_control_changes_is_learned_as_a_button() -> None:
    """The S, M and R of a nanoKONTROL2: 127 when pressed, 0 when released."""
    press = [(1.0, bytes([0xB0, 32, 127])), (1.1, bytes([0xB0, 32, 0]))]
    assert learned(press) == Control("midi.cc32", button=True)


def test_a_soft_touch_of_a_pad_is_a_press() -> None:
    assert learned([(0.2, bytes([0x90, 60, 5])), (0.3, bytes([0x90, 60, 0]))]).signal == "midi.note60"


def test_pitch_bend_has_two_sides() -> None:
    bend = [(1 + n / 50, bytes([0xE0, 0, 64 + n])) for n in range(60)]
    assert learned([(0.9, bytes([0xE0, 0, 64])), *bend]) == Control("midi.pitch", low=-1.0, high=1.0)


def test_a_14_bit_control_is_learned_in_full() -> None:
    both = []
    for n in range(40 * 128, 80 * 128, 37):
        time = 1.0 + (n - 40 * 128) / (40 * 128)
        both.append((time, bytes([0xB0, 1, n >> 7, 0xB0, 33, n & 127])))
    assert learned(both).signal == "midi.cc1.fine"


def test_a_control_moved_before_is_not_learned_again() -> None:
    watch = MovementDetector(0.0)
    clock, tape = OfflineClock(100), Tape(turned(21, 0, 127, 1.0), turned(22, 0, 50, 3.0))
    found = []
    while (now := clock.advance()) < 5:
        watch.hear(tape.poll(now))
        if control := watch.moved(now):
            found.append(control.signal)
            watch.begin(now)
    assert found == ["midi.cc21", "midi.cc22"]


def test_a_controller_with_a_profile_is_learned_by_its_control_names() -> None:
    assert learned(turned(19, 3, 90, 1.0), port="MIDI Mix:MIDI Mix MIDI 1 20:0") == Control(
        "midi.midimix.fader1"
    )
    press = [(1.0, bytes([0x90, 1, 127])), (1.1, bytes([0x80, 1, 127]))]
    assert learned(press, port="MIDI Mix") == Control("midi.midimix.mute1", button=True)
    push = [(1.0, bytes([0xB0, 33, 127])), (1.1, bytes([0xB0, 33, 0]))]
    assert learned(push, port="nanoKONTROL2") == Control("midi.nanokontrol2.s2", button=True)


def test_an_endless_knob_is_learned_by_its_value_and_not_its_bytes() -> None:
    ticks = [(1 + n / 50, bytes([0xB0, 13, 1 if n < 60 else 127])) for n in range(80)]
    assert learned(ticks, port="APC40 mkII") == Control("midi.apc40.tempo")


def test_the_device_is_named_when_two_devices_have_the_number() -> None:
    """A third of a kind has no more than its number, too."""
    now = [0.0]
    midi = Midi([], lambda: now[0], backend="no.such.backend")
    watch, clock = MovementDetector(0.0), OfflineClock(100)
    while (seconds := clock.advance()) < 3:
        now[0] = seconds
        if seconds < 0.5:
            midi.receive("left", Message("control_change", control=1, value=5))
        if 1 < seconds < 1.5:
            midi.receive("right", Message("control_change", control=1, value=int(200 * (seconds - 1))))
        watch.hear(midi.poll(seconds))
        if control := watch.moved(seconds):
            assert control == Control("midi.right.cc1")
            return
    pytest.fail("nothing was learned")


@pytest.mark.parametrize(
    ("name", "values", "control"),
    [
        ("pad.lx", (0.0, 0.4, 0.9), Control("pad.lx", low=-1.0)),
        ("pad.rt", (0.0, 0.4, 0.9), Control("pad.rt")),
        ("pad.a", (1.0, 0.0), Control("pad.a", button=True)),
    ],
)
def test_a_gamepad_is_learned(name: str, values: tuple[float, ...], control: Control) -> None:
    watch = MovementDetector(0.0)
    watch.hear(
        Event(1 + n / 10, one, value) for n, value in enumerate(values) for one in (name, f"pad.1.{name[4:]}")
    )
    watch.moved(1.3)
    assert watch.moved(1.7) == control


def osc(values: Iterable[float], rate: float = 50.0) -> list[Event]:
    return [Event(1 + n / rate, 'osc["/1/fader1"]', value) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "ends"),
    [((0.2, 0.5, 0.9), (0.0, 1.0)), ((10.0, 60.0, 120.0), (0.0, 127.0)), ((-3.0, 5.0), (-3.0, 5.0))],
)
def test_an_osc_control_gets_the_range_that_is_received(
    values: tuple[float, ...], ends: tuple[float, float]
) -> None:
    watch = MovementDetector(0.0)
    watch.hear(osc(values))
    assert watch.moved(1.5) is None, "it waits for what else is moved"
    assert watch.moved(1.9) == Control('osc["/1/fader1"]', low=ends[0], high=ends[1])


def test_sound_beat_and_keys_are_never_learned() -> None:
    watch = MovementDetector(0.0)
    for name in ("audio.low", "beat.phase", "key.a", "mouse.x", "time.seconds", "feed.price", "learned.a"):
        watch.hear([Event(1.0, name, 0.0), Event(1.2, name, 1.0)])
    assert watch.moved(1.3) is None and watch.moved(1.7) is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 3), st.binary(max_size=12)), max_size=40))
def test_any_bytes_are_handled(stream: list[tuple[float, bytes]]) -> None:
    try:
        control = learned(stream, seconds=2.0)
    except TimeoutError:
        return
    assert compiled(text_for(target(), control))


def target(
    setting: object = 0.4, kind: str = "float", low: float | None = 0.0, high: float | None = 1.0
) -> LearnTarget:
    if isinstance(setting, str):
        setting = compiled(setting)
    return LearnTarget(
        "filter[0].zoom", Parameter("zoom", 0.4, low, high, kind=kind), setting, "/filter/x/zoom"
    )  # type: ignore[arg-type]


KNOB, PAD = Control("midi.cc21"), Control("midi.note36", True)
WAYS = [
    (target(), KNOB, "pickup(midi.cc21, 0.4)"),
    (target(1.0, high=4.0), KNOB, "scale(pickup(midi.cc21, 0.25), 0, 4)"),
    (target(-0.5, low=-1.0), KNOB, "scale(pickup(midi.cc21, 0.25), -1, 1)"),
    (target(0.5), Control("midi.pitch", False, -1, 1), "scale(pickup(midi.pitch, 0), 0.5, 1)"),
    (
        target(3, "int", 0, 7),
        Control('osc["/a"]', False, 0, 127),
        'scale(pickup(osc["/a"], 54.4286), 0, 0.0551181)',
    ),
    (target(0, "int", 0, 4294967295), KNOB, "scale(pickup(midi.cc21, 0), 0, 127)"),
    (target(900, "int", 0, 4294967295), KNOB, "scale(pickup(midi.cc21, 0), 900, 1027)"),
    (target(0.25, "float", -1000, 1000), KNOB, "scale(pickup(midi.cc21, 0.5), -0.75, 1.25)"),
    (target(0.5, "float", None, None), KNOB, "scale(pickup(midi.cc21, 0.5), -0.5, 1.5)"),
    (target(), PAD, "mix(0.4, 1, midi.note36)"),
    (target(0.0), PAD, "midi.note36"),
    (target(1.0), PAD, "mix(1, 0, midi.note36)"),
    (target(False, "bool"), PAD, "toggle(midi.note36)"),
    (target(True, "bool"), PAD, "1 - toggle(midi.note36)"),
    (target(False, "bool"), KNOB, "midi.cc21 > 0.5"),
    (target(False, "event"), PAD, "midi.note36 > 0"),
    (target(False, "event"), KNOB, "midi.cc21 > 0.5"),
    (target("0.5 * lfo(4)"), KNOB, "pickup(midi.cc21, 0)"),
    (target("0.9 - 0.6 * audio.mid"), KNOB, "pickup(midi.cc21, 0.9)"),
    (target("3 * said(osc['/wild'], 0.75)"), PAD, "mix(1, 0, midi.note36)"),  # kept in its range
    (target("0.5 * beat.bpm", "float", -1000, 1000), KNOB, "scale(pickup(midi.cc21, 0.5), 59, 61)"),
    (target("pickup(midi.cc16, 1.1) * lfo(4)"), KNOB, "pickup(midi.cc21, 1.1) * lfo(4)"),
    (target("lfo(4) + scaling( osc['/wild'] , 1)"), KNOB, "lfo(4) + scaling( midi.cc21 , 1)"),
]


@pytest.mark.parametrize(("one", "control", "text"), WAYS)
def test_a_control_becomes_a_formula(one: LearnTarget, control: Control, text: str) -> None:
    assert text_for(one, control) == text


def test_takeover_and_press_modes_make_their_formulas() -> None:
    assert text_for(target(), KNOB, takeover="scaling") == "scaling(midi.cc21, 0.4)"
    bend = Control("midi.pitch", False, -1, 1)
    assert text_for(target(0.5), bend, takeover="scaling") == "scale(pickup(midi.pitch, 0), 0.5, 1)"
    assert text_for(target(), KNOB, takeover="none") == "said(midi.cc21, 0.4)"
    assert text_for(target(), KNOB, 0.75) == "pickup(midi.cc21, 0.75)"
    assert text_for(target(), PAD, press="toggle") == "mix(0.4, 1, toggle(midi.note36))"
    assert text_for(target(False, "bool"), PAD, press="momentary") == "midi.note36 > 0"


def test_a_part_of_the_range_can_be_played() -> None:
    assert (
        text_for(target(1.0, high=4.0).between(0.5, 1.5), KNOB) == "scale(pickup(midi.cc21, 0.5), 0.5, 1.5)"
    )
    with pytest.raises(ValueError, match=r"filter\[0\].zoom from 0 to 9, must be two numbers within 0..4"):
        target(1.0, high=4.0).between(None, 9)


@given(st.floats(-50, 50), st.floats(0.1, 50), st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_the_whole_range_is_reached_from_any_value(
    low: float, width: float, share: float, knob: float, two_sided: bool
) -> None:
    """The value stays until the knob has passed it; then the knob's ends are the range's."""
    one = target(low + share * width, low=low, high=low + width)
    control = Control("midi.pitch", False, -1, 1) if two_sided else KNOB
    run = compiled(text_for(one, control)).start()
    moment = Moment(0, 0, 0, 0, 0, 120)

    def at(place: float) -> float:
        said = control.low + place * (control.high - control.low)
        return run(Signals({control.signal: said}), moment)

    near = pytest.approx(low + share * width, abs=1e-3)
    assert run(Signals(), moment) == near
    for end in (0.0, 1.0):
        at(end)
    assert at(knob) == pytest.approx(low + knob * width, abs=1e-3)


def test_every_number_of_a_preset_has_a_key_that_reads_back() -> None:
    for file in sorted(Path("presets").glob("*.toml")):
        found = scene_targets(read_scene(file, LIBRARY))
        names = [one.name for one in found]
        assert len(set(names)) == len(names) > 5
        assert all(
            find_target(found, one.name) is one and find_target(found, one.address) is not None
            for one in found
        )


def test_a_parameter_is_found_by_its_last_word() -> None:
    found = scene_targets(read_scene(Path("presets/poster.toml"), LIBRARY))
    assert find_target(found, "truncation").name == "generator.truncation"
    assert find_target(found, "screen").name == "filter[1].screen"
    with pytest.raises(LookupError, match=r"which of .*filter\[1\].amount, filter\[2\].amount"):
        find_target(found, "amount")
    with pytest.raises(
        LookupError, match=r"no parameter 'filter\[0\].scael' to learn; did you mean filter\[0\].scale"
    ):
        find_target(found, "filter[0].scael")
    with pytest.raises(LookupError, match=r"did you mean .*filter\[1\].amount or filter\[2\].amount\?$"):
        find_target(found, "amuont")


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("generator.speed", "source.speed"),
        ("layer[1].source.size", "layer[1].generator.size"),
        ("overlay[0].generator.seen.speed", "overlay[0].source.seen.speed"),
        ("filter[0].generator", "filter[0].generator"),
        ("layer[1].opacity", "layer[1].opacity"),
    ],
)
def test_the_other_name_of_a_source(key: str, other: str) -> None:
    assert other_name(key) == other


def test_the_controls_of_the_show_keep_their_keys() -> None:
    setlist = read_setlist(Path("setlists/demo.toml"), LIBRARY, LIBRARY.preset_file)
    found = {one.parameter.name: one for one in show_targets(setlist)}
    go = text_for(found["go"], PAD)
    assert go == f"max({BINDINGS['go']}, midi.note36 > 0)"
    assert compiled(go).names >= {"key.space", "midi.note36"}
    dark = compiled(text_for(found["blackout"], PAD)).start()
    moment = Moment(0, 0, 0, 0, 0, Tempo().bpm)
    said = [dark(Signals({"midi.note36": note, "key.b": 0.0}), moment) for note in (0, 1, 0, 1, 0)]
    assert said == [0, 1, 1, 0, 0]
    assert text_for(replace(found["master"]), KNOB).startswith("pickup(midi.cc21, 1)")
    assert {parameter.name for parameter in SHOW_PARAMETERS} - set(found) == {"scene", "clock"}
