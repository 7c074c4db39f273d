"""OSC 1.0 address patterns: `?`, `*`, `[a-z]`, `[!a-z]` and `{one,another}`, in a part of an address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from itertools import product
from math import prod

PATTERN_SIGNS = frozenset("*?[]{}")
MOST_READINGS = 64  # ways to read the braces of a part
BRACES = re.compile(r"\{([^{}]*)\}")


def is_pattern(address: str) -> bool:
    """Whether it may match more than itself."""
    return not PATTERN_SIGNS.isdisjoint(address)


def matching(pattern: str, addresses: Iterable[str]) -> list[str]:
    """The addresses that a pattern matches: as many parts, each of which matches."""
    tests = [_part(part) for part in pattern.split("/")]
    split = ((address, address.split("/")) for address in addresses)
    return [
        address
        for address, parts in split
        if len(parts) == len(tests) and all(test.match(part) for test, part in zip(tests, parts, strict=True))
    ]


@lru_cache(maxsize=512)
def _part(part: str) -> re.Pattern[str]:
    """One part as a regular expression. It is fast for any pattern of an unknown sender: the expressions of
    `fnmatch` never backtrack over stars."""
    return re.compile("|".join(translate(way) for way in _spelled(part)) or r"(?!)")


def _spelled(part: str) -> list[str]:
    """The part once for each way to read its braces; none if there are too many."""
    pieces = BRACES.split(part)
    choices = [piece.split(",") if i % 2 else [piece] for i, piece in enumerate(pieces)]
    if prod(len(choice) for choice in choices) > MOST_READINGS:
        return []
    return ["".join(way) for way in product(*choices)]
