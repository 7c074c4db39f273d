"""Contact sheets: every preset and every setlist, along the demo track.

    python -m scripts.contact_sheets [NAME ...] [--model MODEL] [--size 640x360] [--folder FOLDER]

Each is played by a rig of its own, as `perform render` plays it, and sixteen of its frames, two bars
apart and just after a kick, are laid out in four rows: docs/pictures/presets/NAME.jpg, and
docs/pictures/NAME.jpg for a setlist. What hands, controllers and
sensors do is made up (scripts/played.toml).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from perform import show
from perform.arrays import Pixels
from perform.faults import Health
from perform.outputs import Frame
from perform.outputs.memory import Memory
from scripts.played import Played

ROOT = Path(__file__).resolve().parent.parent
PRESETS, SETLISTS = ROOT / "presets", ROOT / "setlists"
ROWS = 4
EVERY = 8  # beats between two frames of a sheet
AFTER = 0.12  # beats after the kick
FPS = 12  # enough for the envelopes of hits, a fifth of the work of 60
DARKEST = 40  # of 255: a picture without anything brighter is black
GAP = 6  # pixels of black between the pictures
LARGEST = 150_000  # bytes of a sheet
QUALITIES = range(3, 32, 2)  # of the JPEG encoder, from the best


class Sheet:
    """An output that keeps the frames of one sheet, each `width` pixels wide."""

    name, may_lag = "sheet", False

    def __init__(self, width: int) -> None:
        self.pictures: list[Pixels] = []
        self._width = width

    def write(self, frame: Frame) -> None:
        if frame.moment.beat >= len(self.pictures) * EVERY + EVERY / 2 + AFTER and not self.full:
            self.pictures.append(shrunk(frame.pixels, self._width))

    def health(self) -> Health:
        return Health("ok", f"{len(self.pictures)} pictures")

    def close(self) -> None:
        """Nothing is open."""

    @property
    def full(self) -> bool:
        return len(self.pictures) == ROWS * ROWS

    def laid_out(self) -> Pixels:
        """The pictures in rows [height, width, 3], black between them."""
        height, width, _ = self.pictures[0].shape
        step = height + GAP, width + GAP
        sheet = np.zeros((ROWS * step[0] - GAP, ROWS * step[1] - GAP, 3), np.uint8)
        for i, picture in enumerate(self.pictures):
            top, left = i // ROWS * step[0], i % ROWS * step[1]
            sheet[top : top + height, left : left + width] = picture
        return sheet


def shrunk(pixels: Pixels, width: int) -> Pixels:
    """A picture [height, width, 3] at another width."""
    height = round(pixels.shape[0] * width / pixels.shape[1])
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
    return np.asarray(frame.reformat(width, height, interpolation="AREA").to_ndarray(), np.uint8)


def played(name: str, size: tuple[int, int], model: str | None, width: int) -> Sheet:
    """The sheet of a setlist or preset."""
    sheet = Sheet(width)
    sound = str(show.demo_track())
    options = show.Options(name, sound, size=size, fps=FPS, model=model, headless=True)
    rig = show.render(options)
    rig.inputs.append(Played(name, rig))
    rig.outputs.append(sheet)
    rig.run(lambda _rig: sheet.full)
    if rig.stage.faults.counts:
        raise SystemExit(f"{name}: {rig.stage.faults.counts}")
    black = [i + 1 for i, picture in enumerate(sheet.pictures) if picture.max() < DARKEST]
    if black:
        raise SystemExit(f"{name}: pictures {black} of the sheet are black")
    return sheet


def drawn(text: str, size: tuple[int, int], beat: float) -> Pixels:
    """The picture of a preset at a beat of the demo track, just after the kick."""
    memory = Memory()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mine.toml"
        file.write_text(text, encoding="utf-8")
        rig = show.render(show.Options(str(file), str(show.demo_track()), size=size, fps=FPS, headless=True))
        rig.outputs.append(memory)
        rig.run(lambda _: rig.moment is not None and rig.moment.beat >= beat + AFTER)
    assert memory.last is not None
    return memory.last.pixels


def save(picture: Pixels, file: Path) -> None:
    """Write a JPEG, as good as LARGEST allows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    for quality in QUALITIES:
        data = encoded(picture, quality)
        if len(data) <= LARGEST:
            break
    file.write_bytes(data)


def encoded(picture: Pixels, quality: int) -> bytes:
    """A JPEG of a picture; `quality` counts from 1, the best."""
    height, width, _ = picture.shape
    coder = av.VideoCodecContext.create("mjpeg", "w")
    coder.width, coder.height, coder.pix_fmt, coder.time_base = width, height, "yuvj420p", Fraction(1, 1)
    coder.qmin = coder.qmax = quality
    coder.options = {"huffman": "optimal"}
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
        format="yuvj420p", dst_colorspace="ITU601", dst_color_range="JPEG"
    )
    return b"".join(bytes(packet) for part in (frame, None) for packet in coder.encode(part))


def wanted(names: Sequence[str]) -> list[str]:
    """The presets and setlists asked for, by default all."""
    return list(names) or [file.stem for kind in (PRESETS, SETLISTS) for file in sorted(kind.glob("*.toml"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--model")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--width", type=int, default=320, help="of one picture, in pixels")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "pictures")
    given = parser.parse_args()
    width, height = (int(part) for part in given.size.split("x"))
    for name in wanted(given.names):
        sheet = played(name, (width, height), given.model, given.width)
        folder = given.folder / "presets" if (PRESETS / f"{name}.toml").is_file() else given.folder
        save(sheet.laid_out(), folder / f"{name}.jpg")


if __name__ == "__main__":
    main()
