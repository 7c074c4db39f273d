"""A day of bitcoin prices, made up: feeds/bitcoin-day.csv.

    python -m scripts.bitcoin_day

A price a minute of a random walk whose volatility comes in clusters (GARCH(1, 1), Bollerslev 1986) and
which jumps now and then, as real ones do. No real price is in it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parent.parent / "feeds" / "bitcoin-day.csv"
SEED = 1637  # the year in which the tulips fell
MINUTES = 24 * 60
BEGINS = 42_000.0  # dollars
VOLATILITY = 0.0006  # of a minute
NEWS, OLD, STAY = (
    0.12,
    0.86,
    0.02,
)  # of the variance: from the last step, from the last variance, from the mean
JUMPS, JUMP = 7, 0.006


def prices() -> list[float]:
    """A price for each minute, dollars."""
    draw = np.random.default_rng(SEED)
    shocks = draw.standard_normal(MINUTES)
    jumps = np.zeros(MINUTES)
    jumps[draw.choice(MINUTES, JUMPS, replace=False)] = draw.normal(0, JUMP, JUMPS)
    variance, step, price, found = VOLATILITY**2, 0.0, BEGINS, []
    for shock, jump in zip(shocks, jumps, strict=True):
        variance = STAY * VOLATILITY**2 + NEWS * step**2 + OLD * variance
        step = float(np.sqrt(variance) * shock)
        price *= float(np.exp(step + jump))
        found.append(price)
    return found


if __name__ == "__main__":
    rows = [f"{60 * i},{price:.2f}" for i, price in enumerate(prices())]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("\n".join(["seconds,price", *rows]) + "\n", encoding="utf-8")
