"""The report of a dataset, and the commands."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from perform.cli import app
from perform.training.dataset import Dataset
from perform.training.dataset.making import make
from perform.training.dataset.report import contact_sheet, report_page
from perform.training.dataset.settings import DatasetSettings
from perform.training.dataset.sources import PictureFolder
from perform.training.dataset.survey import palette, survey
from tests.doubles.drawings import drawing, drawn, still, written

runner = CliRunner()


def told(*words: object, code: int = 0) -> str:
    """What a command says, on one line."""
    done = runner.invoke(app, ["dataset", *map(str, words)])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


class Page(HTMLParser):
    """The tags that are opened and closed, and everything that is loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos <b> {{digest}}"
    folder.mkdir()
    for number in range(8):
        drawing(number, 64 + 40 * number, 90).save(folder / f"{number}.png")
    drawing(3, 184, 90).save(folder / "3 once more.png")
    (folder / "<script>.png").write_bytes(b"no picture")
    return folder


def test_a_report_is_one_page_that_loads_nothing(photos: Path, tmp_path: Path) -> None:
    make(PictureFolder(photos), DatasetSettings((64, 64), mirror=True, duplicates=2), tmp_path / "out")
    text = report_page(Dataset.open(tmp_path / "out"))
    read = Page(text)
    assert read.open == []
    assert read.loaded and all(one.startswith("data:image/jpeg;base64,") for one in read.loaded)
    assert "{{" not in text.replace("photos &lt;b&gt; {{digest}}", "")
    assert "<script" not in text and "&lt;script&gt;.png (not what its name says)" in text
    assert "3.png (of 3 once more.png, distance 0)" in text
    assert "and as many mirrored" in text
    assert re.search(r"<th>kept</th><td class=n>8</td><td class=n>80.0 %</td>", text)


def test_a_survey_measures_sizes_and_colours(tmp_path: Path) -> None:
    for number, colour in enumerate([(255, 0, 0)] * 3 + [(0, 0, 255)]):
        Image.new("RGB", (64 + number, 80), colour).save(tmp_path / f"{number}.png")
    make(PictureFolder(tmp_path), DatasetSettings((64, 64)), tmp_path.parent / "out")
    found = survey(Dataset.open(tmp_path.parent / "out"))
    assert found.sizes.tolist() == [[64, 80], [65, 80], [66, 80], [67, 80]]
    assert found.palette == [((255, 0, 0), 0.75), ((0, 0, 255), 0.25)]
    assert found.colour == (191, 0, 64)
    assert found.luminance[[13, 4]].tolist() == [0.75, 0.25]  # 0.2126 and 0.0722 of 64 steps
    assert found.luminance.sum() == 1
    assert found.pairs[0].distance == 0  # calm pictures are all alike to the hash


def test_a_palette_finds_rare_vivid_colours() -> None:
    draw = np.random.default_rng(0)
    dark = draw.integers(0, 40, (2000, 1), np.uint8).repeat(3, 1)
    vivid = np.tile(np.array([[220, 30, 30], [30, 60, 220]], np.uint8), (60, 1))
    colours = [colour for colour, _ in palette(np.concatenate((dark, vivid)))]
    assert (220, 30, 30) in colours and (30, 60, 220) in colours
    assert sum(share for _, share in palette(dark)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("count", "size"), [(1, (64, 64)), (5, (160, 90)), (96, (160, 160)), (30, (90, 160))]
)
def test_a_sheet_has_full_rows(count: int, size: tuple[int, int]) -> None:
    whole = contact_sheet([Image.new("RGB", size, (255, 255, 255))] * count)
    pixels = np.asarray(whole)
    assert (pixels[-1, -1] == 255).all() and (pixels[0, 0] == 255).all()
    assert whole.width <= 1440


def test_a_plain_folder_has_a_report(tmp_path: Path) -> None:
    for number in range(3):
        drawing(number).save(tmp_path / f"{number}.png")
    assert told("report", tmp_path, "--out", tmp_path / "page.html") == str(tmp_path / "page.html")
    assert Page((tmp_path / "page.html").read_text()).open == []


def test_the_command_makes_a_dataset_of_pictures(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("pictures", photos, out, "--size", "64x48", "--workers", "1", "--format", "webp", "--limit", "5")
    said = told(*words)
    assert "kept 5" in said and "not seen 4" in said and (out / "report.html").is_file()
    assert told("check", out) == f"{out}: 5 pictures, all whole"
    assert json.loads(told("info", "--json", out))["size"] == [64, 48]
    assert told(*words) == said  # the same again: nothing is done
    assert "was made with size = 64x48, not 64x64" in told(*words[:3], "--size", "64", code=1)
    (out / "shards/000000.tar").write_bytes(b"")
    assert "000000.tar has 0 bytes" in told("check", out, code=1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none", "out"), "none: there is no such folder"),
        (("photos", "out", "--size", "99"), "size '99', must be a power of two 16..2048, or WIDTHxHEIGHT"),
        (("photos", "out", "--fit", "tile"), "fit 'tile', must be one of crop, fit, stretch"),
        (("photos", "photos/out"), "photos/out lies in photos: give a folder outside it"),
        (("photos", "out", "--duplicates", "99"), "duplicates = 99, must be 0..12"),
    ],
)
def test_the_command_reports_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    drawing(1).save("photos/1.png")
    assert sentence in told("pictures", *words, code=1)
    assert not Path("out").exists()


def test_the_command_makes_a_dataset_of_a_film(tmp_path: Path) -> None:
    film = written(tmp_path / "a.mp4", [np.roll(still(n // 10), n % 10 * 4, 1) for n in range(30)])
    words = ("--size", "32", "--workers", "1", "--scenes", "2", "--duplicates", "0", "--mirror")
    assert "kept 6" in told("film", film, tmp_path / "out", *words)
    assert Dataset.open(tmp_path / "out").mirror
    assert "cannot be read as a film" in told(
        "film", tmp_path / "out/dataset.json", tmp_path / "other", code=1
    )


def test_the_command_makes_a_dataset_of_flowers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from perform import flora
    from tests.doubles.drawings import render

    monkeypatch.setattr(flora, "render_flower", render)
    out = tmp_path / "out"
    assert "kept 4" in told("flora", out, "--count", "4", "--seed", "7", "--size", "32", "--workers", "1")
    latent = Dataset.open(out).latent(2)
    assert latent is not None and (latent == flora.latents(7, 4)[2]).all()
    assert "drawn as squares" in told("flora", tmp_path / "b", "--size", "64x32", code=1)


def test_the_flora_dataset_contains_its_flowers(tmp_path: Path) -> None:
    from perform import flora
    from perform.render.context import GLError
    from perform.training.dataset.sources import RenderedPictures

    z = flora.latents(1, 2)
    try:
        expected = flora.render_flower(z[1], 32)
    except GLError as error:
        pytest.skip(f"no OpenGL here: {error}")
    make(RenderedPictures("flora", z, flora.render_flower, 1), DatasetSettings((32, 32)), tmp_path / "out")
    assert (Dataset.open(tmp_path / "out").picture(1) == expected).all()


def test_importing_the_dataset_loads_no_heavy_library(tmp_path: Path) -> None:
    """What training imports in every process: neither torch nor Pillow, before a picture is read."""
    import subprocess
    import sys

    make(drawn(2), DatasetSettings((32, 32)), tmp_path / "out")
    code = (
        "import sys; from perform.training.dataset import Dataset; Dataset.open(sys.argv[1]).latent(0);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'PIL', 'av', 'rich')))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")]).returncode == 0
