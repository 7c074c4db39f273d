"""The tempo authority: which clock leads, and how the beat changes over. Exact, on made-up times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import GLIDE, Lead, OfflineClock, Tempo
from perform.documents import SceneError
from perform.rhythm.tempo import LEADS, SOURCES, TempoAuthority
from perform.scenes.setlist import read_setlist
from perform.signals import Event
from tests.doubles.catalogue import FakeCatalogue
from tests.doubles.performances import performance, play, shader_scene

DT = 1 / 30


def said(time: float, name: str, *numbers: float) -> Event:
    return Event(time, name, np.array(numbers, np.float32))


def link(time: float, bpm: float = 100, beat: float = 0.0) -> Event:
    return said(time, "tempo.link", bpm, beat % 4, 4, 1, 0)


def midi(time: float, bpm: float = 90, beat: float = 0.0, unit: float = 4, starts: int = 0) -> Event:
    return said(time, "tempo.midi", bpm, beat % unit, unit, 1, starts)


def audio(time: float, bpm: float = 80, downbeat: bool = False) -> Event:
    return said(time, "tempo.beat", bpm, 0.9, downbeat)


def heard(authority: TempoAuthority, now: float, *events: Event) -> Tempo:
    authority.update(events)
    return authority.step(now)


def test_the_clock_of_the_highest_priority_leads() -> None:
    show = TempoAuthority(Tempo())
    assert heard(show, 0.0).source == "free"
    assert (heard(show, 1.0, audio(1.0)).source, show.tempo.bpm) == ("audio", 80)
    assert (heard(show, 1.1, midi(1.1)).source, show.tempo.bpm) == ("midi", 90)
    assert (heard(show, 1.2, link(1.2)).source, show.tempo.bpm) == ("link", 100)
    assert heard(show, 1.3, midi(1.3), audio(1.3)).bpm == 100
    show.set(110, 1.4)
    assert (heard(show, 1.4, link(1.4), midi(1.4)).source, show.tempo.bpm) == ("hand", 110)
    show.release()
    assert (show.step(1.5).source, show.tempo.bpm) == ("link", 100)


def test_a_silent_clock_leads_for_the_hold_time_and_then_the_next() -> None:
    show = TempoAuthority(Tempo())
    heard(show, 0.0, audio(0.0), midi(0.0), link(0.0))
    assert show.step(0.9).source == "link"
    heard(show, 2.0, midi(1.9))
    assert show.step(2.0).source == "link"
    assert show.step(2.1).source == "midi"
    assert show.step(3.0).source == "audio"
    assert (show.step(8.1).source, show.tempo.bpm) == ("free", 80)


@pytest.mark.parametrize("clock", SOURCES)
def test_a_pinned_clock_leads_alone(clock: Lead) -> None:
    show = TempoAuthority(Tempo(bpm=120), clock)
    tempo = heard(show, 1.0, audio(1.0), midi(1.0), link(1.0))
    bpm = {"hand": 120, "link": 100, "midi": 90, "audio": 80, "free": 120}[clock]
    assert (tempo.source, tempo.bpm) == (clock, bpm)
    if clock not in ("hand", "free"):
        assert show.step(20.0).source == "free"  # no other clock takes over
        assert heard(show, 21.0, link(21.0), midi(21.0), audio(21.0)).source == clock


@pytest.mark.parametrize("clock", ["link", "midi", "audio"])
def test_taps_wait_while_another_clock_is_pinned(clock: Lead) -> None:
    show = TempoAuthority(Tempo(), clock)
    before = heard(show, 1.0, audio(1.0), midi(1.0), link(1.0))
    show.set(150, 1.0)
    show.scale(2, 1.0)
    for tap in (1.0, 1.3, 1.6):
        show.tap(tap)
    after = show.step(1.6)
    assert (after.source, after.bpm) == (clock, before.bpm)
    show.pin(LEADS.index("auto"))
    assert show.step(1.7).source == "link"


def test_the_next_clock_command_cycles() -> None:
    show = TempoAuthority(Tempo())
    names = []
    for _ in LEADS:
        show.pin_next()
        names.append(show.lead)
    assert names == ["hand", "link", "midi", "audio", "free", "auto"]


def test_a_change_of_clock_glides_and_a_resync_is_immediate() -> None:
    show = TempoAuthority(Tempo(bpm=120))
    show.step(10.0)
    tempo = heard(show, 10.0, link(10.0, 120, beat=21.4))  # the show is at 20, the session at 1.4 of its bar
    assert tempo.beat(10.0) == pytest.approx(20.0)
    assert tempo.beat(10.25) == pytest.approx(20.5 + GLIDE * 0.5)
    assert tempo.beat(20.0) == pytest.approx(40.4)
    assert tempo.bar(20.0) * 4 % 4 == pytest.approx(41.4 % 4)
    show.resync(10.1)
    tempo = heard(show, 10.1, link(10.1, 120, beat=21.6))
    assert tempo.beat(10.1) % 1 == pytest.approx(0.6, abs=1e-6)
    assert tempo.bar(10.1) * 4 % 4 == pytest.approx(1.6, abs=1e-6)


def test_taps_set_the_beat_of_a_clock_without_beats() -> None:
    show = TempoAuthority(Tempo(bpm=120))
    tempo = heard(show, 10.0, midi(10.0, 120, beat=0.01, unit=1 / 24))
    assert tempo.beat(20.0) == pytest.approx(40.01, abs=1e-6)  # the nearest pulse
    show.resync(20.2)
    tempo = heard(show, 20.2, midi(20.2, 120, beat=0.0, unit=1 / 24))
    assert (tempo.beat(20.2) % 1, tempo.bar(20.2) % 1) == (pytest.approx(0, abs=1e-6),) * 2


def test_a_midi_start_jumps_while_midi_leads_and_otherwise_glides() -> None:
    show = TempoAuthority(Tempo(bpm=120))
    heard(show, 10.0, midi(10.0, 120, unit=1 / 24))
    tempo = heard(show, 10.3, midi(10.3, 120, beat=0.0, starts=1))
    assert tempo.bar(10.3) % 1 == pytest.approx(0, abs=1e-6)
    show = TempoAuthority(Tempo(bpm=120))
    tempo = heard(show, 10.3, midi(10.3, 120, beat=0.0, starts=1))
    assert tempo.bar(10.3) % 1 == pytest.approx(Tempo(bpm=120).bar(10.3) % 1)


def test_a_nudge_is_added_to_the_leading_clock() -> None:
    show = TempoAuthority(Tempo(bpm=120))
    heard(show, 0.0, link(0.0, 120))
    show.nudge(1 / 32)
    tempo = heard(show, 0.5, link(0.5, 120, beat=1.0))
    assert tempo.beat(5.0) == pytest.approx(10 + 1 / 32)
    show.resync(0.5)
    assert heard(show, 0.5, link(0.5, 120, beat=1.0)).beat(5.0) == pytest.approx(10.0)


@pytest.mark.parametrize(("meter", "first"), [(4, 0), (4, 2), (3, 0)])
def test_bars_begin_with_the_downbeats_of_music_in_four(meter: int, first: int) -> None:
    """The bars of music in three come faster than a bar may turn: the show's own go on evenly."""
    show = TempoAuthority(Tempo(bpm=120))
    bars = []
    for beat in range(60):
        now = 1.0 + beat / 2
        heard(show, now, audio(now, 120, beat % meter == first))
        bars.append(show.tempo.bar(now))
    assert np.diff(bars[30:]) == pytest.approx(0.25, abs=1e-6)
    places = [round(4 * bar) % 4 for bar in bars[30:]]
    assert places == [(beat - first) % 4 for beat in range(30, 60)]


def test_tapped_bars_stay_while_the_tracker_leads() -> None:
    show, clock = TempoAuthority(Tempo(bpm=120)), OfflineClock(30)
    for frame in range(30 * 12):
        now = clock.advance()
        beat = frame % 15 == 0
        if frame == 30 * 6:  # a beat after the tracker's downbeat
            show.resync(now)
        heard(show, now, *([audio(now, 120, downbeat=frame % 60 == 45)] if beat else []))
        if frame == 30 * 5:
            assert show.tempo.bar(now) * 4 % 4 == pytest.approx(3.0, abs=0.02)
    assert show.tempo.bar(12.0) * 4 % 4 == pytest.approx(0.0, abs=0.02)


def test_an_offset_does_not_make_the_picture_jump() -> None:
    show = TempoAuthority(Tempo(bpm=120, offset=0.2))
    before = show.step(10.0)
    after = heard(show, 10.0, link(10.0, 60, beat=0.7))
    assert after.beat(10.2) == pytest.approx(before.beat(10.2))
    assert after.beat(40.2) % 1 == pytest.approx((0.7 + 30.2) % 1, abs=1e-6)


def test_a_delay_of_the_display_does_not_make_the_picture_jump() -> None:
    show = TempoAuthority(Tempo(bpm=120, offset=-0.1))
    before = show.step(10.0, delay=0.04)
    show.update([link(10.0, 60, beat=0.7)])
    after = show.step(10.0, delay=0.04)
    assert after.beat(9.94) == pytest.approx(before.beat(9.94))
    assert after.beat(39.94) % 1 == pytest.approx((0.7 + 29.94) % 1, abs=1e-6)


SAYING = st.tuples(
    st.sampled_from(["link", "midi", "audio", "silence", "pin"]),
    st.floats(40, 200),
    st.floats(0, 4),
    st.sampled_from([4.0, 1.0, 1 / 24]),
    st.integers(1, 40),
)


@given(st.lists(SAYING, max_size=25), st.floats(-0.2, 0.2))
def test_the_beat_glides_for_any_clocks(sayings: list[Any], offset: float) -> None:
    """Between two frames the beat moves by its tempo, more or less GLIDE; the bar by twice as much."""
    show, now = TempoAuthority(Tempo(offset=offset)), 0.0
    for kind, bpm, beat, unit, frames in sayings:
        if kind == "pin":
            show.pin_next()
        for _ in range(frames):
            before = show.tempo
            events = {
                "link": [link(now, bpm, beat)],
                "midi": [midi(now, bpm, beat, unit)],
                "audio": [audio(now, bpm, beat > 2)],
            }.get(kind, [])
            after = heard(show, now, *events)
            shown = now + offset
            assert after.beat(shown) == pytest.approx(before.beat(shown), abs=1e-6)
            assert after.bar(shown) == pytest.approx(before.bar(shown), abs=1e-6)
            usual = after.bpm / 60 * DT
            moved = after.beat(shown + DT) - after.beat(shown)
            assert (1 - GLIDE - 1e-6) * usual <= moved <= (1 + GLIDE + 1e-6) * usual
            turned = 4 * (after.bar(shown + DT) - after.bar(shown))
            assert (1 - 2 * GLIDE - 1e-6) * usual <= turned <= (1 + 2 * GLIDE + 1e-6) * usual
            now += DT


VALUES = st.one_of(
    st.floats(width=32),
    st.text(),
    st.lists(st.floats(width=32), max_size=6).map(lambda numbers: np.array(numbers, np.float32)),
)


@given(st.lists(st.tuples(st.sampled_from(["tempo.link", "tempo.midi", "tempo.beat"]), VALUES)))
def test_invalid_values_are_ignored(lies: list[tuple[str, Any]]) -> None:
    show = TempoAuthority(Tempo())
    for now, (name, value) in enumerate(lies):
        tempo = heard(show, float(now), Event(float(now), name, value))
        assert 20 <= tempo.bpm <= 999
        assert np.isfinite(tempo.beat(now + 1.0)) and np.isfinite(tempo.bar(now + 1.0))


def test_the_show_reports_the_leading_clock_and_follows_commands() -> None:
    show = performance(shader_scene("a"))
    play(show, 2, {0: [("tempo.link", link(0.0).value)]})
    assert show.tempo.source == "link"
    play(show, 1)
    assert [show.signals[name] for name in ("tempo.source", "tempo.clock", "tempo.playing")] == [2, 0, 1]
    play(show, 1, {0: [("key.c", 1.0)]})
    assert show.authority.lead == "hand"
    play(show, 2, {0: [('osc["/tempo/clock/midi"]', 1.0)], 1: [('osc["/tempo/clock/midi"]', 0.0)]})
    assert (show.authority.lead, show.tempo.source) == ("midi", "free")
    play(show, 2, {0: [('osc["/tempo/clock/auto"]', 1.0)], 1: [('osc["/tempo/clock/auto"]', 0.0)]})
    assert show.authority.lead == "auto"


def test_the_same_events_give_the_same_beats() -> None:
    events = {n: [("tempo.link", link(n / 30, 100 + n % 3, n / 30 * 5 / 3).value)] for n in range(3, 80, 5)}

    def run() -> list[float]:
        show, beats = performance(shader_scene("a")), []
        clock = OfflineClock(30)
        for frame in range(100):
            now = clock.advance()
            show.step(clock.moment(show.tempo), [Event(now, *one) for one in events.get(frame, [])])
            beats.append(show.tempo.beat(now))
        return beats

    assert run() == run()


def test_setlists_and_presets_can_pin_a_clock(tmp_path: Path) -> None:
    preset = tmp_path / "a.toml"
    preset.write_text('title = "A"\nclock = "link"\n[generator]\nshader = "grid"\n')
    file = tmp_path / "set.toml"
    file.write_text('title = "S"\nclock = "midi"\n[[cue]]\nscene = "a"\n')
    setlist = read_setlist(file, FakeCatalogue(), lambda name: preset)
    assert (setlist.lead, setlist.cues[0].scene.lead) == ("midi", "link")
    file.write_text('title = "S"\nclock = "smpte"\n[[cue]]\nscene = "a"\n')
    with pytest.raises(SceneError, match="clock = 'smpte', must be 'auto', 'hand', 'link', 'midi'"):
        read_setlist(file, FakeCatalogue(), lambda name: preset)
