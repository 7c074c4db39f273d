"""Any family on an NVIDIA GPU: half precision, channels last, captured once as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from perform.generators import Floats, Pixels, Precision
from perform.generators.bending import Bend
from perform.generators.blending import Second
from perform.generators.runtimes.base import Base
from perform.generators.runtimes.eager import choose, network, pixels
from perform.generators.weights import Weights

Capture: TypeAlias = Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]]

WARM_UP = 3  # runs before the capture: cuDNN chooses its algorithms in them


def capture(run: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """A CUDA graph of `run`: what replays it, and the tensor that each replay fills."""
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            run()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = run()
    return graph.replay, output


class Cuda(Base):
    """A generator on the current CUDA device. `capture` and `device` are others only in tests.

    The graph reads the latent and the family's inputs from tensors that stay where they are; a
    picture leaves through one of two page-locked arrays in turn.
    """

    def __init__(
        self,
        weights: Weights,
        precision: Precision = "auto",
        capture: Capture = capture,
        device: str = "cuda",
        bends: Sequence[Bend] = (),
        other: Second | None = None,
    ) -> None:
        chosen = choose("cuda", precision)
        super().__init__(weights, device, chosen, "", bends, other)
        pinned = device == "cuda"
        self._synthesis = network(weights, chosen, bends, other).to(device)
        space = self.space
        self._given = (np.zeros((space.num_ws, space.w_dim), np.float32), *self._inputs({}))
        # Copies, to be written over
        self._tensors = [torch.tensor(array, device=device) for array in self._given]
        with torch.inference_mode():
            self._memories = self._synthesis(*self._tensors)[1:]
            self._replay, self._output = capture(self._run)
        blank = torch.zeros(self._output.shape, dtype=torch.uint8)
        self._pages = cycle([blank.pin_memory() if pinned else blank.clone() for _ in range(2)])

    def close(self) -> None:
        """Give the graph's memory back to torch."""
        for name in ("_replay", "_output", "_synthesis"):
            vars(self).pop(name, None)

    def _run(self) -> Tensor:
        picture, *memories = self._synthesis(*self._tensors, *self._memories)
        for memory, new in zip(self._memories, memories, strict=True):
            memory.copy_(new)
        return pixels(picture)[0]

    @torch.inference_mode()
    def _picture(self, ws: Floats, *inputs: Floats) -> Pixels:
        given = (ws, *inputs)
        for tensor, array, before in zip(self._tensors, given, self._given, strict=True):
            if array is not before:
                tensor.copy_(torch.from_numpy(array))
        self._given = given
        self._replay()
        page = next(self._pages)
        page.copy_(self._output)  # waits for the replay
        return page.numpy()
