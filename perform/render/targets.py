"""Textures that shaders draw into."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import moderngl


class Target:
    """A texture to draw into. A `double` one has two that change places, so that a shader may read
    what it drew last while it draws again. Textures are black and clear to begin with."""

    def __init__(
        self, context: moderngl.Context, size: tuple[int, int], floating: bool = False, double: bool = False
    ) -> None:
        self.size = size
        self._context = context
        dtype = "f2" if floating else "f1"
        self._textures: list[moderngl.Texture] = []
        self._framebuffers: list[moderngl.Framebuffer] = []
        for _ in range(2 if double else 1):
            texture = context.texture(size, 4, dtype=dtype)
            self._textures.append(texture)
            texture.repeat_x = texture.repeat_y = False
            self._framebuffers.append(context.framebuffer([texture]))
            self._framebuffers[-1].clear()

    @property
    def texture(self) -> moderngl.Texture:
        """What was drawn last."""
        return self._textures[0]

    @property
    def framebuffer(self) -> moderngl.Framebuffer:
        """What is drawn into next."""
        return self._framebuffers[-1]

    @property
    def double(self) -> bool:
        return len(self._textures) == 2

    def drawn(self) -> None:
        """What was drawn into becomes the texture."""
        self._textures.reverse()
        self._framebuffers.reverse()

    def release(self) -> None:
        """Release textures and framebuffers; nothing is bound any more then, for moderngl would bind
        a framebuffer again that is no more."""
        self._context.detect_framebuffer(0).use()
        for framebuffer, texture in zip(self._framebuffers, self._textures, strict=True):
            framebuffer.release()
            texture.release()
