"""Checks of what shares pictures with other programs: NDI, v4l2loopback, Spout, Syphon."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from perform.commands.doctor.finding import Finding
from perform.sharing import KINDS, lacking, version


def shared(kind: str) -> Finding:
    """Whether pictures can be shared in this way. None of them is needed for a show."""
    if why := lacking(kind):
        return "ok", why, ""
    if kind == "v4l2":
        from perform.outputs.sharing.v4l2 import loopbacks

        there = ", ".join(loopbacks())
        return "ok", there or "no device of v4l2loopback: sudo modprobe v4l2loopback exclusive_caps=1", ""
    return "ok", f"{KINDS[kind].library} {version(kind)}: perform play --share {kind}:NAME", ""


CHECKS: dict[str, Callable[[], Finding]] = {kind: partial(shared, kind) for kind in KINDS}
