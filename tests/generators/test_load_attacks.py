"""Valid files that ask for too much or contradict themselves: a clear error in little time and memory."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.generators.dialects import meanw
from perform.generators.load import load_weights
from perform.networks import ModelError
from perform.networks.checkpoints.limits import FREE_BYTES
from perform.networks.families import family
from tests.doubles import checkpoint_files as files
from tests.doubles.checkpoint_files import Call
from tests.doubles.foreign import LUCID, SECOND, State, names_of, rosinality_state, state_of, whole
from tests.doubles.networks import drawn

MEGABYTE = 1 << 20
LONG = "\x1b[31m[/red]\n" + "x" * 5000
ONE = np.ones(1, np.float32)


def torch_zip(state: dict[str, Any], wrap: Any = lambda value: value) -> bytes:
    """A torch zip of a state dict; a tuple in place of an array is a tensor of that shape over one value."""
    value, storages = {}, {}
    for number, (name, array) in enumerate(state.items()):
        stored = ONE if isinstance(array, tuple) else np.ascontiguousarray(array)
        tensor = files.tensor(stored, files.reference(stored, str(number)))
        if isinstance(array, tuple):
            tensor.args = (*tensor.args[:2], array, (0,) * len(array), *tensor.args[4:])
        value[name], storages[str(number)] = tensor, stored.tobytes()
    return files.zipped(wrap(value), storages)


def without_mean(**tensors: Any) -> bytes:
    """A StyleGAN2 whose mean has to be found, with other tensors in its mapping."""
    changed = {f"mapping.{name.replace('_', '.')}": array for name, array in tensors.items()}
    return torch_zip(
        {name: array for name, array in (names_of(SECOND) | changed).items() if "avg" not in name}
    )


def ones(*shape: int) -> Any:
    return np.ones(shape, np.float32)


def shared_names(make: Any) -> bytes:
    """Nested modules, each many times, under a long name."""
    part = make({"w": ONE}, {})
    for _ in range(2):
        part = make({}, {str(i): part for i in range(30)})
    return files.pickled(make({}, {"A" * MEGABYTE: part}))


def module(tensors: State, parts: dict[str, Any]) -> Call:
    own = {name: files.tensor(array) for name, array in tensors.items()}
    state = {"_parameters": own, "_buffers": {}, "_modules": parts}
    return Call(files.PERSISTENT, ({"class_name": "Generator", "state": state},))


def network(tensors: State, parts: dict[str, Any]) -> Call:
    own = [(name, files.ndarray(array)) for name, array in tensors.items()]
    return Call(files.NETWORK, (), {"version": 4, "components": parts, "variables": own}, new=True)


def stored_over_each_other(count: int) -> bytes:
    """A zip whose members are one long one; empty tensors of all of them."""
    stream, empty = io.BytesIO(), np.zeros(0, np.float32)
    value = [files.tensor(empty, files.reference(empty, str(i))) for i in range(count)]
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/data.pkl", files.pickled(value, 2))
        archive.writestr("a/data/0", bytes(8 * MEGABYTE))
        first = archive.infolist()[1]
        for number in range(1, count):
            again = zipfile.ZipInfo(f"a/data/{number}")
            for field in ("CRC", "compress_size", "file_size", "header_offset"):
                setattr(again, field, getattr(first, field))
            archive.filelist.append(again)
    return stream.getvalue()


def dcgan(kernels: int, start: tuple[int, int] = (2, 2)) -> bytes:
    shapes = [(1, 1, *start), *[(1, 1, 2, 2)] * kernels]
    return torch_zip({f"main.{i}.weight": shape for i, shape in enumerate(shapes)})


def training(state: State) -> bytes:
    return torch_zip(state, lambda value: {"GAN": value, "version": "1.8.0"})


def pickled_state(changed: dict[str, Any]) -> bytes:
    arrays = {**names_of(SECOND), **changed}
    return files.pickled({name: files.ndarray(array) for name, array in arrays.items()})


PRIME = (1 << 61) - 1  # whole numbers that differ by it are of one hash
FAR = 20_000_000_000
LUCIDS, ROSI = state_of(drawn(LUCID)), rosinality_state(SECOND)
ASKING: dict[str, tuple[bytes, str]] = {
    "places in the memo of one hash": (
        b"\x80\x02N" + b"".join(b"p%d\n" % (i * PRIME) for i in range(1, 20_000)) + b".",
        "a place that is not 0 to",
    ),
    "wide latents": (without_mean(fc0_weight=(7, 1 << 19)), "z_dim = 524288, must be 1 to"),
    "many classes": (
        without_mean(embed_weight=(1, 1 << 20), embed_bias=ones(1), fc0_weight=ones(7, 6)),
        "c_dim = 1048576, must be 0 to",
    ),
    "a far block": (
        training({**LUCIDS, f"GE.blocks.{FAR}.conv1.weight": ONE}),
        "has no place in a lucidrains",
    ),
    "a far picture": (torch_zip({**ROSI, f"to_rgbs.{FAR}.bias": ONE}), "has no place in a stylegan2"),
    "endless pictures": (dcgan(1500), "pictures would be endless"),
    "large pictures": (dcgan(14), "pictures would be 32768 x 32768"),
    "members over each other": (stored_over_each_other(2000), "lie over each other"),
    "names of modules": (shared_names(module), "a name of more than 300 characters"),
    "names of networks": (
        files.pickled((None, None, network({}, {"A" * MEGABYTE: network({"w": ONE}, {})}))),
        "a name of more than 300 characters",
    ),
    "names of nothing known": (torch_zip({**names_of(SECOND), f"{LONG}.weight": ONE}), "xxx…"),
    "words for numbers": (
        pickled_state({"mapping.w_avg": np.full(9, "1.5")}),
        "w_avg is of type <U3, must be of real numbers",
    ),
    "complex numbers": (pickled_state({"mapping.w_avg": np.full(9, 1j)}), "w_avg is of type complex128"),
    "numbers too large": (
        pickled_state({"mapping.w_avg": np.full(9, 1e300)}),
        "w_avg holds values that are not finite",
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ASKING)
def test_attacks_are_rejected_with_a_clear_error(tmp_path: Path, name: str) -> None:
    content, complaint = ASKING[name]
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=complaint) as caught:
            load_weights(path)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < FREE_BYTES + 40 * len(content)
    assert len(str(caught.value)) < len(str(path)) + 400 and str(caught.value).isprintable()


def test_text_of_a_file_is_printed_without_control_characters(tmp_path: Path) -> None:
    torch = torch_zip({**names_of(SECOND), LONG: ONE})
    version = torch_zip(LUCIDS, lambda value: {"GAN": value, "version": f"1.8{LONG}"})
    for number, content in enumerate((torch, version)):
        path = tmp_path / f"{number}.pt"
        path.write_bytes(content)
        told = list(load_weights(path).notes.values())
        assert all(note.isprintable() and len(note) < 200 for note in told)
        assert any("[31m" in note for note in told)


def test_wide_mappings_are_averaged_in_small_batches() -> None:
    config = replace(SECOND, c_dim=3, embed=4, mapping=(9000, 9))
    weights = whole(config)
    labels = np.eye(3, dtype=np.float32)[np.arange(meanw.SAMPLES) % 3]
    draw = np.random.Generator(np.random.PCG64(meanw.MEAN_SEED))
    z = draw.standard_normal((meanw.SAMPLES, config.z_dim), np.float32)
    steps = range(0, meanw.SAMPLES, 256)
    w = [family("stylegan2").mapping(weights)(z[i : i + 256], labels[i : i + 256]) for i in steps]
    found = meanw.with_mean_w(weights).arrays[meanw.MEAN_W]
    np.testing.assert_allclose(found, np.concatenate(w).mean(0), rtol=1e-4, atol=1e-4)
    with pytest.raises(ModelError, match=r"its mapping has .* values, may have"):
        huge = np.broadcast_to(ONE, (1 << 14, 1 << 13))
        meanw.with_mean_w(replace(weights, arrays={**weights.arrays, "mapping.fc0.weight": huge}))
