"""`python -m perform`: the command line, for torchrun and for machines without the `perform` script."""

from __future__ import annotations

from perform.cli import app

if __name__ == "__main__":
    app()
