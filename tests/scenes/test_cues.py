"""The cues of a setlist, on an exact clock."""

from dataclasses import replace
from typing import Any

import pytest

from perform.clock import OfflineClock, Tempo
from perform.scenes.cues import CueSequencer
from perform.scenes.position import CuePosition
from perform.scenes.readiness import Readiness
from perform.scenes.scene import Transition
from tests.doubles.cues import NONE, cue, play, starts, timed

READY = Readiness.READY


def test_a_cue_waits_for_go() -> None:
    assert {place.cue for place in play(CueSequencer([cue("a"), cue("b")], 4, False), 20)} == {0}


@pytest.mark.parametrize(("quantise", "enters"), [(0, 70), (1, 75), (4, 120), (16, 240)])
def test_go_starts_on_the_next_quantised_beat(quantise: int, enters: int) -> None:
    places = play(CueSequencer([cue("a"), cue("b")], quantise, False), 9, {70: {"go": 1}})
    assert [place.cue for place in places].index(1) == enters
    assert all(place.queued == 1 for place in places[70:enters])


def test_a_transition_lasts_its_beats() -> None:
    places = play(CueSequencer([cue("a"), cue("b", beats=2)], 4, False), 6, {70: {"go": 1}})
    assert (places[120].before, places[120].progress) == (0, 0.0)
    assert places[135].progress == pytest.approx(0.5)
    assert places[149].before == 0
    assert places[150] == CuePosition(1, None, 1.0, None, 2.0, 4.0, turn=1)


def test_a_transition_of_no_beats_is_a_cut() -> None:
    places = play(CueSequencer([cue("a"), cue("b", beats=0)], 1, False), 5, {70: {"go": 1}})
    assert places[75] == CuePosition(1, None, 1.0, None, 1.25, 2.5, turn=1)


def test_timed_cues_follow_each_other_without_drift() -> None:
    places = play(CueSequencer([cue("a", bars=1), cue("b", bars=1.5), cue("c")], 4, False), 10)
    changes = [i for i in range(1, len(places)) if places[i].cue != places[i - 1].cue]
    assert changes == [60, 150]
    assert places[-1].cue == 2


def test_a_looping_setlist_starts_again_and_another_stops_at_its_end() -> None:
    looped = play(CueSequencer([cue("a", bars=1), cue("b", bars=1)], 4, True), 8.5)
    assert [looped[i].cue for i in (0, 60, 120, 180, 240)] == [0, 1, 0, 1, 0]
    ended = play(CueSequencer([cue("a", bars=1), cue("b", bars=1)], 4, False), 8.5)
    assert [ended[i].cue for i in (0, 60, 120, 240)] == [0, 1, 1, 1]


def test_back_and_scene_numbers_choose_a_cue() -> None:
    cues = CueSequencer([cue(name, beats=0) for name in "abc"], 0, False)
    places = play(
        cues, 2, {10: {"scene": 3}, 20: {"back": 1}, 30: {"scene": 9}, 40: {"scene": 1}, 45: {"back": 1}}
    )
    assert [places[i].cue for i in (9, 10, 20, 30, 40, 45)] == [0, 2, 1, 1, 0, 0]


def test_two_goes_before_the_bar_skip_a_cue() -> None:
    places = play(CueSequencer([cue("a"), cue("b"), cue("c")], 4, False), 5, {70: {"go": 1}, 90: {"go": 1}})
    assert places[120].cue == 2


def test_a_transition_longer_than_its_cue_ends() -> None:
    places = play(CueSequencer([cue("a", bars=1), cue("b", beats=8, bars=1)], 4, False), 10)
    assert places[60].before == 0
    assert places[179].progress == pytest.approx(119 / 120)
    assert places[180].before is None
    assert places[-1] == CuePosition(1, None, 1.0, None, 1.0, 2.0, turn=1)


def test_a_cue_that_was_due_within_a_transition_begins_when_that_is_over() -> None:
    cues = [cue("a", beats=2, bars=1), cue("b", beats=8, bars=1)]
    places = play(CueSequencer(cues, 4, True), 11)
    assert changes(places) == [60, 180, 240]
    assert [places[at].progress for at in (180, 195, 209)] == pytest.approx([0.0, 0.5, 29 / 30])


def test_cues_that_continue_at_once_show_each_transition_whole() -> None:
    cues = [replace(cue(name, beats=2), follow="continue") for name in "ab"]
    places = play(CueSequencer(cues, 4, True), 4)
    assert changes(places) == [30, 60, 90]
    assert [places[at].progress for at in (30, 45, 59, 75)] == pytest.approx([0.0, 0.5, 29 / 30, 0.5])


def changes(places: list[CuePosition]) -> list[int]:
    """The frames that begin another cue."""
    return [i for i in range(1, len(places)) if places[i].cue != places[i - 1].cue]


def test_cues_in_seconds_follow_the_clock_and_not_the_beat() -> None:
    cues = [cue("a", seconds=2.5), cue("b", 0, seconds=0.7), cue("c", 0, seconds=0.1), cue("d", 0)]
    for bpm in (60, 120, 137):
        places = play(CueSequencer(cues, 4, False), 5, bpm=bpm)
        assert changes(places) == [75, 96, 99]
        assert [round(places[i].seconds, 6) for i in (75, 96, 99)] == [2.5, 3.2, 3.3]


def test_cues_in_seconds_do_not_drift() -> None:
    """A third of a frame is left over at each; the hundredth begins at 101 seconds all the same."""
    cues = [cue(str(number), beats=0, seconds=1.01) for number in range(200)]
    assert changes(play(CueSequencer(cues, 4, False), 102))[99] == 3030


def test_bars_and_seconds_follow_each_other() -> None:
    cues = [cue("a", bars=1), cue("b", 0, seconds=1.25), cue("c", 0, bars=0.5), cue("d", 0)]
    places = play(CueSequencer(cues, 4, False), 6)
    assert changes(places) == [60, 98, 128]  # 2 s, 3.25 s (frame 97.5), 4.25 s (127.5)
    assert (places[98].bar, places[98].seconds) == (pytest.approx(1.625), pytest.approx(3.25))
    assert (places[128].bar, places[128].seconds) == (pytest.approx(2.125), pytest.approx(4.25))


def test_a_transition_in_seconds() -> None:
    cues = [cue("a", seconds=1), timed("b", Transition(4, NONE, seconds=0.5))]
    for bpm in (60, 137):
        places = play(CueSequencer(cues, 4, False), 3, bpm=bpm)
        assert (places[30].before, places[30].progress) == (0, 0.0)
        assert places[36].progress == pytest.approx(0.4)
        assert (places[44].before, places[45].before) == (0, None)


def test_a_requested_cue_is_not_lost_when_the_bars_end() -> None:
    cues = CueSequencer([cue("a", bars=1), cue("b"), cue("c"), cue("d")], 16, False)
    places = play(cues, 9, {30: {"scene": 4}})
    assert places[239].cue == 0
    assert places[240].cue == 3


def test_a_transition_ends_before_the_next_go() -> None:
    places = play(CueSequencer([cue("a"), cue("b"), cue("c")], 1, False), 8, {10: {"go": 1}, 30: {"go": 1}})
    assert [places[i].cue for i in (14, 15, 74, 75, 134)] == [0, 1, 1, 2, 2]


def test_the_show_waits_for_a_cue_that_is_not_ready() -> None:
    state = {1: Readiness.OPENING}
    cues = CueSequencer([cue("a"), cue("b"), cue("c")], 4, False)
    asks: dict[int, dict[str, Any]] = {n: {"readiness": lambda at: state.get(at, READY)} for n in range(330)}
    asks[3]["go"] = 1
    places = play(cues, 10, asks)
    assert [(places[i].cue, places[i].queued) for i in (2, 3, 299)] == [(0, None), (0, 1), (0, 1)]
    state[1] = READY
    last = play(cues, 1, asks)
    assert (last[0].cue, last[0].queued) == (1, None)  # immediately: its beat has passed


def test_a_cue_that_cannot_be_opened_is_skipped() -> None:
    never: dict[str, Any] = {"readiness": lambda at: Readiness.FAILED if at == 1 else READY}
    cues = CueSequencer([cue("a", bars=1), cue("b"), cue("c")], 0, False)
    assert starts(play(cues, 3, dict.fromkeys(range(90), never))) == {0: 0, 2: 60}


def test_go_back_and_n_skip_a_cue_that_cannot_be_opened(caplog: pytest.LogCaptureFixture) -> None:
    never: dict[str, Any] = {"readiness": lambda at: Readiness.FAILED if at == 1 else READY}
    cues = CueSequencer([cue(name, 0) for name in "abcd"], 0, False)
    asks: dict[int, dict[str, Any]] = {n: dict(never) for n in range(30)}
    asks[5]["go"] = asks[8]["back"] = asks[11]["load_next"] = 1
    asks[14]["standby"] = asks[17]["scene"] = 2
    places = play(cues, 1, asks)
    assert [(places[at].cue, places[at].standby) for at in (0, 5, 8, 11, 14, 17)] == [
        *((0, 2), (2, 3), (0, 2), (0, 3), (0, 2), (0, 2))
    ]
    out, choice = "cue 2, b, cannot be opened: it is left out", "cue 2, b, cannot be opened: a plays on"
    assert [one.message for one in caplog.records] == [out, out, choice]
    opened = play(cues, 1)  # its file was mended
    assert opened[0].standby == 1


def test_a_timed_cue_that_starts_late_lasts_as_long() -> None:
    state = {1: Readiness.OPENING}
    cues = CueSequencer([cue("a", bars=1), cue("b", bars=1, beats=0), cue("c", beats=0)], 4, False)
    assert play(cues, 3, {n: {"readiness": lambda at: state.get(at, READY)} for n in range(90)})[-1].cue == 0
    state[1] = READY
    clock = OfflineClock(30)
    for _ in range(91):
        clock.advance()
    later = []
    for _ in range(62):
        clock.advance()
        later.append(cues.step(clock.moment(Tempo(bpm=120))).cue)
    assert later == [1] * 60 + [2] * 2


def test_cues_that_are_not_armed_are_skipped() -> None:
    cues = [cue("a", 0, bars=1), replace(cue("b", 0), armed=False), cue("c", 0)]
    assert starts(play(CueSequencer(cues, 0, False), 4)) == {0: 0, 2: 60}
    gone = play(CueSequencer([cue("a", 0), *cues[1:]], 0, False), 4, {9: {"go": 1}, 19: {"back": 1}})
    assert [gone[frame].cue for frame in (8, 9, 18, 19)] == [0, 2, 2, 0]
    chosen = play(CueSequencer(cues, 0, False), 1, {9: {"scene": 2}})
    assert chosen[9].cue == 1  # whoever names it, gets it


def test_no_cue_is_armed() -> None:
    cues = [replace(cue(name, bars=1), armed=False) for name in "ab"]
    for loop in (False, True):
        places = play(CueSequencer(cues, 0, loop), 5, {9: {"go": 1}, 19: {"back": 1}})
        assert {place.cue for place in places} == {0}


def test_a_pre_wait_comes_after_go_and_its_beat() -> None:
    cues = CueSequencer([cue("a"), replace(cue("b", 0), pre_wait=1.5)], 4, False)
    places = play(cues, 6, {70: {"go": 1}})
    assert starts(places) == {0: 0, 1: 120 + 45}
    assert places[150].queued == 1
    again = CueSequencer([cue("a"), replace(cue("b", 0), pre_wait=1.0), cue("c", 0)], 0, False)
    assert starts(play(again, 6, {30: {"go": 1}, 45: {"go": 1}})) == {0: 0, 2: 45}  # another GO, another cue


def test_waits_of_cues_that_follow() -> None:
    cues = [
        replace(cue("a", 0, bars=1), post_wait=0.5),
        replace(cue("b", 0, seconds=1), pre_wait=1),
        cue("c", 0),
    ]
    places = play(CueSequencer(cues, 4, False), 8)
    assert starts(places) == {0: 0, 1: 60 + 15 + 30, 2: 60 + 15 + 30 + 30}


def test_continue_counts_from_the_beginning() -> None:
    cues = [replace(cue("a", 0, bars=8), follow="continue", post_wait=2.0), cue("b", 0)]
    assert starts(play(CueSequencer(cues, 4, False), 5)) == {0: 0, 1: 60}
    at_once = [replace(cue("a", 0), follow="continue"), cue("b", 0)]
    assert starts(play(CueSequencer(at_once, 4, False), 5)) in ({1: 0}, {0: 0, 1: 1})


def test_a_cue_that_stays_waits_for_go() -> None:
    cues = [replace(cue("a", 0, bars=1), follow="stay"), cue("b", 0)]
    assert starts(play(CueSequencer(cues, 0, False), 5, {100: {"go": 1}})) == {0: 0, 1: 100}


def test_a_formula_ends_a_cue_once() -> None:
    cues = [replace(cue("a", 0), post_wait=1.0), cue("b", 0), cue("c", 0)]
    asks = {frame: {"over": frame in (30, 31, 40)} for frame in range(200)}
    assert starts(play(CueSequencer(cues, 4, False), 6, asks)) == {0: 0, 1: 60}


def test_a_cue_has_its_own_quantise() -> None:
    cues = [cue("a", 0), replace(cue("b", 0), quantise=1), replace(cue("c", 0), quantise=16)]
    places = play(CueSequencer(cues, 4, False), 9, {70: {"go": 1}, 90: {"go": 1}})
    assert starts(places) == {0: 0, 1: 75, 2: 240}


def test_while_it_is_paused_lengths_waits_and_transitions_stand_still() -> None:
    cues = [replace(cue("a", 0, bars=1), post_wait=1.0), cue("b", 4, seconds=3), cue("c", 0)]
    plain = play(CueSequencer(cues, 4, False), 9)
    asks = {frame: {"paused": 40 <= frame < 70 or 100 <= frame < 150} for frame in range(400)}
    paused = play(CueSequencer(cues, 4, False), 12, asks)
    assert starts(plain) == {0: 0, 1: 90, 2: 180}
    assert starts(paused) == {0: 0, 1: 90 + 30 + 50, 2: 180 + 30 + 50}
    middle = play(CueSequencer(cues, 4, False), 9, {f: {"paused": 100 <= f < 150} for f in range(400)})
    assert len({round(place.progress, 6) for place in middle[100:150]}) == 1
    assert middle[150].progress > middle[149].progress


def test_who_goes_to_the_cue_that_is_on_only_takes_go_back() -> None:
    cues = [cue("a"), cue("b"), cue("c")]
    asks = {2: {"standby": 3}, 4: {"scene": 1}, 10: {"go": 1}, 12: {"scene": 1}}
    places = play(CueSequencer(cues, 4, False), 3, asks)
    assert [places[at].queued for at in (9, 11, 12)] == [None, 2, None]
    assert {(place.cue, place.standby, place.loaded) for place in places[2:]} == {(0, 2, True)}


@pytest.mark.parametrize("fps", [24, 30, 59.94])
def test_a_transition_begins_and_ends_on_its_beats_and_not_on_frames(fps: float) -> None:
    """GO at a tempo whose beats are between frames: at any frame the progress is that of the beat."""
    bpm = 117.0
    for wait in (0.0, 0.7):
        cues = [cue("a"), replace(cue("b", beats=4), pre_wait=wait), cue("c")]
        clock, tempo, sequencer = OfflineClock(fps), Tempo(bpm=bpm), CueSequencer(cues, 4, False)
        sequencer.choose(go=True)
        begins, lasts = 4 * 60 / bpm + wait, 4 * 60 / bpm
        for _ in range(int(8 * fps)):
            clock.advance()
            moment = clock.moment(tempo)
            place = sequencer.step(moment)
            gone = (moment.seconds - begins) / lasts
            assert place.cue == (gone >= -1e-9)
            assert place.progress == pytest.approx(gone if 0 <= gone < 1 else 1.0, abs=1e-6)


def test_what_is_loaded_comes_next_and_once() -> None:
    cues = [cue("a", 0, bars=1), cue("b", 0), replace(cue("c", 0, bars=1), armed=False), cue("d", 0)]
    follows = play(CueSequencer(cues, 4, False), 6, {30: {"standby": 3}})
    assert starts(follows) == {0: 0, 2: 60, 3: 120}  # by its length, then in the order of the setlist
    assert [(follows[at].standby, follows[at].loaded) for at in (29, 30, 60, 120)] == [
        *((1, False), (2, True), (3, False), (None, False)),
    ]
    jumps = play(CueSequencer(cues, 0, False), 1, {5: {"standby": 3}, 9: {"scene": 2}})
    assert [(jumps[at].cue, jumps[at].standby) for at in (8, 9)] == [(0, 2), (1, 3)]


def test_loading_while_go_waits_for_its_beat_changes_what_comes() -> None:
    cues = [cue("a"), cue("b", 0), replace(cue("c", 0), quantise=16)]
    places = play(CueSequencer(cues, 4, False), 9, {70: {"go": 1}, 90: {"standby": 3}})
    assert (places[89].queued, places[90].queued) == (1, 2)
    assert starts(places) == {0: 0, 2: 240}


def test_go_at_the_end_queues_nothing() -> None:
    places = play(CueSequencer([cue("a"), cue("b")], 4, False, first=1), 2, {9: {"go": 1}})
    assert {place.queued for place in places} == {None}


def test_turns_and_decks() -> None:
    cues = CueSequencer([cue("a", 2), cue("b", 2), cue("c", 2)], 0, True)
    places = play(cues, 6, {15: {"go": 1}, 60: {"back": 1}, 75: {"crossfader": 0.5}})
    assert [(places[at].turn, places[at].deck, places[at].decks) for at in (14, 15, 44, 45, 60, 90)] == [
        (0, 0, ((0, 0), (1, 1))),
        (1, 1, ((0, 0), (1, 1))),
        (1, 1, ((0, 0), (1, 1))),
        (1, 1, ((2, 2), (1, 1))),
        (2, 0, ((0, 2), (1, 1))),
        (2, 0, ((0, 2), (1, 3))),
    ]
    assert [round(places[at].crossfader, 6) for at in (14, 15, 30, 45, 60, 75, 90)] == [
        0,
        0,
        0.5,
        1,
        1,
        0.5,
        0,
    ]


def test_the_next_one_is_loaded_again_and_again() -> None:
    cues = [cue("a"), cue("b"), replace(cue("c"), armed=False), cue("d"), cue("e")]
    places = play(CueSequencer(cues, 0, False, first=1), 2, {frame: {"load_next": 1} for frame in (2, 4, 6)})
    assert [places[at].standby for at in (0, 2, 4, 6)] == [3, 4, 0, 3]
    alone = play(CueSequencer([cue("a")], 0, True), 1, {2: {"load_next": 1}})
    assert alone[-1].standby is None
