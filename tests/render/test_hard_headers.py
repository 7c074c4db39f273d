"""Headers at their edges: what other hosts accept plays, and a warning or a note tells what was made of
it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.render import isf, isf_source
from perform.render.isf import ISFError
from tests.doubles.shaders import Stage, main, parse, write_png

LONG, POINT, COLOR = "long", "point2D", "color"
WORDS = {"LABELS": ["a", "b"], "VALUES": [0, 1]}
TAKEN = "must be a number within -1e+30..1e+30"


def input_of(kind: str, **keys: Any) -> isf.ISF:
    return main("vec4(1.0)", INPUTS=[{"NAME": "it", "TYPE": kind, **keys}])


@pytest.mark.parametrize(
    ("kind", "keys", "default", "span", "warning"),
    [
        ("float", {"DEFAULT": 5, "MIN": 0, "MAX": 1}, 5, (0, 5), "DEFAULT = 5 is outside 0..1: the range is"),
        ("float", {"IDENTITY": -2, "MIN": 0}, -2, (-2, 1), "DEFAULT = -2 is outside 0..1: the range"),
        ("float", {"MIN": 2, "MAX": 3}, 2.0, (2, 3), ""),
        ("float", {"DEFAULT": "half"}, 0.0, (0, 1), f"DEFAULT = 'half' is left out, {TAKEN}"),
        ("float", {"DEFAULT": [0.5, 1]}, 0.0, (0, 1), f"DEFAULT = [0.5, 1] is left out, {TAKEN}"),
        ("float", {"MAX": 1e308}, 0.0, (0, 1), f"MAX = 1e+308 is left out, {TAKEN}"),
        ("float", {"MIN": None, "MAX": "", "DEFAULT": []}, 0.0, (0, 1), ""),
        (LONG, {}, 0, (0, 1), ""),
        (LONG, {"VALUES": [1, 2, 3]}, 1, (1, 3), ""),
        (LONG, {"VALUES": [1, 2], "DEFAULT": 7}, 7, (1, 7), "DEFAULT = 7 is outside 1..2: the range is 1..7"),
        (LONG, {"MIN": 10, "MAX": 0}, 0, (0, 10), "MIN = 10 is above MAX = 0: they are swapped"),
        (LONG, {"MAX": 2**40}, 0, (0, 2**31 - 1), "its numbers must be within -2147483647..2147483647"),
        (LONG, WORDS | {"DEFAULT": 7}, "a", None, "DEFAULT = 7 is none of its values, it begins at 'a'"),
        (LONG, WORDS | {"DEFAULT": "b"}, "b", None, ""),
        (LONG, WORDS | {"DEFAULT": True}, "b", None, ""),
        (LONG, {"LABELS": ["a", "b"]}, "a", None, ""),
        (LONG, {"LABELS": ["a"], "VALUES": [4, 5], "DEFAULT": 5}, "5", None, ""),
        (LONG, {"LABELS": ["a", "b", "c"], "VALUES": [4], "DEFAULT": 4}, "a", None, ""),
        (LONG, {"VALUES": ["slow", "fast"], "DEFAULT": "fast"}, "fast", None, ""),
        (LONG, {"LABELS": "a, b", "VALUES": 2}, 0, (0, 1), ""),
        (POINT, {"MIN": [-1, 0], "MAX": [1, 10]}, (0, 0), (-1, 10), ""),
        (POINT, {"MIN": [1, 1], "MAX": [0, 0]}, (0, 0), (0, 1), "MIN = 1 is above MAX = 0: they are swapped"),
        (POINT, {"DEFAULT": [9, 0.5], "MAX": 1}, (9, 0.5), (0, 9), "DEFAULT = 9, 0.5 is outside 0..1"),
        (POINT, {"DEFAULT": [0.1]}, (0.1, 0), (0, 1), ""),
        (POINT, {"DEFAULT": [0.1, 0.2, 0.3]}, (0.1, 0.2), (0, 1), ""),
        (POINT, {"DEFAULT": "centre"}, (0, 0), (0, 1), f"DEFAULT = 'centre' is left out, {TAKEN}"),
        (POINT, {"DEFAULT": [None, 1]}, (0, 0), (0, 1), f"DEFAULT = [None, 1] is left out, {TAKEN}"),
        (COLOR, {"DEFAULT": [1, 0.5, 0]}, (1, 0.5, 0, 1), (0, 1), ""),
        (COLOR, {"DEFAULT": 0.5}, (0.5, 0, 0, 1), (0, 1), ""),
        (COLOR, {"DEFAULT": [2, 0, 0, 1], "MAX": [1] * 4}, (2, 0, 0, 1), (0, 2), "DEFAULT = 2, 0, 0, 1 is"),
        (COLOR, {"DEFAULT": "red"}, (0, 0, 0, 1), (0, 1), f"DEFAULT = 'red' is left out, {TAKEN}"),
        ("bool", {"DEFAULT": 1}, True, (0, 1), ""),
        ("bool", {"DEFAULT": "true"}, True, (0, 1), ""),
        ("bool", {"DEFAULT": "0"}, False, (0, 1), ""),
        ("bool", {"DEFAULT": None}, False, (0, 1), ""),
        ("event", {"DEFAULT": True}, False, (0, 1), ""),
    ],
)  # fmt: skip
def test_inputs_at_their_edges(
    kind: str, keys: dict[str, Any], default: Any, span: tuple[float, float] | None, warning: str
) -> None:
    shader = input_of(kind, **keys)
    (made,) = shader.parameters
    made.check(made.default)
    assert made.default == default
    assert span is None or (made.low, made.high) == span
    assert len(shader.warnings) == bool(warning)
    assert all(one.startswith(f"a.fs:1: INPUTS it: {warning}") for one in shader.warnings)


@pytest.mark.parametrize("kind", ["audio", "audioFFT"])
@pytest.mark.parametrize(
    ("most", "columns", "warns"),
    [(None, 4, 0), (2, 2, 0), ("2", 2, 0), (0, 4, 0), (-3, 1, 0), (1e9, 16384, 0), ("many", 4, 1)],
)
def test_sounds_at_their_edges(
    context: moderngl.Context, kind: str, most: Any, columns: int, warns: int
) -> None:
    keys = {} if most is None else {"MAX": most}
    shader = main(
        f"vec4(IMG_SIZE(it).x == {columns}.0, 0.0, 0.0, 1.0)",
        INPUTS=[{"NAME": "it", "TYPE": kind, **keys}],
    )
    sound = np.linspace(0, 1, 4, dtype=np.float32)
    assert Stage(context, shader).frame(it=sound)[0, 0, 0] == 255
    assert len(shader.warnings) == warns


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        ({"WIDTH": "$WIDHT/2"}, "WIDTH = '$WIDHT/2': no $WIDHT, must be one of $HEIGHT, $WIDTH"),
        ({"WIDTH": "$inputImage"}, "WIDTH = '$inputImage': no $inputImage, must be one of"),
        ({"HEIGHT": "open(1)"}, "HEIGHT = 'open(1)': 'open(1)' is not allowed, only numbers, $names"),
        ({"WIDTH": "RENDERSIZE.x / 2"}, "WIDTH = 'RENDERSIZE.x / 2': 'RENDERSIZE.x' is not allowed"),
        ({"WIDTH": "100%"}, "WIDTH = '100%' is no size, must be like '$WIDTH / 2'"),
        ({"HEIGHT": [4]}, "HEIGHT = [4], must be a number or an expression"),
        ({"WIDTH": True}, "WIDTH = True, must be a number or an expression"),
    ],
)
def test_a_size_that_is_none_is_that_of_the_output(
    context: moderngl.Context, keys: dict[str, Any], warning: str
) -> None:
    shader = main(
        "PASSINDEX == 0 ? vec4(1.0) : vec4(IMG_SIZE(half_) / 255.0, 0.0, 1.0)",
        INPUTS=[{"NAME": "inputImage", "TYPE": "image"}],
        PASSES=[{"TARGET": "half_", **keys}, {}],
    )
    assert Stage(context, shader).frame()[0, 0].tolist() == [8, 4, 0, 255]
    (told,) = shader.warnings
    assert told.startswith(f"a.fs:1: PASSES half_: {warning}")
    assert told.endswith(": the size of the output is taken")


@pytest.mark.parametrize(
    ("expression", "size"),
    [
        ("$WIDTH / 0", 1),
        ("-5", 1),
        ("1e9", 16384),
        ("$width / 2", 4),
        ("$Height", 4),
        ("int($WIDTH / 3)", 2),
        ("trunc($WIDTH / 3)", 2),
        ("float($mode) * 3", 6),
        ("$WIDTH\\/2.0", 4),
        ("$on ? 2 : 3;", 2),
        (" max( $WIDTH * $amount , 3.0f ) ", 4),
        ("log10(1000)", 3),
    ],
)
def test_sizes_as_other_hosts_read_them(expression: str, size: int) -> None:
    shader = main(
        "vec4(1.0)",
        INPUTS=[
            {"NAME": "amount", "TYPE": "float"},
            {"NAME": "mode", "TYPE": "long"},
            {"NAME": "on", "TYPE": "bool"},
        ],
        PASSES=[{"TARGET": "small", "WIDTH": expression}],
    )
    width = shader.passes[0].width
    assert width and width({"WIDTH": 8, "HEIGHT": 4, "amount": 0.5, "mode": 2, "on": True}) == size
    assert not shader.warnings


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({"PERSISTENT": True}, True),
        ({"persistent": 1}, True),
        ({"Persistent": "YES"}, True),
        ({"PERSISTENT": "1"}, True),
        ({"PERSISTENT": "false"}, False),
        ({"PERSISTENT": 0}, False),
        ({"PERSISTENT": None}, False),
    ],
)
def test_persistent_in_every_spelling(context: moderngl.Context, keys: dict[str, Any], kept: bool) -> None:
    body = "PASSINDEX == 0 ? IMG_THIS_PIXEL(sum) + 0.2 : IMG_THIS_PIXEL(sum)"
    stage = Stage(context, main(body, PASSES=[{"TARGET": "sum", **keys}, {}]))
    assert [int(stage.frame()[0, 0, 0]) for _ in range(2)] == ([51, 102] if kept else [51, 51])


@pytest.mark.parametrize(
    ("buffers", "size"),
    [
        (["sum"], 8),
        ("sum", 8),
        ([{"NAME": "sum"}], 8),
        ({"sum": {}}, 8),
        ({"sum": {"WIDTH": "$WIDTH/4", "FLOAT": True}}, 2),
    ],
)
def test_buffers_of_version_1(context: moderngl.Context, buffers: Any, size: int) -> None:
    body = "PASSINDEX == 0 ? IMG_THIS_PIXEL(sum) + 0.2 : IMG_THIS_PIXEL(sum) + IMG_SIZE(sum).x / 255.0"
    stage = Stage(context, main(body, PERSISTENT_BUFFERS=buffers, PASSES=[{"TARGET": "sum"}, {}]))
    assert [int(stage.frame()[0, 0, 0]) for _ in range(2)] == [51 + size, 102 + size]


@pytest.mark.parametrize(
    "passes",
    [
        None,
        [],
        {},
        [{}],
        [None],
        ["a"],
        [{"TARGET": None}],
        [{"TARGET": ""}, {}],
        [{}, {}],
        [{"TARGET": "a"}],
    ],
)
def test_passes_without_a_target(context: moderngl.Context, passes: Any) -> None:
    assert Stage(context, main("vec4(0.2)", PASSES=passes)).frame()[0, 0, 0] == 51


@pytest.mark.parametrize(
    ("imported", "warning"),
    [
        ([{"NAME": "grain", "PATH": "grain.png"}], ""),
        ({"grain": {"PATH": "grain.png"}}, ""),
        ({"grain": {"path": ["grain.png"]}}, ""),
        ({"grain": "grain.png"}, ""),
        ({"grain": {"PATH": "GRAIN.PNG"}}, ""),
        ({"grain": {"PATH": "sub\\inner.png"}}, ""),
        ({"grain": {"PATH": "none.png"}}, "none.png is not there, it is black"),
        ({"grain": {}}, "IMPORTED grain: it names no file, it is black"),
        ([{"PATH": "a.png"}, {"NAME": "grain", "PATH": "grain.png"}], "IMPORTED: what has no NAME is"),
    ],
)  # fmt: skip
def test_imported_pictures(context: moderngl.Context, tmp_path: Path, imported: Any, warning: str) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("grain.png", "sub/inner.png"):
        write_png(tmp_path / name, np.full((2, 2, 3), 51, np.uint8))
    text = (
        "/*" + json.dumps({"IMPORTED": imported}) + "*/ void main() { gl_FragColor = IMG_THIS_PIXEL(grain); }"
    )
    (tmp_path / "a.fs").write_text(text)
    shader = isf.load(tmp_path / "a.fs")
    assert Stage(context, shader).frame()[0, 0, 0] == (0 if "black" in warning else 51)
    assert [warning in one for one in shader.warnings] == [True] * bool(warning)


def test_one_picture_may_be_all_faces_of_a_cube(context: moderngl.Context, tmp_path: Path) -> None:
    write_png(tmp_path / "sky.png", np.full((2, 2, 3), 51, np.uint8))
    header = json.dumps({"IMPORTED": {"sky": {"TYPE": "cube", "PATH": "sky.png"}}})
    (tmp_path / "a.fs").write_text(
        f"/*{header}*/ void main() {{ gl_FragColor = textureCube(sky, vec3(0, -1, 0.1)); }}"
    )
    assert Stage(context, isf.load(tmp_path / "a.fs")).frame()[0, 0, 0] == 51


@pytest.mark.parametrize(
    ("entry", "warning"),
    [
        ({"TYPE": "float"}, "INPUTS: NAME = None, must be letters, digits and _"),
        ({"NAME": "a-b", "TYPE": "float"}, "INPUTS: NAME = 'a-b', must be letters, digits and _"),
        ({"NAME": "größe", "TYPE": "float"}, "INPUTS: NAME = 'größe', must be letters, digits and _"),
        ({"NAME": "title", "TYPE": "text"}, "INPUTS title: TYPE = 'text', must be one of event, bool"),
        ({"NAME": "title"}, "INPUTS title: TYPE = None, must be one of event, bool"),
        (None, "INPUTS: what is no object is left out"),
    ],
)
def test_what_is_no_input_is_left_out_if_nothing_uses_it(entry: Any, warning: str) -> None:
    shader = main("vec4(1.0)", INPUTS=[entry, {"NAME": "it", "TYPE": "float"}])
    assert [one.name for one in shader.parameters] == ["it"]
    assert len(shader.warnings) == 1 and shader.warnings[0].startswith(f"a.fs:1: {warning}")
    if entry and "NAME" in entry:
        with pytest.raises(ISFError, match="INPUTS"):
            main(f"vec4({entry['NAME']})", INPUTS=[entry])


PLAIN = "/*{}*/\nvoid main() { gl_FragColor = vec4(0.2); }\n"


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("\ufeff" + PLAIN, ["a.fs:1: begins with a byte order mark (BOM)"]),
        (PLAIN.replace("\n", "\r\n"), ["a.fs:1: has the line ends of Windows (CRLF)"]),
        (PLAIN.replace("\n", "\r"), ["a.fs:1: has the line ends of an old Macintosh (CR)"]),
        (PLAIN.replace("{}", '{"TAGS": 1,\n"MOOD": 2}'),
         ["a.fs:1: keys that are not of the format are left out: TAGS, MOOD"]),
        (
            PLAIN.replace("{}", '{"INPUTS":\n[{"NAME": "it", "TYPE": "float", "GROUP": 1, "DEFAULT": 1}]}'),
            ["a.fs:2: INPUTS: keys that are not of the format are left out: GROUP"],
        ),
        (
            PLAIN.replace("{}", '{"INPUTS": [{"NAME": "a", "TYPE": "float"},\n{"NAME": "b", "TYPE": "event"},'
                ' {"NAME": "c", "TYPE": "long"}, {"NAME": "d", "TYPE": "image"}]}'),
            ["a.fs:1: INPUTS a, c: no DEFAULT"],
        ),
        (PLAIN.replace("{}", '{"PASSES": [{"TARGET": "a", "PERSISTANT": true}]}'),
         ["a.fs:1: PASSES: keys that are not of the format are left out: PERSISTANT"]),
        (PLAIN, []),
    ],
)  # fmt: skip
def test_what_other_hosts_let_through_is_noted(
    context: moderngl.Context, tmp_path: Path, text: str, notes: list[str]
) -> None:
    shader = isf.parse(text, "a.fs")
    assert [*shader.notes] == notes and not shader.warnings
    (tmp_path / "a.fs").write_bytes(text.encode())
    loaded = isf.load(tmp_path / "a.fs")
    assert [one.rpartition("a.fs:")[2] for one in loaded.notes] == [one[5:] for one in notes]
    assert Stage(context, loaded).frame()[0, 0, 0] == 51


def test_lines_are_right_with_the_line_ends_of_an_old_macintosh() -> None:
    text = '/*{"INPUTS": [\r{"NAME": "a b", "TYPE": "float"}]}*/\rvoid main() { }\r'
    assert isf.parse(text, "a.fs").warnings[0].startswith("a.fs:2: ")


@pytest.mark.parametrize("name", ["a.fs", "a.vs", "part.glsl"])
def test_a_file_has_a_size_that_it_may_have(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.fs").write_text(
        '/*{}*/\n#include "part.glsl"\nvoid main() { gl_FragColor = vec4(0.2); }\n'
    )
    (tmp_path / "part.glsl").write_text("")
    file = tmp_path / name
    text = file.read_text() if file.exists() else "void main() { isf_vertShaderInit(); }\n"
    file.write_text(text + " " * (isf_source.LARGEST_FILE - len(text)))
    isf.load(tmp_path / "a.fs")
    file.write_text(text + " " * (isf_source.LARGEST_FILE - len(text) + 1))
    with pytest.raises(ISFError, match=rf"{name}: has 4\.0 MiB, a shader must have at most 4 MiB"):
        isf.load(tmp_path / "a.fs")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.fs:1: no header, must begin with a comment"),
        (b" \n\t", "a.fs:1: no header, must begin with a comment"),
        (bytes(range(256)), "a.fs is UTF-16 or no text: save it as UTF-8"),
        ("\ufeff/*{}*/".encode("utf-16-le"), "a.fs is UTF-16: save it as UTF-8"),
        (b"/*{}*/\0", "a.fs is UTF-16 or no text: save it as UTF-8"),
        (b"/*{ never closed", "a.fs:1: no header, must begin with a comment"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.fs").write_bytes(content)
    with pytest.raises(ISFError) as caught:
        isf.load(tmp_path / "a.fs")
    assert str(caught.value).startswith(str(tmp_path / message.split(" ")[0].split(":")[0]))
    assert message.partition("a.fs")[2] in str(caught.value)


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["$WIDTH", "true", "0.5", "#ff8800", "1, 2, 3", "NaN"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("rx"), inner),
    max_leaves=6,
)  # fmt: skip
KINDS = st.sampled_from(["event", "bool", "long", "float", "point2D", "color", "audio", "audioFFT"])
KEYS = st.dictionaries(
    st.sampled_from(["DEFAULT", "MIN", "MAX", "IDENTITY", "VALUES", "LABELS", "LABEL", "WRAP"]), ANY_VALUE
)


@given(KINDS, KEYS)
def test_an_input_plays_whatever_its_keys_are(kind: str, keys: dict[str, Any]) -> None:
    for made in input_of(kind, **keys).parameters:
        if made.kind != "sound":
            made.check(made.default)


@given(st.sampled_from(["WIDTH", "HEIGHT", "PERSISTENT", "FLOAT", "DESCRIPTION"]), ANY_VALUE)
def test_a_pass_plays_whatever_its_keys_are(key: str, value: Any) -> None:
    shader = parse("void main() {}", PASSES=[{"TARGET": "a", key: value}])
    for size in (shader.passes[0].width, shader.passes[0].height):
        assert size is None or 1 <= size({"WIDTH": 8, "HEIGHT": 4}) <= 16384
