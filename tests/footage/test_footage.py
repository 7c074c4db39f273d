"""Footage in scenes: films, stills and cameras as sources, and as images of shaders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from perform.commands.check import check_all
from perform.documents import SceneError
from perform.footage.opening import Opener
from tests.doubles.footage_shows import CAMERA, FILM, STILL, FootageShow
from tests.doubles.library import CUT, RED, save
from tests.doubles.reels import write_film
from tests.doubles.sounds import clicks, write_sound


def test_a_film_plays_frame_by_frame_across_its_seam(play: Callable[..., FootageShow]) -> None:
    assert play("film").numbers(120) == [at % 50 for at in range(120)]


def test_formulas_play_the_parameters_of_a_film(play: Callable[..., FootageShow]) -> None:
    speed = play("fast", FILM + 'speed = "2 - 3 * (time.seconds > 0.5)"\n').numbers(16)
    assert speed == [*range(0, 26, 2), *range(23, 20, -1)]
    assert play("scrub", FILM + 'speed = 0\nposition = "time.seconds / 4"\n').numbers(20) == [
        at // 2 for at in range(20)
    ]
    assert play("bounce", FILM + 'loop = "bounce"\nstart = 0.8\n').numbers(21) == [
        *range(40, 50), 49, *range(49, 39, -1)
    ]  # fmt: skip


def test_slow_motion_mixes_each_picture_into_the_next(play: Callable[..., FootageShow], folder: Path) -> None:
    pictures = [np.full((48, 64, 3), value, np.uint8) for value in (0, 200, 100)]
    write_film(folder / "footage/film.mp4", pictures=pictures)
    text = FILM + "blend = true\nspeed = 0.25\n"
    wanted = [0, 50, 100, 150, 200, 175, 150, 125, 100, 75, 50, 25] * 2
    show = play("slow", text)
    assert [show.frame().mean() for _ in wanted] == pytest.approx(wanted, abs=2)
    wanted = [0, 25, 50, 75, 100, 125, 150, 175, 200, 150, 100, 50, 0]
    back = play("back", text.replace("0.25", "-0.25"))
    assert [back.frame().mean() for _ in wanted] == pytest.approx(wanted, abs=2)
    still = play("still", text + "position = 0.5\n").frame().mean()
    assert still == pytest.approx(150, abs=2)


def test_a_film_starts_again_with_its_scene_but_not_after_a_freeze(
    play: Callable[..., FootageShow], folder: Path
) -> None:
    save(
        folder / "setlists/two.toml",
        'title = "Two"\nquantise = "off"\n[[cue]]\nscene = "film"\n[[cue]]\nscene = "red"\n'
        '[bindings]\nfreeze = "(time.frame > 4.5) * (time.frame < 9.5)"\n'
        'go = "(time.frame == 20) + (time.frame == 30)"\n',
    )
    text = (folder / "setlists/two.toml").read_text().replace('title = "Two"', 'title = "Two"\nloop = true')
    save(folder / "setlists/two.toml", text)
    seen = play("two").numbers(35)
    assert seen[:12] == [0, 1, 2, 3, 4, 4, 4, 4, 4, 4, 10, 11]
    assert seen[30:] == [0, 1, 2, 3, 4]


def test_a_still_is_shown_on_black(play: Callable[..., FootageShow]) -> None:
    shown = play("still").frame()
    assert (shown[:, :30] == 0).all()
    assert (shown[:, 34:] == (0, 255, 0)).all()


def test_a_film_and_a_still_are_images_of_a_filter(play: Callable[..., FootageShow]) -> None:
    over = RED + '[[filter]]\nshader = "over"\n'
    still = play("over", over + '[filter.over]\nstill = "still.png"\nfit = "fill"\n').frame()
    assert (still[:, :30] == (255, 0, 0)).all()
    assert (still[:, 34:] == (0, 255, 0)).all()
    film = play("mixed", over + '[filter.over]\nfilm = "film.mp4"\nfit = "fill"\nspeed = "2"\n')
    assert film.numbers(4) == [0, 2, 4, 6]
    shader = play(
        "both", FILM + '[[filter]]\nshader = "over"\n[filter.over]\nshader = "colour"\ntint = [0, 0, 1, 1]\n'
    )
    assert (shader.frame() == (0, 0, 255)).all()
    nothing = play("nothing", over)
    assert (nothing.frame() == 0).all()  # a missing image is black, as in ISF hosts


def test_a_film_is_an_image_of_a_generator(play: Callable[..., FootageShow], folder: Path) -> None:
    header = '/*{"ISFVSN": "2", "INPUTS": [{"NAME": "skin", "TYPE": "image"}]}*/'
    body = "void main() { gl_FragColor = IMG_THIS_PIXEL(skin); }"
    save(folder / "shaders/generators/globe.fs", f"{header}\n{body}\n")
    text = f'title = "Globe"\n{CUT}[generator]\nshader = "globe"\n[generator.skin]\nfilm = "film.mp4"\n'
    assert play("globe", text + 'fit = "fill"\nspeed = 3\n').numbers(5) == [0, 3, 6, 9, 12]


def test_a_film_in_a_filter_starts_again_with_its_scene(
    play: Callable[..., FootageShow], folder: Path
) -> None:
    mixed = RED + '[[filter]]\nshader = "over"\n[filter.over]\nfilm = "film.mp4"\nfit = "fill"\n'
    save(folder / "presets/mixed.toml", mixed)
    cues = '[[cue]]\nscene = "mixed"\n[[cue]]\nscene = "blue"\n'
    go = '[bindings]\ngo = "(time.frame == 10) + (time.frame == 20)"\n'
    save(folder / "setlists/again.toml", f'title = "A"\nquantise = "off"\nloop = true\n{cues}{go}')
    seen = play("again").numbers(24)
    assert seen[:10] == list(range(10))
    assert seen[20:] == [0, 1, 2, 3]


def test_an_edit_does_not_restart_a_film(play: Callable[..., FootageShow], folder: Path) -> None:
    show = play("film")
    assert show.numbers(10)[-1] == 9
    save(folder / "presets/film.toml", FILM + '[[filter]]\nshader = "invert"\namount = 0\n')
    show.edits.saved = True
    assert show.numbers(3) == [10, 11, 12]
    save(folder / "presets/film.toml", FILM.replace("film.mp4", "gone.mp4"))
    show.edits.saved = True
    assert show.numbers(3) == [13, 14, 15]


def test_live_the_same_film_plays_without_waiting(play: Callable[..., FootageShow]) -> None:
    """On its own thread, with frames drawn as fast as possible: every frame has some picture of the film."""
    seen = play("film", footage=Opener(background=True)).numbers(40)
    assert seen[0] == 0
    assert set(seen) <= set(range(50))


CHECKED = {
    FILM + '[generator]\nshader = "colour"\n': "generator and source: a scene has exactly one of these",
    f'title = "A"\n{CUT}[source]\n': (
        "source must have one of film, still, camera, ndi, spout, syphon, text, feedback, shader"
    ),
    FILM.replace("film.mp4", "flim.mp4"): (
        "source.film = 'flim.mp4': there is no such file; did you mean film.mp4?"
    ),
    FILM.replace("film.mp4", "sound.wav"): (
        "source.film = 'sound.wav': FOLDER/footage/sound.wav has no video stream"
    ),
    FILM + "speed = 9\n": "source.speed = 9, must be -8..8",
    STILL + "speed = 1\n": "source.speed is unknown; there are: fit, sharpness",
    FILM + 'loop = "bouce"\n': (
        "source.loop = 'bouce', must be one of loop, bounce, once; did you mean 'bounce'?"
    ),
    STILL.replace("still.png", "film.mp4"): (
        "source.still = 'film.mp4': FOLDER/footage/film.mp4 cannot be read as a picture"
    ),
    CAMERA + '[source.fallback]\nstill = "stil.png"\n': (
        "source.fallback.still = 'stil.png': there is no such file; did you mean still.png?"
    ),
    RED + '[[filter]]\nshader = "invert"\n[filter.over]\nfilm = "film.mp4"\n': (
        "filter[0].over is unknown; there are: amount"
    ),
    FILM + '[latent]\npath = "walk"\n': (
        "latent needs a generator with a model; nothing else has a latent space"
    ),
}


@pytest.mark.parametrize("text", CHECKED)
def test_perform_check_reports_faults_of_footage(
    folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sound(folder / "footage/sound.wav", clicks([0.1], 0.2))
    monkeypatch.chdir(folder)
    file = folder / "presets/a.toml"
    save(file, text)
    checked, faults = check_all([file])
    assert checked == 1
    assert [fault.partition("; looked for ")[0] for fault in faults] == [
        f"{file}: {CHECKED[text].replace('FOLDER', str(folder))}"
    ]


def test_footage_is_found_next_to_the_preset(play: Callable[..., FootageShow], folder: Path) -> None:
    (folder / "footage/film.mp4").rename(folder / "presets/own.mp4")
    assert play("own", FILM.replace("film.mp4", "own.mp4")).numbers(3) == [0, 1, 2]


def test_broken_scenes_are_rejected(folder: Path) -> None:
    save(folder / "presets/film.toml", FILM.replace("film.mp4", "none.mp4"))
    with pytest.raises(SceneError, match=r"presets/film.toml: source.film = 'none.mp4'"):
        FootageShow(folder, "film")
