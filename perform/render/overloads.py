"""Functions of GLSL that a text has a version of its own for (`int max(int a, int b)`): the others can still
be called.

In desktop OpenGL one function of that name hides all of those that the language has; in OpenGL ES, and for
some drivers, it is one more of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

Signature: TypeAlias = tuple[str, ...]  # the result, then the arguments

# G: a float or a vector of floats, I: the same of ints, f: a float, v: a vector of three floats.
_TABLE = """
G G: abs acos asin atan ceil cos cosh degrees exp exp2 floor fract inversesqrt log log2 normalize radians
G G: round sign sin sinh sqrt tan tanh trunc dFdx dFdy fwidth
G GG: atan max min mod pow reflect step
G Gf: max min mod
G fG: step
G GGG: clamp faceforward mix smoothstep
G GGf: mix refract
G Gff: clamp
G ffG: smoothstep
f G: length
f GG: distance dot
v vv: cross
I I: abs sign
I II: max min
I III: clamp
"""
_FLOATS, _INTS = ("float", "vec2", "vec3", "vec4"), ("int", "ivec2", "ivec3", "ivec4")
_TYPE = r"(?:float|u?int|bool|[biu]?vec[234]|mat[234])"
_DECLARED = re.compile(rf"\b{_TYPE}\s+(\w+)\s*\(([^()]*)\)\s*[{{;]")
_QUALIFIER = re.compile(r"\b(?:const|in|out|inout|lowp|mediump|highp)\b")


def overloads(text: str) -> str:
    """Declarations that go before a text, on one line: what it hides of the functions of GLSL."""
    own = {(name, *_types(arguments)) for name, arguments in _DECLARED.findall(text)}
    names = {name for name, *_ in own}
    known = dict.fromkeys(_signatures())  # of scalars, two lines of the table say the same
    kept = [(name, one) for name, one in known if name in names and (name, *one[1:]) not in own]
    inner = [_function(one, f"isf_{name}_", name) for name, one in kept]
    return " ".join(inner + [_function(one, name, f"isf_{name}_") for name, one in kept])


def _signatures() -> Iterator[tuple[str, Signature]]:
    for line in _TABLE.strip().splitlines():
        pattern, _, names = line.partition(": ")
        for size in range(4):
            kinds = {"G": _FLOATS[size], "I": _INTS[size], "f": "float", "v": "vec3"}
            types = tuple(kinds[letter] for letter in pattern.replace(" ", ""))
            if size == 0 or {"G", "I"} & {*pattern}:
                yield from ((name, types) for name in names.split())


def _types(arguments: str) -> Signature:
    """The types of arguments as they are declared."""
    words = [_QUALIFIER.sub("", one).split() for one in arguments.split(",")]
    return tuple(one[0] for one in words if one)


def _function(types: Signature, name: str, called: str) -> str:
    letters = "abc"[: len(types) - 1]
    arguments = ", ".join(f"{kind} {letter}" for kind, letter in zip(types[1:], letters, strict=True))
    return f"{types[0]} {name}({arguments}) {{ return {called}({', '.join(letters)}); }}"
