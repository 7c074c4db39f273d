"""What is shown on the beat is on it: device, tracker, tempo and live clock, in a time of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from perform import clock
from perform.clock import GLIDE, LiveClock, Tempo
from perform.inputs import audio
from perform.rhythm.tempo import TempoAuthority
from tests.doubles.moments import Timer
from tests.doubles.sounds import Recording, clicks

SILENCE = 4.0  # seconds before the first click
DRAWN = 0.012  # seconds that a frame takes at least
GLIDING = 0.5 / GLIDE  # beats: the way to another beat is half a beat at most


@dataclass
class Show:
    """A live show that hears clicks from a device: when each beat is that it hears, how many beats each frame
    counts, and when it is drawn."""

    heard: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    followed: float = 0.0  # when it began to follow what it hears

    def changes(self) -> list[float]:
        """When the count goes on."""
        steps = zip(pairwise(self.counts), self.drawn[1:], strict=True)
        return [at for (before, now), at in steps if now != before]


def played(monkeypatch: pytest.MonkeyPatch, clicks_at: list[float], fps: float) -> Show:
    """A show whose frames take 12 ms to draw, or a little more."""
    timer, microphone, show = Timer(), Recording(clicks(clicks_at, clicks_at[-1] + 1)), Show()
    monkeypatch.setattr(clock, "time", timer)
    monkeypatch.setattr(audio, "Microphone", lambda *_: microphone)
    live, authority, dice = LiveClock(fps), TempoAuthority(Tempo()), np.random.default_rng(3)
    device = audio.SoundDevice("desk", live.now)
    while live.now() < clicks_at[-1]:
        seconds = microphone.now = live.advance()
        events = device.poll(seconds)
        moment = live.moment(authority.tempo)
        authority.update(events)
        if authority.step(seconds, moment.delay).source != "audio":
            show.followed = seconds
        timer.seconds += DRAWN + dice.exponential(0.001)
        show.heard += [event.time for event in events if event.name == "tempo.beat"]
        show.counts.append(int(moment.signals()["beat.count"]))
        show.drawn.append(live.now())
        live.shown()
    return show


@pytest.mark.parametrize("fps", [31.0, 60.0])
@pytest.mark.parametrize("bpm", [120.0, 97.0])
@pytest.mark.parametrize("lead", [0.0, 0.15, 0.3, 0.45])
def test_each_beat_that_is_heard_is_shown_once_and_in_the_frame_that_is_nearest(
    monkeypatch: pytest.MonkeyPatch, fps: float, bpm: float, lead: float
) -> None:
    """From two beats after the show began to follow them on, wherever its own beat was. A change is at most
    half a frame from its beat, and 10 ms in which the show's grid is behind that of the tracker."""
    show = played(monkeypatch, [SILENCE + lead + n * 60 / bpm for n in range(round(14 * bpm / 60))], fps)
    assert {now - before for before, now in pairwise(show.counts)} == {0, 1}, "the count never goes back"
    assert show.followed < SILENCE + lead + 4
    settled = show.followed + (GLIDING + 0.5) * 60 / bpm
    beats = [beat for beat in show.heard if settled < beat < show.drawn[-1] - 0.1]
    changes = [change for change in show.changes() if beats[0] - 0.1 < change < beats[-1] + 0.1]
    assert len(beats) > 8 * bpm / 60
    assert changes == pytest.approx(beats, abs=0.5 / fps + 0.010)
