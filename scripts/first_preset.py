"""The picture of docs/first-preset.md: what each file of the page draws, just after a kick of the demo track.

    python -m scripts.first_preset [--folder FOLDER]

The files are read from the page itself.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np

from scripts.contact_sheets import GAP, ROOT, drawn, save, shrunk

PAGE = ROOT / "docs" / "first-preset.md"
BEAT = 24  # of the demo track
SIZE, WIDTH = (640, 360), 320


def presets() -> list[str]:
    """The presets on the page, in order."""
    files = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for text in files if text.startswith("title")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    folder: Path = parser.parse_args().folder
    pictures = [shrunk(drawn(text, SIZE, BEAT), WIDTH) for text in presets()]
    gap = np.zeros((pictures[0].shape[0], GAP, 3), np.uint8)
    row = [part for picture in pictures for part in (gap, picture)][1:]
    save(np.concatenate(row, 1), folder / "first-preset.jpg")


if __name__ == "__main__":
    main()
