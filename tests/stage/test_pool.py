"""Generators opened beside a show, within a budget."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from perform.networks import ModelError
from perform.stage.pool import RESTING, Studios, Wanted

A, B, C, HUGE = (Wanted(name) for name in ("a", "b", "c", "huge"))
MIB = {"a": 40, "b": 40, "c": 40, "huge": 90}


class Studio:
    """Counts pictures and remembers whether it was closed."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted, self.made, self.closed = wanted, 3, False
        self.generator: Any = None
        self.first = np.zeros((1, 1, 3), np.uint8)

    def ask(self, client: Any, request: Any) -> None:
        pass

    def take(self, client: Any) -> None:
        return None

    def close(self) -> None:
        self.closed = True


class House:
    """Studios that a test watches; `gate` holds openings back until it is set."""

    def __init__(self, budget: float = 100, beside: bool = False) -> None:
        self.opened: list[Studio] = []
        self.gate = threading.Event()
        self.gate.set()
        self.studios = Studios(self.open, lambda w: MIB[w.model] * 2**20, budget * 2**20, beside)

    def open(self, wanted: Wanted) -> Studio:
        assert self.gate.wait(10)
        if wanted.model == "broken":
            raise ModelError("broken is not readable")
        self.opened.append(Studio(wanted))
        return self.opened[-1]

    def rest(self, playing: Wanted) -> None:
        """A scene that plays for a while."""
        for _ in range(RESTING + 1):
            self.studios.find(playing)


def until(ready: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(1000):
        if ready():
            return
        done.wait(0.01)
    raise AssertionError("it never came")


def test_offline_a_studio_is_open_when_it_is_asked_for() -> None:
    house = House()
    assert house.studios.find(A) is None
    assert house.studios.ready(A) is True
    assert house.studios.find(A) is house.opened[0]
    assert house.studios.open(A) is house.opened[0]
    assert len(house.opened) == 1


def test_on_stage_it_is_opened_beside_the_show() -> None:
    house = House(beside=True)
    house.gate.clear()
    assert [house.studios.ready(A) for _ in range(3)] == [False] * 3
    assert house.studios.find(A) is None
    house.gate.set()
    until(lambda: house.studios.ready(A) is True)
    assert len(house.opened) == 1
    house.studios.close()
    assert house.opened[0].closed


def test_what_played_longest_ago_goes_first() -> None:
    house = House()
    house.studios.open(A)
    house.studios.open(B)
    house.rest(B)
    assert house.studios.ready(C)
    assert [studio.closed for studio in house.opened] == [True, False, False]
    house.rest(C)
    assert house.studios.ready(A)
    assert [studio.closed for studio in house.opened] == [True, True, False, False]
    assert house.studios.made() == 4 * 3  # also those of the closed


def test_what_is_on_show_is_not_closed_for_another() -> None:
    house = House()
    house.studios.open(A)
    house.studios.open(B)
    house.studios.find(A), house.studios.find(B)  # a transition between them
    assert not house.studios.ready(C)
    assert not any(studio.closed for studio in house.opened)
    house.rest(B)
    assert house.studios.ready(C)
    assert house.opened[0].closed


def test_what_comes_next_stays() -> None:
    house = House()
    house.studios.open(A)
    house.studios.open(B)
    for _ in range(2 * RESTING):
        house.studios.find(B)
        assert house.studios.ready(A)  # the next cue's, asked for in every frame
    assert not house.studios.ready(C)
    assert not any(studio.closed for studio in house.opened)


def test_what_never_fits_is_refused_before_anything_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.studios.open(A)
    house.studios.open(B)
    house.rest(B)
    with caplog.at_level(logging.ERROR):
        assert house.studios.ready(HUGE) is None
    assert "huge cannot be opened: it takes 90 MiB beside 40 on show, and all may take 100" in caplog.text
    assert not any(studio.closed for studio in house.opened)
    assert house.studios.fits([A, B]) and not house.studios.fits([A, B, C])


def test_a_model_that_fails_is_said_once_and_tried_again_after_an_edit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    MIB["broken"] = 1
    house, broken = House(), Wanted("broken")
    with caplog.at_level(logging.ERROR):
        assert [house.studios.ready(broken) for _ in range(3)] == [None] * 3
    assert caplog.text.count("broken is not readable") == 1
    house.studios.forget(broken)
    house.studios.ready(broken)
    assert caplog.text.count("broken is not readable") == 2
    with pytest.raises(ModelError, match="not readable"):
        house.studios.open(broken)


def test_memory_stays_flat_over_many_changes() -> None:
    house = House()
    for change in range(200):
        wanted = (A, B, C)[change % 3]
        house.studios.open(wanted)
        house.rest(wanted)
        assert sum(not studio.closed for studio in house.opened) <= 2
