"""Tensors of a file that its family has no place for: another network must not be played as a known one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from perform.networks import ModelError
from perform.networks.weights import Weights, printable

SHOWN_NAMES, SHOWN_LENGTH = 4, 60  # names in a note, and characters of one
ESSENTIAL = ("weight", "bias")  # these make it another network; others are counters and the like


def note_unexpected(weights: Weights, names: Iterable[str]) -> Weights:
    """The weights, with a remark on those of `names` that the family has no place for.

    ModelError if one of them is a weight or a bias."""
    left = sorted(set(names) - set(weights.arrays))
    if heavy := [name for name in left if name.endswith(ESSENTIAL)]:
        raise ModelError(f"{heavy[0]} has no place in a {weights.config.family}: the network is another one")
    if not left:
        return weights
    shown = ", ".join(printable(name, SHOWN_LENGTH) for name in left[:SHOWN_NAMES])
    more = f" and {len(left) - SHOWN_NAMES} more" if len(left) > SHOWN_NAMES else ""
    return replace(weights, notes=with_remarks(weights.notes, f"left out: {shown}{more}"))


def with_remarks(notes: Mapping[str, str], *remarks: str) -> dict[str, str]:
    """Notes with further remarks on what is unusual in a file."""
    odd = [*filter(None, [notes.get("odd")]), *remarks]
    return {**notes, "odd": "; ".join(odd)} if odd else dict(notes)
