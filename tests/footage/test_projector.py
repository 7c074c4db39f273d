"""Films on show: a synchronous projector gives each frame its own picture, a threaded one decodes ahead."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.footage import FILM, FilmFrame, changes, projector
from perform.footage.course import Course, Transport
from perform.footage.projector import AT_MOST, SynchronousProjector, ThreadedProjector, times
from perform.footage.reel import FootageError, Reel
from tests.doubles.moments import moment
from tests.doubles.reels import number, write_film
from tests.doubles.waiting import eventually

REST = {parameter.name: parameter.default for parameter in FILM}
FRAMES, RATE = 50, 25
NOTHING = np.zeros((1, 1, 3), np.uint8)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", FRAMES)


@pytest.fixture
def beside(film: Path) -> Iterator[ThreadedProjector]:
    showing = ThreadedProjector(Reel(film))
    yield showing
    showing.close()


class Slow(Reel):
    """A film that decodes only while a test lets it."""

    gate = threading.Semaphore(0)

    def read(self, seconds: float) -> FilmFrame:
        if threading.current_thread().name == "film":
            self.gate.acquire()
        return super().read(seconds)


def course(at: float, speed: float = 1.0, loop: str = "loop") -> Course:
    return Course(0.0, FRAMES / RATE, at, speed, loop)


def decoded(showing: ThreadedProjector) -> list[int]:
    """The numbers of the pictures that are there: of those that follow a picture that ends in each frame."""
    middles = [(at + 0.5) / RATE for at in range(FRAMES)]
    found = [showing.following(course(at), FilmFrame(NOTHING, at, at)) for at in middles]
    return [number(shot.pixels) for shot in found if shot]


def settled(showing: ThreadedProjector, where: Course) -> list[int]:
    """The numbers of the pictures when all ahead of a position is decoded."""
    wanted = {int((at + 1e-6) * RATE) for at in times(where, 1 / RATE)}
    eventually(lambda: wanted <= {*decoded(showing)}, f"what is ahead of {where}", lambda: showing.ask(where))
    return decoded(showing)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Reel]:
    """The films that a projector opened again."""
    seen: list[Reel] = []

    class Opened(Reel):
        def __init__(self, *of: Any) -> None:
            super().__init__(*of)
            seen.append(self)

    monkeypatch.setattr(projector, "Reel", Opened)
    return seen


def threads_since(before: set[threading.Thread]) -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "film"} - before


def test_a_synchronous_projector_shows_the_frame_of_each_moment(film: Path) -> None:
    """Four rounds of a film of 25 frames a second in a show of 60."""
    showing, transport = SynchronousProjector(Reel(film)), Transport()
    for frame in range(480):
        shot = showing.ask(transport.step(moment(frame / 60), REST, showing.length))
        assert number(shot.pixels) == frame * RATE // 60 % FRAMES
    showing.close()


def test_pictures_are_decoded_ahead_across_the_seam(beside: ThreadedProjector) -> None:
    there = settled(beside, course(1.8))
    assert {45, 46, 47, 48, 49, 0, 1, 2, 3, 4} <= set(there)
    shown = [number(beside.ask(course(1.8 + at / RATE)).pixels) for at in range(10)]
    assert shown == [45, 46, 47, 48, 49, 0, 1, 2, 3, 4]


def test_a_film_played_backwards_is_decoded_ahead_too(beside: ThreadedProjector) -> None:
    assert {5, 4, 3, 2, 1, 0, 49, 48, 47, 46} <= set(settled(beside, course(0.2, -1.0)))


def test_a_film_that_is_played_shows_every_frame_once_a_round(beside: ThreadedProjector) -> None:
    """Each frame of the show waits for the pictures ahead: the order and the seam are exact."""
    transport, seen = Transport(), []
    for frame in range(120):
        where = transport.step(moment(frame / RATE), REST, beside.length)
        settled(beside, where)
        seen.append(number(beside.ask(where).pixels))
    assert seen == [frame % FRAMES for frame in range(120)]


def test_a_threaded_projector_never_waits(film: Path) -> None:
    """While the decoder hangs, the nearest picture is shown; afterwards it catches up."""
    showing = ThreadedProjector(Slow(film))
    assert [number(showing.ask(course(at)).pixels) for at in (0.0, 0.4, 1.9)] == [0, 0, 0]
    Slow.gate.release()
    eventually(lambda: len(decoded(showing)) > 1, "a picture", lambda: showing.ask(course(1.0)))
    assert number(showing.ask(course(1.04)).pixels) > 0
    assert number(showing.ask(course(0.1)).pixels) <= 1
    Slow.gate.release(10_000)
    settled(showing, course(1.0))
    showing.close()


@pytest.mark.parametrize("speed", [8.0, 1.0, 0.1, -8.0])
def test_the_number_of_kept_pictures_is_limited(beside: ThreadedProjector, speed: float) -> None:
    for at in (0.0, 0.5, 1.5, 1.0):
        there = course(at, speed)
        eventually(
            lambda there=there: beside.ask(there).off(there.at) == 0,
            "a picture",  # type: ignore[misc]
        )
        assert len(decoded(beside)) <= AT_MOST + 1


def test_a_film_at_speed_0_stays_on_its_frame(
    beside: ThreadedProjector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "IDLE_SECONDS", 0.02)
    still = course(1.0, 0.0)
    eventually(lambda: number(beside.ask(still).pixels) == 25, "its picture")
    for _ in range(20):
        eventually(lambda: True)
        assert number(beside.ask(still).pixels) == 25


def test_an_unused_film_releases_its_memory(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "IDLE_SECONDS", 0.05)
    rested = threading.Event()

    class Resting(Reel):
        def rest(self) -> None:
            super().rest()
            rested.set()

    showing = ThreadedProjector(Resting(film))
    settled(showing, course(1.0))
    eventually(lambda: decoded(showing) == [0] and rested.is_set(), "rest")
    settled(showing, course(1.0))
    showing.close()


def test_a_saved_film_is_opened_again(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(changes, "LOOK_INTERVAL", 0.01)
    showing = ThreadedProjector(Reel(film))
    settled(showing, course(0.2))
    other = write_film(tmp_path / "other.mp4", 10)
    other.replace(film)
    eventually(lambda: showing.length < 1, "the new film", lambda: showing.ask(course(0.2)))
    showing.close()


def test_a_broken_file_keeps_its_pictures_until_it_is_mended(
    film: Path, opened: list[Reel], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(projector, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(changes, "LOOK_INTERVAL", 0.01)
    showing, whole = ThreadedProjector(Reel(film)), film.read_bytes()
    settled(showing, course(1.0))
    film.write_bytes(b"nothing")
    eventually(lambda: caplog.messages, "a word", lambda: showing.ask(course(1.0)))
    assert number(showing.ask(course(1.0)).pixels) == 25
    assert caplog.messages[0].startswith(f"a film stopped: {film} cannot be played")
    film.write_bytes(whole)
    eventually(lambda: opened, "the film", lambda: showing.ask(course(0.3)))
    assert settled(showing, course(1.5))
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
    showing.close()


def test_a_film_that_fails_at_each_read_is_logged_once(
    film: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(projector, "RETRY_SECONDS", 0.005)
    failed: list[float] = []

    class Broken(Reel):
        def read(self, seconds: float) -> FilmFrame:
            if seconds == 0:
                return super().read(seconds)
            failed.append(seconds)
            raise FootageError(f"frame {len(failed)} is broken")

    monkeypatch.setattr(projector, "Reel", Broken)
    showing = ThreadedProjector(Broken(film))
    eventually(lambda: len(failed) > 5, "the faults", lambda: showing.ask(course(len(failed) / RATE)))
    showing.close()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


FLAPS = 100 if os.environ.get("PERFORM_SOAK") else 5


def test_a_file_can_break_and_return_many_times(
    film: Path, opened: list[Reel], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(projector, "LOG_INTERVAL", 0.0)
    monkeypatch.setattr(projector, "RETRY_SECONDS", 0.005)
    monkeypatch.setattr(changes, "LOOK_INTERVAL", 0.005)
    showing, whole = ThreadedProjector(Reel(film)), film.read_bytes()
    threads = threading.active_count()
    for _ in range(FLAPS):
        settled(showing, course(1.0))
        caplog.clear()
        film.write_bytes(b"nothing")
        eventually(lambda: caplog.messages, "the fault", lambda: showing.ask(course(1.0)))
        assert number(showing.ask(course(1.0)).pixels) == 25
        before = len(opened)
        film.write_bytes(whole)
        eventually(lambda: len(opened) > before, "the film", lambda: showing.ask(course(0.3)))  # noqa: B023
    assert threading.active_count() <= threads  # those of other tests may end
    showing.close()


def test_stopping_a_film_does_not_wait_for_its_decoder(film: Path) -> None:
    """Its thread hangs in the decoder, and ends when the decoder returns."""
    before, gate = threads_since(set()), threading.Semaphore(0)
    showing, Slow.gate = ThreadedProjector(Slow(film)), gate
    showing.ask(course(1.0))
    showing.stop()
    assert threads_since(before)
    gate.release(10_000)
    showing.close()
    assert not threads_since(before)


def test_closing_twice_is_safe(film: Path) -> None:
    before, showing = threads_since(set()), ThreadedProjector(Reel(film))
    assert threads_since(before)
    showing.close()
    showing.close()
    assert not threads_since(before)
