"""The shaders that passed their trials on this machine before: a show that starts again need not wait for
them."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from perform.paths import beside
from perform.render.isf import ISF

MOST_KEPT = 2000


class PassedShaders:
    """An empty file in `folder` for each, called by its key."""

    def __init__(self, folder: Path, *circumstances: object) -> None:
        """`circumstances` are what else a trial depends on, such as the size of the show and the driver."""
        self._folder, self._circumstances = folder, repr(circumstances).encode()

    def key(self, shader: ISF) -> str:
        """A hash of the shader's files as they are now, and of the circumstances; empty if they cannot be
        read."""
        digest = hashlib.sha256(self._circumstances)
        file = Path(shader.name)
        with suppress(OSError):
            for part in (file, beside(file, ".vs"), *shader.included):
                text = part.read_bytes() if part.exists() else b""
                digest.update(b"%d:" % len(text) + text)
            return digest.hexdigest()
        return ""

    def __contains__(self, key: str) -> bool:
        return bool(key) and (self._folder / key).exists()

    def add(self, key: str) -> None:
        """Remember a key, and forget the oldest if there are many. One that cannot be kept is tried again by
        the next show."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / key).touch()
            known = sorted(self._folder.iterdir(), key=lambda one: one.stat().st_mtime)
            for old in known[:-MOST_KEPT]:
                old.unlink()
