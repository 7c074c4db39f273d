"""Films read at any of their times: the right frame, forwards, backwards, across ends, of odd files too."""

from __future__ import annotations

import os
import random
import re
import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from perform.footage import FootageError
from perform.footage.reel import Reel
from perform.inputs.audio.reader import SoundReader
from perform.render import stills
from perform.training.dataset.films import Film, FilmFrame, FrameChoice
from perform.training.dataset.settings import DatasetSettings
from tests.doubles.reels import SIZE, barred, number, write_film
from tests.doubles.sounds import clicks, late_film, onsets, write_sound

FORMATS = {
    "mp4": ("libx264", "yuv420p"),
    "mkv": ("libx264", "yuv420p"),
    "ts": ("libx264", "yuv420p"),
    "h264": ("libx264", "yuv420p"),
    "mov": ("png", "rgb24"),
    "avi": ("mpeg4", "yuv420p"),
    "webm": ("libvpx-vp9", "yuv420p"),
    "gif": ("gif", "rgb8"),
}


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_frame_of_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    codec, form = FORMATS[suffix]
    reel = Reel(write_film(tmp_path / f"film.{suffix}", 40, codec=codec, form=form))
    frames = list(range(40))
    assert reel.length == pytest.approx(1.6)
    assert [number(reel.read(at / 25).pixels) for at in frames] == frames
    assert [number(reel.read((at + 0.9) / 25).pixels) for at in frames] == frames
    assert [number(reel.read(at / 25).pixels) for at in reversed(frames)] == frames[::-1]
    anywhere = random.Random(1).choices(frames, k=12)
    assert [number(reel.read(at / 25).pixels) for at in anywhere] == anywhere
    assert number(reel.read(99.0).pixels) == 39
    assert number(reel.read(-1.0).pixels) == 0
    reel.close()
    reel.close()


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), 30, Fraction(60000, 1001)])
def test_fractional_frame_rates_are_exact(tmp_path: Path, rate: Fraction) -> None:
    reel = Reel(write_film(tmp_path / "film.mp4", 60, rate))
    assert [number(reel.read(float(at / rate)).pixels) for at in range(60)] == list(range(60))


def test_a_frame_has_its_start_and_end(tmp_path: Path) -> None:
    reel = Reel(write_film(tmp_path / "film.mp4"))
    shot = reel.read(0.5)
    assert (shot.start, shot.end) == pytest.approx((0.48, 0.52))
    assert [shot.off(at) == 0 for at in (0.47, 0.48, 0.51, 0.52)] == [False, True, True, False]
    assert (shot.off(0.4), shot.off(0.6)) == pytest.approx((0.08, 0.08), abs=1e-5)
    assert reel.read(0.51) is shot


def test_a_film_plays_backwards_within_a_memory_budget(tmp_path: Path) -> None:
    """A film of one key frame, of which a tenth may be kept: decoded again for each part, and right."""
    reel = Reel(write_film(tmp_path / "film.mp4", 100, gop=250), budget=10 * SIZE[0] * SIZE[1] * 3 // 2)
    assert [number(reel.read(at / 25).pixels) for at in range(99, -1, -1)] == list(range(99, -1, -1))
    assert len(reel._kept) <= 11  # memory: a film that keeps all its frames gives the same pictures
    reel.rest()
    assert not reel._kept
    assert number(reel.read(1.0).pixels) == 25


def test_a_changing_frame_rate_is_followed(tmp_path: Path) -> None:
    times = [0, 4, 8, 50, 54, 100, 101, 102, 160]  # hundredths of a second
    reel = Reel(write_film(tmp_path / "film.mkv", len(times), times=times))
    seen = [number(reel.read(at / 100).pixels) for at in range(160)]
    assert seen == [max(i for i, time in enumerate(times) if time <= at) for at in range(160)]
    assert reel.length >= 1.6


def test_a_film_of_one_frame_plays(tmp_path: Path) -> None:
    reel = Reel(write_film(tmp_path / "film.mp4", 1))
    assert reel.length == pytest.approx(0.04)
    assert [number(reel.read(at).pixels) for at in (0, 0.01, 0.04, 9)] == [0] * 4


@pytest.mark.parametrize("turns", [90, 180, 270])
def test_turned_films_are_upright(tmp_path: Path, turns: int) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32] = 255  # as it is stored: white at the upper left
    reel = Reel(write_film(tmp_path / "film.mp4", pictures=[picture] * 3, rotation=turns))
    shown = reel.read(0).pixels
    assert shown.shape[:2] == ((48, 64) if turns == 180 else (64, 48))
    assert np.abs(shown.astype(int) - np.rot90(picture, turns // 90)).mean() < 4
    assert reel.size == shown.shape[1::-1]


MATRICES = {  # as MP4 has them; rows of the picture that is stored as red, green / blue, white
    (1, 0, 0, 1): ("rg", "bw"),
    (-1, 0, 0, 1): ("gr", "wb"),
    (1, 0, 0, -1): ("bw", "rg"),
    (-1, 0, 0, -1): ("wb", "gr"),
    (0, 1, 1, 0): ("rb", "gw"),
    (0, 1, -1, 0): ("br", "wg"),
    (0, -1, 1, 0): ("gw", "rb"),
    (0, -1, -1, 0): ("wg", "br"),
}
COLOURS = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), "w": (255, 255, 255)}


@pytest.mark.parametrize("matrix", MATRICES)
def test_all_eight_display_matrices(tmp_path: Path, matrix: tuple[int, int, int, int]) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    for half, colours in enumerate(("rg", "bw")):
        for side, colour in enumerate(colours):
            picture[half * 24 : half * 24 + 24, side * 32 : side * 32 + 32] = COLOURS[colour]
    file = write_film(tmp_path / "film.mp4", pictures=[picture] * 3)
    file.write_bytes(with_matrix(file.read_bytes(), matrix))
    reel = Reel(file)
    shown = reel.read(0).pixels
    height, width = (48, 64) if matrix[0] else (64, 48)
    assert reel.size == (width, height) and shown.shape == (height, width, 3)
    corners = [[shown[y, x] for x in (width // 4, 3 * width // 4)] for y in (height // 4, 3 * height // 4)]
    expected = [[COLOURS[colour] for colour in row] for row in MATRICES[matrix]]
    assert np.abs(np.array(corners, int) - expected).max() < 12
    training = next(iter(Film(file, FrameChoice()).items(0)))
    assert isinstance(training, FilmFrame)
    opened = next(training.opened(DatasetSettings((64, 64))))
    assert np.abs(np.asarray(opened.image).astype(int) - shown).max() < 12


TURNS = {1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb"}


@pytest.mark.parametrize("turn", TURNS)
def test_a_photo_of_a_phone_is_upright(tmp_path: Path, turn: int) -> None:
    """EXIF 2.32, 4.6.4. The EXIF comes with the frame, as side data of a kind that PyAV does not know."""
    stored, exif = Image.new("RGB", (64, 48), COLOURS["w"]), Image.Exif()
    for place, colour in (((0, 0, 32, 24), "r"), ((32, 0, 64, 24), "g"), ((0, 24, 32, 48), "b")):
        stored.paste(COLOURS[colour], place)
    exif[0x0112] = turn
    file = tmp_path / "a.jpg"
    stored.save(file, exif=exif, quality=95, subsampling=0)
    frame = next(iter(Film(file, FrameChoice()).items(0)))
    assert isinstance(frame, FilmFrame)
    training = np.asarray(next(frame.opened(DatasetSettings((64, 64)))).image)
    for shown in (training, Reel(file).read(0).pixels, stills.read(file)):
        height, width = shown.shape[:2]
        assert (width, height) == ((48, 64) if turn > 4 else (64, 48))
        corners = [shown[y, x, :3] for y in (8, height - 8) for x in (8, width - 8)]
        assert np.abs(np.array(corners, int) - [COLOURS[colour] for colour in TURNS[turn]]).max() < 12


def with_matrix(data: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """The bytes of an MP4 with another display matrix of its first track."""
    parts = [65536 * part for part in matrix]
    wanted = struct.pack(">9i", *parts[:2], 0, *parts[2:], 0, 0, 0, 1 << 30)
    at = data.index(struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30), data.index(b"tkhd"))
    return data[:at] + wanted + data[at + len(wanted) :]


@pytest.mark.parametrize(
    ("hundredths", "shown"), [((0, 0, 0), (0, 10, 20)), ((1, 5, 1), (0, 10, 15)), ((2, 3, 2), (0, 2, 5))]
)
def test_a_gif_is_as_fast_as_in_a_browser(
    tmp_path: Path, hundredths: tuple[int, ...], shown: tuple[int, ...]
) -> None:
    """A delay of 0 or 1 hundredths is 10."""
    pictures = [Image.fromarray(barred(number)) for number in range(3)]
    file, delays = tmp_path / "a.gif", [10 * one for one in hundredths]
    pictures[0].save(file, save_all=True, append_images=pictures[1:], duration=delays, loop=0)
    reel = Reel(file)
    last = hundredths[2] if hundredths[2] > 1 else 10
    assert reel.length == pytest.approx((shown[2] + last) / 100)
    seen = [number(reel.read(at / 100).pixels) for at in range(shown[2] + last)]
    assert seen == [max(i for i, time in enumerate(shown) if time <= at) for at in range(shown[2] + last)]
    assert [number(reel.read(at / 100).pixels) for at in reversed(shown)] == [2, 1, 0]


@pytest.mark.parametrize(("sound", "pictures", "on"), [(0.0, 1.0, 2.0), (1.0, 0.0, 2.0), (1.0, 0.5, 1.5)])
def test_pictures_are_in_step_with_their_sound(
    tmp_path: Path, sound: float, pictures: float, on: float
) -> None:
    """A flash at second 2 of the file; the film begins with its first sound or picture."""
    film = late_film(tmp_path / "film.mkv", sound_from=sound, pictures_from=pictures, click=2.0)
    reel = Reel(film)
    white = [at for at in range(80) if reel.read((at + 0.5) / 20).pixels.mean() > 128]
    assert [at / 20 for at in white] == [on]
    assert onsets(SoundReader(film).read(0, 4 * 48_000)) == pytest.approx([on], abs=0.002)
    assert reel.read(0.0).start == 0
    assert reel.length == pytest.approx(4 - min(sound, pictures), abs=0.01)


def test_names_that_look_like_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    film = write_film(tmp_path / "film.mp4", 3)
    for name in ("12:30.mp4", "rtmp:a.mp4", "a%03d.mp4"):
        shutil.copy(film, name)
        assert number(Reel(Path(name)).read(0.09).pixels) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.mpd", "<MPD></MPD>"), ("a.m3u8", "#EXTM3U\nfilm.mp4"), ("a.mp4", "#EXTM3U\nfilm.mp4")],
)
def test_a_playlist_is_no_film(tmp_path: Path, name: str, text: str) -> None:
    write_film(tmp_path / "film.mp4", 3)
    (tmp_path / name).write_text(text)
    with pytest.raises(FootageError, match="it is a playlist: give one of the files that it names"):
        Reel(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [("film.mov", "png", "rgba"), ("film.webm", "libvpx-vp9", "yuva420p"), ("film.mkv", "ffv1", "yuva420p")],
)
def test_alpha_is_kept(tmp_path: Path, name: str, codec: str, form: str) -> None:
    picture = np.full((48, 64, 4), 200, np.uint8)
    picture[:, :32, 3] = 0
    reel = Reel(write_film(tmp_path / name, codec=codec, form=form, pictures=[picture] * 3))
    assert reel.alpha
    shown = reel.read(0.05).pixels
    assert shown.shape == (48, 64, 4)
    assert (shown[:, :30, 3] < 4).all()
    assert (abs(shown[:, 34:, 3].astype(int) - 200) < 4).all()


def test_large_films_are_scaled_to_the_shown_size(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", pictures=[barred(9, (640, 360))] * 3)
    assert Reel(film, (160, 90)).read(0).pixels.shape == (90, 160, 3)
    assert Reel(film, (320, 90)).read(0).pixels.shape == (180, 320, 3)  # it covers what it is shown on
    assert Reel(film, (600, 340)).read(0).pixels.shape == (360, 640, 3)
    assert number(Reel(film, (80, 45)).read(0).pixels) == 9


def test_a_truncated_film_plays_what_there_is(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mkv", 200, gop=10)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    reel = Reel(cut)
    assert 2 < reel.length < 7
    last = number(reel.read(reel.length - 0.01).pixels)
    assert last == round(reel.length * 25) - 1
    assert [number(reel.read(at / 25).pixels) for at in range(last)] == list(range(last))


def test_damaged_frames_are_skipped(tmp_path: Path) -> None:
    pictures = (barred(at, (320, 240)) for at in range(60))
    film = write_film(tmp_path / "film.avi", codec="mpeg4", gop=5, pictures=pictures)
    data = bytearray(film.read_bytes())
    rng = np.random.default_rng(0)
    for at in rng.integers(len(data) // 3, len(data) * 2 // 3, 40):
        data[at] = rng.integers(256)
    film.write_bytes(data)
    reel = Reel(film)
    assert all(reel.read(at / 25).pixels.shape == (240, 320, 3) for at in range(60))
    assert number(reel.read(2.3).pixels) == 57


def test_damage_is_logged_with_its_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    film = write_film(tmp_path / "film.mov", 40, codec="png", form="rgb24")
    with av.open(str(film)) as file:
        tenth = next(one for one in file.demux(video=0) if one.pts * one.time_base == Fraction(10, 25))
        at, size = tenth.pos, tenth.size
    data = bytearray(film.read_bytes())
    data[at : at + size] = bytes(size)
    film.write_bytes(data)
    reel = Reel(film)
    for _ in range(2):
        assert [number(reel.read(at / 25).pixels) for at in (9, 10, 11)] == [9, 9, 11]
        reel.rest()
    (line,) = caplog.messages
    assert re.fullmatch(rf"{film}: damaged at 0:00\.4[04]0 \(Invalid data .*\)", line)  # two threads decode


def test_a_file_that_is_no_film_gives_a_clear_error(tmp_path: Path) -> None:
    text, sound = tmp_path / "text.mp4", write_sound(tmp_path / "sound.wav", clicks([0.1], 0.5))
    text.write_text("no film at all " * 99)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    whole = write_film(tmp_path / "film.mp4").read_bytes()
    headless = tmp_path / "headless.mp4"
    headless.write_bytes(whole[: len(whole) // 2])  # an MP4's index is at its end
    for file, sentence in (
        (tmp_path / "gone.mp4", "gone.mp4: there is no such file"),
        (sound, "sound.wav has no video stream"),
        (text, "text.mp4 cannot be played: it is a text"),
        (empty, "empty.mp4 cannot be played: it is empty"),
        (headless, "headless.mp4 cannot be played: Invalid data found when processing input"),
    ):
        with pytest.raises(FootageError) as error:
            Reel(file)
        assert str(error.value).endswith(sentence)


def test_a_removed_file_is_an_error_when_it_is_opened_again(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.h264", 100)  # it has no times: to go back, it is opened again
    reel = Reel(film, budget=SIZE[0] * SIZE[1])
    reel.read(3.0)
    shutil.move(film, tmp_path / "elsewhere.h264")
    with pytest.raises((OSError, FootageError)):
        reel.read(0.0)


FUZZ = 1000 if os.environ.get("PERFORM_SOAK") else 25  # damaged files of each format


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "gif"])
def test_a_damaged_film_plays_or_gives_a_clear_error(tmp_path: Path, suffix: str) -> None:
    """Damage anywhere, headers too: a film opens and gives pictures, or the error says why not."""
    codec, form = FORMATS[suffix]
    whole = write_film(tmp_path / f"whole.{suffix}", 12, codec=codec, form=form).read_bytes()
    rng, file = np.random.default_rng(len(suffix)), tmp_path / f"film.{suffix}"
    for _ in range(FUZZ):
        data = bytearray(whole[: int(rng.integers(1, len(whole) + 1))] if rng.random() < 0.3 else whole)
        for at in rng.integers(len(data), size=int(rng.integers(1, 30))):
            data[at] = rng.integers(256)
        file.write_bytes(data)
        try:
            reel = Reel(file, (320, 240))
        except FootageError as error:
            assert str(error).startswith(str(file))
            continue
        for seconds in (0.0, reel.length / 2, reel.length, 0.1):
            try:
                assert reel.read(seconds).pixels.ndim == 3
            except OSError as error:
                assert "has no picture" in str(error)
        reel.close()
