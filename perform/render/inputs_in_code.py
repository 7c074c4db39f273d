"""Inputs in ways that GLSL 4.10 does not have, and other hosts let through: a text changes them, or takes a
bool for a number, or a number for a bool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Uniform: TypeAlias = tuple[str, str]  # the type in GLSL and the name

NUMBERS = ("float", "int")
_CONDITION = r"\s*(?:\?|&&|\|\||\^\^|[=!]=)"  # what follows a bool that is part of a condition
_VECTOR = r"(?:[biu]?vec[234]|mat[234](?:x[234])?)"
_CHANGING = re.compile(r"\b(\w+)\s*\([^()]*\b(?:inout|out)\s")  # functions that change an argument


def changed(uniforms: Iterable[Uniform], *texts: str) -> list[Uniform]:
    """The uniforms that texts without comments assign to, or give to a function that changes them. A local
    variable of the same name counts, too: a copy does no harm."""
    text = "\n".join(texts)
    calls = "|".join(dict.fromkeys(_CHANGING.findall(text)))
    return [
        (kind, name)
        for kind, name in uniforms
        if not kind.startswith("sampler")
        and (_is_assigned(name, text) or (calls and _is_given(name, calls, text)))
    ]


def _is_assigned(name: str, text: str) -> bool:
    operators = r"(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--"
    after = rf"(?<![\w.]){name}\s*(?:\.\w+|\[[^]]*\])?\s*(?:{operators})"
    return re.search(rf"{after}|(?:\+\+|--)\s*{name}\b", text) is not None


def _is_given(name: str, calls: str, text: str) -> bool:
    """Whether a statement calls one of `calls` and has the name after that."""
    for statement in re.split("[;{}]", text):
        call = re.search(rf"\b(?:{calls})\s*\(", statement)
        if call and re.search(rf"\b{name}\b", statement[call.end() :]):
            return True
    return False


def with_numbers(text: str, uniforms: Sequence[Uniform]) -> str:
    """A text without comments in which inputs of type bool are numbers where a number must be (`on * 0.5`,
    `on == 1`, `float x = on;`), and numbers are bools as conditions (`if (mode)`)."""
    for kind, name in uniforms:
        own = rf"(?<![\w.]){name}\b(?!\s*[.(\[])"
        if kind == "bool" and not re.search(rf"\b{_VECTOR}\s+{name}\b", text):  # a local of that name
            text = re.sub(
                rf"{own}(?=\s*(?:[-+*/](?![-+=])|(?:[<>]=?|[=!]=)\s*[\d.]))", f"float({name})", text
            )
            text = re.sub(
                rf"((?:[\w)\]]\s*[-+*/]|[-+*/]=|\bfloat\s+\w+\s*=)\s*){own}(?!{_CONDITION})",
                rf"\1float({name})",
                text,
            )
        elif kind in NUMBERS:
            text = re.sub(rf"((?:[=(,!&|]|\breturn\b)\s*){own}(?=\s*\?)", rf"\1bool({name})", text)
            text = re.sub(
                rf"((?:\b(?:if|while)\s*\(|&&|\|\|)\s*!?\s*){own}(?=\s*(?:\)|&&|\|\|))",
                rf"\1bool({name})",
                text,
            )
    return text
