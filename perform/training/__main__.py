"""`python -m perform.training`: what `perform train` does, in the form that torchrun starts."""

from __future__ import annotations

import typer

from perform.commands.train import train

if __name__ == "__main__":
    typer.run(train)
