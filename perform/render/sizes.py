"""Size expressions of ISF passes: `$WIDTH / 4`, `max($WIDTH * 0.5, 1)`, `floor($HEIGHT * $detail)`.

Parsed with `ast` against an allow-list and walked; nothing of Python is reachable from the text.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

LONGEST = 200  # characters; also bounds the depth of the tree
LARGEST = 16384  # pixels, the texture size that every GL 4.1 driver has

OPERATORS: Mapping[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: math.fmod,
    ast.Pow: math.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
FUNCTIONS: Mapping[str, tuple[int, Callable[..., float]]] = {  # the least number of arguments
    "abs": (1, abs),
    "ceil": (1, math.ceil),
    "floor": (1, math.floor),
    "max": (2, max),
    "min": (2, min),
    "pow": (2, math.pow),
    "round": (1, round),
    "sqrt": (1, math.sqrt),
}
ANY_NUMBER = ("max", "min")
MARK = "isf_"  # stands for the $ while the text is Python


class SizeError(ValueError):
    """A size expression that cannot be read; the message has what is allowed."""


@dataclass(frozen=True, slots=True)
class Size:
    """One side of a pass in pixels; `names` are the `$names` that it depends on."""

    text: str
    names: frozenset[str]
    tree: ast.expr = field(compare=False, repr=False)

    def __call__(self, values: Mapping[str, float]) -> int:
        """Pixels, 1..16384. A result that is no number (a division by zero) is worth 1."""
        try:
            pixels = _evaluate(self.tree, values)
        except (ArithmeticError, ValueError):
            return 1
        return int(min(max(pixels, 1), LARGEST)) if pixels == pixels else 1


def parse(text: str) -> Size:
    """The expression of a WIDTH or HEIGHT, or SizeError."""
    if len(text) > LONGEST:
        raise SizeError(f"{text[:20]!r}… has {len(text)} characters, must be at most {LONGEST}")
    python = re.sub(r"\$(?=[A-Za-z_])", MARK, text.replace("^", "**"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # of text such as "1or 2"
            tree = ast.parse(" ".join(python.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SizeError(
            f"{text!r} is no size, must be like '$WIDTH / 2' or 'max($HEIGHT * 0.25, 1)'"
        ) from None
    return Size(text, frozenset(_names(tree, text)), tree)


def _names(node: ast.expr, text: str) -> Iterator[str]:
    """The names in an allowed tree; SizeError at the first thing that is not allowed."""
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name(id=name) if name.startswith(MARK):
            yield name.removeprefix(MARK)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            yield from _names(operand, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            yield from _names(left, text)
            yield from _names(right, text)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if _takes(name, len(args)):
            for argument in args:
                yield from _names(argument, text)
        case _:
            raise SizeError(
                f"{text!r}: {_shown(node)} is not allowed, only numbers, $names, + - * / % ^ and {_calls()}"
            )


def _takes(name: str, count: int) -> bool:
    least = FUNCTIONS[name][0] if name in FUNCTIONS else None
    return least == count or (name in ANY_NUMBER and least is not None and count > least)


def _shown(node: ast.expr) -> str:
    return repr(ast.unparse(node).replace(MARK, "$"))


def _calls() -> str:
    return ", ".join(f"{name}()" for name in FUNCTIONS)


def _evaluate(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return float(values[name.removeprefix(MARK)])
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](_evaluate(operand, values))
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_evaluate(left, values), _evaluate(right, values))
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name][1](*(_evaluate(argument, values) for argument in args))
    raise SizeError(f"{_shown(node)} is not allowed")  # parse lets no other node in
