"""Cue sequencers on an exact clock."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from perform.clock import OfflineClock, Tempo
from perform.scenes.controls import UnitSettings
from perform.scenes.cues import CueSequencer
from perform.scenes.position import CuePosition
from perform.scenes.scene import Layer, Scene, Transition
from perform.scenes.setlist import Cue

NONE = UnitSettings("", (), {})


def cue(name: str, beats: float = 4, bars: float | None = None, seconds: float | None = None) -> Cue:
    return timed(name, Transition(beats, NONE), bars, seconds)


def timed(name: str, transition: Transition, bars: float | None = None, seconds: float | None = None) -> Cue:
    return Cue(Scene(name, (Layer(NONE),), (), transition, file=Path(name)), transition, bars, seconds)


def play(
    cues: CueSequencer,
    seconds: float,
    asks: dict[int, dict[str, Any]] | None = None,
    fps: int = 30,
    bpm: float = 120,
    edits: dict[int, list[Cue]] | None = None,
) -> list[CuePosition]:
    """The places of every frame; at 120 bpm a beat is 15 frames, a bar 60. `edits` are cues of the
    same scenes from a frame on."""
    clock, tempo, asks = OfflineClock(fps), Tempo(bpm=bpm), asks or {}
    places = []
    for frame in range(int(seconds * fps)):
        clock.advance()
        if edits and frame in edits:
            cues.use(edits[frame], 4, False)
        asked = dict(asks.get(frame, {}))
        cues.choose(*(asked.pop(name, 0) for name in ("go", "back", "scene", "standby", "load_next")))
        places.append(cues.step(clock.moment(tempo), **asked))
    return places


def ways(places: list[CuePosition]) -> list[tuple[int, int | None, float]]:
    return [(place.cue, place.before, round(place.progress, 6)) for place in places]


def starts(places: list[CuePosition]) -> dict[int, int]:
    """The first frame of each cue."""
    return {cue: [place.cue for place in places].index(cue) for cue in {place.cue for place in places}}


WAITING = [replace(cue("a", 0), post_wait=1.0, until=NONE), replace(cue("b", 0), pre_wait=1.0), cue("c", 0)]
