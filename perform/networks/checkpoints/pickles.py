"""Pickles read as data. A machine of our own follows the opcodes and builds plain values. What a pickle
would import or call is looked up in a table of names; it can reach nothing else.

Python's pickle.Unpickler with another find_class is not enough: it calls whatever is on its stack, sets
attributes by name, and allocates as a pickle declares (a memo index of 2**31 is gigabytes).

The opcodes are those of Python's pickletools, protocols 0 to 5. Long strings of bytes stay views of
the file, so that the time goes with the number of opcodes and not with the size.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from perform.networks.checkpoints.limits import MOST_STACKED, CheckpointError, ReadLimits, shown
from perform.networks.checkpoints.values import Key, Record, Value

LAST_PROTOCOL = 5
MOST_NUMBER_BYTES = 255  # bytes of a number; torch's magic number has 10
MEMO_PLACES = 1 << 32  # of the memo
LINE_CHUNK = 4096  # bytes searched at once for the end of a line, in the text opcodes of protocol 0
BYTE_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[^x0-7])", re.DOTALL)
ESCAPED_CHARACTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})")
DAMAGE_ERRORS = (IndexError, KeyError, TypeError, ValueError, OverflowError, struct.error)


Makers: TypeAlias = Mapping[str, Callable[..., Value] | None]


@dataclass(frozen=True, slots=True)
class AllowedNames:
    """The names that a stream may use.

    `makers` make the value of a call by its name (None: a Record); names that begin as one of `inert` become
    records, too. `with_state` makes the value of a Record when its state comes, `persistent` that of a
    reference to what lies outside the pickle.
    """

    makers: Makers
    inert: tuple[str, ...] = ()
    with_state: Mapping[str, Callable[[Value], Value]] = field(default_factory=dict)
    persistent: Callable[[Value], Value] | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.makers or name.startswith(self.inert)


def read_pickle(
    data: memoryview, names: AllowedNames, limits: ReadLimits, start: int = 0, before: int = 0
) -> tuple[Value, int]:
    """The value of the pickle that begins at a place, and the place after it.

    Raises CheckpointError with the name or the damage and its place; there are `before` bytes of the
    file before the data.
    """
    machine = _Machine(data, names, limits, start)
    try:
        return machine.run(), machine.at
    except CheckpointError as error:
        raise CheckpointError(f"at byte {before + machine.opcode}: {error}") from error
    except DAMAGE_ERRORS as error:
        where = f"at byte {before + machine.opcode}"
        raise CheckpointError(f"{where}: the pickle is damaged or cut off") from error


class _Machine:
    """Stack, marks and memo of one stream. `opcode` is where the opcode being followed is."""

    def __init__(self, data: memoryview, names: AllowedNames, limits: ReadLimits, start: int) -> None:
        self.data, self.names, self.limits = data, names, limits
        self.at = self.opcode = start
        self.stack: list[Value] = []
        self.marks: list[list[Value]] = []
        self.memo: dict[int, Value] = {}
        self.without_state: dict[int, list[int]] = {}  # id of a Record -> its places in the memo

    def run(self) -> Value:
        data, count_step = self.data, self.limits.step
        while True:
            count_step()
            self.opcode = at = self.at
            code = data[at]
            self.at = at + 1
            if code == STOP:
                return self.stack.pop()
            follow = OPCODES.get(code)
            if follow is None:
                raise CheckpointError(f"byte {code:#04x} is no opcode that checkpoints use")
            follow(self)
            if len(self.stack) + len(self.marks) > MOST_STACKED:
                raise CheckpointError(f"the pickle has more than {MOST_STACKED} values waiting")

    def take(self, count: int) -> memoryview:
        """The next bytes."""
        if not 0 <= count <= len(self.data) - self.at:
            raise CheckpointError(f"the file is cut off: {count} bytes are declared, fewer are there")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size: int, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def text(self, size: int, coding: str = "utf-8") -> str:
        taken = self.take(size)
        self.limits.spend(size, "text")
        return str(taken, coding)

    def line(self) -> str:
        """The rest of a line, of the text opcodes."""
        start = end = self.at
        while (found := bytes(self.data[end : end + LINE_CHUNK]).find(b"\n")) < 0:
            end += LINE_CHUNK
            if end >= len(self.data):
                raise CheckpointError("the file is cut off: a line has no end")
        self.at = end + found + 1
        self.limits.spend(self.at - start, "text")
        return str(self.data[start : end + found], "latin-1")

    def push(self, value: Value) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def marked(self) -> list[Value]:
        """The values since the last mark."""
        values, self.stack = self.stack, self.marks.pop()
        return values

    def name(self, module: Value, name: Value) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise CheckpointError(
                f"it names what is no text ({type(module).__name__}, {type(name).__name__})"
            )
        dotted = f"{module}.{name}"
        if dotted not in self.names:
            raise CheckpointError(
                f"it names {shown(dotted)}, which is none of the names that tensors and networks need;"
                " nothing was run"
            )
        self.push(Record(dotted))

    def call(self, what: Value, args: Value) -> None:
        if not isinstance(what, Record) or what.args is not None or not isinstance(args, tuple):
            raise CheckpointError(f"it would call a value ({type(what).__name__}); nothing was run")
        make = self.names.makers.get(what.name)
        try:
            self.push(make(*args) if make else Record(what.name, args))
        except CheckpointError:
            raise
        except DAMAGE_ERRORS as error:
            raise CheckpointError(f"{what.name} is given what it cannot take") from error

    def build(self) -> None:
        """Give an object its state. What hangs on a dictionary (`_metadata`) is left."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, dict):
            return
        if not isinstance(target, Record) or target.args is None:
            raise CheckpointError(f"it would set attributes of a {type(target).__name__}")
        make = self.names.with_state.get(target.name)
        target.state = state
        if make:
            self.stack[-1] = value = make(state)
            for key in self.without_state.pop(id(target), []):
                if self.memo.get(key) is target:
                    self.memo[key] = value

    def put(self, key: int) -> None:
        if not 0 <= key < MEMO_PLACES:  # larger ones could be made to take forever to look up
            raise CheckpointError(f"the pickle keeps a value at a place that is not 0 to {MEMO_PLACES - 1}")
        value = self.stack[-1]
        if isinstance(value, Record):
            self.without_state.setdefault(id(value), []).append(key)
        self.memo[key] = value

    def pairs(self, values: list[Value]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or len(values) % 2:
            raise CheckpointError(f"it would set items of a {type(target).__name__}")
        target.update(zip(map(checked_key, values[::2]), values[1::2], strict=True))

    def extend(self, values: list[Value]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise CheckpointError(f"it would append to a {type(target).__name__}")
        target.extend(values)

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise IndexError("the stack is empty")
        self.stack[len(self.stack) - count :] = [tuple(self.stack[len(self.stack) - count :])]

    def persistent(self) -> None:
        if self.names.persistent is None:
            raise CheckpointError("it refers to what lies outside of it, which only torch's files may")
        self.push(self.names.persistent(self.stack.pop()))


def checked_key(key: Value) -> Key:
    """A key of a dictionary: text or a plain number. Others could be made to take forever to look up."""
    whole = type(key) is int and abs(key) >= 1 << 60
    if whole or not (key is None or isinstance(key, str | int | float)):
        raise CheckpointError(f"a key of a dictionary is a {type(key).__name__}, must be text or a number")
    return key


def _quoted_string(machine: _Machine) -> None:
    """A string of protocol 0, whose escapes are those of Python's byte strings."""
    text = machine.line()
    machine.limits.step(text.count("\\"))
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
        raise CheckpointError("a string has no quotes around it")

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "x":
            return chr(int(code[1:], 16))
        return chr(int(code, 8) & 255) if code[0] in "01234567" else ESCAPED_CHARACTERS.get(code, code)

    machine.push(BYTE_ESCAPE.sub(one, text[1:-1]))


def _integer(machine: _Machine) -> None:
    line = machine.line().removesuffix("L")
    if len(line) > MOST_NUMBER_BYTES:
        raise CheckpointError(f"a number has {len(line)} digits, may have {MOST_NUMBER_BYTES}")
    machine.push(line == "01" if line in ("00", "01") else int(line))


def _long(machine: _Machine, size: int) -> None:
    if size > MOST_NUMBER_BYTES:
        raise CheckpointError(f"a number has {size} bytes, may have {MOST_NUMBER_BYTES}")
    machine.push(machine.number(size, signed=True))


def _protocol(machine: _Machine) -> None:
    if (protocol := machine.number(1)) > LAST_PROTOCOL:
        raise CheckpointError(f"the pickle's protocol is {protocol}, may be 0 to {LAST_PROTOCOL}")


def _name(machine: _Machine) -> None:
    module, name = machine.line(), machine.line()
    machine.name(module, name)


def _stack_name(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.name(module, name)


def _reduce(machine: _Machine) -> None:
    args, what = machine.stack.pop(), machine.stack.pop()
    machine.call(what, args)


def _new(machine: _Machine) -> None:
    keywords = machine.stack.pop()
    if keywords != {}:
        raise CheckpointError("it makes an object with named arguments, which no network needs")
    _reduce(machine)


def _instance(machine: _Machine) -> None:
    args = tuple(machine.marked())
    _name(machine)
    machine.call(machine.stack.pop(), args)


def _object(machine: _Machine) -> None:
    what, *args = machine.marked()
    machine.call(what, tuple(args))


def _dictionary(machine: _Machine) -> None:
    values = machine.marked()
    machine.push({})
    machine.pairs(values)


def _item(machine: _Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.pairs([key, value])


def _wide(machine: _Machine) -> None:
    """Unicode of protocol 0, whose only escapes are those of code points."""
    text = machine.line()
    machine.limits.step(text.count("\\"))
    machine.push(UNICODE_ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text))


STOP = ord(".")
# Sets are read as lists: nothing needs them, and members could be made to take forever to look up.
OPCODES: Mapping[int, Callable[[_Machine], object]] = {
    # numbers and constants
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("I"): _integer,
    ord("L"): _integer,
    ord("J"): lambda m: m.push(m.number(4, signed=True)),
    ord("K"): lambda m: m.push(m.number(1)),
    ord("M"): lambda m: m.push(m.number(2)),
    0x8A: lambda m: _long(m, m.number(1)),
    0x8B: lambda m: _long(m, m.number(4, signed=True)),
    ord("F"): lambda m: m.push(float(m.line())),
    ord("G"): lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    # text and bytes
    ord("S"): _quoted_string,
    ord("T"): lambda m: m.push(m.text(m.number(4, signed=True), "latin-1")),
    ord("U"): lambda m: m.push(m.text(m.number(1), "latin-1")),
    ord("V"): _wide,
    ord("X"): lambda m: m.push(m.text(m.number(4))),
    0x8C: lambda m: m.push(m.text(m.number(1))),
    0x8D: lambda m: m.push(m.text(m.number(8))),
    ord("B"): lambda m: m.push(m.take(m.number(4))),
    ord("C"): lambda m: m.push(m.take(m.number(1))),
    0x8E: lambda m: m.push(m.take(m.number(8))),
    0x96: lambda m: m.push(m.take(m.number(8))),
    # containers
    ord("("): lambda m: m.mark(),
    ord(")"): lambda m: m.push(()),
    ord("]"): lambda m: m.push([]),
    ord("}"): lambda m: m.push({}),
    0x8F: lambda m: m.push([]),
    ord("t"): lambda m: m.push(tuple(m.marked())),
    0x85: lambda m: m.tuple_of(1),
    0x86: lambda m: m.tuple_of(2),
    0x87: lambda m: m.tuple_of(3),
    ord("l"): lambda m: m.push(m.marked()),
    ord("d"): _dictionary,
    0x91: lambda m: m.push(tuple(m.marked())),
    ord("a"): lambda m: m.extend([m.stack.pop()]),
    ord("e"): lambda m: m.extend(m.marked()),
    0x90: lambda m: m.extend(m.marked()),
    ord("s"): _item,
    ord("u"): lambda m: m.pairs(m.marked()),
    # stack and memo
    ord("0"): lambda m: m.stack.pop() if m.stack else m.marked(),
    ord("1"): lambda m: m.marked(),
    ord("2"): lambda m: m.push(m.stack[-1]),
    ord("p"): lambda m: m.put(int(m.line())),
    ord("q"): lambda m: m.put(m.number(1)),
    ord("r"): lambda m: m.put(m.number(4)),
    0x94: lambda m: m.put(len(m.memo)),
    ord("g"): lambda m: m.push(m.memo[int(m.line())]),
    ord("h"): lambda m: m.push(m.memo[m.number(1)]),
    ord("j"): lambda m: m.push(m.memo[m.number(4)]),
    # names, and what is made of them
    ord("c"): _name,
    0x93: _stack_name,
    ord("R"): _reduce,
    0x81: _reduce,
    0x92: _new,
    ord("i"): _instance,
    ord("o"): _object,
    ord("b"): lambda m: m.build(),
    ord("Q"): lambda m: m.persistent(),
    # the frame of a stream
    0x80: _protocol,
    0x95: lambda m: m.take(8),
}
