"""Any model file that people own, as the weights of a family: recognised by its content, not by its name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from perform.arrays import AnyArray
from perform.generators import biggan, dcgan
from perform.generators.dialects import lucidrains, official, rosinality, tensorflow, unsupported
from perform.generators.dialects.unexpected import with_remarks
from perform.networks import ModelError, headercache
from perform.networks.checkpoints import Checkpoint, modules, read_checkpoint
from perform.networks.checkpoints.modules import StateDict
from perform.networks.checkpoints.values import Json, Record, Value
from perform.networks.modelfiles import is_own, read_header, read_weights
from perform.networks.weights import LAYOUT_ERRORS, Weights, printable

Notes: TypeAlias = dict[str, str]

# Where training files keep the state dict of a generator, the averaged one first.
STATE_KEYS = (
    "g_ema", "G_ema", "generator_ema", "params_ema", "ema", "netG_A", "netG", "generator", "state_dict",
    "model_state_dict", "params", "model", "weights", "G", "g",
)  # fmt: skip
UNAVERAGED_KEYS = ("G", "g")
NPZ_GROUPS = ("param/", "buffer/", "state/")  # of the names in an npz
# Where projects keep the classes of their networks: files of whole networks (`torch.save(network)`) name
# them, and are read for the tensors in them. They become records as all names do, and are not imported.
NETWORK_PACKAGES = (
    "torch.nn.", "__main__.", "main.", "model.", "models.", "network.", "networks.", "net.", "nets.",
    "generator.", "generators.", "gan.", "dcgan.", "biggan.", "stylegan2.", "stylegan3.", "modules.",
    "layers.", "op.", "architectures.", "pg_modules.", "feature_networks.", "timm.", "torchvision.",
    "pytorch_pretrained_biggan.", "stylegan2_pytorch.",
)  # fmt: skip
MOST_JSON_BYTES = 1 << 20  # bytes
MOST_FAULT_LENGTH = 300  # characters of a fault
NVIDIA_LICENCE = (
    "NVIDIA's networks, and what was trained further from them, are for non-commercial use;"
    " ask who made this file"
)
LICENCE_UNKNOWN = "not stated in the file; ask who made it"


def load_weights(path: str | Path) -> Weights:
    """The weights in a model file of any known project, for the family that plays them.

    Their `notes` hold the source, a licence note, and what is unusual (`odd`). Nothing in the file is run.
    ModelError names, in one sentence, the file, and what it holds if that is not a generator.
    """
    path = Path(path)
    checkpoint = read_checkpoint(path, NETWORK_PACKAGES)
    if "family" in checkpoint.notes and checkpoint.container == "safetensors":
        return read_weights(path)
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused at the end
            return _weights_of(checkpoint, path)
    except ModelError as error:
        raise ModelError(f"{path}: {printable(str(error), MOST_FAULT_LENGTH)}") from error
    except LAYOUT_ERRORS as error:
        why = printable(repr(error), MOST_FAULT_LENGTH)
        raise ModelError(f"{path} holds a network of an unknown layout ({why})") from error


def load_header(path: str | Path) -> headercache.Header:
    """Configuration and notes of a model file. Raises ModelError.

    Our own files hold them in their header. Any other file is read whole; the result is cached, also on disk,
    as long as the file and the descriptions beside it do not change.
    """
    path = Path(path)
    if not path.is_file() or is_own(path):
        return read_header(path)
    return _load_header(path.absolute(), file_stamp(path))


def file_stamp(path: Path) -> headercache.Stamp:
    """Name, time of change in ns, and bytes of a model file and of the descriptions beside it."""
    read_from = [file for file in (path, *_descriptions(path)) if file.is_file()]
    stats = [(file.name, file.stat()) for file in read_from]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


@lru_cache(maxsize=64)
def _load_header(path: Path, stamp: headercache.Stamp) -> headercache.Header:
    if (kept := headercache.cached_header(path, stamp)) is not None:
        return kept
    found = load_weights(path)
    headercache.cache_header(path, stamp, found.config, found.notes)
    return found.config, dict(found.notes)


def _descriptions(path: Path) -> list[Path]:
    """Where projects describe a network beside its file: lucidrains' first, then Hugging Face's."""
    return [path.with_name(name) for name in (".config.json", "config.json", f"{path.stem}_config.json")]


def _weights_of(checkpoint: Checkpoint, path: Path) -> Weights:
    content = checkpoint.content
    notes = {**checkpoint.notes, "file": path.name}
    if isinstance(content, list | tuple) and any(map(modules.is_tensorflow_network, content)):
        # (G, D, Gs), of which Gs is the averaged one
        if len(content) != 3 or not modules.is_tensorflow_network(content[2]):
            raise ModelError(f"holds {len(content)} values, must be three networks: G, D and Gs")
        return _of_tensorflow(content[2], notes)
    if modules.is_tensorflow_network(content):
        return _of_tensorflow(content, notes)
    if modules.is_nvidia_module(content):
        return _of_module(content, notes)
    if modules.is_torch_module(content):
        return _of_training_file(modules.state_dict(content), path, notes)
    if not isinstance(content, dict):
        raise ModelError(unsupported.describe_value(content))
    if any(map(modules.is_nvidia_module, content.values())):
        for key in STATE_KEYS:
            if modules.is_nvidia_module(found := content.get(key)):
                return _of_module(found, _unaveraged(key, notes))
        raise ModelError(f"holds {unsupported.first_keys(content)}, but no generator (G_ema)")
    if checkpoint.container == "npz":
        return _of_arrays(content, path, notes)
    return _of_training_file(content, path, notes)


def _of_tensorflow(record: Record, notes: Notes) -> Weights:
    network = modules.tensorflow_network(record)
    if any("FromRGB" in name for name in network.variables):
        raise ModelError("holds a discriminator only")
    source = f"TensorFlow network {network.name} (version {network.version}), {network.function}"
    notes = {**notes, "source": source, "licence": NVIDIA_LICENCE}
    return tensorflow.weights(network.variables, network.options, notes)


def _of_module(record: Record, notes: Notes) -> Weights:
    module = modules.torch_module(record)
    if official.family(module.tensors) is None and any("fromrgb" in name for name in module.tensors):
        raise ModelError("holds a discriminator only")
    code = modules.nvidia_meta(record).get("module_src")
    digest = sha256(code.encode("utf-8", "replace")).hexdigest()[:16] if isinstance(code, str) else "none"
    kind = (
        "StyleGAN2-ADA's layout" if "synthesis_kwargs" in module.init else "the StyleGAN3 repository's layout"
    )
    kind = "Autolume" if "init_res" in {**module.init, **module.attributes.get("", {})} else kind
    source = f"pickle of {kind}, class {module.class_name}, its code {digest}"
    notes = {**notes, "source": source, "licence": NVIDIA_LICENCE}
    return official.weights(module.tensors, module.attributes, module.init, notes)


def _of_arrays(content: Mapping[Any, Value], path: Path, notes: Notes) -> Weights:
    """Plain arrays of an npz, in groups (`param/…`, `state/…`) with a description beside them, or bare."""
    arrays = {name: array for name, array in content.items() if isinstance(array, np.ndarray)}
    grouped = {
        name.removeprefix(group): array
        for group in NPZ_GROUPS
        for name, array in arrays.items()
        if name.startswith(group)
    }
    if not grouped:
        return _of_training_file(content, path, notes)
    text = content.get("meta_json")
    described = _json_object(str(text), "meta_json") if text is not None else {}
    if official.family(grouped) is not None:
        made = described.get("init_kwargs")
        origin = {"source": "arrays by their official names", "licence": NVIDIA_LICENCE}
        return official.weights(grouped, None, made if isinstance(made, dict) else {}, {**notes, **origin})
    mean = next((array for name, array in arrays.items() if name.endswith("/latent_avg")), None)
    return _of_state_dict(grouped, mean, path, notes, described.get("config"))


def _of_training_file(content: Mapping[Any, Value], path: Path, notes: Notes) -> Weights:
    """A state dict, or a training file that has one among other things."""
    if isinstance(gan := content.get("GAN"), dict):
        averaged, version = modules.state_dict(gan), content.get("version")
        if lucidrains.MARK not in averaged:
            raise ModelError(
                "holds a network of lucidrains' that is not his StyleGAN2 (GE.blocks is missing)"
            )
        source = f"lucidrains' stylegan2-pytorch {printable(str(version), 20)}"
        notes = {**notes, "source": source, "licence": LICENCE_UNKNOWN}
        options = _first_object(_descriptions(path)[:1])
        number = version if isinstance(version, str) else ""
        return lucidrains.weights(averaged, number, options, notes)
    mean = content.get("latent_avg")
    for key, state in _state_dicts(content):
        if _is_known(state):
            mean = mean if isinstance(mean, np.ndarray) else None
            return _of_state_dict(state, mean, path, _unaveraged(key, notes))
    states = [state for _, state in _state_dicts(content)]
    if not states or not any(states):
        raise ModelError(unsupported.describe_value(content))
    return _of_state_dict(states[0], None, path, notes)


def _state_dicts(content: Mapping[Any, Value]) -> Iterator[tuple[str, StateDict]]:
    """The state dicts in a training file by their key, the likeliest first; last the file itself as one."""
    for key in STATE_KEYS:
        held = content.get(key)
        if (isinstance(held, dict) or modules.is_torch_module(held)) and (state := modules.state_dict(held)):
            yield key, state
    if state := modules.state_dict(dict(content)):
        yield "", state


def _unaveraged(key: str, notes: Notes) -> Notes:
    """The notes, with a remark if the generator of that key is not the averaged one."""
    return with_remarks(notes, f"{key} is not averaged (no g_ema)") if key in UNAVERAGED_KEYS else notes


def _is_known(state: StateDict) -> bool:
    known_by_name = lucidrains.MARK in state or "generator.conv_to_rgb.bias" in state
    return known_by_name or rosinality.prefix(state) is not None or official.family(state) is not None


def _of_state_dict(
    state: StateDict, mean: AnyArray | None, path: Path, notes: Notes, described: object = None
) -> Weights:
    notes = {"licence": LICENCE_UNKNOWN, **notes}
    if rosinality.prefix(state) is not None:
        return rosinality.weights(state, mean, {**notes, "source": "state dict of rosinality's layout"})
    if official.family(state) is not None:
        return official.weights(state, None, None, {**notes, "source": "state dict by its official names"})
    if lucidrains.MARK in state:
        return lucidrains.weights(state, "", _first_object(_descriptions(path)[:1]), notes)
    if "embeddings.weight" in state and any(name.startswith("generator.gen_z.") for name in state):
        if not isinstance(described, dict):
            described = _first_object(_descriptions(path)[1:])
        notes["source"] = "BigGAN-deep of Hugging Face's layout"
        return biggan.from_state(state, described, notes)
    try:
        return dcgan.from_state(state, {**notes, "source": "state dict of a DCGAN"})
    except LAYOUT_ERRORS as error:  # ModelError is a ValueError
        if isinstance(error, ModelError) and not str(error).endswith("not a dcgan"):
            raise  # it is one, of values or a size that are not played
        raise ModelError(unsupported.describe_known(state) or unsupported.describe_unknown(state)) from error


def _first_object(files: Iterable[Path]) -> dict[str, Json] | None:
    """The JSON object of the first file that exists. None without one."""
    for file in files:
        if file.is_file():
            with file.open("rb") as opened:
                return _json_object(opened.read(MOST_JSON_BYTES).decode("utf-8-sig", "replace"), str(file))
    return None


def _json_object(text: str, place: str) -> dict[str, Json]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{place} is not readable as JSON: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{place} is a {type(found).__name__}, must be an object")
    return found
