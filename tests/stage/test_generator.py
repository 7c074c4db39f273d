"""A generator in two scenes: a morph shows the pictures of one in the other, and one may hold its last."""

from collections import deque
from typing import Any

import numpy as np
import pytest

from perform.clock import Moment
from perform.faults import Faults
from perform.networks.controls import NetworkValues
from perform.stage.generator import PooledGenerator

VALUES = NetworkValues({"sharpness": 1.0, "fit": "mirror"})
LATENT = np.zeros((1, 1), np.float32)


class SlowWorker:
    """A worker that has a picture when a test says so."""

    first = "mean"

    def __init__(self) -> None:
        self.ready: dict[int, deque[str]] = {}
        self.asked: list[int] = []

    def request(self, client: int, picture: Any) -> None:
        self.asked.append(client)

    def take(self, client: int) -> str | None:
        waiting = self.ready.get(client)
        return waiting.popleft() if waiting else None


class FakePictures:
    """What is shown: the picture before, the newest, and the part of that."""

    def __init__(self) -> None:
        self.held: list[str] = []

    @property
    def begun(self) -> bool:
        return bool(self.held)

    def release(self) -> None:
        pass

    def upload(self, picture: Any) -> None:
        self.held = [*self.held, picture][-2:]

    def render(self, moment: Any, values: Any, blend: float = 1.0) -> Any:
        return (*self.held, round(blend, 3))


class Pair:
    """Two generators of one model in two scenes, frame after frame at 10 frames a second."""

    def __init__(self) -> None:
        self.worker = worker = SlowWorker()

        class Pool:
            def find(self, key: object) -> Any:
                return worker

            def forget(self, key: object, client: int) -> None:
                worker.ready.pop(client, None)

        pool: Any = Pool()
        key: Any = "flora"
        self.faults, self.frame = Faults(), 0
        made: list[Any] = [FakePictures(), FakePictures()]
        self.a, self.b = (PooledGenerator(pool, key, one, "model flora", self.faults) for one in made)

    def moment(self) -> Moment:
        self.frame += 1
        return Moment(self.frame / 10, self.frame, 0.1, 0.0, 0.0, 120.0)

    def draw(self, generator: PooledGenerator, picture: str | None = None, holds: bool = False) -> Any:
        if picture:
            self.worker.ready.setdefault(id(generator), deque()).append(picture)
        if holds:
            return generator.hold(self.moment(), VALUES)
        return generator.render(self.moment(), VALUES, LATENT)


@pytest.fixture
def pair() -> Pair:
    """The first has shown pictures on every second frame, and is halfway from one to the next."""
    pair = Pair()
    for number in range(5):
        pair.draw(pair.a, f"a{number}")
        pair.draw(pair.a)
    assert pair.draw(pair.a, "a5") == ("a4", "a5", 0.5)
    return pair


def test_a_morph_goes_on_with_the_pictures_of_the_scene_before(pair: Pair) -> None:
    pair.b.go_on_from(pair.a)
    assert pair.draw(pair.b) == ("a4", "a5", 1.0)  # not the mean, and no jump of the blend
    assert pair.draw(pair.b, "b0") == ("a5", "b0", 0.5)
    assert set(pair.worker.asked[-2:]) == {id(pair.b)}
    pair.a.go_on_from(pair.b)  # a crossfader came back
    assert pair.draw(pair.a) == ("a5", "b0", 1.0)
    assert not pair.faults.counts


def test_a_picture_that_was_asked_for_long_ago_is_not_shown(pair: Pair) -> None:
    pair.worker.ready[id(pair.b)] = deque(["old"])
    pair.b.go_on_from(pair.a)
    assert pair.draw(pair.b) == ("a4", "a5", 1.0)


def test_one_that_holds_asks_for_nothing_and_goes_on_after_it(pair: Pair) -> None:
    asked = len(pair.worker.asked)
    assert pair.draw(pair.a, holds=True) == ("a4", "a5", 1.0)
    assert pair.draw(pair.a, holds=True) == ("a4", "a5", 1.0)
    assert len(pair.worker.asked) == asked
    assert pair.draw(pair.a, "a6")[:2] == ("a5", "a6")


def test_one_that_never_drew_holds_the_mean(pair: Pair) -> None:
    assert pair.draw(pair.b, holds=True) == ("mean", 1.0)


def test_one_that_is_released_leaves_no_picture_with_its_worker(pair: Pair) -> None:
    pair.worker.ready = {id(one): deque(["late"]) for one in (pair.a, pair.b)}
    pair.a.release()
    assert pair.worker.ready == {id(pair.b): deque(["late"])}
