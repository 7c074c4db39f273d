"""Stills: any picture that Pillow reads, upright, in sRGB, with its alpha, of a size that can be shown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from perform.arrays import Pixels
from perform.footage import FootageError, changes, stills
from perform.footage.stills import WatchedStill, read
from tests.doubles.waiting import eventually

WIDE, HIGH = 24, 16


def corner() -> Image.Image:
    """Red at the upper left, else blue."""
    image = Image.new("RGB", (WIDE, HIGH), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, WIDE // 2, HIGH // 2))
    return image


def saved(folder: Path, name: str, image: Image.Image, **options: Any) -> Pixels:
    image.save(folder / name, **options)
    return read(folder / name)


def test_colours_and_positions_are_kept(tmp_path: Path) -> None:
    for name in ("a.png", "a.bmp", "a.tif", "a.webp", "a.ppm", "a.gif"):
        options = {"lossless": True} if name == "a.webp" else {}
        shown = saved(tmp_path, name, corner(), **options)
        assert shown.dtype == np.uint8
        assert np.array_equal(shown, np.asarray(corner())), name


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_are_upright(tmp_path: Path, turn: int) -> None:
    """EXIF 2.32, 4.6.4: the eight ways in which a camera is held."""
    backwards: dict[int, Any] = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = corner().transpose(backwards[turn]) if turn > 1 else corner()
    exif = Image.Exif()
    exif[0x0112] = turn
    assert np.array_equal(saved(tmp_path, "a.png", stored, exif=exif), np.asarray(corner()))


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    shown = saved(tmp_path, "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=95)
    assert shown.shape == (8, 8, 3)
    assert shown[4, 4, 0] > 220
    assert shown[4, 4, 1:].max() < 60


@pytest.mark.parametrize(("mode", "dtype", "high"), [("I;16", np.uint16, 65535), ("F", np.float32, 1.0)])
def test_16_bit_grey_becomes_8_bit(tmp_path: Path, mode: str, dtype: Any, high: float) -> None:
    ramp = np.linspace(0, high, WIDE).astype(dtype)
    name = "a.png" if mode == "I;16" else "a.tif"
    shown = saved(tmp_path, name, Image.fromarray(np.broadcast_to(ramp, (HIGH, WIDE)).copy()))
    assert shown.shape == (HIGH, WIDE, 3)
    assert np.abs(shown[3, :, 1] - np.linspace(0, 255, WIDE)).max() < 1


@pytest.mark.parametrize("name", ["rgba.png", "la.png", "a.webp", "palette.gif"])
def test_alpha_is_kept(tmp_path: Path, name: str) -> None:
    image = corner().convert("LA" if name == "la.png" else "RGBA")
    alpha = np.zeros((HIGH, WIDE), np.uint8)
    alpha[:, WIDE // 2 :] = 255
    image.putalpha(Image.fromarray(alpha))
    shown = saved(tmp_path, name, image)
    assert shown.shape == (HIGH, WIDE, 4)
    assert np.array_equal(shown[..., 3], alpha)


def test_colour_profiles(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(saved(tmp_path, "a.png", corner(), icc_profile=profile), np.asarray(corner()))
    assert np.array_equal(saved(tmp_path, "b.png", corner(), icc_profile=b"junk"), np.asarray(corner()))


def test_large_pictures_are_made_smaller_with_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.png", "a.jpg"):
        caplog.clear()
        Image.new("L", (9000, 3000), 200).save(tmp_path / name)
        shown = read(tmp_path / name)
        assert shown.shape == (1365, 4096, 3)
        assert caplog.messages == [f"{tmp_path / name} is 9000x3000, shown at 4096x1365"]
    caplog.clear()
    stills.check(tmp_path / "a.jpg")
    assert not caplog.messages


def test_a_file_that_is_no_picture_gives_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, cut, bomb = tmp_path / "text.png", tmp_path / "cut.jpg", tmp_path / "bomb.png"
    text.write_text("no picture")
    data = io.BytesIO()
    Image.effect_noise((200, 200), 90).save(data, "jpeg")
    cut.write_bytes(data.getvalue()[:4000])
    Image.new("1", (20_000, 20_000)).save(bomb)
    for file, sentence in (
        (tmp_path / "gone.png", "gone.png: there is no such file"),
        (text, "text.png cannot be read as a picture"),
        (cut, "cut.jpg cannot be read: image file is truncated"),
        (bomb, "bomb.png has more than 178 million pixels"),
    ):
        with pytest.raises(FootageError) as error:
            read(file)
        assert sentence in str(error.value)


def test_a_bomb_in_the_metadata_is_ignored(tmp_path: Path) -> None:
    notes = PngInfo()
    notes.add_text("note", "a" * 2_000_000, zip=True)
    corner().save(tmp_path / "a.png", pnginfo=notes)
    with pytest.raises(FootageError):
        read(tmp_path / "a.png")


def test_a_saved_still_is_loaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stills, "LOOK_INTERVAL", 0.01)
    monkeypatch.setattr(changes, "LOOK_INTERVAL", 0.005)
    file = tmp_path / "a.png"
    corner().save(file)
    watched, got = WatchedStill(file), []

    def took() -> bool:
        new = watched.take()
        got.extend([] if new is None else [new])
        return bool(got)

    assert not took()
    file.write_bytes(b"half of it")
    eventually(lambda: caplog.messages, "a word")
    assert caplog.messages == [f"kept the last good picture: {file} cannot be read as a picture"]
    assert not took()
    Image.new("RGB", (5, 4), (1, 2, 3)).save(file)
    eventually(took, "the new picture")
    assert got[0].shape == (4, 5, 3)
    watched.close()
    watched.close()
