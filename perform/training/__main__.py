"""`python -m perform.training`: the old spelling of `python -m perform train`, for torchrun."""
# No import stands above this one, not even `from __future__`: see perform/children.py.

from perform.children import guard

guard()

import typer  # noqa: E402

from perform.commands.train import train  # noqa: E402

if __name__ == "__main__":
    typer.run(train)
