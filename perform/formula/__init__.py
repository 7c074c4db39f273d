"""Formulas: text that computes a number from signals.

The text is cut into words of our own first, in which every signal path is one word; what is left
for Python's `ast` has no attributes, subscripts, strings or braces in it. The tree is checked
against an allow-list and becomes closures; nothing is ever given to Python to run.

The value is always finite: a part that has no finite value on a frame (a division by zero, a
number beyond 1e30, a root of -1) keeps the last one it had, 0 before the first. Every part is
computed on every frame, also what `if`, `and` and `or` leave aside, so that no function loses time.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from perform.clock import Moment
from perform.formula.functions import FUNCTIONS as FUNCTIONS
from perform.formula.functions import Function, Step
from perform.parameters import did_you_mean
from perform.signals import LARGEST, Signals, Value, as_number

Evaluate: TypeAlias = Callable[[Mapping[str, Value], Moment], float]
RunFormula: TypeAlias = Callable[[Signals, Moment], float]

MAX_LENGTH = 1000  # characters of a formula
MAX_DEPTH = 48  # parts within parts
FAULTS = (ArithmeticError, ValueError)

ARRAYS = ("audio.spectrum", "audio.waveform")
CONSTANTS = {"pi": math.pi, "tau": math.tau}
ARITHMETIC: Mapping[type[ast.operator], Step] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,  # `**` would turn complex
}
SIGNS: Mapping[type[ast.unaryop], Step] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: lambda x: float(not x),
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

WORD = re.compile(
    r"""
    (?P<path> [a-z_]\w* (?: \.\w+ | \[[^\[\]]*\] )+ )
    | (?P<number> (?: \d+\.?\d* | \.\d+ ) (?: e[+-]?\d+ )? (?![\w.]) )
    | (?P<name> [a-z_]\w* )
    | (?P<sign> \*\* | [<>=!]= | [-+*/%<>(),] )
    | (?P<space> \s+ )
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
STEP = re.compile(
    r"""\.(?P<name>\w+)|\[\s*(?P<quote>["'])(?P<text>[^"'\\\x00-\x1f]+)(?P=quote)\s*\]""", re.ASCII
)


OPERATORS = "+-*/%<>=,"
MEANT = {  # what other languages write, and an end that is missing
    "&&": "write and",
    "||": "write or",
    "!": "write not",
    "=": "write == to compare",
    "^": "write ** for a power",
    "[": "it is not closed, or stands in the wrong place",
    '"': 'text stands only in osc["/a/b"]',
    "'": 'text stands only in osc["/a/b"]',
}


class FormulaError(ValueError):
    """A formula that cannot be read; the message has what is wrong and where."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The signals that formulas may name: `names` that are known, and the first words under which any
    path is allowed (`open`), since what a device will say is not known beforehand. Of such a word `forms`
    may have the pattern that its whole name must match, and what to call that. `meant` gives the signals that
    somebody may mean by an unknown name, as other programs call them."""

    names: frozenset[str]
    open: tuple[str, ...]
    forms: Mapping[str, tuple[re.Pattern[str], str]] = field(default_factory=dict)
    everything: bool = False
    meant: Callable[[str], Sequence[str]] = lambda name: ()

    def refusal(self, name: str) -> str:
        """Why a signal cannot be called so, empty if it can."""
        first = re.split(r"[.\[]", name, maxsplit=1)[0]
        if self.everything or name in self.names:
            return ""
        if first not in self.open:
            known = sorted([*self.names, *self.open, *FUNCTIONS, *CONSTANTS])
            return f"unknown signal {name}{_hint(self.meant(name)) or _near(name, known)}"
        if first in self.forms:
            pattern, allowed = self.forms[first]
            own = [signal for signal in self.meant(name) if re.match(rf"{first}[.\[]", signal)]
            hint = _hint(own) or f"; must be {allowed}"
            return "" if pattern.fullmatch(name) else f"unknown signal {name}{hint}"
        return f"{name} needs a path, such as {name}.a" if name == first else ""


ANY = Vocabulary(frozenset(), (), everything=True)  # for formulas that were checked before


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, checked: its text and the `names` of the signals that it uses."""

    text: str
    names: frozenset[str]
    make: Callable[[], Evaluate] = field(repr=False, compare=False)

    def start(self) -> RunFormula:
        """The formula running, its functions with fresh state: call it once per frame."""
        node = self.make()
        return lambda signals, moment: node(signals.values, moment)


def compile(text: str, vocabulary: Vocabulary) -> Formula:
    """The formula that `text` is, of signals of a vocabulary. Raises FormulaError and nothing else."""
    text = text.strip()
    if not text:
        raise FormulaError("empty formula")
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"{len(text)} characters, must be at most {MAX_LENGTH}")
    plain, paths = _cut(text)
    tree = _parsed(plain)
    builder = _Builder(vocabulary, paths)
    builder.node(tree)
    return Formula(text, frozenset(builder.names), lambda: builder.node(tree))


def _cut(text: str) -> tuple[str, dict[int, str]]:
    """The text with every signal path replaced by a plain word as long, and the paths by position."""
    words: list[str] = []
    paths: dict[int, str] = {}
    open_at: list[int] = []
    at = 0
    while at < len(text):
        match = WORD.match(text, at)
        if match is None:
            raise _error(_unexpected(text[at:]), at)
        word = match[0]
        if match["path"]:
            paths[at] = word
        _brackets(word, at, open_at)
        words.append("p" * len(word) if match["path"] else " " * len(word) if match["space"] else word)
        at = match.end()
    if open_at:
        raise _error("'(' is not closed", open_at[-1])
    return "".join(words), paths


def _unexpected(rest: str) -> str:
    """What is wrong with a text that begins with a sign that formulas do not have."""
    sign = next((sign for sign in MEANT if rest.startswith(sign)), rest[0])
    return "; ".join([f"unexpected {sign!r}", *([MEANT[sign]] if sign in MEANT else [])])


def _brackets(word: str, at: int, open_at: list[int]) -> None:
    """Keep account of brackets, before Python's own parser has to."""
    if word == "(":
        open_at.append(at)
    if len(open_at) > MAX_DEPTH:
        raise _error(f"more than {MAX_DEPTH} brackets within each other", at)
    if word == ")":
        if not open_at:
            raise _error("')' was never opened", at)
        open_at.pop()


def _parsed(text: str) -> ast.expr:
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        if text[-1] in OPERATORS:
            raise _error(f"nothing stands after {text[-1]!r}", len(text) - 1) from error
        raise _error("not a formula", max((error.offset or 1) - 1, 0)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormulaError("not a formula that can be read") from error
    rows: list[Any] = [tree]
    for _ in range(MAX_DEPTH):
        rows = [child for node in rows for child in ast.iter_child_nodes(node)]
    if rows:
        raise _error(f"more than {MAX_DEPTH} parts within each other", getattr(rows[0], "col_offset", 0))
    return tree


def _error(what: str, at: int) -> FormulaError:
    return FormulaError(f"column {at + 1}: {what}")


def _hint(meant: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(meant)}?" if meant else ""


def _near(word: str, known: Sequence[str]) -> str:
    hint = did_you_mean(word, known, likeness=0.5)
    return f"; {hint}" if hint else ""


class _Builder:
    """Makes closures of a tree; FormulaError with what in it is not allowed."""

    def __init__(self, vocabulary: Vocabulary, paths: Mapping[int, str]) -> None:
        self.names: set[str] = set()
        self._vocabulary = vocabulary
        self._paths = paths

    def node(self, tree: ast.expr) -> Evaluate:
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return _constant(self._number(value, tree))
            case ast.Name():
                return self._named(tree)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in SIGNS:
                return _applied(SIGNS[type(op)], [self.node(operand)])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return _applied(ARITHMETIC[type(op)], [self.node(left), self.node(right)])
            case ast.Compare(left=left, ops=ops, comparators=others) if {*map(type, ops)} <= {*COMPARISONS}:
                return _compared(
                    [COMPARISONS[type(op)] for op in ops], [self.node(n) for n in (left, *others)]
                )
            case ast.BoolOp(op=op, values=values):
                return _decided(isinstance(op, ast.Or), [self.node(value) for value in values])
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return _chosen(self.node(test), self.node(body), self.node(orelse))
            case ast.Call():
                return self._called(tree)
            case ast.Tuple():
                raise _error("one number is wanted; write it with a point: 0.3", tree.col_offset)
            case _:
                raise _error("only numbers, signals, functions and operators are allowed", tree.col_offset)

    def _number(self, value: float, tree: ast.expr) -> float:
        if not value <= LARGEST:
            raise _error(f"number too large, must be at most {LARGEST:g}", tree.col_offset)
        return float(value)

    def _named(self, tree: ast.Name) -> Evaluate:
        path = self._paths.get(tree.col_offset)
        if path is None and tree.id in CONSTANTS:
            return _constant(CONSTANTS[tree.id])
        return _signal(self._signal(path or tree.id, tree.col_offset))

    def _signal(self, path: str, at: int) -> str:
        """The name of the signal that a path in the text means."""
        if path.split("[")[0] in ARRAYS:
            raise _error(f"{path} is a row of numbers, a formula takes one, such as audio.low", at)
        name = _canonical(path, at)
        if name in FUNCTIONS:
            raise _error(f"{name} is a function, written {FUNCTIONS[name].signature}", at)
        if refusal := self._vocabulary.refusal(name):
            raise _error(refusal, at)
        self.names.add(name)
        return name

    def _called(self, tree: ast.Call) -> Evaluate:
        function = self._function(tree)
        if any(isinstance(argument, ast.Starred) for argument in tree.args) or tree.keywords:
            raise _error(f"write {function.signature}", tree.col_offset)
        if not function.takes(len(tree.args)):
            given = f"{len(tree.args)} value{'' if len(tree.args) == 1 else 's'}"
            raise _error(f"{function.signature} cannot take {given}", tree.col_offset)
        arguments = [self.node(argument) for argument in tree.args]
        if function.arguments[0] == "signal":
            arguments[0] = self._heard(function, tree.args[0])
        return (_timed if function.timed else _applied)(function.make(), arguments)

    def _function(self, tree: ast.Call) -> Function:
        at = tree.func.col_offset
        if not isinstance(tree.func, ast.Name):
            raise _error("only a function can be called", at)
        name = self._paths.get(at, tree.func.id)
        if name not in FUNCTIONS:
            raise _error(f"unknown function {name}{_near(name, [*FUNCTIONS])}", at)
        return FUNCTIONS[name]

    def _heard(self, function: Function, tree: ast.expr) -> Evaluate:
        if not isinstance(tree, ast.Name) or tree.id in CONSTANTS:
            raise _error(f"{function.signature} needs the name of a signal", tree.col_offset)
        name = self._signal(self._paths.get(tree.col_offset, tree.id), tree.col_offset)
        return _signal(name, math.nan)


def _canonical(path: str, at: int) -> str:
    """A path as the inputs write it, `osc["/a/b"]`, whichever quotes and spaces the text has."""
    first = re.split(r"[.\[]", path, maxsplit=1)[0]
    name, place = first, len(first)
    while place < len(path):
        step = STEP.match(path, place)
        if step is None:
            raise _error(f'{path} is no signal, must be as in midi.cc21 or osc["/a/b"]', at)
        if (step["name"] or "").startswith("_"):
            raise _error(f"{path} is no signal: a name begins with a letter or a digit", at)
        name += f".{step['name']}" if step["name"] else f'["{step["text"]}"]'
        place = step.end()
    return name


def _constant(number: float) -> Evaluate:
    return lambda _values, _moment: number


def _signal(name: str, unsaid: float = 0.0) -> Evaluate:
    """The signal's value, `unsaid` before the first; what is no finite number leaves it as it was."""
    good = unsaid

    def node(values: Mapping[str, Value], _moment: Moment) -> float:
        nonlocal good
        value = values.get(name)
        if type(value) is float:
            if -LARGEST < value < LARGEST:
                good = value
        elif (number := as_number(value)) is not None:
            good = number
        return good

    return node


def _applied(f: Step, arguments: Sequence[Evaluate]) -> Evaluate:
    """A function of numbers; without a finite result it keeps its last one."""
    match arguments:
        case [a]:
            return _kept(lambda values, moment: f(a(values, moment)))
        case [a, b]:
            return _kept(lambda values, moment: f(a(values, moment), b(values, moment)))
        case _:
            return _kept(lambda values, moment: f(*[a(values, moment) for a in arguments]))


def _timed(f: Step, arguments: Sequence[Evaluate]) -> Evaluate:
    return _kept(lambda values, moment: f(moment, *[a(values, moment) for a in arguments]))


def _kept(node: Evaluate) -> Evaluate:
    good = 0.0

    def kept(values: Mapping[str, Value], moment: Moment) -> float:
        nonlocal good
        try:
            result = node(values, moment)
        except FAULTS:
            return good
        if -LARGEST < result < LARGEST:
            good = result
        return good

    return kept


def _compared(checks: Sequence[Callable[[float, float], bool]], nodes: Sequence[Evaluate]) -> Evaluate:
    def node(values: Mapping[str, Value], moment: Moment) -> float:
        numbers = [one(values, moment) for one in nodes]
        return float(all(check(*numbers[i : i + 2]) for i, check in enumerate(checks)))

    return node


def _decided(by: bool, nodes: Sequence[Evaluate]) -> Evaluate:
    """`or` is decided by the first number that is not 0, `and` by the first that is, else by the last."""

    def node(values: Mapping[str, Value], moment: Moment) -> float:
        numbers = [one(values, moment) for one in nodes]
        return next((number for number in numbers if bool(number) is by), numbers[-1])

    return node


def _chosen(test: Evaluate, body: Evaluate, orelse: Evaluate) -> Evaluate:
    def node(values: Mapping[str, Value], moment: Moment) -> float:
        true, a, b = test(values, moment), body(values, moment), orelse(values, moment)
        return a if true else b

    return node
