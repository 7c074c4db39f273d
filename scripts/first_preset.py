"""The picture of docs/first-preset.md: what each file of the page draws, just after a kick of the demo track.

    python -m scripts.first_preset [--folder FOLDER]

The files are read from the page itself.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from perform import show
from perform.arrays import Pixels
from perform.outputs.memory import Memory
from scripts.contact_sheets import AFTER, FPS, GAP, save, shrunk

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "first-preset.md"
BEAT = 24  # of the demo track
SIZE, WIDTH = (640, 360), 320


def presets() -> list[str]:
    """The presets on the page, in order."""
    files = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for text in files if text.startswith("title")]


def drawn(text: str) -> Pixels:
    """The picture of a preset, small."""
    memory = Memory()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mine.toml"
        file.write_text(text, encoding="utf-8")
        rig = show.render(show.Options(str(file), str(show.demo_track()), size=SIZE, fps=FPS, headless=True))
        rig.outputs.append(memory)
        rig.run(lambda _: rig.moment is not None and rig.moment.beat >= BEAT + AFTER)
    assert memory.last is not None
    return shrunk(memory.last.pixels, WIDTH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    folder: Path = parser.parse_args().folder
    pictures = [drawn(text) for text in presets()]
    gap = np.zeros((pictures[0].shape[0], GAP, 3), np.uint8)
    row = [part for picture in pictures for part in (gap, picture)][1:]
    save(np.concatenate(row, 1), folder / "first-preset.jpg")


if __name__ == "__main__":
    main()
