"""Small networks whose weights are drawn, and a CUDA graph that needs no GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from perform.generators import biggan, dcgan, lucidrains, singan, stylegan1, stylegan2
from perform.generators.stylegan3.untrained import untrained
from perform.networks.weights import Weights


def drawn(config: Any, seed: int = 1) -> Weights:
    """Weights of a standard normal distribution."""
    draw = np.random.default_rng(seed)
    arrays = {name: draw.standard_normal(shape, np.float32) for name, shape in config.shapes().items()}
    return Weights(config, arrays, {})


def vivid(config: Any, seed: int = 1, **notes: str) -> Weights:
    """Weights with a strong mapping, so that pictures of different latents differ much."""
    draw = np.random.default_rng(seed)
    arrays = {
        name: np.asarray(draw.standard_normal(shape) * (100 if "mapping.fc" in name else 0.5), np.float32)
        for name, shape in config.shapes().items()
    }
    return Weights(config, arrays, notes)


def untrained_singan() -> Weights:
    """Seeded random weights of strong contrast."""
    config = singan.Config(((8, 8), (16, 16), (32, 32)), (8, 8, 8))
    draw = np.random.Generator(np.random.PCG64(1905))
    arrays = {}
    for name, shape in config.shapes().items():
        spread = np.sqrt(2 / np.prod(shape[1:])) if name.endswith("weight") else 1.0
        drawn = draw.standard_normal(shape, np.float32) * np.float32(spread)
        arrays[name] = np.zeros_like(drawn) if name.endswith("bias") else np.asarray(drawn)
        if name.endswith("amplitude"):
            arrays[name] = np.full((), 0.3, np.float32)
    return Weights(config, arrays, {"title": "untrained: seeded random weights", "licence": "MIT"})


FAMILIES: dict[str, Callable[[], Weights]] = {  # the smallest network of each
    "biggan": lambda: biggan.untrained(
        biggan.Config(biggan.published(128).layers[-4:], 4, z_dim=6, embed=5, classes=3, attention=2)
    ),
    "dcgan": lambda: dcgan.untrained(32, 8),
    "lucidrains": lambda: vivid(lucidrains.Config((6, 6, 5, 4), z_dim=5, mapping=(5, 5)), title="a test"),
    "singan": untrained_singan,
    "stylegan1": lambda: vivid(
        stylegan1.Config((6, 6, 5, 4, 4, 3), z_dim=5, mapping=(7, 9), fused=16), title="a test"
    ),
    "stylegan2": lambda: vivid(stylegan2.Config((8, 8, 8, 6, 6, 4), z_dim=5, mapping=(9, 8)), title="a test"),
    "stylegan3": lambda: untrained(16, base=256, most=16),
}

CONFIG = stylegan2.Config((8, 8, 8, 6, 6, 4), z_dim=5, mapping=(9, 8), clamp=256.0)
WEIGHTS = vivid(CONFIG)
WS = np.random.default_rng(3).standard_normal((6, 8)).astype(np.float32)


def unrecorded(run: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """In place of a CUDA graph, on the CPU: a replay runs the same calls on the same tensors."""
    output = run().clone()

    def replay() -> None:
        output.copy_(run())

    return replay, output
