"""The pieces of a text in GLSL: what stands there twice in the same words stands once, and what has no value
begins with 0.

No compiler takes the same function twice; converted files have it, where several buffers of Shadertoy became
one text. A variable without a value is 0 for most drivers, and for some whatever was there before.
"""

from __future__ import annotations

import re

# What ends a piece of a text, or begins a block within it. Directives stand alone.
_MARK = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*|[{};]", re.MULTILINE)
_CONDITION = re.compile(r"[ \t]*#[ \t]*(?:(if)|(endif))")
_SPACE_AROUND = re.compile(r" ?([^\w ]) ?")

_VALUE_TYPE = r"(float|u?int|bool|[biu]?vec[234]|mat[234](?:x[234])?)"
PRECISION = r"(?:(?:lowp|mediump|highp)\s+)?"
_VARIABLES = re.compile(rf"\s*{PRECISION}{_VALUE_TYPE}\s+([A-Za-z_].*)", re.DOTALL)
_HEAD = re.compile(rf"\s*{PRECISION}{_VALUE_TYPE}\s+\w+\s*\([^()]*\)\s*")
_BLOCK = re.compile(r"(?:\)|\belse|\bdo|:|\A)\s*\Z")  # what stands before a block of statements
_COMMAS = re.compile(r"[(\[]|[)\]]|,")


def without_repeats(text: str) -> str:
    """A text without comments in which each piece stands once, outside of `#if`; the lines stay."""
    parts: list[str] = []
    seen: set[str] = set()
    begin = depth = within = 0
    for mark in _MARK.finditer(text):
        word = mark[0]
        if word not in ("{", "}", ";"):
            if condition := _CONDITION.match(word):
                within += 1 if condition[1] else -1
            if depth == 0:
                parts.append(text[begin : mark.end()])
                begin = mark.end()
            continue
        depth += (word == "{") - (word == "}")
        if depth < 0:
            return text  # its braces are those of macros
        if depth == 0 and word != "{":
            piece = text[begin : mark.end()]
            words = _SPACE_AROUND.sub(r"\1", " ".join(piece.split()))
            is_new = within > 0 or words == ";" or words not in seen
            parts.append(piece if is_new else "\n" * piece.count("\n"))
            seen |= {words} if within == 0 else set()
            begin = mark.end()
    return "".join([*parts, text[begin:]])


def with_values(text: str) -> str:
    """A text without comments in which variables and results that have no value are 0; the lines stay."""
    parts: list[str] = []
    blocks: list[bool] = []  # whether each open block holds statements
    begin, result, last = 0, "", ""
    for mark in _MARK.finditer(text):
        piece, word = text[begin : mark.start()], mark[0]
        begin = mark.end()
        if word == ";" and all(blocks):
            last, piece = piece, _begun(piece)
        elif word == "{":
            head = None if blocks else _HEAD.fullmatch(piece)
            result = head[1] if head else result if blocks else ""
            blocks.append(_BLOCK.search(piece) is not None)
        elif word == "}":
            if len(blocks) == 1 and result and last.split()[:1] != ["return"]:
                piece += f" return {result}(0); "
            last = ""
            del blocks[-1:]
        parts += [piece, word]
    return "".join([*parts, text[begin:]])


def _begun(piece: str) -> str:
    """A statement; if it declares variables, each has a value, but for lists."""
    found = _VARIABLES.fullmatch(piece)
    if not found:
        return piece
    names = _split(found[2])
    if not all(re.match(r"\s*[A-Za-z_]\w*\s*(?:\Z|[=\[])", name) for name in names):
        return piece
    values = [name if set("=[") & set(name) else f"{name} = {found[1]}(0)" for name in names]
    return piece[: found.start(2)] + ",".join(values)


def _split(text: str) -> list[str]:
    """The parts of a text between commas that no bracket holds."""
    parts, begin, depth = [], 0, 0
    for mark in _COMMAS.finditer(text):
        depth += (mark[0] in "([") - (mark[0] in ")]")
        if mark[0] == "," and depth == 0:
            parts.append(text[begin : mark.start()])
            begin = mark.end()
    return [*parts, text[begin:]]
