"""TensorFlow's StyleGAN and StyleGAN2, from their variables by name; TensorFlow is not needed.

Names are those of the files: each component's own (`4x4/Const/const`), or with the components before
them (`G_synthesis/4x4/Const/const`). Kernels are stored [height, width, inputs, outputs], those of
StyleGAN2's enlarging convolutions mirrored; StyleGAN2's styles are stored less 1.

This is from facts about the layout only: no file of NVIDIA's was at hand, and none of their code is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from perform.arrays import AnyArray
from perform.generators import stylegan1, stylegan2
from perform.generators.dialects.meanw import MEAN_W, with_mean_w, with_zero_mean
from perform.generators.dialects.unexpected import note_unexpected, with_remarks
from perform.generators.mapping import infer_mapping
from perform.networks import ModelError
from perform.networks.checkpoints.modules import Options, StateDict
from perform.networks.weights import Weights, checked_config, checked_weights

COMPONENTS = {"Gs", "G", "G_mapping", "G_synthesis", "mapping", "synthesis"}
PLAYED_OPTIONS: Mapping[str, tuple[object, ...]] = {  # the options that are played
    "mapping_nonlinearity": ("lrelu",),
    "nonlinearity": ("lrelu",),
    "act": ("lrelu",),
    "use_wscale": (True,),
    "use_styles": (True,),
    "use_pixel_norm": (False,),
    "use_instance_norm": (True,),
    "const_input_layer": (True,),
    "normalize_latents": (True,),
    "blur_filter": ([1, 2, 1],),
    "resample_kernel": ([1, 3, 3, 1],),
}
ALWAYS_FUSED, NEVER_FUSED = 0, 1 << 30


def weights(
    variables: StateDict, options: Options | None = None, notes: Mapping[str, str] | None = None
) -> Weights:
    """Weights of a generator's variables; `options` are the arguments that it was built with.

    Raises ModelError."""
    own = {_bare(name): array for name, array in variables.items()}
    options = options or {}
    for key, allowed in PLAYED_OPTIONS.items():
        value = options.get(key, allowed[0])
        if (list(value) if isinstance(value, tuple | np.ndarray) else value) not in allowed:
            raise ModelError(f"{key} = {value!r}, must be {allowed[0]!r}: other networks are not played")
    if any(name.endswith("/StyleMod/weight") for name in own):
        return _stylegan1(own, options, dict(notes or {}))
    if any(name.endswith("/mod_weight") for name in own):
        return _stylegan2(own, options, dict(notes or {}))
    raise ModelError(
        "the TensorFlow network is no StyleGAN and no StyleGAN2: neither StyleMod nor mod_weight is there"
    )


def _bare(name: str) -> str:
    """A variable's name without the components before it and the output's number behind."""
    parts = name.removesuffix(":0").split("/")
    while len(parts) > 1 and parts[0] in COMPONENTS:
        del parts[0]
    return "/".join(parts)


def _resolutions(own: StateDict) -> list[int]:
    """The blocks' resolutions that have convolutions: 4, 8, …"""
    found = {int(match[1]) for name in own if (match := re.match(r"(\d+)x\1/Conv", name))}
    expected = [4 << block for block in range(len(found))]
    if sorted(found) != expected:
        raise ModelError(f"blocks = {sorted(found)}, must be 4, 8 and so on")
    return expected


def _mapping(own: StateDict) -> dict[str, AnyArray]:
    named: dict[str, AnyArray] = {}
    for name, array in own.items():
        if match := re.fullmatch(r"Dense(\d+)/(weight|bias)", name):
            named[f"mapping.fc{match[1]}.{match[2]}"] = array.T
    if "dlatent_avg" in own:
        named[MEAN_W] = own["dlatent_avg"]
    return {**with_zero_mean(named)}


def _kernel(array: AnyArray, mirrored: bool = False) -> AnyArray:
    """[height, width, inputs, outputs] to [outputs, inputs, height, width]."""
    return (array[::-1, ::-1] if mirrored else array).transpose(3, 2, 0, 1)


def _finished(found: Weights, own: StateDict, named: StateDict) -> Weights:
    found = note_unexpected(found, named)
    return found if "dlatent_avg" in own else with_mean_w(found)


def _stylegan2(own: StateDict, options: Options, notes: dict[str, str]) -> Weights:
    """StyleGAN2."""
    if "LabelConcat/weight" in own:
        raise ModelError("classes are concatenated with z (LabelConcat), which is played of StyleGAN only")
    named = _mapping(own)
    for part in ("weight", "bias"):
        if f"LabelEmbed/{part}" in own:
            named[f"mapping.embed.{part}"] = own[f"LabelEmbed/{part}"].T
    named["synthesis.b4.const"] = own["4x4/Const/const"][0]
    resolutions = _resolutions(own)
    for block, r in enumerate(resolutions):
        for half, layer in enumerate(("Conv0_up", "Conv1") if block else ("", "Conv")):
            if layer:
                place = f"synthesis.b{r}.conv{half}"
                named |= _modulated(own, f"{r}x{r}/{layer}", place, mirrored=half == 0)
                named |= _noise(own, 2 * block + half - 1, place)
        shown = f"{r}x{r}/ToRGB"
        if r == resolutions[-1] and f"{shown}/weight" not in own:
            shown = "ToRGB_lod0"  # of the architecture without skips
        if f"{shown}/weight" in own:
            named |= _modulated(own, shown, f"synthesis.b{r}.torgb")
        if f"{r}x{r}/Skip/weight" in own:
            named[f"synthesis.b{r}.skip.weight"] = _kernel(own[f"{r}x{r}/Skip/weight"], mirrored=True)
    clamp = options.get("conv_clamp")
    rate = float(options.get("mapping_lrmul", 0.01))
    clamp = None if clamp is None else float(clamp)
    return _finished(stylegan2.from_official(named, clamp, rate, notes), own, named)


def _modulated(own: StateDict, layer: str, place: str, mirrored: bool = False) -> dict[str, AnyArray]:
    named = {
        f"{place}.weight": _kernel(own[f"{layer}/weight"], mirrored),
        f"{place}.bias": own[f"{layer}/bias"],
        f"{place}.affine.weight": own[f"{layer}/mod_weight"].T,
        f"{place}.affine.bias": own[f"{layer}/mod_bias"] + 1,
    }
    if f"{layer}/noise_strength" in own:
        named[f"{place}.noise_strength"] = own[f"{layer}/noise_strength"].reshape(())
    return named


def _noise(own: StateDict, layer: int, place: str) -> dict[str, AnyArray]:
    found = own.get(f"noise{layer}")
    return {} if found is None else {f"{place}.noise_const": found[0, 0]}


def _stylegan1(own: StateDict, options: Options, notes: dict[str, str]) -> Weights:
    """StyleGAN. A network that was saved while it was growing is played at the size it had reached."""
    lod = float(np.asarray(own.get("lod", 0.0)).reshape(()))
    if lod > 0:
        notes = with_remarks(notes, f"still growing when it was saved (lod = {lod:g})")
    resolutions = _resolutions(own)
    resolutions = resolutions[: max(len(resolutions) - int(lod), 1)]
    named = _mapping(own)
    if "LabelConcat/weight" in own:
        named["mapping.embed.weight"] = own["LabelConcat/weight"].T
    named["synthesis.b4.const"] = own["4x4/Const/const"][0]
    for block, r in enumerate(resolutions):
        for half, layer in enumerate(("Conv0_up", "Conv1") if block else ("Const", "Conv")):
            place = f"synthesis.b{r}.conv{half}"
            named |= _styled(own, f"{r}x{r}/{layer}", place) | _noise(own, 2 * block + half, place)
    named["synthesis.torgb.weight"] = _kernel(own[f"ToRGB_lod{int(lod)}/weight"])
    named["synthesis.torgb.bias"] = own[f"ToRGB_lod{int(lod)}/bias"]
    config = _shape(named, resolutions, options)
    still = {name: np.zeros(shape) for name, shape in config.shapes().items() if ".noise_" in name}
    return _finished(checked_weights(config, {**still, **named}, notes), own, named)


def _styled(own: StateDict, layer: str, place: str) -> dict[str, AnyArray]:
    named = {
        f"{place}.bias": own[f"{layer}/bias"],
        f"{place}.affine.weight": own[f"{layer}/StyleMod/weight"].T,
        f"{place}.affine.bias": own[f"{layer}/StyleMod/bias"],
    }
    if f"{layer}/Noise/weight" in own:
        named[f"{place}.noise_strength"] = own[f"{layer}/Noise/weight"]
    if f"{layer}/weight" in own:
        named[f"{place}.weight"] = _kernel(own[f"{layer}/weight"])
    return named


def _shape(named: StateDict, resolutions: list[int], options: Options) -> stylegan1.Config:
    """The configuration of a StyleGAN, from its tensors."""
    layers = [f"synthesis.b{r}.conv{half}" for r in resolutions for half in (0, 1)][1:]
    first, height, width = named["synthesis.b4.const"].shape
    fused = {True: ALWAYS_FUSED, False: NEVER_FUSED}.get(options.get("fused_scale", "auto"), stylegan1.FUSED)
    config = stylegan1.Config(
        channels=(first, *(named[f"{layer}.weight"].shape[0] for layer in layers)),
        **infer_mapping({name: array.shape for name, array in named.items()}),
        rate=float(options.get("mapping_lrmul", 0.01)),
        image_channels=named["synthesis.torgb.bias"].shape[0],
        start=(height, width),
        fused=fused,
    )
    return checked_config(config)
