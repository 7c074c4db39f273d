"""The GLSL 4.10 text of an ISF shader, and the way back from a compiler's message to the user's line.

The user's text is kept line for line; declarations made from the header go before it, and `#line` leads
every message home. What is generated here has line numbers that no file has. (Numbers for source
strings would be the way that GLSL means, but Mesa leaves them out of half of its messages.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from perform.render.dialect import CALLED, GIVEN, Adapted, original
from perform.render.includes import LONGEST

MOST_FAULTS = 8  # of one compilation
GENERATED = 1000000  # the first line of what is generated here

# The extension lets an int become a float in `return 1` and in const initializers, as other hosts do. Where a
# driver lacks it, the line is a warning.
_START = """\
#version 410 core
#extension GL_ARB_shading_language_420pack : enable
"""
_COMMON = f"""\
#line {GENERATED}
uniform int PASSINDEX;
uniform vec2 RENDERSIZE;
uniform float TIME;
uniform float TIMEDELTA;
uniform vec4 DATE;
uniform int FRAMEINDEX;
#define vv_FragNormCoord isf_FragNormCoord
#define sampler2DRect sampler2D
"""
# Names for names where that will do: a bias may follow then. What has a function's body is inlined by Mesa in
# another order, which changes the last bit of some sums.
_IMAGES = """\
#define IMG_NORM_PIXEL texture
#define IMG_THIS_PIXEL(image) texture(image, isf_FragNormCoord)
#define IMG_THIS_NORM_PIXEL(image) texture(image, isf_FragNormCoord)
#define IMG_NORM_THIS_PIXEL(image) texture(image, isf_FragNormCoord)
#define texture2D texture
#define texture2DGrad textureGrad
#define texture2DGradARB textureGrad
#define texture2DGradEXT textureGrad
#define texture2DLod textureLod
#define texture2DLodARB textureLod
#define texture2DLodEXT textureLod
#define texture2DProj textureProj
#define texture2DRect IMG_PIXEL
#define textureCube texture
#define textureCubeLod textureLod
#define textureCubeLodEXT textureLod
vec2 IMG_SIZE(sampler2D image) { return vec2(textureSize(image, 0)); }
vec2 IMG_SIZE(samplerCube image) { return vec2(textureSize(image, 0)); }
vec4 IMG_PIXEL(sampler2D image, vec2 at) { return texture(image, at / IMG_SIZE(image)); }
"""
_FRAGMENT = f"""\
in vec2 isf_FragNormCoord;
out vec4 isf_FragColor;
#define isf_FragCoord gl_FragCoord
#define isf_Color vec4(1.0)
{_IMAGES}\
vec4 IMG_PIXEL(sampler2D image, vec2 at, float bias) {{ return texture(image, at / IMG_SIZE(image), bias); }}
vec4 isf_healed(vec4 color) {{
    bvec4 lost = greaterThan(floatBitsToUint(color) & 0x7fffffffu, uvec4(0x7f800000u));
    return mix(clamp(color, -65504.0, 65504.0), vec4(0.0), lost);
}}
#define varying in
"""
_VERTEX = f"""\
out vec2 isf_FragNormCoord;
{_IMAGES}\
#define varying out
#define vv_vertShaderInit isf_vertShaderInit
#define isf_MultiTexCoord0 vec4(gl_VertexID & 1, gl_VertexID >> 1, 0.0, 1.0)
#define isf_Vertex vec4(isf_MultiTexCoord0.xy * 2.0 - 1.0, 0.0, 1.0)
#define isf_ModelViewProjectionMatrix mat4(1.0)
#define isf_Color vec4(1.0)
vec4 isf_FrontColor;
#define ftransform() isf_Vertex
#define isf_position isf_Vertex.xy
void isf_vertShaderInit() {{
    isf_FragNormCoord = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    gl_Position = vec4(isf_FragNormCoord * 2.0 - 1.0, 0.0, 1.0);
}}
"""
PLAIN_VERTEX = "void main() { isf_vertShaderInit(); }\n"
_USER = "#line 1\n"  # the user's text follows
_HEALED = f"""
#line {GENERATED}
#undef main
void main() {{ isf_main(); isf_FragColor = isf_healed(isf_FragColor); }}
"""

TAKEN = {*GIVEN, *re.findall(r"\b(?:IMG_|texture)\w+", _IMAGES)} - {*CALLED}  # names of the header

# Mesa `0:12(3): error: …`, NVIDIA `0(12) : error C1008: …`, Apple, AMD and Intel `ERROR: 0:12: …`
_MESSAGE = re.compile(
    r"^\W*(?:ERROR:\s*)?\d+[:(](\d+)\)?(?:\(\d+\))?\s*:\s*(?:error:\s*)?(.*)$", re.MULTILINE
)
_FAULT = re.compile(r"^\W*error:\s*(.*)$", re.MULTILINE | re.IGNORECASE)  # of the linker
_LISTED = "; candidates are:"  # of Mesa, then a line for each function of that name
_PROTOTYPE = re.compile(r"\w+ \w+\([\w ,\[\]]*\)")
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_QUOTED = re.compile(r"[`'\"](?:\w+ )?(\w+)(?:\(.*?\))?['\"]")


def fragment(adapted: Adapted, uniforms: str) -> str:
    """The fragment shader of an .fs file."""
    return _text(adapted, _FRAGMENT + uniforms)


def vertex(adapted: Adapted, uniforms: str) -> str:
    """The vertex shader of a .vs file; it draws a strip of four vertices without attributes."""
    return _text(adapted, _VERTEX + uniforms)


def for_pass(text: str, index: int) -> str:
    """The text with the number of its pass as a constant, so that the compiler drops the other passes."""
    return text.replace("uniform int PASSINDEX;", f"const int PASSINDEX = {index};", 1)


def healing(fragment: str) -> str:
    """A fragment shader for a target of floats: what is no number becomes 0, and what is too large for 16
    bits the largest number. In a target that is kept, either would stay for ever and spread."""
    return fragment.replace(_USER, f"#define main isf_main\n{_USER}", 1) + _HEALED


def declare(uniforms: Iterable[tuple[str, str, str]]) -> str:
    """Declarations of (GLSL type, name, name in GLSL); images get the names that version 1 gave their
    properties."""
    return "".join(f"uniform {kind} {own};\n" + _properties(kind, name, own) for kind, name, own in uniforms)


def explain(log: str, files: Sequence[str], fragment: str = "") -> str:
    """A compiler's log as `file:line: message` lines.

    `files` are the names of the .fs and the .vs file, then of those that they include; moderngl's log has
    the stage as its title. `fragment` is the fragment shader: the linker names no line, but what it misses.
    At most MOST_FAULTS are told; the functions that a compiler lists beside a fault are left out.
    """
    stage, text = files[1] if "vertex_shader" in log else files[0], fragment.partition(_USER)[2]
    found = [(int(line), message) for line, message in _MESSAGE.findall(log) if "warning" not in message[:10]]
    found = found or [(0, fault) for fault in _FAULT.findall(log) or [" ".join(log.split())]]
    told = [
        f"{_place(line or _line(message, text), stage, files)}: {original(message.removesuffix(_LISTED))}"
        for line, message in dict.fromkeys(found)
        if _LISTED not in log or not _PROTOTYPE.fullmatch(message)
    ]
    rest = [f"{files[0]}: and {len(told) - MOST_FAULTS} more"] if len(told) > MOST_FAULTS else []
    return "\n".join(told[:MOST_FAULTS] + rest)


def _text(adapted: Adapted, declarations: str) -> str:
    """The whole text, without our macros where the author defines the same names."""
    extensions = "".join(f"#extension {name} : enable\n" for name in adapted.extensions)
    macros = "|".join({"#", *_MACRO.findall(adapted.text)})
    ours = re.sub(
        rf"^#define (?:{macros})\b.*$", "", _COMMON + declarations + adapted.before + "\n", flags=re.MULTILINE
    )
    return f"{_START}{extensions}{ours}{_USER}{adapted.text}\n"


def _place(line: int, stage: str, files: Sequence[str]) -> str:
    """The file and the line of a number in a log."""
    if line >= GENERATED:
        return f"{files[0]}:1: what its header declares"
    at, included = divmod(line, LONGEST)
    if 0 < at < len(files) - 1:
        return f"{files[at + 1]}:{included}"
    return f"{stage}:{line}"  # also of a very long file, and of the author's own `#line`


def _line(fault: str, text: str) -> int:
    """The first line that has the name that a fault quotes."""
    for name in _QUOTED.findall(fault):
        if found := re.search(rf"\b{name}\b", text):
            return text.count("\n", 0, found.start()) + 1
    return 1


def _properties(kind: str, name: str, own: str) -> str:
    if kind != "sampler2D":
        return ""
    return (
        f"#define _{name}_imgRect vec4(0.0, 0.0, 1.0, 1.0)\n"
        f"#define _{name}_imgSize IMG_SIZE({own})\n"
        f"#define _{name}_flip false\n"
    )
