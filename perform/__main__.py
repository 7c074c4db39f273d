"""`perform` and `python -m perform`: the command line, for torchrun and for machines without the script."""
# No import stands above this one, not even `from __future__`: see perform/children.py.

from perform.children import guard

guard()

from perform.cli import app  # noqa: E402

if __name__ == "__main__":
    app()
