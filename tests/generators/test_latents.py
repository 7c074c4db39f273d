"""Files of latents and directions, written as the field's tools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perform.generators.latents import Directions, fit_latents, read_directions, read_latents
from perform.latent.space import Space
from perform.networks import ModelError

SPACE = Space(8, 6, 4)


def normal(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize(
    ("shape", "count"), [((6,), 1), ((1, 6), 1), ((3, 6), 3), ((1, 4, 6), 1), ((2, 4, 6), 2), ((5, 1, 6), 5)]
)
def test_npy_files_of_all_shapes_are_read(shape: tuple[int, ...], count: int, tmp_path: Path) -> None:
    stored = normal(*shape)
    np.save(tmp_path / "a.npy", stored)
    ws = read_latents(tmp_path / "a.npy", SPACE)
    assert ws.shape == (count, 4, 6)
    assert ws.dtype == np.float32
    spread = stored.reshape(count, -1, 6)
    assert np.array_equal(ws, np.broadcast_to(spread, (count, 4, 6)))


def test_extra_layers_are_cut_and_missing_ones_repeat_the_last() -> None:
    stored = normal(2, 7, 6)
    assert np.array_equal(fit_latents(stored, SPACE), stored[:, :4])
    few = fit_latents(stored[:, :2], SPACE)
    assert np.array_equal(few, stored[:, [0, 1, 1, 1]])


@pytest.mark.parametrize("key", ["w", "ws", "dlatents", "anything"])
def test_npz_files_are_read(key: str, tmp_path: Path) -> None:
    stored = normal(2, 4, 6)
    np.savez_compressed(tmp_path / "projected_w.npz", **{key: stored})
    assert np.array_equal(read_latents(tmp_path / "projected_w.npz", SPACE), stored)


def test_files_of_perform_contain_pictures_too(tmp_path: Path) -> None:
    stored = normal(2, 4, 6)
    np.savez(tmp_path / "out.npz", images=normal(2, 3, 8, 8), ws=stored)
    assert np.array_equal(read_latents(tmp_path / "out.npz", SPACE), stored)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("shape", [(1, 6), (1, 4, 6)])
def test_pt_files_are_read(shape: tuple[int, ...], zipped: bool, tmp_path: Path) -> None:
    stored = normal(*shape)
    torch.save(torch.tensor(stored), tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    assert np.array_equal(
        read_latents(tmp_path / "a.pt", SPACE), np.broadcast_to(stored.reshape(1, -1, 6), (1, 4, 6))
    )


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (normal(1, 5), r"a.npy: latents have shape \(1, 5\), must be \[6\], \[n, 6\] or \[n, layers, 6\]"),
        (normal(1, 1, 4, 6), r"latents have shape \(1, 1, 4, 6\)"),
        (normal(0, 6), r"latents have shape \(0, 6\)"),
        (np.float32(1), r"latents have shape \(\)"),
        (np.full((1, 6), np.nan), "not finite"),
        (np.full((1, 6), 1e300), "not finite"),
        (np.full((1, 6), 1j), "must be real numbers"),
        (np.full((1, 6), "a"), "must be real numbers"),
        (np.full((1, 6), None), "arrays of objects hold pickles and are not read"),
    ],
)
def test_wrong_arrays_are_rejected(stored: Any, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", stored, allow_pickle=True)
    with pytest.raises(ModelError, match=said):
        read_latents(tmp_path / "a.npy", SPACE)


def test_several_arrays_without_a_known_name_are_rejected(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=normal(6), b=normal(6))
    with pytest.raises(ModelError, match=r"a.npz holds a, b, must hold one of w, ws"):
        read_latents(tmp_path / "a.npz", SPACE)


def test_a_file_without_arrays_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none.npy: there is no such file"):
        read_latents(tmp_path / "none.npy", SPACE)
    torch.save([1, 2], tmp_path / "a.pt")
    with pytest.raises(ModelError, match=r"a.pt holds a list, must hold arrays"):
        read_latents(tmp_path / "a.pt", SPACE)
    torch.save({"a": 1}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match=r"a.pt: holds no array"):
        read_directions(tmp_path / "a.pt")


def test_arrays_survive_the_removal_of_their_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", normal(2, 4, 6))
    ws = read_latents(tmp_path / "a.npy", SPACE)
    assert ws.flags.writeable
    assert ws.flags.aligned
    assert ws.flags.owndata


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_rejected_or_read(data: st.DataObject, tmp_path: Path) -> None:
    name = data.draw(st.sampled_from(["a.npy", "a.npz"]))
    save = np.save if name == "a.npy" else np.savez_compressed
    save(tmp_path / name, normal(2, 4, 6))
    whole = bytearray((tmp_path / name).read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / name).write_bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        ws = read_latents(tmp_path / name, SPACE)
    except ModelError as error:
        assert "\n" not in str(error)
    else:
        assert ws.shape[1:] == (4, 6)


def ganspace(folder: Path, name: str, *inner: int) -> Path:
    np.savez_compressed(
        folder / name,
        act_comp=normal(3, *inner),
        act_mean=normal(1, *inner),
        act_stdev=normal(3),
        lat_comp=normal(3, *inner) + 1,
        lat_mean=normal(*inner),
        lat_stdev=np.array([3, 2, 1], np.float32),
        var_ratio=normal(3),
        random_stdevs=normal(3),
    )
    return folder / name


@pytest.mark.parametrize(
    ("name", "space"),
    [
        ("stylegan2-ffhq_style_ipca_c80_n1000000_w.npz", "w"),
        ("stylegan2-ffhq_style_ipca_c80_n1000000_w_seed3.npz", "w"),
        ("biggan-512-husky_generator.gen_z_ipca_c80_n1000000.npz", "z"),
        ("faces.npz", "w"),
    ],
)
def test_ganspace_files_are_read(name: str, space: str, tmp_path: Path) -> None:
    found = read_directions(ganspace(tmp_path, name, 1, 6))
    assert found.names == ("pc0", "pc1", "pc2")
    assert np.array_equal(found.components, normal(3, 6) + 1)
    assert found.scales is not None
    assert found.scales.tolist() == [3, 2, 1]
    assert found.space == space
    assert read_directions(tmp_path / name, "z").space == "z"


def test_sefa_directions_are_columns(tmp_path: Path) -> None:
    vectors = normal(6, 5)
    torch.save({"ckpt": "model.pt", "eigvec": torch.tensor(vectors)}, tmp_path / "factor.pt")
    found = read_directions(tmp_path / "factor.pt")
    assert np.array_equal(found.components, vectors.T)
    assert (found.names[0], len(found.names), found.scales, found.space) == ("sefa0", 5, None, "w")


@pytest.mark.parametrize(("name", "space"), [("a_xcomp.npy", "w"), ("a_zcomp.npy", "z"), ("smile.npy", "w")])
def test_autolume_files_and_plain_arrays_are_read(name: str, space: str, tmp_path: Path) -> None:
    np.save(tmp_path / name, normal(3, 6).astype(np.float64))
    found = read_directions(tmp_path / name)
    assert isinstance(found, Directions)
    assert np.array_equal(found.components, normal(3, 6))
    assert found.components.dtype == np.float32
    assert (found.names, found.space) == (("direction0", "direction1", "direction2"), space)


def test_a_single_direction_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "smile.npy", normal(6))
    assert read_directions(tmp_path / "smile.npy").components.shape == (1, 6)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": normal(3, 6), "b": normal(3)}, r"a.npz: holds a, b, must hold lat_comp"),
        ({"lat_comp": normal(3, 4, 6)}, r"directions have shape \(3, 4, 6\), must be \[n, dimensions\]"),
        ({"lat_comp": normal(3, 6), "lat_stdev": normal(2)}, r"lat_stdev has shape \(2,\), must be \(3,\)"),
        ({"lat_comp": np.full((3, 6), np.inf)}, "not finite"),
        ({}, "no array of numpy"),
    ],
)
def test_a_file_without_directions_is_rejected(arrays: dict[str, Any], said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ModelError, match=said):
        read_directions(tmp_path / "a.npz")
