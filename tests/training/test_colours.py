"""Colours."""

import numpy as np

from perform.training.colours import lab_of, linear, oklab


def test_oklab_equals_the_published_values() -> None:
    """The values of white, and of the sRGB primaries, by the formulas of Ottosson's page."""
    found = oklab(np.array([[1.0, 1, 1], [1, 0, 0], [0, 0, 1]]))
    expected = np.array([[1, 0, 0], [0.627955, 0.224863, 0.125846], [0.452014, -0.032457, -0.311528]])
    assert np.abs(found - expected).max() < 2e-4


def test_linear_light_equals_that_of_the_colour() -> None:
    assert np.allclose(linear(lab_of("ff8000")), [1, ((128 / 255 + 0.055) / 1.055) ** 2.4, 0], atol=1e-6)
