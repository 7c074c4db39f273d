"""Shaders as strangers have them: what other hosts and drivers let through, drawn with exact pixels."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.library import Library
from perform.parameters import Parameter
from perform.render import isf
from perform.render.isf import ISFError
from perform.render.shader import Shader, ShaderError
from tests.doubles.shaders import Stage, main, parse, picture, write_png

IMAGE = {"NAME": "inputImage", "TYPE": "image"}


def drawn(context: moderngl.Context, text: str, **values: Any) -> list[int]:
    """The first pixel of the first frame."""
    frame = Stage(context, isf.parse(text, "a.fs")).frame(**values)
    assert context.error == "GL_NO_ERROR"
    return [int(value) for value in frame[0, 0]]


def grey(context: moderngl.Context, body: str) -> int:
    return drawn(context, "/*{}*/\n" + body)[0]


@pytest.mark.parametrize(
    "line",
    [
        "#extension GL_OES_standard_derivatives : enable",
        "#extension GL_OES_standard_derivatives : require",
        "# extension GL_EXT_none_such:enable",
        "#extension GL_EXT_none_such : require  // needs it",
        "#extension all : enable",
    ],
)
def test_extensions_are_lifted_and_unknown_ones_ignored(context: moderngl.Context, line: str) -> None:
    body = "float slope = dFdx(gl_FragCoord.x * 0.2);\n    gl_FragColor = vec4(slope); }"
    assert (
        grey(context, f"float before = 0.0;\n{line}\nprecision mediump float;\nvoid main() {{ {body}") == 51
    )


@pytest.mark.parametrize(
    ("entry", "warnings"),
    [
        ('{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2,},', 1),
        ('{"NAME": "amount", "TYPE": "float", "DEFAULT": .2}', 1),
        ('{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2} // half', 1),
        ("{'NAME': 'amount', 'TYPE': 'float', 'DEFAULT': 0.2}", 1),
        ('{"NAME": "amount", "TYPE": "float", "DEFAULT": "0.2"}', 0),
        ('{"name": "amount", "type": "float", "default": 0.2}', 0),
        ('{"NAME": " amount", "TYPE": "float ", "MIN": "", "DEFAULT": [0.2]}', 0),
        ('{"NAME": "amount", "TYPE": "float", "LABEL": "two\nlines", "DEFAULT": 0.2}', 0),
    ],
)
def test_lenient_headers(context: moderngl.Context, entry: str, warnings: int) -> None:
    text = '/*{\n "INPUTS": [\n' + entry + "\n ]\n}*/\nvoid main() { gl_FragColor = vec4(amount); }"
    assert drawn(context, text) == [51, 51, 51, 51]
    found = isf.parse(text, "a.fs").warnings
    assert len(found) == warnings and all(one.startswith(("a.fs:3: the h", "a.fs:4: the h")) for one in found)


def test_a_licence_may_stand_before_the_header(context: moderngl.Context) -> None:
    header = '/**\n * {"INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}]} */'
    assert (
        drawn(context, f"/* Do as\n you like. */\n{header}\nvoid main() {{ gl_FragColor = vec4(amount); }}")[
            0
        ]
        == 51
    )


@pytest.mark.parametrize(
    "text", ["/* \n" * 50_000, "/*" + "*" * 50_000, "/*{}*/" + "#define a \\\n" * 50_000]
)
def test_long_texts_are_read_in_one_go(text: str) -> None:
    with suppress(ISFError):
        isf.parse(text, "a.fs")  # one that looks back from each line would take minutes


def test_what_follows_the_header_is_ignored(context: moderngl.Context) -> None:
    text = '/*\n{"INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}]};\nmade in {2020} */'
    assert drawn(context, text + "void main() { gl_FragColor = vec4(amount); }")[0] == 51
    (warning,) = isf.parse(text, "a.fs").warnings
    assert warning == "a.fs:2: what follows the last } of the header is ignored"


def test_a_buffer_of_version_1_that_no_pass_draws_is_black(context: moderngl.Context) -> None:
    shader = main("IMG_THIS_PIXEL(buffer)", PERSISTENT_BUFFERS=["buffer"])
    assert tuple(Stage(context, shader).frame()[0, 0]) == (0, 0, 0, 255)


def test_a_bias_may_follow(context: moderngl.Context) -> None:
    rows = np.arange(32).reshape(4, 8) * 8
    for call in (
        "IMG_NORM_PIXEL(inputImage, isf_FragNormCoord, 0.0)",
        "IMG_PIXEL(inputImage, gl_FragCoord.xy, -1.0)",
        "texture2D(inputImage, isf_FragNormCoord, 0.0)",
        "IMG_NORM_THIS_PIXEL(inputImage)",
        "texture2DRect(inputImage, isf_FragCoord.xy)",
        "texture2DLodEXT(inputImage, isf_FragNormCoord, 0.0)",
    ):
        frame = Stage(context, main(call, INPUTS=[IMAGE])).frame(picture(context, rows))
        assert (frame[:, :, 0] == rows).all(), call


@pytest.mark.parametrize(
    "name",
    [
        "smooth",
        "filter",
        "case",
        "half",
        "sample",
        "precise",
        "flat",
        "common",
        "input",
        "output",
        "default",
        "active",
        "fixed",
        "mix",
    ],
)
def test_words_and_functions_as_names_of_inputs(context: moderngl.Context, name: str) -> None:
    shader = main(
        f"vec4(mix(0.0, {name}, 1.0))",
        INPUTS=[{"NAME": name, "TYPE": "float", "DEFAULT": 0.2, "LABEL": name}],
    )
    assert shader.parameters == (Parameter(name, 0.2, 0.0, 1.0, description=name),)
    stage = Stage(context, shader)
    assert [int(stage.frame(**{name: value})[0, 0, 0]) for value in (0.2, 0.4)] == [51, 102]


@pytest.mark.parametrize(
    "name",
    ["smooth", "filter", "case", "half", "sample", "precise", "patch", "superp", "hvec2", "this", "texture"],
)
def test_words_as_names_in_the_code(context: moderngl.Context, name: str) -> None:
    body = f"float {name} = 0.1;\n    gl_FragColor = vec4({name} * 2.0); }}"
    assert (
        grey(context, f"vec2 twice(vec2 {name}) {{ return {name}.xy * 2.0; }}\nvoid main() {{ {body}") == 51
    )


def test_words_as_qualifiers_stay(context: moderngl.Context) -> None:
    vertex = "flat out int count;\nvoid main() { isf_vertShaderInit(); count = 51; }"
    body = "flat in int count;\nvoid main() { switch (count) { case 51: gl_FragColor = vec4(0.2); } }"
    assert Stage(context, isf.parse("/*{}*/" + body, "a.fs", vertex)).frame()[0, 0, 0] == 51


def test_images_with_words_as_names(context: moderngl.Context) -> None:
    inputs = [IMAGE, {"NAME": "texture", "TYPE": "image"}]
    shader = main("texture2D(texture, isf_FragNormCoord) * _texture_imgSize.x / 4.0", INPUTS=inputs)
    image = picture(context, [[10, 20], [30, 40]])
    assert Stage(context, shader, (2, 2)).frame(image, image)[:, :, 0].tolist() == [[5, 10], [15, 20]]


def test_passes_with_words_as_names(context: moderngl.Context) -> None:
    body = "PASSINDEX == 0 ? vec4(0.2) : IMG_THIS_PIXEL(filter)"
    assert Stage(context, main(body, PASSES=[{"TARGET": "filter"}, {}])).frame()[0, 0, 0] == 51


@pytest.mark.parametrize(
    "body",
    [
        "float one() { return 1; }\nvoid main() { gl_FragColor = vec4(one() * 0.2); }",
        "uniform float TIME; uniform vec2 RENDERSIZE;\nvarying vec2 isf_FragNormCoord;\n"
        "void main() { gl_FragColor = vec4(0.2 + TIME); }",
        "out vec4 color; uniform float TIME;\nvoid main() { color = vec4(0.2 + TIME); }",
        "void main() { gl_FragData[0] = vec4(0.2); }",
        "const float level = TIME + 0.2;\nvoid main() { gl_FragColor = vec4(level); }",
        "#define texture2D(image, at) vec4(0.2)\nvoid main() { gl_FragColor = texture2D(none, vec2(0.0)); }",
        "#define read texture\nuniform sampler2D none;\nuniform samplerCube sky;\n"
        "void main() { gl_FragColor = 0.2 * read(none, vec2(0.0)).a + 0.0 * textureCube(sky, vec3(1.0)); }",
        "void main() { gl_FragColor = vec4(gl_TexCoord[0].w * 0.2); }",
        "float level() { return 0.1; }\nconst float one = level();\nconst float two = one * 2.0;\n"
        "void main() { gl_FragColor = vec4(two); }",
        "int max(int a, int b) { return a; }\n"
        "void main() { gl_FragColor = vec4(max(0.1, 0.2)) * max(1, 2); }",
        "vec3 mix(vec3 a, vec3 b, int c) { return a; }\n"
        "void main() { gl_FragColor = vec4(mix(0.1, 0.3, 0.5)) * mix(vec3(1.0), vec3(0.0), 1).x; }",
        "float cross(vec2 a, vec2 b) { return a.x * b.y - a.y * b.x; }\n"
        "void main() { gl_FragColor = vec4(cross(vec2(0.1, 0.0), vec2(0.0, 1.0))"
        " + cross(vec3(0.1, 0.0, 0.0), vec3(0.0, 1.0, 0.0)).z); }",
        "uint max(uint a, uint b) { return a; }\nvoid main() { gl_FragColor = vec4(max(0.1, 0.2)); }",
        "vec3 refract(vec3 a, float b) { return a; }\nvoid main() {"
        " gl_FragColor = vec4(refract(vec3(0.2), 1.0), 1.0) + refract(vec4(0.0), vec4(0.0), 0.5); }",
        "float fwidth(int a) { return 0.1; }\n"
        "void main() { gl_FragColor = vec4(fwidth(1) + fwidth(gl_FragCoord.x * 0.1)); }",
        "float round(float x) { return 0.2; }\n"
        "void main() { gl_FragColor = vec4(round(3.0) * round(vec2(1.2)).x); }",
        "vec4 texture(sampler2D image, vec2 at) { return texture2D(image, at) * 0.0 + 0.2; }\n"
        "uniform sampler2D none;\nvoid main() { gl_FragColor = texture(none, vec2(0.0)); }",
        "#define LEVEL(x) \\\n  (x /* once\n and */ \\ \n * 2.0)\n"
        "void main() { gl_FragColor = vec4(LEVEL(0.1)); }",
        "void main() { switch (1) { case 0: break; default: } gl_FragColor = vec4(0.2); }",
        "#ifdef GL_ES\n#else GL_ES\n#define LEVEL 0.2\n#endif GL_ES\n"
        "void main() { gl_FragColor = vec4(LEVEL); }",
        "void main() { vec2 at = 0 * gl_FragCoord.xy; fragColor = vec4(at, 0.0, 1.0); fragColor.r += 0.2; }",
        "void main() { vec4 fragColor = vec4(0.2); gl_FragColor = fragColor; }",
        "uniform vec3 iResolution;\nvoid mainImage(out vec4 fragColor, in vec2 at) {\n"
        "fragColor = vec4(0.2 + (at.x / iResolution.x - 0.5 + iTime) * 0.0 + iMouse.x + float(iFrame)); }",
        "#define iTime 0.2\nvoid mainImage(out vec4 O, vec2 at) { O = vec4(iTime); }",
        "void mainImage(out vec4 O, vec2 at) { O = vec4(0.2); }\n"
        "void main() { mainImage(gl_FragColor, gl_FragCoord.xy); }",
        "void\u00a0main() {\u2003gl_FragColor = vec4(0.2); }\ufeff",
        "#version 100\nprecision highp float;\nvoid main(void) { gl_FragColor = vec4(0.2); } // /\\_/\\\n",
    ],
)
def test_what_other_drivers_let_through(context: moderngl.Context, body: str) -> None:
    assert grey(context, body) == 51


def test_an_input_with_a_name_of_shadertoy_is_the_input(context: moderngl.Context) -> None:
    inputs = '"INPUTS": [{"NAME": "iMouse", "TYPE": "point2D", "DEFAULT": [0.2, 0.4]}]'
    body = "uniform vec2 iMouse;\nvoid mainImage(out vec4 O, vec2 at) { O = vec4(iMouse, 0.0, 0.0); }"
    assert drawn(context, f"/*{{{inputs}}}*/\n{body}") == [51, 102, 0, 255]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '/*{\n"MODE": "VERTEX_SHADER_ART"}*/ void main() { gl_Position = vec4(vertexId); }',
            "a.fs:2: MODE = 'VERTEX_SHADER_ART', must be left out: "
            "only shaders that colour pixels are played",
        ),
        (
            "/*{}*/\nvec4 materialColorForPixel(vec2 at) { return vec4(1.0); }",
            "a.fs:1: is of MadMapper, must be an ISF with a function main()",
        ),
        (
            "/*{}*/\nvec4 fxColorForPixel(vec2 at) { return vec4(1.0); }",
            "a.fs:1: is of MadMapper, must be an ISF with a function main()",
        ),
        (
            "void mainImage(out vec4 O, vec2 at) { O = vec4(0.2); }",
            "a.fs:1: no header, must begin with a comment /*{ … }*/ that holds JSON; "
            "a shader of Shadertoy plays with the line /*{}*/ before it",
        ),
    ],
)
def test_what_is_no_isf_is_named(text: str, message: str) -> None:
    with pytest.raises(ISFError) as raised:
        isf.parse(text, "a.fs")
    assert str(raised.value) == message


def test_the_default_of_a_choice_may_be_its_word() -> None:
    choice = {"NAME": "form", "TYPE": "long", "VALUES": [3, 5], "LABELS": ["Circle", "Square"]}
    (made,) = main("vec4(form)", INPUTS=[{**choice, "DEFAULT": "Square"}]).parameters
    assert made.default == "Square"
    other = main("vec4(form)", INPUTS=[{**choice, "DEFAULT": "Round"}])
    assert other.parameters[0].default == "Circle" and "DEFAULT = 'Round' is left out" in other.warnings[0]


def test_a_vertex_shader_of_old_opengl(context: moderngl.Context) -> None:
    vertex = "varying vec2 at;\nvoid main() { gl_Position = ftransform(); at = gl_MultiTexCoord0.xy; }"
    body = "/*{}*/ varying vec2 at;\nvoid main() { gl_FragColor = vec4(at, 0.0, 1.0); }"
    frame = Stage(context, isf.parse(body, "a.fs", vertex), (2, 1)).frame()
    assert frame[0, :, :2].tolist() == [[64, 128], [191, 128]]


def test_an_empty_vertex_shader_is_none(context: moderngl.Context) -> None:
    shader = isf.parse("/*{}*/ void main() { gl_FragColor = vec4(0.2); }", "a.fs", " \n")
    assert Stage(context, shader).frame()[0, 0, 0] == 51


def test_cubes(context: moderngl.Context, tmp_path: Path) -> None:
    names = [f"{face}.png" for face in range(6)]
    for face, name in enumerate(names):
        write_png(tmp_path / name, np.full((2, 2, 3), 40 * face + 10, np.uint8))
    corner = np.zeros((2, 2, 3), np.uint8)
    corner[0, 0] = 255  # upper left
    write_png(tmp_path / "4.png", corner)
    ways = "vec3(1, 0, 0), vec3(-1, 0, 0), vec3(0, 1, 0), vec3(0, -1, 0), vec3(-0.5, 0.5, 1), vec3(0, 0, -1)"
    keys = '"IMPORTED": {"sky": {"TYPE": "cube", "PATH": ' + str(names).replace("'", '"') + "}}"
    body = f"void main() {{ gl_FragColor = textureCube(sky, vec3[]({ways})[int(gl_FragCoord.x)]); }}"
    (tmp_path / "a.fs").write_text(f"/*{{{keys}}}*/ {body}")
    shader = isf.load(tmp_path / "a.fs")
    assert Stage(context, shader, (6, 1)).frame()[0, :, 0].tolist() == [10, 50, 90, 130, 255, 210]
    write_png(tmp_path / "3.png", np.zeros((2, 4, 3), np.uint8))
    with pytest.raises(ISFError, match=r"3\.png: 4x2 pixels, must be 2x2"):
        Stage(context, shader)
    (tmp_path / "3.png").unlink()
    shader = isf.load(tmp_path / "a.fs")
    assert "a.fs:1: IMPORTED sky: " in shader.warnings[0] and "3.png is not there" in shader.warnings[0]
    assert Stage(context, shader, (6, 1)).frame()[0, :, 0].tolist() == [0] * 6


@pytest.mark.parametrize(
    ("keys", "expected", "warning"),
    [
        (
            {"MIN": 2, "MAX": -2, "DEFAULT": 0.5},
            (0.5, -2.0, 2.0),
            "MIN = 2 is above MAX = -2: they are swapped",
        ),
        (
            {"MIN": 1, "MAX": 1, "DEFAULT": 0.2},
            (0.2, 0.2, 1.0),
            "DEFAULT = 0.2 is outside 1..1: the range is 0.2..1",
        ),
        ({"MIN": 0.3, "MAX": 0.3}, (0.3, 0.3, 0.3), ""),
        ({"DEFAULT": True}, (1.0, 0.0, 1.0), ""),
    ],
)
def test_ranges(keys: dict[str, Any], expected: tuple[float, ...], warning: str) -> None:
    shader = main("vec4(it)", INPUTS=[{"NAME": "it", "TYPE": "float", **keys}])
    (made,) = shader.parameters
    assert (made.default, made.low, made.high) == expected
    assert len(shader.warnings) == bool(warning)
    assert all(one.startswith(f"a.fs:1: INPUTS it: {warning}") for one in shader.warnings)


def test_an_input_that_stands_twice_is_one() -> None:
    entry = {"NAME": "it", "TYPE": "float", "DEFAULT": 0.2}
    shader = main("vec4(it)", INPUTS=[entry, {**entry, "DEFAULT": 0.4}])
    assert [one.default for one in shader.parameters] == [0.2] and len(shader.warnings) == 1


def test_included_files(context: moderngl.Context, tmp_path: Path) -> None:
    (tmp_path / "common.glsl").write_text('#include "more.glsl"\nfloat level() { return less(0.4); }\n')
    (tmp_path / "more.glsl").write_text("float less(float x) {\n return x * 0.5; }\n")
    (tmp_path / "a.fs").write_text(
        '/*{}*/\n// #include "none.glsl"\n/* #include "none.glsl" */\n#include "common.glsl"\n'
        "void main() {\n gl_FragColor = vec4(level()); }"
    )
    shader = isf.load(tmp_path / "a.fs")
    assert shader.included == (tmp_path / "common.glsl", tmp_path / "more.glsl")
    assert Stage(context, shader).frame()[0, 0, 0] == 51
    (tmp_path / "more.glsl").write_text("float less(float x) {\n return y; }\n")
    with pytest.raises(ShaderError, match=r"^[^:]*more\.glsl:2: .*`y'"):
        Shader(context, isf.load(tmp_path / "a.fs"), (1, 1))


def test_lines_are_right_after_an_included_file(context: moderngl.Context, tmp_path: Path) -> None:
    (tmp_path / "two.glsl").write_text("float one;\nfloat two;\n")
    (tmp_path / "a.fs").write_text('/*{}*/\n#include "two.glsl"\nvoid main() {\n gl_FragColor = nothing; }')
    with pytest.raises(ShaderError, match=r"^[^:]*a\.fs:4: .*nothing"):
        Shader(context, isf.load(tmp_path / "a.fs"), (1, 1))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('#include "none.glsl"', r"a\.fs:2: #include none\.glsl: .*none\.glsl: No such file"),
        ("#include", r"a\.fs:2: #include must name a file beside the shader"),
        ('#include "self.glsl"', r"self\.glsl:1: #include self\.glsl: the file includes itself"),
    ],
)
def test_files_that_cannot_be_included(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "self.glsl").write_text('#include "self.glsl"')
    (tmp_path / "a.fs").write_text(f"/*{{}}*/\n{line}\nvoid main() {{}}")
    with pytest.raises(ISFError, match=message):
        isf.load(tmp_path / "a.fs")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("void draw() {}", 1),
        ("\nfloat f(float x) { return f(x); }\nvoid main() { gl_FragColor = vec4(f(1.0)); }", 2),
        ("\n\nfloat f(float x);\nvoid main() { gl_FragColor = vec4(f(1.0)); }", 3),
        ("\n\nvoid main() { float smooth = none; }", 3),
    ],
)
def test_faults_have_a_line(context: moderngl.Context, body: str, line: int) -> None:
    with pytest.raises(ShaderError) as caught:
        Shader(context, parse(body), (1, 1))
    assert str(caught.value).startswith(f"a.fs:{line + 1}: " if line > 1 else "a.fs:1: ")


def test_names_in_messages_are_the_authors(context: moderngl.Context) -> None:
    with pytest.raises(ShaderError, match=r"a\.fs:2: .*`sample'"):
        Shader(context, parse("void main() { gl_FragColor = vec4(sample); }"), (1, 1))


def test_passes_that_would_fill_the_memory_are_refused(context: moderngl.Context) -> None:
    size = {"WIDTH": "$WIDTH * 1e4", "HEIGHT": "$HEIGHT * 1e4", "FLOAT": True, "PERSISTENT": True}
    shader = Shader(context, main("vec4(1.0)", PASSES=[{"TARGET": "big", **size}, {}]), (8, 4))
    with pytest.raises(ShaderError, match=r"^a\.fs:1: its passes need 4\.3 GB, must be at most 2 GB"):
        shader.warm()


BAD = {"NAME": "bad", "TYPE": "event"}
KEPT = [{"TARGET": "kept", "PERSISTENT": True, "FLOAT": True}, {}]


@pytest.mark.parametrize("broken", ["zero / zero", "sqrt(-1.0 - zero)", "log(-1.0 - zero)"])
def test_what_is_no_number_is_cleared_from_a_kept_buffer(context: moderngl.Context, broken: str) -> None:
    zero = {"NAME": "zero", "TYPE": "float"}
    body = f"PASSINDEX == 0 ? IMG_THIS_PIXEL(kept) + (bad ? {broken} : 0.2) : IMG_THIS_PIXEL(kept)"
    stage = Stage(context, main(body, INPUTS=[BAD, zero], PASSES=KEPT))
    frames = [int(stage.frame(bad=at == 2)[0, 0, 0]) for at in range(5)]
    assert frames == [51, 102, 0, 51, 102]


def test_what_is_too_large_falls_again(context: moderngl.Context) -> None:
    body = "PASSINDEX == 0 ? IMG_THIS_PIXEL(kept) * 0.5 + (bad ? 1e30 : 0.0) : IMG_THIS_PIXEL(kept) / 65504.0"
    stage = Stage(context, main(body, INPUTS=[BAD], PASSES=KEPT))
    assert [int(stage.frame(bad=at == 1)[0, 0, 0]) for at in range(4)] == [0, 255, 128, 64]


def test_the_library_reads_a_shader_again_when_what_it_includes_is_saved(tmp_path: Path) -> None:
    folder = tmp_path / "shaders" / "generators"
    folder.mkdir(parents=True)
    (folder / "level.glsl").write_text("const float level = 0.2;")
    (folder / "plain.fs").write_text(
        '/*{}*/\n#include "level.glsl"\nvoid main() { gl_FragColor = vec4(level); }'
    )
    library = Library(tmp_path)
    first = library.isf("plain", "generator")
    assert library.isf("plain", "generator") is first
    (folder / "level.glsl").write_text("const float level = 0.25;")
    assert "level = 0.25" in library.isf("plain", "generator").fragment
