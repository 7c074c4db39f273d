"""Any model file that people own, to the weights of a family: told by what is in it, not by its name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.generators import biggan, dcgan
from perform.generators.dialects import foreign, lucidrains, official, rosinality, tensorflow
from perform.generators.dialects.leftovers import with_odd
from perform.networks import ModelError, weights
from perform.networks.checkpoints import Checkpoint, headers, modules, read
from perform.networks.checkpoints.pickles import Record
from perform.networks.weights import Weights, printable

State: TypeAlias = Mapping[str, NDArray[Any]]
Notes: TypeAlias = dict[str, str]

LAYOUT = (KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError, ZeroDivisionError)
# Where training files keep the state dict of a generator, the averaged one first.
KEPT = (
    "g_ema", "G_ema", "generator_ema", "params_ema", "ema", "netG_A", "netG", "generator", "state_dict",
    "model_state_dict", "params", "model", "weights", "G", "g",
)  # fmt: skip
UNAVERAGED = ("G", "g")
GROUPS = ("param/", "buffer/", "state/")  # of the names in an npz
# Where projects keep the classes of their networks: files of whole networks (`torch.save(network)`) name
# them, and are read for the tensors in them. They become records as all names do, and are not imported.
WHOLE = (
    "torch.nn.", "__main__.", "main.", "model.", "models.", "network.", "networks.", "net.", "nets.",
    "generator.", "generators.", "gan.", "dcgan.", "biggan.", "stylegan2.", "stylegan3.", "modules.",
    "layers.", "op.", "architectures.", "pg_modules.", "feature_networks.", "timm.", "torchvision.",
    "pytorch_pretrained_biggan.", "stylegan2_pytorch.",
)  # fmt: skip
LONGEST_JSON = 1 << 20  # bytes
LONGEST = 300  # characters of a fault
NVIDIA = (
    "NVIDIA's networks, and what was trained further from them, are for non-commercial use;"
    " ask who made this file"
)
ASK = "not stated in the file; ask who made it"


def load(path: str | Path) -> Weights:
    """The weights in a model file of any project that is known here, for the family that plays them.

    Their `notes` tell where they are from, a licence note, and what is odd. Nothing of the file is run.
    Raises ModelError, in one sentence: which file, and what it holds when that is no generator.
    """
    path = Path(path)
    checkpoint = read(path, WHOLE)
    if "family" in checkpoint.notes and checkpoint.container == "safetensors":
        return weights.read(path)
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused at the end
            return _kept(_recognised(checkpoint, path))
    except ModelError as error:
        raise ModelError(f"{path}: {printable(str(error), LONGEST)}") from error
    except LAYOUT as error:
        why = printable(repr(error), LONGEST)
        raise ModelError(f"{path} holds a network of a layout that is not known here ({why})") from error


def header(path: str | Path) -> tuple[Any, dict[str, str]]:
    """Configuration and notes of a model file. Raises ModelError.

    A file of ours says them in its head; any other is read whole, and what was found is remembered, also
    on disk, for as long as the file and the descriptions beside it are the same.
    """
    path = Path(path)
    if not path.is_file() or weights.ours(path):
        return weights.header(path)
    read_from = [file for file in (path, *_descriptions(path)) if file.is_file()]
    stats = [(file, file.stat()) for file in read_from]
    return _header(
        path.absolute(), tuple((file.name, stat.st_mtime_ns, stat.st_size) for file, stat in stats)
    )


@lru_cache(maxsize=64)
def _header(path: Path, stamp: headers.Stamp) -> headers.Header:
    if (kept := headers.recall(path, stamp)) is not None:
        return kept
    found = load(path)
    headers.remember(path, stamp, found.config, found.notes)
    return found.config, dict(found.notes)


def _descriptions(path: Path) -> list[Path]:
    """Where projects describe a network beside its file: lucidrains' first, then Hugging Face's."""
    return [path.with_name(name) for name in (".config.json", "config.json", f"{path.stem}_config.json")]


def _kept(found: Weights) -> Weights:
    """With arrays of their own: what comes out of a file may be a view of it."""
    own = {name: array if array.flags.owndata else array.copy() for name, array in found.arrays.items()}
    return replace(found, arrays=own)


def _recognised(checkpoint: Checkpoint, path: Path) -> Weights:
    content = checkpoint.content
    notes = {**checkpoint.notes, "file": path.name}
    if isinstance(content, list | tuple) and any(map(modules.is_network, content)):
        # (G, D, Gs), of which Gs is the averaged one
        if len(content) != 3 or not modules.is_network(content[2]):
            raise ModelError(f"holds {len(content)} values, must be three networks: G, D and Gs")
        return _of_tensorflow(content[2], notes)
    if modules.is_network(content):
        return _of_tensorflow(content, notes)
    if modules.is_persistent(content):
        return _of_module(content, notes)
    if modules.is_module(content):
        return _of_states(modules.state(content), path, notes)
    if not isinstance(content, dict):
        raise ModelError(foreign.told_of_value(content))
    if any(map(modules.is_persistent, content.values())):
        found = next((key for key in KEPT if modules.is_persistent(content.get(key))), None)
        if found is None:
            raise ModelError(f"holds {foreign.listed(content)}, but no generator (G_ema)")
        return _of_module(content[found], _unaveraged(found, notes))
    if checkpoint.container == "npz":
        return _of_arrays(content, path, notes)
    return _of_states(content, path, notes)


def _of_tensorflow(record: Any, notes: Notes) -> Weights:
    network = modules.network(record)
    if any("FromRGB" in name for name in network.variables):
        raise ModelError("holds a discriminator only")
    told = {"source": f"TensorFlow network {network.name} (version {network.version}), {network.function}"}
    return tensorflow.weights(network.variables, network.options, {**notes, **told, "licence": NVIDIA})


def _of_module(record: Record, notes: Notes) -> Weights:
    module = modules.module(record)
    if official.family(module.tensors) is None and any("fromrgb" in name for name in module.tensors):
        raise ModelError("holds a discriminator only")
    meta = record.args[0] if record.args and isinstance(record.args[0], dict) else {}
    code = meta.get("module_src")
    digest = sha256(code.encode("utf-8", "replace")).hexdigest()[:16] if isinstance(code, str) else "none"
    kind = (
        "StyleGAN2-ADA's layout" if "synthesis_kwargs" in module.init else "the StyleGAN3 repository's layout"
    )
    kind = "Autolume" if "init_res" in {**module.init, **module.attributes.get("", {})} else kind
    told = {"source": f"pickle of {kind}, class {module.class_name}, its code {digest}", "licence": NVIDIA}
    return official.weights(module.tensors, module.attributes, module.init, {**notes, **told})


def _of_arrays(content: State, path: Path, notes: Notes) -> Weights:
    """Plain arrays of an npz, in groups (`param/…`, `state/…`) with a description beside them, or bare."""
    grouped = {
        name.removeprefix(group): array
        for group in GROUPS
        for name, array in content.items()
        if name.startswith(group)
    }
    if not grouped:
        return _of_states(dict(content), path, notes)
    text = content.get("meta_json")
    described = _object(str(text), "meta_json") if text is not None else {}
    if official.family(grouped) is not None:
        made = described.get("init_kwargs")
        told = {"source": "arrays by their official names", "licence": NVIDIA}
        return official.weights(grouped, None, made if isinstance(made, dict) else {}, {**notes, **told})
    mean = next((array for name, array in content.items() if name.endswith("/latent_avg")), None)
    return _of_state(grouped, mean, path, notes, described.get("config"))


def _of_states(content: dict[Any, Any], path: Path, notes: Notes) -> Weights:
    """A state dict, or a training file that has one among other things."""
    if isinstance(content.get("GAN"), dict):
        averaged, version = modules.state(content["GAN"]), content.get("version")
        if lucidrains.MARK not in averaged:
            raise ModelError(
                "holds a network of lucidrains' that is not his StyleGAN2 (GE.blocks is missing)"
            )
        told = {"source": f"lucidrains' stylegan2-pytorch {printable(str(version), 20)}", "licence": ASK}
        options = _beside(_descriptions(path)[:1])
        number = version if isinstance(version, str) else ""
        return lucidrains.weights(averaged, number, options, {**notes, **told})
    mean = content.get("latent_avg")
    for key, state in _states(content):
        if _known(state):
            mean = mean if isinstance(mean, np.ndarray) else None
            return _of_state(state, mean, path, _unaveraged(key, notes))
    states = [state for _, state in _states(content)]
    if not states or not any(states):
        raise ModelError(foreign.told_of_value(content))
    return _of_state(states[0], None, path, notes)


def _states(content: dict[Any, Any]) -> Iterator[tuple[str, State]]:
    """The state dicts in a training file by their key, the likeliest first; last the file as one itself."""
    for key in KEPT:
        held = content.get(key)
        if (isinstance(held, dict) or modules.is_module(held)) and (state := modules.state(held)):
            yield key, state
    if state := modules.state(content):
        yield "", state


def _unaveraged(key: str, notes: Notes) -> Notes:
    """The notes, and whether a generator of that key is not the averaged one."""
    return with_odd(notes, f"{key} is not averaged (no g_ema)") if key in UNAVERAGED else notes


def _known(state: State) -> bool:
    told_by_name = lucidrains.MARK in state or "generator.conv_to_rgb.bias" in state
    return told_by_name or rosinality.prefix(state) is not None or official.family(state) is not None


def _of_state(
    state: State, mean: NDArray[Any] | None, path: Path, notes: Notes, described: Any = None
) -> Weights:
    notes = {"licence": ASK, **notes}
    if rosinality.prefix(state) is not None:
        return rosinality.weights(state, mean, {**notes, "source": "state dict of rosinality's layout"})
    if official.family(state) is not None:
        return official.weights(state, None, None, {**notes, "source": "state dict by its official names"})
    if lucidrains.MARK in state:
        return lucidrains.weights(state, "", _beside(_descriptions(path)[:1]), notes)
    if "embeddings.weight" in state and any(name.startswith("generator.gen_z.") for name in state):
        if not isinstance(described, dict):
            described = _beside(_descriptions(path)[1:])
        return biggan.from_state(
            state, described, {**notes, "source": "BigGAN-deep of Hugging Face's layout"}
        )
    try:
        return dcgan.from_state(state, {**notes, "source": "state dict of a DCGAN"})
    except LAYOUT as error:  # ModelError is a ValueError
        if isinstance(error, ModelError) and not str(error).endswith("not a dcgan"):
            raise  # it is one, of values or a size that are not played
        raise ModelError(foreign.told(state) or foreign.unknown(state)) from error


def _beside(files: Iterable[Path]) -> dict[str, Any] | None:
    """The JSON object of the first file that is there; None when none is."""
    for file in files:
        if file.is_file():
            with file.open("rb") as opened:
                return _object(opened.read(LONGEST_JSON).decode("utf-8", "replace"), str(file))
    return None


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{place} is not readable as JSON: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{place} is a {type(found).__name__}, must be an object")
    return found
