"""The list of models, and the facts about one model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perform import generators
from perform.generators import untrained
from perform.generators.model import Model
from perform.library import Library
from perform.models import located, store
from perform.networks import ModelError, devices

MEASURED_SECONDS = 1.0  # that a measurement lasts
REMARK_NOTES = ("odd", "centre")  # notes of readers on what is unusual in a file


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model of the list. `origin` is built-in, imported, or the folder; `bytes` the file's size;
    `fault` why it cannot be played."""

    name: str
    origin: str
    family: str = ""
    size: tuple[int, int] | None = None
    classes: int = 0
    bytes: int | None = None
    fault: str = ""


def list_models() -> Iterator[ModelRow]:
    """Every model that can be played by name."""
    for name in untrained.BUILT_IN:
        yield _model_row(name, name, "built-in")
    for name, file in Library().models().items():
        origin = "imported" if file.parent == store.models_folder() else str(file.parent)
        yield _model_row(name, str(file), origin)


def _model_row(name: str, model: str, origin: str) -> ModelRow:
    size = Path(model).stat().st_size if Path(model).is_file() else None
    try:
        config = Model.read(model).config
    except ModelError as error:
        return ModelRow(name, origin, bytes=size, fault=str(error))
    return ModelRow(name, origin, config.family, config.size, config.space.c_dim, size)


def model_info(name: str, measure: bool = True) -> dict[str, Any]:
    """The facts about a model as plain values; `pictures_per_second` of this machine, if measured.

    A model that needs more memory than models may take here is not opened, so not measured either."""
    model = Model.read(located(name))
    config, notes, space = model.config, model.notes, model.space
    file = Path(model.place) if Path(model.place).is_file() else None
    spare = devices.spare_memory()
    return {
        "model": model.place,
        "family": config.family,
        "width": config.size[0],
        "height": config.size[1],
        "channels": config.image_channels,
        "classes": space.c_dim,
        "parameters": sum(math.prod(shape) for shape in config.shapes().values()),
        "z_dim": space.z_dim,
        "w_dim": space.w_dim,
        "num_ws": space.num_ws,
        "file_bytes": file.stat().st_size if file else None,
        "memory_bytes": round(model.memory),
        "fits": model.memory <= spare,
        **(_measured_speed(model) if measure and model.memory <= spare else {}),
        "licence": notes.get("licence", "not stated; ask who made it"),
        "title": notes.get("title", ""),
        "source": notes.get("source", notes.get("title", "")),
        "odd": [notes[key] for key in REMARK_NOTES if key in notes],
        "sha256": notes.get("sha256"),
        "controls": [parameter.name for parameter in model.parameters],
        "layers": list(model.layers),
    }


def _measured_speed(model: Model) -> dict[str, Any]:
    """Pictures a second as the model plays here."""
    from perform.sampling.speed import pictures_per_second

    with closing(generators.open(model)) as unit:
        played = {key: getattr(unit, key, "") for key in ("device", "precision", "reason")}
        return {"pictures_per_second": round(pictures_per_second(unit, MEASURED_SECONDS), 1), **played}
