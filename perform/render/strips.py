"""The passes of our own: a fragment shader over a strip of four vertices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl

Region: TypeAlias = tuple[int, int, int, int]  # x, y, width, height in pixels
VERTEX = """#version 410 core
out vec2 place;
void main() {
    place = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    gl_Position = vec4(place * 2.0 - 1.0, 0.0, 1.0);
}
"""
# Interleaved gradient noise (Jimenez, "Next generation post processing in Call of Duty", SIGGRAPH 2014),
# kept under half a step of 8 bits: a value that 8 bits can hold comes through as it is.
HEAD = """#version 410 core
in vec2 place;
out vec4 color;
vec3 dithered(vec3 value, vec2 at) {
    float noise = fract(52.9829189 * fract(dot(at, vec2(0.06711056, 0.00583715))));
    return value + (noise - 0.5) * (0.98 / 255.0);
}
#line 1
"""
COPY = """
uniform sampler2D image;
void main() { color = texture(image, place); }
"""


@dataclass(slots=True)
class _Compiled:
    """A program of a context, what its uniforms are set to, and whether it has drawn: drivers compile when
    they draw first."""

    program: moderngl.Program
    vertices: moderngl.VertexArray
    uniforms: dict[str, object] = field(default_factory=dict)
    drawn: bool = False


class Strip:
    """A program that draws over all of a target; uniforms keep their values until they are set again.

    Strips of one text share the program, which its context keeps for the next ones: so nothing is compiled
    again while a show plays, and a strip owns nothing to release. Another `vertex` shader than that of four
    corners gets `gl_VertexID` and `gl_InstanceID` alone.
    """

    def __init__(self, context: moderngl.Context, fragment: str, vertex: str = VERTEX) -> None:
        self._mode = context.TRIANGLE_STRIP
        self._compiled = _compiled(context, vertex, HEAD + fragment)
        self._uniforms: dict[str, object] = {}

    @property
    def warm(self) -> bool:
        """Whether its program has drawn before."""
        return self._compiled.drawn

    def set(self, **uniforms: object) -> None:
        """Set uniforms by name, for what is drawn from now on."""
        self._uniforms |= uniforms

    def draw(self, target: Target, region: Region | None = None, **uniforms: object) -> None:
        """Draw into a target, or into its `region` (x, y, width, height)."""
        self.set(**uniforms)
        self.over(target.framebuffer, region or (0, 0, *target.size))
        target.drawn()

    def over(
        self,
        framebuffer: moderngl.Framebuffer,
        region: Region,
        vertices: int = 4,
        instances: int = 1,
        **uniforms: object,
    ) -> None:
        """Draw into a region of any framebuffer, such as a window's: a strip, or several of them."""
        self.set(**uniforms)
        compiled = self._compiled
        for name, value in self._uniforms.items():
            if compiled.uniforms.get(name) != value:  # another strip may have set it
                compiled.program[name] = value
                compiled.uniforms[name] = value
        framebuffer.use()
        framebuffer.viewport = region
        compiled.vertices.render(self._mode, vertices, instances=instances)
        compiled.drawn = True


def _compiled(context: moderngl.Context, vertex: str, fragment: str) -> _Compiled:
    """The program of these texts in a context, compiled when it is asked for first."""
    known: dict[tuple[str, str], _Compiled] = context.extra or {}
    context.extra = known
    if (vertex, fragment) not in known:
        program = context.program(vertex_shader=vertex, fragment_shader=fragment)
        known[vertex, fragment] = _Compiled(program, context.vertex_array(program, []))
    return known[vertex, fragment]
