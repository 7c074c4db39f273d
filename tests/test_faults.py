"""Faults: counted, contained, worded."""

import errno
import os

import pytest

from perform.faults import MOST_KINDS, OTHERS, Faults, reason


def test_a_fault_with_a_new_message_on_each_frame_fills_neither_memory_nor_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = Faults()
    for frame in range(10 * MOST_KINDS):
        faults.note("the frame failed", ValueError(f"at {frame}"))
        faults.note("the frame failed", ValueError("at 0"))
    assert len(faults.counts) == len(caplog.messages) == MOST_KINDS + 1
    assert faults.counts["the frame failed: at 0"] == 10 * MOST_KINDS + 1
    assert faults.counts.total() == 20 * MOST_KINDS
    assert caplog.messages[-1] == OTHERS


def test_a_fault_is_contained_in_its_block(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults()
    for _ in range(2):
        with faults.contain("learning stopped"):
            raise LookupError
    assert faults.counts == {"learning stopped: LookupError": 2}
    assert caplog.messages == ["learning stopped: LookupError"]


def test_exit_requests_are_not_contained() -> None:
    with pytest.raises(KeyboardInterrupt), Faults().contain("the frame failed"):
        raise KeyboardInterrupt


def test_the_reason_is_the_message_or_the_type() -> None:
    assert reason(ValueError("too large")) == "too large"
    assert (
        reason(FileNotFoundError(2, "No such file or directory", "a.png"))
        == "a.png: No such file or directory"
    )
    assert (
        reason(OSError(98, "osc: port 9000 cannot be listened to")) == "osc: port 9000 cannot be listened to"
    )
    assert reason(OSError("a.png cannot be written")) == "a.png cannot be written"
    assert reason(FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), "a")) == ("a: is there already")
    assert reason(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), "a/b")) == (
        "a/b: a file is where its folder must be"
    )
    assert reason(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.png")) == "a.png: the disk is full"
    assert reason(KeyError("there is no such model")) == "there is no such model"
    assert reason(ValueError()) == "ValueError"
