"""Documents: text files that a person edits; TOML files as checked text.

A fault is a sentence: the file, the key, the value, and what is allowed. All text is UTF-8, with or without a
byte order mark, and keeps its line ends.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from perform.parameters import name_hint
from perform.paths import check_file

Shape = TypeVar("Shape", bound=BaseModel)

MARK = "\ufeff"  # the byte order mark that some editors begin a file with
WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip
LONE_NEWLINE = re.compile(r"(?<!\r)\n")
PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")  # in the words of tomllib
TWICE = re.compile("Cannot (declare|overwrite|mutate)")  # the same, of a name
SEVERAL = re.compile(
    r"\[((?:[\w.]+\.)?(?:cue|layer|overlay|filter|bend|display))\]"
)  # headed once, as a table
WIDEST = 60  # characters of a line or a value that a message shows
CURLY = "\u2018\u2019\u201a\u201c\u201d\u201e"  # quotes of web pages and text programs
HINTS = {  # lines that people write, and what they should be
    rf"^[^\"'#]*[{CURLY}]": 'write straight quotes, "like these"',
    r"= *[+-]?\d*,\d": "write numbers with a point: 0.3",
    r"= *[+-]?\.\d": "write a digit before the point: 0.3",
    r"= *(?i:true|false|yes|no|on|off) *(#.*)?$": "write true or false",
    r"= *([A-Za-z_][^\"']*|[^\"'\[{#]*[*/(+].*)$": 'text and formulas stand in quotes: "0.5 * audio.low"',
    r"""= *("[^"]*|'[^']*)$""": "a quote is not closed",
    r"^[^\"'#=]*= *(#.*)?$": "a value is missing",
    r"^[\w.-]+( +[^=\[\]]*)?$": "write KEY = VALUE",
    r"^ *(\[[^\]]*|\[\[[^\]]*\]?)$": "a bracket is not closed",
    r"^ *\[+ *[A-Za-z_\]]": "a table is [name] or [[name]], alone on its line",
}


TYPES = {  # the words for a type of pydantic
    "string_type": 'must be text in quotes: "like this"',
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
}


class SceneError(ValueError):
    """A scene or setlist that cannot be played; `faults` has one line for every fault of the file."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_text(path: Path, lenient: bool = False) -> str:
    """The text of a file, with its line ends and without its byte order mark. Raises SceneError for any other
    encoding than UTF-8 (`lenient`: single bytes may be wrong), OSError if it cannot be read."""
    return read_marked_text(path, lenient).removeprefix(MARK)


def read_marked_text(path: Path, lenient: bool = False) -> str:
    """The same with its byte order mark: written as UTF-8, it gives the same bytes again."""
    check_file(path)
    content = path.read_bytes()
    wide = next((name for mark, name in WIDE_MARKS.items() if content.startswith(mark)), "")
    if wide or b"\0" in content:
        raise SceneError([f"{path} is {wide or 'UTF-16 or no text'}: save it as UTF-8"])
    try:
        return content.decode("utf-8", "replace" if lenient else "strict")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SceneError([f"{path}: line {line} has a letter that is not UTF-8: save it as UTF-8"]) from error


def edit_tables(text: str, change: Callable[[Any], None]) -> str:
    """The text of a TOML file after a change of its tables (of tomlkit): its byte order mark, comments and
    line ends stay."""
    import tomlkit

    body = text.removeprefix(MARK)
    tables = tomlkit.parse(body)
    change(tables)
    after = tomlkit.dumps(tables)
    if "\r\n" in body and not LONE_NEWLINE.search(body):
        after = LONE_NEWLINE.sub("\r\n", after)
    return text[: len(text) - len(body)] + after


def set_key(table: Any, name: str, value: object) -> None:
    """Set a value of a table (of tomlkit); a new one goes after the table's last value, before comments on
    the next table."""
    from tomlkit.items import Table

    body = table.value.body if isinstance(table, Table) and name not in table else []
    rest = len(body)
    while rest and body[rest - 1][0] is None:
        rest -= 1
    after = body[rest:]
    del body[rest:]
    table[name] = value
    body.extend(after)


def document(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises SceneError if it is invalid, OSError if it cannot be read."""
    text = read_text(path)
    if "\r" in text and "\n" not in text:
        raise SceneError([f"{path} has the line ends of an old Macintosh (CR): save it with LF"])
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise SceneError([f"{path}: not valid TOML: too many brackets within each other"]) from error
    except ValueError as error:  # TOMLDecodeError; another is Python's, for a number of thousands of digits
        known = isinstance(error, tomllib.TOMLDecodeError)
        words = str(error) if known else "a number is too long"
        raise SceneError([f"{path}: {_toml_fault(text, words)}"]) from error


def _toml_fault(text: str, words: str) -> str:
    """What is wrong with a text that is not TOML: the line, and what to write if that is known, else the
    words of tomllib."""
    place, lines = PLACE.search(words), text.rstrip().split("\n")
    if not place:
        return f"not valid TOML: {words}"
    number = min(int(place["line"] or len(lines)), len(lines))
    line = lines[number - 1].strip()
    if TWICE.match(words):
        what = f"this {'table' if line.startswith('[') else 'key'} is there already"
        if several := SEVERAL.match(line):
            what += f": several are headed [[{several[1]}]] each"
    else:
        known = (hint for pattern, hint in HINTS.items() if re.search(pattern, line))
        what = next(known, words[: place.start()])
    shown = line if len(line) <= WIDEST else f"{line[:WIDEST]}…"
    return f"not valid TOML: {what}, line {number}: {shown}"


def parse_document(path: Path, model: type[Shape]) -> Shape:
    """A TOML file as a pydantic model. Raises SceneError with file, key and what is allowed."""
    return fitted(path, document(path), model)


def fitted(path: Path, table: Mapping[str, Any], model: type[Shape], key: str = "") -> Shape:
    """A table of a file, under `key`, as a pydantic model. Raises SceneError."""
    found, faults = fitted_partly(path, table, model, key)
    if faults:
        raise SceneError(faults)
    return found


def fitted_partly(
    path: Path, table: Mapping[str, Any], model: type[Shape], key: str = ""
) -> tuple[Shape, list[str]]:
    """A table of a file, and its faults, so that a reader can find those of the rest in the same run: what is
    wrong is empty, or has its default."""
    try:
        return model.model_validate(table), []
    except ValidationError as error:
        faults = [f"{path}: {_sentence(one, model, key)}" for one in error.errors()]
        wrong = {one["loc"][0] for one in error.errors() if one["loc"]}
        right = {name: value for name, value in table.items() if name in model.model_fields.keys() - wrong}
        fields = model.model_fields.items()
        missing = {name: _empty(field.annotation) for name, field in fields if field.is_required()}
        return model.model_construct(**missing | right), faults


def _empty(annotation: Any) -> Any:
    """The empty value of a field's type."""
    kind = get_origin(annotation) or annotation
    return kind() if kind in (str, list, dict) else None


def _sentence(error: Any, model: type[BaseModel], before: str = "") -> str:
    """A fault that pydantic found: key, value and what is allowed. `before` is the key of the whole table."""
    *tables, last = error["loc"]
    name = str(tables.pop() if isinstance(last, int) else last)
    inner = _model_at(model, tables)
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    key = f"{before}{''.join(parts)}".lstrip(".")
    if error["type"] == "extra_forbidden":
        return f"{key} is unknown{name_hint(name, inner.model_fields) if inner else ''}"
    field = inner.model_fields.get(name) if inner else None
    tables_wanted = field is not None and _holds_tables(field.annotation)
    if error["type"] == "missing":
        form = f", {must_be_table(key, {}, (), several=True)}" if tables_wanted else ""
        return f"{key} is missing{form}"
    if error["type"] in ("dict_type", "model_type", "list_type") and tables_wanted:
        several = isinstance(last, int) or error["type"] == "list_type"
        words = getattr(inner, "FIRST_KEYS", {}).get(name, ())
        return f"{key} {must_be_table(key, error['input'], words, several)}"
    if error["type"] == "too_short":
        return f"{key} = {_cut(error['input'])}, must have {error['ctx']['min_length']} or more"
    return f"{key} = {_cut(error['input'])}, {_expected(error)}"


def _expected(error: Any) -> str:
    """What is allowed in the place of a value."""
    if words := TYPES.get(error["type"]):
        return words
    message = str(error["msg"])
    expected = message.replace("Input should be a valid", "must be a").replace("Input should be", "must be")
    return f"{expected[:1].lower()}{expected[1:]}"


def _cut(value: object) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}…"


def must_be_table(key: str, value: object, words: Sequence[str], several: bool = False) -> str:
    """What is wrong with a value in the place of a table: `= 'dissolve', must be a table headed [transition],
    with shader = "dissolve"`. `words` are the keys of the table that may take the value."""
    header = re.sub(r"\[\d+\]", "", key)
    tables = f"must be tables, each headed [[{header}]]" if several else f"must be a table headed [{header}]"
    if isinstance(value, Mapping | list):
        return tables
    first = " or ".join(f'{word} = "{value}"' for word in words) if isinstance(value, str) else ""
    return f"= {value!r}, {tables}{', with ' if first else ''}{first}"


def _model_at(model: type[BaseModel], tables: Sequence[str | int]) -> type[BaseModel] | None:
    """The model of an inner table; None where a model leaves a table unchecked."""
    found: type[BaseModel] | None = model
    for name in tables:
        if found and isinstance(name, str):
            found = _inner_model(found.model_fields[name].annotation) if name in found.model_fields else None
    return found


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model in a type such as `list[Cue]` or `Cue | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner_model(part))), None)


def _holds_tables(annotation: Any) -> bool:
    """Whether a type is a table, or several."""
    table = get_origin(annotation) is dict or _inner_model(annotation) is not None
    return table or any(_holds_tables(part) for part in get_args(annotation))
