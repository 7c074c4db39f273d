"""Without a GPU: a network on another device makes no tensor elsewhere and reads no value back.

Either would stop a CUDA graph from being captured. Torch's meta device shows both and computes nothing.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from perform.networks.bending import OPERATIONS, Bend, pack_values
from perform.networks.families import family
from perform.networks.runtimes.torch.network import build_network, to_pixels
from perform.networks.weights import Weights
from tests.doubles.networks import FAMILIES
from tests.folders import ROOT


class Elsewhere(TorchDispatchMode):
    """Collects the operations that give a tensor on the processor."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if any(isinstance(one, torch.Tensor) and one.device.type == "cpu" for one in tree_leaves(made)):
            self.found.append(str(func))
        return made


def elsewhere(weights: Weights, bends: list[Bend]) -> list[str]:
    config = weights.config
    synthesis = build_network(weights, "float16", bends).to("meta")
    controls = {parameter.name: parameter.default for parameter in config.parameters}
    given = list(family(config.family).inputs(weights)(controls))
    given += [pack_values(bends, ())] if bends else []
    ws = torch.empty(config.space.num_ws, config.space.w_dim, device="meta")
    inputs = [torch.empty(array.shape, device="meta") for array in given]
    with torch.inference_mode():
        memories = synthesis(ws, *inputs)[1:]
        with Elsewhere() as watch:
            picture = synthesis(ws, *inputs, *memories)[0]
            to_pixels(picture)
    assert picture.device.type == "meta"
    return watch.found


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_stays_on_its_device(name: str) -> None:
    assert elsewhere(FAMILIES[name](), []) == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_bend_stays_on_its_device(operation: str) -> None:
    weights = FAMILIES["stylegan2"]()
    assert elsewhere(weights, [Bend(operation, "b8.conv1")]) == []


def test_the_device_check_detects_other_devices() -> None:
    with Elsewhere() as watch:
        torch.ones(1).to("meta")
    assert "aten.ones.default" in watch.found


BUILDS = """
import sys
from perform.generators.stylegan3.untrained import untrained
from perform.networks.runtimes.torch.network import build_network
from tests.doubles.networks import WEIGHTS
for weights in (WEIGHTS, untrained(16, base=256, most=16, measured=False)):
    build_network(weights)
sys.exit("torch._dynamo" in sys.modules)
"""


def test_a_network_is_built_without_the_compiler_of_torch() -> None:
    """Which takes seconds to load: a calculation on the device meta is enough to load it."""
    assert subprocess.run([sys.executable, "-c", BUILDS], cwd=ROOT, check=False).returncode == 0
