"""The command line as a person uses it: real processes, real files."""

import json
import signal
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest

from perform.rhythm.beat import CONFIDENT
from tests.doubles import command
from tests.doubles.command import COMMAND, environment
from tests.doubles.library import RED, save, write_library
from tests.doubles.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_library(tmp_path)


def run(folder: Path, *words: str, expect: int = 0) -> str:
    """What a command prints; its exit code must be `expect`, and there must be no traceback."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=120, env=environment()
    )
    text = done.stdout + done.stderr
    assert "Traceback" not in text
    assert done.returncode == expect, text
    return " ".join(text.split())


def tone(file: Path, seconds: float = 1.0) -> Path:
    """A sound file with a 440 Hz tone."""
    samples = (0.5 * np.sin(np.arange(int(48000 * seconds)) * 440 * 2 * np.pi / 48000)).astype(np.float32)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def pictures(file: Path) -> list[np.ndarray]:  # type: ignore[type-arg]
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_render_twice_gives_the_same_frames(folder: Path) -> None:
    sound = tone(folder / "tone.wav")
    words = ("render", str(sound), "--scene", "neural", "--size", "64x36", "--fps", "10")
    first = run(folder, *words, "--out", "a.mp4")
    second = run(folder, *words, "--out", "b.mkv")
    assert "10 frames" in first
    assert first.split("sha256 ")[1][:64] == second.split("sha256 ")[1][:64]
    assert len(pictures(folder / "a.mp4")) == len(pictures(folder / "b.mkv")) == 10


def test_play_reports_a_midi_port_that_is_not_there(folder: Path) -> None:
    words = ("play", "--headless", "--seconds", "3", "--size", "64x36", "--osc-port", "0", "--no-lights")
    text = run(folder, *words, "--midi", "Nowhere")
    assert text.count("midi: ") == 1
    assert "midi: no such port (there are: " in text or "midi: no ALSA sequencer" in text


def test_play_headless_records(folder: Path) -> None:
    sound = tone(folder / "tone.wav")
    run(
        folder, "play", "--headless", "--seconds", "1", "--size", "64x36", "--audio", str(sound),
        "--record", "out/show.mp4", "--osc-port", "0", "--fps", "30",
    )  # fmt: skip
    middle = pictures(folder / "out/show.mp4")[5][18, 32]
    assert middle == pytest.approx([255, 0, 0], abs=4)


def test_play_without_a_display_renders_a_video(folder: Path) -> None:
    text = run(
        folder,
        "play",
        "red",
        "--audio",
        str(tone(folder / "tone.wav")),
        "--size",
        "64x36",
        "--seconds",
        "0.5",
    )
    assert "no display here" in text
    assert len(pictures(folder / "output/red.mp4")) == 15


def test_sigterm_keeps_the_recording(folder: Path) -> None:
    words = [
        "play",
        "--headless",
        "--size",
        "64x36",
        "--audio",
        "none",
        "--record",
        "a.mp4",
        "--osc-port",
        "0",
    ]
    show = subprocess.Popen(
        [*COMMAND, *words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    film = folder / "a.mp4"
    eventually(lambda: show.poll() is not None or (film.exists() and film.stat().st_size > 3000), "a film")
    show.send_signal(signal.SIGTERM)
    output, _ = show.communicate(timeout=60)
    assert show.returncode == 0, output
    assert "Traceback" not in output
    assert len(pictures(folder / "a.mp4")) > 10


def test_check_finds_every_fault_and_exits_with_1(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert "8 checked, 0 faults" in command.run("check", ".")
    save(
        folder / "presets/red.toml",
        RED.replace("colour", "color") + "[[filter]]\nshader = 'invert'\namount = 2\n",
    )
    save(folder / "shaders/filters/invert.fs", "no shader")
    save(folder / "models/flora.safetensors", "no model")
    save(
        folder / "presets/untitled.toml",
        '[generator]\nshader = "colour"\nhue = 3\n[transition]\nbeats = -1\n',
    )
    text = run(folder, "check", "presets", "shaders", "models", "nowhere.toml", "nowhere", expect=1)
    for fault in (
        "untitled.toml: title is missing",
        "untitled.toml: generator.hue is unknown",
        "untitled.toml: transition.beats = -1, must be a number 0..256",
        "red.toml: generator.shader = 'color': there is no such generator shader; did you mean colour?",
        "shaders/filters/invert.fs",
        "models/flora.safetensors",
        "nowhere.toml: there is no such file",
        "nowhere: there is no such file",
    ):
        assert fault in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["play", "nothing"], "there is no such preset"),
        (["play", "nothing.toml"], "nothing.toml: there is no such file"),
        (["play", "--size", "big", "--headless"], "size 'big', must be WIDTHxHEIGHT"),
        (["play", "--audio", "missing.wav", "--headless"], "missing.wav"),
        (["play", "--precision", "int4"], "precision 'int4', must be one of"),
        (["play", "--clock", "smpte"], "clock 'smpte', must be one of auto, hand, link, midi, audio, free"),
        (["render", "missing.wav", "--out", "a.mp4"], "missing.wav: there is no such file"),
        (["render", "tone.wav", "--out", "a.gif"], "a.gif"),
        (["render", "tone.wav", "--out", "a.mp4", "--model", "fauna"], "there is no such model"),
        (["beats", "red.toml"], "red.toml"),
        (["bench", "everything"], "bench 'everything', must be one of"),
        (["bench", "generator", "--model", "fauna"], "fauna: there is no such model"),
        (["bench", "training", "--model", "."], "must be the folder of a run"),
    ],
)
def test_bad_input_gives_a_clear_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    """In this process: another one for each would import the instrument each time."""
    tone(folder / "tone.wav", 0.2)
    monkeypatch.chdir(folder)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    assert sentence in " ".join(command.run(*words, expect=1).split())


def test_beats_are_printed_as_json(folder: Path) -> None:
    done = json.loads(run(folder, "beats", str(tone(folder / "tone.wav", 3)), "--json"))
    assert done["sound"].endswith("tone.wav")
    assert all(beat["confidence"] < CONFIDENT for beat in done["beats"])
    assert all(set(beat) == {"time", "bpm", "confidence", "downbeat"} for beat in done["beats"])


def test_devices_and_version_are_printed(folder: Path) -> None:
    assert "perform" in run(folder, "version")
    run(folder, "devices")
