"""Generators: networks that make a picture from a point of a latent space.

- a package for each family (`stylegan2`, `dcgan` …): its configuration, its mapping, its torch network
- `mapping`, `noise`, `blocks`, `torchnetworks`: what several families share
- `load`, `dialects`: other projects' model files, recognised and renamed to a family's tensors
- `latents`: files of latents and of directions; `untrained`: the built-in networks
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from perform.arrays import DevicePixels, Floats, Pixels
from perform.generators.extending import Extension, extended_weights
from perform.latent.space import Space
from perform.networks import Device, ModelError, Precision
from perform.networks.devices import choose_device
from perform.networks.weights import Weights
from perform.parameters import Parameter

if TYPE_CHECKING:
    from perform.generators.model import Model
    from perform.networks.bending import Bend
    from perform.networks.blending import Blend, BlendTensors
    from perform.networks.controls import NetworkValues

# Compiles a model into the cache: model, precision, threads, bends, blend, extension.
Compile: TypeAlias = (
    "Callable[[Model | str | Path, Precision, int, Sequence[Bend], Blend | None, Extension | None], None]"
)


class Generator(Protocol):
    """A trained generator, ready to play.

    `space` describes its latents, `parameters` its controls (truncation, noise strength and the
    like), `size` is (width, height) of its pictures in pixels.
    """

    space: Space
    parameters: tuple[Parameter, ...]
    size: tuple[int, int]

    def map(self, z: Floats, labels: Floats | None = None) -> Floats:
        """z [n, z_dim] and labels [n or 1, c_dim] to w [n, w_dim], before truncation."""
        ...

    def mean(self, labels: Floats | None = None) -> Floats:
        """The centre of truncation [w_dim] for labels [1, c_dim]."""
        ...

    def synthesise(self, ws: Floats, values: NetworkValues = ...) -> Pixels:
        """ws [num_ws, w_dim] to a picture [height, width, channels], sRGB. What is not in `values` has its
        default."""
        ...

    def close(self) -> None:
        """Release the network's memory and device."""
        ...


@runtime_checkable
class DrawsOnDevice(Protocol):
    """A generator whose pictures can stay in the memory of its graphics card."""

    def picture(self, ws: Floats, values: NetworkValues = ...) -> DevicePixels:
        """As `synthesise`, on the card; the picture is complete, and its memory is its own."""
        ...


def open(
    model: Model | Weights | str | Path,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: int = 0,
    bends: Sequence[Bend] = (),
    blend: Blend | None = None,
    extension: Extension | None = None,
    compiler: Compile | None = None,
) -> Generator:
    """A generator, ready to play: of a model, a built-in's name (`untrained`), a model file, or weights.

    `device` auto takes CUDA, then Apple's GPU, then the CPU; `threads` is for the CPU, 0 leaves it
    to the runtime. `bends`, a `blend` with another model and an `extension` are compiled into the
    network, by the `compiler` if the cache does not have it. Raises ModelError with the fault and what
    is allowed.
    """
    device = choose_device(device)  # before a large file is read for a device that is not there
    weights = extended_weights(weights_of(model), extension)
    other = _second(weights, blend, extension) if blend else None
    if device == "cuda":
        from perform.networks.runtimes.torch.cuda import Cuda

        return Cuda(weights, precision, bends=bends, other=other)
    if device == "cpu" and find_spec("openvino"):
        from perform.networks.runtimes.openvino.runtime import OpenVino

        fill_cache = None
        if compiler and not isinstance(model, Weights):
            fill_cache = partial(compiler, model, precision, threads, bends, blend, extension)
        return OpenVino(weights, precision, threads, bends, other, fill_cache)
    from perform.networks.runtimes.torch.eager import Eager

    return Eager(weights, device, precision, bends, other)


def weights_of(model: Model | Weights | str | Path) -> Weights:
    """The weights of a built-in or a file of any known project. Raises ModelError."""
    from perform.generators import load, untrained

    if isinstance(model, Weights):
        return model
    place = untrained.present_name(str(model))
    if place in untrained.BUILT_IN:
        return untrained.untrained_weights(place)
    if not Path(place).is_file():
        names = ", ".join(untrained.BUILT_IN)
        raise ModelError(f"{place} is not a file, must be a model file or one of {names}")
    return load.load_weights(place)


def _second(weights: Weights, blend: Blend, extension: Extension | None) -> BlendTensors:
    from perform.networks.blending import blend_tensors

    return blend_tensors(weights, extended_weights(weights_of(blend.model), extension), blend)
