"""Edits of the setlist that is played."""

from dataclasses import replace

import pytest

from perform.scenes.controls import UnitSettings
from perform.scenes.cue_places import places_after_edit
from perform.scenes.cues import CueSequencer
from tests.doubles.cues import WAITING, cue, play, starts


def test_an_edit_goes_on_with_what_plays_waits_and_is_loaded() -> None:
    """Cues come before and between the others while a transition plays and GO waits for its bar."""
    cues = [cue("a"), cue("b", 8), cue("c"), cue("d")]
    edited = [cue("new"), *cues[:2], cue("other"), *cues[2:]]
    places = play(CueSequencer(cues, 4, False), 4.1, {10: {"go": 1}, 70: {"go": 1}}, edits={90: edited})
    seen = [(places[at].cue, places[at].before, places[at].queued) for at in (89, 90)]
    assert seen == [(1, 0, 2), (2, 1, 4)]
    assert [places[at].progress for at in (89, 90)] == pytest.approx([29 / 120, 30 / 120])
    assert [place.turn for place in places[89:91]] == [1, 1]
    loaded = play(CueSequencer(cues, 4, False), 1, {1: {"standby": 4}}, edits={5: edited})
    assert [(loaded[at].cue, loaded[at].standby) for at in (4, 5)] == [(0, 3), (1, 5)]


def test_an_edit_without_the_cue_that_is_on_begins_with_the_first() -> None:
    cues = [cue("a"), cue("b", 8), cue("c")]
    places = play(CueSequencer(cues, 0, False), 1, {1: {"go": 1}}, edits={5: [cues[2], cues[0]]})
    assert [(places[at].cue, places[at].before, places[at].turn) for at in (4, 5)] == [
        (1, 0, 1),
        (0, None, 1),
    ]


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        ("aba", "xaba", {0: 1, 1: 2, 2: 3}),  # of two cues of one scene each stays itself
        ("aba", "aa", {0: 0, 1: None, 2: 1}),
        ("abc", "cab", {0: 1, 1: 2, 2: 0}),
        ("aa", "a", {0: 0, 1: 0}),
        ("a", "b", {0: None}),
    ],
)
def test_where_cues_are_after_an_edit(before: str, after: str, places: dict[int, int | None]) -> None:
    found = places_after_edit([cue(name) for name in before], [cue(name) for name in after])
    assert {place: found.get(place) for place in places} == places


def test_a_cue_with_a_number_or_a_name_is_itself_after_an_edit() -> None:
    old = [replace(cue("a"), number=str(number)) for number in range(3)]
    new = [cue("b"), old[2], old[0], replace(cue("a"), name="solo")]
    assert places_after_edit(old, new) == {0: 2, 1: 2, 2: 1}
    assert places_after_edit([cue("a"), replace(cue("a"), name="solo")], new) == {0: 1, 1: 3}


def test_an_edit_may_take_the_second_cue_of_the_scene_that_is_on() -> None:
    cues = [cue("a"), cue("a"), cue("b")]
    places = play(CueSequencer(cues, 0, False), 1, {1: {"go": 1}}, edits={5: cues[1:]})
    assert [(places[at].cue, places[at].before) for at in (4, 5)] == [(1, 0), (0, None)]


def test_an_edit_does_not_begin_a_wait_again() -> None:
    for asks in ({70: {"go": 1}}, {30: {"over": True}}):
        plain = play(CueSequencer(WAITING, 4, False), 6, asks)
        begins = starts(plain)[1]
        assert begins == (150 if 70 in asks else 90)
        edits = {frame: list(WAITING) for frame in range(begins - 15, begins, 5)}
        assert play(CueSequencer(WAITING, 4, False), 6, asks, edits=edits) == plain


def test_a_cue_whose_end_is_edited_is_not_over() -> None:
    other = [replace(WAITING[0], until=UnitSettings("other", (), {})), *WAITING[1:]]
    places = play(CueSequencer(WAITING, 4, False), 6, {30: {"over": True}}, edits={45: other})
    assert {place.cue for place in places} == {0}
