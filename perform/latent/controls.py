"""The declared controls of a latent: truncation, class and noise, which every family of generators shares."""

from __future__ import annotations

from dataclasses import replace

from perform.latent.directions import LAYERS
from perform.latent.space import SEEDS
from perform.parameters import Parameter

STORED = -1  # the `noise_seed` that means: the noise stored with the network

LATENT: tuple[Parameter, ...] = (
    Parameter(
        "truncation",
        0.7,
        -1.5,
        2.0,
        description="distance from the mean: 0 the mean, 1 as trained, <0 opposite",
    ),
    Parameter(
        "cutoff", -1, -1, 64, "layers", "how many layers are truncated, coarsest first; -1: all", "int"
    ),
    Parameter(
        "centre", (), 0, SEEDS - 1, "", "seeds that truncation draws to; of several the nearest", "list"
    ),
    Parameter("kept", "", description="a file of latents that truncation draws to, likewise", kind="text"),
    Parameter("label", 0.0, 0.0, 2.0**16, "", "class, for conditional models; between two: a mix of them"),
)
NOISE: tuple[Parameter, ...] = (
    Parameter("noise", 1.0, 0.0, 4.0, description="strength of the fine random detail"),
    Parameter("noise_seed", STORED, STORED, 2**31 - 1, "", "which noise; -1: the model's own", "int"),
    Parameter("noise_phase", 0.0, -1e6, 1e6, "seeds", "onwards from that noise; between two it goes over"),
)
NOISE_LAYERS = replace(LAYERS, name="noise_layers", description="the first and the last layer with noise")
