"""The Triton kernels against their references in plain torch, on a GPU or in Triton's interpreter.

Where there is no GPU, with Triton installed:
`TRITON_INTERPRET=1 python -m pytest tests/generators/test_kernels.py`
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from perform.generators.stylegan2 import Config
from perform.generators.stylegan2.network import finished
from perform.generators.stylegan3.network import finished as alias_free_finished
from perform.generators.stylegan3.untrained import untrained
from perform.networks.runtimes.torch.network import build_network
from perform.networks.weights import Weights
from tests.laws import ROOT

pytest.importorskip("triton", reason="no triton here")
GPU = torch.cuda.is_available()
if not GPU and os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("no GPU here, and TRITON_INTERPRET is not 1", allow_module_level=True)

from perform.generators.kernels import fuse  # noqa: E402
from perform.generators.stylegan2 import kernel as modulated  # noqa: E402
from perform.generators.stylegan3 import kernel as alias_free  # noqa: E402
from tests.doubles.networks import vivid  # noqa: E402

DEVICE = "cuda" if GPU else "cpu"
NEAR = {torch.float32: 2e-5, torch.float16: 4e-3}


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    values = np.random.default_rng(sum(shape)).standard_normal(shape)
    return torch.from_numpy(values).to(DEVICE, dtype)


def close(made: torch.Tensor, expected: torch.Tensor) -> None:
    assert made.shape == expected.shape and made.dtype == expected.dtype
    error = (made.float() - expected.float()).abs().max() / expected.float().abs().max()
    assert error < NEAR[made.dtype]


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize(("noisy", "clamp"), [(True, 0.7), (False, None)])
@pytest.mark.parametrize("shape", [(1, 5, 6, 9), (2, 130, 4, 4)])
def test_the_modulated_kernel_equals_plain_torch(
    dtype: torch.dtype, up: bool, noisy: bool, clamp: float | None, shape: tuple[int, int, int, int]
) -> None:
    n, channels, height, width = shape
    x = normal(n, channels, height + up, width + up, dtype=dtype)
    noise, kernel = normal(height, width) if noisy else None, normal(4, 4) if up else None
    given = (normal(n, channels), noise, normal(channels), kernel, 0.5, clamp)
    made = modulated.finished(x, *given)
    close(made, finished(x.float(), *given).to(dtype))
    assert made.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", NEAR)
@pytest.mark.parametrize("cells", [32, 64])
def test_the_alias_free_kernel_equals_plain_torch(dtype: torch.dtype, cells: int) -> None:
    weights = untrained(32, base=32, most=2, num_layers=6, measured=False, clamp=1.5)
    modules = build_network(weights, "float32").to(DEVICE).modules()
    layers = [layer for layer in modules if isinstance(layer, alias_free.Layer)]
    taken = [layer for layer in layers if alias_free.takes(layer)]
    assert len(taken) == len(layers) - 1
    assert {(layer.up, layer.down) for layer in taken} >= {(2, 2), (4, 2)}
    for i, layer in enumerate(taken):
        layer.bias.copy_(normal(len(layer.bias)))
        width, height = weights.config.sizes[i]
        edge = layer.weight.shape[2] - 1
        x = normal(1, len(layer.bias), height + edge, width + edge, dtype=dtype)
        demodulation = normal(1, len(layer.bias)).abs()
        expected = alias_free_finished(layer, x.float(), demodulation).to(dtype)
        if layer.scaled is not None:
            layer.scaled = layer.scaled.to(dtype)
        close(alias_free.Finish(layer, cells)(layer, x, demodulation), expected)


def test_filters_longer_than_a_tile_are_rejected() -> None:
    with pytest.raises(ValueError, match="cells = 16, must be 32 or more"):
        alias_free.axis(torch.ones(24), 4, 3, torch.ones(24), 2, 16)


@pytest.mark.parametrize(
    "weights",
    [
        vivid(Config((8, 8, 8, 6, 6, 4), z_dim=5, mapping=(9, 8), clamp=256.0)),
        vivid(replace(Config((8, 8, 8, 6), z_dim=5, mapping=(9, 8)), architecture="resnet")),
        untrained(16, base=32, most=3, num_layers=4),
        untrained(16, "r", base=16, most=2, num_layers=4),
    ],
    ids=["stylegan2", "resnet", "stylegan3-t", "stylegan3-r"],
)
def test_a_fused_network_draws_the_same(weights: Weights) -> None:
    from perform.networks.families import family

    inputs = family(weights.config.family).inputs(weights)
    controls = {parameter.name: parameter.default for parameter in weights.config.parameters}
    given = [torch.tensor(array, device=DEVICE) for array in inputs(controls)]
    ws = normal(weights.config.space.num_ws, weights.config.space.w_dim)
    plain, fused = (build_network(weights).to(DEVICE) for _ in range(2))
    assert fuse(fused) >= 2
    with torch.inference_mode():
        close(fused(ws, *given)[0], plain(ws, *given)[0])


COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from perform.generators.stylegan2 import kernel as modulated
from perform.generators.stylegan3 import kernel as alias_free

def built(kernel, halves, floats, **constants):
    kinds = dict.fromkeys(halves, "*fp16") | dict.fromkeys(floats, "*fp32")
    kinds |= dict.fromkeys(("gain", "limit"), "fp32") | dict.fromkeys(constants, "constexpr")
    signature = {name: kinds.get(name, "i32") for name in kernel.arg_names}
    made = triton.compile(ASTSource(kernel, signature, constants), target=GPUTarget("cuda", 90, 32))
    assert made.asm["cubin"]
    return made.asm["ptx"]

# compiled, not run: a kernel for another machine's GPU has no caller here
common = dict(limits=True, slope=0.2)
for filters in (False, True):
    built(modulated._finish, ("x", "out"), ("demodulation", "noise", "bias", "taps"),
          noisy=True, filters=filters, rows=16, columns=128, **common)
ptx = built(alias_free._finish, ("x", "out", "up_y", "up_x", "down_y", "down_x"), ("demodulation", "bias"),
            cells=32, source_y=32, source_x=16, results=16, **common)
assert "mma" in ptx
"""


def test_kernels_compile_for_another_gpu() -> None:
    known = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILED],
        capture_output=True,
        text=True,
        env={**known, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
