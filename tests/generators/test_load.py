"""Model files of all kinds: recognised and read, or rejected with a clear error."""

from __future__ import annotations

import json
import os
import pickle
import sys
import warnings
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from perform.generators.dialects import tensorflow
from perform.generators.load import load_weights
from perform.networks import ModelError
from perform.networks.modelfiles import write_weights
from perform.networks.runtimes.torch.eager import Eager
from perform.networks.weights import LAYOUT_ERRORS
from tests.doubles import checkpoint_files as files
from tests.doubles.checkpoint_files import Call, Name
from tests.doubles.foreign import (
    FIRST,
    LUCID,
    SECOND,
    State,
    names_of,
    rosinality_state,
    same,
    state_of,
    torch_file,
    tree_of,
    whole,
)
from tests.doubles.foreign import variables_of_first as first_variables
from tests.doubles.foreign import variables_of_second as second_variables
from tests.doubles.networks import drawn
from tests.folders import DATA

REFERENCE = Path(os.environ.get("PERFORM_REFERENCE", "none"))
FILES = sorted(file for file in REFERENCE.glob("*") if not file.name.startswith(("pix2pix", "fast-neural")))
ARRAYS = [file for file in FILES if file.suffix == ".npz"]
CONTAINERS = [file for file in FILES if file.suffix in (".pkl", ".pt", ".pth", ".bin")]


@pytest.fixture
def dnnlib(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The classes that TensorFlow's StyleGAN pickles name: they exist only while one is written."""
    names = ("dnnlib", "dnnlib.util", "dnnlib.tflib", "dnnlib.tflib.network")
    made = {name: ModuleType(name) for name in names}
    made["dnnlib.tflib.network"].Network = type("Network", (), {"__module__": names[3]})  # type: ignore[attr-defined]
    made["dnnlib.util"].EasyDict = type("EasyDict", (dict,), {"__module__": names[1]})  # type: ignore[attr-defined]
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


def network(dnnlib: Any, name: str, variables: State, static: dict[str, Any], **components: Any) -> Any:
    """A network as tflib pickles it; what has no dimensions is a number there, not an array."""
    made = dnnlib["dnnlib.tflib.network"].Network()
    items = [(key, array[()] if array.ndim == 0 else array) for key, array in variables.items()]
    vars(made).update(
        version=4,
        name=name,
        static_kwargs=dnnlib["dnnlib.util"].EasyDict(static),
        components=dnnlib["dnnlib.util"].EasyDict(components),
        build_module_src="raise SystemExit('this was run')",
        build_func_name=f"{name}_style",
        variables=items,
    )
    return made


def tensorflow_file(dnnlib: Any, path: Path, variables: State, protocol: int) -> None:
    top = {name: variables[name] for name in ("dlatent_avg", "lod")}
    parts = {
        key: {k: v for k, v in variables.items() if k.startswith("Dense") is (key == "mapping")}
        for key in ("mapping", "synthesis")
    }
    parts["synthesis"] = {k: v for k, v in parts["synthesis"].items() if k not in top}
    within = {
        "mapping": network(dnnlib, "G_mapping", parts["mapping"], {"mapping_lrmul": 0.01}),
        "synthesis": network(dnnlib, "G_synthesis", parts["synthesis"], {"nonlinearity": "lrelu"}),
    }
    averaged = network(dnnlib, "Gs", top, {"truncation_psi": 0.5}, **within)
    other = {name: np.full_like(array, 7) for name, array in variables.items()}
    both = (network(dnnlib, "G", other, {}), network(dnnlib, "D", {"4x4/FromRGB/weight": other["lod"]}, {}))
    path.write_bytes(pickle.dumps((*both, averaged), protocol))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_tensorflow_pickles_open(
    tmp_path: Path, dnnlib: Any, monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    for ours, variables in ((whole(SECOND), second_variables), (drawn(FIRST), first_variables)):
        path = tmp_path / "a.pkl"
        tensorflow_file(dnnlib, path, variables(ours), protocol)
        found = load_weights(path)
        same(found, ours, tuple(name for name in ours.arrays if name.endswith("affine.bias")))
        assert found.notes["source"] == "TensorFlow network Gs (version 4), Gs_style"
        assert "non-commercial" in found.notes["licence"]
    path.write_bytes(pickle.dumps(network(dnnlib, "D", {"4x4/FromRGB/weight": np.zeros((1, 1))}, {})))
    with pytest.raises(ModelError, match=r"a\.pkl: holds a discriminator only"):
        load_weights(path)


class Persistent:
    """An object that pickles as NVIDIA's persistence writes one."""

    def __init__(self, name: str, tree: dict[str, Any], **attributes: Any) -> None:
        tensors = {key: torch.from_numpy(np.array(array)) for key, array in tree[""].items()}
        parts = {key: Persistent("Part", part) for key, part in tree.items() if key}
        state = {"_parameters": tensors, "_buffers": OrderedDict(), "_modules": parts, **attributes}
        code = "raise SystemExit('this was run')"
        self.meta = {"type": "class", "version": 6, "module_src": code, "class_name": name, "state": state}

    def __reduce__(self) -> Any:
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


@pytest.fixture
def persistence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function that NVIDIA's pickles name."""

    def _reconstruct_persistent_obj(meta: Any) -> None:
        raise AssertionError("this was run")

    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    module = ModuleType("torch_utils.persistence")
    module._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_utils", ModuleType("torch_utils"))
    monkeypatch.setitem(sys.modules, "torch_utils.persistence", module)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_official_pickles_open(tmp_path: Path, persistence: None, protocol: int) -> None:
    config = replace(SECOND, start=(3, 5), channels=(5, 3, 7, 2, 9, 4))
    made = {"z_dim": 5, "synthesis_kwargs": {"conv_clamp": 9}, "init_res": [3, 5]}
    state = names_of(config)
    averaged = Persistent("Generator", tree_of(state), _init_kwargs=made)
    other = Persistent(
        "Generator", tree_of({k: np.zeros_like(v) for k, v in state.items()}), _init_kwargs=made
    )
    judge = Persistent("Discriminator", tree_of({"b16.fromrgb.weight": np.zeros(3)}))
    path = tmp_path / "a.pkl"
    for content in ({"G": other, "D": judge, "G_ema": averaged, "augment_pipe": None}, averaged):
        path.write_bytes(pickle.dumps(content, protocol))
        found = load_weights(path)
        same(found, replace(whole(config), config=replace(config, clamp=9.0)))
        assert found.notes["source"].startswith("pickle of Autolume, class Generator, its code ")
    path.write_bytes(pickle.dumps({"G": averaged, "D": judge}, protocol))
    assert load_weights(path).notes["odd"] == "G is not averaged (no g_ema)"
    refused = {
        "holds 'D', but no generator": {"D": judge},
        "a discriminator only": judge,
    }
    for complaint, content in refused.items():  # type: ignore[assignment]
        path.write_bytes(pickle.dumps(content, protocol))
        with pytest.raises(ModelError, match=complaint):
            load_weights(path)


def test_other_networks_in_a_pickle_can_be_of_any_known_class(tmp_path: Path) -> None:
    """As the discriminator of a projected GAN, which Autolume trains with."""
    features = Call(Name("pg_modules.projector", "F_RandomProj"), (), {"_modules": {}}, new=True)
    parts = Call(files.DICT, (), None, {"feature_network": features})
    judge = Call(Name("pg_modules.discriminator", "Judge"), (), {"_modules": parts}, new=True)
    averaged = files.module({f"param/{name}": array for name, array in names_of(SECOND).items()})
    path = tmp_path / "a.pkl"
    path.write_bytes(files.pickled({"G": None, "D": judge, "G_ema": averaged}))
    same(load_weights(path), whole(SECOND))
    path.write_bytes(files.pickled({"G_ema": averaged, "D": Call(Name("pg_modules_", "system"), ("ls",))}))
    with pytest.raises(ModelError, match=r"names 'pg_modules_\.system'.*nothing was run"):
        load_weights(path)


def test_rosinality_files_open(tmp_path: Path) -> None:
    converted = load_weights(DATA / "reference/rosinality-64-narrow.pt")
    assert (converted.config.size, converted.notes["source"]) == (
        (64, 64),
        "state dict of rosinality's layout",
    )
    content = torch.load(DATA / "reference/rosinality-64-narrow.pt", weights_only=True)
    state = {f"module.{name}": tensor.numpy() for name, tensor in content["g_ema"].items()}
    worse = {name: np.zeros_like(array) for name, array in state.items()}
    training = {"g": worse, "d": {"convs.0.0.weight": np.zeros(2)}, "g_ema": state, "d_optim": {}}
    training["args"] = {"size": 64}  # type: ignore[dict-item]
    for content in (training, state, {"state_dict": {**state}, "epoch": 3}):
        found = load_weights(torch_file(tmp_path / "a.pt", content))
        same(found, converted, ("mapping.w_avg",))
        assert "mean of" in found.notes["centre"]
    save_file(
        {name: np.ascontiguousarray(array) for name, array in state.items()}, tmp_path / "a.safetensors"
    )
    same(load_weights(tmp_path / "a.safetensors"), converted, ("mapping.w_avg",))
    found = load_weights(torch_file(tmp_path / "a.pt", {"g": state}))
    assert found.notes["odd"] == "g is not averaged (no g_ema)"
    silent = {name: array for name, array in state.items() if "noises" not in name}
    told = load_weights(torch_file(tmp_path / "a.pt", {"g": silent})).notes["odd"]
    assert told == "g is not averaged (no g_ema); the file holds no noise: it is drawn from a seed"


def test_lucidrains_files_open(tmp_path: Path) -> None:
    ours = drawn(LUCID)
    path = torch_file(tmp_path / "model_3.pt", {"GAN": state_of(ours), "version": "1.8.9"})
    assert "no .config.json" in load_weights(path).notes["odd"]
    (tmp_path / ".config.json").write_text(json.dumps({"image_size": 16, "lr_mlp": 0.25}))
    found = load_weights(path)
    same(found, replace(ours, config=replace(LUCID, rate=0.25)), ("mapping.w_avg",))
    assert found.notes["source"] == "lucidrains' stylegan2-pytorch 1.8.9"
    for text, complaint in (("[1]", "is a list, must be an object"), ("{", "not readable as JSON")):
        (tmp_path / ".config.json").write_text(text)
        with pytest.raises(ModelError, match=complaint):
            load_weights(path)


def test_bare_official_states_and_plain_arrays_open(tmp_path: Path) -> None:
    ours, state = whole(SECOND), names_of(SECOND)
    same(load_weights(torch_file(tmp_path / "a.pt", state)), ours)
    grouped = {f"param/{name}": array for name, array in state.items()}
    described = json.dumps({"init_kwargs": {"synthesis_kwargs": {"conv_clamp": 3}}})
    np.savez(tmp_path / "a.npz", meta_json=np.array(described), **grouped)
    same(load_weights(tmp_path / "a.npz"), replace(ours, config=replace(SECOND, clamp=3.0)))
    write_weights(tmp_path / "a.safetensors", ours)
    same(load_weights(tmp_path / "a.safetensors"), ours)


def test_weights_survive_the_removal_of_their_file(tmp_path: Path) -> None:
    path = torch_file(tmp_path / "a.pt", names_of(SECOND))
    found = load_weights(path)
    path.write_bytes(b"\0" * path.stat().st_size)
    same(found, whole(SECOND))


def test_networks_saved_whole_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of `torch.save(network)`: its class is named, and is not there when the file is read."""
    kind = type("Generator", (torch.nn.Module,), {"__module__": "model"})
    layers = [torch.nn.ConvTranspose2d(5, 4, 4), torch.nn.BatchNorm2d(4), torch.nn.ReLU()]
    net = kind()
    net.main = torch.nn.Sequential(*layers, torch.nn.ConvTranspose2d(4, 3, 4, 2, 1), torch.nn.Tanh())
    net.activation, net.path = torch.nn.functional.relu, tmp_path
    net.eval()
    module, path = ModuleType("model"), tmp_path / "a.pth"
    module.Generator = kind  # type: ignore[attr-defined]
    plain = load_weights(
        torch_file(path, {name: tensor.numpy() for name, tensor in net.state_dict().items()})
    )
    both = {"netD": torch.nn.Linear(2, 1), "netG": net, "epoch": 3}
    for content in (net, torch.nn.DataParallel(net), both):
        for zipped in (True, False):
            with monkeypatch.context() as context, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                context.setitem(sys.modules, "model", module)
                torch.save(content, path, _use_new_zipfile_serialization=zipped)
            same(load_weights(path), plain)
    with torch.inference_mode():
        expected = net.main(torch.ones(1, 5, 1, 1))[0].numpy()
    assert np.abs(Eager(plain).draw(np.ones((1, 5), np.float32)) - expected).max() < 1e-6


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda path: path.name)
def test_a_checkpoint_equals_the_arrays_of_its_npz(container: Path) -> None:
    arrays = next(file for file in ARRAYS if container.name.startswith(file.stem))
    found, plain = load_weights(container), load_weights(arrays)
    without_mean = ("mapping.w_avg",) if "trainfmt" in container.name else ()
    same(found, plain, without_mean)
    assert ("centre" in found.notes) == bool(without_mean)


STATES: dict[str, dict[str, Any]] = {
    "official": names_of(SECOND),
    "lucidrains": state_of(drawn(LUCID)),
    "rosinality": rosinality_state(SECOND),
    "tensorflow": second_variables(whole(SECOND)),
}
REFUSED = {
    "pix2pix": ({"model.model.0.weight": np.zeros((64, 3, 4, 4))}, "pix2pix or CycleGAN"),
    "cyclegan": ({"model.1.weight": np.zeros((64, 3, 7, 7))}, "CycleGAN weights .an image filter"),
    "style": ({"conv1.conv2d.weight": np.zeros((32, 3, 9, 9))}, "fast-neural-style"),
    "esrgan": ({"params_ema": {"conv_first.weight": np.zeros((64, 3, 3, 3))}}, "ESRGAN"),
    "rosinality d": ({"d": {"convs.0.0.weight": np.zeros((4, 3, 1, 1))}}, "no tensors of a generator.* 'd'"),
    "bare d": (
        {"convs.0.0.weight": np.zeros((4, 3, 1, 1)), "final_conv.0.weight": np.ones(1)},
        "discriminator only",
    ),
    "lightweight": (
        {"GAN": {"GE.layers.0.0.0.weight": np.zeros(3)}},
        "of lucidrains' that is not his StyleGAN2",
    ),
    "unknown": (
        {"encoder.weight": np.zeros((3, 4))},
        r"1 tensors of no network that is known here.*\(3, 4\)",
    ),
    "sefa": ({"ckpt": "a.pt", "eigvec": np.zeros((4, 4))}, r"directions \(SeFa\)"),
    "latents": (np.zeros((1, 512)), r"one array of shape \(1, 512\)"),
    "nothing": ({}, "no tensors of a generator; there is nothing"),
    "list": ([1, 2], "holds a list, not a network"),
    "bent": ({"synthesis.b4.const": np.zeros(())}, "a.pt"),
    "bent too": ({"conv1.conv.modulation.weight": np.zeros(()), "to_rgb1.conv.weight": np.zeros(())}, "a.pt"),
    "bent three": (
        {"GAN": {"GE.blocks.0.conv1.weight": np.zeros(()), "SE.net.0.bias": np.zeros(())}},
        "a.pt",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_without_a_generator_is_reported_by_its_contents(tmp_path: Path, case: str) -> None:
    content, complaint = REFUSED[case]
    with pytest.raises(ModelError, match=complaint) as caught:
        load_weights(torch_file(tmp_path / "a.pt", content))
    assert str(tmp_path / "a.pt") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_small_file_cannot_open_a_huge_network(tmp_path: Path) -> None:
    state = names_of(SECOND)
    layers = {name: array for name, array in state.items() if ".b16." in name}
    for block in range(3, 30):
        state |= {name.replace(".b16.", f".b{4 << block}."): array for name, array in layers.items()}
    silent = {name: array for name, array in state.items() if "noise_const" not in name}
    with pytest.raises(ModelError, match=r"pictures would be .* may be up to 4096 a side"):
        load_weights(torch_file(tmp_path / "a.pt", silent))


VALUES = st.one_of(
    st.lists(st.integers(0, 3), max_size=5).map(np.zeros),
    st.lists(st.integers(1, 9), max_size=4).map(lambda shape: np.full(shape, 1e30)),
    st.sampled_from([None, "text", 7, {}, [1], np.ones(3, bool)]),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_changed_files_are_read_or_rejected_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["official", "lucidrains", "rosinality", "tensorflow"]))
    state = dict(STATES[kind])
    for name in data.draw(st.lists(st.sampled_from(sorted(state)), max_size=3, unique=True)):
        state[name] = data.draw(VALUES)
    for name in data.draw(st.lists(st.sampled_from(sorted(state)), max_size=2, unique=True)):
        del state[name]
    content = {"GAN": state, "version": data.draw(VALUES)} if kind == "lucidrains" else state
    try:
        if kind == "tensorflow":
            tensorflow.weights(state, {"mapping_lrmul": 0.01})
        else:
            load_weights(torch_file(tmp_path / "a.pt", content))
    except ModelError as error:
        assert str(error)
    except LAYOUT_ERRORS:
        assert kind == "tensorflow"  # there `load` raises it
