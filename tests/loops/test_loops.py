"""Loops of keyframes: chosen, changed, written, rendered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from perform import loops, paths
from perform.cli import app
from perform.commands.check import check_file
from perform.library import Library
from perform.loops import Loop

MODEL = "untrained-small"
LOOP = Loop("flora", (3, 14, 15, 92), 2.0, 0.25, "slerp", "z", 0.7)


def run(*words: str, expect: int = 0) -> str:
    done = CliRunner().invoke(app, ["loop", *words])
    assert done.exit_code == expect, done.output
    return " ".join(done.output.split())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def frames(file: Path) -> NDArray[np.int16]:
    with av.open(str(file)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(
            np.int16
        )


def test_written_files_are_read_back() -> None:
    text = loops.write_loop(LOOP)
    assert loops.read_loop(text, Path("a.toml")) == LOOP
    assert loops.write_loop(LOOP, text) == text
    assert LOOP.seconds == 8


@pytest.mark.parametrize(
    ("model", "name"),
    [("flora", "flora"), ("runs/fear/latest.safetensors", "fear"), ("best.safetensors", "best")],
)
def test_a_loop_gets_the_name_of_the_model_or_its_run(model: str, name: str) -> None:
    assert f'title = "Loop of {name}"' in loops.write_loop(replace(LOOP, model=model))


def test_an_edit_changes_nothing_else_in_a_preset() -> None:
    text = loops.write_loop(LOOP) + '\n# mine\n[[filter]]\nshader = "grain" # as on film\n'
    edited = loops.write_loop(LOOP.reshuffled([2]), text)
    assert edited.endswith('\n# mine\n[[filter]]\nshader = "grain" # as on film\n')
    assert edited.splitlines()[0] == text.splitlines()[0]
    changed = [(a, b) for a, b in zip(text.splitlines(), edited.splitlines(), strict=True) if a != b]
    assert len(changed) == 1
    assert changed[0][1].endswith("# the keyframes, in order")


def test_one_key_is_replaced_and_the_order_changes() -> None:
    once = LOOP.reshuffled([2])
    assert once == LOOP.reshuffled([2])
    assert once.keys[1] != 14
    assert (once.keys[0], *once.keys[2:]) == (3, 15, 92)
    assert once.reshuffled([2]).keys[1] != once.keys[1]
    assert LOOP.ordered([4, 3, 2, 1]).keys == (92, 15, 14, 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('path = "loop"', 'path = "walk"'), 'path = "loop"'),
        (("speed = 0.5", 'speed = "audio.low"'), "must be numbers"),
        (("speed = 0.5", "speed = 0"), "speed not 0"),
        (("seeds = ", "sed = "), "'seeds' is missing"),
        (("[latent]", "[latent"), "a.toml: "),
        (("hold = 0.25", "hold = 1.5"), "hold = 1.5, must be 0..1"),
    ],
)
def test_an_invalid_loop_is_rejected(change: tuple[str, str], said: str) -> None:
    text = loops.write_loop(LOOP)
    assert change[0] in text
    with pytest.raises(ValueError, match=said):
        loops.read_loop(text.replace(*change), Path("a.toml"))


def test_chosen_keys_differ_and_repeat_with_the_seed() -> None:
    keys = loops.choose_keyframes(MODEL, 5, 7)
    assert keys == loops.choose_keyframes(MODEL, 5, 7)
    assert len(set(keys)) == 5
    assert keys[0] == 7


def test_a_film_is_one_closed_loop(folder: Path) -> None:
    words = ("--keys", "3,14,15", "--each", "8", "--hold", "3", "--size", "64x64", "--fps", "24")
    run(MODEL, *words, "--out", "a.mp4", "--sheet", "keys.png")
    assert check_file(folder / "a.toml", Library(folder, paths.shipped())) == []
    film = frames(folder / "a.mp4")
    assert film.shape == (24, 64, 64, 3)
    steps = [np.abs(a - b).mean() for a, b in zip(film, np.roll(film, -1, 0), strict=True)]
    # Frame n is n frames on the way: after each keyframe's own frame three stand still, and five move.
    still, moving = [steps[n] for n in (0, 1, 2, 8, 9, 16, 17)], [steps[n] for n in (4, 5, 12, 13, 20, 23)]
    assert max(still) < 0.3 * min(moving)
    assert steps[23] < 2.5 * max(steps[:23])  # the seam is as any other
    with av.open(str(folder / "keys.png")) as picture:
        assert next(picture.decode(video=0)).width == 3 * 128 + 2 * 4


def test_a_loop_is_stored_as_it_was_asked_for(folder: Path) -> None:
    words = (MODEL, "--keys", "3,14", "--each", "2", "--size", "64x64")
    run(*words, "--out", "a.mov", "--codec", "prores", "--quality", "4444")
    with av.open(str(folder / "a.mov")) as film:
        pictures = film.streams.video[0].codec_context
        assert (pictures.name, pictures.profile, pictures.pix_fmt) == ("prores", "4444", "yuv444p12le")
    said = run(*words, "--out", "b.mp4", "--codec", "prores", expect=1)
    assert said == "perform: b.mp4: a film in prores must end in .mov or .mkv"
    assert not (folder / "b.toml").exists()


def test_a_saved_loop_is_edited_in_place(folder: Path) -> None:
    run(MODEL, "--keys", "3,14,15", "--save", "my/loop.toml")
    assert "3, 14, 99" in run("my/loop.toml", "--keys", "3,14,99")
    assert "99, 3, 14" in run("my/loop.toml", "--order", "3,1,2", "--each", "60", "--hold", "15")
    assert loops.read_loop((folder / "my/loop.toml").read_text(), Path()) == Loop(
        MODEL, (99, 3, 14), 2.0, 0.25
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((MODEL,), "the keyframes are missing: give --keys 3,14,15 or --choose 8"),
        ((MODEL, "--keys", "3"), "keys 3, must be two or more"),
        ((MODEL, "--keys", "1,2", "--choose", "3"), "give one of --keys and --choose"),
        ((MODEL, "--keys", "a"), "seeds 'a', must be numbers and ranges"),
        ((MODEL, "--choose", "1"), "choose 1, must be 2..256"),
        ((MODEL, "--keys", "1,2", "--interpolation", "cubic"), "must be one of linear, slerp, spline"),
        ((MODEL, "--keys", "1,2", "--reshuffle", "3"), "reshuffle 3, must be 1..2"),
        ((MODEL, "--keys", "1,2", "--order", "1,1"), "order must name each of 1..2 once"),
        ((MODEL, "--keys", "1,2", "--order", "x"), "places 'x', must be numbers"),
        ((MODEL, "--keys", "1,2", "--reshuffle", "²"), "places '²', must be numbers"),
        ((MODEL, "--keys", "1,2", "--size", "²²"), "size '²²', must be WIDTHxHEIGHT"),
        ((MODEL, "--keys", "1,2", "--save", "there.toml/a.toml"), "there.toml is a file, no folder"),
        ((MODEL, "--keys", "1,2", "--sheet", "a.jpg"), "a.jpg, must be a .png"),
        ((MODEL, "--keys", "1,2", "--each", "5", "--hold", "6"), "hold = 1.2, must be 0..1"),
        ((MODEL, "--keys", "1,2", "--save", "there.toml"), "there.toml is there already"),
        (("nobody", "--keys", "1,2"), "nobody: there is no such model"),
        ((MODEL, "--keys", "1,2", "--out", "loop.mp4", "--size", "64,64"), "one number for a square"),
        ((MODEL, "--keys", "1,2", "--out", "loop.mp4", "--size", "63"), "size = 63x63, must be even"),
        (("lost.toml",), "lost.toml"),
    ],
)
def test_the_command_reports_faults(words: tuple[str, ...], said: str, folder: Path) -> None:
    (folder / "there.toml").write_text("mine")
    assert said in run(*words, expect=1)
    assert (folder / "there.toml").read_text() == "mine"
    assert not (folder / "loop.toml").exists()
