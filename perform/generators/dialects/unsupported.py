"""What a file holds that no family plays, in a few words for its owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from perform.networks.checkpoints.modules import StateDict

IMAGE_FILTER = "(an image filter, not a generator)"
KNOWN_NAMES: tuple[tuple[str, str], ...] = (  # of the names of a state dict, and what it then is
    (r"model\.(1|model\.0)\.weight", f"pix2pix or CycleGAN weights {IMAGE_FILTER}"),
    (r"(conv1|deconv1)\.conv2d\.weight", f"fast-neural-style weights {IMAGE_FILTER}"),
    (r"(conv_first|RRDB_trunk\.0.*|body\.0\.rdb1.*)\.weight", f"ESRGAN weights {IMAGE_FILTER}"),
    (r"model\.1\.sub\.0.*", f"ESRGAN weights {IMAGE_FILTER}"),
    (r"(D|b4)\.out\.weight|.*\bfromrgb\.weight|final_(conv|linear)\.0.*weight", "a discriminator only"),
    (r"blocks\.0\.0\.(conv1|bn1)\..*", "a BigGAN of another layout than Hugging Face's"),
    (r".*(down_blocks|input_blocks|double_blocks)\.0\..*", "a diffusion model, which is not played"),
    (r"eigvec", "directions (SeFa), not a network"),
    (r"lat_comp|act_comp", "directions (GANSpace), not a network"),
    (r"w|ws|latents?|projected_w", "latents, not a network"),
)
SHOWN_LENGTH, SHOWN_KEYS = 60, 6  # characters of a name, and how many names


def describe_known(state: StateDict) -> str | None:
    """What a state dict is, if its names are known but no family plays it. None if they are unknown."""
    for pattern, what in KNOWN_NAMES:
        if any(re.fullmatch(pattern, name) for name in state):
            return f"holds {what}"
    return None


def describe_unknown(state: StateDict) -> str:
    """A sentence on an unknown state dict."""
    name, array = next(iter(state.items()))
    first = f"{name[:SHOWN_LENGTH]!r} {array.shape}"
    return f"holds {len(state)} tensors of no network that is known here; the first is {first}"


def describe_value(content: object) -> str:
    """A sentence on what is not a state dict at all."""
    if isinstance(content, np.ndarray):
        return f"holds one array of shape {content.shape} (latents, perhaps), not a network"
    if isinstance(content, dict):
        return f"holds no tensors of a generator; there is {first_keys(content)}"
    return f"holds a {type(content).__name__}, not a network"


def first_keys(content: Mapping[Any, object]) -> str:
    """The first keys of a file."""
    return ", ".join(repr(str(key)[:SHOWN_LENGTH]) for key in list(content)[:SHOWN_KEYS]) or "nothing"
