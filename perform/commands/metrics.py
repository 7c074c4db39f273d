"""The command `perform metrics`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from perform.arrays import Pixels
from perform.paths import write_whole
from perform.terminal import (
    LARGEST_SEED,
    AsJson,
    Force,
    check_new,
    check_suffix,
    complaints,
    model_names,
    print_facts,
    watched,
)

MEANING = {
    "frechet": "distance of the two distributions; 0 is the same",
    "precision": "share of the model's pictures that could be from the dataset",
    "recall": "share of the dataset that the model could draw",
    "diversity": "how much the pictures differ; 1: as much as the dataset's",
    "novelty": "far below 1: the model has memorised pictures",
}


def metrics(
    model: Annotated[str, typer.Argument(help="A model by name, or its file.", autocompletion=model_names)],
    dataset: Annotated[Path, typer.Argument(help="The training pictures: a dataset or a folder.")],
    samples: Annotated[
        int, typer.Option(min=16, max=50_000, help="The most pictures of the model, and of the dataset.")
    ] = 1000,
    psi: Annotated[float, typer.Option(min=0, max=2, help="Truncation.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="The first seed.")] = 0,
    features: Annotated[
        Path | None, typer.Option(help="A network for the features, ONNX or OpenVINO. (default: scattering)")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw the nearest pictures of the dataset: a .png.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Measure how near a model's pictures are to its training pictures."""
    from perform.models import located
    from perform.sampling.pictures import encode_png
    from perform.training.dataset import Dataset
    from perform.training.metrics import compare
    from perform.training.metrics.features import network_features, scattering

    with complaints():
        check_suffix(sheet, ".png")
        check_new(sheet, force=force)
        featured = network_features(features) if features else scattering
        pictures = Dataset.open(dataset)
        # After the faults of what is given: it loads torch, which takes seconds.
        from perform.training.metrics.evaluator import SHEET_ROWS, evenly_spread, neighbour_sheet

        spread = evenly_spread(pictures, samples)
        real = featured(watched((pictures.picture(int(i)) for i in spread), "dataset", len(spread)))
        made = featured(watched(drawn(located(model), range(seed, seed + samples), psi), "model", samples))
        found = compare(real, made)
        if sheet:
            shown = [*drawn(located(model), range(seed, seed + SHEET_ROWS), psi)]
            neighbours = neighbour_sheet(shown, made, real, lambda n: pictures.picture(int(spread[n])))
            sheet.parent.mkdir(parents=True, exist_ok=True)
            write_whole(sheet, encode_png(neighbours))
    if as_json:
        typer.echo(
            json.dumps({"model": model, "dataset": str(dataset), "samples": samples, "psi": psi} | found)
        )
        return
    print_facts((name, f"{value:.3f}", MEANING[name]) for name, value in found.items())


def drawn(model: str, seeds: range, psi: float) -> Iterator[Pixels]:
    """Pictures uint8 [height, width, channels] of seeds, as they are played."""
    from perform.sampling.pictures import SampleRequest, Sampling, image_pixels

    request = SampleRequest(f"{seeds[0]}-{seeds[-1]}", psi=psi, precision="fast")
    return (image_pixels(sample.image) for sample in Sampling(model, request))
