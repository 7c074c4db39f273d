"""The GLSL 4.10 text of an ISF shader, and the way back from a compiler's message to the user's line.

The user's text is kept line for line; declarations made from the header go before it, and `#line` leads
every message home. What is generated here has line numbers that no file has. (Numbers for source
strings would be the way that GLSL means, but Mesa leaves them out of half of its messages.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

GENERATED = 1000000  # the first line of what is generated here
BUILT_IN = ("PASSINDEX", "RENDERSIZE", "TIME", "TIMEDELTA", "DATE", "FRAMEINDEX")
_WORDS = """
active asm atomic_uint attribute bool break case cast centroid class common const continue default
discard do double else enum extern external false filter fixed flat float for goto half if in inline
inout input int interface invariant layout long main namespace new noinline noperspective out output
packed partition patch precise precision public return row_major sample short sizeof smooth static
struct subroutine superp switch template this true typedef uint uniform union unsigned using varying
void volatile while
"""
RESERVED = frozenset(_WORDS.split())  # GLSL 4.10, section 3.6, less the names with a digit

_START = f"#version 410 core\n#line {GENERATED}\n"
_COMMON = """\
uniform int PASSINDEX;
uniform vec2 RENDERSIZE;
uniform float TIME;
uniform float TIMEDELTA;
uniform vec4 DATE;
uniform int FRAMEINDEX;
#define vv_FragNormCoord isf_FragNormCoord
#define texture2D texture
#define texture2DLod textureLod
#define texture2DGrad textureGrad
#define IMG_SIZE(image) vec2(textureSize(image, 0))
#define IMG_NORM_PIXEL(image, at) texture(image, at)
#define IMG_PIXEL(image, at) texture(image, (at) / IMG_SIZE(image))
#define IMG_THIS_PIXEL(image) texture(image, isf_FragNormCoord)
#define IMG_THIS_NORM_PIXEL(image) texture(image, isf_FragNormCoord)
"""
_FRAGMENT = """\
in vec2 isf_FragNormCoord;
out vec4 isf_FragColor;
#define varying in
"""
_VERTEX = """\
out vec2 isf_FragNormCoord;
#define varying out
#define vv_vertShaderInit isf_vertShaderInit
void isf_vertShaderInit() {
    isf_FragNormCoord = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    gl_Position = vec4(isf_FragNormCoord * 2.0 - 1.0, 0.0, 1.0);
}
"""
PLAIN_VERTEX = "void main() { isf_vertShaderInit(); }\n"

# gl_FragColor is gone from the core profile, and names with gl_ may not be defined as macros.
# sample, patch and precise became keywords in 4.00, and ISF hosts compile at 1.20 and 1.50.
_RENAMED = re.compile(r"\b(gl_FragColor|sample|patch|precise)\b")
_VERSION = re.compile(r"^[ \t]*#[ \t]*version\b.*$", re.MULTILINE)
# Mesa `0:12(3): error: …`, NVIDIA `0(12) : error C1008: …`, Apple, AMD and Intel `ERROR: 0:12: …`
_MESSAGE = re.compile(
    r"^\W*(?:ERROR:\s*)?\d+[:(](\d+)\)?(?:\(\d+\))?\s*:\s*(?:error:\s*)?(.*)$", re.MULTILINE
)


def fragment(text: str, uniforms: str) -> str:
    """The fragment shader of an .fs file, its JSON header left in place as a comment."""
    return f"{_START}{_COMMON}{_FRAGMENT}{uniforms}#line 1\n{_adapted(text)}\n"


def vertex(text: str, uniforms: str) -> str:
    """The vertex shader of a .vs file; it draws a strip of four vertices without attributes."""
    return f"{_START}{_COMMON}{_VERTEX}{uniforms}#line 1\n{_adapted(text)}\n"


def for_pass(text: str, index: int) -> str:
    """The text with the number of its pass as a constant, so that the compiler drops the other passes."""
    return text.replace("uniform int PASSINDEX;", f"const int PASSINDEX = {index};", 1)


def declare(uniforms: Iterable[tuple[str, str]]) -> str:
    """Declarations of (GLSL type, name); images get the names that version 1 gave their properties."""
    return "".join(f"uniform {kind} {name};\n" + _properties(kind, name) for kind, name in uniforms)


def explain(log: str, files: tuple[str, str]) -> str:
    """A compiler's log as `file:line: message` lines; as it is when no line can be read from it.

    `files` are the names of the .fs and the .vs file; moderngl's log has the stage as its title.
    """
    file = files[1] if "vertex_shader" in log else files[0]
    found = [(int(line), message) for line, message in _MESSAGE.findall(log) if "warning" not in message[:10]]
    messages = [
        f"{file}:{line}: {message}"
        if line < GENERATED
        else f"{files[0]}: {message} (in what its header declares)"
        for line, message in found
    ]
    return "\n".join(messages) or f"{files[0]}: {log.strip()}"


def _adapted(text: str) -> str:
    plain = (
        text.encode("ascii", "replace").decode().replace("\0", " ").replace("\r\n", "\n").replace("\r", "\n")
    )
    return _RENAMED.sub(lambda match: "isf_" + match[1].removeprefix("gl_"), _VERSION.sub("", plain))


def _properties(kind: str, name: str) -> str:
    if kind != "sampler2D":
        return ""
    return (
        f"#define _{name}_imgRect vec4(0.0, 0.0, 1.0, 1.0)\n"
        f"#define _{name}_imgSize IMG_SIZE({name})\n"
        f"#define _{name}_flip false\n"
    )
