"""Where the tests find the checkout and their data."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
FOREIGN = DATA / "reference/rosinality-64-narrow.pt"  # a model of another project
