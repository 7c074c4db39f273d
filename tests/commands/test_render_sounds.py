"""Renders of sounds and films as strangers have them: as long as the sound, in step, or a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from perform.arrays import Samples
from tests.doubles import command
from tests.doubles.disks import largest_file
from tests.doubles.library import CUT, save, write_library
from tests.doubles.sounds import clicks, late_film, onsets, tone, write_sound, write_wave

RATE = 48_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_library(tmp_path))
    return tmp_path


def render(sound: object, *words: object, out: str = "out.mkv", expect: int = 0) -> str:
    given = ("--scene", "red", "--size", "64x48", "--fps", "30", "--out", out)
    said = command.run("render", sound, *given, *words, expect=expect)
    return " ".join(said.split())


def parts(file: Path) -> tuple[Samples, list[float]]:
    """The sound of a film, and how bright each picture is."""
    blocks, resampler = [], av.AudioResampler(format="flt", layout="stereo")
    with av.open(str(file)) as film:
        for frame in film.decode(audio=0):
            blocks += [one.to_ndarray().reshape(-1, 2) for one in resampler.resample(frame)]
    with av.open(str(file)) as film:
        bright = [float(frame.to_ndarray(format="gray").mean()) for frame in film.decode(video=0)]
    return np.concatenate(blocks), bright


@pytest.mark.parametrize(("samples", "frames"), [(RATE, 30), (RATE + 1, 31), (RATE // 2 + 100, 16)])
def test_the_whole_sound_is_in_the_film(folder: Path, samples: int, frames: int) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (samples, 2)).astype(np.float32)
    assert f"{frames} frames" in render(write_sound(folder / "noise.wav", noise))
    sound, pictures = parts(folder / "out.mkv")
    assert (len(pictures), len(sound)) == (frames, frames * RATE // 30)
    assert np.abs(sound[:samples] - noise).max() < 1e-4
    assert not sound[samples:].any()


def test_a_render_is_as_long_as_the_sound_that_was_decoded(folder: Path) -> None:
    chained = [write_sound(folder / f"{n}.opus", clicks([0.5], n), codec="libopus") for n in (1.0, 2.0)]
    (folder / "chained.opus").write_bytes(b"".join(file.read_bytes() for file in chained))
    assert "90 frames" in render("chained.opus")
    assert onsets(parts(folder / "out.mkv")[0]) == pytest.approx([0.5, 1.5], abs=0.003)
    whole = write_sound(folder / "whole.flac", tone(4.0), codec="flac").read_bytes()
    (folder / "cut.flac").write_bytes(whole[: len(whole) // 2])
    said = render("cut.flac", out="cut.mkv")
    sound, pictures = parts(folder / "cut.mkv")
    assert 40 <= len(pictures) <= 75
    assert np.abs(sound[-2 * RATE // 30 : -RATE // 30]).max() > 0.4  # no silence follows
    assert "frames" in said


def test_seconds_end_it_before_the_sound(folder: Path) -> None:
    assert "15 frames" in render(write_sound(folder / "tone.wav", tone(2.0)), "--seconds", "0.5")
    sound, pictures = parts(folder / "out.mkv")
    assert (len(pictures), len(sound)) == (15, RATE // 2)


def test_what_is_too_short_or_empty_is_a_sentence_and_no_file(folder: Path) -> None:
    short = write_sound(folder / "short.wav", tone(0.01))
    assert f"{short} is 10 ms long, a frame is 33 ms" in render(short, expect=1)
    empty = write_wave(folder / "empty.wav", np.zeros((0, 2)))
    assert f"{empty}: has no samples" in render(empty, expect=1)
    nothing = folder / "nothing.mp3"
    nothing.touch()
    assert f"{nothing}: cannot be read as sound (it is empty)" in render(nothing, expect=1)
    assert not (folder / "out.mkv").exists()


def test_samples_that_are_no_numbers_do_not_end_it(folder: Path) -> None:
    ill = np.repeat(clicks([0.5, 1.5], 2.0), 2, axis=1)
    ill[RATE : RATE + 10], ill[RATE + 50 : RATE + 60] = np.nan, np.inf
    assert "60 frames" in render(write_sound(folder / "ill.wav", ill), out="out.mp4")
    assert onsets(parts(folder / "out.mp4")[0]) == pytest.approx([0.5, 1.5], abs=0.003)


def test_names_with_colons_and_accents(folder: Path) -> None:
    write_sound(folder / "a.wav", tone(0.2)).rename(folder / "04.23:50 u\u0308.WAV")
    assert "6 frames" in render("04.23:50 ü.wav", out="12:30.mp4")
    assert len(parts(folder / "12:30.mp4")[1]) == 6


@pytest.mark.parametrize(("sound", "pictures"), [(1.0, 0.0), (0.0, 1.0), (0.5, 0.3)])
def test_a_film_and_its_sound_are_in_step(folder: Path, sound: float, pictures: float) -> None:
    late_film(folder / "film.mp4", sound_from=sound, pictures_from=pictures, click=2.0)
    save(folder / "presets/film.toml", f'title = "Film"\n[source]\nfilm = "../film.mp4"\n{CUT}')
    command.run("render", "film.mp4", "--scene", "film", "--size", "64x48", "--fps", "20", "--out", "out.mkv")
    heard, bright = parts(folder / "out.mkv")
    begins = min(sound, pictures)
    assert onsets(heard) == pytest.approx([2.0 - begins], abs=0.01)
    assert [at / 20 for at, level in enumerate(bright) if level > 128] == pytest.approx([2.0 - begins])


def test_a_playlist_is_a_sentence(folder: Path) -> None:
    write_sound(folder / "a.wav", tone(0.2))
    (folder / "list.m3u").write_text("#EXTM3U\na.wav\n")
    for words in (("beats", "list.m3u"), ("render", "list.m3u", "--out", "out.mkv")):
        said = " ".join(command.run(*words, expect=1).split())
        assert "list.m3u: cannot be read as sound (it is a playlist: give one of the files" in said


def test_a_sound_without_beats_says_so(folder: Path) -> None:
    write_sound(folder / "short.wav", tone(0.01))
    assert "short.wav: no beats are heard in it" in command.run("beats", "short.wav")


def test_any_case_of_a_suffix(folder: Path) -> None:
    for name in ("shaders/generators/colour.fs", "presets/red.toml", "setlists/demo.toml"):
        file = folder / name
        file.rename(file.with_suffix(file.suffix.upper()))
    assert "5 checked, 0 faults" in command.run("check", "presets", "setlists")
    assert "1 checked, 0 faults" in command.run("check", "shaders/generators")
    write_sound(folder / "a.wav", tone(0.2)).rename(folder / "A.WAV")
    assert "6 frames" in render("A.WAV", out="OUT.MKV")


@pytest.mark.parametrize("lost", ["full", "pipe"])
def test_a_film_is_whole_where_nobody_can_read_its_notes(folder: Path, lost: str) -> None:
    write_wave(folder / "tone.wav", tone(2.0))
    words = ["render", "tone.wav", "--scene", "red", "--size", "64x48", "--fps", "30", "--out", "out.mkv"]
    with Path("/dev/full").open("w") as full:
        where = subprocess.PIPE if lost == "pipe" else full
        process = command.start(*words, stdout=where, stderr=where)
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    assert process.wait(60) == 1  # its last line cannot be printed
    assert len(parts(folder / "out.mkv")[1]) == 60


def test_a_show_without_its_sound_says_so(folder: Path) -> None:
    for show in ("demo", "setlists/demo.toml"):
        said = command.run("render", show, "--out", "out.mkv", expect=1)
        sentence = f"{show} is a show, its sound is missing: perform render {show} --audio SOUND"
        assert sentence in " ".join(said.split())
    said = command.run("render", "gone.flac", "--out", "out.mkv", expect=1)
    assert "gone.flac: there is no such file" in said


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
def test_a_film_whose_end_finds_no_room_is_not_called_whole(folder: Path) -> None:
    """The encoder keeps so short a film to its end: only closing the file writes it."""
    write_wave(folder / "tone.wav", tone(0.2))
    words = ["render", "tone.wav", "--scene", "red", "--size", "64x48", "--fps", "30", "--out", "out.mp4"]
    with largest_file(500):
        said = command.run(*words, expect=1)
    assert "the recording stopped early; what there is of it is in out.mp4" in said
