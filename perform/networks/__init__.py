"""Trained networks of any kind: their files, their weights, and what computes them.

- `checkpoints`: the safe reader of anyone's model files, which runs nothing in them
- `weights`, `families`, `modelfiles`, `headercache`: tensors with a configuration, and our own files of them
- `bending`, `blending`, `controls`: what can be changed while a network plays
- `runtimes`, `devices`: torch and OpenVINO, and what they compute on

This room knows no family of networks. The families, and the layouts of other projects' files, are in
perform/generators: they import from here, never the other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]


class ModelError(ValueError):
    """A model that cannot be opened. The message names the model, the reason and what is allowed."""


@contextmanager
def faults_of(place: object) -> Iterator[None]:
    """Name a place, such as a file, before the fault of a ModelError in the block."""
    try:
        yield
    except ModelError as error:
        raise type(error)(f"{place}: {error}") from error
