"""The bench of the beat: changes beside beats, and a show on the offline clock, which is exact."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from perform import show
from perform.bench.beat import BEAT_LIGHT, BeatScreen, Matches, matched, write_clicks
from perform.bench.heard import write_scene
from perform.inputs.audio.reader import SoundReader
from tests.doubles.sounds import onsets

BEATS = [float(second) for second in range(20)]


def test_changes_are_matched_to_beats_after_the_lock() -> None:
    found = matched(BEATS, [beat + 0.01 for beat in BEATS])
    assert found.errors == pytest.approx([0.01] * 12)
    assert (found.missed, found.extra) == (0, 0)


def test_missed_and_extra_changes_are_counted() -> None:
    changes = [beat - 0.02 for beat in BEATS if beat != 12] + [15.5, 16.1, 2.5]
    found = matched(BEATS, sorted(changes))
    assert found.errors == pytest.approx([-0.02] * 11)
    assert (found.missed, found.extra) == (1, 2)


def test_beats_that_are_not_even_are_reported() -> None:
    assert max(matched(BEATS, []).uneven) == pytest.approx(0, abs=1e-9)
    moved = [beat + (0.01 if beat % 4 in (0, 3) else -0.01) for beat in BEATS]
    assert matched(moved, []).uneven == pytest.approx([0.01] * 12)


def test_a_track_that_never_plays_has_no_figures() -> None:
    assert matched([], [1.0]) == matched([0.0], []) == matched([0.0, 1.0], [1.0]) == Matches()
    values = {figure.name: figure.value for figure in Matches().figures("_60", 20.0)}
    assert values["beats_60"] == 0
    assert math.isnan(values["error_ms_p50_60"]) and math.isnan(values["error_ms_p95_60"])


def test_figures_of_two_tracks_count_together() -> None:
    found = Matches((0.01, 0.03), 1, 0, (0.001,)) + Matches((-0.04, 0.02), 0, 2, (0.003,))
    values = {figure.name: figure.value for figure in found.figures("_31", 20.0)}
    assert values == pytest.approx(
        {
            "beats_31": 5,
            "uneven_ms_p95_31": 2.9,
            "missed_31": 1,
            "extra_31": 2,
            "error_ms_p50_31": 15.0,
            "error_ms_p95_31": 38.5,
            "error_ms_worst_31": 40.0,
        }
    )
    assert found.offset == pytest.approx(0.015)
    assert Matches((0.3,)).offset == 0.2, "the most that the option takes"


def test_a_click_track_sounds_when_it_says(tmp_path: Path) -> None:
    beats = write_clicks(tmp_path / "clicks.wav", 5, 60 / 97)
    assert beats == pytest.approx([4 + 60 / 97 * beat for beat in range(5)], abs=1 / 48_000)
    assert onsets(SoundReader(tmp_path / "clicks.wav").read(0, 8 * 48_000)) == beats


@pytest.mark.parametrize("fps", [31.0, 60.0])
@pytest.mark.parametrize("bpm", [120.0, 97.0])
def test_offline_what_is_shown_on_the_beat_is_on_it(tmp_path: Path, fps: float, bpm: float) -> None:
    """A change is in the first frame that begins at the beat or after it; the tracker is within 2 ms."""
    beats = write_clicks(tmp_path / "clicks.wav", round(14 * bpm / 60), 60 / bpm)
    preset = write_scene(tmp_path, BEAT_LIGHT)
    rig = show.render(show.Options(str(preset), str(tmp_path / "clicks.wav"), size=(64, 36), fps=fps))
    screen = BeatScreen(rig.context, rig.present.size, rig.clock.now)
    rig.screens.append(screen)
    rig.run(lambda rig: rig.clock.now() > beats[-1] + 0.3)
    found = matched(beats, screen.changes)
    assert (found.missed, found.extra) == (0, 0)
    assert len(found.errors) == sum(beat >= beats[0] + 8 for beat in beats)
    assert min(found.errors) >= -0.002
    assert max(found.errors) <= 1 / fps + 0.002
