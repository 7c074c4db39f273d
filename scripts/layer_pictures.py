"""The pictures of docs/layers.md: the preset of the page, and one layer over another with every blend mode.

python -m scripts.layer_pictures [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np

from perform.arrays import Pixels
from perform.scenes.layers import BLEND_MODES
from scripts.contact_sheets import GAP, ROOT, drawn, save

PAGE = ROOT / "docs" / "layers.md"
COLUMNS = 6
BLENDED = """
title = "Blend modes"
[[layer]]
[layer.generator]
shader = "truchet"
[[layer]]
blend = "{mode}"
[layer.generator]
model = "flora"
fit = "fill"
[layer.latent]
path = "hold"
seed = 7
[[layer]]
[layer.source]
text = "{mode}"
size = 0.1
align = "left"
place = [0.04, 0.09]
"""


def blend_modes() -> Pixels:
    """A picture of every blend mode, in rows."""
    pictures = [drawn(BLENDED.format(mode=mode), (240, 135), 2) for mode in BLEND_MODES]
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % COLUMNS)
    padded = [np.pad(picture, ((0, GAP), (0, GAP), (0, 0))) for picture in pictures]
    rows = [np.concatenate(padded[at : at + COLUMNS], 1) for at in range(0, len(padded), COLUMNS)]
    return np.concatenate(rows)[:-GAP, :-GAP]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    folder: Path = parser.parse_args().folder
    preset = re.search(r"^```toml\n(title.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert preset
    save(drawn(preset[1], (960, 540), 24), folder / "layers.jpg")
    save(blend_modes(), folder / "blend-modes.jpg")


if __name__ == "__main__":
    main()
