"""Generators that open during a show, within a memory budget."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from perform.generators.model import Model
from perform.networks import ModelError
from perform.scenes.readiness import Readiness
from perform.stage.governor import NetworkTime
from perform.stage.pool import LONG_WAIT, RESTING_FINDS, ModelPool, PoolKey

READY, OPENING, FAILED = Readiness.READY, Readiness.OPENING, Readiness.FAILED
CONFIG = Model.read("untrained-small").config


def key_of(name: str, mib: float) -> PoolKey:
    return PoolKey(Model(name, (), name, CONFIG, {}, mib * 2**20))


A, B, C, HUGE = key_of("a", 40), key_of("b", 40), key_of("c", 40), key_of("huge", 90)


class Counter:
    """Counts pictures and remembers whether it was closed."""

    def __init__(self, key: PoolKey) -> None:
        self.key, self.made, self.closed = key, 3, False
        self.forgotten: list[object] = []
        self.generator: Any = None
        self.first = np.zeros((1, 1, 3), np.uint8)

    def request(self, client: Any, picture: Any) -> None:
        pass

    def take(self, client: Any) -> None:
        return None

    def forget(self, client: Any) -> None:
        self.forgotten.append(client)

    def network_time(self) -> NetworkTime:
        return NetworkTime(self.made)

    def close(self) -> None:
        self.closed = True


class House:
    """Workers of a test; `gate` delays openings until it is set."""

    def __init__(self, budget: float = 100, background: bool = False) -> None:
        self.opened: list[Counter] = []
        self.gate = threading.Event()
        self.gate.set()
        self.pool = ModelPool(self.open, budget * 2**20, background)

    def open(self, key: PoolKey) -> Counter:
        assert self.gate.wait(10)
        if key.model.name == "broken":
            raise ModelError("broken is not readable")
        self.opened.append(Counter(key))
        return self.opened[-1]

    def rest(self, playing: PoolKey) -> None:
        """A scene that plays for a while."""
        for _ in range(RESTING_FINDS + 1):
            self.pool.find(playing)


def state(house: House, key: PoolKey) -> Readiness:
    """How far the opening is, after a request."""
    house.pool.request(key)
    return house.pool.readiness(key)


def until(ready: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(1000):
        if ready():
            return
        done.wait(0.01)
    raise AssertionError("it never came")


def test_offline_a_worker_opens_when_it_is_requested() -> None:
    house = House()
    assert house.pool.find(A) is None
    assert state(house, A) is READY
    assert house.pool.find(A) is house.opened[0]
    assert house.pool.open(A) is house.opened[0]
    assert len(house.opened) == 1


def test_live_a_worker_opens_in_the_background() -> None:
    house = House(background=True)
    house.gate.clear()
    assert [state(house, A) for _ in range(3)] == [OPENING] * 3
    assert house.pool.find(A) is None
    house.gate.set()
    until(lambda: state(house, A) is READY)
    assert len(house.opened) == 1
    house.pool.close()
    assert house.opened[0].closed


def test_the_model_that_played_longest_ago_is_closed_first() -> None:
    house = House()
    house.pool.open(A)
    house.pool.open(B)
    house.rest(B)
    assert state(house, C) is READY
    assert [worker.closed for worker in house.opened] == [True, False, False]
    house.rest(C)
    assert state(house, A) is READY
    assert [worker.closed for worker in house.opened] == [True, True, False, False]
    assert house.pool.network_time().pictures == 4 * 3  # also those of the closed


def test_a_playing_model_is_not_closed_for_another() -> None:
    house = House()
    house.pool.open(A)
    house.pool.open(B)
    house.pool.find(A), house.pool.find(B)  # a transition between them
    assert state(house, C) is OPENING
    assert not any(worker.closed for worker in house.opened)
    house.rest(B)
    assert state(house, C) is READY
    assert house.opened[0].closed


def test_the_model_of_the_next_cue_stays_open() -> None:
    house = House()
    house.pool.open(A)
    house.pool.open(B)
    for _ in range(2 * RESTING_FINDS):
        house.pool.find(B)
        assert state(house, A) is READY  # the next cue's, asked for in every frame
    assert state(house, C) is OPENING
    assert not any(worker.closed for worker in house.opened)


def test_a_model_that_never_fits_is_rejected_before_another_is_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = House()
    house.pool.open(A)
    house.pool.open(B)
    house.rest(B)
    with caplog.at_level(logging.ERROR):
        assert state(house, HUGE) is FAILED
    assert "huge cannot be opened: it takes 90 MiB, the model on show 40, and all may take 100" in caplog.text
    assert not any(worker.closed for worker in house.opened)
    assert house.pool.fits([A, B]) and not house.pool.fits([A, B, C])


def test_a_failing_model_is_reported_once_and_retried_after_an_edit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    house, broken = House(), key_of("broken", 1)
    with caplog.at_level(logging.ERROR):
        assert [state(house, broken) for _ in range(3)] == [FAILED] * 3
    assert caplog.text.count("broken is not readable") == 1
    house.pool.allow_retry(broken)
    state(house, broken)
    assert caplog.text.count("broken is not readable") == 2
    with pytest.raises(ModelError, match="not readable"):
        house.pool.open(broken)


def test_memory_stays_flat_over_many_changes() -> None:
    house = House()
    for change in range(200):
        key = (A, B, C)[change % 3]
        house.pool.open(key)
        house.rest(key)
        assert sum(not worker.closed for worker in house.opened) <= 2


def test_changes_list_what_opened_closed_or_failed_since_the_last_call() -> None:
    house, broken = House(), key_of("broken", 1)
    house.pool.request(A)
    house.pool.request(broken)
    assert house.pool.changes() == [(A, READY), (broken, FAILED)]
    house.pool.open(B)
    house.rest(B)
    house.pool.request(C)
    assert house.pool.changes() == [(B, READY), (A, Readiness.ABSENT), (C, READY)]
    assert house.pool.changes() == []


def test_a_query_opens_nothing() -> None:
    house = House()
    assert house.pool.readiness(A) is Readiness.ABSENT
    assert house.opened == []


def test_the_readiness_of_several_models_is_the_worst() -> None:
    assert Readiness.of_all([]) is Readiness.of_all([READY, READY]) is READY
    assert Readiness.of_all([READY, Readiness.ABSENT]) is Readiness.of_all([READY, OPENING]) is OPENING
    assert Readiness.of_all([OPENING, FAILED]) is FAILED


def test_a_model_that_waits_long_for_room_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "perform")
    house = House()
    for _ in range(2 * LONG_WAIT):  # two are on show, and a third is asked for
        house.pool.request(A)
        house.pool.request(B)
        house.pool.request(C)
    assert [house.pool.readiness(one) for one in (A, B)] == [READY, READY]
    assert house.pool.readiness(C) is not READY
    assert caplog.messages == ["c waits: the models on show take the memory that it needs"]
    house.pool.close()


def test_a_client_that_has_gone_is_forgotten_and_changes_nothing_else() -> None:
    house = House()
    house.pool.forget(A, "client")  # it is not open
    assert house.opened == []
    for key in (A, B):
        house.pool.open(key)
    house.pool.forget(A, "client")
    assert [worker.forgotten for worker in house.opened] == [["client"], []]
    house.rest(B)
    house.pool.open(C)
    assert [worker.closed for worker in house.opened] == [True, False, False]
