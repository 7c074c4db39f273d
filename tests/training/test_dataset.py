"""Datasets as training reads them, and the faults that are rejected."""

from __future__ import annotations

import copy
import json
import multiprocessing
import tarfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.training.dataset import Dataset, DatasetError, shards
from perform.training.dataset.checking import faults
from perform.training.dataset.making import make
from perform.training.dataset.manifest import Counts, Manifest, Shard, parse_manifest
from perform.training.dataset.settings import DatasetSettings, dataset_size
from perform.training.dataset.sources import PictureFolder
from tests.doubles.drawings import drawing, drawn, latents, render


@pytest.fixture
def made(tmp_path: Path, small_shards: None) -> Path:
    make(drawn(12), DatasetSettings((32, 32), mirror=True), tmp_path / "made")
    return tmp_path / "made"


def test_a_dataset_gives_pictures_latents_and_names(made: Path) -> None:
    pictures = Dataset.open(made)
    assert (len(pictures), pictures.size, pictures.channels, pictures.mirror) == (12, (32, 32), 3, True)
    for number in (0, 4, 5, 11):  # on both sides of a shard's end
        z = latents(12)[number]
        latent = pictures.latent(number)
        assert latent is not None and latent.dtype == np.float32
        assert (latent == z).all()
        assert (pictures.picture(number) == render(z, 32)).all()
        assert pictures.name(number) == f"{number:08d}"
    assert not list(faults(made))


@pytest.mark.parametrize("number", [-1, 12])
def test_a_picture_number_out_of_range_is_an_error(made: Path, number: int) -> None:
    with pytest.raises(IndexError, match=rf"picture {number}, must be 0\.\.11"):
        Dataset.open(made).picture(number)


def test_webdataset_reads_the_shards(made: Path) -> None:
    with tarfile.open(made / "shards/000001.tar") as tar:
        names = tar.getnames()
        assert names[:3] == ["00000005.png", "00000005.json", "00000006.png"]
        facts = tar.extractfile(names[1])
        assert facts and json.load(facts)["name"] == "00000005"


def test_processes_and_threads_read_the_same_pictures(made: Path) -> None:
    pictures = Dataset.open(made)
    expected = [pictures.picture(number).sum() for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        assert [one.sum() for one in pool.map(pictures.picture, range(12))] == expected
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert [one.sum() for one in pool.map(pictures.picture, range(12))] == expected


def test_the_digest_depends_on_contents_size_and_mirror(made: Path, tmp_path: Path) -> None:
    digest = Dataset.open(made).digest
    for name, settings in (
        ("same", {"mirror": True}),
        ("plain", {}),
        ("jpg", {"mirror": True, "format": "jpg"}),
    ):
        make(drawn(12), DatasetSettings((32, 32), **settings), tmp_path / name)
        assert (Dataset.open(tmp_path / name).digest == digest) == (name == "same")


def test_a_plain_folder_with_equal_sizes_is_a_dataset(tmp_path: Path) -> None:
    for number in range(3):
        drawing(number, 48, 32).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    pictures = Dataset.open(tmp_path)
    assert (len(pictures), pictures.size, pictures.latent(0), pictures.mirror) == (3, (48, 32), None, False)
    assert (pictures.picture(1) == np.asarray(drawing(1, 48, 32))).all()
    before = pictures.digest
    drawing(9, 48, 32).save(tmp_path / "2.png")
    assert Dataset.open(tmp_path).digest != before
    drawing(9, 48, 33).save(tmp_path / "later.png")
    with pytest.raises(DatasetError, match=r"later.png is 48x33, others are 48x32; perform dataset pictures"):
        Dataset.open(tmp_path)


def test_a_damaged_picture_of_a_plain_folder_is_named(tmp_path: Path) -> None:
    drawing(0).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"not this")
    with pytest.raises(
        DatasetError, match=r"b\.png cannot be read: .*; perform dataset pictures makes a dataset"
    ):
        Dataset.open(tmp_path)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:2000])
    assert ["b.png cannot be read" in fault for fault in faults(tmp_path)] == [True]


def test_a_folder_without_a_dataset_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such folder"):
        Dataset.open(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"holds no pictures"):
        Dataset.open(tmp_path)
    (tmp_path / "making").mkdir()
    with pytest.raises(DatasetError, match="is not finished: give the command that began it again"):
        Dataset.open(tmp_path)


def test_changed_and_missing_shards_are_found(made: Path) -> None:
    tar = made / "shards/000001.tar"
    whole = tar.read_bytes()
    changed = bytearray(whole)
    changed[1500] ^= 1  # within the pixels of the first picture
    tar.write_bytes(changed)
    assert list(faults(made)) == [f"{tar} has changed since it was made"]
    with pytest.raises(DatasetError, match=r"picture 5 is damaged"):
        Dataset.open(made).picture(5)
    tar.write_bytes(whole[:5000])
    assert list(faults(made)) == [f"{tar} has 5000 bytes, must have {len(whole)}"]
    with pytest.raises(DatasetError, match=r"000001\.tar is cut off or changed"):
        Dataset.open(made)
    tar.unlink()
    assert list(faults(made)) == [f"{tar} is missing"]
    with pytest.raises(DatasetError, match=r"000001\.tar is missing"):
        Dataset.open(made)


@given(at=st.integers(0, 1023), value=st.integers(0, 255))
def test_any_tar_header_gives_positions_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("shard")
    writer = shards.ShardWriter(folder, "000000.tar")
    writer.add("00000000", "png", b"x" * 100, {})
    writer.finish()
    data = bytearray((folder / "000000.tar").read_bytes())
    data[at] = value
    (folder / "000000.tar").write_bytes(data)
    try:
        (place,) = shards.picture_offsets(folder / "000000.tar")
    except DatasetError:
        return
    assert place[:2] == (512, 100)


COUNTS = Counts(7, 3, {"corrupt": 4}, {"cmyk": 1}, None)
WHOLE = Manifest(
    (64, 48), True, {"fit": "crop", "blur": 2.5}, COUNTS, (Shard("000000.tar", 3, 99, "a" * 64),)
)


def test_a_manifest_survives_a_round_trip() -> None:
    assert parse_manifest(WHOLE.text) == WHOLE


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("format",), 2, "format = 2, must be 1"),
        (("size",), [64, 9999999], r"size = \[64, 9999999\], must be \[width, height\], each 16..4096"),
        (("mirror",), 1, "mirror = 1, must be true or false"),
        (("counts", "seen"), 8, "seen = 8, must be all that was kept and dropped"),
        (("counts", "seen"), True, "seen = True, must be a count"),
        (("shards", 0, "name"), "../../x.tar", "must be a name such as 000000.tar"),
        (("shards", 0, "pictures"), 4, "kept = 3, must be the pictures of all shards"),
        (("shards", 0, "sha256"), "A" * 64, "must be 64 hexadecimal digits"),
        (("recipe",), {"fit": None}, "recipe = {'fit': None}, must be an object of texts and numbers"),
    ],
)
def test_a_manifest_with_a_fault_is_rejected(
    path: tuple[str | int, ...], value: object, sentence: str
) -> None:
    data = copy.deepcopy(json.loads(WHOLE.text))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(DatasetError, match=sentence):
        parse_manifest(json.dumps(data))


FIELDS = [*json.loads(WHOLE.text), "kept"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=8,
)


@given(st.binary() | JSON.map(json.dumps) | st.sampled_from(["[" * 100_000, "1" * 5000, '{"format": 1}']))
def test_a_manifest_of_garbage_is_rejected(text: str | bytes) -> None:
    with pytest.raises(DatasetError):
        parse_manifest(text)


@given(name=st.sampled_from(sorted(json.loads(WHOLE.text))), value=JSON)
def test_a_field_of_garbage_is_rejected_or_valid(name: str, value: object) -> None:
    try:
        found = parse_manifest(json.dumps(json.loads(WHOLE.text) | {name: value}))
    except DatasetError:
        return
    assert parse_manifest(found.text) == found


@pytest.mark.parametrize(
    ("text", "size"),
    [("256", (256, 256)), ("640x360", (640, 360)), ("16X2048", (16, 2048)), ("100x100", (100, 100))],
)
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert dataset_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "100", "8", "4096", "64x", "x64", "64x8", "1e2", "-64", "64x64x3", "٦٤"]
)
def test_wrong_sizes_are_rejected(text: str) -> None:
    with pytest.raises(DatasetError, match="must be a power of two"):
        dataset_size(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fit": "tile"},
        {"format": "gif"},
        {"quality": 0},
        {"duplicates": 13},
        {"background": "red"},
        {"dark": 2.0},
        {"blur": float("nan")},
    ],
)
def test_wrong_settings_are_rejected(wrong: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match=next(iter(wrong))):
        DatasetSettings(**wrong)  # type: ignore[arg-type]


def test_an_empty_or_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is empty"):
        PictureFolder(tmp_path)
    with pytest.raises(DatasetError, match="there is no such folder"):
        PictureFolder(tmp_path / "none")
    (tmp_path / "dataset.json").touch()
    with pytest.raises(DatasetError, match="is a dataset already"):
        PictureFolder(tmp_path)
