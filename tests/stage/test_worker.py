"""Workers: the newest request wins, clients take turns, faults, and even movement."""

import threading

import numpy as np
import pytest

from perform.clock import Moment
from perform.latent.space import Space
from perform.networks.controls import NetworkValues
from perform.networks.runtimes.torch.picture import DevicePicture
from perform.stage.generator import FrameInterpolation
from perform.stage.governor import NetworkTime
from perform.stage.worker import PictureRequest, ThreadedWorker, Worker
from tests.doubles.cuda_runtime import on_device
from tests.doubles.waiting import eventually


class Doubler:
    """A generator whose picture is its latent's first number; `gate` delays it."""

    space, parameters, size = Space(1, 1, 1), (), (1, 1)

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.began = threading.Semaphore(0)
        self.closed = False

    def map(self, z, labels=None):  # type: ignore[no-untyped-def]
        return z

    def mean(self, labels=None):  # type: ignore[no-untyped-def]
        return np.zeros(1, np.float32)

    def synthesise(self, ws, values=None):  # type: ignore[no-untyped-def]
        if values is None:  # the first picture, of opening
            return np.zeros((1, 1, 3), np.uint8)
        self.began.release()
        assert self.gate.acquire(timeout=10)
        if ws[0, 0] < 0:
            raise RuntimeError("the device is gone")
        return np.full((1, 1, 3), ws[0, 0], np.uint8)

    def close(self) -> None:
        self.closed = True


class OnCard(Doubler):
    """A generator whose picture may stay on its card."""

    def picture(self, ws, values):  # type: ignore[no-untyped-def]
        if ws[0, 0] < 0:
            raise RuntimeError("the card is gone")
        return on_device(np.full((1, 1, 4), ws[0, 0], np.uint8))


def request(value: float) -> PictureRequest:
    return PictureRequest(np.full((1, 1), value, np.float32), NetworkValues())


def wait_for(worker: ThreadedWorker, client: str) -> int:
    while (picture := worker.take(client)) is None:
        pass
    return int(picture[0, 0, 0])


def test_pictures_stay_on_the_card_while_something_takes_them_from_there() -> None:
    direct, generator = threading.Event(), OnCard()
    generator.gate.release(2)
    worker = ThreadedWorker(generator, direct.is_set)

    def taken() -> object:
        found: list[object] = []
        eventually(lambda: found.append(worker.take("a")) or found[-1] is not None)  # type: ignore[func-returns-value]
        return found[-1]

    worker.request("a", request(1))
    assert isinstance(taken(), np.ndarray)
    direct.set()
    worker.request("a", request(2))
    picture = taken()
    assert isinstance(picture, DevicePicture)
    assert picture.pixels().tolist() == [[[2, 2, 2, 2]]]
    worker.request("a", request(-1))
    with pytest.raises(RuntimeError, match="the card is gone"):
        taken()
    direct.clear()
    worker.request("a", request(3))
    assert isinstance(taken(), np.ndarray)
    worker.close()


def test_the_newest_request_wins() -> None:
    generator = Doubler()
    worker = ThreadedWorker(generator)
    worker.request("a", request(1))
    assert generator.began.acquire(timeout=10)  # 1 is being drawn: 2 and 3 wait, and 3 replaces 2
    worker.request("a", request(2))
    worker.request("a", request(3))
    generator.gate.release()
    assert wait_for(worker, "a") == 1
    generator.gate.release()
    assert wait_for(worker, "a") == 3
    assert worker.take("a") is None
    assert worker.made == 2
    worker.close()
    assert generator.closed


def test_clients_take_turns() -> None:
    generator = Doubler()
    worker = ThreadedWorker(generator)
    worker.request("a", request(1))
    assert generator.began.acquire(timeout=10)
    worker.request("b", request(2))
    worker.request("a", request(3))
    generator.gate.release(3)
    assert wait_for(worker, "b") == 2
    assert wait_for(worker, "a") in (1, 3)
    worker.close()


def test_a_client_that_has_gone_leaves_no_picture() -> None:
    """It goes while its picture is drawn, while it waits, or while nobody has taken it."""
    generator = Doubler()
    worker = ThreadedWorker(generator)
    worker.request("drawn", request(1))
    assert generator.began.acquire(timeout=10)
    worker.request("waiting", request(2))
    worker.forget("drawn")
    worker.forget("waiting")
    worker.request("stays", request(3))
    worker.request("done", request(4))
    worker.request("last", request(5))
    generator.gate.release(4)
    assert wait_for(worker, "last") == 5
    worker.forget("done")
    taken = [worker.take(client) for client in ("drawn", "waiting", "done", "stays")]
    assert [None if picture is None else int(picture[0, 0, 0]) for picture in taken] == [None, None, None, 3]
    assert worker.made == 4
    worker.close()


def test_a_fault_reaches_the_client() -> None:
    generator = Doubler()
    worker = ThreadedWorker(generator)
    generator.gate.release()
    worker.request("a", request(-1))
    with pytest.raises(RuntimeError, match="the device is gone"):
        while True:
            worker.take("a")
    worker.close()


def test_the_time_of_its_pictures_is_known() -> None:
    generator = Doubler()
    worker = ThreadedWorker(generator)
    assert worker.network_time() == NetworkTime()  # opening does not count
    worker.request("a", request(1))
    assert generator.began.acquire(timeout=10)
    first = worker.network_time().running
    assert 0 < first < worker.network_time().running
    generator.gate.release()
    wait_for(worker, "a")
    one = worker.network_time()
    assert (one.pictures, one.running) == (1, 0.0)
    assert first < one.seconds
    assert 0 < one.alone <= one.seconds
    generator.gate.release()
    worker.request("a", request(-1))
    with pytest.raises(RuntimeError):
        while True:
            worker.take("a")
    assert worker.network_time() == one  # a fault is no picture
    worker.close()


def test_a_synchronous_worker_gives_every_frame_its_own_picture() -> None:
    generator = Doubler()
    generator.gate.release(5)
    worker = Worker(generator)
    for value in range(5):
        worker.request("a", request(value))
        picture = worker.take("a")
        assert picture is not None
        assert picture[0, 0, 0] == value
    assert worker.take("a") is None
    worker.close()
    assert generator.closed


def moment(seconds: float, dt: float) -> Moment:
    return Moment(seconds, 0, dt, 0, 0, 120)


def test_a_fast_generator_is_shown_immediately() -> None:
    interpolation = FrameInterpolation()
    for frame in range(10):
        interpolation.arrived(frame / 30)
        assert interpolation.blend(moment(frame / 30, 1 / 30)) == 1.0


def test_a_slow_generator_moves_at_a_constant_speed() -> None:
    interpolation = FrameInterpolation()
    blends = []
    for frame in range(16):
        if frame % 4 == 0:
            interpolation.arrived(frame / 60)
        blends.append(interpolation.blend(moment(frame / 60, 1 / 60)))
    assert blends[4:] == pytest.approx([0.25, 0.5, 0.75, 1.0] * 3)
