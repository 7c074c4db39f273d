"""ISF files without OpenGL: what is read, what is rejected, and that only ISFError is raised."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.parameters import Parameter
from perform.render import glsl, isf, sizes
from perform.render.isf import ISF, ISFError
from perform.render.isf_passes import Pass
from perform.render.sizes import Size, SizeError

MAIN = "void main() { gl_FragColor = vec4(1.0); }\n"


def header(**keys: Any) -> str:
    return "/*" + json.dumps(keys, indent=1) + "*/\n" + MAIN


def parsed(*inputs: dict[str, Any], **keys: Any) -> ISF:
    return isf.parse(header(INPUTS=list(inputs), **keys), "a.fs")


def parameter(kind: str, **keys: Any) -> Parameter:
    (made,) = parsed({"NAME": "it", "TYPE": kind, **keys}).parameters
    return made


def test_description_credit_and_categories_are_read() -> None:
    made = parsed(DESCRIPTION="A line", CREDIT="by me", CATEGORIES=["Lines", "Calm"], WHATEVER=3)
    assert (made.description, made.credit, made.categories) == ("A line", "by me", ("Lines", "Calm"))
    assert made.passes == (Pass(),)


def test_the_kind_follows_from_the_images() -> None:
    image = {"NAME": "inputImage", "TYPE": "image"}
    mask = {"NAME": "mask", "TYPE": "image"}
    start, end = {"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"}
    progress = {"NAME": "progress", "TYPE": "float"}
    assert parsed().kind == "generator"
    assert (parsed(mask, image).kind, parsed(mask, image).images) == ("filter", ("inputImage", "mask"))
    transition = parsed(progress, end, start)
    assert (transition.kind, transition.images) == ("transition", ("startImage", "endImage"))
    assert transition.parameters == ()


def test_floats_become_parameters() -> None:
    assert parameter("float", DEFAULT=0.25, MIN=-1, MAX=2, LABEL="It") == Parameter(
        "it", 0.25, -1.0, 2.0, description="It"
    )
    assert parameter("float") == Parameter("it", 0.0, 0.0, 1.0)
    assert parameter("float", DEFAULT=7) == Parameter("it", 7.0, 0.0, 7.0)
    assert parameter("float", IDENTITY=0.5) == Parameter("it", 0.5, 0.0, 1.0)
    assert parameter("float", DEFAULT=5, MAX=2) == Parameter("it", 5.0, 0.0, 5.0)


def test_a_float_may_wrap() -> None:
    assert parameter("float", MAX=10, WRAP=True) == Parameter("it", 0.0, 0.0, 10.0, wraps=True)
    assert not parameter("float", MIN=2, MAX=2, WRAP=True).wraps
    assert not parameter("float", MAX=10, WRAP="false").wraps
    assert parameter("float", WRAP=None) == Parameter("it", 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("kind", "wrap", "warning"),
    [
        ("float", "yes", "WRAP = 'yes' is read as true; must be true or false"),
        ("float", 0, "WRAP = 0 is read as false; must be true or false"),
        ("bool", True, "WRAP is left out: only a float wraps"),
        ("long", True, "WRAP is left out: only a float wraps"),
        ("point2D", True, "WRAP is left out: only a float wraps"),
        ("color", True, "WRAP is left out: only a float wraps"),
    ],
)
def test_a_wrap_in_an_odd_place_is_shown(kind: str, wrap: object, warning: str) -> None:
    made = parsed({"NAME": "it", "TYPE": kind, "WRAP": wrap})
    assert [one.split("INPUTS ")[1] for one in made.warnings] == [f"it: {warning}"]
    assert made.parameters[0].wraps is (wrap == "yes")


def test_bools_and_events_become_parameters() -> None:
    assert parameter("bool", DEFAULT=1.0) == Parameter("it", True, 0, 1, kind="bool")
    assert parameter("event") == Parameter("it", False, 0, 1, kind="event")


def test_longs_become_numbers_or_choices() -> None:
    assert parameter("long", MIN=1, MAX=8, DEFAULT=3) == Parameter("it", 3, 1, 8, kind="int")
    assert parameter("long", VALUES=[2, 9, 4], DEFAULT=9) == Parameter("it", 9, 2, 9, kind="int")
    made = parsed({"NAME": "it", "TYPE": "long", "VALUES": [5, 7, 9], "LABELS": ["a", "b"], "DEFAULT": 7})
    assert made.parameters[0] == Parameter("it", "b", kind="choice", choices=("a", "b", "9"))
    assert made.options["it"] == {"a": 5, "b": 7, "9": 9}
    twice = parsed({"NAME": "it", "TYPE": "long", "VALUES": [5, 7], "LABELS": ["a", "a"], "DEFAULT": 7})
    assert twice.options["it"] == {"a": 5, "a 7": 7} and twice.parameters[0].default == "a 7"


def test_points_and_colors_become_parameters() -> None:
    assert parameter("point2D") == Parameter("it", (0.0, 0.0), 0.0, 1.0, kind="point")
    assert parameter("point2D", DEFAULT=[0, 0.5], MIN=[-1, -1], MAX=[1, 1]) == Parameter(
        "it", (0.0, 0.5), -1.0, 1.0, kind="point"
    )
    assert parameter("color", DEFAULT=[1, 0.5, 0]) == Parameter(
        "it", (1.0, 0.5, 0.0, 1.0), 0.0, 1.0, kind="color"
    )


def test_sound_inputs_have_the_name_of_their_signal() -> None:
    made = parsed({"NAME": "wave", "TYPE": "audio"}, {"NAME": "bins", "TYPE": "audioFFT", "MAX": 32})
    assert [(p.kind, p.default) for p in made.parameters] == [
        ("sound", "audio.waveform"),
        ("sound", "audio.spectrum"),
    ]
    assert made.samples == {"bins": 32}


def test_every_default_is_valid() -> None:
    kinds = ("float", "bool", "event", "long", "point2D", "color")
    for made in parsed(*({"NAME": f"p{kind}", "TYPE": kind} for kind in kinds)).parameters:
        made.check(made.default)


def test_passes_are_read() -> None:
    made = parsed(
        {"NAME": "detail", "TYPE": "float"},
        PASSES=[
            {"TARGET": "a", "PERSISTENT": True, "FLOAT": True, "WIDTH": "floor($WIDTH / 3)", "HEIGHT": 7},
            {"TARGET": "b", "persistent": "true", "WIDTH": "max($WIDTH * $detail, 1)"},
            {},
        ],
    )
    first, second, last = made.passes
    assert (first.target, first.persistent, first.floating) == ("a", True, True)
    assert first.width and first.width({"WIDTH": 100}) == 33
    assert first.height and first.height({}) == 7
    assert second.persistent and second.width and second.width({"WIDTH": 100, "detail": 0.25}) == 25
    assert last == Pass()


def test_buffers_of_version_1_are_read() -> None:
    passes = [{"TARGET": "a"}, {"TARGET": "b"}, {"TARGET": "c"}]
    assert [p.persistent for p in parsed(PASSES=passes, PERSISTENT_BUFFERS=["a", "c"]).passes] == [
        True,
        False,
        True,
    ]
    sized = parsed(PASSES=passes, PERSISTENT_BUFFERS={"b": {"WIDTH": "$WIDTH/2", "FLOAT": True}}).passes[1]
    assert sized.persistent and sized.floating and sized.width == sizes.parse("$WIDTH/2")


def test_imported_images_are_found_next_to_the_file(tmp_path: Path) -> None:
    shader = tmp_path / "a.fs"
    shader.write_text(header(IMPORTED={"grain": {"PATH": "grain.png"}}))
    (warning,) = isf.load(shader).warnings
    assert re.search(r"a\.fs:3: IMPORTED grain: .*grain\.png is not there", warning)
    (tmp_path / "grain.png").write_bytes(b"")
    assert isf.load(shader).imported == {"grain": (tmp_path / "grain.png",)}
    assert not isf.load(shader).warnings


def test_the_vertex_shader_next_to_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.fs").write_text(header())
    assert "gl_Position.x" not in isf.load(tmp_path / "a.fs").vertex
    (tmp_path / "a.vs").write_text("void main() { isf_vertShaderInit(); gl_Position.x += 1.0; }")
    assert "gl_Position.x += 1.0" in isf.load(tmp_path / "a.fs").vertex


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ISFError, match=r"none\.fs: No such file"):
        isf.load(tmp_path / "none.fs")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MAIN, "a.fs:1: no header"),
        ('/*{\n "INPUTS": [\n  {"NAME" "x"}\n ]\n}*/', "a.fs:3: the header is not valid JSON"),
        ("/*[1]*/", "a.fs:1: the header must be a JSON object"),
        ('/*{"INPUTS":\n {}\n, "PASSES": 3}*/', "PASSES must be a list of objects"),
        (
            header(INPUTS=[{"NAME": "isf_a", "TYPE": "float"}]) + "float a = isf_a;",
            "a.fs:4: INPUTS: NAME = 'isf_a', must be letters",
        ),
        (
            header(INPUTS=[{"NAME": "x", "TYPE": "cube"}]) + "vec4 color = vec4(x);",
            "TYPE = 'cube', must be one of event, bool",
        ),
        (
            header(INPUTS=[{"NAME": "x", "TYPE": "float"}, {"NAME": "x", "TYPE": "long"}]),
            "a.fs:4: the name x is taken",
        ),
        ('/*{\n "INPUTS": [\n  {"NAME" x: "y"}]\n*/', "a.fs:3: the header is not valid JSON: Unexpected"),
        (header(INPUTS=[{"NAME": "TIME", "TYPE": "float"}]), "the name TIME is taken"),
        (header(PASSES=[{"TARGET": "while"}]), "a.fs:4: the name while is a word of GLSL"),
        (header(PASSES=[{"TARGET": "1x"}]), "TARGET = '1x', must be letters, digits and _"),
        (header(PASSES=[{"TARGET": "usampler2D"}]), "a.fs:4: the name usampler2D is a word of GLSL"),
        (header(PASSES=[{"TARGET": "IMG_SIZE"}]), "a.fs:4: the name IMG_SIZE is taken"),
        (header(IMPORTED={"x": 5}), "IMPORTED x: PATH = 5, must be the name of one image file"),
        (header(IMPORTED={"x": {"PATH": ["a.png"] * 5}}), "or the names of 6, the faces of a cube"),
        (header(IMPORTED="x.png"), "IMPORTED must be an object of images"),
        (header(PERSISTENT_BUFFERS=["a b"]), "PERSISTENT_BUFFERS must be a list of names or an object"),
    ],
)
def test_a_fault_is_reported_with_its_position(text: str, message: str) -> None:
    with pytest.raises(ISFError) as caught:
        isf.parse(text, "a.fs")
    assert str(caught.value).startswith("a.fs:") and message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        ("$WIDTH", 640),
        ("$WIDTH/2.0+$HEIGHT*0.5", 500),
        ("max($WIDTH/1000.0, 1.0)", 1),
        ("min($WIDTH, $HEIGHT, 100)", 100),
        ("floor($WIDTH / 3.0)", 213),
        ("2 ^ 5 - 1", 31),
        ("-5", 1),
        ("1 / 0", 1),
        ("1e300 * 1e300", sizes.LARGEST),
        ("sqrt(0 - 1)", 1),
        ("64", 64),
        ("  ( $HEIGHT % 100 ) ", 60),
    ],
)
def test_sizes_are_read(text: str, pixels: int) -> None:
    assert sizes.parse(text)({"WIDTH": 640, "HEIGHT": 360}) == pixels


@pytest.mark.parametrize(
    "text", ["", "WIDTH", "a.b", "[1]", "max(1)", "max(1, *2)", "'a'", "True", "1" * 201, "$"]
)
def test_wrong_sizes_are_rejected(text: str) -> None:
    with pytest.raises(SizeError):
        sizes.parse(text)


SIZE_TEXT = st.text("$WIDTHEG()+-*/%^., 0123456789efloormaxinpw_[]'\0\n", max_size=220) | st.text(max_size=40)


@given(SIZE_TEXT)
def test_any_text_is_a_size_or_a_size_error(text: str) -> None:
    try:
        size = sizes.parse(text)
    except SizeError:
        return
    assert isinstance(size, Size)
    assert 1 <= size(dict.fromkeys(size.names, 640.0)) <= sizes.LARGEST


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def words(text: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(text.split())


ENTRY = st.dictionaries(
    words("NAME TYPE DEFAULT MIN MAX IDENTITY VALUES LABELS TARGET WIDTH HEIGHT FLOAT PERSISTENT PATH"),
    words("a b inputImage progress $WIDTH/2 float long color point2D audio image event") | JSON,
)
HEADER = st.dictionaries(
    words("INPUTS PASSES IMPORTED PERSISTENT_BUFFERS CATEGORIES DESCRIPTION CREDIT"),
    st.lists(ENTRY, max_size=4) | st.dictionaries(st.sampled_from(["a", "b"]), ENTRY, max_size=2) | JSON,
)


@given(HEADER.map(lambda keys: "/*" + json.dumps(keys) + "*/") | st.text(max_size=60).map("/*{0}*/".format))
def test_any_text_is_a_shader_or_an_isf_error(text: str) -> None:
    try:
        made = isf.parse(text, "a.fs")
    except ISFError:
        return
    assert made.passes
    for one in made.parameters:
        if one.kind != "sound":
            one.check(one.default)


def test_deep_json_is_an_isf_error() -> None:
    with pytest.raises(ISFError):
        isf.parse("/*" + '{"a":[' * 100000 + "*/", "a.fs")


@pytest.mark.parametrize(
    "log",
    [
        "fragment_shader\n===\n0:12(7): error: `x' undeclared\n",
        "0(12) : error C1503: `x' undeclared",
        "ERROR: 0:12: `x' undeclared",
    ],
)
def test_compiler_messages_name_lines_of_the_users_file(log: str) -> None:
    assert glsl.explain(log, ("a.fs", "a.vs")).startswith("a.fs:12: ")
    assert "`x' undeclared" in glsl.explain(log, ("a.fs", "a.vs"))


def test_compiler_messages_name_the_file_that_they_mean() -> None:
    files = ("a.fs", "a.vs")
    assert glsl.explain("vertex_shader\n===\n0:3(1): error: oh", files) == "a.vs:3: oh"
    assert glsl.explain("0:1000003(1): error: oh", files) == "a.fs:1: what its header declares: oh"
    assert glsl.explain("0:2(1): warning: ah\n0:3(1): error: oh", files) == "a.fs:3: oh"
    assert glsl.explain("out of luck\n", files) == "a.fs:1: out of luck"


@pytest.mark.parametrize(
    ("line", "place"),
    [(19_999, "a.fs:19999"), (20_007, "b.glsl:7"), (40_007, "a.fs:40007"), (999_999, "a.fs:999999")],
)
def test_lines_of_long_files_and_of_the_authors_own_numbers(line: int, place: str) -> None:
    files = ("a.fs", "a.vs", "b.glsl")
    assert glsl.explain(f"0:{line}(1): error: oh", files) == f"{place}: oh"
    assert glsl.explain("0:20007(1): error: oh", files[:2]) == "a.fs:20007: oh"


def test_a_compiler_tells_its_first_faults_without_the_functions_that_it_lists() -> None:
    log = "0:3(1): error: no matching function for call to `f(int)'; candidates are:\n"
    log += "0:3(1): error:    float f(float)\n0:3(1): error:    vec4 f(sampler2D, vec2)\n"
    assert glsl.explain(log, ("a.fs", "a.vs")) == "a.fs:3: no matching function for call to `f(int)'"
    many = "".join(f"0:{line}(1): error: oh\n" for line in range(1, 21))
    *told, last = glsl.explain(many, ("a.fs", "a.vs")).splitlines()
    assert len(told) == glsl.MOST_FAULTS and last == "a.fs: and 12 more"
