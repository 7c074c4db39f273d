"""Shaders drawn headless, frame by frame, with exact pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from perform.clock import OfflineClock, Tempo
from perform.render import isf
from perform.render.shader import Shader

SIZE = (8, 4)
# A pixel takes software GL 0.2 ms, though it ends the loop after 65536 turns.
HEAVY = """
float heavy(float x) { for (int i = 0; i < 1000000; i++) x = sin(cos(x) + float(i)); return x; }
"""


class Stage:
    """One shader and the frames that it has drawn."""

    def __init__(self, context: moderngl.Context, shader: isf.ISF, size: tuple[int, int] = SIZE) -> None:
        self.context = context
        self.shader = Shader(context, shader, size)
        self.clock = OfflineClock(10)
        self.values: dict[str, Any] = {one.name: one.default for one in shader.parameters}

    def frame(self, *images: moderngl.Texture, **values: Any) -> NDArray[np.uint8]:
        """The next frame [height, width, 4], top row first."""
        self.clock.advance()
        moment = self.clock.moment(Tempo())
        return pixels(self.shader.render(moment, self.values | values, *images))


def pixels(texture: moderngl.Texture) -> NDArray[np.uint8]:
    width, height = texture.size
    if texture.dtype == "f2":
        floats = np.frombuffer(texture.read(), np.float16).reshape(height, width, 4)[::-1]
        return (np.clip(floats, 0, 1) * 255).round().astype(np.uint8)
    return np.frombuffer(texture.read(), np.uint8).reshape(height, width, 4)[::-1]


def parse(body: str, **keys: Any) -> isf.ISF:
    return isf.parse("/*" + json.dumps(keys) + "*/\n" + body, "a.fs")


def main(expression: str, **keys: Any) -> isf.ISF:
    return parse(f"void main() {{ gl_FragColor = {expression}; }}", **keys)


def picture(context: moderngl.Context, rows: Any) -> moderngl.Texture:
    """A texture of grey values, top row first."""
    grey = np.asarray(rows, np.uint8)
    data = np.repeat(grey[::-1, :, None], 4, axis=2)
    texture = context.texture((grey.shape[1], grey.shape[0]), 4, np.ascontiguousarray(data))
    texture.repeat_x = texture.repeat_y = False
    return texture


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write pixels [height, width, 3]."""
    import av

    with av.open(str(path), "w", format="image2") as file:
        stream = file.add_stream("png", rate=1)
        stream.height, stream.width, stream.pix_fmt = pixels.shape[0], pixels.shape[1], "rgb24"
        for packet in (*stream.encode(av.VideoFrame.from_ndarray(pixels)), *stream.encode()):
            file.mux(packet)
