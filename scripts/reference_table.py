"""Writes the table of docs/checkpoints.md: what `perform models sample` makes of the reference files.

python -m scripts.reference_table FOLDER, which holds the reference files (see the page).
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from perform.generators.model import Model
from perform.sampling.pictures import SampleRequest, Sampling

FILE = Path(__file__).parent.parent / "docs" / "checkpoints.md"
BEGIN, END = "<!-- reference table -->", "<!-- end -->"
CONTAINERS = (".pkl", ".pt", ".pth", ".bin")
LATENT = 5e-5  # tolerance of ws, absolute
PICTURE = {"stylegan2": 1e-4, "stylegan3": 2e-4, "dcgan": 1e-5, "biggan": 2e-5}  # of pictures
TURNS = 1 / 360
PLACES: Mapping[str, Mapping[str, float]] = {
    "transform0": {},
    "transform1": {"translate_x": 0.13, "translate_y": -0.07},
    "transform2": {"rotate": 27 * TURNS},
    "transform3": {"translate_x": 0.1, "translate_y": 0.05, "rotate": -40 * TURNS},
    "transform4": {"zoom": 0.5},
}


class Case(NamedTuple):
    """A request, and the array that it gives, as `ws` or as `images`."""

    name: str
    kind: str
    request: SampleRequest


class Difference(NamedTuple):
    """The largest absolute difference from the reference, and what it may be."""

    name: str
    kind: str
    value: float
    allowed: float


def differences(model: Path, arrays: Path) -> Iterator[Difference]:
    """How far a model file is from the arrays that its original gave: one for each of them."""
    data = np.load(arrays)
    found = Model.read(model)
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(data, Path(folder)):
            if "centre" in found.notes and "trunc" in case.name:
                continue  # the file has no mean, so one was computed: another one
            expected = data[case.name]
            allowed = LATENT if case.kind == "ws" else PICTURE[found.config.family]
            yield Difference(case.name, case.kind, _largest(model, case, expected), allowed)


def cases(data: Any, folder: Path) -> Iterator[Case]:
    """What the arrays of a reference file hold, as requests; their latents are written to a folder."""
    for name in data.files:
        if name.startswith("in/"):
            np.save(folder / f"{name[3:]}.npy", data[name])
    asked = SampleRequest(z=folder / "z.npy", labels=folder / "c.npy" if "in/c" in data.files else None)
    for name in data.files:
        if not name.startswith("out/"):
            continue
        if (request := _request(name[4:], asked, data, folder)) is not None:
            yield Case(name, "ws" if name[4] in "wl" else "images", request)


def _request(name: str, asked: SampleRequest, data: Any, folder: Path) -> SampleRequest | None:
    """What gives an array of a reference file; None for an array that is not compared."""
    noise = "none" if "none" in name or "zero_noise" in name else "const"
    if found := re.fullmatch(r"(ws|img_const|img_none)_psi([-.\d]+?)(_cut4)?", name):
        return replace(asked, psi=float(found[2]), cutoff=4 if found[3] else None, noise=noise)
    if name == "img_const_ws_mix":
        return SampleRequest(ws=folder / "ws_mix.npy")
    if name in ("img_mix_inject5",):
        w = data["out/w"]
        np.save(folder / "mix.npy", np.stack([w[0]] * 5 + [w[1]] * 5)[None])
        return SampleRequest(ws=folder / "mix.npy")
    if name.removeprefix("img_") in PLACES:
        return replace(asked, controls=PLACES[name.removeprefix("img_")])
    if found := re.fullmatch(r"img_t([.\d]+)", name):  # BigGAN
        return SampleRequest(
            z=folder / "z_unscaled.npy", labels=folder / "class_vector.npy", psi=float(found[1])
        )
    if name in ("w", "img", "img_const", "img_zero_noise"):
        return replace(asked, noise=noise)
    if name in ("img_const_trunc0.7", "latents_trunc0.7"):
        return replace(asked, psi=0.7)
    return None


def _largest(model: Path, case: Case, expected: Any) -> float:
    sampling = Sampling(str(model), case.request)
    if case.kind == "ws":
        made = sampling.ws if expected.ndim == 3 else sampling.ws[:, 0]
    else:
        made = np.stack([one.image for one in sampling])
    if len(expected) < len(made):  # the tests' files hold item 1, the whole ones items 0 and 1
        made = made[1:2] if len(expected) == 1 else made[: len(expected)]
    step = made.shape[-1] // expected.shape[-1]  # the tests' files hold every so many pixels
    if step > 1:
        made = made[..., ::step, ::step]
    return float(np.abs(made - expected).max())


def table(folder: Path) -> str:
    """Every reference file of a folder, from its arrays and from its containers."""
    rows = ["| file | read from | ws | pictures | pictures may |", "|---|---|---|---|---|"]
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise ValueError(f"{folder} has no reference files")
    for arrays in files:
        if arrays.name.startswith(("pix2pix", "fast-neural")):
            continue  # filters of images, no generators
        beside = (file for file in sorted(folder.glob(f"{arrays.stem}*")) if file.suffix in CONTAINERS)
        for model in (arrays, *beside):
            found = list(differences(model, arrays))
            worst = {kind: [one for one in found if one.kind == kind] for kind in ("ws", "images")}
            told = " | ".join(
                f"{max(one.value for one in ones):.1e} of {len(ones)}" if ones else ""
                for ones in worst.values()
            )
            rows.append(f"| {arrays.stem} | {model.name} | {told} | {worst['images'][0].allowed:.0e} |")
    return "\n".join(rows)


if __name__ == "__main__":
    page = FILE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    FILE.write_text(f"{before}{BEGIN}\n{table(Path(sys.argv[1]))}\n{END}{after}", encoding="utf-8")
