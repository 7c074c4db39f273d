"""Wait for what other threads, processes and programs do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from perform.clock import LiveClock

TIMEOUT = 20.0  # seconds that a program may take to start or to notice something


def needs(*programs: str) -> None:
    """Skip the test by the missing program's name; where everything is to be there, fail."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)} must be installed")
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")


def eventually(
    true: Callable[[], object], what: str = "it", step: Callable[[], object] | None = None
) -> None:
    """Look until it is true, a hundred times a second; `step` is called before each look."""
    clock = LiveClock(100)
    while clock.advance() < TIMEOUT:
        if step:
            step()
        if true():
            return
    pytest.fail(f"{what} did not come within {TIMEOUT:g} s")
