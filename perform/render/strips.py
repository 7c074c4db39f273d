"""The passes of our own: a fragment shader over a strip of four vertices."""

from __future__ import annotations

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


class Strip:
    """A program that draws over all of a target; uniforms keep their values until they are set again.

    Another `vertex` shader than that of four corners gets `gl_VertexID` and `gl_InstanceID` alone.
    """

    def __init__(self, context: moderngl.Context, fragment: str, vertex: str = VERTEX) -> None:
        self._mode = context.TRIANGLE_STRIP
        self._program = context.program(vertex_shader=vertex, fragment_shader=HEAD + fragment)
        self._vertices = context.vertex_array(self._program, [])
        self._set: dict[str, object] = {}

    def set(self, **uniforms: object) -> None:
        """Set uniforms by name, those that have other values than before."""
        for name, value in uniforms.items():
            if self._set.get(name) != value:
                self._program[name] = value
                self._set[name] = value

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
        framebuffer.use()
        framebuffer.viewport = region
        self._vertices.render(self._mode, vertices, instances=instances)

    def release(self) -> None:
        self._vertices.release()
        self._program.release()
