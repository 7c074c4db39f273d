"""Golden images: layers, projections, test cards and shaders look as they did, on Mesa's software."""

from __future__ import annotations

import itertools
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PIL import Image

from perform.render.context import is_software
from scripts import golden
from scripts.golden_cases import CARDS, LAYERED, PROJECTED, cases

CASES = cases()
LARGEST, MOST_BYTES = 256, 3_000_000  # pixels of a side, and bytes of all files


@pytest.fixture(scope="module", autouse=True)
def software(context: moderngl.Context) -> None:
    if not is_software(context):
        pytest.skip("golden images are of Mesa's software")


@pytest.mark.parametrize("name", CASES)
def test_it_looks_as_it_did(context: moderngl.Context, tmp_path: Path, name: str) -> None:
    fault = golden.check(name, CASES[name](context), tmp_path)
    assert fault is None, fault


def test_every_image_has_a_case_and_is_small() -> None:
    assert golden.left_over() == []
    files = list(golden.FOLDER.glob("*.png"))
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    for file in files:
        with Image.open(file) as picture:
            assert max(picture.size) <= LARGEST, file.name


@pytest.mark.parametrize("kind", [LAYERED, PROJECTED, CARDS], ids=["layers", "projections", "cards"])
def test_no_two_of_a_kind_are_alike(kind: dict[str, object]) -> None:
    """Each image can tell its case from all others of its kind."""
    kept = {name: golden.kept(name) for name in kind}
    alike = []
    for (name, one), (other_name, other) in itertools.combinations(kept.items(), 2):
        assert one is not None and other is not None
        if golden.difference(one, other).is_small:
            alike.append((name, other_name))
    assert alike == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another folder of golden images, with one of a grey picture."""
    folder = tmp_path / "golden"
    folder.mkdir()
    monkeypatch.setattr(golden, "FOLDER", folder)
    golden.write(np.full((30, 40, 3), 100, np.uint8), folder / "blend-add.png")
    return folder


def test_a_difference_shows_where_its_picture_is(folder: Path, tmp_path: Path) -> None:
    drawn = np.full((30, 40, 3), 100, np.uint8)
    assert golden.check("blend-add", drawn + 1, tmp_path) is None
    drawn[:10, :10] = 200
    fault = golden.check("blend-add", drawn, tmp_path)
    assert fault is not None and str(tmp_path / "blend-add.png") in fault
    assert "8.3% of the pixels are others" in fault and "--renew blend-add" in fault
    with Image.open(tmp_path / "blend-add.png") as file:
        seen = np.array(file)
    assert seen.shape == (30, 120, 3)
    assert (seen[:, 40:80] == drawn).all() and (seen[:10, 80:90] == 255).all() and not seen[10:, 80:].any()


def test_another_size_and_a_missing_image_are_faults(folder: Path, tmp_path: Path) -> None:
    fault = golden.check("blend-add", np.zeros((10, 10, 3), np.uint8), tmp_path)
    assert fault is not None and "100.0%" in fault
    fault = golden.check("blend-new", np.zeros((10, 10, 3), np.uint8), tmp_path)
    assert fault is not None and "no golden image" in fault


def test_only_what_looks_different_is_renewed(folder: Path) -> None:
    file = folder / "blend-add.png"
    before = file.read_bytes()
    assert (
        not golden.renewed("blend-add", np.full((30, 40, 3), 101, np.uint8)) and file.read_bytes() == before
    )
    assert golden.renewed("blend-add", np.full((30, 40, 3), 130, np.uint8))
    assert golden.check("blend-add", np.full((30, 40, 3), 130, np.uint8), folder) is None
    (folder / "blend-gone.png").write_bytes(before)
    assert golden.left_over() == [folder / "blend-gone.png"]


def test_cases_are_chosen_by_patterns() -> None:
    assert set(golden.chosen(["blend-*", "key-luma"])) == {
        *(name for name in CASES if name.startswith("blend-")),
        "key-luma",
    }
    assert golden.chosen([]).keys() == CASES.keys()
    with pytest.raises(LookupError, match="blend-ad: there is no such case; there are blend-normal, "):
        golden.chosen(["blend-ad"])
