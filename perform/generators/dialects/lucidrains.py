"""lucidrains' stylegan2-pytorch: the averaged networks `SE` (mapping) and `GE` (synthesis) of a training
file, and `.config.json` beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from perform.arrays import AnyArray
from perform.generators.dialects.meanw import with_mean_w, with_zero_mean
from perform.generators.dialects.unexpected import note_unexpected, with_remarks
from perform.generators.lucidrains import infer
from perform.networks import ModelError
from perform.networks.checkpoints.modules import Options, StateDict
from perform.networks.weights import Weights, checked_weights

MARK = "GE.blocks.0.conv1.weight"
RATE = 0.1  # of the mapping, without another value in .config.json
NORMALISED = (0, 18, 6)  # the version from which z is normalised, by the project's issue 112
BLUR = ".upsample.1.f"  # a filter that is the same in all files that have it
ENDS = {"initial_block": "const", "to_initial_block.weight": "begin"}
ENDS |= {f"initial_conv.{part}": f"initial.{part}" for part in ("weight", "bias")}


def weights(
    state: StateDict,
    version: str = "",
    options: Options | None = None,
    notes: Mapping[str, str] | None = None,
) -> Weights:
    """Weights of a training file's `GAN`, its `version` and its `.config.json` (None: no such file).

    Raises ModelError."""
    if any(name.startswith("GE.attns.") for name in state):
        raise ModelError("the network has attention layers (attn_layers), which are not played")
    named: dict[str, AnyArray] = {}
    for name, array in state.items():
        if place := _place(name):
            named[place] = array[0] if place.endswith(".const") else array
        elif name.startswith(("SE.", "GE.")) and not name.endswith(BLUR):
            named[name] = array  # of another network, if it is a weight
    if "mapping.fc0.weight" not in named:
        raise ModelError("the averaged mapping (SE.net) is missing")
    named = {**with_zero_mean(named)}
    rate = _rate(options)
    normalised, blurred = _numbers(version) >= NORMALISED, any(name.endswith(BLUR) for name in state)
    odd = [] if options is not None else [f"no .config.json beside it: mapping rate {RATE} taken"]
    odd += [] if normalised else [f"version {version or 'unknown'}: z is taken as it is"]
    shapes = {name: array.shape for name, array in named.items()}
    config = infer(shapes, rate, normalised, blurred)
    found = checked_weights(config, named, with_remarks(notes or {}, *odd))
    return with_mean_w(note_unexpected(found, named))


def _place(name: str) -> str | None:
    """Our name of a tensor. None for one outside the averaged generator."""
    if match := re.fullmatch(r"SE\.net\.(\d{1,3})\.(weight|bias)", name):
        return f"mapping.fc{int(match[1]) // 2}.{match[2]}"
    if name.startswith("GE.") and name[3:] in ENDS:
        return f"synthesis.b4.{ENDS[name[3:]]}"
    match = re.fullmatch(r"GE\.blocks\.(\d{1,2})\.(conv|to_style|to_noise|to_rgb)([12]?)\.(.+)", name)
    if match is None:
        return None
    block, kind, number, rest = f"synthesis.b{4 << int(match[1])}", match[2], match[3], match[4]
    if kind == "to_rgb":
        parts = {"conv.weight": "weight", "to_style.weight": "affine.weight", "to_style.bias": "affine.bias"}
        return f"{block}.torgb.{parts[rest]}" if rest in parts else None
    part = {"conv": "", "to_style": "affine.", "to_noise": "noise."}[kind]
    return f"{block}.conv{int(number) - 1}.{part}{rest}" if number else None


def _rate(options: Options | None) -> float:
    rate = (options or {}).get("lr_mlp", RATE)
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        raise ModelError(f"lr_mlp = {rate!r} in .config.json, must be a number")
    return float(rate)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version; a version without numbers counts as the newest."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version)[:3]) or (999,)
