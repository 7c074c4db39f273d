"""The pointers of beat and bar, on activations that say exactly where beats and downbeats are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from perform.rhythm.bar import BarPointer
from perform.rhythm.grid import BeatGrid
from perform.rhythm.pointer import EVEN, BeatPointer, Pointed

NOTHING = 0.01


def activations(period: float, hops: int, start: float = 0.0) -> Iterator[float]:
    """0.8 in the hop of each beat and 0.3 beside it."""
    for hop in range(hops):
        away = abs((hop - start + period / 2) % period - period / 2)
        yield 0.8 if away < 0.5 else 0.3 if away < 1.5 else NOTHING


def after(pointer: BeatPointer, heard: Iterator[float]) -> Pointed:
    for activation in heard:
        pointer.hear(activation)
    return pointer.place()


@pytest.mark.parametrize("bpm", [60, 75, 97, 120, 150, 174])
def test_it_finds_tempo_and_place(bpm: float) -> None:
    period = 6000 / bpm
    pointed = after(BeatPointer(), activations(period, 1001))
    assert pointed.period == pytest.approx(period, rel=0.02)
    place = (1000 % period) / period
    assert abs((pointed.place - place + 0.5) % 1 - 0.5) < 0.06
    assert pointed.belief > 0.8 and pointed.sharpness > 0.9


@pytest.mark.parametrize("bpm", [100, 107])
def test_a_weak_beat_between_strong_ones_counts_where_half_the_tempo_would_be_rare(bpm: float) -> None:
    """As in a march whose second and fourth beats are hardly heard."""
    period = 6000 / bpm
    strong, weak = (activations(2 * period, 1001, start) for start in (0.0, period))
    heard = (max(one, 0.05 * other, NOTHING) for one, other in zip(strong, weak, strict=True))
    assert after(BeatPointer(), heard).period == pytest.approx(period, rel=0.02)


def test_it_follows_another_tempo_within_four_seconds() -> None:
    pointer = BeatPointer()
    after(pointer, activations(50, 1000))
    assert after(pointer, activations(43, 400)).period == pytest.approx(43, rel=0.02)


def test_what_says_nothing_leaves_the_place_running() -> None:
    pointer = BeatPointer()
    before = after(pointer, activations(50, 1000))
    later = after(pointer, iter([EVEN] * 25))
    assert later.period == pytest.approx(before.period, rel=0.01)
    assert (later.place - before.place) % 1 == pytest.approx(0.5, abs=0.03)


def test_nothing_heard_is_no_sharp_place() -> None:
    assert after(BeatPointer(), iter([EVEN] * 500)).sharpness < 0.3


@pytest.mark.parametrize(("meter", "first"), [(4, 0), (4, 3), (3, 1)])
def test_the_bar_is_found(meter: int, first: int) -> None:
    bar = BarPointer()
    said = []
    for beat in range(40):
        said.append(bar.next())
        bar.hear(0.4 if beat % meter == first else 0.03)
    assert [beat % meter == first for beat in range(24, 40)] == said[24:]


def test_without_downbeats_a_bar_has_four_beats() -> None:
    bar = BarPointer()
    said = []
    for _ in range(40):
        said.append(bar.next())
        bar.hear(0.1)
    assert set(np.diff(np.flatnonzero(said[8:]))) == {4}


def test_a_restart_forgets_the_bar() -> None:
    bar, fresh = BarPointer(), BarPointer()
    for beat in range(10):
        bar.next()
        bar.hear(0.5 if beat % 4 == 2 else 0.02)
    bar.restart()
    assert [bar.next() for _ in range(8)] == [fresh.next() for _ in range(8)]


def test_a_grid_reports_each_beat_once_and_can_be_pulled() -> None:
    grid = BeatGrid()
    assert (grid.running, grid.bpm, grid.beat()) == (False, 0.0, None)
    grid.lock(50.0, ago=45.0)
    beats = []
    for hop in range(1, 201):
        grid.pass_hop()
        if (ago := grid.beat()) is not None:
            beats.append(hop - ago)
    assert beats == [5.0, 55.0, 105.0, 155.0] and grid.bpm == 120
    grid.pull(4.0, 0.5, 0.25)
    assert (grid.due, grid.period) == (3.0, 49.0)


@pytest.mark.parametrize(("period", "bpm"), [(27.0, 220), (50.0, 120), (151.0, 40)])
def test_a_grid_keeps_to_the_tempi_of_a_show(period: float, bpm: float) -> None:
    grid = BeatGrid()
    grid.lock(period, ago=0.0)
    assert grid.bpm == pytest.approx(bpm) and grid.due == grid.period
