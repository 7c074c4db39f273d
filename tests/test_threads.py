"""Threads: they end when they are closed, and log why when they fail."""

from __future__ import annotations

import threading

import pytest

from perform.threads import Background


def test_work_ends_when_it_is_closed() -> None:
    begun = threading.Event()

    def work(closing: threading.Event) -> None:
        begun.set()
        closing.wait()

    one = Background(work, "worker")
    assert begun.wait(20) and one.running
    one.close()
    one.close()
    assert not one.running and one.closing.is_set()


def test_an_exception_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def work(closing: threading.Event) -> None:
        raise OSError("the device has gone")

    one = Background(work, "worker")
    one.close()
    assert caplog.messages == ["worker stopped: the device has gone"]


def test_work_can_close_itself() -> None:
    made: list[Background] = []
    ready, over = threading.Event(), threading.Event()

    def work(closing: threading.Event) -> None:
        ready.wait()
        made[0].close()
        over.set()

    made.append(Background(work, "worker"))
    ready.set()
    assert over.wait(20)
