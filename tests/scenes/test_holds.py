"""Holds: the value of a person over that of a formula."""

import pytest

from perform.clock import OfflineClock, Tempo
from perform.parameters import Parameter
from perform.scenes.controls import RunningControls, UnitSettings
from perform.scenes.holds import Hold, fits, holdable
from perform.signals import Signals
from tests.doubles.formulas import compiled

AMOUNT = Parameter("amount", 0.5, 0.0, 2.0)
LAYER = Parameter("layer", 3, 0, 8, kind="int")
LIGHTS = Parameter("lights", False, 0, 1, kind="bool")
JUMP = Parameter("jump", False, 0, 1, kind="event")
ORDER = Parameter("order", "once", kind="choice", choices=("once", "twice"))
TINT = Parameter("tint", (0.0, 0.0, 0.0, 1.0), 0.0, 1.0, kind="color")
SEEDS = Parameter("seeds", (0, 1), kind="list")


@pytest.mark.parametrize(
    ("parameter", "said", "worth"),
    [
        (AMOUNT, 1.5, 1.5),
        (AMOUNT, 7.0, 2.0),
        (AMOUNT, -1.0, 0.0),
        (LAYER, 4.6, 5),
        (LIGHTS, 0.6, True),
        (LIGHTS, 0.4, False),
        (ORDER, "twice", "twice"),
    ],
)
def test_a_held_value_is_clipped_to_the_range(parameter: Parameter, said: float, worth: object) -> None:
    hold = Hold(parameter, "release")
    hold.set(0, said)
    assert [hold.step(parameter.default) for _ in range(3)] == [worth] * 3
    assert not hold.over


def test_channels_that_are_not_held_follow_their_formulas() -> None:
    hold = Hold(TINT, "release")
    hold.set(1, 0.5)
    assert hold.step((0.1, 0.2, 0.3, 1.0)) == (0.1, 0.5, 0.3, 1.0)
    hold.set(3, 0.0)
    assert hold.step((0.2, 0.2, 0.3, 1.0)) == (0.2, 0.5, 0.3, 0.0)


@pytest.mark.parametrize(
    ("parameter", "part", "value"),
    [(AMOUNT, 1, 0.5), (AMOUNT, 0, "loud"), (ORDER, 0, "thrice"), (ORDER, 0, 1.0), (TINT, 4, 1.0)]
    + [(AMOUNT, 0, float(number)) for number in ("nan", "inf", "-inf")],
)
def test_a_value_of_the_wrong_type_holds_nothing(parameter: Parameter, part: int, value: float | str) -> None:
    hold = Hold(parameter, "release")
    hold.set(part, value)
    assert not fits(parameter, part, value)
    assert hold.step(parameter.default) == parameter.default


def test_a_parameter_without_a_valid_value_is_not_held() -> None:
    controls = RunningControls(UnitSettings("u", (AMOUNT,), {}))
    controls.hold(AMOUNT, 0, "loud")
    controls.hold(AMOUNT, 1, 0.5)
    assert controls.held == 0


def test_a_press_lasts_one_frame() -> None:
    hold = Hold(JUMP, "release")
    hold.set(0, 1.0)
    assert (hold.step(False), hold.over) == (True, True)


def test_the_newest_of_two_values_of_a_show_control_wins() -> None:
    hold = Hold(AMOUNT, "moved")
    hold.set(0, 1.5)
    assert [hold.step(0.5), hold.step(0.5)] == [1.5, 1.5]
    assert (hold.step(0.6), hold.over) == (0.6, True)


def test_a_held_switch_flips_when_its_formula_flips() -> None:
    hold = Hold(LIGHTS, "moved")
    hold.set(0, 1.0)
    assert [hold.step(formula) for formula in (False, False, True, True, False)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    hold.set(0, 1.0)
    assert [hold.step(False), hold.step(True)] == [True, False]


def test_only_some_kinds_of_parameters_can_be_held() -> None:
    assert all(map(holdable, (AMOUNT, LAYER, LIGHTS, JUMP, ORDER, TINT)))
    assert not any(map(holdable, (SEEDS, Parameter("sound", "audio.spectrum", kind="sound"))))


def test_held_formulas_keep_running_and_return_at_release() -> None:
    texts = {"amount": compiled("count(beat.count)"), "layer": 4}
    controls = RunningControls(UnitSettings("u", (AMOUNT, LAYER, JUMP), texts))
    clock, tempo, seen = OfflineClock(1), Tempo(60), []
    for frame in range(4):
        clock.advance()
        moment = clock.moment(tempo)
        if frame == 1:
            controls.hold(AMOUNT, 0, 0.25)
            controls.hold(LAYER, 0, 7.0)
        if frame == 3:
            controls.release(AMOUNT)
        signals = Signals().after(moment, [])
        seen.append((controls.step(moment, signals)["amount"], controls.last["layer"], controls.held))
    assert [layer for _, layer, _ in seen] == [4, 7, 7, 7]
    assert [held for _, _, held in seen] == [0, 2, 2, 1]
    assert [amount for amount, _, _ in seen] == [0.0, 0.25, 0.25, 1.0]
    controls.release()
    assert controls.held == 0
