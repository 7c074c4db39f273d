"""Networks under the names of other projects, made from weights that are known."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from perform.generators import lucidrains, stylegan1, stylegan2
from perform.generators.dialects.meanw import MEAN_W
from perform.networks.weights import Weights
from tests.doubles.networks import drawn

State = dict[str, NDArray[Any]]

SECOND = stylegan2.Config((6, 6, 5, 4, 4, 3), z_dim=5, mapping=(7, 9))
FIRST = stylegan1.Config((6, 6, 5, 4, 4, 3), z_dim=5, mapping=(7, 9))
FILTER = np.float32(np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64)
LUCID = lucidrains.Config((6, 6, 5, 4), z_dim=5, mapping=(5, 5))


def same(found: Weights, weights: Weights, but: tuple[str, ...] = ()) -> None:
    assert found.config == weights.config
    assert set(found.arrays) == set(weights.arrays)
    differing = [k for k, v in weights.arrays.items() if not np.array_equal(found.arrays[k], v)]
    assert set(differing) <= set(but)


def whole(config: stylegan2.Config) -> Weights:
    """Weights with the usual filter."""
    weights = drawn(config)
    return replace(weights, arrays={**weights.arrays, stylegan2.FILTER: FILTER})


def variables_of_second(weights: Weights) -> State:
    """What TensorFlow's StyleGAN2 calls the tensors of a network, and how it stores them."""
    own, config = weights.arrays, weights.config
    named: State = {"dlatent_avg": own[MEAN_W], "lod": np.float32(0)}
    for i in range(len(config.mapping)):
        named |= {f"Dense{i}/{part}": own[f"mapping.fc{i}.{part}"].T for part in ("weight", "bias")}
    if config.c_dim:
        named |= {f"LabelEmbed/{part}": own[f"mapping.embed.{part}"].T for part in ("weight", "bias")}
    named["4x4/Const/const"] = own["synthesis.b4.const"][None]
    layers = [name for name in own if name.endswith("affine.weight")]
    layers = [name.removeprefix("synthesis.").removesuffix(".affine.weight") for name in layers]
    for layer in layers:
        block, kind = layer.split(".")
        r = int(block[1:])
        their = {"torgb": "ToRGB", "conv0": "Conv0_up", "conv1": "Conv1" if r > 4 else "Conv"}[kind]
        their = f"{r}x{r}/{their}"
        weight = own[f"synthesis.{layer}.weight"]
        weight = weight[:, :, ::-1, ::-1] if kind == "conv0" else weight
        named[f"{their}/weight"] = weight.transpose(2, 3, 1, 0)
        named[f"{their}/bias"] = own[f"synthesis.{layer}.bias"]
        named[f"{their}/mod_weight"] = own[f"synthesis.{layer}.affine.weight"].T
        named[f"{their}/mod_bias"] = own[f"synthesis.{layer}.affine.bias"] - 1
        if kind != "torgb":
            number = 2 * (r.bit_length() - 1) - (5 if kind == "conv0" else 4)
            named[f"noise{number}"] = own[f"synthesis.{layer}.noise_const"][None, None]
            named[f"{their}/noise_strength"] = own[f"synthesis.{layer}.noise_strength"]
    if config.architecture == "resnet":
        for r in config.resolutions[1:]:
            skip = own[f"synthesis.b{r}.skip.weight"][:, :, ::-1, ::-1]
            named[f"{r}x{r}/Skip/weight"] = skip.transpose(2, 3, 1, 0)
    return named


def variables_of_first(weights: Weights) -> State:
    """The same for the first StyleGAN."""
    own, config = weights.arrays, weights.config
    named: State = {"dlatent_avg": own[MEAN_W], "lod": np.float32(0)}
    for i in range(len(config.mapping)):
        named |= {f"Dense{i}/{part}": own[f"mapping.fc{i}.{part}"].T for part in ("weight", "bias")}
    if config.c_dim:
        named["LabelConcat/weight"] = own["mapping.embed.weight"].T
    named["4x4/Const/const"] = own["synthesis.b4.const"][None]
    for i, layer in enumerate(config.layers):
        r, name = 4 << i // 2, f"synthesis.{layer}"
        their = f"{r}x{r}/" + (("Const", "Conv") if r == 4 else ("Conv0_up", "Conv1"))[i % 2]
        if i:
            named[f"{their}/weight"] = own[f"{name}.weight"].transpose(2, 3, 1, 0)
        named |= {
            f"{their}/bias": own[f"{name}.bias"],
            f"{their}/Noise/weight": own[f"{name}.noise_strength"],
        }
        named |= {f"{their}/StyleMod/weight": own[f"{name}.affine.weight"].T}
        named |= {f"{their}/StyleMod/bias": own[f"{name}.affine.bias"]}
        named[f"noise{i}"] = own[f"{name}.noise_const"][None, None]
    named["ToRGB_lod0/weight"] = own["synthesis.torgb.weight"].transpose(2, 3, 1, 0)
    named["ToRGB_lod0/bias"] = own["synthesis.torgb.bias"]
    named["ToRGB_lod1/weight"] = np.zeros((1, 1, config.channels[-3:][0], 3), np.float32)
    return named | {"ToRGB_lod1/bias": np.zeros(3, np.float32)}


def prefixed(variables: Mapping[str, NDArray[Any]]) -> State:
    """Names as a live network shows them."""
    mapping = ("Dense", "Label")
    top = ("dlatent_avg", "lod")
    part = {
        k: "" if k in top else "G_mapping/" if k.startswith(mapping) else "G_synthesis/" for k in variables
    }
    return {f"Gs/{part[name]}{name}:0": array for name, array in variables.items()}


def names_of(config: stylegan2.Config) -> State:
    """A StyleGAN2's tensors as the official project names them."""
    own = dict(whole(config).arrays)
    kernel = own.pop(stylegan2.FILTER)
    return own | {f"synthesis.{layer}.resample_filter": kernel for layer in config.layers}


def state_of(weights: Weights) -> State:
    """A network's tensors as lucidrains' training file names them."""
    named: State = {"S.net.0.weight": np.zeros(1), "GE.blocks.0.to_rgb.upsample.1.f": np.float32([1, 2, 1])}
    parts = {"const": "initial_block", "begin": "to_initial_block.weight"}
    for name, array in weights.arrays.items():
        match name.split("."):
            case ["mapping", "w_avg"]:
                continue
            case ["mapping", layer, part]:
                named[f"SE.net.{2 * int(layer[2:])}.{part}"] = array
            case [_, _, "initial", part]:
                named[f"GE.initial_conv.{part}"] = array
            case [_, _, ("const" | "begin") as kind]:
                named[f"GE.{parts[kind]}"] = array[None] if kind == "const" else array
            case [_, block, layer, *rest]:
                at = f"GE.blocks.{int(block[1:]).bit_length() - 3}"
                rgb, half = layer == "torgb", "" if layer == "torgb" else str(int(layer[-1]) + 1)
                kind = {"affine": "to_style", "noise": "to_noise", "weight": "conv"}[rest[0]]
                at = f"{at}.to_rgb" if rgb else at
                named[f"{at}.{kind}{half}.{rest[-1]}"] = array
    return named


def rosinality_state(config: stylegan2.Config) -> State:
    """A network's tensors as rosinality names them."""
    own = whole(config).arrays
    kernel = own[stylegan2.FILTER] * 4
    named: State = {"input.input": own["synthesis.b4.const"][None]}
    for i in range(len(config.mapping)):
        named |= {f"style.{i + 1}.{part}": own[f"mapping.fc{i}.{part}"] for part in ("weight", "bias")}
    for i, layer in enumerate(config.layers):
        their, name = f"convs.{i - 1}" if i else "conv1", f"synthesis.{layer}"
        named |= {f"{their}.noise.weight": own[f"{name}.noise_strength"].reshape(1)}
        named |= {f"{their}.activate.bias": own[f"{name}.bias"], **_modulation(own, name, their)}
        named |= {f"noises.noise_{i}": own[f"{name}.noise_const"][None, None]}
        named |= {f"{their}.conv.blur.kernel": kernel} if i % 2 else {}
    for block, r in enumerate(config.resolutions):
        their, name = f"to_rgbs.{block - 1}" if block else "to_rgb1", f"synthesis.b{r}.torgb"
        named |= {f"{their}.bias": own[f"{name}.bias"].reshape(1, -1, 1, 1), **_modulation(own, name, their)}
        named |= {f"{their}.upsample.kernel": kernel} if block else {}
    return named


def _modulation(own: Mapping[str, NDArray[Any]], name: str, their: str) -> State:
    affine = {f"{their}.conv.modulation.{part}": own[f"{name}.affine.{part}"] for part in ("weight", "bias")}
    return {f"{their}.conv.weight": own[f"{name}.weight"][None], **affine}


def tree_of(state: State) -> dict[str, Any]:
    """Dotted names as modules within modules; the tensors of a module are under ""."""
    tree: dict[str, Any] = {"": {}}
    for name, array in state.items():
        *path, last = name.split(".")
        at = tree
        for part in path:
            at = at.setdefault(part, {"": {}})
        at[""][last] = array
    return tree


def torch_file(path: Path, content: Any) -> Path:
    """A file of torch.save, arrays as tensors."""

    def tensors(value: Any) -> Any:
        if isinstance(value, dict):
            return OrderedDict((key, tensors(one)) for key, one in value.items())
        return torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray) else value

    torch.save(tensors(content), path)
    return path
