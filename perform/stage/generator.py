"""A trained generator in a scene: latents in, images out, at whatever rate the network has.

Live, the network draws on its own thread, and the display moves smoothly between its last two
pictures; offline every frame waits for its own picture. A fault of the network keeps its last picture.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from perform.arrays import AnyPixels, Floats
from perform.clock import Moment
from perform.faults import Faults
from perform.networks.controls import NetworkValues
from perform.performance.scene import SceneGenerator
from perform.render import Image
from perform.render.pictures import Pictures
from perform.scenes.readiness import Readiness
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.worker import PictureRequest, Worker

SMOOTHING = 0.1  # weight of the newest interval in the running mean of picture intervals


@dataclass(slots=True)
class FrameInterpolation:
    """Blends from the picture before to the newest, over the running mean of the time between pictures, so
    that a slow generator looks even."""

    came: float = -1.0
    interval: float = 0.0

    def arrived(self, seconds: float) -> None:
        """A picture came at `seconds`."""
        if self.came >= 0:
            gap = min(seconds - self.came, 1.0)
            self.interval += (gap - self.interval) * (SMOOTHING if self.interval else 1.0)
        self.came = seconds

    def blend(self, moment: Moment) -> float:
        """0: the picture before, 1: the newest. A generator as fast as the display is at 1."""
        if self.interval <= moment.dt * 1.1:
            return 1.0
        return min((moment.seconds - self.came + moment.dt) / self.interval, 1.0)


class PooledGenerator:
    """A generator of the pool in one scene (a `SceneGenerator` of the performance). `key` is its model, and
    what is compiled into it."""

    def __init__(self, pool: ModelPool, key: PoolKey, pictures: Pictures, name: str, faults: Faults) -> None:
        self.key, self.pictures = key, pictures
        self._name, self._faults = name, faults
        self._pool, self._interpolation = pool, FrameInterpolation()
        self._frame = -1  # the last that was drawn
        self._shown: deque[AnyPixels] = deque(maxlen=2)  # its last pictures

    @property
    def worker(self) -> Worker:
        """The worker that draws. RuntimeError if its model is not open."""
        worker = self._pool.find(self.key)
        if worker is None:
            raise RuntimeError("the model is not open")
        return worker

    @property
    def readiness(self) -> Readiness:
        """Whether its model is open."""
        return self._pool.readiness(self.key)

    def request(self) -> None:
        """Open its model, if it is not open."""
        self._pool.request(self.key)

    def mean(self, label: float) -> Floats:
        """The centre of truncation [w_dim] of class `label`."""
        return self.worker.generator.mean(self._labels(label))

    def map(self, z: Floats, label: float) -> Floats:
        """z [n, z_dim] of class `label`, or of a mix of the two nearest, to w [n, w_dim]; after a fault the
        mean."""
        with self._faults.contain(f"{self._name} cannot map"):
            return self.worker.generator.map(z, self._labels(label))
        return np.repeat(self.mean(label)[None], len(z), 0)

    def _labels(self, label: float) -> Floats | None:
        """[1, c_dim] with the sum 1; class c_dim is class 0 again. None: the generator has no classes."""
        classes = self.worker.generator.space.c_dim
        if not classes:
            return None
        labels = np.zeros((1, classes), np.float32)
        first, share = int(label // 1), label % 1
        labels[0, (first + 1) % classes] = share
        labels[0, first % classes] += 1 - share
        return labels

    def render(self, moment: Moment, values: NetworkValues, latent: Floats) -> Image:
        """The image at this moment; after a fault the last picture, still fitted and filtered."""
        with self._faults.contain(f"{self._name} is dropped"):
            return self._draw(moment, values, latent)
        return self.pictures.render(moment, values.parameters, 1.0)

    def hold(self, moment: Moment, values: NetworkValues) -> Image:
        """The image of the last picture; no network works for it."""
        if not self.pictures.begun:
            self._upload(self.worker.first)
        self._frame = moment.frame
        return self.pictures.render(moment, values.parameters, self._interpolation.blend(moment))

    def go_on_from(self, other: SceneGenerator) -> None:
        """Show what another generator with the same key has shown on the last frame, until it has a picture
        of its own."""
        assert isinstance(other, PooledGenerator)
        for picture in other._shown:
            self._upload(picture)
        self._interpolation, self._frame = replace(other._interpolation), other._frame
        self.worker.take(id(self))  # one that it has asked for before

    def _upload(self, picture: AnyPixels) -> None:
        self.pictures.upload(picture)
        self._shown.append(picture)

    def _draw(self, moment: Moment, values: NetworkValues, latent: Floats) -> Image:
        """The image at this moment; after a pause it does not show the picture from before."""
        worker = self.worker
        if not self.pictures.begun:
            self._upload(worker.first)
        if moment.frame != self._frame + 1:
            self._interpolation = FrameInterpolation()
            worker.take(id(self))
        self._frame = moment.frame
        worker.request(id(self), PictureRequest(latent, values))
        picture = worker.take(id(self))
        if picture is not None:
            self._upload(picture)
            self._interpolation.arrived(moment.seconds)
        return self.pictures.render(moment, values.parameters, self._interpolation.blend(moment))

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size (width, height) from now on."""
        self.pictures.resize(size)

    def release(self) -> None:
        """Release the textures, and what the worker has drawn for it; the worker stays open."""
        self._pool.forget(self.key, id(self))
        self.pictures.release()
