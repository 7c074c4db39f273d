"""Bridges: how a picture in the memory of an NVIDIA card becomes a texture, without a way through the
machine's memory where the card and its driver allow that.

The best comes first: a texture that CUDA writes (`texture`), a buffer that CUDA writes (`buffer`),
page-locked memory (`pinned`), and the upload that works everywhere (`plain`). Each is tried with a small
picture when a show opens. One that fails in the show is left out from then on, and the frame takes the next.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from perform.arrays import DevicePixels
from perform.faults import reason

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("perform")


class BridgeError(RuntimeError):
    """A bridge that cannot be used; the message has the reason."""


class Bridge(Protocol):
    """One way. The context of its textures is current in every call."""

    name: str
    direct: bool  # whether the picture stays on the card

    def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
        """Write a picture into a texture of its size with four channels. Whatever it raises, the picture is
        not there."""
        ...

    def forget(self, texture: moderngl.Texture) -> None:
        """The texture will be released; safe for one that it does not know."""
        ...

    def close(self) -> None:
        """Release what it holds; safe to call twice."""
        ...


class Bridges:
    """The bridges that work here, best first; `reasons` say by name why the others do not."""

    def __init__(self, bridges: Sequence[Bridge], reasons: Mapping[str, str] | None = None) -> None:
        self._bridges = list(bridges)
        self.reasons = dict(reasons or {})

    @property
    def best(self) -> str:
        """The name of the bridge that is used now."""
        return self._bridges[0].name

    @property
    def direct(self) -> bool:
        """Whether it pays to leave pictures on the card: else their networks' threads copy them."""
        return self._bridges[0].direct

    def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
        """Write a picture into a texture, by the next bridge if one fails. Raises what the last raises."""
        while len(self._bridges) > 1:
            try:
                self._bridges[0].upload(texture, picture)
                return
            except Exception as error:  # noqa: BLE001 - whatever a driver raises, the next one is tried
                self._leave_out(error)
        self._bridges[0].upload(texture, picture)

    def forget(self, texture: moderngl.Texture) -> None:
        """The texture will be released."""
        for bridge in self._bridges:
            bridge.forget(texture)

    def close(self) -> None:
        """Release what the bridges hold; safe to call twice."""
        for bridge in self._bridges:
            bridge.close()

    def _leave_out(self, error: Exception) -> None:
        failed = self._bridges.pop(0)
        self.reasons[failed.name] = reason(error)
        log.error("pictures take the bridge %s: %s failed (%s)", self.best, failed.name, reason(error))
        try:
            failed.close()
        except Exception as second:  # noqa: BLE001 - it has failed already
            log.error("the bridge %s cannot be closed: %s", failed.name, reason(second))
