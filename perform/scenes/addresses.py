"""Names as parts of OSC addresses."""

from __future__ import annotations

import re
from functools import lru_cache

UNSAFE = re.compile(r"[^\w.+~:@-]+", re.ASCII)  # characters that OSC reserves, or that are hard to type


@lru_cache(maxsize=4096)
def segment(name: str) -> str:
    """A name as a part of an address."""
    return UNSAFE.sub("_", name)
