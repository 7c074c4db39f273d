"""Trained generators on stage: latents in, images out, at whatever rate the network has.

Live, the network runs beside the display on its own thread, and the display moves smoothly between
its last two pictures; offline every frame waits for its own picture. Both are one `Voice`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from perform.arrays import Floats, Pixels
from perform.clock import Moment
from perform.faults import reason
from perform.generators import Generator
from perform.render import Image, Values
from perform.render.pictures import Pictures

SMOOTHING = 0.1  # weight of the newest interval in the running mean of picture intervals


@dataclass(frozen=True, slots=True)
class Request:
    """A picture wanted: a latent ws [num_ws, w_dim] and the values of the generator's controls."""

    latent: Floats
    controls: Values


class Studio(Protocol):
    """Where a generator draws: `ask` leaves the newest wish of a client, `take` gives its newest
    picture, None when there is no new one. `first` is a picture to begin with."""

    generator: Generator
    made: int
    first: Pixels

    def ask(self, client: Hashable, request: Request) -> None: ...

    def take(self, client: Hashable) -> Pixels | None: ...

    def close(self) -> None: ...


def _first(generator: Generator) -> Pixels:
    """The mean's picture. It also warms the generator: no compiler works on stage."""
    return generator.synthesise(np.repeat(generator.mean()[None], generator.space.num_ws, 0)).copy()


class InStep:
    """Draws at once, in step with the frames: for rendering offline."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.made = 0
        self.first = _first(generator)
        self._pictures: dict[Hashable, Pixels] = {}

    def ask(self, client: Hashable, request: Request) -> None:
        self._pictures[client] = self.generator.synthesise(request.latent, request.controls)
        self.made += 1

    def take(self, client: Hashable) -> Pixels | None:
        return self._pictures.pop(client, None)

    def close(self) -> None:
        self.generator.close()


class Beside:
    """Draws on a thread of its own, beside the display; the newest wish of each client wins, and
    clients take turns. A fault of the network reaches the client that takes next; the thread goes on."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.made = 0
        self.first = _first(generator)
        self._wishes: dict[Hashable, Request] = {}
        self._pictures: dict[Hashable, Pixels] = {}
        self._fault = ""
        self._open = True
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._draw, name="generator", daemon=True)
        self._thread.start()

    def ask(self, client: Hashable, request: Request) -> None:
        with self._wake:
            self._wishes[client] = request
            self._wake.notify()

    def take(self, client: Hashable) -> Pixels | None:
        with self._wake:
            fault, self._fault = self._fault, ""
            picture = self._pictures.pop(client, None)
        if fault:
            raise RuntimeError(fault)
        return picture

    def close(self) -> None:
        with self._wake:
            self._open = False
            self._wake.notify()
        self._thread.join(timeout=10)
        self.generator.close()

    def _draw(self) -> None:
        while (wish := self._next()) is not None:
            client, request = wish
            try:
                picture = self.generator.synthesise(request.latent, request.controls).copy()
            except Exception as fault:  # noqa: BLE001 - the thread hands every fault to who asked
                self._fault = reason(fault)
                continue
            with self._wake:
                self._pictures[client] = picture
                self.made += 1

    def _next(self) -> tuple[Hashable, Request] | None:
        with self._wake:
            self._wake.wait_for(lambda: self._wishes or not self._open)
            if not self._open:
                return None
            client = next(iter(self._wishes))  # the one that has waited longest
            return client, self._wishes.pop(client)


@dataclass(slots=True)
class Pace:
    """How the display moves from the picture before to the newest one: over the running mean of
    the time between pictures, so that a slow generator looks even."""

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


@dataclass(slots=True)
class GeneratorVoice:
    """A generator's part in one scene (the protocol `Voice` of a performance).

    `find` gives the studio, None while it is not open; `opening` whether it is open, being opened
    (False) or never will be (None).
    """

    find: Callable[[], Studio | None]
    opening: Callable[[], bool | None]
    pictures: Pictures
    pace: Pace = field(default_factory=Pace)
    frame: int = -1  # the last that was drawn

    @property
    def studio(self) -> Studio:
        """Where it draws. RuntimeError when that is not open."""
        studio = self.find()
        if studio is None:
            raise RuntimeError("the model is not open")
        return studio

    def ready(self) -> bool | None:
        """Whether it can play; if not, it is being opened. None: it never will."""
        return self.opening()

    def mean(self, label: float) -> Floats:
        """The centre of truncation [w_dim] of class `label`."""
        return self.studio.generator.mean(self._labels(label))

    def map(self, z: Floats, label: float) -> Floats:
        """z [n, z_dim] of class `label`, or of a mix of the two nearest, to w [n, w_dim]."""
        return self.studio.generator.map(z, self._labels(label))

    def _labels(self, label: float) -> Floats | None:
        """[1, c_dim] that sums to 1; classes go round. None: the generator has no classes."""
        classes = self.studio.generator.space.c_dim
        if not classes:
            return None
        labels = np.zeros((1, classes), np.float32)
        first, share = int(label // 1), label % 1
        labels[0, (first + 1) % classes] = share
        labels[0, first % classes] += 1 - share
        return labels

    def render(self, moment: Moment, values: Values, latent: Floats) -> Image:
        """The image at this moment; after a pause without the picture from before it."""
        studio = self.studio
        if not self.pictures.begun:
            self.pictures.upload(studio.first)
        if moment.frame != self.frame + 1:
            self.pace = Pace()
            studio.take(id(self))
        self.frame = moment.frame
        studio.ask(id(self), Request(latent, values))
        picture = studio.take(id(self))
        if picture is not None:
            self.pictures.upload(picture)
            self.pace.arrived(moment.seconds)
        return self.pictures.render(moment, values, self.pace.blend(moment))

    def release(self) -> None:
        """Give back textures; the studio stays."""
        self.pictures.release()
