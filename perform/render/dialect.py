"""Other people's GLSL (ES 1.00, 1.20, 1.50, 3.30) as GLSL 4.10, line for line.

ISF hosts compile at older versions, some drivers let more through than the language allows, and converted
files bring what their first host needed. Comments go first, so nothing in them is ever taken for code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from perform.render import shadertoy
from perform.render.overloads import overloads
from perform.render.pieces import PRECISION, with_values, without_repeats

Stage: TypeAlias = Literal["fragment", "vertex"]

BUILT_IN = ("PASSINDEX", "RENDERSIZE", "TIME", "TIMEDELTA", "DATE", "FRAMEINDEX")
GIVEN = (*BUILT_IN, "isf_FragNormCoord", "vv_FragNormCoord")
PREFIX = "isf_"  # of what is renamed

# GLSL 4.10, section 3.6: reserved for the future or for other languages, so they can only be names here.
_RESERVED = """
active asm cast class common enum extern external filter fixed goto half inline input interface long
iimage1D iimage2D iimage3D iimageCube uimage1D uimage2D uimage3D uimageCube
namespace noinline output partition public short sizeof static superp template this typedef union unsigned
using volatile hvec2 hvec3 hvec4 fvec2 fvec3 fvec4 image1D image2D image3D imageCube sampler3DRect
"""
# Keywords since 1.30 that stand before another word: `flat in int`. Alone, they are a name.
_QUALIFIERS = "centroid flat noperspective patch precise sample smooth subroutine"
_SWITCH = "case default switch"  # names in a text without `switch (…)`
_KEYWORDS = """
attribute bool break const continue discard do double else false float for highp if in inout int invariant
layout lowp main mat2 mat3 mat4 mediump out packed precision return row_major struct true uint uniform
varying vec2 vec3 vec4 void while __FILE__ __LINE__ __VERSION__
"""
CALLED = ("texture", "textureGrad", "textureLod", "textureProj", "textureSize")  # by what is written for ISF
_TYPE = re.compile(
    r"[iu]?sampler(?:[123]D|Cube|Buffer|2DMS|2DRect|[12]DArray|CubeArray|2DMSArray)(?:Shadow)?"
    r"|d?mat[234](?:x[234])?|[bdiu]?vec[234]"
)

# Some hosts declare their output by this name.
_HOST_OUTPUT = re.compile(r"\bfragColor\b(?=[.\w]*\s*[-+*/]?=[^=])")
_HOST_OUTPUT_DECLARED = re.compile(
    r"\b(?!return\b|else\b)\w+\s+fragColor\b|#\s*define\s+fragColor\b|,\s*fragColor\s*[=,;]"
)

# Spaces that come with text from web pages, and bytes that are no text.
_SPACE = re.compile("[\0\u00a0\u2000-\u200d\u202f\u3000\ufeff\ufffd]")
_CONTINUED = re.compile(r"\\[ \t]+\n")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_VERSION = re.compile(r"^[ \t]*#[ \t]*(?:version|pragma)\b.*$", re.MULTILINE)  # pragmas are advice
_EXTENSION = re.compile(r"^[ \t]*#[ \t]*extension\b[ \t]*(\w*)[ \t]*:?[ \t]*(\w*).*$", re.MULTILINE)
_LAYOUT = r"(?:layout\s*\([^)]*\)\s*)?"
_INTERPOLATED = r"(?:(?:smooth|noperspective|centroid|invariant)\s+)*"
_BEGIN = r"(?:^|(?<=[;}]))[ \t]*"  # of a declaration
_GLOBAL = re.compile(
    rf"{_BEGIN}({_LAYOUT}{_INTERPOLATED}(?:uniform|varying|in|out)\s+{PRECISION}\w+)\s+(\w+(?:\s*,\s*\w+)*)\s*(?:=[^;]*)?;",
    re.MULTILINE,
)
_OUTPUT = re.compile(rf"{_BEGIN}{_LAYOUT}out\s+{PRECISION}vec4\s+(\w+)\s*;", re.MULTILINE)
_ATTRIBUTE = re.compile(
    rf"{_BEGIN}{_LAYOUT}(?:attribute|in)\s+({PRECISION})(vec[234])\s+(\w+)\s*;", re.MULTILINE
)
_CONSTANT = re.compile(rf"\bconst(\s+{PRECISION}\w+\s+(\w+)\s*=[^;]*;)")
_FUNCTION = re.compile(r"\b\w+\s+(\w+)\s*\([^()]*\)\s*\{")
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(else|endif)\b.*$", re.MULTILINE)  # words may follow elsewhere
_SMALL = re.compile(r"\b(img_(?:norm_pixel|pixel|this_pixel|this_norm_pixel|norm_this_pixel|size))\s*\(")
_EMPTY_CASE = re.compile(r":(\s*\})")
# Names with gl_ may not be defined as macros, and these are gone from the core profile.
_GONE = re.compile(r"\bgl_(Color|FragColor|FrontColor|MultiTexCoord0|ModelViewProjectionMatrix|Vertex)\b")
_WITH_ALPHA = re.compile(rf"\b{PREFIX}FragColor\b(?!\s*\.\s*[rgbxyzstp]{{1,3}}\b)")  # or the whole
_MAIN = re.compile(r"\bvoid\s+main\s*\([^()]*\)\s*\{")
_FRAGMENT_DATA = re.compile(r"\bgl_FragData\s*\[\s*0\s*\]")
_TEXTURE_COORDINATE = re.compile(r"\bgl_TexCoord\s*\[\s*\d+\s*\]")


@dataclass(frozen=True, slots=True)
class Adapted:
    """A text in GLSL 4.10, the extensions that it asks for, and declarations that go before it."""

    text: str
    extensions: tuple[str, ...]
    before: str


def is_word(name: str) -> bool:
    """Whether a name is one of the language, which nothing in a header can have."""
    return name in _KEYWORDS.split() or _TYPE.fullmatch(name) is not None


def without_comments(text: str) -> str:
    """Plain ASCII with \\n at the ends of lines; comments are a space, or as many line ends as they had."""
    plain = _SPACE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    plain = _CONTINUED.sub("\\\\\n", _COMMENT.sub(_blank, plain))
    return plain.encode("ascii", "replace").decode()


def renamed(names: Iterable[str], *texts: str) -> dict[str, str]:
    """Those names of a header that must have another name in these texts, and that name: words of newer
    GLSL, and names of functions that a text calls."""
    words = {word for text in texts for word in _words(text)} | {*_RESERVED.split(), *_QUALIFIERS.split()}
    called = {call for text in texts for call in re.findall(r"\b([A-Za-z_]\w*)\s*\(", text)} | {*CALLED}
    return {name: PREFIX + name for name in names if name in words or name in called}


def with_texture_coordinates(code: str, vertex: str) -> tuple[str, str]:
    """The texts of both stages; the coordinates of textures that the vertex shader sets reach the other."""
    if "gl_TexCoord" not in vertex:
        return code, vertex
    given = f"varying vec4 {PREFIX}TexCoord[8]; "
    one, other = (given + text.replace("gl_TexCoord", f"{PREFIX}TexCoord") for text in (code, vertex))
    return one, other


def adapted(text: str, stage: Stage, names: Collection[str], others: Collection[str]) -> Adapted:
    """A text without comments, as GLSL 4.10. `names` are those that the header declares, `others` those of
    them that are renamed."""
    extensions = tuple(dict.fromkeys(name for name, how in _EXTENSION.findall(text) if _is_asked(name, how)))
    text = with_values(without_repeats(_EXTENSION.sub("", _VERSION.sub("", text))))
    toy = shadertoy.is_shadertoy(text)
    text = _without_given({*names, *GIVEN, *(shadertoy.SHADERTOY_NAMES if toy else ())}, text)
    text = _with_our_output(text) if stage == "fragment" else _ATTRIBUTE.sub(_of_the_vertex, text)
    text = _with_variables(text, {*names, *BUILT_IN, *_FUNCTION.findall(text)})
    text = _DIRECTIVE.sub(r"#\1", _EMPTY_CASE.sub(r":;\1", text))
    text = _renamed_words(text, others)
    text = _FRAGMENT_DATA.sub(f"{PREFIX}FragColor", _GONE.sub(rf"{PREFIX}\1", text))
    if f"{PREFIX}FragColor" in text and not _WITH_ALPHA.search(text):
        text = _MAIN.sub(rf"\g<0> {PREFIX}FragColor = vec4(0.0, 0.0, 0.0, 1.0);", text)
    text = _TEXTURE_COORDINATE.sub("vec4(isf_FragNormCoord, 0.0, 1.0)", text)
    before = f"{overloads(text)}\n{_small_macros(text)}"
    if toy:
        text, before = text + shadertoy.CALLING_MAIN, before + shadertoy.macros(names)
    return Adapted(text, extensions, before)


def original(message: str) -> str:
    """A compiler's message with the names that the author wrote."""
    message = message.replace(f"{PREFIX}FragColor", "gl_FragColor")
    return re.sub(rf"\b{PREFIX}(?!Frag|vert)(\w+)", r"\1", message)


def _blank(match: re.Match[str]) -> str:
    """As many line ends as a comment has; within a directive they do not end it."""
    lines = match[0].count("\n")
    return ("\\\n" if lines and _is_in_directive(match.string, match.start()) else "\n") * lines or " "


def _is_in_directive(text: str, at: int) -> bool:
    """Whether a place is on the line of a directive, or on one that goes on with it."""
    begin = text.rfind("\n", 0, at) + 1
    while begin > 1 and text[begin - 2] == "\\":
        begin = text.rfind("\n", 0, begin - 1) + 1
    return text[begin:at].lstrip().startswith("#")


def _is_asked(name: str, how: str) -> bool:
    return name.startswith("GL_") and how != "disable"


def _without_given(given: Collection[str], text: str) -> str:
    """Without declarations of what is declared already; the lines stay."""

    def kept(match: re.Match[str]) -> str:
        names = [name for name in re.split(r"\s*,\s*", match[2]) if name not in given]
        lines = "\n" * match[0].count("\n")
        if len(names) == match[2].count(",") + 1:
            return match[0]
        return f"{match[1]} {', '.join(names)};{lines}" if names else lines

    return _GLOBAL.sub(kept, text)


def _with_our_output(text: str) -> str:
    """The author's own output is ours, also where only their host declares it."""
    found = _OUTPUT.findall(text)
    if _HOST_OUTPUT.search(text) and not _HOST_OUTPUT_DECLARED.search(text):
        found.append("fragColor")
    names = "|".join(found)
    text = _OUTPUT.sub(lambda match: "\n" * match[0].count("\n"), text)
    return re.sub(rf"(?<![\w.])(?:{names})\b", f"{PREFIX}FragColor", text) if names else text


def _of_the_vertex(match: re.Match[str]) -> str:
    """An attribute as a variable: its place in the picture for one whose name is about textures, else the
    place of the vertex."""
    what = "isf_MultiTexCoord0" if re.search("tex|uv|coord", match[3].lower()) else "isf_Vertex"
    lines = "\n" * match[0].count("\n")
    return f"{match[2]} {match[3]} = {what}.{'xyzw'[: int(match[2][-1])]};{lines}"


def _with_variables(text: str, changing: set[str]) -> str:
    """Global constants that are made from what changes (uniforms, functions of the text) become variables."""

    def variable(match: re.Match[str]) -> str:
        made_from = re.findall(r"[A-Za-z_]\w*", match[1])
        if changing.isdisjoint(made_from) or _is_inside(text, match.start()):
            return match[0]
        changing.add(match[2])
        return match[1].lstrip()

    return _CONSTANT.sub(variable, text)


def _small_macros(text: str) -> str:
    """The functions of ISF that a text calls in small letters and does not have, a line each."""
    called = dict.fromkeys(_SMALL.findall(text))
    own = {*_FUNCTION.findall(text)}
    return "".join(f"#define {name} {name.upper()}\n" for name in called if name not in own)


def _is_inside(text: str, at: int) -> bool:
    """Whether a place is within a function."""
    return text.count("{", 0, at) != text.count("}", 0, at)


def _words(text: str) -> list[str]:
    """The words that are names wherever they stand in this text."""
    return [*_RESERVED.split(), *([] if re.search(r"\bswitch\s*\(", text) else _SWITCH.split())]


def _renamed_words(text: str, others: Collection[str]) -> str:
    always, qualifiers = "|".join(_words(text)), "|".join(_QUALIFIERS.split())
    text = re.sub(rf"\b(?:({always})\b|({qualifiers})\b(?![ \t]+[A-Za-z_]))", rf"{PREFIX}\g<0>", text)
    rest = "|".join(name for name in others if not re.fullmatch(f"{always}|{qualifiers}", name))
    if rest:
        text = re.sub(rf"(?<![\w.])({rest})\b(?!\s*\()", rf"{PREFIX}\1", text)
    own = [name for name in CALLED if name in _FUNCTION.findall(text)]  # they may call ours
    text = re.sub(rf"\b({'|'.join(own)})\b", rf"{PREFIX}\1", text) if own else text
    called = "|".join(CALLED)  # but `#define read texture` means the function
    return re.sub(rf"(?<![\w.])({called})\b(?!\s*\(|[ \t]*$)", rf"{PREFIX}\1", text, flags=re.MULTILINE)
