"""The built-in networks say by their names what they are; the old names, of channels, still play."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from perform import generators
from perform.generators import untrained
from perform.generators.model import Model
from perform.library import Library

OLD = {
    "untrained-64": "untrained-small",
    "untrained-128": "untrained-medium",
    "untrained-256": "untrained-large",
}


@pytest.mark.parametrize(("old", "new"), OLD.items())
def test_an_old_name_means_the_new_network_and_says_so_once(
    old: str, new: str, caplog: pytest.LogCaptureFixture
) -> None:
    untrained.present_name.cache_clear()
    caplog.set_level(logging.WARNING, "perform")
    for _ in range(2):
        assert Library(Path("nowhere")).model_place(old) == new
    assert Model.read(old) == Model.read(new) and Model.read(old).size == (256, 256)
    assert caplog.messages == [f"{old} is now called {new} (its pictures are 256x256)"]


def test_both_have_the_same_weights() -> None:
    one, two = (generators.weights_of(name) for name in ("untrained-64", "untrained-small"))
    assert one.arrays.keys() == two.arrays.keys()
    assert all(np.array_equal(one.arrays[name], two.arrays[name]) for name in one.arrays)


def test_only_the_new_names_are_listed() -> None:
    assert [*untrained.BUILT_IN] == ["untrained", "untrained-small", "untrained-medium", "untrained-large"]
    assert not any(character.isdigit() for name in untrained.BUILT_IN for character in name)
