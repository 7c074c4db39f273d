"""Spout: pictures for programs of the same Windows machine, with the optional extra `spout` (SpoutGL).

SpoutGL is by "Python-SpoutGL", whose examples and source are its documentation. Not proven on Windows yet.
"""

from __future__ import annotations

from perform.arrays import Pixels
from perform.outputs.sharing import with_alpha

GL_RGBA = 0x1908  # of OpenGL


class SpoutSender:
    """A sender of Spout. It draws with a hidden window of its own (`createOpenGL`): the show's OpenGL is in
    use on another thread."""

    def __init__(self, name: str, size: tuple[int, int], fps: float) -> None:
        import SpoutGL

        self._name, self._size = name, size
        self._sender = SpoutGL.SpoutSender()
        if not self._sender.createOpenGL():
            raise OSError("Spout finds no OpenGL")
        self._sender.setSenderName(name)

    def send(self, pixels: Pixels) -> None:
        """Copy a picture into the texture that others read, and tell those that wait for it."""
        if not self._sender.sendImage(with_alpha(pixels), *self._size, GL_RGBA, False, 0):
            raise OSError("Spout takes no pictures")
        self._sender.setFrameSync(self._name)

    def receivers(self) -> int | None:
        """Spout does not tell."""
        return None

    def close(self) -> None:
        """Withdraw the sender."""
        self._sender.releaseSender()
        self._sender.closeOpenGL()
