"""Hints: the names most like a word that is not known, for the end of a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches


def did_you_mean(
    word: str, known: Iterable[str], most: int = 3, likeness: float = 0.6, quote: Callable[[str], str] = str
) -> str:
    """`did you mean low or flow?`: at most `most` of the known names, those at least so like the word
    (0..1); empty if there is none."""
    names = map(quote, get_close_matches(word, list(known), most, likeness))
    text = " or ".join(names)
    return f"did you mean {text}?" if text else ""
