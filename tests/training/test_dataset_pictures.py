"""Picture files of every kind: opened as a viewer shows them, or listed with a reason."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from perform.training.dataset.converting import convert, decoded, sharpness
from perform.training.dataset.opening import PictureFile
from perform.training.dataset.outcomes import REASONS, Kept, Lost
from perform.training.dataset.settings import DatasetSettings
from perform.training.dataset.sources import PictureFolder
from tests.doubles.drawings import drawing

PLAIN = DatasetSettings((64, 64))
RED, GREEN = (200, 40, 30), (20, 160, 60)


def one(path: Path, settings: DatasetSettings = PLAIN) -> Kept | Lost:
    (outcome,) = convert(PictureFile(path, path.name), settings)
    return outcome


def pixels(path: Path, settings: DatasetSettings = PLAIN) -> NDArray[np.uint8]:
    outcome = one(path, settings)
    assert isinstance(outcome, Kept), outcome
    return decoded(outcome.data)


def handled(path: Path, settings: DatasetSettings = PLAIN) -> list[str]:
    outcome = one(path, settings)
    assert isinstance(outcome, Kept), outcome
    return list(outcome.facts["handled"])


def lost(path: Path, settings: DatasetSettings = PLAIN) -> tuple[str, str]:
    outcome = one(path, settings)
    assert isinstance(outcome, Lost), outcome
    assert outcome.reason in REASONS
    return outcome.reason, outcome.detail


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds one row."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"hello", "foreign"),
        (".DS_Store", b"\0\1Bud1", "foreign"),
        ("a.png", b"", "corrupt"),
        ("a.jpg", b"hello", "corrupt"),
        ("a.heic", b"\0\0\0\x18ftypheic", "unsupported"),
        ("a.dng", b"II*\0", "unsupported"),
        ("bomb.png", png(100_000, 100_000), "huge"),
        ("big.png", png(13_000, 12_000), "huge"),
        ("hollow.png", png(200, 200), "corrupt"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "unsupported"),
        ("disguised.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "corrupt"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_picture_is_dropped_with_a_reason(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert lost(tmp_path / name)[0] == reason


def test_the_reason_names_the_limit_of_pixels(tmp_path: Path) -> None:
    (tmp_path / "big.png").write_bytes(png(13_000, 12_000))
    assert lost(tmp_path / "big.png")[1] == "13000x12000, more than 150 megapixels"


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp", "gif", "jp2", "avif"])
def test_truncated_pictures_are_dropped(tmp_path: Path, ending: str) -> None:
    drawing(1, 200, 200).save(tmp_path / f"whole.{ending}")
    data = (tmp_path / f"whole.{ending}").read_bytes()
    assert isinstance(one(tmp_path / f"whole.{ending}"), Kept)
    (tmp_path / f"cut.{ending}").write_bytes(data[: len(data) // 3])
    assert lost(tmp_path / f"cut.{ending}")[0] == "corrupt"


@given(ending=st.sampled_from(["jpg", "png", "gif", "webp", "tif"]), seed=st.integers(0, 2**32))
def test_any_damage_gives_a_picture_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, ending: str, seed: int
) -> None:
    path = tmp_path_factory.mktemp("damage") / f"a.{ending}"
    drawing(1, 40, 40).save(path)
    data, draw = bytearray(path.read_bytes()), np.random.default_rng(seed)
    for at in draw.integers(len(data), size=4):
        data[at] = draw.integers(256)
    path.write_bytes(data)
    outcome = one(path)
    assert (
        outcome.reason in REASONS if isinstance(outcome, Lost) else decoded(outcome.data).shape == (64, 64, 3)
    )


def test_small_pictures_are_dropped_or_enlarged(tmp_path: Path) -> None:
    drawing(1, 31, 90).save(tmp_path / "small.png")
    drawing(1, 33, 90).save(tmp_path / "enough.png")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    assert lost(tmp_path / "small.png") == ("small", "31x90")
    assert lost(tmp_path / "dot.png") == ("small", "1x1")
    assert handled(tmp_path / "enough.png") == ["enlarged"]
    assert handled(tmp_path / "dot.png", DatasetSettings((64, 64), smallest=1)) == ["enlarged"]
    assert lost(tmp_path / "enough.png", DatasetSettings((64, 64), smallest=40)) == ("small", "33x90")


def solid(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (80, 80), colour)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "ending", "colour", "what"),
    [
        (solid("RGB", RED), "png", RED, []),
        (solid("CMYK", (0, 255, 255, 0)), "tif", (255, 0, 0), ["cmyk"]),
        (solid("CMYK", (0, 255, 255, 0)), "jpg", (254, 0, 0), ["cmyk"]),
        (solid("L", 90), "png", (90, 90, 90), ["grey"]),
        (solid("1", 1), "png", (255, 255, 255), ["grey"]),
        (solid("LA", (200, 255)), "png", (200, 200, 200), ["grey"]),
        (solid("RGB", RED).quantize(4), "png", RED, []),
        (solid("RGBA", (*RED, 0)), "png", (0, 0, 255), ["alpha"]),
        (solid("RGBA", (*RED, 51)), "png", (40, 8, 210), ["alpha"]),
        (solid("LA", (100, 0)), "png", (0, 0, 255), ["grey", "alpha"]),
        (solid("LAB", (128, 128, 128)), "tif", (119, 119, 119), ["profile"]),
        (Image.fromarray(np.full((80, 80), 257 * 90, np.uint16)), "png", (90, 90, 90), ["deep", "grey"]),
        (Image.fromarray(np.full((80, 80), 257 * 90, np.uint16)), "tif", (90, 90, 90), ["deep", "grey"]),
        (Image.fromarray(np.full((80, 80), 0.5, np.float32)), "tif", (128, 128, 128), ["deep", "grey"]),
        (Image.fromarray(np.full((80, 80), 90, np.int32)), "tif", (90, 90, 90), ["deep", "grey"]),
    ],
)  # fmt: skip
def test_every_mode_becomes_rgb(
    tmp_path: Path, image: Image.Image, ending: str, colour: tuple[int, int, int], what: list[str]
) -> None:
    path = tmp_path / f"a.{ending}"
    image.save(path)
    settings = DatasetSettings((64, 64), background="#0000ff")
    found = pixels(path, settings)
    assert np.abs(found.reshape(-1, 3).astype(int) - colour).max() <= 2
    assert handled(path, settings) == what


def test_a_palette_with_a_transparent_colour_is_read(tmp_path: Path) -> None:
    image = Image.new("P", (80, 80), 0)
    image.putpalette([255, 0, 0, *GREEN])
    image.paste(1, (0, 0, 80, 40))
    image.save(tmp_path / "a.png", transparency=0)
    found = pixels(tmp_path / "a.png")
    assert tuple(found[8, 32]) == GREEN
    assert tuple(found[60, 32]) == (0, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    """The upper left quarter is red in every one, as a viewer shows it."""
    upright = np.zeros((160, 120, 3), np.uint8)
    upright[:80, :60] = RED
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.swapaxes(0, 1), 6: np.rot90(upright, 1), 7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(
        tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0
    )
    found = pixels(tmp_path / "a.jpg", DatasetSettings((60, 80)))
    assert np.abs(found[:36, :26].astype(int) - RED).max() < 12
    assert found[44:].max() < 12 and found[:, 34:].max() < 12
    assert handled(tmp_path / "a.jpg", DatasetSettings((60, 80))) == ["rotated"] * (orientation > 1)
    outcome = one(tmp_path / "a.jpg", DatasetSettings((60, 80)))
    assert isinstance(outcome, Kept) and (outcome.facts["width"], outcome.facts["height"]) == (120, 160)


def test_damaged_metadata_does_not_drop_a_picture(tmp_path: Path) -> None:
    drawing(1, 80, 80).save(
        tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", icc_profile=b"no profile"
    )
    assert handled(tmp_path / "a.jpg") == []


def test_colour_profiles_are_converted_to_srgb(tmp_path: Path) -> None:
    """The primaries of another space: Lab to sRGB and back is the way that LittleCMS knows without files."""
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # give the red primary's place to the green one's: their tags are named alike
    tags = {swapped[132 + 12 * n : 136 + 12 * n].decode(): 132 + 12 * n for n in range(swapped[131])}
    red, green = tags["rXYZ"], tags["gXYZ"]
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    for at in range(len(swapped) - 8):
        if swapped[at : at + 8] == b"s\0R\0G\0B\0":
            swapped[at : at + 8] = b"o\0t\0h\0e\0"
    plain = Image.new("RGB", (80, 80), (255, 0, 0))
    plain.save(tmp_path / "a.png", icc_profile=bytes(swapped))
    found = pixels(tmp_path / "a.png")[0, 0].tolist()
    assert found[1] > 250 and found[0] < 5 and handled(tmp_path / "a.png") == ["profile"]
    buffer = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain.save(tmp_path / "b.png", icc_profile=buffer)
    assert pixels(tmp_path / "b.png")[0, 0].tolist() == [255, 0, 0] and handled(tmp_path / "b.png") == []


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_animated_files_give_their_frames(tmp_path: Path, ending: str) -> None:
    frames = [solid("RGB", colour) for colour in (RED, GREEN, (0, 0, 200))]
    path = tmp_path / f"a.{ending}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    assert handled(path) == ["animated"]
    assert np.abs(pixels(path)[0, 0].astype(int) - RED).max() <= 2
    outcomes = convert(PictureFile(path, path.name), DatasetSettings((64, 64), frames="all"))
    assert [outcome.name for outcome in outcomes] == [f"{path.name}#{n}" for n in range(3)]
    colours = [decoded(outcome.data)[0, 0].tolist() for outcome in outcomes if isinstance(outcome, Kept)]
    assert np.abs(np.subtract(colours, [RED, GREEN, (0, 0, 200)])).max() <= 2


def test_a_truncated_animation_gives_its_whole_frames(tmp_path: Path) -> None:
    frames = [drawing(number, 80, 80) for number in range(6)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    data = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(data[: len(data) // 2])
    *kept, end = convert(PictureFile(tmp_path / "a.gif", "a.gif"), DatasetSettings((64, 64), frames="all"))
    assert 1 <= len(kept) < 6 and isinstance(end, Lost) and end.reason == "corrupt"


def test_the_three_fits_crop_pad_and_stretch(tmp_path: Path) -> None:
    """A wide picture, its middle third green."""
    wide = np.full((60, 180, 3), RED, np.uint8)
    wide[:, 60:120] = GREEN
    Image.fromarray(wide).save(tmp_path / "a.png")
    crop, whole, stretched = (
        pixels(tmp_path / "a.png", DatasetSettings((60, 60), fit, "#102030"))
        for fit in ("crop", "fit", "stretch")
    )
    assert (crop == GREEN).all()
    assert (whole[:20] == (16, 32, 48)).all() and (whole[40:] == (16, 32, 48)).all()
    assert (whole[21:39, 24:36] == GREEN).all() and (whole[21:39, :16] == RED).all()
    assert (stretched[:, 24:36] == GREEN).all() and (stretched[:, :16] == RED).all()


def test_large_jpegs_are_decoded_reduced_and_look_the_same(tmp_path: Path) -> None:
    large = drawing(3, 1600, 1200)
    large.save(tmp_path / "a.jpg", quality=95)
    large.save(tmp_path / "a.png")
    difference = pixels(tmp_path / "a.jpg").astype(int) - pixels(tmp_path / "a.png")
    assert np.abs(difference).mean() < 1.5


@pytest.mark.parametrize(
    ("limits", "image", "reason"),
    [
        ({"dark": 0.05}, solid("RGB", (5, 5, 5)), "dark"),
        ({"bright": 0.95}, solid("RGB", (250, 250, 250)), "bright"),
        ({"flat": 0.03}, solid("RGB", (100, 120, 100)), "flat"),
        ({"blur": 5.0}, Image.fromarray(np.arange(80, dtype=np.uint8)[None].repeat(80, 0)), "blurred"),
    ],
)
def test_quality_filters_drop_pictures(
    tmp_path: Path, limits: dict[str, float], image: Image.Image, reason: str
) -> None:
    image.save(tmp_path / "a.png")
    drawing(4, 80, 80).save(tmp_path / "good.png")
    settings = DatasetSettings((64, 64), **limits)  # type: ignore[arg-type]
    assert lost(tmp_path / "a.png", settings)[0] == reason
    assert isinstance(one(tmp_path / "good.png", settings), Kept)
    assert isinstance(one(tmp_path / "a.png"), Kept)


def test_sharpness_falls_with_blur() -> None:
    grey = np.random.default_rng(0).uniform(0, 255, (64, 64))
    soft = (grey + np.roll(grey, 1, 0) + np.roll(grey, 1, 1) + np.roll(grey, (1, 1), (0, 1))) / 4
    assert sharpness(soft) < sharpness(grey) / 4
    assert sharpness(np.full((64, 64), 9.0)) == sharpness(np.zeros((2, 2))) == 0


@pytest.mark.parametrize(
    ("settings", "exact"),
    [
        (DatasetSettings((64, 64)), True),
        (DatasetSettings((64, 64), format="webp", quality=100), True),
        (DatasetSettings((64, 64), format="webp", quality=90), False),
        (DatasetSettings((64, 64), format="jpg"), False),
    ],
)
def test_lossless_formats_are_exact_and_others_close(
    tmp_path: Path, settings: DatasetSettings, exact: bool
) -> None:
    drawing(5).save(tmp_path / "a.png")
    difference = np.abs(pixels(tmp_path / "a.png", settings).astype(int) - np.asarray(drawing(5)))
    assert (difference.max() == 0) == exact and difference.mean() < 3


def named(folder: Path) -> dict[str, str]:
    """What a folder's items are, a reason where they are lost."""
    return {
        item.name: item.reason if isinstance(item, Lost) else "" for item in PictureFolder(folder).items(0)
    }


def test_a_folder_lists_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/z.png").touch()
    (tmp_path / "a.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "lost.png").symlink_to("nowhere.png")
    (tmp_path / "round").symlink_to(tmp_path)
    expected = {"a.png": "", "b/z.png": "", "lost.png": "unreadable", "pipe.png": "unreadable"}
    assert named(tmp_path) == expected
    assert list(named(tmp_path)) == sorted(expected)


def test_file_names_that_are_no_text_are_handled(tmp_path: Path) -> None:
    drawing(1).save(tmp_path / "a.png")
    try:
        (tmp_path / "a.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.png"))
    except OSError:
        pytest.skip("this file system has names of text only")
    (item,) = PictureFolder(tmp_path).items(0)
    assert isinstance(item, PictureFile)
    (outcome,) = convert(item, PLAIN)
    assert outcome.name == r"\udcff\udcfe.png"


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is allowed to root")
@pytest.mark.parametrize("close", [lambda path: path.chmod(0), lambda path: path.parent.chmod(0)])
def test_unreadable_files_are_listed(tmp_path: Path, close: Callable[[Path], None]) -> None:
    (tmp_path / "in").mkdir()
    drawing(1).save(tmp_path / "in/a.png")
    close(tmp_path / "in/a.png")
    (item,) = PictureFolder(tmp_path).items(0)
    assert (item.reason if isinstance(item, Lost) else lost(tmp_path / "in/a.png")[0]) == "unreadable"
    (tmp_path / "in").chmod(0o700)


def test_out_of_memory_drops_only_one_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing(1).save(tmp_path / "a.png")

    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", exhausted)
    assert lost(tmp_path / "a.png")[0] == "huge"


def test_decoding_gives_rgb_of_any_stored_picture() -> None:
    buffer = io.BytesIO()
    solid("L", 7).save(buffer, "PNG")
    assert decoded(buffer.getvalue()).shape == (80, 80, 3)
