"""The moving picture of the README: a few presets, three beats each, as the demo track plays them.

    python -m scripts.moving_picture [--folder FOLDER]

It is docs/pictures/perform.webp, an animation of at most LARGEST bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from perform import show
from perform.arrays import Pixels
from perform.faults import Health
from perform.outputs import Frame
from scripts.contact_sheets import shrunk
from scripts.played import Played

ROOT = Path(__file__).resolve().parent.parent
SCENES = (
    ("poster", 24),
    ("shaft", 48),
    ("petals", 24),
    ("threads", 24),
    ("loom", 24),
    ("ink", 56),
    ("tide", 24),
)
BEATS = 3  # of each scene
FPS = 15
DRAWN, WIDTH = (960, 540), 480  # pixels: the size of the scenes, and of the picture
LARGEST = 4_000_000  # bytes
QUALITIES = (80, 70, 60, 50, 40, 30)


class Part:
    """An output that keeps the frames of some beats."""

    name, may_lag = "part", False

    def __init__(self, start: float) -> None:
        self.start, self.done = start, False
        self.pictures: list[Pixels] = []

    def write(self, frame: Frame) -> None:
        self.done = frame.moment.beat >= self.start + BEATS
        if frame.moment.beat >= self.start and not self.done:
            self.pictures.append(shrunk(frame.pixels, WIDTH))

    def health(self) -> Health:
        return Health("ok", f"{len(self.pictures)} pictures")

    def close(self) -> None:
        """Nothing is open."""


def part(name: str, start: float) -> list[Pixels]:
    """The pictures of a preset from a beat on."""
    options = show.Options(name, str(show.demo_track()), size=DRAWN, fps=FPS, headless=True)
    rig = show.render(options)
    kept = Part(start)
    rig.inputs.append(Played(name, rig))
    rig.outputs.append(kept)
    rig.run(lambda _rig: kept.done)
    return kept.pictures


def save(pictures: list[Pixels], file: Path) -> None:
    """Write the animation, as good as LARGEST allows."""
    first, *others = (Image.fromarray(picture) for picture in pictures)
    for quality in QUALITIES:
        first.save(
            file,
            save_all=True,
            append_images=others,
            duration=round(1000 / FPS),
            loop=0,
            quality=quality,
            method=4,
        )
        if file.stat().st_size <= LARGEST:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    folder: Path = parser.parse_args().folder
    pictures = [picture for name, start in SCENES for picture in part(name, start)]
    save(pictures, folder / "perform.webp")


if __name__ == "__main__":
    main()
