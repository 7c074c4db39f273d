"""The position of a film: in time with the clock for any parameters."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import OfflineClock, Tempo
from perform.footage import FILM, LOOPS
from perform.footage.course import SHORTEST_PART, Course, Transport, part
from tests.doubles.moments import moment

REST = {parameter.name: parameter.default for parameter in FILM}
LENGTH = 2.0


def test_a_loop_has_no_seam_after_a_day() -> None:
    """At 29.97 frames a second every frame of a film of that rate is shown once a loop."""
    rate, transport = Fraction(30000, 1001), Transport()
    length = float(60 / rate)
    transport.step(moment(0), REST, length)
    for frame in range(86400 * 30, 86400 * 30 + 600):
        at = transport.step(moment(float(frame / rate)), REST, length).at
        assert int((at + 1e-6) * rate) == frame % 60


def test_a_film_starts_when_its_scene_starts() -> None:
    transport = Transport()
    assert transport.step(moment(7.3), REST, LENGTH).at == 0
    assert transport.step(moment(7.8), REST, LENGTH).at == pytest.approx(0.5)
    transport.rewind()
    assert transport.step(moment(9), REST, LENGTH).at == 0


def test_speed_changes_without_a_jump() -> None:
    transport, clock, at = Transport(), OfflineClock(50), []
    for frame in range(150):
        clock.advance()
        speed = 1.0 if frame < 50 else -0.5 if frame < 100 else 0.0
        at.append(transport.step(clock.moment(Tempo()), REST | {"speed": speed}, LENGTH).at)
    assert at[49] == pytest.approx(0.98)
    assert at[50] == pytest.approx(0.97)
    assert at[99] == pytest.approx(0.48)
    assert at[100:] == pytest.approx([0.48] * 50)


@pytest.mark.parametrize(("position", "where"), [(0.0, 0.0), (0.25, 0.5), (1.0, 2.0), (-0.0, 0.0)])
def test_with_speed_0_position_covers_the_whole_film(position: float, where: float) -> None:
    course = Transport().step(moment(5), REST | {"speed": 0.0, "position": position}, LENGTH)
    assert course.at == pytest.approx(where, abs=1e-5)


def test_a_loop_plays_backwards_across_its_start() -> None:
    transport = Transport()
    values = REST | {"speed": -1.0}
    assert transport.step(moment(0), values, LENGTH).at == 0
    assert transport.step(moment(0.25), values, LENGTH).at == pytest.approx(1.75)


def test_once_stops_at_its_end_and_turns_back_immediately() -> None:
    transport = Transport()
    for seconds in (0, 1, 5):
        course = transport.step(moment(seconds), REST | {"loop": "once"}, LENGTH)
    assert course.at == pytest.approx(2, abs=1e-5)
    back = transport.step(moment(5.5), REST | {"loop": "once", "speed": -1.0}, LENGTH)
    assert back.at == pytest.approx(1.5)


def test_bounce_plays_forwards_and_backwards() -> None:
    transport = Transport()
    at = [transport.step(moment(half / 2), REST | {"loop": "bounce"}, LENGTH).at for half in range(9)]
    assert at == pytest.approx([0, 0.5, 1, 1.5, 2, 1.5, 1, 0.5, 0], abs=1e-5)


def test_a_part_of_a_film_is_played() -> None:
    values = REST | {"start": 0.25, "end": 0.75, "position": 0.5}
    transport = Transport()
    at = [transport.step(moment(quarter / 4), values, LENGTH).at for quarter in range(5)]
    assert at == pytest.approx([1, 1.25, 0.5, 0.75, 1], abs=1e-5)


def test_later_positions_are_computed() -> None:
    course = Course(0.5, 1.5, 0.9, 1.0)
    assert [course.after(ahead) for ahead in (0, 0.05, 0.2)] == pytest.approx([1.4, 1.45, 0.6])


numbers = st.floats(0, 1)


@given(numbers, numbers, st.floats(0.01, 1e5))
def test_a_part_is_inside_the_film_and_never_empty(start: float, end: float, length: float) -> None:
    low, high = part(start, end, length)
    assert 0 <= low < high
    assert high - low >= SHORTEST_PART * 0.999
    assert high <= max(length, SHORTEST_PART) * (1 + 1e-9)


@given(
    st.lists(st.tuples(st.floats(0, 0.5), st.floats(-8, 8), numbers, numbers, numbers), max_size=20),
    st.sampled_from(LOOPS),
)
def test_the_position_never_leaves_its_part(
    steps: list[tuple[float, float, float, float, float]], loop: str
) -> None:
    transport, seconds = Transport(), 0.0
    for dt, speed, position, start, end in steps:
        seconds += dt
        values = {"speed": speed, "position": position, "start": start, "end": end, "loop": loop}
        course = transport.step(moment(seconds), values, LENGTH)
        assert all(course.low <= course.after(ahead) < course.high for ahead in (0.0, 0.1, 3.0))
