"""What can be asked of a model."""

from __future__ import annotations

import pytest

from perform.models.sample import SampleError, seeds


def test_seeds_are_numbers_and_ranges() -> None:
    assert seeds("0-3") == [0, 1, 2, 3]
    assert seeds("3, 5,8-10") == [3, 5, 8, 9, 10]
    assert seeds(str(2**32 - 1)) == [2**32 - 1]
    for text in ("", "a", "1-", "-1", "3-1", "1,,2", str(2**32), "0-99999999", "1.5"):
        with pytest.raises(SampleError, match="seeds"):
            seeds(text)
