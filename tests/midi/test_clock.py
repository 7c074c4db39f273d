"""MIDI clock in, on made-up times."""

from __future__ import annotations

import math

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.inputs.midi import Midi
from perform.midi.clock import PULSES, ClockSender, DelayLockedLoop, MidiClocks


def pulses(bpm: float, beats: float, jitter: float = 0.0, since: float = 10.0, seed: int = 0) -> list[float]:
    """When the pulses of a clock arrive, in the order in which they do."""
    dice = np.random.default_rng(seed)
    times = since + np.arange(round(beats * PULSES)) * 60 / (bpm * PULSES)
    return sorted((times + dice.uniform(-jitter, jitter, len(times))).tolist())


def truth(number: int, bpm: float, since: float = 10.0) -> float:
    return since + number * 60 / (bpm * PULSES)


def locked(times: list[float]) -> DelayLockedLoop:
    lock = DelayLockedLoop()
    for time in times:
        lock.receive(time)
    return lock


def bpm_of(lock: DelayLockedLoop) -> float:
    return 60 / (lock.period * PULSES)


@pytest.mark.parametrize("bpm", [60, 90, 120, 128.5, 174, 200])
def test_a_steady_clock_is_exact_after_a_beat(bpm: float) -> None:
    lock = locked(pulses(bpm, 1))
    assert lock.ready
    assert bpm_of(lock) == pytest.approx(bpm, abs=1e-6)
    assert lock.time == pytest.approx(truth(PULSES - 1, bpm), abs=1e-9)


@pytest.mark.parametrize("bpm", [60, 90, 120, 150, 200])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_under_ten_milliseconds_of_jitter_it_is_steadier_than_its_input(bpm: float, seed: int) -> None:
    lock, errors, tempi = DelayLockedLoop(), [], []
    for number, time in enumerate(pulses(bpm, 64, jitter=0.01, seed=seed)):
        lock.receive(time)
        if number >= 16 * PULSES:
            errors.append(lock.time - truth(number, bpm))
            tempi.append(bpm_of(lock))
    assert max(map(abs, errors)) < 0.003
    assert np.std(errors) < 0.01 / math.sqrt(3) / 5  # the input's deviation is 5.8 ms
    assert max(tempi) - bpm < 0.5 and bpm - min(tempi) < 0.5


@pytest.mark.parametrize("bpm", [60, 120, 200])
def test_typical_jitter_stays_within_two_milliseconds(bpm: float) -> None:
    lock = DelayLockedLoop()
    for number, time in enumerate(pulses(bpm, 32, jitter=0.001)):
        lock.receive(time)
        if number >= 2 * PULSES:
            assert abs(lock.time - truth(number, bpm)) < 0.001
            assert abs(bpm_of(lock) - bpm) < 0.5


@pytest.mark.parametrize(("before", "after"), [(120, 140), (120, 121), (90, 180), (174, 87)])
def test_a_new_tempo_is_learned_within_two_beats(before: float, after: float) -> None:
    lock = locked(pulses(before, 16))
    since = truth(16 * PULSES - 1, before)
    for time in pulses(after, 2, since=since)[1:]:
        lock.receive(time)
    assert bpm_of(lock) == pytest.approx(after, abs=0.3)
    assert lock.time == pytest.approx(truth(2 * PULSES - 1, after, since), abs=0.002)


def test_a_ramp_is_followed() -> None:
    """90 to 130 bpm in 32 beats, without jitter and with 2 ms of it."""
    dice, beats = np.random.default_rng(0), np.arange(32 * PULSES) / PULSES
    times = 10 + np.concatenate(([0], np.cumsum(60 / (90 + 1.25 * beats[:-1]) / PULSES)))
    for jitter, most in ((0.0, 0.006), (0.002, 0.012)):
        lock, errors = DelayLockedLoop(), []
        for number, time in enumerate(times):
            lock.receive(float(time + dice.uniform(-jitter, jitter)))
            assert lock.ready == (number >= PULSES - 1)
            errors.append(abs(lock.time - times[number]) if number > PULSES else 0.0)
        assert max(errors) < most


def test_a_stall_that_is_caught_up_does_not_move_the_beat() -> None:
    times = pulses(120, 16)
    at = 8 * PULSES
    for length in (5, 12, 19):  # pulses that come all at once, up to 0.4 s late
        late = list(times)
        late[at : at + length] = [times[at + length] - 0.001 + 1e-5 * n for n in range(length)]
        lock = DelayLockedLoop()
        for number, time in enumerate(late):
            lock.receive(time)
            if number >= at:
                assert abs(lock.time - times[number]) < 0.002
                assert abs(bpm_of(lock) - 120) < 0.5


@pytest.mark.parametrize("jitter", [0.0, 0.001])
@pytest.mark.parametrize("missing", [1, 2])
def test_lost_pulses_do_not_move_the_beat(missing: int, jitter: float) -> None:
    times = pulses(120, 40, jitter, seed=4)
    sender = ClockSender()
    sender.receive("start", 10.0)
    for time in times[: 16 * PULSES] + times[16 * PULSES + missing :]:
        sender.receive("clock", time)
    assert sender.loop.lost == missing
    assert (sender.numbers(truth(40 * PULSES, 120))[1] + 2) % 4 * 0.5 == pytest.approx(1, abs=0.004)


def test_a_stopped_clock_continues_from_there() -> None:
    times = pulses(120, 8)
    times += [time + 0.3 for time in pulses(120, 4, since=truth(8 * PULSES, 120))]
    lock = locked(times)
    assert lock.time == pytest.approx(times[-1], abs=1e-4)
    assert bpm_of(lock) == pytest.approx(120, abs=0.01)


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_any_times_keep_the_lock_finite(gaps: list[float]) -> None:
    lock, time = DelayLockedLoop(), 5.0
    for gap in gaps:
        time += gap
        lock.receive(time)
        assert math.isfinite(lock.time)
        assert lock.count < 3 or 19.99 <= bpm_of(lock) <= 999.1


def sent(sender: ClockSender, beats: float, since: float, bpm: float = 120) -> float:
    """Pulses of a sender; the time of the next."""
    for time in pulses(bpm, beats, since=since):
        sender.receive("clock", time)
    return truth(round(beats * PULSES), bpm, since)


def test_before_a_start_only_tempo_and_pulse_are_known() -> None:
    sender = ClockSender()
    after = sent(sender, 2.3, 1.0)
    bpm, beat, unit, _, starts = sender.numbers(after)
    assert (bpm, unit, starts) == (120, pytest.approx(1 / 24), 0)
    assert min(beat % unit, unit - beat % unit) == pytest.approx(0, abs=1e-5)


def test_start_stop_continue_and_song_position() -> None:
    sender = ClockSender()
    after = sent(sender, 1.3, 1.0)
    sender.receive("start", after)
    after = sent(sender, 5.5, after)
    assert sender.numbers(after).tolist() == pytest.approx([120, 1.5, 4, 1, 1], abs=1e-4)
    sender.receive("stop", after)
    after = sent(sender, 1, after)
    assert sender.numbers(after).tolist() == pytest.approx([120, 2.5, 4, 0, 1], abs=1e-4)  # it ticks on
    sender.receive("continue", after)
    after = sent(sender, 1, after)
    assert sender.numbers(after).tolist() == pytest.approx([120, 2.5, 4, 1, 2], abs=1e-4)  # from the stop on
    sender.receive("stop", after)
    sender.receive("songpos", after, 9)  # sixteenths: beat 2.25
    sender.receive("continue", after)
    after = sent(sender, 1, after)
    assert sender.numbers(after).tolist() == pytest.approx([120, 3.25, 4, 1, 3], abs=1e-4)


def test_continue_alone_does_not_set_the_bar() -> None:
    sender = ClockSender()
    sender.receive("continue", 1.0)
    assert sender.numbers(sent(sender, 2, 1.0))[2] == pytest.approx(1 / 24)


def test_the_first_clock_leads_until_it_stops() -> None:
    clocks = MidiClocks()
    for port, bpm in (("a", 120), ("b", 90)):
        for time in pulses(bpm, 2, since=1.0):
            clocks.receive(port, "clock", time)
    (event,) = clocks.take(2.0)
    assert (event.name, event.time, clocks.followed) == ("tempo.midi", 2.0, "a")
    assert event.value[0] == pytest.approx(120)  # type: ignore[index]
    assert clocks.take(2.0) == []  # nothing new
    for time in pulses(90, 3, since=1.0 + 2 * 60 / 90):
        clocks.receive("b", "clock", time)
    (event,) = clocks.take(4.3)
    assert (event.value[0], clocks.followed) == (pytest.approx(90), "b")  # type: ignore[index]
    clocks.forget("b")
    assert clocks.take(4.4) == []


def test_the_midi_input_passes_on_the_clock_of_a_port() -> None:
    times = iter([1.0, 1.0, *pulses(130, 2.5, since=1.0)])
    unit = Midi(["no such port"], lambda: next(times), backend="no.such.backend")
    unit.close()
    unit.receive("a port", mido.Message("songpos", pos=6))
    unit.receive("a port", mido.Message("continue"))
    for _ in range(60):
        unit.receive("a port", mido.Message("clock"))
    last = truth(59, 130, 1.0)
    (event,) = (event for event in unit.poll(last) if event.name == "tempo.midi")
    assert isinstance(event.value, np.ndarray)
    assert event.value.tolist() == pytest.approx([130, 4 - 1 / 24, 4, 1, 1], abs=1e-3)
