"""The bench of the beat: changes beside beats, and a show on the offline clock, which is exact."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from perform import children, show
from perform.bench import beat, heard
from perform.bench.beat import BEAT_LIGHT, BeatScreen, Matches, matched, write_clicks
from perform.bench.heard import device_fault, keeps_time, write_scene
from perform.faults import Health
from perform.inputs.audio import open_sound
from perform.inputs.audio.reader import SoundReader
from tests.doubles.sounds import onsets
from tests.doubles.waiting import eventually, needs

BEATS = [float(second) for second in range(20)]


def test_changes_are_matched_to_beats_after_the_lock() -> None:
    found = matched(BEATS, [beat + 0.01 for beat in BEATS])
    assert found.errors == pytest.approx([0.01] * 14)
    assert (found.missed, found.extra) == (0, 0)


def test_how_long_the_lock_takes_is_measured() -> None:
    """Beats 0 to 4 are off or have no change, 6 is, too; from 7 on four in a row are within 20 ms."""
    off = {0: 0.15, 1: 0.1, 2: 0.4, 3: -0.1, 4: 0.021, 5: 0.02, 6: -0.021, 7: -0.02}
    beats = [beat + 10 for beat in BEATS]
    found = matched(beats, [beat + off.get(n, 0.0) for n, beat in enumerate(beats)], followed=13.2)
    assert (found.followed, found.settled) == (pytest.approx([3.2]), (7,))
    assert matched(BEATS, [beat + 0.03 for beat in BEATS]).settled == (math.inf,)
    slow = Matches(followed=(3.2,), settled=(7,)) + Matches(followed=(2.9,), settled=(9,))
    values = {figure.name: figure.value for figure in slow.figures("_31")}
    assert (values["followed_s_31"], values["settled_beats_31"]) == (3.2, 9)


def test_missed_and_extra_changes_are_counted() -> None:
    changes = [beat - 0.02 for beat in BEATS if beat != 12] + [15.5, 16.1, 2.5]
    found = matched(BEATS, sorted(changes))
    assert found.errors == pytest.approx([-0.02] * 13)
    assert (found.missed, found.extra) == (1, 2)


def test_beats_that_are_not_even_are_reported() -> None:
    assert max(matched(BEATS, []).uneven) == pytest.approx(0, abs=1e-9)
    moved = [beat + (0.01 if beat % 4 in (1, 2) else -0.01) for beat in range(22)]
    assert matched(moved, []).uneven == pytest.approx([0.01] * 16)


def test_a_track_that_never_plays_has_no_figures() -> None:
    assert matched([], [1.0]) == matched([0.0], []) == matched([0.0, 1.0], [1.0]) == Matches()
    values = {figure.name: figure.value for figure in Matches().figures("_60", 20.0)}
    assert values["beats_60"] == 0
    for name in ("error_ms_p50_60", "error_ms_p95_60", "followed_s_60", "settled_beats_60"):
        assert math.isnan(values[name])


def test_figures_of_two_tracks_count_together() -> None:
    found = Matches((0.01, 0.03), 1, 0, (0.001,), (3.0,), (6,)) + Matches(
        (-0.04, 0.02), 0, 2, (0.003,), (2.0,), (8,)
    )
    values = {figure.name: figure.value for figure in found.figures("_31", 20.0)}
    assert values == pytest.approx(
        {
            "beats_31": 5,
            "uneven_ms_p95_31": 2.9,
            "followed_s_31": 3.0,
            "settled_beats_31": 8,
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
    assert beats == pytest.approx([1 + 60 / 97 * beat for beat in range(5)], abs=1 / 48_000)
    assert onsets(SoundReader(tmp_path / "clicks.wav").read(0, 8 * 48_000)) == beats


@pytest.mark.parametrize("fps", [31.0, 60.0])
@pytest.mark.parametrize("bpm", [120.0, 97.0])
def test_offline_what_is_shown_on_the_beat_is_on_it(tmp_path: Path, fps: float, bpm: float) -> None:
    """A change is in the first frame that begins at the beat or after it; the tracker is within 8 ms."""
    beats = write_clicks(tmp_path / "clicks.wav", round(12 * bpm / 60), 60 / bpm)
    preset = write_scene(tmp_path, BEAT_LIGHT)
    rig = show.render(show.Options(str(preset), str(tmp_path / "clicks.wav"), size=(64, 36), fps=fps))
    screen = BeatScreen(rig.context, rig.present.size, rig.clock.now)
    rig.screens.append(screen)
    rig.run(lambda rig: rig.clock.now() > beats[-1] + 0.3)
    found = matched(beats, screen.changes)
    assert (found.missed, found.extra) == (0, 0)
    assert len(found.errors) == sum(beat >= beats[0] + 6 for beat in beats)
    assert min(found.errors) >= -0.008
    assert max(found.errors) <= 1 / fps + 0.008


def test_a_device_keeps_time_if_its_clicks_come_evenly_and_as_fast_as_the_clock() -> None:
    even = [0.05 * click for click in range(30)]
    assert keeps_time(even, 30, 0.05)
    assert not keeps_time(even[:-1], 30, 0.05), "one is missing"
    assert not keeps_time([1.03 * time for time in even], 30, 0.05), "too slow"
    assert not keeps_time([time + 0.008 * (n % 2) for n, time in enumerate(even)], 30, 0.05), "uneven"


def test_without_a_virtual_device_the_clicks_play_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The beats that count are those of the file, from 6 s after the first on."""
    monkeypatch.setenv("PATH", "")
    assert device_fault(480) == "there is no jackd"
    monkeypatch.setattr(beat, "_both_tempi", lambda play, *_: play(15, 0.5, 31.0, 0.0))
    monkeypatch.setattr(beat, "BEAT_RATES", (31.0,))
    figures = {figure.name: figure for figure in beat.beat_figures(None, None, "cpu")}
    assert figures["tracks"].note == "from a file at the pace of the clock: there is no jackd"
    assert figures["beats_31"].value == figures["beats_before_31"].value == 3
    assert figures["uneven_ms_p95_31"].value == pytest.approx(0, abs=0.1)


def test_a_show_that_hears_no_clicks_has_no_figures(tmp_path: Path) -> None:
    rig = heard.light_show(tmp_path, BEAT_LIGHT, "none", 31.0)
    with pytest.raises(RuntimeError, match="did not follow the clicks; its sound: ok, silence"):
        beat._watched(rig, rig.clock.now, lambda: rig.timings.count >= 3)


def test_what_the_device_plays_is_found_by_its_name() -> None:
    """Also where PortAudio's default is ALSA's way into JACK, whose clients have other names."""
    needs("jackd", "jack_wait")
    with heard.clicks(40, 0.25, 0.0, period=480):
        sound = open_sound(heard.DEVICE, lambda: 0.0)
        eventually(lambda: sound.health() == Health("ok", heard.DEVICE), "the player")
        sound.close()
    left = [*Path("/dev/shm").glob(f"jack_*{heard.SERVER}*")]
    assert left == [], "all clients have taken their leave: the server ended by itself"


def test_a_device_that_does_not_start_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("jack_wait")
    (tmp_path / "jackd").write_text(f"#!/bin/sh\necho $$ > {tmp_path}/process\nexec sleep 600\n")
    (tmp_path / "jackd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), os.pathsep)
    monkeypatch.setattr(heard, "START_TIMEOUT", 1)
    assert device_fault(480) == "JACK's device does not start"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "process").read_text()), 0)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_that_a_bench_starts_outlives_it(tmp_path: Path, end: signal.Signals) -> None:
    """The sound server, its player and the folders."""
    needs("jackd", "jack_wait")
    jackd = shutil.which("jackd")
    (tmp_path / "jackd").write_text(f'#!/bin/sh\necho $$ > {tmp_path}/process\nexec {jackd} "$@"\n')
    (tmp_path / "jackd").chmod(0o755)
    (tmp_path / "temporary").mkdir()
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path / "temporary")}
    code = children.command("from perform.cli import app; app(['bench', 'beat', '--seconds', '60'])")
    with subprocess.Popen(code, env=children.environment(**path), stderr=subprocess.DEVNULL) as bench:
        process = tmp_path / "process"
        eventually(lambda: process.exists() and process.read_text(), "the server")
        server = int(process.read_text())
        eventually(lambda: [*(tmp_path / "temporary").iterdir()], "the show")
        bench.send_signal(end)
        with suppress(subprocess.TimeoutExpired):  # Python drops a Ctrl-C that comes while it frees an object
            bench.wait(10)
        bench.send_signal(end)
        assert bench.wait(30) == {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}[end]
    eventually(lambda: not Path(f"/proc/{server}").exists(), "the end of the server")
    if end != signal.SIGKILL:
        left = [one for one in (tmp_path / "temporary").iterdir() if one.is_dir()]  # Python tries with a file
        assert left == []
