"""Blends of a preset: what does not fit together is a fault of the preset, before anything plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.library import Library
from perform.scenes.reader import read_scene
from tests.doubles.library import save

BLEND = """
title = "Blend"
[generator]
model = "{model}"
[generator.blend]
model = "{other}"
[latent]
path = "walk"
"""


@pytest.mark.parametrize(
    ("model", "other", "said"),
    [
        ("flora", "flora-64", "flora-64 cannot be blended in: it is a dcgan, not a stylegan2"),
        ("flora-64", "flora", "flora cannot be blended in: it is a stylegan2, not a dcgan"),
        ("untrained", "untrained-small", "untrained-small cannot be blended in: its channels are "),
    ],
)
def test_models_that_do_not_fit_are_a_fault_of_the_preset(
    tmp_path: Path, model: str, other: str, said: str
) -> None:
    save(tmp_path / "a.toml", BLEND.format(model=model, other=other))
    with pytest.raises(ValueError, match=r"a\.toml: generator\.blend\.model = ") as caught:
        read_scene(tmp_path / "a.toml", Library())
    assert f"a.toml: generator.blend.model = {other!r}: {said}" in str(caught.value)
    save(tmp_path / "a.toml", BLEND.format(model=model, other=model))
    assert read_scene(tmp_path / "a.toml", Library()).layers[0].blend is not None
