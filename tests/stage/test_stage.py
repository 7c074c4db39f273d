"""The stage's account of its faults."""

import pytest

from perform.stage import OTHERS, SORTS, Faults


def test_a_fault_that_says_something_else_on_each_frame_fills_neither_memory_nor_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = Faults()
    for frame in range(10 * SORTS):
        faults.note("the frame failed", ValueError(f"at {frame}"))
        faults.note("the frame failed", ValueError("at 0"))
    assert len(faults.counts) == len(caplog.messages) == SORTS + 1
    assert faults.counts["the frame failed: at 0"] == 10 * SORTS + 1
    assert faults.counts.total() == 20 * SORTS
    assert caplog.messages[-1] == OTHERS
