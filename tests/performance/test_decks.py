"""The two decks: what is loaded on each, what hands do there, and what comes of it on GO."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from perform.clock import Moment, OfflineClock
from perform.performance import Performance
from perform.performance.preview import Preview
from perform.performance.scene import LatentSource
from perform.scenes.readiness import Readiness
from perform.scenes.saved import SavedState
from perform.signals import Event
from tests.doubles.performances import FakeGenerator, neural_scene, performance, play, shader_scene

GO, GONE = ("key.space", 1.0), ("key.space", 0.0)
FRAMES = 70  # of a transition of 4 beats, and a few


def abc(loop: bool = False) -> Performance:
    return performance(*(shader_scene(name) for name in "abc"), loop=loop)


def values(show: Performance, *addresses: str) -> list[object]:
    return [show.snapshot().values[address][0] for address in addresses]


def on_decks(show: Performance) -> list[object]:
    return values(show, "/now/deck", "/now/cue", "/now/standby", "/deck/a/scene", "/deck/b/scene")


def test_each_cue_comes_in_on_the_free_deck() -> None:
    show = abc()
    play(show, 1)
    assert on_decks(show) == ["a", 1, 2, 1, 2]
    play(show, 20, {0: [GO], 1: [GONE]})
    assert on_decks(show) == ["b", 2, 3, 1, 2]  # the first goes out
    play(show, FRAMES)
    assert on_decks(show) == ["b", 2, 3, 3, 2]
    play(show, FRAMES, {1: [GO], 2: [GONE]})
    assert on_decks(show) == ["a", 3, 0, 3, 0]
    play(show, FRAMES, {1: [("key.backspace", 1.0)]})
    assert on_decks(show) == ["b", 2, 3, 3, 2]


def test_go_brings_in_what_a_hand_has_loaded() -> None:
    show = abc()
    play(show, 2, {0: [("/standby", 3.0)]})
    assert on_decks(show) == ["a", 1, 3, 1, 3]
    pictures = play(show, FRAMES, {1: [GO], 2: [GONE]})
    assert pictures[-1].image == ("c", 0.0)
    assert on_decks(show) == ["b", 3, 0, 0, 3]


@pytest.mark.parametrize(
    ("address", "number", "standby"),
    [
        ("/deck/b/scene", 3, 3),
        ("/deck/a/scene", 3, 2),  # that deck is on the wall
        ("/standby", 1, 2),  # so is that cue
        ("/standby", 0, 2),
        ("/standby", 99, 2),
    ],
)
def test_what_can_be_loaded_where(address: str, number: int, standby: int) -> None:
    show = abc()
    play(show, 3, {1: [(address, float(number))]})
    assert values(show, "/now/cue", "/now/standby") == [1, standby]


def test_a_formula_loads_a_cue() -> None:
    show = abc()
    play(show, 3, {0: [("/standby", 3.0)], 1: [("/standby", 3.0)], 2: [("/standby", 2.0)]})
    assert values(show, "/standby") == [2]


def test_a_key_loads_the_next_one() -> None:
    show = abc()
    play(show, 3, {1: [("key.n", 1.0)]})
    assert on_decks(show) == ["a", 1, 3, 1, 3]


def test_what_is_loaded_during_a_transition_comes_after_it() -> None:
    show = performance(*(shader_scene(name) for name in "abcd"))
    play(show, FRAMES, {1: [GO], 2: [GONE], 5: [("/deck/a/scene", 4.0)]})
    assert on_decks(show) == ["b", 2, 4, 4, 2]


def test_what_is_held_on_the_free_deck_comes_in() -> None:
    show = abc()
    play(show, 3, {1: [("/deck/b/generator/amount", 0.75), ("/generator/amount", 0.25)]})
    assert values(show, "/generator/amount", "/deck/a/generator/amount") == [0.25, 0.25]
    assert values(show, "/now/held") == [2]
    pictures = play(show, FRAMES, {1: [GO], 2: [GONE]})
    assert pictures[30].image[2:] == (("a", 0.25), ("b", 0.75))
    assert pictures[-1].image == ("b", 0.75)
    assert values(show, "/generator/amount", "/deck/b/generator/amount") == [0.75, 0.75]
    assert values(show, "/now/held") == [1]  # what was held of the cue that has gone, is not any more


def test_norm_and_release_on_a_deck() -> None:
    show = abc()
    said = [("/deck/b/generator/amount/norm", 0.5), ("/deck/a/generator/amount", 0.25)]
    play(show, 3, {1: said})
    assert show.saved().held == {"/deck/b/generator/amount": {0: 0.5}, "/generator/amount": {0: 0.25}}
    play(show, 1, {0: [("/deck/b/release", 1.0)]})
    assert show.saved().held == {"/generator/amount": {0: 0.25}}
    play(show, 1, {0: [("/deck/b/generator/amount", 1.0), ("/deck/a/generator/amount/release", 1.0)]})
    assert show.saved().held == {"/deck/b/generator/amount": {0: 1.0}}
    play(show, 1, {0: [("/release", 1.0)]})
    assert show.saved().held == {}


def test_what_is_held_goes_when_a_cue_is_loaded_again() -> None:
    """Two cues in a loop: the one that goes out is the next one, too."""
    show = performance(shader_scene("a"), shader_scene("b"), loop=True)
    play(show, FRAMES, {1: [("/generator/amount", 0.5)], 2: [GO], 3: [GONE]})
    assert on_decks(show) == ["b", 2, 1, 1, 2]
    assert show.saved().held == {}


def test_another_cue_on_the_free_deck_forgets_what_was_held_there() -> None:
    show = abc()
    play(show, 4, {1: [("/deck/b/generator/amount", 0.75)], 2: [("/standby", 3.0)]})
    assert show.saved().held == {}
    play(show, 4, {1: [("/deck/b/generator/amount", 0.75)], 2: [("/standby", 2.0)]})
    assert play(show, FRAMES, {1: [GO], 2: [GONE]})[-1].image == ("b", 0.0)


def test_a_crossfader_that_returns_leaves_both_decks_as_they_were() -> None:
    show = abc()
    said = {1: [("/standby", 3.0)], 2: [("/deck/b/generator/amount", 0.75), ("/generator/amount", 0.25)]}
    said |= {3: [("/crossfader", 0.5)], 6: [("/crossfader", 0.0)]}
    pictures = play(show, 10, said)
    assert pictures[4].image == ("dissolve", 0.5, ("a", 0.25), ("c", 0.75))
    assert pictures[9].image == ("a", 0.25)
    assert on_decks(show) == ["a", 1, 3, 1, 3]
    assert show.saved().held == {"/deck/b/generator/amount": {0: 0.75}, "/generator/amount": {0: 0.25}}


def test_one_scene_on_both_decks_is_two() -> None:
    a = shader_scene("a")
    show = performance(a, a, a)
    said = {1: [("/deck/b/generator/amount", 0.75)]}
    assert [one.image for one in play(show, 3, said)] == [("a", 0.0)] * 3
    pictures = play(show, FRAMES, {1: [GO], 2: [GONE]})
    assert pictures[30].image[2:] == (("a", 0.0), ("a", 0.75))
    assert pictures[-1].image == ("a", 0.75)
    assert play(show, FRAMES, {1: [("/deck/a/generator/amount", 0.5)], 2: [GO], 3: [GONE]})[-1].image == (
        "a",
        0.5,
    )


def test_the_paths_of_one_scene_on_both_decks_are_two() -> None:
    scene = neural_scene("a", 5)
    show = performance(scene, scene)
    first, second = (one.scene for one in show.cues)
    assert first.layers[0].source is not second.layers[0].source


def test_the_crossfader_stands_at_the_deck_that_is_on() -> None:
    show = abc()
    play(show, 1)
    assert values(show, "/crossfader") == [0.0]
    play(show, 31, {0: [GO], 1: [GONE]})
    assert values(show, "/crossfader") == [pytest.approx(0.5)]
    play(show, FRAMES)
    assert values(show, "/crossfader") == [1.0]
    play(show, 16, {0: [GO], 1: [GONE]})
    assert values(show, "/crossfader") == [pytest.approx(0.75)]


def test_the_crossfader_after_go() -> None:
    """One that has not moved makes a whole transition; one that has followed goes back from there."""
    for way, progress in (((0.25, 0.5), [0.25, 0.5]), ((0.75, 0.5), [0.25, 0.5])):
        show = abc()
        play(show, 1 + FRAMES, {0: [("/crossfader", 0.0)], 1: [GO], 2: [GONE]})
        pictures = play(show, 2, {frame: [("/crossfader", at)] for frame, at in enumerate(way)})
        assert [picture.image[1] for picture in pictures] == progress
        assert on_decks(show) == ["a", 3, 0, 3, 2]
    show = abc()
    play(show, 1 + FRAMES, {0: [("/crossfader", 0.0)], 1: [GO], 2: [GONE]})
    assert play(show, 2, {0: [("/crossfader", 1.0)]})[-1].image == ("b", 0.0)  # it follows, and stands there
    assert play(show, 1, {0: [("/crossfader", 0.75)]})[-1].image[1] == 0.25


def test_the_state_of_both_decks_comes_back() -> None:
    show = performance(*(shader_scene(name) for name in "abcd"))
    play(show, FRAMES, {1: [GO], 2: [GONE]})
    said = [("/deck/a/generator/amount", 0.75), ("/generator/amount", 0.25)]
    play(show, 3, {0: [("/standby", 4.0)], 1: said})
    state = show.saved()
    assert (state.deck, state.standby, state.standby_scene) == ("b", 3, "d")
    again = performance(*(shader_scene(name) for name in "abcd"))
    again.restore(SavedState.model_validate_json(state.model_dump_json()))
    play(again, 1)
    assert again.saved() == state
    assert on_decks(again) == ["b", 2, 4, 4, 2]
    assert play(again, FRAMES, {1: [GO], 2: [GONE]})[-1].image == ("d", 0.75)


def test_what_was_held_of_a_scene_never_comes_back_on_another() -> None:
    show = abc()
    play(show, 3, {1: [("/deck/b/generator/amount", 0.75), ("/generator/amount", 0.25)]})
    state = show.saved()
    assert (state.standby, state.standby_scene) == (None, "b")
    for names, held in (
        ("abc", state.held),
        ("acb", {"/generator/amount": {0: 0.25}}),
        ("dbc", {"/deck/b/generator/amount": {0: 0.75}}),
        ("xyz", {}),
    ):
        again = performance(*(shader_scene(name) for name in names))
        again.restore(state)
        play(again, 1)
        assert again.saved().held == held


def test_in_a_transition_nothing_of_the_cue_that_goes_is_saved() -> None:
    show = abc()
    play(show, 10, {1: [("/generator/amount", 0.5)], 2: [GO], 3: [GONE], 5: [("/generator/amount", 0.25)]})
    assert show.saved().held == {"/generator/amount": {0: 0.25}}


def test_a_state_with_a_standby_that_has_gone() -> None:
    show = abc()
    show.restore(SavedState(cue=0, scene="a", standby=2, standby_scene="none"))
    assert on_decks(show) == ["a", 1, 2, 1, 2]


def test_an_edit_keeps_what_is_loaded_and_held() -> None:
    show = abc()
    play(show, 4, {1: [("/standby", 3.0)], 2: [("/deck/b/generator/amount", 0.75)]})
    other = performance(*(shader_scene(name) for name in "xabc"))
    for old, new in zip(show.cues, other.cues[1:], strict=True):
        new.scene.resume_from(old.scene)
    show.change(other.setlist, other.cues)
    assert on_decks(show) == ["a", 2, 4, 2, 4]
    assert play(show, FRAMES, {1: [GO], 2: [GONE]})[-1].image == ("c", 0.75)


def edited(show: Performance, names: str) -> None:
    """Change the show to cues of these scenes; those that are the same go on."""
    other = performance(*(shader_scene(name) for name in names))
    old = {one.cue.scene.title: one.scene for one in show.cues}
    for one in other.cues:
        if before := old.get(one.cue.scene.title):
            one.scene.resume_from(before)
    show.change(other.setlist, other.cues)


def test_a_transition_goes_on_through_an_edit() -> None:
    show = abc()
    held = [("/deck/b/generator/amount", 0.75), ("/generator/amount", 0.25)]
    play(show, 31, {0: held, 1: [GO], 2: [GONE]})
    assert show.position.progress == pytest.approx(29 / 60)
    edited(show, "xaybc")
    picture = show.step(Moment(31 / 30, 31, 1 / 30, 31 / 15, 31 / 60, 120), [])
    assert picture.image == ("dissolve", pytest.approx(30 / 60), ("a", 0.25), ("b", 0.75))
    assert on_decks(show) == ["b", 4, 5, 2, 4]


def test_an_edit_that_takes_what_goes_out_ends_the_transition() -> None:
    show = performance(*(shader_scene(name) for name in "abc"), loop=True)
    play(show, 31, {1: [GO], 2: [GONE]})
    edited(show, "bca")
    assert on_decks(show) == ["b", 1, 2, 3, 1]
    edited(show, "bc")
    assert on_decks(show) == ["b", 1, 2, 2, 1]
    assert play(show, 1)[0].image == ("b", 0.0)


def test_what_an_edit_brings_to_a_deck_begins_with_nothing_held() -> None:
    """The cue that comes in has gone: the first one is on, and the one that went out comes next."""
    show = performance(*(shader_scene(name) for name in "xab"))
    play(show, FRAMES, {0: [("/generator/amount", 0.5)], 1: [GO], 2: [GONE]})
    play(show, 10, {0: [("/generator/amount", 0.25)], 1: [GO], 2: [GONE]})
    edited(show, "xa")
    assert on_decks(show) == ["a", 1, 2, 1, 2]
    assert play(show, 1)[0].image == ("x", 0.0)
    assert values(show, "/now/held", "/deck/b/generator/amount") == [0, 0.0]


def test_a_show_begins_with_the_first_armed_cue() -> None:
    show = abc()
    cues = [replace(one, cue=replace(one.cue, armed=number > 0)) for number, one in enumerate(show.cues)]
    begun = Performance(show.setlist, cues)
    assert play(begun, 1)[0].image == ("b", 0.0)
    assert on_decks(begun) == ["a", 2, 3, 2, 3]
    begun.restore(SavedState(cue=0, scene="none"))
    assert on_decks(begun) == ["a", 2, 3, 2, 3]
    other = performance(shader_scene("x"))
    other.change(show.setlist, cues)
    assert on_decks(other) == ["a", 2, 3, 2, 3]


def test_a_cue_that_cannot_be_opened_is_told(caplog: pytest.LogCaptureFixture) -> None:
    show = performance(shader_scene("a"), neural_scene("b", 1))
    show.cues[1].scene.layers[0].source.generator.readiness = Readiness.FAILED  # type: ignore[union-attr]
    with caplog.at_level(logging.ERROR):
        assert play(show, 5, {1: [GO], 2: [GONE], 3: [("/crossfader", 0.5)]})[-1].image == ("a", 0.0)
    assert [one.message for one in caplog.records] == ["cue 2, b, cannot be opened: it is left out"]
    assert on_decks(show) == ["a", 1, 0, 1, 0]


def previewed(show: Performance, frames: int, said: dict[int, list[tuple[str, float]]]) -> list[object]:
    """The preview after each frame, for one that looks."""
    show.viewers = 1
    clock, images = OfflineClock(30), []
    for frame in range(frames):
        seconds = clock.advance()
        events = [Event(seconds, name, value) for name, value in said.get(frame, [])]
        show.step(clock.moment(show.tempo), events)
        images.append(show.preview)
    return images


def test_the_preview_is_the_free_deck() -> None:
    show = abc()
    images = previewed(show, 75, {3: [("/deck/b/generator/amount", 0.5)], 6: [GO], 7: [GONE]})
    assert images[:6] == [("b", 0.0)] * 3 + [("b", 0.5)] * 3
    assert images[6:66] == [None] * 60  # the transition
    assert images[66:] == [("c", 0.0)] * 9
    show.viewers = 0
    play(show, 1)
    assert show.preview is None


def test_the_preview_of_an_empty_deck_and_of_a_model_that_is_not_open() -> None:
    assert previewed(performance(shader_scene("a")), 2, {}) == [None, None]
    show = performance(shader_scene("a"), neural_scene("b", 1))
    source = show.cues[1].scene.layers[0].source
    assert isinstance(source, LatentSource) and isinstance(source.generator, FakeGenerator)
    source.generator.readiness = Readiness.OPENING
    assert previewed(show, 2, {}) == [None, None]
    source.generator.readiness = Readiness.READY
    assert previewed(show, 1, {})[0] is not None
    source.generator.readiness = Readiness.OPENING  # another model needed its memory
    assert previewed(show, 1, {}) == [None]


def test_who_does_not_look_costs_nothing_but_the_numbers() -> None:
    show = performance(shader_scene("a"), shader_scene("b", "time.seconds"))
    drawn: list[object] = []
    unit: Any = show.cues[1].scene.layers[0].source
    unit.render = lambda *arguments: drawn.append(arguments)
    play(show, 31)
    assert drawn == []
    assert values(show, "/deck/b/generator/amount") == [pytest.approx(1.0, abs=0.1)]


def test_a_slow_preview_goes_at_the_same_pace() -> None:
    """Four times a second, with formulas that take as long."""
    pictures = []
    for rate in (4.0, 30.0):
        a, b = shader_scene("a"), shader_scene("b", "envelope(time.seconds > 0.25, 0, 4)")
        show = performance(a, b)
        show = Performance(show.setlist, show.cues, preview=Preview(rate))
        images = previewed(show, 61, {})
        assert len(set(images)) == (8 if rate == 4 else 54)  # on every eighth frame, or on each from 8 on
        pictures.append(images[56])
    assert pictures == [("b", pytest.approx(0.6))] * 2


def test_a_scene_that_comes_in_begins_again_after_its_preview() -> None:
    show = performance(shader_scene("a"), shader_scene("b", "count(onset(key.x)) / 10"))
    hits = {frame: [("key.x", float(frame % 2))] for frame in range(10)}
    assert previewed(show, 10, hits)[-1] == ("b", 0.5)
    pictures = play(show, FRAMES, {1: [GO], 2: [GONE], 3: [("key.x", 0.0)], 5: [("key.x", 1.0)]})
    assert [pictures[at].image[3] for at in (4, 5)] == [("b", 0.0), ("b", 0.1)]


def test_a_preview_that_fails_never_touches_the_wall(caplog: pytest.LogCaptureFixture) -> None:
    show = abc()
    unit: Any = show.cues[1].scene.layers[0].source
    unit.render = lambda *_: 1 / 0
    assert previewed(show, 3, {2: [("/standby", 3.0)]}) == [None, None, ("c", 0.0)]
    assert [one.message for one in caplog.records] == ["the preview of b ends: division by zero"]
    assert play(show, 1)[0].image == ("a", 0.0)


def test_a_preview_that_makes_frames_late_is_drawn_more_seldom() -> None:
    def drawn(late: bool, frames: int) -> list[int]:
        """The frames on which it was drawn, with the same answer after each."""
        times = []
        for frame in range(frames):
            clock.advance()
            show.step(clock.moment(show.tempo), [])
            show.took(late=late)
            if len(renders) > len(times):
                times.append(frame)
        return times

    show, clock, renders = performance(shader_scene("a"), shader_scene("b")), OfflineClock(30), []
    show = Performance(show.setlist, show.cues, preview=Preview(30.0))
    unit: Any = show.cues[1].scene.layers[0].source
    unit.render = lambda *_: renders.append(1) or "b"
    show.viewers = 1
    assert drawn(late=False, frames=5) == [0, 1, 2, 3, 4]
    renders.clear()
    assert drawn(late=True, frames=600) == [0, 2, 6, 14, 30, 62, 126, 246, 366, 486]  # each 4 s at last
    renders.clear()
    again = drawn(late=False, frames=1800)
    assert again[-5:] == [1795, 1796, 1797, 1798, 1799]  # and on each frame again


def test_a_scene_is_small_in_the_preview_only() -> None:
    show, sized = abc(), []
    show = Performance(show.setlist, show.cues, preview=Preview(shrink=sized.append))
    previewed(show, 5, {3: [GO], 4: [GONE]})
    b = show.cues[1].scene
    assert sized == [None, b, b, b, None]  # it is whole on the frame on which it comes in
