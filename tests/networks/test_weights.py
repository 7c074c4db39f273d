"""Model files: written, read, rejected."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.numpy import save_file

from perform.generators import untrained
from perform.generators.model import Model
from perform.generators.stylegan2 import FILTER, Config, channel_table, from_official, infer
from perform.networks import ModelError
from perform.networks.modelfiles import read_header, read_weights, write_weights
from perform.networks.weights import Weights

SMALL = Config((6, 6, 6, 4, 4, 2), z_dim=5, c_dim=3, embed=7, mapping=(9, 8), clamp=256.0)


def drawn(config: Config) -> Weights:
    draw = np.random.default_rng(1)
    arrays = {name: np.asarray(draw.standard_normal(s), np.float32) for name, s in config.shapes().items()}
    return Weights(config, arrays, {"title": "a test", "licence": "none"})


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        replace(SMALL, architecture="resnet", image_channels=1),
        replace(SMALL, architecture="orig", image_channels=4),
        Config(channel_table(1024, 32, 64), clamp=None),
        Config((3, 5, 7, 11), z_dim=2, mapping=(4,), start=(4, 7)),
    ],
)
def test_the_configuration_follows_from_the_shapes(config: Config) -> None:
    assert infer(config.shapes(), config.clamp, config.rate) == config


def test_the_default_channel_table_is_known() -> None:
    assert channel_table(16384, 512, 256)[4:] == (512, 512, 512, 512, 256, 256, 128, 128, 64, 64)


def test_written_files_are_read_back(tmp_path: Path) -> None:
    weights = drawn(SMALL)
    write_weights(tmp_path / "a.safetensors", weights)
    again = read_weights(tmp_path / "a.safetensors")
    assert again.config == weights.config
    assert again.notes == weights.notes
    assert all(np.array_equal(again.arrays[name], array) for name, array in weights.arrays.items())
    assert list(tmp_path.iterdir()) == [tmp_path / "a.safetensors"]


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(arrays: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half of it")
        raise SafetensorError("no space left")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(OSError, match=r"a\.safetensors cannot be written: no space left"):
        write_weights(tmp_path / "a.safetensors", drawn(SMALL))
    assert list(tmp_path.iterdir()) == []


def test_everybody_may_read_a_model(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_weights(tmp_path / "a.safetensors", drawn(SMALL))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.safetensors").stat().st_mode) == 0o644


def test_info_reads_no_tensors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_weights(path, drawn(SMALL))
    with path.open("r+b") as file:  # the last tensor's bytes are cut off
        file.seek(0)
        size = int.from_bytes(file.read(8), "little")
    assert size < path.stat().st_size
    told = Model.read(path)
    assert (told.size, told.space.num_ws, told.space.c_dim, told.notes["title"]) == ((16, 16), 6, 3, "a test")


def test_info_describes_a_built_in_model() -> None:
    config = Model.read("untrained").config
    assert isinstance(config, Config)
    assert config.channels == channel_table(16384, 512, 256)


def test_official_names_are_translated() -> None:
    ours = drawn(replace(SMALL, clamp=None))
    official = {name: array for name, array in ours.arrays.items() if name != FILTER}
    for layer in ours.config.layers:
        official[f"synthesis.{layer}.resample_filter"] = ours.arrays[FILTER]
        del official[f"synthesis.{layer}.noise_const"], official[f"synthesis.{layer}.noise_strength"]
    official["synthesis.b8.num_batches"] = np.zeros(1, np.float32)
    found = from_official(official)
    assert found.config == ours.config
    assert set(found.arrays) == set(ours.config.shapes())
    assert np.array_equal(found.arrays[FILTER], ours.arrays[FILTER])
    assert not found.arrays["synthesis.b8.conv0.noise_strength"].any()


def test_a_missing_file_lists_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no\.safetensors is not a file, must be"):
        read_header(tmp_path / "no.safetensors")


def test_foreign_and_broken_files_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"\x80\x04not safetensors")
    with pytest.raises(ModelError, match="not readable as safetensors"):
        read_weights(path)
    save_file({"x": np.zeros(3, np.float32)}, path)
    with pytest.raises(ModelError, match="its metadata names no family"):
        read_weights(path)
    save_file({"x": np.zeros(3, np.float32)}, path, {"family": "os", "config": "{}"})
    with pytest.raises(ModelError, match=r"family = 'os', must be one of .*stylegan2"):
        read_weights(path)
    save_file({"x": np.zeros(3, np.float32)}, path, {"family": "stylegan2", "config": "{}"})
    with pytest.raises(ModelError, match="no readable configuration"):
        read_weights(path)


CONFIGURATIONS = {
    "deep": ("stylegan2", "[" * 100_000, "Invalid JSON: recursion limit"),
    "list": ("stylegan2", "[1]", "should be an object"),
    "none": ("stylegan2", "", "Invalid JSON"),
    "mapping": ("stylegan2", {"channels": {"a": 1}}, "channels: Input should be a valid"),
    "text": ("stylegan2", {"channels": [4, 4], "z_dim": "a"}, "z_dim: Input should be a valid integer"),
    "other text": ("stylegan2", {"channels": [4, 4], "clamp": "x"}, "clamp: Input should be a valid number"),
    "architecture": ("stylegan2", {"channels": [4, 4], "architecture": "x"}, "should be 'skip', 'resnet'"),
    "negative": ("stylegan2", {"channels": [4, 4], "z_dim": -5}, "z_dim = -5, must be 1 to 16384"),
    "wide": ("stylegan2", {"channels": [4, 4], "mapping": [1 << 40]}, "w_dim = 1099511627776, must be 1 to"),
    "classes": ("stylegan2", {"channels": [4, 4], "c_dim": -1}, "c_dim = -1, must be 0 to 65536"),
    "nan": ("stylegan2", '{"channels": [4, 4], "clamp": NaN}', "has nan, must be finite"),
    "no layers": ("stylegan2", {"channels": []}, "must be|hold together"),
    "no width": ("stylegan2", {"channels": [0, 4]}, "would have shape .*, must be 1 or more each"),
    "no mapping": ("stylegan2", {"channels": [4, 4], "mapping": []}, "does not hold together: IndexError"),
    "lucid": ("lucidrains", {"channels": [4]}, "does not hold together: IndexError"),
    "zero": ("biggan", {"layers": [[True, 1, 1]], "reduction": 0}, "together: ZeroDivisionError"),
    "endless": ("dcgan", {"channels": [1] * 40_002, "kernels": [4] * 40_000}, "would be endless"),
    "sizes": (
        "dcgan",
        {"channels": [1] * 14, "kernels": [4] * 12},
        "would be 16384 x 16384, may be up to 4096",
    ),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_an_invalid_configuration_gives_a_clear_error(tmp_path: Path, case: str) -> None:
    family, config, complaint = CONFIGURATIONS[case]
    text = config if isinstance(config, str) else json.dumps(config)
    path = tmp_path / "a.safetensors"
    save_file({"x": np.zeros(3, np.float32)}, path, {"family": family, "config": text})
    for reader in (read_header, read_weights):
        with pytest.raises(ModelError, match=complaint) as caught:
            reader(path)
        assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < len(str(path)) + 200


def test_notes_are_printed_without_markup(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    title = "\x1b[31mred\n" + "x" * 5000
    write_weights(path, replace(drawn(SMALL), notes={"title": title}))
    for notes in (read_header(path)[1], read_weights(path).notes):
        assert notes["title"] == " [31mred " + "x" * 1991 + "…"


def save(path: Path, weights: Weights) -> None:
    metadata = {"family": "stylegan2", "config": json.dumps(asdict(weights.config))}
    save_file(dict(weights.arrays), path, metadata)


def test_wrong_tensors_are_rejected_by_name(tmp_path: Path) -> None:
    path, weights = tmp_path / "a.safetensors", drawn(SMALL)
    name = "synthesis.b8.conv0.weight"
    save(path, replace(weights, arrays={k: v for k, v in weights.arrays.items() if k != name}))
    with pytest.raises(ModelError, match=rf"{name} is missing, must be there with shape \(6, 6, 3, 3\)"):
        read_weights(path)
    save(path, replace(weights, arrays={**weights.arrays, name: np.zeros((2, 2), np.float32)}))
    with pytest.raises(ModelError, match=rf"{name} has shape \(2, 2\), must be"):
        read_weights(path)
    holed = weights.arrays[name].copy()
    holed[0, 0, 0, 0] = np.nan
    save(path, replace(weights, arrays={**weights.arrays, name: holed}))
    with pytest.raises(ModelError, match=f"{name} holds values that are not finite"):
        read_weights(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from([*Config.__slots__, "other"]), st.none() | st.text() | st.integers()))
def test_any_configuration_raises_only_model_errors(tmp_path: Path, fields: dict[str, object]) -> None:
    path = tmp_path / "a.safetensors"
    metadata = {"family": "stylegan2", "config": json.dumps(fields)}
    save_file({"x": np.zeros(3, np.float32)}, path, metadata)
    with pytest.raises(ModelError):
        read_weights(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=8))
def test_damaged_files_raise_only_model_errors(tmp_path: Path, at: int, damage: bytes) -> None:
    path = tmp_path / "a.safetensors"
    if not (tmp_path / "whole").exists():
        write_weights(tmp_path / "whole", drawn(SMALL))
    whole = (tmp_path / "whole").read_bytes()
    path.write_bytes(whole[:at] + damage + whole[at + len(damage) :])
    try:
        read_weights(path)
    except ModelError as error:
        assert str(path) in str(error)


def test_the_untrained_weights_are_the_same_in_every_process_and_differ_by_size() -> None:
    one, two = untrained.untrained_weights("untrained-small"), untrained.untrained_weights("untrained-small")
    assert all(np.array_equal(one.arrays[name], array) for name, array in two.arrays.items())
    assert one.arrays["mapping.fc0.weight"].sum(1) == pytest.approx(0, abs=0.05)
    assert {name: array.shape for name, array in one.arrays.items()} == one.config.shapes()
