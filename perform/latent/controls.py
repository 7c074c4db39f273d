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
        description="distance from the mean: 0 the mean, 1 as trained, below 0 the opposite",
    ),
    Parameter(
        "cutoff", -1, -1, 64, "layers", "how many layers are truncated, coarsest first; -1: all", "int"
    ),
    Parameter(
        "centre",
        (),
        0,
        SEEDS - 1,
        "",
        "seeds to truncate towards, not the mean; of several the nearest",
        "list",
    ),
    Parameter("kept", "", description="a file of latents to truncate towards", kind="text"),
    Parameter("label", 0.0, 0.0, 2.0**16, "", "class of a conditional model; 3.5 mixes the classes 3 and 4"),
)
NOISE: tuple[Parameter, ...] = (
    Parameter("noise", 1.0, 0.0, 4.0, description="strength of the fine random detail"),
    Parameter("noise_seed", STORED, STORED, 2**31 - 1, "", "seed of the noise; -1: the model's own", "int"),
    Parameter("noise_phase", 0.0, -1e6, 1e6, "seeds", "moves on from that noise; a fraction is a mix"),
)
NOISE_LAYERS = replace(LAYERS, name="noise_layers", description="the first and the last layer with noise")
