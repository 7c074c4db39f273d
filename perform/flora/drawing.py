"""Drawing a flower with OpenGL, without a window: shadows, passes over the lens, the finish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles
from perform.flora.anatomy import Anatomy, Vertices, fineness
from perform.flora.scenery import PASSES, Pass, Scenery
from perform.render.context import headless

SHEET = 1152, 256  # pixels of the petals' painted faces, see tile.glsl
KEY_MAP, SKY_MAP = 256, 128  # pixels of shadow maps
_GLSL = Path(__file__).parent / "glsl"


@dataclass(frozen=True, slots=True)
class _Part:
    """Vertices on the card (moderngl.VertexArray), as the camera and as a light see them."""

    seen: Any
    shadow: Any


class FlowerDrawing:
    """A context of its own, its programs, and the targets of one size after the other."""

    def __init__(self) -> None:
        self._context: Any = headless()
        self._context.gc_mode = "context_gc"  # what is no longer used goes when `gc` is called
        # What may be discarded cannot be known to be hidden before it is shaded: whole petals have a program.
        self._petal = self._program("place.vert", "tile.glsl light.glsl petal.frag")
        self._cut_petal = self._program("place.vert", "cut.glsl tile.glsl light.glsl petal.frag")
        self._green = self._program("place.vert", "noise.glsl light.glsl green.frag")
        self._shadow = self._program("shadow.vert", "shadow.frag")
        self._add = self._program("cover.vert", "add.frag")
        self._finish = self._program("cover.vert", "noise.glsl finish.frag")
        self._paint = self._program("tile.glsl paint.vert", "noise.glsl paint.frag")
        self._key, self._rim, self._sky = (self._map(size) for size in (KEY_MAP, KEY_MAP, SKY_MAP))
        self._covers = {
            one: self._context.vertex_array(one, []) for one in (self._add, self._finish, self._paint)
        }
        self._size = 0

    def draw(self, anatomy: Anatomy, scenery: Scenery, size: int) -> NDArray[np.uint8]:
        """The picture [size, size, 3]."""
        with self._context:
            self._resize(size)
            parts = (
                self._part(anatomy.petals, self._cut_petal if anatomy.fringe else self._petal),
                self._part(anatomy.greens, self._green),
            )
            self._set_uniforms(scenery.values | {"fringe": anatomy.fringe, "rim_view": scenery.rim_view})
            self._painted(anatomy.count)
            self._cast([part.shadow for part in parts], self._rim, scenery.rim_view)
            self._sum.clear()
            for one in scenery.passes:
                self._expose(parts, one)
            picture = self._developed()
            del parts
            self._context.gc()
            return picture

    def _painted(self, count: int) -> None:
        """Paints the petals' faces on the sheet."""
        self._sheet.use()
        self._context.enable_only(moderngl.NOTHING)
        self._covers[self._paint].render(moderngl.TRIANGLE_STRIP, vertices=4, instances=count)

    def _expose(self, parts: tuple[_Part, ...], one: Pass) -> None:
        """Adds one pass to the sum."""
        self._cast([part.shadow for part in parts], self._key, one.key_view)
        self._cast([parts[0].shadow], self._sky, one.sky_view)  # petals alone: greens darken little
        self._set_uniforms({name: getattr(one, name) for name in Pass.__slots__})
        self._frame.use()
        self._frame.clear()
        self._context.enable_only(moderngl.DEPTH_TEST)
        for unit, shadow in enumerate((self._key, self._rim, self._sky)):
            shadow.depth_attachment.use(unit)
        for unit, face in enumerate(self._sheet.color_attachments, 3):
            face.use(unit)
        for part in parts:
            part.seen.render()
        self._sum.use()
        self._context.enable_only(moderngl.BLEND)
        self._context.blend_func = moderngl.ONE, moderngl.ONE
        self._frame.color_attachments[0].use(0)
        self._covers[self._add].render(vertices=3)

    def _cast(self, casters: Iterable[Any], shadow: Any, view: Doubles) -> None:
        """Draws what a light sees into its map."""
        shadow.use()
        shadow.clear()
        self._context.enable_only(moderngl.DEPTH_TEST)
        self._shadow["view"].write(_uniform_bytes(view))
        for caster in casters:
            caster.render()

    def _developed(self) -> NDArray[np.uint8]:
        """The sum before its background, as bytes."""
        self._sum.color_attachments[0].use(0)
        self._out.use()
        self._context.enable_only(moderngl.NOTHING)
        self._covers[self._finish].render(vertices=3)
        data = self._out.read(components=3, alignment=1)
        return np.frombuffer(data, np.uint8).reshape(self._size, self._size, 3)[::-1].copy()

    def _set_uniforms(self, values: Mapping[str, Doubles | float]) -> None:
        """Gives every program those of the values that it has."""
        for program in (self._petal, self._cut_petal, self._green, self._paint, self._finish):
            for name, value in values.items():
                if name in program:
                    program[name].write(_uniform_bytes(value))

    def _part(self, vertices: Vertices, program: Any) -> _Part:
        data = self._context.buffer(vertices.data.tobytes())
        index = self._context.buffer(vertices.triangles.tobytes())
        coarse = self._context.buffer(vertices.coarse.tobytes())
        names = [name for name in ("point", "normal", "paint", "colour") if name in program]
        layout = " ".join("3f" if name in names else "12x" for name in ("point", "normal", "paint", "colour"))
        seen = self._context.vertex_array(program, [(data, layout, *names)], index)
        return _Part(seen, self._context.vertex_array(self._shadow, [(data, "3f 36x", "point")], coarse))

    def _resize(self, size: int) -> None:
        if size == self._size:
            return
        self._size, gl = size, self._context
        self._frame = gl.framebuffer(
            [gl.texture((size, size), 4, dtype="f2")], gl.depth_renderbuffer((size, size))
        )
        self._sum = gl.framebuffer([gl.texture((size, size), 4, dtype="f4")])
        self._out = gl.framebuffer([gl.renderbuffer((size, size), 4)])
        sheet = SHEET[0] * fineness(size), SHEET[1] * fineness(size)
        self._sheet = gl.framebuffer([gl.texture(sheet, 4), gl.texture(sheet, 4)])
        self._petal["texels"].value = self._cut_petal["texels"].value = sheet
        self._paint["detail"].value = min((fineness(size) - 1) / 2, 1.0)
        self._add["share"].value = 1 / PASSES

    def _map(self, size: int) -> Any:
        texture = self._context.depth_texture((size, size))
        texture.compare_func = "<="
        texture.repeat_x = texture.repeat_y = False
        return self._context.framebuffer(depth_attachment=texture)

    def _program(self, vertex: str, fragment: str) -> Any:
        program = self._context.program(vertex_shader=_shader(vertex), fragment_shader=_shader(fragment))
        for unit, name in enumerate(("key_map", "rim_map", "sky_map", "inner", "outer")):
            if name in program:
                program[name].value = unit
        return program


def _shader(names: str) -> str:
    """The text of a shader that is made of files."""
    texts = [(_GLSL / name).read_text(encoding="utf-8") for name in names.split()]
    return "\n".join(["#version 410 core", *texts])


def _uniform_bytes(value: Doubles | float) -> bytes:
    """A uniform's bytes; matrices by columns."""
    return np.asarray(value, np.float32).T.tobytes()
