"""Fixtures of training: small shards and frequent log lines."""

from __future__ import annotations

import pytest

from perform.training import run
from perform.training.dataset import shards


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of five pictures."""
    monkeypatch.setattr(shards, "PICTURES", 5)


@pytest.fixture
def frequent_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of the log every second step."""
    monkeypatch.setattr(run, "LOG_EVERY", 2)
