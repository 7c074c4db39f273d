"""Events and signals: what holds from frame to frame."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perform.clock import Moment
from perform.signals import Event, Signals

MOMENT = Moment(1.5, 90, 1 / 60, 3.0, 0.75, 120.0)


def test_signals_hold_until_the_next_value() -> None:
    first = Signals().after(MOMENT, [Event(0.1, "midi.cc21", 0.4), Event(0.2, "midi.cc22", 1.0)])
    second = first.after(MOMENT, [Event(0.3, "midi.cc21", 0.6)])
    assert (first["midi.cc21"], first["midi.cc22"]) == (0.4, 1.0)
    assert (second["midi.cc21"], second["midi.cc22"]) == (0.6, 1.0)


def test_the_last_event_of_a_frame_counts() -> None:
    signals = Signals().after(MOMENT, [Event(0.1, "a", 1.0), Event(0.1, "a", 2.0)])
    assert signals.number("a") == 2.0


def test_the_moment_is_part_of_the_snapshot() -> None:
    signals = Signals().after(MOMENT, [Event(0.0, "time.seconds", 99.0)])
    assert signals["time.seconds"] == 1.5
    assert (signals["beat.count"], signals["beat.barphase"]) == (3.0, 0.75)


def test_snapshot_is_frozen() -> None:
    signals = Signals().after(MOMENT, [])
    with pytest.raises(TypeError):
        signals.values["a"] = 1.0  # type: ignore[index]
    assert "a" not in signals
    assert len(signals) == len(list(signals)) == 8


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.5", 10**400, 1e31, np.zeros(3, np.float32)])
def test_a_value_that_is_no_number_gives_the_default(value: object) -> None:
    signals = Signals({"a": value})  # type: ignore[dict-item]
    assert signals.number("a", 0.7) == 0.7


@pytest.mark.parametrize("value", [0.25, np.float32(0.25), np.float64(0.25)])
def test_numbers_of_any_type_are_read(value: float) -> None:
    assert Signals({"a": value}).number("a") == 0.25


def test_a_signal_without_a_value_gives_the_default() -> None:
    assert (Signals().number("a"), Signals().number("a", 0.3)) == (0.0, 0.3)
