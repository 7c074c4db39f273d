"""What a file has beyond its network: a foreign network must not be played as if it were a known one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from perform.generators import ModelError
from perform.generators.weights import Weights, printable

SHOWN, LONGEST = 4, 60  # names in a note, and characters of one
HEAVY = ("weight", "bias")  # without these a network is another one; the rest are counters and the like


def accounted(weights: Weights, names: Iterable[str]) -> Weights:
    """The weights, with a note of the names among `names` that they have no place for.

    ModelError when one of them is a weight or a bias."""
    left = sorted(set(names) - set(weights.arrays))
    if heavy := [name for name in left if name.endswith(HEAVY)]:
        raise ModelError(f"{heavy[0]} has no place in a {weights.config.family}: the network is another one")
    if not left:
        return weights
    shown = ", ".join(printable(name, LONGEST) for name in left[:SHOWN])
    more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
    odd = [*filter(None, [weights.notes.get("odd")]), f"left out: {shown}{more}"]
    return replace(weights, notes={**weights.notes, "odd": "; ".join(odd)})
