"""The tracker that learned nothing: what it promises where the network cannot be read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from perform.rhythm.beat import CONFIDENT, Beat
from perform.rhythm.features import FeatureExtractor
from perform.rhythm.resonators import ResonatorTracker
from tests.doubles import stimuli
from tests.doubles.stimuli import RATE, Stimulus


def tracked(stimulus: Stimulus) -> list[Beat]:
    extractor, tracker = FeatureExtractor(RATE), ResonatorTracker()
    beats = (tracker.process(hop) for hop in extractor.process(stimulus.sound[: 20 * RATE]))
    return [beat for beat in beats if beat]


@pytest.mark.parametrize(
    ("make", "bpm"),
    [pytest.param(stimuli.hats, 128, id="off-beat hats 128"), pytest.param(stimuli.rock, 90, id="rock 90")],
)
def test_a_clean_beat_is_found_and_kept(make: Callable[[float], Stimulus], bpm: float) -> None:
    import mir_eval  # here: it takes a second, and not every process runs this

    stimulus = make(bpm)
    beats = tracked(stimulus)
    true = stimulus.beats[(stimulus.beats > 5) & (stimulus.beats < 20)]
    said = np.array([beat.time for beat in beats if beat.time > 5])
    assert mir_eval.beat.f_measure(true, said) >= 0.98
    assert all(beat.confidence >= CONFIDENT for beat in beats if beat.time > 5)
    assert beats[-1].bpm == pytest.approx(60 / np.diff(stimulus.beats)[-1], rel=0.01)


def test_what_has_no_beat_has_low_confidence() -> None:
    assert max((beat.confidence for beat in tracked(stimuli.speech())), default=0) < CONFIDENT


def test_silence_has_no_beat() -> None:
    assert tracked(stimuli.silence()) == []
