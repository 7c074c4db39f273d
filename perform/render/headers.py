"""The JSON header of an ISF file: strict JSON, or what people write for it: JSON5 (trailing commas, comments,
`.5`, single quotes), and what `repaired` mends (curly quotes, `#` comments, missing commas and brackets).

The header is the first comment that begins with `{`; a licence may stand before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
LONGEST_LENIENT = 50_000  # characters; the lenient reader takes 40 ms for 1000

_COMMENT = re.compile(r"/\*(.*?)(\*/|\Z)", re.DOTALL)
_KEY = re.compile(r"^\{\s*\}|[\"'\w]\s*:")
_FAULT = re.compile(r"(?:<string>:(\d+) )?(.*)", re.DOTALL)  # of json5
_CURLY = "\u201c\u201d\u201e"  # quotes
_TOKEN = re.compile(
    r"""
      "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | [CURLY][^CURLY]*[CURLY]  # texts
    | //[^\n]* | \#[^\n]* | \s+  # what is left out
    | [{}\[\]:,] | [^\s{}\[\]:,\#"CURLY]+ | .
    """.replace("CURLY", _CURLY),
    re.DOTALL | re.VERBOSE,
)
_CLOSING = {"{": "}", "[": "]"}
_WORDS = {"True": "true", "False": "false", "None": "null"}
_ADVICE = "; a shader of Shadertoy plays with the line /*{}*/ before it"
_BEGINS = "must begin with a comment /*{ … }*/ that holds JSON"


class HeaderError(ValueError):
    """A header that cannot be read; `line` is that of the file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def read_header(text: str) -> tuple[Json, list[tuple[int, str]]]:
    """The header of a file's text, its keys in capitals, and warnings with lines. Raises HeaderError."""
    comments = [match for match in _COMMENT.finditer(text) if match[2]]
    objects = [one for one in comments if _content(one).startswith("{")]
    with_keys = (one for one in objects if _KEY.search(_content(one)))
    found = next(with_keys, None) or next(iter([*objects, *comments]), None)
    if not found:
        raise HeaderError(1, f"no header, {_BEGINS}{_ADVICE if 'mainImage' in text else ''}")
    content = _content(found)
    first = text.count("\n", 0, found.end(1) - len(content)) + 1
    header, warnings = _strict(content, first)
    if not isinstance(header, dict):
        raise HeaderError(first, "the header must be a JSON object { … }")
    return in_capitals(header), warnings


def _content(comment: re.Match[str]) -> str:
    return comment[1].lstrip("* \t\r\n")


def in_capitals(entry: Mapping[str, Any]) -> Json:
    """An object of the header with its keys in capitals; one that already is wins."""
    return {key.upper(): value for key, value in entry.items()} | dict(entry)


def _strict(text: str, first: int) -> tuple[object, list[tuple[int, str]]]:
    try:
        return json.loads(text, strict=False, parse_constant=str), []
    except json.JSONDecodeError as error:
        line = first + error.lineno - 1
        if error.msg == "Extra data":
            header, _ = json.JSONDecoder(strict=False, parse_constant=str).raw_decode(text)
            return header, [(line, "what follows the last } of the header is ignored")]
        warning = line, f"the header is not valid JSON ({error.msg}), read all the same"
    except (ValueError, RecursionError) as error:
        raise HeaderError(first, f"the header is not valid JSON: {error}") from None
    return _lenient(text, first, warning), [warning]


def _lenient(text: str, first: int, strict: tuple[int, str]) -> object:
    """The header as JSON5. Raises HeaderError, at the line of the strict reader when the text is too long."""
    import json5

    if len(text) > LONGEST_LENIENT:
        raise HeaderError(strict[0], strict[1].removesuffix(", read all the same"))

    def read(json: str) -> object:
        return json5.loads(json, strict=False, parse_constant=str)

    try:
        return read(text)
    except (ValueError, RecursionError) as error:
        with suppress(ValueError, RecursionError):
            return read(repaired(text))
        line, message = _FAULT.fullmatch(str(error)).groups()  # type: ignore[union-attr]  # it always matches
    raise HeaderError(first + int(line or 1) - 1, f"the header is not valid JSON: {message}")


def repaired(text: str) -> str:
    """A header with straight quotes, without # comments, and with the commas and brackets that it lacks."""
    parts: list[str] = []
    closing: list[str] = []
    for token in _TOKEN.findall(text):
        if token[0] in "#/" or token.isspace():
            continue
        last = parts[-1][-1] if parts else "{"
        if token in ("}", "]"):
            while len(closing) > 1 and closing[-1] != token:
                parts.append(closing.pop())
            closing = closing[:-1]
        elif token == ",":
            if last in ",{[:":
                continue
        elif token != ":" and last not in ",{[:":
            parts.append(",")
        if token in _CLOSING:
            closing.append(_CLOSING[token])
        parts.append(_strict_token(token))
        if not closing:
            break
    return "".join(parts + closing[::-1])


def _strict_token(token: str) -> str:
    """A token as JSON has it."""
    if token[0] in _CURLY:
        return json.dumps(token[1:-1])
    number = re.fullmatch(r"([-+]?)0*(\d[\d.]*|\.\d+)[fF]?", token)
    return number[1] + number[2] if number else _WORDS.get(token, token)
