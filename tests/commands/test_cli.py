"""The command line as a person uses it: real processes, real files."""

import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import typer
from numpy.typing import NDArray

from perform import __version__
from perform.cli import app
from perform.rhythm.beat import CONFIDENT
from tests.doubles import command
from tests.doubles.library import NEURAL, RED, save, write_library
from tests.doubles.prepared import FromNothing, Prepared
from tests.doubles.waiting import eventually
from tests.folders import ROOT

TOLD: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_library(tmp_path)


def run(folder: Path, *words: str, expect: int = 0, kind: type[FromNothing] = Prepared) -> str:
    """What a command prints; its exit code must be `expect`, and there must be no traceback."""
    done = command.finished(*words, kind=kind, cwd=folder)
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
    words = ("render", str(sound), "--scene", "neural", "--size", "64x36", "--fps", "10", "--digest")
    first = run(folder, *words, "--out", "a.mp4", kind=FromNothing)  # its hashes have another seed
    second = run(folder, *words, "--out", "b.mkv")
    assert "10 frames" in first
    assert first.split("sha256 ")[1][:64] == second.split("sha256 ")[1][:64]
    assert len(pictures(folder / "a.mp4")) == len(pictures(folder / "b.mkv")) == 10


def test_play_reports_a_midi_port_that_is_not_there(folder: Path) -> None:
    words = ("play", "--headless", "--seconds", "3", "--size", "64x36", "--osc-port", "0", "--no-lights")
    text = run(folder, *words, "--midi", "Nowhere")
    assert text.count("midi: no ") == 1
    assert "midi: no such port (there are: " in text or "midi: no ALSA sequencer" in text


def test_play_headless_records(folder: Path) -> None:
    sound = tone(folder / "tone.wav")
    run(
        folder, "play", "--headless", "--seconds", "1", "--size", "64x36", "--audio", str(sound),
        "--record", "out/show.mp4", "--osc-port", "0", "--fps", "30", kind=FromNothing,
    )  # fmt: skip
    middle = pictures(folder / "out/show.mp4")[5][18, 32]
    assert middle == pytest.approx([255, 0, 0], abs=4)


def test_without_a_display_a_supervised_show_says_what_to_do(folder: Path) -> None:
    text = run(folder, "play", "red", "--audio", "none", "--seconds", "0.5", expect=1)
    assert "there is no display" in text and "--headless plays without a window" in text
    assert "perform render SOUND --scene red --out FILE.mp4" in text
    assert not (folder / "output").exists()


@pytest.mark.parametrize("display", ["", ":777"], ids=["no display", "a display that is not there"])
@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("nothing",), "nothing: there is no such setlist or preset"),
        (("nothing.toml",), "nothing.toml: there is no such file"),
        (("--audio", "nothing.wav"), "nothing.wav: no such sound file"),
        (("neural", "--audio", "none", "--model", "nothing"), "model 'nothing': there is no such model"),
    ],
)
def test_what_a_show_was_given_is_checked_before_the_display(
    folder: Path, monkeypatch: pytest.MonkeyPatch, display: str, words: tuple[str, ...], fault: str
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    text = command.run("play", *words, expect=1)
    assert fault in text and "display" not in text


def test_feeds_are_checked_before_the_devices_of_a_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.show.monitor.open_inputs", lambda *_: pytest.fail("devices were opened"))
    assert "there is no such feed none" in command.run("monitor", "feed.none", expect=1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
def test_without_a_display_a_person_gets_a_film_and_a_second_one_beside_it(folder: Path) -> None:
    words = ("play", str(tone(folder / "tone.wav")), "--scene", "red", "--size", "64x36", "--seconds", "0.5")
    for name in ("red.mp4", "red-2.mp4"):
        text = at_a_terminal(folder, *words)
        assert "no display here: rendering red to" in text and "for all of it" not in text
        steps = [text.index(step) for step in ("loading the program", "no display here", "reading red")]
        assert steps == sorted(steps)  # progress from the first second on
        assert len(pictures(folder / "output" / name)) == 15


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
def test_without_a_display_the_film_is_the_beginning_and_the_whole_is_one_command_away(folder: Path) -> None:
    sound = tone(folder / "my tone.wav", 22)
    words = ("play", "red", "--audio", str(sound), "--size", "64x36", "--fps", "5", "--flashes", "on")
    text = at_a_terminal(folder, *words)
    assert "rendering the first 20 seconds of red to output/red.mp4" in text
    assert "the first second can be watched now, while the film grows: output/red.mp4" in text
    assert len(pictures(folder / "output/red.mp4")) == 100
    whole = text.split("for all of it: ")[1].splitlines()[0].split(" render ")[1]
    assert "--flashes on" in whole
    run(folder, "render", *shlex.split(whole))
    with av.open(str(folder / "output/red-whole.mp4")) as film:
        assert (film.streams.video[0].width, film.streams.video[0].average_rate) == (64, 5)
        assert len([*film.decode(video=0)]) == 110


def at_a_terminal(folder: Path, *words: str) -> str:
    """What a command prints on a terminal; its exit code must be 0."""
    import pty

    ours, theirs = pty.openpty()
    show = command.start(*words, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = "".join(_lines_of(ours))
    assert show.wait(60) == 0, text
    return text


def test_a_film_can_be_asked_for_without_a_display_and_a_terminal(folder: Path) -> None:
    sound = str(tone(folder / "tone.wav"))
    text = run(folder, "play", "red", "--film", "--audio", sound, "--size", "64x36", "--seconds", "0.5")
    assert "no display here" in text
    assert len(pictures(folder / "output/red.mp4")) == 15


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a display")
def test_a_share_that_cannot_be_is_named_as_it_was_given(folder: Path) -> None:
    done = command.finished("play", "red", "--headless", "--share", "srt:x:y", cwd=folder)
    assert done.returncode == 1
    assert "perform: share 'srt:x:y', must be KIND:NAME, with KIND one of ndi, v4l2" in done.stderr


def test_a_film_does_not_resume_a_live_show(folder: Path) -> None:
    done = command.finished("play", "red", "--film", "--resume", "--seconds", "0.5", cwd=folder)
    assert (done.returncode, [*folder.glob("output/*")]) == (1, [])
    assert "perform: --resume needs a live show, and there is no display: add --headless" in done.stderr


def _lines_of(terminal: int) -> Iterator[str]:
    """What is written on a terminal until nobody holds its other end."""
    while True:
        try:
            found = os.read(terminal, 4096)
        except OSError:
            return
        if not found:
            return
        yield found.decode(errors="replace")


def test_a_render_from_a_place_has_the_frames_of_the_whole(folder: Path) -> None:
    """A feedback of all frames before is in them, and the sound begins there, too."""
    save(folder / "presets/trail.toml", NEURAL + '[[filter]]\nshader = "feedback"\namount = 0.9\n')
    sound = str(tone(folder / "tone.wav", 3))
    words = ("render", sound, "--scene", "trail", "--size", "64x36", "--fps", "10")
    run(folder, *words, "--out", "whole.mkv", "--codec", "ffv1")
    run(folder, *words, "--out", "part.mkv", "--codec", "ffv1", "--from", "1.2", "--seconds", "1")
    whole, part = pictures(folder / "whole.mkv"), pictures(folder / "part.mkv")
    assert len(part) == 10
    assert all(np.array_equal(a, b) for a, b in zip(whole[12:22], part, strict=True))
    assert not np.array_equal(whole[0], part[0])
    assert heard(folder / "part.mkv") == pytest.approx(heard(folder / "whole.mkv")[57600:][:48000], abs=1e-4)
    assert "--from 4: the sound ends at 3 s" in run(
        folder, *words, "--out", "late.mkv", "--from", "4", expect=1
    )
    assert not (folder / "late.mkv").exists()


def heard(file: Path) -> NDArray[np.float32]:
    """The samples of the left channel."""
    resampler = av.AudioResampler(format="flt", layout="stereo")
    with av.open(str(file)) as container:
        blocks = [one.to_ndarray() for f in container.decode(audio=0) for one in resampler.resample(f)]
    return np.concatenate(blocks, 1).reshape(-1, 2)[:, 0]


def test_the_digest_comes_only_when_it_is_wanted(folder: Path) -> None:
    sound = str(tone(folder / "tone.wav"))
    words = ("render", "red", "--audio", sound, "--size", "64x36", "--fps", "10", "--seconds", "0.2")
    assert "sha256" not in run(folder, *words, "--out", "a.mp4")
    digested = run(folder, *words, "--out", "b.mp4", "--digest")
    assert f"sha256 {hashlib.sha256(2 * 64 * 36 * bytes([255, 0, 0])).hexdigest()}" in digested


def test_a_render_that_is_cut_short_says_so_and_plays(folder: Path) -> None:
    sound = str(tone(folder / "tone.wav", 60))
    words = ("render", sound, "--scene", "red", "--size", "64x36", "--out", "a.mp4")
    show = command.start(*words, cwd=folder, **TOLD)
    film = folder / "a.mp4"
    eventually(lambda: show.poll() is not None or (film.exists() and film.stat().st_size > 3000), "a film")
    show.send_signal(signal.SIGINT)
    output, _ = show.communicate(timeout=60)
    assert show.returncode == 130, output
    made = len(pictures(film))
    assert 0 < made < 1800
    assert f"cut short: {made / 30:.1f} s of 60.0 s are rendered" in output


def test_a_second_ctrl_c_also_says_how_much_is_rendered(folder: Path) -> None:
    sound = str(tone(folder / "tone.wav", 60))
    words = ("render", sound, "--scene", "red", "--size", "64x36", "--out", "a.mp4")
    show = command.start(*words, cwd=folder, **TOLD)
    film = folder / "a.mp4"
    eventually(lambda: show.poll() is not None or (film.exists() and film.stat().st_size > 3000), "a film")
    show.send_signal(signal.SIGINT)
    show.send_signal(signal.SIGINT)
    output, _ = show.communicate(timeout=60)
    assert show.returncode in (130, -signal.SIGINT), output  # the second came before or after its end
    assert "Traceback" not in output
    said = float(output.split("cut short: ")[1].removesuffix(" s of 60.0 s are rendered\n").split()[0])
    assert 0 < len(pictures(film)) <= round(30 * said) + 1


def test_ctrl_c_in_a_long_command_says_how_far_it_got(folder: Path) -> None:
    words = ("flora", "pictures", "drawn", "--count", "2000", "--size", "64")
    drawing = command.start(*words, cwd=folder, **TOLD)
    eventually(lambda: drawing.poll() is not None or (folder / "drawn/000009.png").exists(), "pictures")
    drawing.send_signal(signal.SIGINT)
    output, _ = drawing.communicate(timeout=60)
    assert drawing.returncode == 130, output
    done = int(output.split("cut short: drawing, ")[1].split(" of 2000 done")[0])
    assert 9 <= done <= len(list((folder / "drawn").glob("*.png"))) <= done + 1


def test_a_recording_gets_a_number_and_replaces_nothing(folder: Path) -> None:
    (folder / "show.mp4").write_bytes(b"an hour of last night")
    words = ("play", "red", "--headless", "--seconds", "0.3", "--size", "64x36", "--audio", "none")
    text = run(folder, *words, "--record", "show.mp4", "--osc-port", "0", "--fps", "30")
    assert "recorded to show-2.mp4" in text
    assert (folder / "show.mp4").read_bytes() == b"an hour of last night"
    assert len(pictures(folder / "show-2.mp4")) > 3


def test_sigterm_keeps_the_recording(folder: Path) -> None:
    words = ("play", "--headless", "--size", "64x36", "--audio", "none", "--record", "a.mp4")
    show = command.start(*words, "--osc-port", "0", cwd=folder, **TOLD)
    film = folder / "a.mp4"
    eventually(lambda: show.poll() is not None or (film.exists() and film.stat().st_size > 3000), "a film")
    show.send_signal(signal.SIGTERM)
    output, _ = show.communicate(timeout=60)
    assert show.returncode == 0, output
    assert "Traceback" not in output
    assert len(pictures(folder / "a.mp4")) > 10


def test_check_of_an_empty_folder_is_no_success(folder: Path) -> None:
    (folder / "none").mkdir()
    text = run(folder, "check", "none", expect=1)
    assert (
        "none: a folder without a file that can be checked (.toml, " in text and "0 checked, 1 fault" in text
    )
    assert "1 checked, 0 faults" in run(folder, "check", "none", "presets/red.toml")


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
        "red.toml: generator.shader = 'color': there is no such generator shader; did you mean colour",
        "shaders/filters/invert.fs",
        "models/flora.safetensors",
        "nowhere.toml: there is no such file",
        "nowhere: there is no such setlist or preset",
    ):
        assert fault in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["play", "nothing", "--headless"], "there is no such setlist or preset"),
        (["play", "nothing.toml", "--headless"], "nothing.toml: there is no such file"),
        (["play", "--size", "big", "--headless"], "size 'big', must be WIDTHxHEIGHT"),
        (["play", "--audio", "missing.wav", "--headless"], "missing.wav"),
        (["play", "--precision", "int4"], "precision 'int4', must be one of"),
        (["play", "--clock", "smpte"], "clock 'smpte', must be one of auto, hand, link, midi, audio, free"),
        (["play", "--clock", ""], "clock '', must be one of auto"),
        (["render", "missing.wav", "--out", "a.mp4"], "missing.wav: there is no such file"),
        (["render", "--out", "a.mp4"], "the sound is missing"),
        (
            ["render", "red", "--scene", "blue", "--audio", "tone.wav", "--out", "a.mp4"],
            "'red' is one too many",
        ),
        (["play", "blue", "--scene", "red", "--audio", "none", "--headless"], "'blue' is one too many"),
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
    assert run(folder, "version") == run(folder, "--version") == f"perform {__version__}"
    module = [sys.executable, "-m", "perform", "--version"]
    done = subprocess.run(module, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"perform {__version__}\n"
    run(folder, "devices")


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the program, with the words that name it."""
    if not hasattr(group, "commands"):
        yield words, group
        return
    for name, one in group.commands.items():
        yield from commands(one, (*words, name))


def test_help_has_every_word_of_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets are text, not markup, which a terminal would swallow."""
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 1000)
    found = dict(commands(typer.main.get_command(app)))
    assert ("train", "model") in found and ("models", "sample") in found
    for words, one in found.items():
        shown = " ".join(command.run(*words, "--help").replace("│", " ").split())
        for option in one.params:
            if help_text := getattr(option, "help", None):
                assert " ".join(help_text.split()) in shown, (words, option.name)


def test_a_weight_has_its_name_and_keeps_its_old_one() -> None:
    (path,) = (
        one
        for one in dict(commands(typer.main.get_command(app)))[("train", "model")].params
        if one.name == "path"
    )
    assert path.opts == ["--path-penalty", "--path"]


FULL = Path("/dev/full")  # every write to it fails, as on a full disk


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full of Linux")
@pytest.mark.parametrize(
    "words",
    ["version", "--help", "check presets/red.toml", "osc red --json", "osc red", "models list", "learn red"],
)
def test_what_cannot_be_written_ends_in_one_line(folder: Path, words: str) -> None:
    """To a full disk, and into a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    with FULL.open("w") as full, os.fdopen(write, "w") as pipe:
        for stdout, why in ((full, "the disk is full"), (pipe, "Broken pipe")):
            done = command.finished(*words.split(), cwd=folder, stdout=stdout)
            assert done.returncode == 1
            lines = [line for line in done.stderr.splitlines() if " INFO " not in line]
            silent = words == "--help" and why == "Broken pipe"  # Rich ends it itself
            said = [] if silent else [f"perform: stdout: {why}"]
            assert lines == said
