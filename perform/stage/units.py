"""The units of scenes and cues that a stage opens, resizes and closes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from perform.performance import CueInstance, SceneInstance
from perform.performance.scene import LatentSource, alpha
from perform.render.compositing import DEFAULTS, Variant, variant_of
from perform.scenes.scene import Layer
from perform.stage.contained import ContainedCompositor, ContainedUnit
from perform.stage.generator import PooledGenerator

StageUnit: TypeAlias = ContainedUnit | ContainedCompositor | PooledGenerator


def variant(layer: Layer) -> Variant:
    """What the program of a layer depends on, as its preset has it."""
    values = layer.placement.with_defaults if layer.placement else DEFAULTS
    return variant_of(values, alpha(layer), bool(layer.matte))


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


def staged(units: Sequence[object]) -> list[StageUnit]:
    """Those of some units that a stage opens and closes."""
    return [unit for unit in units if isinstance(unit, ContainedUnit | ContainedCompositor | PooledGenerator)]
