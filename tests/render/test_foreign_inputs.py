"""Headers and inputs as strangers write them, drawn with exact pixels."""

from __future__ import annotations

from typing import Any

import moderngl
import pytest

from perform.render import inputs_in_code, isf, sizes
from perform.render.isf import ISFError
from tests.doubles.shaders import Stage, main, parse

AMOUNT = {"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}
POINT = {"NAME": "pos", "TYPE": "point2D", "DEFAULT": [0.2, 0.4]}
TINT = {"NAME": "tint", "TYPE": "color", "DEFAULT": [0.2, 0.4, 0.6, 0.8]}
ON = {"NAME": "on", "TYPE": "bool", "DEFAULT": True}
MODE = {"NAME": "mode", "TYPE": "long", "MIN": 0, "MAX": 5, "DEFAULT": 1}


def first(context: moderngl.Context, shader: isf.ISF, **values: Any) -> list[int]:
    """The first pixel of the first frame."""
    return [int(value) for value in Stage(context, shader).frame(**values)[0, 0]]


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        ("$WIDTH > 512 ? 256 : 128", 256),
        ("($WIDTH<$HEIGHT)?$HEIGHT:$WIDTH", 1280),
        ("$WIDTH == 1280 ? ($HEIGHT > 900 ? 1 : 2) : 3", 2),
        ("$WIDTH < 10 ? 1 : $WIDTH < 2000 ? 20 : 3", 20),
        ("max($WIDTH > 9 ? 4 : 5, 2) * 2", 8),
        ("$WIDTH >= 1280 && $HEIGHT != 720 ? 1 : 7", 7),
        ("$WIDTH < 1 || $HEIGHT <= 720 ? 6 : 7", 6),
        ("8 * ($amount > 0.4) + 1", 9),
        ("!($amount > 2) * 8 + 1", 9),
        ("clamp($WIDTH, 2, 40)", 40),
        ("clamp(2, $WIDTH, 40)", 40),
        ("mod($WIDTH, 7) + log2(8) + floor(exp(0)) + log(1)", 10),
    ],
)
def test_sizes_of_passes(text: str, pixels: int) -> None:
    assert sizes.parse(text)({"WIDTH": 1280, "HEIGHT": 720, "amount": 0.5}) == pixels


@pytest.mark.parametrize("text", ["$WIDTH > 5 ? 3", "? 1 : 2", "$WIDTH ? : 3", "1 < 2 < 3", "~", "a ? b : c"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(sizes.SizeError):
        sizes.parse(text)


@pytest.mark.parametrize(
    "header",
    [
        '{"INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}]}'.replace('"', "\u201d"),
        '{\n# mine\n"INPUTS": [ # all\n{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}]}',
        '{"INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}]',
        '{"INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}}',
        '{"INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2',
        '{"CREDIT": "a"\n"INPUTS": [{"NAME": "amount" "TYPE": "float", "DEFAULT": 0.2}]}',
        '{"CREDIT": "a",, "INPUTS": [{"NAME": "on", "TYPE": "bool", "DEFAULT": True}'
        ' {"NAME": "amount", "TYPE": "float", "DEFAULT": 00.2f,}]}',
        '{"CREDIT": "# \u201cme\u201d", "INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2f}]}',
    ],
)
def test_headers_that_are_mended(context: moderngl.Context, header: str) -> None:
    shader = isf.parse(f"/*{header}*/\nvoid main() {{ gl_FragColor = vec4(amount); }}", "a.fs")
    assert first(context, shader) == [51, 51, 51, 51]
    assert len(shader.warnings) == 1 and "read all the same" in shader.warnings[0]
    assert shader.credit in ("", "a", "# \u201cme\u201d")


@pytest.mark.parametrize(
    ("kind", "default", "made"),
    [
        ("color", "#336699", (0.2, 0.4, 0.6, 1.0)),
        ("color", "#369", (0.2, 0.4, 0.6, 1.0)),
        ("color", "#33669900", (0.2, 0.4, 0.6, 0.0)),
        ("Colour", "0.2, 0.4, 0.6", (0.2, 0.4, 0.6, 1.0)),
        ("vec4", {"r": 0.2, "g": 0.4, "b": 0.6}, (0.2, 0.4, 0.6, 1.0)),
        ("POINT2D", "(0.2, 0.4)", (0.2, 0.4)),
        ("point", {"x": 0.2, "y": 0.4}, (0.2, 0.4)),
        ("int", 1, 1),
        ("Boolean", "true", True),
    ],
)
def test_types_and_defaults(kind: str, default: Any, made: Any) -> None:
    (parameter,) = main("vec4(1.0)", INPUTS=[{"NAME": "it", "TYPE": kind, "DEFAULT": default}]).parameters
    assert parameter.default == pytest.approx(made)


def test_inputs_passes_and_pictures_as_objects() -> None:
    shader = main(
        "vec4(amount)",
        INPUTS={"amount": {"TYPE": "float", "DEFAULT": 0.2}},
        PASSES={"TARGET": "buffer"},
        IMPORTED={"picture": "a.png"},
    )
    assert [one.default for one in shader.parameters] == [0.2]
    assert [one.target for one in shader.passes] == ["buffer"]
    assert [file.name for file in shader.imported["picture"]] == ["a.png"]


def test_an_input_of_an_unknown_type_is_left_out_if_nothing_uses_it(context: moderngl.Context) -> None:
    words = {"NAME": "words", "TYPE": "string"}
    shader = main("vec4(amount)", INPUTS=[words, AMOUNT])
    assert first(context, shader) == [51, 51, 51, 51]
    (warning,) = shader.warnings
    assert warning.startswith("a.fs:1: INPUTS words: TYPE = 'string', must be one of event, bool, long")
    assert warning.endswith("audioFFT: it is left out")
    with pytest.raises(ISFError, match="INPUTS words: TYPE = 'string', must be one of"):
        main("vec4(words)", INPUTS=[words])


@pytest.mark.parametrize(
    ("code", "pixel"),
    [
        ("void main() { amount = amount * 2.0; gl_FragColor = vec4(amount); }", [102] * 4),
        ("void main() { amount *= 0.5; gl_FragColor = vec4(amount * 2.0); }", [51] * 4),
        ("void f() { amount += 0.2; }\nvoid main() { f(); gl_FragColor = vec4(amount); }", [102] * 4),
        ("void main() { tint.rgb *= 0.5; tint.a = 1.0; gl_FragColor = tint; }", [26, 51, 76, 255]),
        ("void main() { mode++; gl_FragColor = vec4(float(mode) * 0.1); }", [51] * 4),
        (
            "void turn(inout vec2 p) { p = p.yx; }\n"
            "void main() { turn(pos); gl_FragColor = vec4(pos, 0.0, 1.0); }",
            [102, 51, 0, 255],
        ),
        ("void main() { float amount = 0.4; gl_FragColor = vec4(amount); }", [102] * 4),
        ("void main() { gl_FragColor = vec4(on * amount + amount * on); }", [102] * 4),
        ("void main() { gl_FragColor = vec4(float(on) * 0.2); }", [51] * 4),
        ("void main() { float x = on; gl_FragColor = vec4(x * (on == 1 ? 0.2 : 0.0)); }", [51] * 4),
        ("void main() { gl_FragColor = vec4(0.0); if (on > 0) gl_FragColor += on * 0.2; }", [51] * 4),
        ("void main() { gl_FragColor = vec4(on ? 0.2 : 0.4) * (on && !on ? 0.0 : 1.0); }", [51] * 4),
        ("void main() { gl_FragColor = vec4(0.4); if (mode) gl_FragColor *= amount ? 0.5 : 1.0; }", [51] * 4),
        ("void main() { gl_FragColor = vec4(0.4); if (!mode && on) gl_FragColor = vec4(1.0); }", [102] * 4),
        ("void main() { gl_FragColor = vec4(0.4); if (on && mode) gl_FragColor = vec4(0.2); }", [51] * 4),
        ("void main() { gl_FragColor = vec4(0.4); if (!on || !mode) gl_FragColor = vec4(1.0); }", [102] * 4),
        ("float f() { return mode ? 0.2 : 0.4; }\nvoid main() { gl_FragColor = vec4(f()); }", [51] * 4),
        ("void main() { float x = on && mode > 0 ? 0.2 : 0.4; gl_FragColor = vec4(x); }", [51] * 4),
        ("void main() { float x = on || on ? 0.2 : 0.4; gl_FragColor = vec4(x); }", [51] * 4),
        ("void main() { float x = on ^^ on ? 0.4 : 0.2; gl_FragColor = vec4(x); }", [51] * 4),
        ("void main() { float x = on == true ? 0.2 : 0.4; gl_FragColor = vec4(x); }", [51] * 4),
        ("void main() { float x = 1.0; x *= on != on ? 0.4 : 0.2; gl_FragColor = vec4(x); }", [51] * 4),
        ("vec4 f(vec4 on) { return on * 0.5; }\nvoid main() { gl_FragColor = f(vec4(0.4)); }", [51] * 4),
        ("#define LEVEL on * 0.2\nvoid main() { gl_FragColor = vec4(LEVEL); }", [51] * 4),
        (
            "void main() { vec3 a = vec3(1) * 2; gl_FragColor = vec4(max(a / 10, 0), 1) * mix(1, 0, 0)"
            " * pow(1, 2) * clamp(3, 0, 1) * mod(5, 2) * step(0, 1) * smoothstep(0, 1, 2); }",
            [51, 51, 51, 255],
        ),
    ],
)
def test_inputs_as_other_hosts_let_them_be_used(
    context: moderngl.Context, code: str, pixel: list[int]
) -> None:
    assert first(context, parse(code, INPUTS=[AMOUNT, POINT, TINT, ON, MODE])) == pixel


@pytest.mark.parametrize(
    ("statement", "changes"),
    [("turn(pos)", True), ("turn(p + pos)", True), ("turn(p); pos", False), ("pos + turn(p)", False)],
)
def test_what_a_statement_changes(statement: str, changes: bool) -> None:
    text = f"void turn(inout vec2 p) {{ p = p.yx; }} void main() {{ {statement}; }}"
    assert inputs_in_code.changed([("vec2", "pos")], text) == ([("vec2", "pos")] if changes else [])


def test_a_long_statement_is_read_in_one_go() -> None:
    """One that looks back from each call would take minutes."""
    text = "void turn(inout vec2 p) {} void main() {" + "turn(" * 50_000 + "}"
    assert inputs_in_code.changed([("vec2", "pos")], text) == []


def test_a_changed_input_begins_each_frame_as_it_is_set(context: moderngl.Context) -> None:
    stage = Stage(
        context, parse("void main() { amount *= 2.0; gl_FragColor = vec4(amount); }", INPUTS=[AMOUNT])
    )
    assert [int(stage.frame(amount=value)[0, 0, 0]) for value in (0.2, 0.2, 0.4)] == [102, 102, 204]


def test_images_in_small_letters(context: moderngl.Context) -> None:
    calls = ("img_norm_pixel(buf, vec2(0.5))", "img_pixel(buf, vec2(1.0))", "img_this_pixel(buf)")
    total = " + ".join((*calls, "img_this_norm_pixel(buf)", "vec4(img_size(buf), 0.0, 0.0) * 0.0"))
    code = f"void main() {{ gl_FragColor = PASSINDEX == 0 ? vec4(0.05) : {total}; }}"
    shader = parse(code, PASSES=[{"TARGET": "buf", "FLOAT": True}, {}])
    assert first(context, shader) == [51, 51, 51, 51]
    own = "vec4 img_pixel(float x) { return vec4(x); }\nvoid main() { gl_FragColor = img_pixel(0.2); }"
    assert first(context, parse(own)) == [51, 51, 51, 51]
