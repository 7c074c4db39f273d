from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from perform.clock import LiveClock
from perform.inputs import audio
from perform.inputs.audio import portaudio
from perform.inputs.audio.analysis import SoundAnalyzer
from perform.inputs.audio.decoding import SAMPLE_RATE as RATE
from perform.inputs.audio.pacing import PacedSound
from perform.inputs.audio.portaudio import DeviceError, audio_devices
from perform.inputs.audio.reader import SoundReader
from perform.inputs.audio.streams import CAPACITY, Number, SharedSound
from perform.signals import Event
from tests.doubles.servers import Server
from tests.doubles.sounds import Recording, clicks, tone, write_sound
from tests.doubles.waiting import eventually


def played(sound: audio.Sound, fps: int, seconds: float) -> list[Event]:
    """Every event of a sound, polled `fps` times a second."""
    return [event for n in range(int(seconds * fps) + 1) for event in sound.poll(n / fps)]


def test_a_sound_file_plays_and_is_silent_after_its_end(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (RATE, 2)).astype(np.float32)
    reader = SoundReader(write_sound(tmp_path / "noise.wav", sound))
    assert np.array_equal(reader.read(0, RATE + 100), np.concatenate((sound, np.zeros((100, 2)))))
    assert reader.length == RATE
    assert np.array_equal(reader.read(500, 700), sound[500:700])


def test_a_sound_file_that_was_closed_is_silent(tmp_path: Path) -> None:
    """A speaker's thread, and the last look of a render, may read it once more."""
    reader = SoundReader(write_sound(tmp_path / "tone.wav", tone(3.0)))
    reader.read(0, RATE)
    reader.close()
    assert not reader.read(2 * RATE, 3 * RATE).any()
    reader.close()


def test_a_looped_sound_has_no_seam(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (12_345, 2)).astype(np.float32)
    reader = SoundReader(write_sound(tmp_path / "noise.wav", sound), loop=True)
    assert np.array_equal(reader.read(0, 3 * 12_345), np.tile(sound, (3, 1)))


@pytest.mark.parametrize(
    ("name", "codec", "rate", "loss"),  # the ends of m4a are padded: it is no format for loops
    [
        ("a.wav", "pcm_s16le", 44_100, 0.001),
        ("a.wav", "pcm_s16le", 22_050, 0.01),
        ("a.flac", "flac", 44_100, 0.001),
        ("a.mp3", "libmp3lame", 44_100, 0.05),
        ("a.ogg", "libopus", 48_000, 0.1),
        ("a.m4a", "aac", 48_000, 0.15),
    ],
)
def test_any_format_is_read_at_48_khz_and_its_own_loudness(
    tmp_path: Path, name: str, codec: str, rate: int, loss: float
) -> None:
    file = write_sound(tmp_path / name, tone(1.0, rate), rate, codec)
    heard = SoundReader(file, loop=name != "a.m4a").read(
        RATE // 10, RATE * 9 // 10 + (name != "a.m4a") * RATE
    )
    assert np.array_equal(heard[:, 0], heard[:, 1])
    steps = np.abs(np.diff(heard[:, 0]))
    assert steps.max() < 0.5 * 2 * np.pi * 1000 / RATE * (1.02 + loss)  # a gap would be a larger step
    assert np.abs(heard[: RATE // 2]).max() == pytest.approx(0.5, abs=max(loss, 0.005))


def test_six_channels_are_mixed_to_two(tmp_path: Path) -> None:
    six = np.repeat(tone(0.5), 6, axis=1)
    assert SoundReader(write_sound(tmp_path / "six.wav", six)).read(0, 100).shape == (100, 2)


def test_ten_minutes_of_a_loop_use_no_more_memory(tmp_path: Path) -> None:
    reader = SoundReader(write_sound(tmp_path / "a.wav", tone(2.0)), loop=True)
    for second in range(480):
        reader.read(second * RATE, (second + 1) * RATE)
    tracemalloc.start()
    for second in range(480, 600):
        reader.read(second * RATE, (second + 1) * RATE)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 500_000


def test_a_file_that_is_no_sound_is_rejected_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and then nothing that makes sense" * 10)
    silent = tmp_path / "silent.mp4"
    with av.open(str(silent), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        film.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        film.mux(stream.encode(None))
    for file, why in [(tmp_path / "none.wav", "no such"), (broken, "cannot be read"), (silent, "no sound")]:
        with pytest.raises(audio.SoundError, match=f"{file.name}: .*{why}"):
            audio.open_sound(file, lambda: 0.0)


def test_a_file_removed_in_a_loop_is_silent_until_it_returns(tmp_path: Path) -> None:
    file = write_sound(tmp_path / "a.wav", tone(0.5))
    content = file.read_bytes()
    sound = audio.SoundFile(file, loop=True)
    file.unlink()
    played(sound, 20, 1.0)
    assert sound.health().state == "failed"
    assert "a.wav" in sound.health().detail
    file.write_bytes(content)
    sound.take_sound()
    for second in range(1, 5):
        sound.poll(second)
    assert sound.health().state == "ok"
    assert np.abs(sound.take_sound()).max() > 0.4


def test_signals_do_not_depend_on_the_frame_rate(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).normal(0, 0.1, (2 * RATE, 1)).astype(np.float32)
    file = write_sound(tmp_path / "noise.wav", noise * np.linspace(0, 1, 2 * RATE, dtype=np.float32)[:, None])
    said = [played(audio.SoundFile(file), fps, 2.0) for fps in (20, 50, 100)]
    levels = [{e.time: e.value for e in events if e.name == "audio.level"} for events in said]
    shared = levels[0].keys() & levels[1].keys() & levels[2].keys()
    assert len(shared) == 20
    assert all(levels[0][time] == levels[1][time] == levels[2][time] for time in shared)


def test_no_hit_is_lost_between_two_frames(tmp_path: Path) -> None:
    times = [0.5, 0.9, 1.3, 1.7]
    file = write_sound(tmp_path / "clicks.wav", clicks(times, 2.0))
    for fps in (10, 24, 60):
        said = played(audio.SoundFile(file), fps, 2.0)
        hits = [e.time for e in said if e.name == "audio.onset" and float(e.value) > 0]  # type: ignore[arg-type]
        assert len(hits) == len(times)
        assert all(0 <= hit - time <= 1 / fps + 0.03 for hit, time in zip(hits, times, strict=True))


def test_tracked_beats_equal_those_of_a_live_run(tmp_path: Path) -> None:
    beats = np.arange(0.5, 12, 0.5).tolist()
    file = write_sound(tmp_path / "clicks.wav", clicks(beats, 12.0))
    tracked = audio.tracked(file)
    said = [event for event in played(audio.SoundFile(file), 60, 12.0) if event.name == "tempo.beat"]
    assert [event.time for event in said] == [beat.time for beat in tracked]
    values = [[beat.bpm, beat.confidence, beat.downbeat] for beat in tracked]
    assert np.array_equal([event.value for event in said], np.array(values, np.float32))
    late = [beat for beat in tracked if beat.time > 6]
    assert all(beat.bpm == pytest.approx(120, abs=2) and beat.confidence > 0.5 for beat in late)
    assert max(abs((beat.time + 0.25) % 0.5 - 0.25) for beat in late) < 0.04


def test_the_sound_of_all_frames_is_the_whole_sound(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).uniform(-1, 1, (RATE, 2)).astype(np.float32)
    sound = audio.SoundFile(write_sound(tmp_path / "noise.wav", noise))
    parts = []
    for n in range(61):
        sound.poll(n / 60)
        parts.append(sound.take_sound())
    assert [len(part) for part in parts[:3]] == [0, 800, 800]
    assert np.array_equal(np.concatenate(parts), noise)


def test_a_file_played_once_ends(tmp_path: Path) -> None:
    sound = audio.SoundFile(write_sound(tmp_path / "a.flac", tone(0.5), codec="flac"))
    assert sound.duration == pytest.approx(0.5)
    sound.poll(0.49)
    assert not sound.finished
    sound.poll(0.51)
    assert sound.finished
    assert not audio.SoundFile(tmp_path / "a.flac", loop=True).finished


def test_the_first_frame_of_a_show_without_sound_loads_nothing() -> None:
    script = """
import sys
from perform.inputs.audio import Silence
silence, before = Silence(), set(sys.modules)
assert silence.poll(0.1)
print(sorted(set(sys.modules) - before))
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_sound_options_name_files_devices_and_silence(tmp_path: Path, no_sound: None) -> None:
    file = write_sound(tmp_path / "a.wav", tone(0.1))
    assert isinstance(audio.open_sound(str(file), lambda: 0.0, play=False), audio.SoundFile)
    assert isinstance(audio.open_sound(None, lambda: 0.0), audio.Silence)
    assert isinstance(audio.open_sound("none", lambda: 0.0), audio.Silence)
    device = audio.open_sound("no such card", lambda: 0.0)
    assert isinstance(device, audio.SoundDevice)
    eventually(lambda: "no such card" in device.health().detail)
    assert device.health().state == "waiting"
    device.close()


@pytest.mark.parametrize("name", ["USB Audio 2.0", "null.monitor"])
def test_a_device_name_can_contain_a_dot(name: str, no_sound: None) -> None:
    with closing(audio.open_sound(name, lambda: 0.0)) as device:
        assert isinstance(device, audio.SoundDevice)


@pytest.mark.parametrize("name", ["nix.wav", "Nix.MP4", "folder/nix", Path("nix")])
def test_a_missing_file_is_not_taken_for_a_device(name: str | Path) -> None:
    with pytest.raises(audio.SoundError):
        audio.open_sound(name, lambda: 0.0)


def test_without_a_speaker_a_file_plays_silently(tmp_path: Path, no_sound: None) -> None:
    sound = audio.SoundFile(write_sound(tmp_path / "a.wav", tone(1.0)), play=True)
    eventually(lambda: "no sound device" in sound.health().detail)
    assert sound.poll(0.5)
    assert sound.position() is None
    assert sound.health().state == "ok"
    sound.close()


def test_a_missing_portaudio_is_reported_and_not_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)  # for the process of the speaker
    monkeypatch.delitem(__import__("sys").modules, "sounddevice", raising=False)
    with pytest.raises(DeviceError, match="libportaudio2"):
        audio_devices()
    sound = audio.SoundFile(write_sound(tmp_path / "a.wav", tone(1.0)), play=True)
    eventually(lambda: "libportaudio2" in sound.health().detail)
    sound.close()


def test_two_processes_share_sound_by_sample_number(tmp_path: Path) -> None:
    here, there = SharedSound(tmp_path / "line", new=True), SharedSound(tmp_path / "line")
    sound = np.arange(2000, dtype=np.float32).reshape(1000, 2)
    here.write(CAPACITY - 300, sound)
    assert np.array_equal(there.read(CAPACITY - 300, CAPACITY + 700), sound)
    there.write(10, sound[:5, :1])
    assert np.array_equal(here.read(10, 15), np.repeat(sound[:5, :1], 2, axis=1))
    assert here.numbers[Number.WRITTEN] == 15
    here.note = "no sound device to play on"
    assert there.note == here.note == "no sound device to play on"
    there.note = "ä" * 1000
    assert here.note.startswith("ää")
    there.note = ""
    assert here.note == ""


@pytest.mark.parametrize("ppm", [-1000, 0, 1000])
def test_a_sound_device_follows_the_pace_of_the_show(ppm: int) -> None:
    steady, blocks, heard = PacedSound(RATE), 0, []
    ones = np.ones((480, 1), np.float32)
    for frame in range(60 * 100):
        while blocks * 480 < frame * 800 * (1 + ppm / 1e6):
            steady.add(ones, RATE)
            blocks += 1
        heard.append(steady.take(800))
    assert {len(part) for part in heard} == {800}
    sound = np.concatenate(heard)[RATE:]
    assert sound.min() == 1  # not a gap


@pytest.mark.parametrize("fps", [31, 60])
def test_the_beats_of_a_device_are_at_their_time(monkeypatch: pytest.MonkeyPatch, fps: int) -> None:
    """As exact as those of a file, within 2 ms, although blocks and frames come late."""
    sound = clicks([1 + n * 60 / 97 for n in range(20)], 13.5)
    exact = [event.time for event in SoundAnalyzer(RATE).process(sound) if event.name == "tempo.beat"]
    microphone = Recording(sound)
    monkeypatch.setattr(audio, "Microphone", lambda *_: microphone)
    device, dice, beats = audio.SoundDevice("desk", lambda: microphone.now), np.random.default_rng(2), []
    for frame in range(1, 13 * fps):
        microphone.now = frame / fps + dice.exponential(0.0005)
        events = device.poll(microphone.now)
        assert all(event.time <= microphone.now for event in events)
        beats += [event.time for event in events if event.name == "tempo.beat"]
    assert len(beats) >= 15
    assert beats == pytest.approx(exact[: len(beats)], abs=0.002)


@pytest.mark.parametrize(
    ("first", "until"),
    [
        (9.99, 10.0),  # a device: its block is as old as it is long
        (9.97, 9.98),  # one that has kept it for longer
        (10.0, 10.0),  # another program in JACK: it sends a block for now
        (0.0, 10.0),  # a driver that does not say
    ],
)
def test_a_block_is_recorded_before_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: float, until: float
) -> None:
    shared = SharedSound(tmp_path / "line", new=True)
    shared.numbers[Number.RATE] = RATE
    stream = portaudio._RecordingStream(shared, "desk", RATE)
    monkeypatch.setattr(portaudio, "stopwatch", lambda: 10.0)
    times: Any = SimpleNamespace(currentTime=10.0, inputBufferAdcTime=first)
    stream._record(np.zeros((480, 1), np.float32), 480, times, None)
    assert (shared.numbers[Number.RECORDED], shared.numbers[Number.WRITTEN]) == (pytest.approx(until), 480)


def test_a_paced_sound_starts_with_the_newest_samples() -> None:
    steady = PacedSound(RATE)
    for n in range(50):
        steady.add(np.full((480, 1), n, np.float32), RATE)
    assert len(steady.take(0)) == 0
    steady.add(np.full((480, 1), 50, np.float32), RATE)
    assert steady.take(480).min() == 45  # the cushion's 50 ms


def test_a_device_at_its_own_rate_is_recorded_at_48_khz() -> None:
    steady, heard = PacedSound(RATE), []
    sound = tone(2.0, 44_100)
    for n in range(0, len(sound), 735):
        steady.add(sound[n : n + 735], 44_100)
        heard.append(steady.take(800))
    spectrum = np.abs(np.fft.rfft(np.concatenate(heard)[RATE // 2 : RATE // 2 + RATE, 0]))
    assert spectrum.argmax() == 1000


def test_a_device_is_recorded_and_can_reconnect(pulse: Server) -> None:
    clock = LiveClock(100)
    sound = audio.open_sound("pulse", clock.now)
    signals: dict[str, object] = {}

    def step() -> None:
        until = clock.advance()
        events = sound.poll(until)
        assert all(event.time <= until for event in events)
        signals.update((event.name, event.value) for event in events)

    def level() -> float:
        return float(signals.get("audio.level", 0.0))  # type: ignore[arg-type]

    speaker = ["pacat", "--raw", "--format=float32le", "--rate=48000", "--channels=1", "--latency-msec=20"]
    eventually(lambda: sound.health().state == "ok", "the device", step)
    with subprocess.Popen(speaker, stdin=subprocess.PIPE) as player:
        assert player.stdin
        player.stdin.write(tone(3.0).tobytes())
        eventually(lambda: level() > 0.3, "the tone", step)
        player.kill()
    pulse.kill()
    eventually(lambda: sound.health().state == "waiting", "the loss", step)
    eventually(lambda: level() < 0.05, "silence", step)
    pulse.start()
    eventually(lambda: sound.health().state == "ok", "the device again", step)
    sound.close()


def test_the_show_survives_a_jack_server_that_dies(jack: Server, no_sound: None) -> None:
    clock = LiveClock(100)
    sound = audio.open_sound("system", clock.now)

    def step() -> None:
        sound.poll(clock.advance())

    eventually(lambda: sound.health().state == "ok", "the device", step)
    jack.kill()
    eventually(lambda: sound.health().state == "waiting", "the loss", step)
    jack.start()
    eventually(lambda: sound.health().state == "ok", "the device again", step)
    sound.close()


def test_the_speakers_give_the_heard_position_and_can_reconnect(tmp_path: Path, pulse: Server) -> None:
    sound = audio.SoundFile(write_sound(tmp_path / "a.wav", tone(1.0)), loop=True, play=True)
    clock = LiveClock(100, sound.position)

    def step() -> None:
        sound.poll(clock.advance())

    for _ in range(2):
        eventually(lambda: sound.position() is not None, "the position", step)
        eventually(lambda: abs((sound.position() or 0) - clock.now()) < 0.005, "the clock", step)
        before = clock.now()
        pulse.kill()
        eventually(lambda: sound.position() is None, "the loss", step)
        assert clock.now() > before
        assert "no sound output" in sound.health().detail
        pulse.start()
    sound.close()


def test_a_program_that_ends_while_a_sound_plays_prints_nothing(tmp_path: Path) -> None:
    code = """
import sys
from perform.inputs.audio import open_sound
sound = open_sound(sys.argv[1], lambda: 0.0, play=False)
sound.poll(0.5)
sound.close()
"""
    file = write_sound(tmp_path / "a.wav", tone(440, 1.0))
    ended = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("", "")
