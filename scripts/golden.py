"""Golden images: what blend modes, keys, projections, test cards and shaders look like on Mesa's software.

    python -m scripts.golden                        # which of them look different now
    python -m scripts.golden --renew                # keep those as they look now
    python -m scripts.golden --renew 'blend-*'      # these alone

The images are in tests/golden, and tests/test_golden.py compares them. Look at the pictures that you renew.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from PIL import Image

from perform.arrays import Pixels
from perform.render.context import describe, headless, is_software
from scripts.golden_cases import Case, cases

FOLDER = Path(__file__).parents[1] / "tests" / "golden"
APART = 16  # of 255, in any channel: a pixel that is farther from the kept one is another
# Mesa's softpipe, which computes in another way than llvmpipe, stays within both.
MOST_OTHERS = 0.03  # of the pixels
MOST_MEAN = 1.5  # of 255: how far pixels are from the kept ones in the mean
LOUDER = 4  # how much the difference is amplified in its picture


@dataclass(frozen=True, slots=True)
class Difference:
    """How a picture differs from the kept one: the share of its pixels that are others, and the mean."""

    others: float
    mean: float

    @property
    def is_small(self) -> bool:
        """Whether it is within the tolerances."""
        return self.others <= MOST_OTHERS and self.mean <= MOST_MEAN

    def __str__(self) -> str:
        return f"{self.others:.1%} of the pixels are others, {self.mean:.2f} of 255 in the mean"


def kept(name: str) -> Pixels | None:
    """The golden image of a case [height, width, 3], None if there is none."""
    path = FOLDER / f"{name}.png"
    if not path.is_file():
        return None
    with Image.open(path) as file:
        return np.array(file.convert("RGB"))


def difference(drawn: Pixels, golden: Pixels) -> Difference:
    """How two pictures differ; wholly, if they are of different sizes."""
    if drawn.shape != golden.shape:
        return Difference(1.0, 255.0)
    apart = np.abs(drawn.astype(int) - golden)
    return Difference(float((apart.max(2) > APART).mean()), float(apart.mean()))


def side_by_side(drawn: Pixels, golden: Pixels) -> Pixels:
    """The golden image, the drawn one, and their difference, brighter."""
    if drawn.shape != golden.shape:
        return drawn
    apart = np.minimum(np.abs(drawn.astype(int) - golden) * LOUDER, 255).astype(np.uint8)
    return np.concatenate([golden, drawn, apart], axis=1)


def write(picture: Pixels, path: Path) -> None:
    """A picture as a small PNG."""
    Image.fromarray(picture).save(path, optimize=True)


def check(name: str, drawn: Pixels, folder: Path) -> str | None:
    """What is wrong with a drawn picture, None if it is as it was. The picture of a difference goes into
    `folder`."""
    golden, renew = kept(name), f"python -m scripts.golden --renew {name}"
    if golden is None:
        return f"{name}: has no golden image; after you looked at it: {renew}"
    found = difference(drawn, golden)
    if found.is_small:
        return None
    path = folder / f"{name}.png"
    write(side_by_side(drawn, golden), path)
    lines = (
        f"{name}: {found}",
        f"as it was, as it is, and the difference: {path}",
        f"if it is right: {renew}",
    )
    return "\n  ".join(lines)


def renewed(name: str, drawn: Pixels) -> bool:
    """Whether a picture was written, for it differs from its golden image."""
    golden = kept(name)
    if golden is not None and difference(drawn, golden).is_small:
        return False
    FOLDER.mkdir(exist_ok=True)
    write(drawn, FOLDER / f"{name}.png")
    return True


def left_over() -> list[Path]:
    """Golden images without a case."""
    names = cases()
    return [path for path in sorted(FOLDER.glob("*")) if path.suffix != ".png" or path.stem not in names]


def chosen(patterns: list[str]) -> dict[str, Case]:
    """The cases whose names fit one of the patterns, or all of them. LookupError if a pattern fits none."""
    found = cases()
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in found):
            raise LookupError(f"{pattern}: there is no such case; there are {', '.join(found)}")
    return {name: case for name, case in found.items() if any(fnmatch(name, p) for p in patterns or ["*"])}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="cases, also with * (default: all)")
    parser.add_argument("--renew", action="store_true", help="keep the pictures that differ as they look now")
    parser.add_argument(
        "--out", type=Path, default=Path("output/golden"), help="where pictures of differences go"
    )
    options, context = parser.parse_args(), headless()
    if not is_software(context):
        parser.exit(1, f"golden images are of Mesa's software, this is {describe(context)['renderer']}\n")
    try:
        wanted = chosen(options.names)
    except LookupError as error:
        parser.error(str(error))
    options.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, case in wanted.items():
        drawn = case(context)
        if options.renew:
            lines += [f"{name}: renewed"] if renewed(name, drawn) else []
        else:
            lines += [fault for fault in [check(name, drawn, options.out)] if fault]
    if options.renew:
        for path in left_over():
            path.unlink()
            lines.append(f"{path.name}: removed, it has no case")
    parser.exit(bool(lines) and not options.renew, "\n".join(lines or ["all are as they were"]) + "\n")


if __name__ == "__main__":
    main()
