"""A digest of every frame: two renders are the same show when their digests are the same."""

from __future__ import annotations

import hashlib

from perform.faults import Health
from perform.outputs import Frame


class Digest:
    """Hashes the pixels of every frame, in order (SHA-256)."""

    name, may_lag = "digest", False

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def write(self, frame: Frame) -> None:
        """Take one frame into the digest."""
        self._hash.update(frame.pixels.data)

    def health(self) -> Health:
        return Health("ok", self.hexadecimal)

    def close(self) -> None:
        """Nothing to finish."""

    @property
    def hexadecimal(self) -> str:
        """The digest of all frames so far."""
        return self._hash.hexdigest()
