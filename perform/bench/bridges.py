"""Bridges: how long a picture takes to its texture, by each way that works here; and a whole frame on a GPU.

Without a GPU there is one way: the upload of what the network left in memory. On a GPU each bridge is
measured, with the wait until the texture is complete; then whole frames at 1920x1080, one after the other:
StyleGAN2 of 1024², its picture to a texture by the best bridge, `bloom` and `feedback`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from perform import generators
from perform.arrays import AnyPixels, DevicePixels, Pixels
from perform.bench import Figure, duration_figures
from perform.clock import Moment, stopwatch
from perform.faults import reason
from perform.generators import DrawsOnDevice, untrained
from perform.library import Library
from perform.networks import Device
from perform.networks.devices import cuda_device
from perform.render.bridges import Bridge, Bridges
from perform.render.context import headless
from perform.render.pictures import Pictures
from perform.render.shader import Shader
from perform.scenes.controls import UnitSettings

if TYPE_CHECKING:
    import moderngl

    from perform.networks.weights import Weights
    from perform.render.bridges.opening import BridgeOpener

BRIDGE_SIZES = {"1024": (1024, 1024), "1080p": (1920, 1080)}
FRAME_SIZE = (1920, 1080)
FRAME_FILTERS = ("bloom", "feedback")
BRIDGE_SECONDS = 3.0  # of each measurement
LEAST_UPLOADS = 20
BRIDGE_GOAL, WHOLE_FRAME_GOAL = 0.3, 8.0  # ms at p99, of the best bridge and of a whole frame
KEPT = 3  # pictures that are uploaded in turn


def bridges_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """The bridges of this machine; on CUDA also whole frames, of the model if one is given."""
    cuda, length = cuda_device(device), BRIDGE_SECONDS if seconds is None else seconds
    context = headless(cuda)
    try:
        if cuda is None:
            yield from upload_figures(context, length)
            return
        from perform.render.bridges.opening import OPENERS, on_cuda, open_bridges

        yield from each_bridge(context, length, on_cuda, OPENERS)
        weights = generators.weights_of(model) if model else untrained.untrained_sized(1024, 32768)
        with closing(open_bridges(context)) as bridges:
            yield from whole_frames(context, length, weights, device, bridges)
    finally:
        context.release()


def upload_figures(context: moderngl.Context, seconds: float) -> Iterator[Figure]:
    """Pictures [height, width, 3] in memory, uploaded as a show without CUDA does it."""
    for name, size in BRIDGE_SIZES.items():
        pictures = [drawn[..., :3].copy() for drawn in _pictures(size)]
        texture = context.texture(size, 3, alignment=1)

        def upload(picture: Pixels, texture: moderngl.Texture = texture) -> None:
            texture.write(picture, alignment=1)

        yield from duration_figures("bridge_ms", _times(context, upload, pictures, seconds), f"_plain_{name}")
        texture.release()


def each_bridge(
    context: moderngl.Context,
    seconds: float,
    on_card: Callable[[Pixels], DevicePixels],
    openers: Mapping[str, BridgeOpener],
) -> Iterator[Figure]:
    """Every bridge at every size; one that does not work has no value, but the reason. The first that works
    has the goal."""
    goal: float | None = BRIDGE_GOAL
    for bridge_name, opener in openers.items():
        for name, size in BRIDGE_SIZES.items():
            suffix = f"_{bridge_name}_{name}"
            try:
                times = _bridge_times(context, opener(context), size, seconds, on_card)
            except Exception as error:  # noqa: BLE001 - drivers fail in ways of their own
                yield Figure(f"bridge_ms_p50{suffix}", math.nan, "ms", note=reason(error)[:200])
                continue
            yield from duration_figures("bridge_ms", times, suffix, goal)
            if name == list(BRIDGE_SIZES)[-1]:
                goal = None


def _bridge_times(
    context: moderngl.Context,
    bridge: Bridge,
    size: tuple[int, int],
    seconds: float,
    on_card: Callable[[Pixels], DevicePixels],
) -> list[float]:
    texture = context.texture(size, 4)
    pictures = [on_card(drawn) for drawn in _pictures(size)]
    try:
        return _times(context, lambda picture: bridge.upload(texture, picture), pictures, seconds)
    finally:
        bridge.close()
        texture.release()


def whole_frames(
    context: moderngl.Context, seconds: float, weights: Weights, device: Device, bridges: Bridges
) -> Iterator[Figure]:
    """A picture of another latent each frame, to the texture, fitted and filtered; ms until all is drawn, and
    those of the network alone."""
    random = np.random.default_rng(0)
    pictures = Pictures(context, FRAME_SIZE, bridges=bridges)
    filters = [_filter(context, name) for name in FRAME_FILTERS]
    fit = UnitSettings("", Pictures.parameters, {}).with_defaults
    with closing(generators.open(weights, device)) as generator:
        z = random.standard_normal((64, generator.space.z_dim), np.float32)
        rows = generator.map(z, _labels(generator.space.c_dim))
        latents = [np.repeat(row[None], generator.space.num_ws, 0) for row in rows]
        drawn = generator.picture if isinstance(generator, DrawsOnDevice) else generator.synthesise
        draw: Callable[[Any], AnyPixels] = drawn
        moment = Moment(0, 0, 1 / 60, 0, 0, 120)

        def frame(latent: Any) -> None:
            nonlocal moment
            moment = replace(moment, seconds=moment.seconds + 1 / 60, frame=moment.frame + 1)
            pictures.upload(draw(latent))
            image = pictures.render(moment, fit)
            for shader, values in filters:
                image = shader.render(moment, values, image)

        yield from duration_figures("network_ms", _times(context, draw, latents, seconds))
        times = _times(context, frame, latents, seconds)
        yield from duration_figures("whole_frame_ms", times, goal=WHOLE_FRAME_GOAL)
    pictures.release()
    for shader, _ in filters:
        shader.release()


def _filter(context: moderngl.Context, name: str) -> tuple[Shader, Mapping[str, Any]]:
    """A filter, warm, and the defaults of its parameters."""
    shader = Shader(context, Library().isf(name, "filter"), FRAME_SIZE)
    shader.warm()
    return shader, UnitSettings(name, shader.parameters, {}).with_defaults


def _labels(classes: int) -> Any:
    """The first class, for a network with classes."""
    return np.eye(1, classes, dtype=np.float32) if classes else None


def _pictures(size: tuple[int, int]) -> list[Pixels]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (size[1], size[0], 4), np.uint8) for _ in range(KEPT)]


def _times(
    context: moderngl.Context, work: Callable[[Any], object], items: list[Any], seconds: float
) -> list[float]:
    """Milliseconds of the work with one item each, in turn, until OpenGL has done it; the first are not
    counted."""
    for item in items[:KEPT]:
        work(item)
    context.finish()
    times: list[float] = []
    while len(times) < LEAST_UPLOADS or sum(times) < 1000 * seconds:
        began = stopwatch()
        work(items[len(times) % len(items)])
        context.finish()
        times.append(1000 * (stopwatch() - began))
    return times
