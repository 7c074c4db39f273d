"""The units of scenes and cues that a stage opens, resizes and closes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from perform.generators.model import Model
from perform.latent.centre import Centre
from perform.latent.paths import Path as LatentPath
from perform.latent.paths import open_path
from perform.library import Library
from perform.performance import CueInstance, SceneInstance
from perform.performance.scene import LatentSource, LayerInstance, alpha
from perform.render.compositing import DEFAULTS, Variant, variant_of
from perform.scenes.layers import LAYER_PARAMETERS
from perform.scenes.scene import Layer
from perform.stage.contained import ContainedCompositor, ContainedUnit
from perform.stage.generator import PooledGenerator

StageUnit: TypeAlias = ContainedUnit | ContainedCompositor | PooledGenerator


def variant(layer: Layer) -> Variant:
    """What the program of a layer depends on, as its preset has it."""
    values = layer.placement.with_defaults if layer.placement else DEFAULTS
    return variant_of(values, alpha(layer), bool(layer.matte))


def variants(layer: Layer) -> Iterator[Variant]:
    """What the program of a layer may come to depend on: as its preset has it, and with each blend mode, key
    and part of the matte that a hand can set instead."""
    values = layer.placement.with_defaults if layer.placement else DEFAULTS
    matted = bool(layer.matte)
    names = ("blend", "key", "matte_part") if matted else ("blend", "key")
    for one in LAYER_PARAMETERS:
        if one.name in names:
            for choice in one.choices:
                yield variant_of({**values, one.name: choice}, alpha(layer), matted)


def latent_path(layer: Layer, model: Model, old: LayerInstance | None) -> LatentPath:
    """The layer's latent path; the old one at its position if it is of the same kind and model."""
    assert layer.latent
    if old and old.layer.latent and isinstance(old.source, LatentSource):
        generator = old.source.generator
        same_kind = old.layer.latent.name == layer.latent.name
        if same_kind and isinstance(generator, PooledGenerator) and generator.key.model == model:
            return old.source.path  # also if other bends or another blend made it another generator
    return open_path(layer.latent.name, model.space)


def truncation_centre(layer: Layer, model: Model, library: Library) -> Centre | None:
    """The layer's centre of truncation, None if it is the generator's mean."""
    seeds, kept = (layer.source.with_defaults.get(key) for key in ("centre", "kept"))
    if not seeds and not kept:
        return None
    points = library.latents(layer.source.name, kept) if kept else None
    return Centre(model.space, seeds or (), points)


def taken(old: dict[Path, SceneInstance], file: Path) -> SceneInstance | None:
    """The old scene of a file, else of one of this name in another folder; each is taken once."""
    named = [one for one in old if one.name == file.name]
    return old.pop(file if file in old else named[0]) if named else None


def cue_units(cues: Sequence[CueInstance]) -> list[StageUnit]:
    """Every unit of some cues, once."""
    units: dict[int, StageUnit] = {}
    for one in cues:
        scenes = filter(None, (one.scene, one.twin))
        of_cue = (*chain.from_iterable(map(scene_units, scenes)), *staged([one.transition]))
        units |= {id(unit): unit for unit in of_cue}
    return list(units.values())


def scene_units(scene: SceneInstance) -> list[StageUnit]:
    """The units of a scene: what draws its layers, and its filters."""
    units = [one.generator if isinstance(one, LatentSource) else one for one in scene.units]
    return staged([*units, scene.compositor])


def release(units: Iterable[StageUnit]) -> None:
    """Release some units."""
    for unit in units:
        unit.release()


def staged(units: Sequence[object]) -> list[StageUnit]:
    """Those of some units that a stage opens and closes."""
    return [unit for unit in units if isinstance(unit, ContainedUnit | ContainedCompositor | PooledGenerator)]
