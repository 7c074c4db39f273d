"""Shared pictures as an output of a show: it never waits, and it goes on when its way is there again."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from perform import sharing
from perform.arrays import Pixels
from perform.clock import Moment
from perform.outputs import Frame, FrameOutput, SoundOutput
from perform.outputs import sharing as outputs
from perform.outputs.sharing import SharedOutput
from perform.sharing import Share, lacking, share_of
from tests.doubles.waiting import eventually

SIZE = 8, 4


class Sender:
    """A sender of a test: it keeps what it sends, fails by `trouble`, and waits while `free` is not set."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.trouble = ""
        self.opened = self.closed = 0
        self.threads: set[str] = set()
        self.busy, self.free = threading.Event(), threading.Event()
        self.free.set()

    def open(self, name: str, size: tuple[int, int], fps: float) -> Sender:
        assert (name, size, fps) == ("perform", SIZE, 25.0)
        if self.trouble:
            raise OSError(self.trouble)
        self.opened += 1
        return self

    def send(self, pixels: Pixels) -> None:
        self.threads.add(threading.current_thread().name)
        self.busy.set()
        self.free.wait(20)
        if self.trouble:
            raise OSError(self.trouble)
        self.sent.append(int(pixels[0, 0, 0]))

    def receivers(self) -> int | None:
        return 2

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Sender:
    monkeypatch.setattr(outputs, "REOPEN_SECONDS", 0.02)
    return Sender()


@pytest.fixture
def output(sender: Sender) -> Iterator[SharedOutput]:
    opened = SharedOutput(Share("ndi", "perform"), SIZE, 25.0, sender.open)
    yield opened
    sender.free.set()
    opened.close()


def frame(value: int) -> Frame:
    return Frame(Moment(value / 25, value, 1 / 25, 0, 0, 120), np.full((4, 8, 3), value, np.uint8))


def test_it_takes_frames_that_may_lag_and_no_sound(output: SharedOutput) -> None:
    assert isinstance(output, FrameOutput)
    assert output.may_lag
    assert not isinstance(output, SoundOutput)
    assert output.name == "ndi:perform"


def test_frames_are_copied_and_sent_by_its_own_thread(output: SharedOutput, sender: Sender) -> None:
    one = frame(7)
    sender.free.clear()
    output.write(one)
    one.pixels[:] = 9
    sender.free.set()
    eventually(lambda: sender.sent == [7], "the frame")
    eventually(lambda: output.health().state == "ok")
    assert output.health().detail == "ndi:perform, 8x4, 2 receivers"
    assert sender.threads == {"ndi:perform"}


def test_a_sender_that_waits_drops_frames_and_sends_the_newest(output: SharedOutput, sender: Sender) -> None:
    output.write(frame(1))
    eventually(lambda: sender.sent == [1] and output.health().state == "ok")
    sender.busy.clear()
    sender.free.clear()
    output.write(frame(2))
    eventually(sender.busy.is_set, "the sender")
    for value in range(3, 50):  # all of them at once, while the sender waits
        output.write(frame(value))
    sender.free.set()
    eventually(lambda: sender.sent == [1, 2, 49], "the newest frame")
    assert output.dropped == 46


def test_a_sender_that_fails_is_opened_again(
    output: SharedOutput, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "perform")
    output.write(frame(1))
    eventually(lambda: output.health().state == "ok")
    sender.trouble = "the cable is out"
    output.write(frame(2))
    eventually(lambda: output.health().state == "waiting", "the fault")
    assert output.health().detail == "ndi:perform: the cable is out"
    assert sender.closed == 1
    for value in range(3, 10):
        output.write(frame(value))
    sender.trouble = ""
    eventually(lambda: sender.sent == [1, 9], "the newest frame")
    eventually(lambda: output.health().state == "ok")
    assert output.dropped == 0  # nobody could have had them
    assert [one.getMessage() for one in caplog.records] == [
        "ndi:perform: pictures go out",
        "ndi:perform: the cable is out",
        "ndi:perform: pictures go out",
    ]


def test_it_closes_while_it_cannot_be_opened(sender: Sender) -> None:
    sender.trouble = "no such device"
    opened = SharedOutput(Share("ndi", "perform"), SIZE, 25.0, sender.open)
    eventually(lambda: "no such device" in opened.health().detail)
    opened.close()
    opened.close()
    opened.write(frame(1))
    assert opened.health().state == "waiting"
    assert sender.sent == []


def test_shares_are_read_from_texts() -> None:
    assert share_of("ndi:A name: two") == Share("ndi", "A name: two")
    assert str(share_of("v4l2:/dev/video10")) == "v4l2:/dev/video10"
    for text in ("ndi", "ndi:", "ndi: ", "srt:name", ":x"):
        with pytest.raises(ValueError, match="must be KIND:NAME, with KIND one of ndi, v4l2, spout, syphon"):
            share_of(text)
    with pytest.raises(ValueError, match="must be the path of a device, such as v4l2:/dev/video10"):
        share_of("v4l2:video10")


def test_what_is_lacking_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert lacking("v4l2") == ""
    assert lacking("spout") == "Spout is of Windows"
    assert lacking("syphon") == "Syphon is of macOS"
    monkeypatch.setattr(sharing, "version", lambda _kind: "")
    assert lacking("ndi") == ("the optional extra for NDI is not installed: pip install 'perform-live[ndi]'")
    monkeypatch.setattr(sharing, "version", lambda _kind: "1.0")
    assert lacking("ndi") == ""


def test_no_library_is_imported_before_somebody_asks_for_it() -> None:
    text = (
        "import sys; import perform.outputs.sharing, perform.show; "
        "from perform.outputs.sharing import ndi, spout, syphon, v4l2; "
        "sys.exit(any(one in sys.modules for one in ('cyndilib', 'SpoutGL', 'syphon')))"
    )
    assert subprocess.run([sys.executable, "-c", text]).returncode == 0
