"""GLSL at its edges: versions, names, macros, implicit numbers, other vertices; drawn with exact pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.render import isf, pieces
from perform.render.shader import Shader, ShaderError
from tests.doubles.shaders import Stage, main, picture

INPUTS = [
    {"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2},
    {"NAME": "mode", "TYPE": "long", "VALUES": [0, 1], "LABELS": ["a", "b"], "DEFAULT": 1},
    {"NAME": "on", "TYPE": "bool", "DEFAULT": 1},
    {"NAME": "bang", "TYPE": "event"},
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [0.2, 0.4, 0.6, 1]},
]
HEADER = "/*" + json.dumps({"INPUTS": INPUTS}) + "*/\n"
GREY = 51  # of the picture; 0.2

VERSIONS = [
    "#version 120\nvarying vec2 vv_FragNormCoord;\n"
    "void main() { gl_FragColor = texture2D(inputImage, vv_FragNormCoord); }",
    "#version 150\nin vec2 isf_FragNormCoord;\nout vec4 outColor;\n"
    "void main() { outColor = texture(inputImage, isf_FragNormCoord); }",
    "#version 330 core\nlayout(location = 0) out vec4 o;\nvoid main() { o = IMG_THIS_PIXEL(inputImage); }",
    "#version 450\nlayout(location = 0) in vec2 isf_FragNormCoord;\nlayout(location = 0) out vec4 o;\n"
    "layout(binding = 1) uniform sampler2D inputImage;\nvoid main() { o = texture(inputImage, vec2(0.5)); }",
    "#version 300 es\nprecision highp float;\nout vec4 fragColor;\n"
    "void main() { fragColor = texture(inputImage, vec2(0.5)); }",
    "#ifdef GL_ES\n  # version 300 es\nprecision mediump float;\n#endif\n"
    "void main() { gl_FragColor = vec4(0.2); }",
    "float one;\n#version 330\n#pragma STDGL invariant(all)\n#pragma once\n"
    "void main() { gl_FragColor = vec4(0.2); }",
    "void main() {\n#extension GL_OES_standard_derivatives : enable\ngl_FragColor = vec4(amount); }",
    "#if __VERSION__ <= 120\nvarying vec2 none;\n#else\n#define tex texture\n#endif\n"
    "void main() { gl_FragColor = tex(inputImage, vec2(0.5)); }",
    "precision highp int;\nprecision lowp sampler2D;\nhighp float f(mediump vec2 p) { return p.x; }\n"
    "void main() { lowp vec4 c = vec4(f(vec2(0.2))); gl_FragColor = c; }",
    "void main() { gl_FragColor = gl_Color * IMG_THIS_PIXEL(inputImage); }",
    "void main() { gl_FragData[0] = vec4(amount); }",
    "smooth in vec2 isf_FragNormCoord;\ninvariant varying vec2 vv_FragNormCoord;\n"
    "void main() { gl_FragColor = IMG_NORM_PIXEL(inputImage, isf_FragNormCoord); }",
]
NAMES = [
    "vec4 color(float x) { return vec4(x); }\nvoid main() { gl_FragColor = color(amount); }",
    "vec4 image(vec2 p) { return IMG_NORM_PIXEL(inputImage, p); }\n"
    "void main() { gl_FragColor = image(vec2(0.5)); }",
    "vec2 rotate(vec2 p, float a) { return p * mat2(cos(a), -sin(a), sin(a), cos(a)); }\n"
    "void main() { gl_FragColor = vec4(rotate(vec2(0.2), 0.0).x); }",
    "float noise(vec2 p) { return p.x; }\nfloat noise(vec3 p) { return p.y; }\nfloat noise1(float "
    "x) { return x; }\n"
    "void main() { gl_FragColor = vec4(noise(vec2(0.1)) + noise(vec3(0.05)) + noise1(0.05)); }",
    "vec4 texture(vec2 p) { return vec4(p.x); }\n"
    "void main() { gl_FragColor = texture(vec2(0.1)) + 0.5 * IMG_NORM_PIXEL(inputImage, vec2(0.5)); }",
    "mat3 inverse(mat3 m) { return m; }\nbool isnan(float x) { return x != x; }\n"
    "void main() { gl_FragColor = vec4(isnan(0.1) ? 1.0 : 0.2 * inverse(mat3(1.0))[0][0]); }",
    "float tanh(float x) { return x; }\nvoid main() { gl_FragColor = vec4(tanh(0.2) + tanh(vec2(0.0)).x); }",
    "float amount(float x) { return x; }\nvoid main() { gl_FragColor = vec4(amount(0.2)); }",
    "float f(float amount, vec4 tint) { return amount * tint.r; }\n"
    "void main() { gl_FragColor = vec4(f(0.2, vec4(1.0))); }",
    "void main() { float TIME = 0.2; vec2 RENDERSIZE = vec2(1.0); gl_FragColor = vec4(TIME *"
    " RENDERSIZE.x); }",
    "struct S { float sample; vec2 input; };\n"
    "void main() { S s; s.sample = 0.1; s.input = vec2(0.1); gl_FragColor = vec4(s.sample + s.input.x); }",
    "#define TIME (TIME * 0.0 + 0.2)\nvoid main() { gl_FragColor = vec4(TIME); }",
]  # fmt: skip
TWICE = [
    "const float a = 0.1;\nfloat f(float x) { return x; }\nstruct S { float x; };\nfloat g;\n"
    "const float  a = 0.1 ;\nfloat f(float x)\n{ return x;  }\nstruct S { float x; };\nfloat f(vec2 "
    "x) { return x.y; }\n"
    "void main() { gl_FragColor = vec4(f(a) + f(vec2(0.1))); }",
    "#ifdef NONE\nfloat f() { return 0.2; }\n#else\nfloat f() { return 0.2; }\n#endif\n"
    "void main() { gl_FragColor = vec4(f()); }",
    "#define BEGIN {\n#define END }\nfloat f() BEGIN return 0.2; END\nvoid main() BEGIN "
    "gl_FragColor = vec4(f()); END",
]
MACROS = [
    "#define A(x) B((x) * 2.0)\n#define B(y) C(y, 1.0)\n#define C(a, b) ((a) + (b) - 1.0)\n"
    "void main() { gl_FragColor = vec4(A(0.1)); }",
    "#define A(x) ((x) /* twice */ * 2.0) // done\n"
    "void main() { gl_FragColor = vec4(A(0.05 /* here */) + A( // one\n0.05)); }",
    "#define A(x) \\\r\n  ((x) \\\r\n  * 2.0)\r\nvoid main() { gl_FragColor = vec4(A(0.1)); }\r\n",
    "#define CAT(a, b) a##b\nvoid main() { float xy = 0.2; gl_FragColor = vec4(CAT(x, y)); }",
    "#define MAIN void main(void)\nMAIN { gl_FragColor = vec4(0.2); }",
    "#define T(p) IMG_NORM_PIXEL(inputImage, p)\nvoid main() { gl_FragColor = T(T(vec2(0.5)).xy); }",
    "#if 0\nthis isn't code \"at all'\n#endif\n#ifdef NONE\nvoid main() { oops }\n#else\n"
    "void main() { gl_FragColor = vec4(0.2); }\n#endif",
    "// path C:\\dir\\\nvoid main() { /* a /* b */ gl_FragColor = vec4(0.2); } // \u00fc\u65e5 \u201cx\u201d",
    "#line 5\n;\nvoid main() { gl_FragColor = vec4(0.2);; };",
]
NUMBERS = [
    "void main() { float a = 1; vec2 b = vec2(1, 2) * 2; float c = 3 / 2.0; b.x /= 2; a *= 2; a -= 1;\n"
    "gl_FragColor = vec4((a + b.x + c + max(1, 0.5) + pow(2, 3.0) + mod(5, 2.0)) / 67.5); }",
    "void main() { int n = 5; float x = n * 0.02; for (int i = 0; i < n; i++) x += i * 0.01;"
    " gl_FragColor = vec4(x); }",
    "void main() { float f = FRAMEINDEX; float p = PASSINDEX; gl_FragColor = vec4(f + p + 0.2 * mod(mode"
    ", 2)); }",
    "void main() { gl_FragColor = vec4(mode == 1.0 && amount < 1 && on == 1 ? 0.2 : 1); }",
    "void main() { gl_FragColor = vec4(on * 0.1 + bang * 1.0 + mix(0.0, 0.1, on)); }",
    "const float a = 0.1; const vec2 r = RENDERSIZE; const float b = a * 2.; float g = TIME; const "
    "float c = amount;\n"
    "void main() { const float d = TIME; gl_FragColor = vec4(b + (g - d) * r.x + c - amount); }",
    "float f(float x) { return x * 2.; }\nfloat g = f(0.1);\nvec4 t = IMG_NORM_PIXEL(inputImage, "
    "vec2(0.5));\n"
    "void main() { gl_FragColor = g * 0.5 + t * 0.5; }",
    "float a[3] = float[3](0.1, 0.2, 0.3);\nconst vec2 b[2] = vec2[](vec2(0.1), vec2(0.2));\n"
    "void main() { int k[2]; k[1] = 0; gl_FragColor = vec4(a[k[1]] + b[0].x + float(a.length() - 3)); }",
    "uint h(uint x) { x ^= x >> 16u; return x * 2U; }\nvoid main() { int a = 5 & 3 | 1 ^ 2;\n"
    "gl_FragColor = vec4(float(h(1u)) * 0.1f + float(a - 3) + 1e-9f); }",
    "uniform float speed = 0.1;\nuniform vec3 shade = vec3(0.1, 0.2, 0.3);\n"
    "void main() { gl_FragColor = vec4(speed + shade.x); }",
    "void main() { float x = 0.; int i = 0; while (i < 10) { x += .01; i++; } do { x += .02; i--; } "
    "while (i > 5);\n"
    "for (float j = 0.; j < amount * 0.; j += 1.) x = 9.; gl_FragColor = vec4(x); }",
]  # fmt: skip
IMAGES = [
    "void main() { vec2 p = gl_FragCoord.xy; gl_FragColor = (IMG_PIXEL(inputImage, p + vec2(1.0, "
    "-1.0) * amount)"
    " + IMG_PIXEL( inputImage , (p) ) + IMG_NORM_PIXEL(inputImage, p / RENDERSIZE)) / 3.0; }",
    "void main() { gl_FragColor = IMG_NORM_PIXEL(inputImage, IMG_NORM_PIXEL(inputImage,"
    " fract(isf_FragNormCoord * (2.0 + IMG_PIXEL(inputImage, vec2(1, 1)).r))).xy); }",
    "void main() { gl_FragColor = IMG_NORM_PIXEL(\n\tinputImage, // the picture\n\tisf_FragNormCoord /*"
    " here */\n); }",
    "void main() { gl_FragColor = IMG_PIXEL(inputImage, ivec2(gl_FragCoord.xy)); }",
    "vec4 blur(sampler2D tex, vec2 at) { return IMG_NORM_PIXEL(tex, at + 1.0 / IMG_SIZE(tex)) + "
    "IMG_THIS_PIXEL(tex); }\n"
    "void main() { gl_FragColor = blur(inputImage, isf_FragNormCoord) * 0.5; }",
    "void main() { gl_FragColor = texelFetch(inputImage, ivec2(gl_FragCoord.xy), 0); }",
    "void main() { gl_FragColor = texture2DLodEXT(inputImage, isf_FragNormCoord, 0.0) * 0.5"
    " + textureGrad(inputImage, vec2(0.5), vec2(0), vec2(0)) * 0.5; }",
    "void main() { gl_FragColor.rgb = IMG_THIS_PIXEL(inputImage).bgr; gl_FragColor.rgb = gl_FragColor.grb; }",
    "void f(inout vec4 c) { c.r = 0.2; }\nvoid main() { gl_FragColor = vec4(0.0); f(gl_FragColor); }",
    "uniform sampler2D inputImage;\nuniform float amount, TIME;\nuniform vec2 RENDERSIZE;\nuniform "
    "int PASSINDEX;\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }",
    "#ifdef GL_ES\nprecision mediump float;\n#endif\nuniform sampler2D other;\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) + vec4(IMG_THIS_PIXEL(other).rgb, 0.0); }",
]  # fmt: skip


@pytest.mark.parametrize("body", [*VERSIONS, *NAMES, *TWICE, *MACROS, *NUMBERS, *IMAGES])
def test_hard_code_draws(context: moderngl.Context, body: str) -> None:
    image = picture(context, np.full((4, 8), GREY))
    frame = Stage(context, isf.parse(HEADER + body, "a.fs")).frame(image)
    assert context.error == "GL_NO_ERROR"
    assert (frame[..., 0] == GREY).all()


@pytest.mark.parametrize(
    "text",
    [
        "#ifdef GL_ES\nprecision mediump float;\n#endif\n" + HEADER,
        "// one\n/* a { b } c */\n" + HEADER,
        "float before;\n/* { no header, but\n in two lines */" + HEADER.replace("/*", "/**\n * "),
        "\n\t" + HEADER.replace("*/", "\t\n **/"),
        "\ufeff" + HEADER,
    ],
)
def test_the_header_may_stand_anywhere(context: moderngl.Context, text: str) -> None:
    shader = isf.parse(text + "void main() { gl_FragColor = vec4(amount); }", "a.fs")
    assert Stage(context, shader).frame()[0, 0, 0] == GREY


@pytest.mark.parametrize(
    "vertex",
    [
        "varying vec2 at;\nvoid main() { isf_vertShaderInit(); at = isf_FragNormCoord; }",
        "varying vec2 at;\nvoid main(void) { vv_vertShaderInit(); at = vv_FragNormCoord; }",
        "#version 150\nout vec2 at;\nvoid main() { isf_vertShaderInit(); at = isf_FragNormCoord; }",
        "varying vec2 at;\nvoid isf_vertShaderInit();\n"
        "void main() { isf_vertShaderInit(); at = isf_FragNormCoord; }",
        "attribute vec4 a_position;\nattribute vec2 a_texCoord;\nvarying vec2 at;\n"
        "void main() { gl_Position = a_position; at = a_texCoord; }",
        "in vec3 position;\nout vec2 at;\n"
        "void main() { gl_Position = vec4(position, 1.0); at = position.xy * 0.5 + 0.5; }",
        "varying vec2 at;\n"
        "void main() { gl_Position = gl_ModelViewProjectionMatrix * gl_Vertex; at = gl_MultiTexCoord0.xy; }",
        "uniform float amount;\nvarying vec2 at;\n"
        "void main() { isf_vertShaderInit(); at = isf_FragNormCoord * amount * 5.0; }",
        "varying vec2 at, unused[3];\n"
        "void main() { isf_vertShaderInit(); unused[0] = vec2(0); at = isf_FragNormCoord; }",
    ],
)  # fmt: skip
def test_vertex_shaders(context: moderngl.Context, vertex: str) -> None:
    body = HEADER + "varying vec2 at;\nvoid main() { gl_FragColor = vec4(at, 0.0, 1.0); }"
    frame = Stage(context, isf.parse(body, "a.fs", vertex), (2, 1)).frame()
    assert frame[0, :, :2].tolist() == [[64, 128], [191, 128]]


def test_texture_coordinates_and_colours_of_old_opengl(context: moderngl.Context) -> None:
    vertex = "void main() { gl_Position = ftransform(); gl_FrontColor = gl_Color;\n"
    vertex += "gl_TexCoord[0] = gl_MultiTexCoord0; gl_TexCoord[1].xy = gl_MultiTexCoord0.yx; }"
    body = "/*{}*/ void main() { gl_FragColor = vec4(gl_TexCoord[1].xy, gl_TexCoord[0].x, 1.0) * gl_Color; }"
    frame = Stage(context, isf.parse(body, "a.fs", vertex), (2, 1)).frame()
    assert frame[0, :, :3].tolist() == [[128, 64, 64], [128, 191, 191]]


def test_a_vertex_shader_may_give_a_list(context: moderngl.Context) -> None:
    vertex = (
        "varying vec2 at[3];\nvoid main() { isf_vertShaderInit(); at[0] = vec2(0.1); at[2] = vec2(0.1); }"
    )
    body = "/*{}*/ varying vec2 at[3];\nvoid main() { gl_FragColor = vec4(at[0] + at[2], 0.0, 1.0); }"
    assert Stage(context, isf.parse(body, "a.fs", vertex)).frame()[0, 0, 0] == GREY


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("void main() { gl_FragColor = IMG_THIS_PIXEL(picture); }", "`picture' undeclared"),
        ("void main() { int n = 5.0; }", "cannot be assigned to variable of type int"),
        (
            "attribute vec4 a;\nvoid main() { gl_FragColor = a; }",
            "may not be declared in the fragment shader",
        ),
        ("float x;", "lacks `main'"),
    ],
)
def test_what_no_host_draws_is_an_error_of_few_lines(
    context: moderngl.Context, body: str, fault: str
) -> None:
    with pytest.raises(ShaderError) as caught:
        Shader(context, isf.parse(HEADER + body, "a.fs"), (1, 1))
    assert fault in str(caught.value) and len(str(caught.value).splitlines()) <= 8
    assert all(line.startswith("a.fs:") for line in str(caught.value).splitlines())


def test_lines_are_right_after_what_stands_twice(context: moderngl.Context) -> None:
    text = "/*{}*/\nfloat f() {\n return 0.2;\n}\nfloat f() {\n return 0.2;\n}\nvoid main() { oops; }"
    with pytest.raises(ShaderError, match=r"^a\.fs:8: .*oops"):
        Shader(context, isf.parse(text, "a.fs"), (1, 1))


def test_a_long_text_is_read_in_one_go() -> None:
    """One that looks back from each line would take minutes."""
    for part in ("float x;\n", "{\n", "#define a \\\n", "f(\n", "#if 1\n"):
        pieces.with_values(pieces.without_repeats(part * 50_000))


def nan_picture(context: moderngl.Context, bad: Any) -> moderngl.Texture:
    texture = context.texture((2, 2), 4, np.full((2, 2, 4), bad, np.float16).tobytes(), dtype="f2")
    texture.repeat_x = texture.repeat_y = False
    return texture


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("floating", [False, True])
@pytest.mark.parametrize("last", [False, True])
def test_what_is_no_number_in_an_image_leaves_a_kept_buffer(
    context: moderngl.Context, bad: float, floating: bool, last: bool
) -> None:
    """The image of a layer below may hold it; `last`: the buffer is also the output."""
    kept = {"TARGET": "kept", "PERSISTENT": True, "FLOAT": floating}
    shader = main(
        "PASSINDEX == 0 ? IMG_THIS_PIXEL(kept) * 0.5 + IMG_THIS_PIXEL(inputImage) * 0.5 :"
        " IMG_THIS_PIXEL(kept)",
        INPUTS=[INPUTS[0]],
        PASSES=[kept] if last else [kept, {}],
    )
    stage, good = Stage(context, shader, (2, 2)), picture(context, np.full((2, 2), GREY))
    for image in (good, nan_picture(context, bad), nan_picture(context, bad)):
        stage.frame(image)
    healed = [int(stage.frame(good)[0, 0, 0]) for _ in range(26)]
    assert abs(healed[-1] - GREY) <= 1


def test_a_file_of_a_megabyte_draws(context: moderngl.Context, tmp_path: Path) -> None:
    steps = "".join(f"float f{n}(float x) {{ return f{n - 1}(x) + 0.0; }}\n" for n in range(1, 1000))
    code = f"float f0(float x) {{ return x; }}\n{steps}// {'x' * 1_000_000}\n"
    (tmp_path / "a.fs").write_text(f"/*{{}}*/\n{code}void main() {{ gl_FragColor = vec4(f999(0.2)); }}\n")
    assert Stage(context, isf.load(tmp_path / "a.fs")).frame()[0, 0, 0] == GREY


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("float x;", "float x = float(0);"),
        ("void f() { vec3 a, b = f(1, 2), c; }", "void f() { vec3 a = vec3(0), b = f(1, 2), c = vec3(0); }"),
        ("void f() { lowp\n int n\n; bool b; }", "void f() { lowp\n int n\n = int(0); bool b = bool(0); }"),
        ("void f() { float a[2], b; mat2 m; }", "void f() { float a[2], b = float(0); mat2 m = mat2(0); }"),
        ("struct S { float x; }; S s;", "struct S { float x; }; S s;"),
        ("uniform Block { float x; };", "uniform Block { float x; };"),
        ("uniform float x; varying vec2 y;", "uniform float x; varying vec2 y;"),
        ("precision highp float;\n#define A float x;\n", "precision highp float;\n#define A float x;\n"),
        ("void f() { for (;;) { int x; } }", "void f() { for (;;) { int x = int(0); } }"),
        ("float f(vec2 p);", "float f(vec2 p);"),
        ("float f() { if (a) { return 1.; } }", "float f() { if (a) { return 1.; }  return float(0); }"),
        ("float f() { if (a) return 1.; return 2.; }", "float f() { if (a) return 1.; return 2.; }"),
        ("vec2 f() {\n{ g(); }\n}\nvoid g() { }", "vec2 f() {\n{ g(); }\n return vec2(0); }\nvoid g() { }"),
    ],
)  # fmt: skip
def test_what_has_no_value_begins_with_0(text: str, begun: str) -> None:
    assert pieces.with_values(text) == begun


def test_variables_without_a_value_draw_the_same_each_time(context: moderngl.Context) -> None:
    code = """
    float f(float x) { if (x > 1.0) return 9.0; }
    void main() { vec3 sum; float most; int n; most = max(most, 0.1);
        for (int i = 0; i < 2; i++) { sum += 0.05; n += i; }
        gl_FragColor = vec4(sum + most + f(0.0) + float(n - 1), 1.0); }
    """
    for _ in range(3):
        assert (Stage(context, isf.parse("/*{}*/" + code, "a.fs")).frame()[..., 0] == GREY).all()


@pytest.mark.parametrize(
    ("code", "pixel"),
    [
        ("void main() { gl_FragColor.rgb = vec3(0.2); }", [51, 51, 51, 255]),
        ("void main( void )\n{ gl_FragColor.r = 0.2; gl_FragColor . gb = vec2(0.4); }", [51, 102, 102, 255]),
        ("void main() { gl_FragColor.rgb = vec3(0.2); gl_FragColor.a = 0.4; }", [51, 51, 51, 102]),
        ("void main() { gl_FragColor = vec4(0.2); gl_FragColor.rgb *= 2.0; }", [102, 102, 102, 51]),
    ],
)
def test_a_picture_whose_alpha_nobody_sets_is_opaque(
    context: moderngl.Context, code: str, pixel: list[int]
) -> None:
    assert Stage(context, isf.parse("/*{}*/" + code, "a.fs")).frame()[0, 0].tolist() == pixel
