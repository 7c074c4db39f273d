"""Formulas of the signals that a show has."""

from perform.formula import Formula, compile
from perform.library.vocabulary import VOCABULARY


def compiled(text: str) -> Formula:
    """As a preset's formula is."""
    return compile(text, VOCABULARY)
