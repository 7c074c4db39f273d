"""`perform models export`: a model as one file to share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perform.generators.load import load_weights
from perform.generators.model import Model
from perform.models import store
from perform.networks.modelfiles import discriminator_file, read_weights, write_weights
from tests.doubles.command import run
from tests.folders import FOREIGN


def test_a_half_precision_export_is_half_as_large_and_nearly_the_same() -> None:
    assert "flora.safetensors" in run("models", "export", FOREIGN, "flora.safetensors")
    run("models", "export", FOREIGN, "half.safetensors", "--precision", "float16", "--title", "Flora")
    whole, half = Path("flora.safetensors"), Path("half.safetensors")
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    one, other = load_weights(FOREIGN), read_weights(half)
    for name, array in one.arrays.items():
        assert np.array_equal(read_weights(whole).arrays[name], array)
        assert np.array_equal(other.arrays[name], array.astype(np.float16))
    assert other.notes["title"] == "Flora"
    assert other.notes["licence"] == one.notes["licence"]
    assert "Flora" in run("models", "info", half, "--no-measure")
    assert "the same as when it was" in run("models", "verify", half)


def test_a_built_in_model_is_exported() -> None:
    run("models", "export", "untrained-small", "mine.safetensors")
    assert read_weights("mine.safetensors").config == Model.read("untrained-small").config


def test_an_imported_model_is_exported() -> None:
    run("models", "import", FOREIGN, "flora")
    run("models", "export", "flora", "mine.safetensors", "--licence", "CC0")
    notes = read_weights("mine.safetensors").notes
    assert "sha256" not in notes
    assert notes["licence"] == "CC0"


def test_a_discriminator_next_to_a_model_is_exported_with_it() -> None:
    run("models", "export", "untrained-small", "tulips.safetensors")
    judge = discriminator_file(Path("tulips.safetensors"))
    judge.write_bytes(b"what it learnt against")
    run("models", "import", "tulips.safetensors", "tulips")
    kept = discriminator_file(store.models_folder() / "tulips.safetensors")
    assert kept.read_bytes() == b"what it learnt against"
    run("models", "import", FOREIGN, "tulips", "--force")
    assert not kept.exists()
    run("models", "export", "untrained-small", "tulips.safetensors", "--force")
    assert not judge.exists()


def test_a_model_cannot_be_named_like_a_companion_file() -> None:
    said = run("models", "import", FOREIGN, "tulips.discriminator", expect=1)
    assert "cannot be a model's name" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "a.safetensors"], "nowhere: there is no such model"),
        ([FOREIGN, "a.pt"], "a.pt, must be a .safetensors"),
        ([FOREIGN, "none/a.safetensors"], "none/a.safetensors cannot be written"),
        ([FOREIGN, "a.safetensors", "--precision", "int4"], "must be one of float32, float16"),
        (["loud.safetensors", "a.safetensors", "--precision", "float16"], "b4.const goes up to 70000"),
    ],
)
def test_impossible_exports_are_rejected(folder: Path, words: list[object], sentence: str) -> None:
    found = load_weights(FOREIGN)
    name = "synthesis.b4.const"
    loud = {**found.arrays, name: np.full_like(found.arrays[name], 70000)}
    write_weights(folder / "loud.safetensors", replace(found, arrays=loud))
    assert sentence in run("models", "export", *words, expect=1)
    assert not list(folder.rglob("a.*"))
