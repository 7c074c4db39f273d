"""Opens bridges: each is tried with a small picture, on the real context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perform.arrays import DevicePixels, Pixels
from perform.faults import reason
from perform.render.bridges import Bridge, BridgeError, Bridges
from perform.render.bridges.copied import PinnedBridge, PlainBridge
from perform.render.bridges.registered import BufferBridge, TextureBridge

if TYPE_CHECKING:
    import moderngl

PROBED = np.arange(8 * 4 * 4, dtype=np.uint8).reshape(4, 8, 4)  # the picture of the trial
BridgeOpener: TypeAlias = "Callable[[moderngl.Context], Bridge]"
OPENERS: Mapping[str, BridgeOpener] = MappingProxyType(
    {"texture": TextureBridge, "buffer": BufferBridge, "pinned": PinnedBridge, "plain": PlainBridge}
)


def open_bridges(
    context: moderngl.Context,
    picture: Callable[[Pixels], DevicePixels] | None = None,
    openers: Mapping[str, BridgeOpener] | None = None,
) -> Bridges:
    """The bridges of a context, which is current. `picture` brings pixels to the card. Raises BridgeError if
    none works."""
    made, reasons = [], {}
    probed = (picture or on_cuda)(PROBED)
    for name, opener in (openers or OPENERS).items():
        try:
            made.append(_tried(opener(context), context, probed))
        except Exception as error:  # noqa: BLE001 - any exception of a driver is a reason
            reasons[name] = reason(error)
    if not made:
        raise BridgeError("; ".join(f"{name}: {why}" for name, why in reasons.items()))
    return Bridges(made, reasons)


def _tried(bridge: Bridge, context: moderngl.Context, picture: DevicePixels) -> Bridge:
    """The bridge, if a picture arrives."""
    height, width, channels = picture.shape
    texture = context.texture((width, height), channels, alignment=1)
    try:
        bridge.upload(texture, picture)
        if texture.read() != PROBED.tobytes():
            raise BridgeError("another picture arrives")
    except BaseException:
        bridge.close()
        raise
    finally:
        bridge.forget(texture)
        texture.release()
    return bridge


def on_cuda(pixels: Pixels) -> DevicePixels:
    """Pixels [height, width, 4] as a picture on the current CUDA device."""
    import torch

    from perform.networks.runtimes.torch.picture import DevicePicture

    return DevicePicture.of(torch.from_numpy(pixels).cuda())
