"""Networks: trained networks of any kind: their files, weights, runtimes and caches.

Racks that play networks (generators, and filters) stand on it and bring their families.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Precision: TypeAlias = Literal["auto", "float32", "float16", "bfloat16"]


class ModelError(ValueError):
    """A model that cannot be opened; the message says which, why, and what is allowed."""
