"""Syphon: pictures for programs of the same Mac, with the optional extra `syphon` (syphon-python).

It shares textures of Metal, which needs neither the show's OpenGL nor its thread: a picture is copied into
one texture. Not proven on macOS yet.
"""

from __future__ import annotations

from perform.arrays import Pixels
from perform.outputs.sharing import with_alpha


class SyphonSender:
    """A server of Syphon."""

    def __init__(self, name: str, size: tuple[int, int], fps: float) -> None:
        import syphon
        from syphon.utils.raw import create_mtl_texture

        self._server = syphon.SyphonMetalServer(name)
        self._texture = create_mtl_texture(self._server.device, *size)  # RGBA, 8 bits

    def send(self, pixels: Pixels) -> None:
        """Copy a picture into the texture, and publish it. Its rows begin at the top, as Metal's do."""
        from syphon.utils.raw import copy_bytes_to_mtl_texture

        copy_bytes_to_mtl_texture(with_alpha(pixels).tobytes(), self._texture)
        self._server.publish_frame_texture(self._texture, is_flipped=True)

    def receivers(self) -> int | None:
        """Syphon tells only whether there are any."""
        return None

    def close(self) -> None:
        """Withdraw the server."""
        self._server.stop()
