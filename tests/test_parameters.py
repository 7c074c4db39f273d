"""Parameters: which values they accept, and the errors of the others."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.parameters import Kind, Parameter, ParameterError, number_text

AMOUNT = Parameter("amount", 0.5, 0, 1)
COUNT = Parameter("count", 3, 1, 8, kind="int")
MODE = Parameter("mode", "soft", kind="choice", choices=("soft", "hard"))
SEEDS = Parameter("seeds", (1,), 0, 2**32 - 1, kind="list")
KINDS: tuple[Kind, ...] = (
    "float",
    "int",
    "bool",
    "event",
    "choice",
    "text",
    "point",
    "color",
    "list",
    "sound",
)


@pytest.mark.parametrize(
    ("parameter", "value", "checked"),
    [
        (AMOUNT, 0, 0),
        (AMOUNT, 0.25, 0.25),
        (COUNT, 3.0, 3),
        (MODE, "hard", "hard"),
        (SEEDS, [3, 14], (3, 14)),
        (Parameter("place", (0, 0), 0, 1, kind="point"), [0, 1], (0.0, 1.0)),
        (Parameter("tint", (0, 0, 0, 1), 0, 1, kind="color"), (0, 0.5, 1, 1), (0.0, 0.5, 1.0, 1.0)),
        (Parameter("on", False, kind="bool"), True, True),
        (Parameter("flash", False, kind="event"), 0, False),
        (Parameter("title", "", kind="text"), "anything", "anything"),
    ],
)
def test_a_parameter_accepts_valid_values(parameter: Parameter, value: Any, checked: Any) -> None:
    result = parameter.check(value)
    assert result == checked
    assert type(result) is type(checked)


@pytest.mark.parametrize(
    ("value", "cast"),
    [
        (0, 0),
        (999.5, 999.5),
        (1000, 1000),
        (1000.5, 0.5),
        (4321, 321),
        (-0.25, 999.75),
        (math.nan, 0),
        (math.inf, 0),
    ],
)
def test_a_number_that_grows_out_of_a_range_that_wraps_goes_through_it_again(
    value: float, cast: float
) -> None:
    assert Parameter("seed", 0, 0, 1000, wraps=True).cast(value) == cast
    assert Parameter("way", 0, -500, 500, wraps=True).cast(value - 500) == cast - 500
    assert Parameter("seed", 0, 0, 1000).cast(value) == max(0, min(value, 1000))


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (AMOUNT, 1.7, "amount = 1.7, must be 0..1"),
        (AMOUNT, -0.1, "amount = -0.1, must be 0..1"),
        (AMOUNT, math.nan, "amount = nan, must be a number 0..1"),
        (AMOUNT, True, "amount = True, must be a number 0..1"),
        (AMOUNT, "loud", "amount = 'loud', must be a number 0..1"),
        (Parameter("size", 1.0, 0.0, None, "px"), -1, "size = -1, must be 0..∞ px"),
        (Parameter("free", 1.0), math.inf, "free = inf, must be a number -∞..∞"),
        (Parameter("free", 1.0), [], "free = [], must be a number -∞..∞"),
        (COUNT, 2.5, "count = 2.5, must be a whole number 1..8"),
        (COUNT, 9, "count = 9, must be 1..8"),
        (MODE, "sofd", "mode = 'sofd', must be one of soft, hard; did you mean 'soft'?"),
        (MODE, "zzz", "mode = 'zzz', must be one of soft, hard"),
        (MODE, 3, "mode = 3, must be text"),
        (SEEDS, [], "seeds = [], must be a list of whole numbers"),
        (SEEDS, 3, "seeds = 3, must be a list of whole numbers"),
        (SEEDS, [1.5], "seeds = [1.5], must hold whole numbers only"),
        (SEEDS, [True], "seeds = [True], must hold whole numbers only"),
        (SEEDS, [-1], "seeds = [-1], must hold numbers 0..4 294 967 295"),
        (Parameter("place", (0, 0), 0, 1, kind="point"), [0], "place = [0], must be 2 numbers 0..1"),
        (Parameter("place", (0, 0), 0, 1, kind="point"), [0, 2], "place = 2, must be 0..1"),
        (Parameter("on", False, kind="bool"), 0.5, "on = 0.5, must be true or false"),
        (Parameter("flash", False, kind="event"), "yes", "flash = 'yes', must be true or false"),
        (Parameter("bins", "audio.waveform", kind="sound"), 1, "bins gets its value from the sound"),
    ],
)
def test_a_parameter_rejects_wrong_values_and_says_what_is_allowed(
    parameter: Parameter, value: Any, message: str
) -> None:
    with pytest.raises(ParameterError) as error:
        parameter.check(value)
    assert str(error.value) == message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=8,
)


@given(st.sampled_from(KINDS), ANYTHING, st.none() | st.just(0.0), st.none() | st.just(1.0))
def test_any_value_is_accepted_or_rejected(
    kind: Kind, value: Any, low: float | None, high: float | None
) -> None:
    parameter = Parameter("x", 0, low, high, kind=kind)
    try:
        checked = parameter.check(value)
    except ParameterError as error:
        assert str(error).startswith("x ")
    else:
        assert parameter.check(checked) == checked


@given(st.floats())
def test_clip_gives_valid_values(value: float) -> None:
    assert AMOUNT.check(AMOUNT.clip(value)) == AMOUNT.clip(value)


@pytest.mark.parametrize(("value", "clipped"), [(-1, 0), (0.3, 0.3), (7, 1), (math.nan, 0), (-math.inf, 0)])
def test_clip_limits_a_value(value: float, clipped: float) -> None:
    assert AMOUNT.clip(value) == clipped


def test_clip_keeps_values_of_an_open_range() -> None:
    assert Parameter("x", 0.0).clip(1e9) == 1e9
    assert Parameter("x", 0.0, None, 1).clip(2) == 1


@pytest.mark.parametrize(
    ("kind", "playable"), [("float", True), ("event", True), ("choice", False), ("sound", False)]
)
def test_some_kinds_of_parameters_are_playable(kind: Kind, playable: bool) -> None:
    assert Parameter("x", 0, kind=kind).playable is playable


@pytest.mark.parametrize(
    ("value", "text", "exact"),
    [
        (0.566667, "0.57", "0.566667"),
        (0.5, "0.5", "0.5"),
        (12.3456, "12.35", "12.3456"),
        (0.00123, "0.0012", "0.00123"),
        (0, "0", "0"),
        (-3, "-3", "-3"),
        (2.0**31, "2 147 483 648", "2 147 483 648"),
        (480000.4, "480 000", "480 000"),
        (1.7976931348623157e308, "1.8e308", "1.8e308"),
        (float("nan"), "nan", "nan"),
        (float("-inf"), "-inf", "-inf"),
    ],
)
def test_numbers_are_for_people(value: float, text: str, exact: str) -> None:
    assert (number_text(value), number_text(value, exact=True)) == (text, exact)
