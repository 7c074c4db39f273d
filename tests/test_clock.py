"""Clock and tempo: exact values, with the timer of the test's own."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform import clock
from perform.clock import LiveClock, Moment, OfflineClock, Tempo
from tests.doubles.moments import Timer


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> Timer:
    timer = Timer()
    monkeypatch.setattr(clock, "time", timer)
    return timer


def tapped(*taps: float, tempo: Tempo | None = None) -> Tempo:
    tempo = tempo or Tempo()
    for tap in taps:
        tempo = tempo.tap(tap)
    return tempo


def test_a_moment_has_its_time_and_beat() -> None:
    said = Moment(seconds=2.25, frame=135, dt=1 / 60, beat=4.5, bar=1.125, bpm=120).signals()
    assert said == {
        "time.seconds": 2.25,
        "time.frame": 135.0,
        "time.dt": 1 / 60,
        "beat.bpm": 120,
        "beat.count": 4.0,
        "beat.phase": 0.5,
        "beat.bar": 1.0,
        "beat.barphase": 0.125,
    }


def test_a_single_tap_does_not_change_the_tempo() -> None:
    tempo = Tempo().tap(3.0)
    assert (tempo.bpm, tempo.source) == (120.0, "free")
    assert tempo.beat(7.3) == Tempo().beat(7.3)


def test_taps_set_tempo_and_phase() -> None:
    tempo = tapped(1.0, 1.6, 2.2, 2.8)
    assert tempo.bpm == pytest.approx(100)
    assert tempo.source == "hand"
    assert tempo.beat(2.8) == pytest.approx(round(tempo.beat(2.8)))
    assert tempo.beat(3.4) - tempo.beat(2.8) == pytest.approx(1)


def test_a_missed_tap_does_not_change_the_tempo() -> None:
    assert tapped(0.0, 0.5, 1.0, 2.0, 2.5).bpm == pytest.approx(120)


def test_two_missed_taps_do_not_change_the_tempo() -> None:
    assert tapped(0.0, 0.5, 1.0, 2.5, 3.0).bpm == pytest.approx(120)


def test_a_pause_starts_a_new_series() -> None:
    tempo = tapped(0.0, 0.5, 1.0, 10.0, 10.4, 10.8)
    assert tempo.bpm == pytest.approx(150)
    assert tempo.taps == (10.0, 10.4, 10.8)


def test_the_tempo_stays_after_a_pause_until_the_second_tap() -> None:
    assert tapped(0.0, 0.5, 1.0, 10.0).bpm == pytest.approx(120)


def test_a_bounce_is_one_tap() -> None:
    assert tapped(0.0, 0.5, 0.53, 1.0, 1.5) == tapped(0.0, 0.5, 1.0, 1.5)


def test_unsteady_taps_are_averaged() -> None:
    tempo = tapped(0.00, 0.52, 0.99, 1.51, 2.00)
    assert tempo.bpm == pytest.approx(120, rel=0.01)
    assert abs(tempo.beat(2.0) - round(tempo.beat(2.0))) < 0.03


def test_tapped_tempos_are_clipped_to_the_range_of_music() -> None:
    assert tapped(0.0, 2.9, 5.8).bpm == 40
    assert tapped(0.0, 0.2, 0.4, 0.6).bpm == 220


def test_only_the_last_taps_count() -> None:
    tempo = tapped(*[0.5 * i for i in range(30)])
    assert len(tempo.taps) == 12
    assert tempo.bpm == pytest.approx(120)


@given(st.lists(st.floats(-10, 10), max_size=20))
def test_any_taps_give_a_tempo(gaps: list[float]) -> None:
    seconds, tempo = 100.0, Tempo()
    for gap in gaps:
        seconds += gap
        tempo = tempo.tap(seconds)
        assert 40 <= tempo.bpm <= 220


def test_double_and_half_keep_the_beat() -> None:
    tempo = Tempo(bpm=100)
    double = tempo.scaled(2, 1.7)
    assert (double.bpm, double.source) == (200, "hand")
    assert double.beat(1.7) == pytest.approx(tempo.beat(1.7))
    assert double.scaled(2, 3.0) is double
    assert tempo.scaled(0.5, 1.7).bpm == 50
    assert Tempo(bpm=70).scaled(0.5, 0).bpm == 70


def test_set_keeps_the_beat_and_the_range() -> None:
    tempo = Tempo(bpm=100)
    assert tempo.set(128, 4.2).beat(4.2) == pytest.approx(tempo.beat(4.2))
    assert tempo.set(1000, 0).bpm == 220
    assert tempo.set(1, 0).bpm == 40


def test_a_nudge_moves_the_grid_ahead() -> None:
    assert Tempo().nudge(0.25).beat(1.0) == 2.25


def test_a_resync_starts_a_bar_on_the_nearest_beat() -> None:
    tempo = Tempo(bpm=120).resync(1.3)  # beat 2.6
    assert (tempo.beat(1.3), tempo.bar(1.3)) == (3, 1)
    assert tempo.bar(1.3 + 2.0) == pytest.approx(2)


def test_an_offset_shows_beats_early() -> None:
    offline = OfflineClock(10)
    for _ in range(11):
        offline.advance()
    moment = offline.moment(replace(Tempo(bpm=60), offset=0.1))
    assert (moment.seconds, moment.beat) == (1.0, pytest.approx(1.1))


def test_the_first_tracked_beat_is_taken_fully() -> None:
    tempo = Tempo(bpm=120).follow(1.1, 100, gain=0.3)
    assert (tempo.bpm, tempo.source) == (100, "audio")
    assert tempo.beat(1.1) == 2


def test_later_tracked_beats_pull_the_grid() -> None:
    tempo = Tempo(bpm=60).follow(0.0, 60).follow(1.2, 60, gain=0.5)
    assert tempo.beat(1.2) == pytest.approx(1.1)
    assert tempo.follow(2.0, 60, gain=0.5, downbeat=True).downbeat == 2


def test_tracked_downbeats_move_the_bar_and_keep_its_count() -> None:
    tempo = Tempo(bpm=60)
    for beat in (0.0, 4.0, 8.0, 12.0):
        tempo = tempo.follow(beat, 60, downbeat=True)
    assert tempo.bar(14.0) == 3.5
    assert tempo.follow(13.0, 60, downbeat=True).bar(13.0) == 3.0
    assert tempo.follow(15.0, 60, downbeat=True).bar(15.0) == 4.0


def test_the_tracker_waits_while_taps_lead() -> None:
    hand = Tempo().set(90, 0.0)
    assert hand.follow(1.0, 140) is hand
    assert hand.release().follow(1.0, 140).bpm == 140


@pytest.mark.parametrize("fps", [24, 30, 60, Fraction(30000, 1001)])
def test_offline_clock_is_exact(fps: float) -> None:
    offline = OfflineClock(fps)
    times = [offline.advance() for _ in range(200_001)]
    assert times[0] == 0
    assert times[200_000] == float(200_000 / Fraction(fps))
    moment = offline.moment(Tempo())
    assert (moment.frame, moment.dt) == (200_000, float(1 / Fraction(fps)))


def test_first_frame_has_no_duration() -> None:
    offline = OfflineClock(50)
    offline.advance()
    assert offline.moment(Tempo()) == Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)


def test_live_clock_follows_the_timer(timer: Timer) -> None:
    live = LiveClock()
    assert live.advance() == 0
    timer.seconds += 0.25
    assert live.now() == 0.25
    assert live.advance() == 0.25
    assert live.moment(Tempo()) == Moment(0.25, 1, 0.25, 0.5, 0.125, 120.0)


def test_a_live_frame_has_the_beat_of_the_middle_of_its_time_on_show(timer: Timer) -> None:
    """A frame is drawn in 12 ms and stays for 20; one that stalls for a second moves the delay by a step."""
    live, moments = LiveClock(), []
    for frame in range(201):
        live.advance()
        moments.append(live.moment(Tempo(bpm=60, offset=0.1)))
        timer.seconds += 1.012 if frame == 199 else 0.012
        live.shown()
        timer.seconds += 0.008
    assert (moments[0].delay, moments[0].beat) == (0.0, pytest.approx(0.1))
    assert moments[10].delay == pytest.approx(10 * 0.0005)
    assert moments[199].delay == pytest.approx(0.022)
    assert moments[199].beat == pytest.approx(199 * 0.02 + 0.022 + 0.1)
    assert moments[200].delay == pytest.approx(0.0225)


def test_an_offline_frame_has_the_beat_of_its_own_time() -> None:
    offline = OfflineClock(10)
    for _ in range(11):
        offline.advance()
        offline.shown()
    assert offline.moment(Tempo(bpm=60)) == Moment(1.0, 10, 0.1, 1.0, 0.25, 60.0)


def test_live_clock_paces_frames(timer: Timer) -> None:
    live = LiveClock(fps=50)
    frames = []
    for work in (0.001, 0.001, 0.012, 0.05, 0.001, 0.001):
        frames.append(live.advance())
        timer.seconds += work
    # The fourth frame took 50 ms: the fifth comes immediately, and the grid continues from there.
    assert frames == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.11, 0.13])


def test_a_live_clock_takes_another_pace_from_the_next_frame_on(timer: Timer) -> None:
    live = LiveClock(fps=50)
    frames = [live.advance(), live.advance()]
    live.pace(25)
    frames += [live.advance() for _ in range(3)]
    live.pace(50)
    frames += [live.advance() for _ in range(3)]
    assert frames == pytest.approx([0.0, 0.02, 0.04, 0.08, 0.12, 0.16, 0.18, 0.20])


def played(timer: Timer, live: LiveClock, frames: int, dt: float = 0.02) -> list[float]:
    seconds = []
    for _ in range(frames):
        timer.seconds += dt
        seconds.append(live.advance())
    return seconds


def test_live_clock_stays_with_a_slow_sound_card(timer: Timer) -> None:
    live = LiveClock(position=lambda: (timer.seconds - 1000) * 0.999)
    seconds = played(timer, live, 50 * 3600)
    assert seconds[-1] == pytest.approx(3600 * 0.999, abs=0.001)
    assert min(b - a for a, b in itertools.pairwise(seconds)) > 0.019


def test_live_clock_follows_a_sound_that_jumps_ahead(timer: Timer) -> None:
    live = LiveClock(position=lambda: timer.seconds - 1000 + 30)
    live.advance()
    assert played(timer, live, 1) == [pytest.approx(30.02)]


def test_live_clock_slows_down_for_a_late_sound_without_stopping(timer: Timer) -> None:
    late = 0.0
    live = LiveClock(position=lambda: timer.seconds - 1000 - late)
    live.advance()
    late = 1.0
    seconds = [0.0, *played(timer, live, 300)]
    steps = [b - a for a, b in itertools.pairwise(seconds)]
    assert min(steps) == pytest.approx(0.01)
    assert seconds[-1] == pytest.approx(300 * 0.02 - 1.0, abs=0.001)


def test_live_clock_continues_when_the_sound_starts_again(timer: Timer) -> None:
    begun = 1000.0
    live = LiveClock(position=lambda: timer.seconds - begun)
    live.advance()
    before = played(timer, live, 500)[-1]
    begun = timer.seconds
    assert played(timer, live, 100)[-1] == pytest.approx(before + 2.0)


def test_live_clock_continues_without_a_sound(timer: Timer) -> None:
    position: float | None = 0.0
    live = LiveClock(position=lambda: position)
    live.advance()
    position = None
    assert played(timer, live, 10)[-1] == pytest.approx(0.2)


def test_live_clock_never_runs_backwards_nor_stops_with_a_stuck_sound(timer: Timer) -> None:
    live = LiveClock(position=lambda: 1.0)
    live.advance()
    seconds = played(timer, live, 2000)
    assert all(b > a for a, b in itertools.pairwise(seconds))
    assert seconds[-1] > 1 + 2000 * 0.02 / 2 - 1


@pytest.mark.parametrize(("position", "first"), [(0.0, 0.0), (12.0, 12.0), (-0.1, 0.0)])
def test_live_clock_starts_at_the_position_of_the_sound(timer: Timer, position: float, first: float) -> None:
    live = LiveClock(position=lambda: position)
    timer.seconds += 2.0  # models are loaded
    assert live.advance() == first
    assert live.moment(Tempo()).dt == 0
