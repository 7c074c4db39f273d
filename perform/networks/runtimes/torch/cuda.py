"""Any family on an NVIDIA GPU: half precision, channels last, captured once as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import cycle
from threading import Lock
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from perform.arrays import Floats, Pixels
from perform.networks import Precision
from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors
from perform.networks.controls import NetworkValues
from perform.networks.runtimes.base import Runtime
from perform.networks.runtimes.inputs import DEFAULTS
from perform.networks.runtimes.torch.network import build_network, choose_precision, to_pixels
from perform.networks.runtimes.torch.picture import DevicePicture
from perform.networks.weights import Weights

Capture: TypeAlias = Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]]

WARM_UP_RUNS = 3  # runs before the capture: libraries load and take their workspaces in them
CAPTURE_LOCK = Lock()  # models may be opened on several threads; torch records one graph at a time


def capture_graph(run: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """A CUDA graph of `run`: the function that replays it, and the tensor that each replay fills.

    Another model may play on another thread at the same time. Its calls are not recorded (`thread_local`)
    and do not break this recording.
    """
    aside, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with CAPTURE_LOCK:
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP_RUNS):
                run()
        torch.cuda.current_stream().wait_stream(aside)
        with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
            output = run()
    return graph.replay, output


def deterministic_cudnn() -> AbstractContextManager[None]:
    """cuDNN with algorithms that give the same result each time, chosen by rules and not by timing: a frame
    is a function of its inputs. A graph that is captured inside keeps these algorithms."""
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return flags


class Cuda(Runtime):
    """A generator on the current CUDA device. Only tests change `capture` and `device`.

    The graph reads the latent and the family's inputs from fixed tensors and writes pictures to two
    page-locked arrays in turn. `fuse` replaces the ends of layers by our own kernels (`generators.kernels`);
    it is not the default until a GPU has shown that they are faster.
    """

    def __init__(
        self,
        weights: Weights,
        precision: Precision = "auto",
        capture: Capture = capture_graph,
        device: str = "cuda",
        bends: Sequence[Bend] = (),
        other: BlendTensors | None = None,
        fuse: Callable[[torch.nn.Module], int] | None = None,
    ) -> None:
        chosen = choose_precision("cuda", precision)
        super().__init__(weights, device, chosen, "", bends, other)
        pinned = device == "cuda"
        self._synthesis = build_network(weights, chosen, bends, other).to(device)
        if fuse:
            fuse(self._synthesis)
        space = self.space
        self._given = (np.zeros((space.num_ws, space.w_dim), np.float32), *self._inputs())
        # Copies, to be written over
        self._tensors = [torch.tensor(array, device=device) for array in self._given]
        with torch.inference_mode(), deterministic_cudnn():
            self._memories = self._synthesis(*self._tensors)[1:]
            self._replay, self._output = capture(self._run)
        self._fresh = bool(self._memories)
        blank = torch.zeros(self._output.shape, dtype=torch.uint8)
        self._pages = cycle([blank.pin_memory() if pinned else blank.clone() for _ in range(2)])

    def close(self) -> None:
        """Release the graph's memory to torch."""
        for name in ("_replay", "_output", "_synthesis", "_memories", "_tensors"):
            vars(self).pop(name, None)

    def _run(self) -> Tensor:
        picture, *memories = self._synthesis(*self._tensors, *self._memories)
        self._remember(memories)
        return to_pixels(picture)[0].contiguous()

    def _remember(self, memories: Sequence[Tensor]) -> None:
        for memory, new in zip(self._memories, memories, strict=True):
            memory.copy_(new)

    @torch.inference_mode()
    def picture(self, ws: Floats, values: NetworkValues = DEFAULTS) -> DevicePicture:
        """As `synthesise`, but the picture stays on the GPU; its memory is its own."""
        self._draw(*self._taken(ws, values))
        return DevicePicture.of(self._output)

    @torch.inference_mode()
    def _picture(self, ws: Floats, *inputs: Floats) -> Pixels:
        self._draw(ws, *inputs)
        page = next(self._pages)
        page.copy_(self._output)  # waits for the replay
        return page.numpy()

    def _draw(self, ws: Floats, *inputs: Floats) -> None:
        """Begin to draw into the graph's output."""
        # Inputs that change are new arrays; ws may be the caller's own array, overwritten.
        for i, (array, before) in enumerate(zip((ws, *inputs), self._given, strict=True)):
            if i == 0 or array is not before:
                self._tensors[i].copy_(torch.from_numpy(array))
        self._given = (ws, *inputs)
        if self._fresh:  # memories begin with the first picture, not with that of the capture
            self._remember(self._synthesis(*self._tensors)[1:])
            self._fresh = False
        self._replay()
