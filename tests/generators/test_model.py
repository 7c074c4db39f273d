"""Models: the facts of a name or a file before it is opened."""

import os
from pathlib import Path

import pytest

from perform.generators.model import Model
from perform.library import Library
from perform.networks import ModelError
from perform.networks.modelfiles import write_weights
from tests.doubles.networks import WEIGHTS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    write_weights(tmp_path / "models/own.safetensors", WEIGHTS)
    return tmp_path / "models/own.safetensors"


def test_a_saved_model_file_is_a_new_model(file: Path) -> None:
    library = Library(file.parent.parent)
    first = library.model("own")
    assert library.model("own") is first and first == Model.read(file)
    os.utime(file, (1, 1))
    again = library.model("own")
    assert not first.is_current and again.is_current and again != first


def test_a_model_has_the_facts_of_its_header(file: Path) -> None:
    model = Model.read(file)
    config = WEIGHTS.config
    assert (model.name, model.place, str(model)) == ("own", str(file), str(file))
    assert (model.space, model.size, model.layers) == (config.space, config.size, config.bendable)
    assert {one.name for one in model.parameters} > {one.name for one in config.parameters}
    assert model.memory > 0 and not model.is_built_in and Model.read("untrained-small").is_built_in


def test_a_missing_model_is_rejected(file: Path) -> None:
    with pytest.raises(ModelError, match="is not a file"):
        Model.read(file.with_name("lost.safetensors"))
