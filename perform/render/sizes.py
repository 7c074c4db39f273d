"""Size expressions of ISF passes: `$WIDTH / 4`, `max($WIDTH * 0.5, 1)`, `$WIDTH > 512 ? 256 : 128`.

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
    ast.Invert: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
WORDS = (("&&", " and "), ("||", " or "))
FUNCTIONS: Mapping[str, tuple[int, Callable[..., float]]] = {  # the least number of arguments
    "abs": (1, abs),
    "ceil": (1, math.ceil),
    "clamp": (3, lambda *three: sorted(three)[1]),  # hosts differ in the order
    "exp": (1, math.exp),
    "float": (1, float),
    "floor": (1, math.floor),
    "int": (1, int),
    "log": (1, math.log),
    "log10": (1, math.log10),
    "log2": (1, math.log2),
    "max": (2, max),
    "min": (2, min),
    "mod": (2, math.fmod),
    "pow": (2, math.pow),
    "round": (1, round),
    "sqrt": (1, math.sqrt),
    "trunc": (1, math.trunc),
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
    try:
        python = re.sub(r"\$(?=[A-Za-z_])", MARK, _as_python(_tidy(text)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # of text such as "1or 2"
            tree = ast.parse(" ".join(python.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SizeError(
            f"{text!r} is no size, must be like '$WIDTH / 2' or 'max($HEIGHT * 0.25, 1)'"
        ) from None
    return Size(text, frozenset(_names(tree, text)), tree)


def _tidy(text: str) -> str:
    """The text without what other hosts let stand: a semicolon, escaped slashes, `0.5f`, $width."""
    text = text.strip().rstrip(";").replace("\\/", "/").replace("^", "**")
    text = re.sub(r"\$(width|height)\b", lambda match: match[0].upper(), text, flags=re.IGNORECASE)
    return re.sub(r"(?<![\w.])((?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)[fF]\b", r"\1", text)


def _as_python(text: str) -> str:
    """The text with && || ! and ?: as Python has them."""
    for word, python in WORDS:
        text = text.replace(word, python)
    return _with_choices(re.sub(r"!(?!=)", "~", text))


def _with_choices(text: str) -> str:
    """Each `a ? b : c` as `b if a else c`, also within brackets."""
    parts: list[str] = []
    depth = start = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "(" and depth == 1:
            parts, start = [*parts, text[start:at]], at + 1
        elif letter == ")" and depth == 0:
            inner = ", ".join(map(_with_choices, _split(text[start:at], ",")))
            parts, start = [*parts, f"({inner})"], at + 1
    return _choice("".join([*parts, text[start:]]))


def _choice(text: str) -> str:
    """A text whose brackets hold no choice any more."""
    asked, *rest = _split(text, "?")
    if not rest:
        return text
    after = "?".join(rest)
    open_choices = 0
    for at, letter in enumerate(after):
        open_choices += (letter == "?") - (letter == ":")
        if open_choices < 0:
            return f"(({_choice(after[:at])}) if ({asked}) else ({_choice(after[at + 1 :])}))"
    return text


def _split(text: str, mark: str) -> list[str]:
    """The parts of a text between marks that no bracket holds."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


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
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
            yield from _names(left, text)
            yield from _names(right, text)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _names(value, text)
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            for part in (test, body, otherwise):
                yield from _names(part, text)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if _takes(name, len(args)):
            for argument in args:
                yield from _names(argument, text)
        case _:
            raise SizeError(
                f"{text!r}: {_shown(node)} is not allowed, only numbers, $names, + - * / % ^, "
                f"comparisons, && || !, a ? b : c and {_calls()}"
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
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return float(OPERATORS[type(op)](_evaluate(left, values), _evaluate(right, values)))
        case ast.BoolOp(op=op, values=parts):
            every = all if isinstance(op, ast.And) else any
            return float(every(_evaluate(part, values) for part in parts))
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            return _evaluate(body if _evaluate(test, values) else otherwise, values)
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name][1](*(_evaluate(argument, values) for argument in args))
    raise SizeError(f"{_shown(node)} is not allowed")  # parse lets no other node in
