"""Workers: they draw the pictures of a generator, live on a thread each, offline at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from perform.arrays import AnyPixels, Floats
from perform.clock import stopwatch, thread_seconds
from perform.faults import reason
from perform.generators import DrawsOnDevice, Generator
from perform.networks.controls import NetworkValues
from perform.stage.governor import NetworkTime
from perform.threads import Background

DRAWING_TIMEOUT = 10.0  # seconds that closing waits for a picture that is being drawn
TIMED_PICTURES = 2  # drawn at the opening, for the time of a picture


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A picture to draw: of a latent ws [num_ws, w_dim], with these values."""

    latent: Floats
    values: NetworkValues


class Worker:
    """Draws a generator's pictures for several clients, at once: offline every frame has its own picture.

    `first` is a picture to begin with, that of the mean; it also warms the generator, as no compiler works
    while a show plays. `made` counts the others.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.made = 0
        self.first = generator.synthesise(np.repeat(generator.mean()[None], generator.space.num_ws, 0)).copy()
        self._pictures: dict[Hashable, AnyPixels] = {}

    def request(self, client: Hashable, picture: PictureRequest) -> None:
        """Draw this; it replaces the client's request that is not drawn yet."""
        self._pictures[client] = self.generator.synthesise(picture.latent, picture.values)
        self.made += 1

    def take(self, client: Hashable) -> AnyPixels | None:
        """The client's newest picture, None if there is no new one. Raises what drawing raised."""
        return self._pictures.pop(client, None)

    def forget(self, client: Hashable) -> None:
        """Keep no picture for a client that has gone."""
        self._pictures.pop(client, None)

    def network_time(self) -> NetworkTime:
        """How long its pictures take."""
        return NetworkTime(self.made)

    def close(self) -> None:
        """Close the generator."""
        self.generator.close()


class ThreadedWorker(Worker):
    """Draws on its own thread; the newest request of each client wins, and clients take turns. A fault of
    the network is raised for the client that takes next; the thread goes on.

    `on_device` says whether pictures may stay on the graphics card that draws them. What a picture would take
    alone is the least processor time that this thread has used for one: what other
    threads do hardly changes it.
    """

    def __init__(self, generator: Generator, on_device: Callable[[], bool] = lambda: False) -> None:
        super().__init__(generator)
        self._on_device = on_device
        self._time, self._began, self._least = NetworkTime(), 0.0, float("inf")
        latent = np.repeat(generator.mean()[None], generator.space.num_ws, 0)
        for _ in range(TIMED_PICTURES):
            self._timed(lambda: generator.synthesise(latent))
        self._requests: dict[Hashable, PictureRequest] = {}
        self._fault = ""
        self._drawing: Hashable = None  # the client whose picture is drawn, None if that has gone
        self._wake = threading.Condition()
        self._background = Background(self._draw, "generator", self._wake)

    def request(self, client: Hashable, picture: PictureRequest) -> None:
        with self._wake:
            self._requests[client] = picture
            self._wake.notify()

    def take(self, client: Hashable) -> AnyPixels | None:
        with self._wake:
            fault, self._fault = self._fault, ""
            picture = super().take(client)
        if fault:
            raise RuntimeError(fault)
        return picture

    def forget(self, client: Hashable) -> None:
        with self._wake:
            super().forget(client)
            self._requests.pop(client, None)
            self._drawing = None if self._drawing == client else self._drawing

    def network_time(self) -> NetworkTime:
        with self._wake:
            running = stopwatch() - self._began if self._began else 0.0
            return replace(self._time, running=running)

    def close(self) -> None:
        self._background.close(DRAWING_TIMEOUT)
        super().close()

    def _draw(self, closing: threading.Event) -> None:
        while (waiting := self._next(closing)) is not None:
            client, request = waiting
            self._began = began = stopwatch()
            try:
                picture = self._timed(partial(self._drawn, request))
            except Exception as error:  # noqa: BLE001 - the client receives every fault
                self._fault, self._began = reason(error), 0.0
                continue
            with self._wake:
                if self._drawing == client:
                    self._pictures[client] = picture
                self.made += 1
                self._time += NetworkTime(1, stopwatch() - began, self._least)
                self._began = 0.0

    def _drawn(self, request: PictureRequest) -> AnyPixels:
        if self._on_device() and isinstance(self.generator, DrawsOnDevice):
            return self.generator.picture(request.latent, request.values)
        return self.generator.synthesise(request.latent, request.values)

    def _timed(self, draw: Callable[[], AnyPixels]) -> AnyPixels:
        """A copy of what `draw` makes; it updates the least time of a picture."""
        began = thread_seconds()
        picture = draw().copy()
        self._least = min(self._least, thread_seconds() - began)
        return picture

    def _next(self, closing: threading.Event) -> tuple[Hashable, PictureRequest] | None:
        """The request that has waited longest; None when the worker closes."""
        with self._wake:
            self._wake.wait_for(lambda: self._requests or closing.is_set())
            if closing.is_set():
                return None
            client = self._drawing = next(iter(self._requests))
            return client, self._requests.pop(client)
