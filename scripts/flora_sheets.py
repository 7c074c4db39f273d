"""Pictures of the model that ships: docs/pictures/flora.

    python -m scripts.flora_sheets [--model MODEL]

psi-50, -70, -100, -140: sixty-four seeds at a truncation of 0.5 to 1.4; ways: between four seeds, through z
and straight through w; directions: twelve of its named ones, from -3 to 3 standard deviations; small:
sixty-four seeds of flora-64.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from perform import generators
from perform.arrays import Floats, Pixels
from perform.generators import Generator
from perform.latent.curves import linear, slerp
from perform.latent.directions import LAST, Directions
from perform.latent.space import truncate, z_of
from perform.library import Library
from perform.models import located
from perform.models.directions import directions_sheet
from perform.sampling.sheets import join_pictures, picture_grid
from scripts.contact_sheets import save

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "flora"
PSIS = (0.5, 0.7, 1.0, 1.4)
COUNT, COLUMNS = 64, 8
SMALL = "flora-64"
KEYS, PSI = (11, 37, 23, 41), 0.8  # seeds to go between
FORM = "bloom", "curl", "breadth", "kind_x", "nod", "lean"  # directions
LIGHT = "palette_x", "palette_y", "palette_z", "hue", "lightness", "ground"
SHOWN = 11  # whose seed


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="flora")
    name = parser.parse_args().model
    unit = generators.open(located(name), "cpu", "float32")
    for psi in PSIS:
        save(seeds(unit, psi), FOLDER / f"psi-{round(100 * psi)}.jpg")
    save(join_pictures([rows(unit, through_z=True), rows(unit, through_z=False)], 0), FOLDER / "ways.jpg")
    known = Library().directions(name)
    chosen = Directions((*FORM, *LIGHT), np.stack([known.step(one) for one in (*FORM, *LIGHT)]))
    save(directions_sheet(unit, chosen, [SHOWN], (0, LAST)), FOLDER / "directions.jpg")
    unit.close()
    small = generators.open(located(SMALL), "cpu", "float32")
    save(seeds(small, 1.0), FOLDER / "small.jpg")
    small.close()


def seeds(unit: Generator, psi: float) -> Pixels:
    """The first COUNT seeds."""
    return picture_grid([drawn(unit, z_of(seed, unit.space.z_dim), psi) for seed in range(COUNT)], COLUMNS)


def rows(unit: Generator, through_z: bool) -> Pixels:
    """Rows of a closed way through KEYS, eight pictures from one to the next: through z, or straight in w."""
    keys = [z_of(seed, unit.space.z_dim) for seed in KEYS]
    pictures = []
    for one, other in zip(keys, [*keys[1:], keys[0]], strict=True):
        for share in np.arange(COLUMNS) / COLUMNS:
            if through_z:
                pictures.append(drawn(unit, slerp(one, other, share), PSI))
            else:
                ends = unit.map(np.stack([one, other]))
                pictures.append(shown(unit, linear(ends[0], ends[1], share), PSI))
    return picture_grid(pictures, COLUMNS)


def drawn(unit: Generator, z: Floats, psi: float) -> Pixels:
    """The picture of z [z_dim]."""
    return shown(unit, unit.map(z[None])[0], psi)


def shown(unit: Generator, w: Floats, psi: float) -> Pixels:
    """The picture of w [w_dim]."""
    ws = np.repeat(w[None].astype(np.float32), unit.space.num_ws, 0)
    return unit.synthesise(truncate(ws, unit.mean(), psi)).copy()


if __name__ == "__main__":
    main()
