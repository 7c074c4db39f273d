"""A week of tide and wind at a coast, made up: feeds/tide-week.csv.

    python -m scripts.tide_week

The tide is a sum of its four largest constituents (M2, S2, K1, O1, after Doodson 1921) with heights of
our own; the wind is a first-order random walk about its mean, with one storm that also raises the sea.
Nothing was measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parent.parent / "feeds" / "tide-week.csv"
SEED = 1953  # the year of the great North Sea flood
MINUTES = 10  # between two rows
ROWS = 7 * 24 * 60 // MINUTES
CONSTITUENTS = ((12.4206, 1.6), (12.0, 0.55), (23.9345, 0.15), (25.8193, 0.12))  # hours, metres
STORM, LASTS = 104.0, 9.0  # hours: when it peaks, how long
SURGE, GALE = 0.9, 14.0  # metres, metres per second
CALM, MEAN = 0.97, 6.0  # of the wind: what stays of it in ten minutes; metres per second


def week() -> list[tuple[float, float]]:
    """The height of the sea in metres and the wind in metres per second, every ten minutes."""
    hours = np.arange(ROWS) * MINUTES / 60
    storm = np.exp(-(((hours - STORM) / LASTS) ** 2))
    tide = sum(height * np.cos(2 * np.pi * hours / period) for period, height in CONSTITUENTS)
    gusts = np.random.default_rng(SEED).normal(0, 0.7, ROWS)
    wind = np.full(ROWS, MEAN)
    for i in range(1, ROWS):
        wind[i] = MEAN + CALM * (wind[i - 1] - MEAN) + gusts[i]
    return list(zip((tide + SURGE * storm).tolist(), np.abs(wind + GALE * storm).tolist(), strict=True))


if __name__ == "__main__":
    rows = [f"{60 * MINUTES * i},{sea:.2f},{wind:.1f}" for i, (sea, wind) in enumerate(week())]
    FILE.write_text("\n".join(["seconds,sea,wind", *rows]) + "\n", encoding="utf-8")
