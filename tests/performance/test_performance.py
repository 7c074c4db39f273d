"""A frame from source to screen, with units that return their arguments in place of pictures."""

from dataclasses import replace

import numpy as np
import pytest

from perform.clock import OfflineClock
from perform.performance import Performance
from perform.performance.scene import LatentSource
from perform.scenes.controls import UnitSettings
from perform.scenes.setlist import UNTIL
from perform.signals import Event
from tests.doubles.formulas import compiled
from tests.doubles.performances import FakeGenerator, neural_scene, performance, play, shader_scene


def test_a_frame_goes_from_source_through_filters_to_the_screen() -> None:
    show = performance(shader_scene("grid", "audio.low", ("feedback", "grade")))
    (picture,) = play(show, 1, {0: [("audio.low", 0.25)]})
    assert picture.image == ("grade", 0.0, ("feedback", 0.0, ("grid", 0.25)))
    assert (picture.master, picture.blackout, picture.freeze) == (1.0, False, False)


def test_a_latent_is_truncated_and_mapped_only_when_it_changes() -> None:
    scene = neural_scene("tulip", seed=5)
    show = performance(scene)
    pictures = play(show, 20)
    z = np.random.RandomState(5).randn(4).astype(np.float32)
    name, truncation, latent = pictures[0].image
    assert (name, truncation) == ("voice", 0.5)
    assert latent == pytest.approx(np.stack([z, z]) * 0.5)
    source = show.cues[0].scene.layers[0].source
    assert isinstance(source, LatentSource)
    generator = source.generator
    assert isinstance(generator, FakeGenerator)
    assert generator.mapped == 1


def test_the_class_goes_to_the_mapping() -> None:
    (picture,) = play(performance(neural_scene("tulip", seed=5, label=3)), 1)
    z = np.random.RandomState(5).randn(4).astype(np.float32)
    assert picture.image[2][0] == pytest.approx((z + 3) * 0.5)


def test_a_transition_gets_the_images_of_both_scenes() -> None:
    pictures = play(performance(shader_scene("a"), shader_scene("b")), 80, {3: [("key.space", 1.0)]})
    assert pictures[2].image == ("a", 0.0)
    assert pictures[18].image == ("dissolve", pytest.approx(0.25), ("a", 0.0), ("b", 0.0))
    assert pictures[63].image == ("b", 0.0)


def test_a_morph_goes_through_the_latent_space() -> None:
    show = performance(neural_scene("a", 1), neural_scene("b", 2, morph=True))
    pictures = play(show, 71, {1: [("key.space", 1.0)]})
    first, last = (np.random.RandomState(seed).randn(4).astype(np.float32) * 0.5 for seed in (1, 2))
    name, progress, start, end = pictures[31].image
    assert (name, progress) == ("dissolve", pytest.approx(0.5))
    assert start[2][0] == pytest.approx((first + last) / 2)
    assert end is start
    assert pictures[70].image[2][0] == pytest.approx(last)


def test_freeze_holds_the_picture_and_blackout_and_master_are_passed_on() -> None:
    show = performance(shader_scene("grid", "time.seconds"))
    said = {3: [("key.f", 1.0)], 5: [("key.b", 1.0)], 6: [("midi.cc62", 1.0)], 8: [("midi.cc62", 0.5)]}
    pictures = play(show, 10, said)
    assert pictures[3].image == pictures[9].image == pictures[2].image
    assert [p.blackout for p in pictures[4:6]] == [False, True]
    assert pictures[9].master == 0.5


def test_taps_count_from_their_own_time() -> None:
    show = performance(shader_scene("a"))
    for tap in (0.0, 0.6, 1.2, 1.8):
        show.step(OfflineClock(30).moment(show.tempo), [Event(tap, "key.t", 1.0)])
        show.step(OfflineClock(30).moment(show.tempo), [Event(tap + 0.1, "key.t", 0.0)])
    assert show.tempo.bpm == pytest.approx(100.0)
    assert show.tempo.beat(1.8) % 1 == pytest.approx(0.0, abs=1e-6)
    assert show.tempo.source == "hand"


def test_a_tempo_by_number_is_set_only_once() -> None:
    show = performance(shader_scene("a"))
    play(show, 3, {1: [('osc["/tempo/bpm"]', 100.0)]})
    assert show.tempo.bpm == 100.0
    for tap in (1.0, 1.4, 1.8):
        show.step(OfflineClock(30).moment(show.tempo), [Event(tap, "key.t", 1.0)])
        show.step(OfflineClock(30).moment(show.tempo), [Event(tap, "key.t", 0.0)])
    assert show.tempo.bpm == pytest.approx(150.0)


def test_only_confident_beats_of_the_sound_lead_the_tempo() -> None:
    show = performance(shader_scene("a"))
    unsure, sure = (np.array([90, c, 0], np.float32) for c in (0.2, 0.9))
    play(show, 2, {1: [("tempo.beat", unsure)]})
    assert (show.tempo.bpm, show.tempo.source) == (120, "free")
    play(show, 2, {1: [("tempo.beat", sure)]})
    assert (show.tempo.bpm, show.tempo.source) == (90, "audio")


def test_the_same_events_give_the_same_show() -> None:
    said = {n: [("audio.low", (n * 37 % 11) / 11), ("key.space", float(n % 20 == 0))] for n in range(60)}
    runs = [
        [
            repr(p.image)
            for p in play(
                performance(neural_scene("a", 3), shader_scene("b", "lag(audio.low, 0.1, 1)")), 60, said
            )
        ]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_an_edited_setlist_continues_with_the_playing_scene() -> None:
    show = performance(shader_scene("a"), shader_scene("b"))
    play(show, 70, {1: [("key.space", 1.0)], 5: [("key.b", 1.0)]})
    other = performance(shader_scene("new"), shader_scene("a"), shader_scene("b"))
    show.change(other.setlist, other.cues)
    (picture,) = play(show, 1)
    assert picture.image == ("b", 0.0)
    assert picture.blackout


def test_an_edit_stays_on_its_cue_when_a_scene_occurs_twice() -> None:
    a, b = shader_scene("a"), shader_scene("b")
    show = performance(a, b, a)
    play(show, 200, {1: [("key.3", 1.0)]})
    assert show.position.cue == 2
    other = performance(a, b, a)
    show.change(other.setlist, other.cues)
    play(show, 1)
    assert show.position.cue == 2


def test_an_edit_during_a_transition_does_not_stop_it() -> None:
    show = performance(shader_scene("a"), shader_scene("b"))
    play(show, 20, {1: [("key.space", 1.0)]})
    progress = show.position.progress
    assert 0 < progress < 1
    other = performance(shader_scene("a"), shader_scene("b"))
    show.change(other.setlist, other.cues)
    assert (show.position.before, show.position.progress) == (0, progress)


def until_two_keys() -> Performance:
    """Its first cue is over when the key x is struck for the second time."""
    show = performance(shader_scene("a"), shader_scene("b"))
    until = UnitSettings("cue", UNTIL, {"until": compiled("count(onset(key.x)) > 1.5")})
    first, second = show.cues
    show.change(show.setlist, [replace(first, cue=replace(first.cue, until=until)), second])
    return show


def test_an_edit_does_not_begin_the_formula_of_an_end_again() -> None:
    show, other = until_two_keys(), until_two_keys()
    play(show, 10, {5: [("key.x", 1.0)], 7: [("key.x", 0.0)]})
    show.change(other.setlist, other.cues)
    play(show, 4)
    assert show.position.cue == 0
    play(show, 10, {5: [("key.x", 1.0)]})
    assert show.position.cue == 1


@pytest.mark.parametrize("edited", [False, True])
def test_a_crossfader_that_returns_goes_on_with_the_formula_of_an_end(edited: bool) -> None:
    show, other = until_two_keys(), until_two_keys()
    play(show, 10, {2: [("key.x", 1.0)], 4: [("key.x", 0.0)], 6: [("/crossfader", 0.5)]})
    if edited:
        show.change(other.setlist, other.cues)
    play(show, 5, {2: [("/crossfader", 0.0)]})
    assert (show.position.cue, show.position.turn) == (0, 0)
    play(show, 5, {1: [("key.x", 1.0)]})
    assert (show.position.cue, show.position.turn) == (1, 1)


def test_a_fade_out_pauses_and_a_fade_in_goes_on() -> None:
    show = performance(shader_scene("grid", "time.seconds / 10"))  # fades in 2 s: 60 frames
    pictures = play(show, 200, {10: [("key.o", 1.0)], 11: [("key.o", 0.0)], 120: [("key.o", 1.0)]})
    masters = [picture.master for picture in pictures]
    assert masters[9] == 1.0
    assert masters[40] == pytest.approx(1 - 31 / 60)
    assert masters[69:120] == [0.0] * 51
    assert len({picture.image for picture in pictures[70:120]}) == 1  # black: nothing is drawn
    assert masters[150] == pytest.approx(31 / 60)
    assert masters[180] == 1.0
    assert pictures[150].image != pictures[149].image


def test_panic_ends_a_fade_out_and_a_pause() -> None:
    show = performance(shader_scene("a"))
    said = {2: [("key.o", 1.0), ("key.w", 1.0)], 90: [("key.p", 1.0)]}
    pictures = play(show, 170, said)
    assert pictures[80].master == 0.0
    assert show.snapshot().values["/pause"] == (0.0,)
    assert pictures[160].master == 1.0
