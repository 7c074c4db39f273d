"""Requests for pictures of a model, and its facts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from perform import generators
from perform.cli import app
from perform.models import listing
from perform.networks import devices
from perform.sampling.pictures import SampleError, parse_seeds


def test_seeds_are_numbers_and_ranges() -> None:
    assert parse_seeds("0-3") == [0, 1, 2, 3]
    assert parse_seeds("3, 5,8-10") == [3, 5, 8, 9, 10]
    assert parse_seeds(str(2**32 - 1)) == [2**32 - 1]
    for text in ("", "a", "1-", "-1", "3-1", "1,,2", str(2**32), "0-99999999", "1.5"):
        with pytest.raises(SampleError, match="seeds"):
            parse_seeds(text)


def test_a_model_that_does_not_fit_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr(generators, "open", refused)
    monkeypatch.setattr(devices, "spare_memory", lambda: 1e6)
    found = listing.model_info("untrained")
    assert not found["fits"] and "pictures_per_second" not in found
    shown = CliRunner().invoke(app, ["models", "info", "untrained"])
    assert "more memory than is free" in shown.output
    assert listing.model_info("untrained", measure=False).keys() == found.keys()


def test_memory_of_the_file_cache_counts_as_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MEMINFO", tmp_path / "meminfo")
    assert devices.spare_memory("cpu") > devices.SPARE_SHARE * 2**20  # without the file
    (tmp_path / "meminfo").write_text("MemTotal:  9 kB\nMemFree:   1 kB\nMemAvailable:   4096 kB\n")
    assert devices.spare_memory("cpu") == devices.SPARE_SHARE * 4 * 2**20
