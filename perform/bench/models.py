"""Loading models, and how fast each family plays.

`load_*` are of a pickle of 300 MB as StyleGAN2-ADA writes one, read in a process of its own: seconds from
the open file to weights, and the process's highest memory as a multiple of the file. `*_torch` are pictures
a second of a family's network as plain torch calls in float32, `*_fast` of the form that plays.
"""

from __future__ import annotations

import json
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from perform import children, generators
from perform.arrays import Floats
from perform.bench import Figure
from perform.generators import biggan, dcgan, untrained
from perform.generators.stylegan2 import FILTER, Config, channel_table
from perform.generators.stylegan3.untrained import untrained as stylegan3
from perform.networks import Device
from perform.networks.weights import Weights
from perform.sampling.speed import pictures_per_second

PICKLE_BYTES = 300_000_000  # bytes of the pickle
LOAD_GOAL, MEMORY_GOAL = 5.0, 3.0  # seconds to load it, its size in memory
FAMILY_SECONDS = 3.0
# With the goal of the fast form.
BENCH_FAMILIES: Mapping[str, tuple[Callable[[], Weights], float | None]] = {
    "stylegan2_256": (lambda: untrained.untrained_weights("untrained"), 30.0),
    "stylegan3_t_64": (lambda: stylegan3(64, base=1024, most=32, z_dim=64, mapping=(64, 64)), 60.0),
    "biggan_128": (lambda: biggan.untrained(biggan.published(128)), None),
    "dcgan_64": (lambda: dcgan.untrained(64), None),
}
LOAD = """
import json, sys
from perform.bench import most_resident
from perform.clock import stopwatch
from perform.generators.load import load_weights
began = stopwatch()
load_weights(sys.argv[1])
print(json.dumps([stopwatch() - began, most_resident()]))
"""


def models_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Loading, then every family; or both of one model's file."""
    if model is not None:
        weights = generators.weights_of(model)  # first: it names what is wrong with a file
        if Path(model).is_file():
            yield from loading(Path(model))
        yield from _family(Path(model).stem, weights, None, seconds or FAMILY_SECONDS, device)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield from loading(write_pickle(Path(folder) / "network.pkl"))
    for name, (made, goal) in BENCH_FAMILIES.items():
        yield from _family(name, made(), goal, seconds or FAMILY_SECONDS, device)


def loading(file: Path) -> Iterator[Figure]:
    """How long a file takes to load in a fresh process, and how much memory."""
    command = children.command(LOAD, str(file))
    done = subprocess.run(command, capture_output=True, text=True, env=children.environment())
    if done.returncode:
        *_, last = done.stderr.splitlines() or [f"its process ended with {done.returncode}"]
        raise RuntimeError(f"{file} could not be loaded: {last}")
    size, (took, memory) = file.stat().st_size, json.loads(done.stdout)
    yield Figure("load_file", size / 1e6, "MB")
    yield Figure.at_most("load_seconds", took, "s", LOAD_GOAL)
    yield Figure.at_most("load_memory", 2**20 * memory / size, "x the file", MEMORY_GOAL)


def _family(
    name: str, weights: Weights, goal: float | None, seconds: float, device: Device
) -> Iterator[Figure]:
    from perform.networks.runtimes.torch.eager import Eager

    with closing(Eager(weights)) as plain:
        yield Figure(f"{name}_torch", pictures_per_second(plain, seconds), "pictures/s")
    with closing(generators.open(weights, device)) as unit:
        measured = pictures_per_second(unit, seconds)
    yield Figure.at_least(f"{name}_fast", measured, "pictures/s", goal)


class Call(NamedTuple):
    """What a pickle asks to be called, and with what: `module name`."""

    name: str
    arguments: tuple[object, ...]


def write_pickle(file: Path, size: int = PICKLE_BYTES, resolution: int = 1024, most: int = 512) -> Path:
    """A pickle of about `size` bytes in the layout of StyleGAN2-ADA's, of random weights: G_ema, as large a
    G, and in D what is left."""
    config = Config(channel_table(32 * resolution, most, resolution), most, mapping=(most,) * 8)
    draw = np.random.Generator(np.random.PCG64(0))
    arrays = {name: draw.standard_normal(shape, np.float32) for name, shape in config.shapes().items()}
    arrays |= {f"synthesis.{layer}.resample_filter": arrays[FILTER] for layer in config.layers}
    values = sum(array.size for array in arrays.values())
    left = np.zeros(max(size // 4 - 2 * values, 1), np.float32)
    network = _module("Generator", arrays, _init_kwargs={"synthesis_kwargs": {"conv_clamp": 256.0}})
    judge = _module("Discriminator", {"b4.fromrgb.weight": left})
    with file.open("wb") as stream:
        stream.write(b"\x80\x03")
        _write_value(stream, {"G": network, "D": judge, "G_ema": network, "augment_pipe": None})
        stream.write(b".")
    return file


def _module(kind: str, arrays: Mapping[str, Floats], **attributes: object) -> Call:
    """A module of tensors by dotted path, with its parts, as NVIDIA's persistence writes it."""
    own = {name: _tensor(array) for name, array in arrays.items() if "." not in name}
    parts: dict[str, dict[str, Floats]] = {}
    for name, array in arrays.items():
        part, dot, rest = name.partition(".")
        if dot:
            parts.setdefault(part, {})[rest] = array
    modules = {part: _module("Part", inner) for part, inner in parts.items()}
    state = {"_parameters": own, "_buffers": {}, "_modules": modules, **attributes}
    meta = {"type": "class", "version": 6, "module_src": "", "class_name": kind, "state": state}
    return Call("torch_utils.persistence _reconstruct_persistent_obj", (meta,))


def _tensor(array: Floats) -> Call:
    """A tensor as torch pickles it, its storage a file within the file."""
    import torch

    content = BytesIO()
    untyped = torch.from_numpy(np.ascontiguousarray(array).ravel()).untyped_storage()
    storage = torch.storage.TypedStorage(wrap_storage=untyped, dtype=torch.float32, _internal=True)  # type: ignore[no-untyped-call]
    torch.save(storage, content, _use_new_zipfile_serialization=False)
    strides = tuple(int(np.prod(array.shape[i + 1 :])) for i in range(array.ndim))
    inner = Call("torch.storage _load_from_bytes", (content.getvalue(),))
    no_hooks = Call("collections OrderedDict", ())
    return Call("torch._utils _rebuild_tensor_v2", (inner, 0, array.shape, strides, False, no_hooks))


def _write_value(stream: BinaryIO, value: object) -> None:
    """A value in the opcodes of pickle's protocol 3: plain ones, and calls, which nothing here makes."""
    match value:
        case Call(name, arguments):
            stream.write(b"c" + name.replace(" ", "\n").encode() + b"\n")
            _write_value(stream, arguments)
            stream.write(b"R")
        case None | bool():
            stream.write({None: b"N", True: b"\x88", False: b"\x89"}[value])
        case int():
            stream.write(b"J" + struct.pack("<i", value))
        case float():
            stream.write(b"G" + struct.pack(">d", value))
        case str():
            stream.write(b"X" + struct.pack("<I", len(value.encode())) + value.encode())
        case bytes():
            stream.write(b"B" + struct.pack("<I", len(value)) + value)
        case tuple():
            stream.write(b"(")
            for item in value:
                _write_value(stream, item)
            stream.write(b"t")
        case dict():
            stream.write(b"}(")
            for item in (part for pair in value.items() for part in pair):
                _write_value(stream, item)
            stream.write(b"u")
        case _:
            raise TypeError(f"{type(value).__name__} is not written here")
