"""Functions of formulas: exact values on the offline clock, and the same at any frame rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import pytest

from perform.clock import OfflineClock, Tempo
from perform.formula import FormulaError
from perform.formula.functions import FUNCTIONS
from perform.signals import Signals
from tests.doubles.formulas import compiled

NOISE = [0.5827496615028087, 0.753439610411553, 0.5353210898649783]  # of seed 0


def played(
    text: str, values: Sequence[float | None], fps: float = 10, tempo: Tempo | None = None
) -> list[float]:
    """The values of a formula while `feed.a` has these values (None: no value yet), one per frame."""
    run, clock, results = compiled(text).start(), OfflineClock(fps), []
    for value in values:
        clock.advance()
        moment = clock.moment(tempo or Tempo(bpm=60))
        said = Signals({} if value is None else {"feed.a": value}).after(moment, [])
        results.append(run(said, moment))
    return results


def over(
    text: str, seconds: float, fps: float, signal: Callable[[float], float] = lambda t: 0.0
) -> list[float]:
    return played(text, [signal(i / fps) for i in range(round(seconds * fps) + 1)], fps)


def test_lag_is_a_one_pole_filter_in_both_directions() -> None:
    result = played("lag(feed.a, 0.1, 0.2)", [0, 1, 1, 0, 0])
    up, down = 1 - math.exp(-1), math.exp(-0.5)
    peak = up + (1 - up) * up
    assert result == pytest.approx([0, up, peak, peak * down, peak * down * down])


def test_lag_falls_the_same_at_any_frame_rate() -> None:
    slow, fast = (over("lag(feed.a, 0.3, 0.7)", 3, fps, lambda t: float(t == 0)) for fps in (20, 60))
    assert slow[-1] == pytest.approx(math.exp(-3 / 0.7))
    assert slow == pytest.approx(fast[::3])


def test_lag_without_time_follows_at_once() -> None:
    assert played("lag(feed.a, 0, 0)", [0, 1, 0.5]) == [0, 1, 0.5]


def test_lag_starts_at_its_signal() -> None:
    assert played("lag(feed.a, 5, 5)", [0.7, 0.7]) == [0.7, 0.7]


@pytest.mark.parametrize(
    "text",
    [
        "envelope(feed.a, 0.25, 1)",
        "lfo(3)",
        "saw(3, 0.5)",
        "triangle(3)",
        "noise(1.5, 7)",
        "hold(lfo(5), feed.a)",
        "count(feed.a) + toggle(feed.a)",
        "onset(beat.bar) + gate(lfo(2), 0.7, 0.3)",
    ],
)
def test_every_frame_rate_gives_the_same_values(text: str) -> None:
    def signal(t: float) -> float:
        return float(t >= 1)

    slow, fast = over(text, 6, 20, signal), over(text, 6, 60, signal)
    assert slow == pytest.approx(fast[::3], abs=1e-9)


def test_smooth_at_rest_is_a_one_pole_at_its_cutoff() -> None:
    share = 2 * math.pi * 1 * 0.1 / (2 * math.pi * 1 * 0.1 + 1)
    assert played("smooth(feed.a)", [0, 1, 1]) == pytest.approx([0, share, share + share * (1 - share)])


def test_smooth_opens_with_speed() -> None:
    steady, quick = (played(f"smooth(feed.a, 0.5, {beta})", [0, 1])[1] for beta in (0, 1))
    speed = 2 * math.pi * 0.1 / (2 * math.pi * 0.1 + 1) * 10  # of the step, filtered at 1 Hz
    turn = 2 * math.pi * (0.5 + speed) * 0.1
    assert quick == pytest.approx(turn / (turn + 1))
    assert steady < quick < 1


def test_hold_samples_when_its_trigger_fires() -> None:
    assert played("hold(beat.count, feed.a)", [0, 0, 1, 1, 0, 0.3], fps=1) == [0, 0, 2, 2, 2, 5]


def test_onset_fires_when_a_counter_changes() -> None:
    result = played("onset(beat.bar)", [0] * 14, fps=1)  # a bar is four seconds
    assert [i for i, value in enumerate(result) if value] == [4, 8, 12]


def test_onset_fires_when_a_level_crosses_its_threshold() -> None:
    levels = [0.2, 0.5, 0.8, 0.9, 0.6, 0.7, 1.0, 0.0, 0.45, 0.55]
    assert played("onset(feed.a)", levels) == [0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert played("onset(feed.a, 0.3)", levels) == [0, 1, 1, 0, 0, 0, 1, 0, 1, 0]


def test_gate_has_hysteresis() -> None:
    levels = [0, 0.5, 0.7, 0.5, 0.3, 0.2, 0.5]
    assert played("gate(feed.a, 0.6, 0.3)", levels) == [0, 0, 1, 1, 1, 0, 0]
    assert played("gate(feed.a, 0.5)", levels) == [0, 1, 1, 1, 0, 0, 1]


def test_count_and_toggle_change_on_each_press() -> None:
    presses = [1, 0, 1, 1, 0, 0.2, 0]
    assert played("count(feed.a)", presses) == [0, 0, 1, 1, 1, 2, 2]
    assert played("toggle(feed.a)", presses) == [0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("knob", "result"),
    [
        ([None, None], [0.4, 0.4]),
        ([0.9, 0.7, 0.5, 0.3, 0.8], [0.4, 0.4, 0.4, 0.3, 0.8]),
        ([0.1, 0.3, 0.4, 0.2], [0.4, 0.4, 0.4, 0.2]),
        ([None, 0.9, 0.8, 0.1], [0.4, 0.4, 0.4, 0.1]),
        ([0.4, 0.4, 0.45], [0.4, 0.4, 0.45]),
        ([0.9, 0.9, 0.9], [0.4, 0.4, 0.4]),
    ],
)
def test_pickup_waits_for_the_knob_to_cross(knob: list[float | None], result: list[float]) -> None:
    assert played("pickup(feed.a, 0.4)", knob) == result


def test_envelope_attacks_and_releases() -> None:
    trigger = [0, 1, 1, 1, 0, 0, 0, 0]
    rise = played("envelope(feed.a, 0.2, 0.4)", trigger)
    assert rise == pytest.approx([0, 0, 0.5, 1, 0.75, 0.5, 0.25, 0])
    assert played("envelope(feed.a, 0, 0.2)", trigger) == pytest.approx([0, 1, 0.5, 0, 0, 0, 0, 0])
    assert played("envelope(feed.a, 0, 0)", trigger) == [0, 1, 0, 0, 0, 0, 0, 0]


def test_envelope_rises_from_its_value_when_triggered_again() -> None:
    assert played("envelope(feed.a, 0.2, 0.4)", [0, 1, 1, 1, 0, 0, 1, 0]) == pytest.approx(
        [0, 0, 0.5, 1, 0.75, 0.5, 0.25, 0.625]
    )


def test_lfos_start_with_the_bar() -> None:
    halves = [0.0] * 9  # eight beats in halves of two
    assert played("lfo(4)", halves, fps=1) == pytest.approx([0, 0.5, 1, 0.5, 0, 0.5, 1, 0.5, 0])
    assert played("lfo(4, 0.5)", halves[:3], fps=1) == pytest.approx([1, 0.5, 0])
    assert played("saw(4)", halves[:6], fps=1) == pytest.approx([0, 0.25, 0.5, 0.75, 0, 0.25])
    assert played("square(4)", halves[:6], fps=1) == [1, 1, 0, 0, 1, 1]
    assert played("triangle(4)", halves[:6], fps=1) == pytest.approx([0, 0.5, 1, 0.5, 0, 0.5])
    late = Tempo(bpm=60, downbeat=1)
    assert played("saw(4)", halves[:4], fps=1, tempo=late) == pytest.approx([0.75, 0, 0.25, 0.5])


def test_noise_is_smooth_seeded_and_within_its_range() -> None:
    wander = over("noise(2, 3)", 200, 20)
    assert 0 <= min(wander) < 0.15
    assert 0.85 < max(wander) <= 1
    assert max(abs(b - a) for a, b in itertools.pairwise(wander)) < 0.05
    assert wander == over("noise(2, 3)", 200, 20)
    assert wander != over("noise(2, 4)", 200, 20)
    assert sum(wander) / len(wander) == pytest.approx(0.5, abs=0.1)


def test_noise_is_the_same_on_every_machine() -> None:
    assert played("noise(1, 0)", [0, 0, 0], fps=1) == pytest.approx(NOISE, abs=1e-12)


def test_pickup_takes_only_a_signal() -> None:
    for text in ("pickup(pi, 1)", "pickup(feed.a + 1, 1)", "pickup(lag, 1)"):
        with pytest.raises(FormulaError):
            compiled(text)


def test_every_function_is_described() -> None:
    for name, function in FUNCTIONS.items():
        assert function.name == name
        assert function.about
        assert function.signature.startswith(f"{name}({function.arguments[0]}")
    assert FUNCTIONS["gate"].signature == "gate(x, on[, off])"
    assert FUNCTIONS["choose"].signature == "choose(i, a, b, …)"
