"""`python -m perform.training`: the old spelling of `python -m perform train`, for torchrun."""

from __future__ import annotations

import typer

from perform.commands.train import train

if __name__ == "__main__":
    typer.run(train)
