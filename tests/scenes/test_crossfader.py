"""The crossfader, on an exact clock."""

from dataclasses import replace
from typing import Any

from perform.clock import OfflineClock, Tempo
from perform.scenes.cues import CueSequencer
from perform.scenes.position import CuePosition
from perform.scenes.readiness import Readiness
from tests.doubles.cues import NONE, WAITING, cue, play, starts, ways

READY = Readiness.READY


def faded(cues: CueSequencer, *positions: float, readiness: Readiness = READY) -> list[CuePosition]:
    """The places while a crossfader moves, a position a frame."""
    clock, places = OfflineClock(30), []
    for position in (0.0, *positions):
        clock.advance()
        moment = clock.moment(Tempo(bpm=120))
        places.append(cues.step(moment, crossfader=position, readiness=lambda _: readiness))
    return places[1:]


def test_a_crossfader_makes_a_transition_in_both_directions() -> None:
    places = faded(
        CueSequencer([cue("a"), cue("b"), cue("c")], 4, False), 0.25, 0.5, 1.0, 1.0, 0.75, 0.0, 0.0
    )
    assert ways(places) == [
        *((1, 0, 0.25), (1, 0, 0.5), (1, None, 1.0), (1, None, 1.0)),
        *((2, 1, 0.25), (2, None, 1.0), (2, None, 1.0)),
    ]


def test_a_crossfader_that_returns_changes_nothing() -> None:
    places = faded(CueSequencer([cue("a", bars=8), cue("b")], 4, False), 0.25, 0.5, 0.0, 0.0)
    assert ways(places) == [(1, 0, 0.25), (1, 0, 0.5), (0, None, 1.0), (0, None, 1.0)]
    assert places[-1].bar == 0.0


def test_a_crossfader_ignores_a_cue_that_is_not_ready() -> None:
    assert ways(faded(CueSequencer([cue("a"), cue("b")], 4, False), 1.0)) == [(1, None, 1.0)]
    assert ways(faded(CueSequencer([cue("a")], 4, False), 0.5, 1.0)) == [(0, None, 1.0)] * 2
    waiting = CueSequencer([cue("a"), cue("b")], 4, False)
    assert ways(faded(waiting, 0.5, 0.75, readiness=Readiness.OPENING)) == [(0, None, 1.0)] * 2
    assert ways(faded(waiting, 0.5))[0] == (1, 0, 0.5)


def test_an_edit_with_the_crossfader_at_its_far_end_changes_nothing() -> None:
    cues = [cue("a"), cue("b")]
    asks = {frame: {"crossfader": min(frame / 10, 1.0)} for frame in range(30)}
    places = play(CueSequencer(cues, 4, True), 1, asks, edits={20: [cue("new"), *cues]})
    assert ways(places[19:]) == [(1, None, 1.0), *[(2, None, 1.0)] * 10]


def test_go_waits_for_its_beat_after_a_crossfader() -> None:
    faders: dict[int, dict[str, Any]] = {f: {"crossfader": 0.5 if f < 70 else 1.0} for f in range(10, 200)}
    faders[30]["go"] = 1
    places = play(CueSequencer([cue("a"), cue("b"), cue("c", 0)], 4, False), 6, faders)
    assert starts(places) == {0: 0, 1: 10, 2: 120}


def test_a_crossfader_that_returns_leaves_the_end_of_its_cue() -> None:
    cues = [replace(cue("a", 0), post_wait=1.0, until=NONE), cue("b", 0)]
    asks: dict[int, dict[str, Any]] = {30: {"over": True}, 40: {"crossfader": 0.5}}
    places = play(CueSequencer(cues, 4, False), 4, asks)
    assert [places[at].cue for at in (39, 40, 41, 59, 60)] == [0, 1, 0, 0, 1]


def test_a_crossfader_that_returns_when_its_cue_was_due_shows_the_next_transition_whole() -> None:
    cues = [cue("a", bars=1), cue("b", bars=1), cue("c")]
    asks = {frame: {"crossfader": 0.5} for frame in range(50, 200)}
    places = play(CueSequencer(cues, 4, False), 10, asks)
    assert ways([places[at] for at in (200, 201, 231)]) == [(0, None, 1.0), (1, 0, 0.0), (1, 0, 0.5)]
    asks |= {frame: {"crossfader": 0.5, "paused": True} for frame in range(51, 195)}
    paused = play(CueSequencer(cues, 4, False), 10, asks)  # 144 frames later than its bar
    assert ways([paused[at] for at in (203, 204, 234)]) == [(0, None, 1.0), (1, 0, 0.0), (1, 0, 0.5)]


def test_a_crossfader_that_returns_to_the_cue_that_a_hand_has_loaded_or_queued() -> None:
    cues = [cue("a"), cue("b"), cue("c")]
    for ask in ({"standby": 1}, {"scene": 1}):
        asks: dict[int, dict[str, Any]] = {frame: {"crossfader": 0.5} for frame in range(5, 20)}
        asks[10] |= ask
        last = play(CueSequencer(cues, 0, False), 1, asks)[-1]
        assert (last.cue, last.before, last.queued, last.standby, last.turn) == (0, None, None, 1, 0)


def test_an_edit_leaves_the_crossfader_in_the_hand() -> None:
    asks = {frame: {"crossfader": min(frame / 40, 0.5)} for frame in range(90)}
    places = play(CueSequencer(WAITING, 4, False), 3, asks, edits={50: list(WAITING)})
    assert ways(places)[-1] == (1, 0, 0.5)
