"""Fields of settings with the range that their values must be in."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any


def ranged(default: Any, low: float, high: float) -> Any:
    """A field of a dataclass: its default, and the least and the greatest value that may be given."""
    return field(default=default, metadata={"range": (low, high)})


def check_ranges(settings: Any, error: type[ValueError]) -> None:
    """Raise the error for the first `ranged` field that is out of its range; its default never is."""
    for one in fields(settings):
        value = getattr(settings, one.name)
        if "range" in one.metadata and value != one.default:
            low, high = one.metadata["range"]
            if not low <= value <= high:
                raise error(f"{one.name} = {value}, must be {low:.10g}..{high:.10g}")
