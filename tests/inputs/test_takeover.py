"""Soft takeover: what happens when a knob is not where its parameter is."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import OfflineClock, Tempo
from perform.formula import FormulaError
from perform.signals import Signals
from tests.doubles.formulas import compiled


def played(text: str, knob: list[float | None]) -> list[float]:
    """The values of a formula while `midi.cc1` has these values (None: no value yet), one per frame."""
    run, clock, results = compiled(text).start(), OfflineClock(60), []
    for value in knob:
        clock.advance()
        moment = clock.moment(Tempo())
        results.append(run(Signals({} if value is None else {"midi.cc1": value}), moment))
    return results


def test_without_takeover_the_value_jumps() -> None:
    assert played("midi.cc1", [None, 0.9, 0.8]) == [0.0, 0.9, 0.8]
    assert played("said(midi.cc1, 0.4)", [None, 0.9, 0.8]) == [0.4, 0.9, 0.8]


def test_pickup_waits_for_the_knob_to_cross() -> None:
    assert played("pickup(midi.cc1, 0.4)", [None, 0.9, 0.5, 0.3, 0.8]) == [0.4, 0.4, 0.4, 0.3, 0.8]


@pytest.mark.parametrize(
    ("knob", "result"),
    [
        ([None, None], [0.4, 0.4]),
        ([None, 0.9, 0.9], [0.4, 0.4, 0.4]),  # it was turned before the formula started
        ([0.8, 0.9, 1.0], [0.4, 0.7, 1.0]),  # half the way up for both
        ([0.8, 0.6, 0.4, 0.0], [0.4, 0.3, 0.2, 0.0]),
        ([0.8, 1.0, 0.5, 0.75], [0.4, 1.0, 0.5, 0.75]),  # from the end on it is the knob
        ([0.0, 0.5, 0.0], [0.4, 0.7, 0.0]),
        ([1.0, 0.5, 1.0], [0.4, 0.2, 1.0]),
        ([0.4, 0.7, 0.1], [0.4, 0.7, 0.1]),  # it was there already
    ],
)
def test_value_scaling_meets_at_the_ends(knob: list[float | None], result: list[float]) -> None:
    assert played("scaling(midi.cc1, 0.4)", knob) == pytest.approx(result, abs=1e-12)


@given(st.floats(0, 1), st.lists(st.integers(0, 127), min_size=2, max_size=40))
def test_value_scaling_moves_as_the_knob_does(default: float, bytes_: list[int]) -> None:
    knob = [byte / 127 for byte in bytes_]
    result = played(f"scaling(midi.cc1, {default:.6f})", list(knob))
    for (before, now), (was, there) in zip(itertools.pairwise(knob), itertools.pairwise(result), strict=True):
        assert (there - was) * (now - before) >= -1e-12
        assert -1e-12 <= there <= 1 + 1e-12
        assert now == before or now not in (0, 1) or there == pytest.approx(now, abs=1e-12)


def test_each_scene_starts_its_own_takeover() -> None:
    made = compiled("scaling(midi.cc1, 0.4)")
    moment = OfflineClock(60).moment(Tempo())
    first, second = made.start(), made.start()
    for knob in (0.8, 1.0):
        value = first(Signals({"midi.cc1": knob}), moment)
    assert (value, second(Signals({"midi.cc1": 1.0}), moment)) == (1.0, 0.4)


def test_takeover_needs_a_signal() -> None:
    for text in ("scaling(0.5, 1)", "scaling(midi.cc1 * 2, 1)", "scaling(midi.cc1)"):
        with pytest.raises(FormulaError):
            compiled(text)
