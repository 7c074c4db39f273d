"""The reader of model files against torch, numpy and safetensors, which wrote what it reads.

With PERFORM_REFERENCE set to a folder of whole reference files, every container there is read and
compared with the arrays beside it.
"""

from __future__ import annotations

import os
import warnings
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from perform.networks import ModelError
from perform.networks.checkpoints import CheckpointError, Record, limits, read_checkpoint
from perform.networks.checkpoints.modules import (
    is_tensorflow_network,
    is_torch_module,
    state_dict,
    tensorflow_network,
    torch_module,
)
from tests.doubles import checkpoint_files as files
from tests.doubles.checkpoint_files import Call, Name, Outside
from tests.folders import DATA

DATA = DATA / "sg2ada-r32-clamp-gray.npz"
REFERENCE = os.environ.get("PERFORM_REFERENCE")
WHOLE = (
    sorted(Path(REFERENCE).glob("*.p*t*")) + sorted(Path(REFERENCE).glob("*.[bp][ik][nl]"))
    if REFERENCE
    else []
)
GROUPS = ("param/", "buffer/", "state/")
TYPES = (
    torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64, torch.complex64,
)  # fmt: skip


def equal(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """The same names, types, shapes and bits."""
    return found.keys() == expected.keys() and all(same(found[name], expected[name]) for name in expected)


def same(found: Any, expected: Any) -> bool:
    return bool(found.dtype == expected.dtype) and np.array_equal(found, expected)


def put(folder: Path, content: bytes, name: str = "model") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def opened(folder: Path, value: Any, protocol: int = 4, **options: Any) -> Any:
    """What a pickle of a value is read as."""
    return read_checkpoint(put(folder, files.pickled(value, protocol)), **options).content


def saved(folder: Path, value: Any, zipped: bool = True) -> Any:
    """What torch's file of a value is read as."""
    torch.save(value, folder / "model", _use_new_zipfile_serialization=zipped)
    return read_checkpoint(folder / "model")


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.name)
def test_a_reference_file_holds_the_arrays_of_its_npz(path: Path) -> None:
    beside = path.with_name(f"{path.stem.split('_')[0]}.npz")
    with np.load(beside) as arrays:
        expected = {n.split("/", 1)[1]: arrays[n] for n in arrays.files if n.startswith(GROUPS)}
        assert equal(read_checkpoint(beside).content, dict(arrays))
    content = read_checkpoint(path).content
    found = (
        torch_module(content["G_ema"]).tensors
        if path.suffix == ".pkl"
        else state_dict(content.get("g_ema", content))
    )
    assert len(expected) > 20
    assert equal(found, expected)
    if path.suffix == ".pkl":
        assert not equal(torch_module(content["G"]).tensors, expected)


@pytest.mark.parametrize("protocol", range(6))
def test_a_persistent_network_is_read_at_every_protocol(tmp_path: Path, protocol: int) -> None:
    with np.load(DATA) as arrays:
        tensors = {name: arrays[name] for name in arrays.files if name.startswith(("param/", "buffer/"))}
    core = "numpy.core" if protocol < 4 else "numpy._core"
    init = {"z_dim": 32, "synthesis_kwargs": Call(files.EASY, (), None, {"conv_clamp": 0.75}, new=True)}
    attributes = {
        "_init_kwargs": init,
        "img_channels": 1,
        "size": files.ndarray(np.array([36, 52]), core),
        "gain": files.scalar(np.float64(0.5), core),
        "fp16": files.scalar(np.bool_(True), core),
        "padding": [9, 8, 9, 8],
        "conv_clamp": None,
    }
    other = files.module({name: array + 1 for name, array in tensors.items()})
    content = opened(tmp_path, {"G": other, "G_ema": files.module(tensors, **attributes)}, protocol)
    found = torch_module(content["G_ema"])
    assert equal(found.tensors, {name.split("/", 1)[1]: array for name, array in tensors.items()})
    assert found.class_name == "Generator"
    assert found.init == {"z_dim": 32, "synthesis_kwargs": {"conv_clamp": 0.75}}
    own = dict(found.attributes[""])
    assert own.pop("size").tolist() == [36, 52]
    assert own == {
        "training": False, "img_channels": 1, "gain": 0.5, "fp16": True, "padding": [9, 8, 9, 8],
        "conv_clamp": None,
    }  # fmt: skip
    assert found.attributes["synthesis.b4"] == {"training": False}
    assert is_torch_module(content["G_ema"]) and not is_tensorflow_network(content["G_ema"])


@pytest.mark.parametrize("zipped", [True, False])
def test_every_tensor_type_equals_torchs(tmp_path: Path, zipped: bool) -> None:
    drawn = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)) * 50
    tensors = {str(one): drawn.abs().to(one) for one in TYPES}
    checkpoint = saved(tmp_path, tensors, zipped)
    assert checkpoint.container == ("torch zip" if zipped else "torch legacy")
    assert equal(checkpoint.content, {name: tensor.numpy() for name, tensor in tensors.items()})
    half = drawn.bfloat16()
    assert same(saved(tmp_path, [half], zipped).content[0], half.float().numpy())


@pytest.mark.parametrize("zipped", [True, False])
def test_views_equal_torchs(tmp_path: Path, zipped: bool) -> None:
    base = torch.arange(240, dtype=torch.float32)
    picture = base.reshape(2, 3, 5, 8)
    views = {
        "channels last": picture.to(memory_format=torch.channels_last),
        "turned": picture.permute(3, 1, 0, 2),
        "part": picture[1:, :, 2:4, ::3],
        "tail": base[200:],
        "expanded": base[:3, None].expand(3, 7),
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 4),
        "parameter": torch.nn.Parameter(base[:4]),
        "half": base.half()[7:],
        "bf16": base.bfloat16().reshape(12, 20).T,
    }
    expected = {name: view.detach().float().numpy() for name, view in views.items()}
    found = saved(tmp_path, views, zipped).content
    assert equal({name: array.astype(np.float32) for name, array in found.items()}, expected)
    assert np.shares_memory(found["turned"], found["tail"])
    assert not found["tail"].flags.writeable


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_files_of_every_torch_protocol_are_read(tmp_path: Path, zipped: bool, protocol: int) -> None:
    tensor, path = torch.arange(6.0), tmp_path / "model"
    torch.save([tensor], path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    assert same(read_checkpoint(path).content[0], tensor.numpy())


def test_values_stored_with_tensors_are_plain_types(tmp_path: Path) -> None:
    value = {
        "args": Namespace(size=64, arch="stylegan2", path=None), "shape": torch.Size([1, 2]),
        "device": torch.device("cpu"), "type": torch.float16, "set": {"a"}, "bytes": b"abc",
        "long": -(2**70), "text": "Grüße", "float": 0.1, 7: (1, [2, (3,)]),
    }  # fmt: skip
    found = saved(tmp_path, value).content
    assert found.pop("args").state == {"size": 64, "arch": "stylegan2", "path": None}
    assert (found["type"].name, found.pop("type").args) == ("torch.float16", None)
    expected = {
        "shape": (1, 2), "device": "cpu", "set": ["a"], "bytes": b"abc", "long": -(2**70), "text": "Grüße",
        "float": 0.1, 7: (1, [2, (3,)]),
    }  # fmt: skip
    assert found == expected


def test_a_state_dict_is_unwrapped_and_has_no_metadata(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    expected = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    found = saved(tmp_path, net.state_dict()).content
    assert equal(found, expected)
    assert equal(state_dict(saved(tmp_path, torch.nn.DataParallel(net).state_dict()).content), expected)
    assert state_dict({"module.a": found["0.bias"], "b": found["0.bias"], "n": 3}).keys() == {"module.a", "b"}
    with pytest.raises(CheckpointError, match="must be arrays by name"):
        state_dict([found])


def test_a_whole_module_is_rejected_unless_its_names_are_allowed(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    with pytest.raises(CheckpointError, match=r"names 'torch\.nn\.modules\..*nothing was run"):
        saved(tmp_path, net)
    found = torch_module(read_checkpoint(tmp_path / "model", inert=["torch.nn.modules."]).content)
    assert found.class_name == "Sequential"
    assert equal(found.tensors, {name: tensor.numpy() for name, tensor in net.state_dict().items()})
    assert found.attributes["0"]["in_features"] == 2


@pytest.mark.parametrize("protocol", range(2, 6))
def test_pickled_numpy_arrays_are_read(tmp_path: Path, protocol: int) -> None:
    import pickle

    arrays = [
        np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.zeros((0, 3)),
        np.array(3, ">i4"), np.array([True, False]), np.array(["ab", "c"]), np.arange(12.0)[::2],
    ]  # fmt: skip
    numbers = [np.float64(0.1), np.float32(0.5), np.int64(-3), np.bool_(False)]
    found = read_checkpoint(put(tmp_path, pickle.dumps([arrays, numbers], protocol))).content
    assert all(map(np.array_equal, found[0], arrays))
    assert found[1] == [0.1, 0.5, -3, False]
    assert [type(one) for one in found[1]] == [float, float, int, bool]


def test_a_tensorflow_network_is_read_as_its_variables(tmp_path: Path) -> None:
    def made(name: str, variables: dict[str, NDArray[Any]], parts: Any = None, **static: Any) -> Call:
        held = {
            "version": 4, "name": name, "static_kwargs": Call(files.EASY, (), None, static, new=True),
            "components": Call(files.EASY, (), None, parts or {}, new=True),
            "build_module_src": "import os", "build_func_name": "G_main",
            "variables": [(key, files.ndarray(array, "numpy.core")) for key, array in variables.items()],
        }  # fmt: skip
        return Call(files.NETWORK, (), held, new=True)

    weight, mean = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(4, np.float32)
    part = made("G_mapping", {"Dense0/weight": weight}, resolution=64, layers=8)
    top = made("Gs", {"dlatent_avg": mean}, {"mapping": part}, resolution=32)
    content = opened(tmp_path, (part, part, top), 3)
    found = tensorflow_network(content[2])
    assert is_tensorflow_network(content[2]) and not is_torch_module(content[2])
    assert equal(found.variables, {"mapping/Dense0/weight": weight, "dlatent_avg": mean})
    assert found.options == {"resolution": 32, "layers": 8}
    assert (found.name, found.version, found.function) == ("Gs", 4, "G_main")


def test_a_network_with_wrong_parts_is_reported(tmp_path: Path) -> None:
    wrong = files.module({"a.weight": np.ones(3, np.float32)})
    meta = wrong.args[0]
    meta["state"]["_buffers"]["scale"] = "text"
    with pytest.raises(CheckpointError, match="scale' is no tensor"):
        torch_module(opened(tmp_path, wrong))
    del meta["state"]["_buffers"]["scale"]
    meta["state"]["_modules"]["a"] = {"_modules": {}}
    with pytest.raises(CheckpointError, match="the module 'a' is none"):
        torch_module(opened(tmp_path, wrong))
    meta["state"]["_modules"] = ["a"]
    with pytest.raises(CheckpointError, match="_modules are not by name"):
        torch_module(opened(tmp_path, wrong))
    for held in (
        {"version": 4, "variables": [("a", "text")]},
        {"version": "4"},
        {"version": 4, "components": [1]},
    ):
        found = opened(tmp_path, Call(files.NETWORK, (), held, new=True))
        with pytest.raises(CheckpointError, match=r"has no version, or|no name and array"):
            tensorflow_network(found)
    with pytest.raises(CheckpointError, match="no network of TensorFlow"):
        tensorflow_network(opened(tmp_path, wrong))


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_byte_order_of_the_file_is_used(tmp_path: Path, order: Any) -> None:
    weight = np.arange(6, dtype=np.float32)
    swapped = weight.astype(">f4") if order == "big" else weight
    value = {"w": files.tensor(weight, files.reference(weight, "0"))}
    content = files.zipped(value, {"0": swapped.tobytes()}, byteorder=order.encode())
    assert same(read_checkpoint(put(tmp_path, content)).content["w"], weight)
    storage = Call(Name("torch.storage", "_load_from_bytes"), (files.stored(weight, order=">"),))
    assert same(opened(tmp_path, [files.tensor(weight, storage)])[0], weight)


def test_old_and_unusual_torch_files_are_read(tmp_path: Path) -> None:
    weight = np.arange(6, dtype=np.float32)
    old = Call(Name("torch._utils", "_rebuild_tensor"), (files.reference(weight, "0"), 2, (2,), (1,)))
    for options in ({"root": ""}, {"root": "a b/"}, {"packed": True}):
        content = files.zipped(OrderedDict(w=old), {"0": weight.tobytes()}, **options)  # type: ignore[arg-type]
        assert same(read_checkpoint(put(tmp_path, content)).content["w"], weight[2:4])
    unchecked = tmp_path / "unchecked"
    torch.serialization.set_crc32_options(False)
    try:
        torch.save([torch.ones(3)], unchecked)
    finally:
        torch.serialization.set_crc32_options(True)
    assert same(read_checkpoint(unchecked).content[0], np.ones(3, np.float32))


def test_safetensors_are_read(tmp_path: Path) -> None:
    drawn = torch.randn(5, 4, generator=torch.Generator().manual_seed(1)) * 50
    tensors = {str(one): drawn.abs().to(one) for one in TYPES if not one.is_complex}
    save_file({**tensors, "half": drawn.bfloat16()}, tmp_path / "model", {"title": "a"})
    found = read_checkpoint(tmp_path / "model")
    assert (found.container, found.notes) == ("safetensors", {"title": "a"})
    assert same(found.content.pop("half"), drawn.bfloat16().float().numpy())
    assert equal(found.content, {name: tensor.numpy() for name, tensor in tensors.items()})


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_and_npz_are_read(tmp_path: Path, version: tuple[int, int]) -> None:
    arrays = {
        "a": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big": np.arange(4, dtype=">i2"), "b": np.array([True, False]), "one": np.array(3.5, np.float16),
        "text": np.array("grün"), "none": np.zeros((2, 0, 3)), "line": np.arange(3, dtype=np.uint8),
    }  # fmt: skip
    for name, array in arrays.items():
        with warnings.catch_warnings(), (tmp_path / "one").open("wb") as file:
            warnings.simplefilter("ignore")
            np.lib.format.write_array(file, array, version, allow_pickle=False)
        found = read_checkpoint(tmp_path / "one")
        assert found.container == "npy"
        assert np.array_equal(found.content, array), name
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "all.npz", **arrays)
        content = read_checkpoint(tmp_path / "all.npz").content
        assert content.keys() == arrays.keys()
        assert all(np.array_equal(content[name], array) for name, array in arrays.items())


NETWORK = ("module", Name("model", "Generator"), "a.py", "import os")
FOREIGN = {
    "is a JPEG": b"\xff\xd8\xff\xe0" + bytes(600),
    "is a PNG": b"\x89PNG\r\n\x1a\n" + bytes(600),
    "a page of the web": b"\n <!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title>",
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "is text": b"To whom it may concern.\n",
    "is text;": b'{"error": "not found"}',
    "tar file": bytes(257) + b"ustar\x0000" + bytes(600),
    "gzip": b"\x1f\x8b\x08" + bytes(100),
    "a form that is not known": bytes(range(7, 255)),
    "0 bytes": b"",
    "no data.pkl": files.zipped({}, {}).replace(b"data.pkl", b"data.txt"),
    "without its directory": files.zipped({}, {})[:60],
    "cut off": files.pickled([1, 2, 3])[:-3],
    "protocol is 9": b"\x80\x09K\x01.",
    "names 'model.Generator'": files.zipped(Outside(NETWORK), {}),
    "none of the names": files.pickled(Name("sys", "exit")),
    "arrays of objects hold pickles": b"\x93NUMPY\x01\x00\x3f\x00"
    + b"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }".ljust(62) + b"\n" + bytes(24),
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
def test_a_foreign_file_gives_a_clear_error(tmp_path: Path, what: str) -> None:
    path = put(tmp_path, FOREIGN[what], "face.pkl")
    with pytest.raises(CheckpointError, match=f"^{path}.*{what}") as caught:
        read_checkpoint(path)
    assert isinstance(caught.value, ModelError)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < len(str(path)) + 260


def test_a_missing_file_and_a_file_too_large_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        read_checkpoint(tmp_path / "missing.pkl")
    with pytest.raises(CheckpointError, match="this is not a file"):
        read_checkpoint(tmp_path)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(limits.MOST_FILE_BYTES + 1)
    with pytest.raises(CheckpointError, match="may have 1 to"):
        read_checkpoint(tmp_path / "large")


def test_a_forbidden_name_is_reported_with_its_position(tmp_path: Path) -> None:
    content = files.pickled([1, Name("posix", "system")], 2)
    with pytest.raises(
        CheckpointError, match=r"at byte \d+: it names 'posix\.system'.*nothing was run"
    ) as caught:
        read_checkpoint(put(tmp_path, content))
    assert f"at byte {content.index(b'cposix')}:" in str(caught.value)
    zipped = files.zipped(Name("posix", "system"), {})
    with pytest.raises(CheckpointError, match=f"at byte {zipped.index(b'cposix')}:"):
        read_checkpoint(put(tmp_path, zipped))


def test_a_record_prints_only_its_name() -> None:
    assert repr(Record("a" * 500, (1,), {})) == f"Record('{'a' * 80}…')"
