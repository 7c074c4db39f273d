"""Files of latents and of directions, ours and those of other tools, as numpy arrays.

All of them are read by the safe reader (`perform.networks.checkpoints`), which runs nothing in a file.
Latents are what projectors and instruments store: one point, several points, or one w for each layer.
Directions are what GANSpace (Härkönen et al. 2020, arXiv:2004.02546), SeFa (Shen and Zhou 2021,
arXiv:2007.06600) and Autolume find.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np

from perform.arrays import AnyArray, Floats
from perform.latent.directions import Directions, LatentKind
from perform.latent.space import Space
from perform.networks import ModelError, checkpoints, faults_of
from perform.networks.modelfiles import tensor_file

Arrays: TypeAlias = dict[str, AnyArray]

RIGHT_ANGLE, ONE_WAY = 1e-3, 0.5  # likeness of rows: of components, and of the layers of one direction
LATENT_KEYS = ("w", "ws", "latent", "latents", "dlatents")  # under which latents are stored


def read_latents(path: str | Path, space: Space) -> Floats:
    """The latents of a file as ws [n, num_ws, w_dim]: `.npy`, `.npz` (`projected_w.npz`, ours) or `.pt`.

    Of an array [w_dim] there is one, of [n, w_dim] n, each the same in all layers; [n, layers, w_dim]
    is cut, or its last layer repeated, to the layers of the network. Raises ModelError.
    """
    found = _arrays(Path(path), checkpoints.read_checkpoint(path).content)
    named = [key for key in LATENT_KEYS if key in found]
    if not named and len(found) != 1:
        raise ModelError(f"{path} holds {_key_list(found)}, must hold one of {', '.join(LATENT_KEYS)}")
    with faults_of(path):
        return fit_latents(found[named[0]] if named else next(iter(found.values())), space)


def fit_latents(latents: AnyArray, space: Space) -> Floats:
    """Latents [w_dim], [n, w_dim] or [n, layers, w_dim] as ws [n, num_ws, w_dim] of a space."""
    shape, wanted = latents.shape, f"[n, layers, {space.w_dim}]"
    if len(shape) not in (1, 2, 3) or shape[-1] != space.w_dim or 0 in shape:
        raise ModelError(
            f"latents have shape {shape}, must be [{space.w_dim}], [n, {space.w_dim}] or {wanted}"
        )
    points = _finite("latents", latents)
    points = points.reshape(-1, shape[-2] if len(shape) == 3 else 1, space.w_dim)
    layers = np.minimum(np.arange(space.num_ws), points.shape[1] - 1)
    return np.ascontiguousarray(points[:, layers])


def read_directions(
    path: str | Path, space: LatentKind | None = None, layers: int | None = None
) -> Directions:
    """The directions of a file: ours, GANSpace's `.npz`, SeFa's `.pt`, Autolume's `_xcomp.npy` and
    `_zcomp.npy`, or any array [n, dimensions]. For a model of so many `layers` also arrays of w+: [layers,
    dimensions] is one direction, unless its rows are at right angles as components are; [n, layers,
    dimensions] are several.

    `space` is used if the file does not name its space. GANSpace and Autolume write it in the name of the
    file (`…_w.npz`; x is w); other files are taken for w. Raises ModelError.
    """
    path = Path(path)
    checkpoint = checkpoints.read_checkpoint(path)
    found = _arrays(path, checkpoint.content)
    with faults_of(path):
        if "components" in found:
            return _own_directions(found, checkpoint.notes)
        return _other_directions(found, path.stem, space, layers)


def write_directions(path: Path, kept: Directions) -> None:
    """Write directions to a file of ours; whole or not at all."""
    from safetensors.numpy import save_file

    arrays = {"components": kept.components} | ({} if kept.scales is None else {"scales": kept.scales})
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = {"names": json.dumps(kept.names)}
    if kept.space == "z":
        notes["space"] = "z"
    with tensor_file(path) as partial:
        save_file(arrays, partial, notes)


def _own_directions(found: Arrays, notes: Mapping[str, str]) -> Directions:
    own = found["components"]
    components = _finite("directions", own) if own.ndim == 3 else _rows(own)
    try:
        names = json.loads(notes.get("names", ""))
    except ValueError:
        names = []
    if not isinstance(names, list) or len(names) != len(components) or len(set(map(str, names))) < len(names):
        raise ModelError(f"its metadata must name {len(components)} directions, each once")
    space: LatentKind = "z" if notes.get("space") == "z" else "w"
    return _directions([*map(str, names)], components, space, "scales", found.get("scales"))


def _other_directions(found: Arrays, stem: str, space: LatentKind | None, layers: int | None) -> Directions:
    if "lat_comp" in found:
        components, scales = _rows(found["lat_comp"]), found.get("lat_stdev")
        named = _numbered("pc", components)
        return _directions(named, components, space or _ganspace_space(stem), "lat_stdev", scales)
    if "eigvec" in found:
        components = _rows(found["eigvec"]).T
        return _directions(_numbered("sefa", components), components, space or "w")
    if len(found) != 1:
        raise ModelError(
            f"holds {_key_list(found)}, must hold lat_comp (GANSpace), eigvec (SeFa) or one array"
        )
    named_space: LatentKind = "z" if stem.endswith("_zcomp") else "w"
    array = next(iter(found.values()))
    components = _rows(array) if layers is None or named_space == "z" else _in_w_plus(array, stem, layers)
    return _directions(_numbered("direction", components), components, space or named_space)


def _ganspace_space(stem: str) -> LatentKind:
    """The space in the name of a file of GANSpace: model_layer_estimator_…_n1000000_w for w."""
    parts = stem.split("_")
    sampled = any(re.fullmatch(r"n\d+", part) for part in parts)
    return "z" if sampled and "w" not in parts else "w"


def _rows(array: AnyArray) -> Floats:
    """Components [n, dimensions] of [dimensions], [n, dimensions] or [n, 1, …, dimensions]."""
    shape = array.shape
    if not shape or 0 in shape or any(size != 1 for size in shape[1:-1]):
        raise ModelError(f"directions have shape {shape}, must be [n, dimensions]")
    return _finite("directions", array).reshape(-1, shape[-1])


def _in_w_plus(array: AnyArray, stem: str, layers: int) -> Floats:
    """Components of w [n, dimensions], or of w+ [n, layers, dimensions]. Raises ModelError."""
    if array.ndim == 3 and array.shape[1] > 1:
        if array.shape[1] != layers:
            raise ModelError(
                f"directions have shape {array.shape}, must be [n, dimensions] or [n, {layers}, dimensions]: "
                f"the model has {layers} layers"
            )
        return _finite("directions", array)
    rows = _rows(array)
    if array.ndim != 2 or len(rows) == 1 or stem.endswith("_xcomp"):
        return rows
    alike = _likeness_of_rows(rows)
    if len(rows) == layers and alike > RIGHT_ANGLE:
        return rows[None]
    if alike > ONE_WAY:
        raise ModelError(
            f"a direction with {len(rows)} rows, one for each layer: the model has {layers} layers"
        )
    return rows


def _likeness_of_rows(rows: Floats) -> float:
    """How alike the rows of an array are, those of zeros left out: 0 at right angles, 1 on one line."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    if np.count_nonzero(lengths) < len(rows):
        return 1.0  # layers that a direction leaves as they are
    unit = rows / lengths[:, None]
    return float(np.median(np.abs(unit @ unit.T)[~np.eye(len(rows), dtype=bool)]))


def _numbered(name: str, components: Floats) -> list[str]:
    return [f"{name}{i}" for i in range(len(components))]


def _directions(
    names: list[str], components: Floats, space: LatentKind, key: str = "", scales: AnyArray | None = None
) -> Directions:
    """Directions with their scales, which a file has under a key. ModelError for scales that do not fit."""
    if scales is not None and scales.shape != (len(components),):
        raise ModelError(f"{key} has shape {scales.shape}, must be ({len(components)},)")
    sized = None if scales is None else _finite(key, scales)
    return Directions(tuple(names), np.ascontiguousarray(components), sized, space)


def _finite(name: str, array: AnyArray) -> Floats:
    if array.dtype.kind not in "fiu":
        raise ModelError(f"{name} are of type {array.dtype}, must be real numbers")
    with np.errstate(over="ignore"):  # what is too large is not finite, and refused for it
        floats = np.array(array, np.float32, order="C")  # what is read is a view of the file
    if not np.isfinite(floats).all():
        raise ModelError(f"{name} hold values that are not finite")
    return floats


def _key_list(found: Mapping[str, object]) -> str:
    return ", ".join(map(str, found)) or "no array"


def _arrays(path: Path, content: object) -> Arrays:
    """The arrays at the top of a file by name; a lone one is called `array`. Raises ModelError."""
    if isinstance(content, np.ndarray):
        return {"array": content}
    if not isinstance(content, Mapping):
        raise ModelError(f"{path} holds a {type(content).__name__}, must hold arrays")
    return {str(name): value for name, value in content.items() if isinstance(value, np.ndarray)}
