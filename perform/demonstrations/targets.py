"""The parameters of a preset that a demonstration plays, by their keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeAlias

from perform import formula
from perform.latent.paths import WEIGHTS, path_parameters
from perform.learning.targets import PARTS, other_name, scene_units
from perform.parameters import Parameter
from perform.scenes.controls import Setting, UnitSettings
from perform.scenes.scene import Scene

FormulaText: TypeAlias = str | list[str]  # a list for a point or a colour


@dataclass(frozen=True, slots=True)
class MappingTarget:
    """One number of a preset: its `key` such as `filter[0].zoom`, its name in the mapping (`value`), and
    `part`, the number within a point or a colour."""

    key: str
    value: str
    parameter: Parameter
    part: int | None = None

    @property
    def unit(self) -> str:
        """The table of the key, such as `filter[0]`."""
        return self.key.rpartition(".")[0]

    @property
    def low(self) -> float:
        """The lower end of its range; -1 if there is none."""
        return -1.0 if self.parameter.low is None else self.parameter.low

    @property
    def high(self) -> float:
        """The upper end of its range; 1 if there is none."""
        return 1.0 if self.parameter.high is None else self.parameter.high


def mapping_targets(scene: Scene, keys: Sequence[str], seeds: Sequence[int] = ()) -> list[MappingTarget]:
    """The numbers of these keys, and the weights of the seeds. LookupError names the possible keys."""
    known = {
        f"{unit}.{parameter.name}": parameter
        for unit, settings in scene_units(scene).items()
        for parameter in settings.parameters
        if parameter.playable and parameter.kind != "event"
    }
    keys = [key if key in known else other_name(key) if other_name(key) in known else key for key in keys]
    for key in keys:
        if key not in known:
            near = get_close_matches(key, known, 3) or sorted(known)
            raise LookupError(
                f"{scene.file}: there is no parameter {key} to play; there are {', '.join(near)}"
            )
    last = [key.rpartition(".")[2] for key in keys]
    long = [re.sub(r"[\[\]]", "", key).replace(".", "_") for key in keys]  # filter[0].zoom: filter0_zoom
    words = [word if last.count(word) == 1 else whole for word, whole in zip(last, long, strict=True)]
    named = dict(zip(keys, words, strict=True))
    found = [one for key, name in named.items() for one in _parts(key, name, known[key])]
    weights = {p.name: p for p in path_parameters("weights")}
    found += [
        MappingTarget(f"{_path_key(scene)}.weight{n}", f"seed{seed}", weights[f"weight{n}"])
        for n, seed in enumerate(seeds, 1)
    ]
    if not found:
        raise LookupError("there is nothing to learn: give --parameters or --seeds")
    return found


def _parts(key: str, name: str, parameter: Parameter) -> Iterator[MappingTarget]:
    if parameter.kind not in PARTS:
        yield MappingTarget(key, name, parameter)
        return
    for part, word in enumerate(PARTS[parameter.kind]):
        yield MappingTarget(key, f"{name}_{word}", parameter, part)


def between_seeds(scene: Scene, seeds: Sequence[int]) -> Scene:
    """The scene with its latent path between these seeds, by weights. Raises ValueError."""
    if not seeds:
        return scene
    key = _path_key(scene)
    if not 2 <= len(set(seeds)) == len(seeds) <= WEIGHTS:
        raise ValueError(f"seeds {', '.join(map(str, seeds))}, must be 2..{WEIGHTS} different ones")
    kept = {
        name: value
        for name, value in scene_units(scene)[key].values.items()
        if name in {p.name for p in path_parameters("weights")}
    }
    path = UnitSettings("weights", path_parameters("weights"), kept | {"seeds": tuple(seeds)})
    return _with_units(scene, {key: path})


def _path_key(scene: Scene) -> str:
    """The key of the only latent path of a scene. ValueError if it has none, or several."""
    keys = [layer.inner("latent") for layer in scene.layers if layer.latent]
    if not keys:
        what = "a shader has no latent space, seeds need a generator with a model"
        raise ValueError(f"{scene.file}: {what}")
    if len(keys) > 1:
        raise ValueError(f"{scene.file}: has {len(keys)} layers with a model, seeds need a preset with one")
    return keys[0]


def formula_texts(name: str, chosen: Sequence[MappingTarget]) -> dict[str, FormulaText]:
    """The formula of each key; a list of formulas for a point or a colour."""
    found: dict[str, FormulaText] = {}
    for target in chosen:
        text = f"learned.{name}.{target.value}"
        found[target.key] = text if target.part is None else [*found.get(target.key, []), text]
    return found


def with_mapping(scene: Scene, name: str, chosen: Sequence[MappingTarget]) -> Scene:
    """The scene with the mapping's formulas in place of its settings."""
    settings: dict[str, dict[str, Setting]] = {}
    for key, text in formula_texts(name, chosen).items():
        unit, _, parameter = key.rpartition(".")
        value = _formula(text) if isinstance(text, str) else tuple(map(_formula, text))
        settings.setdefault(unit, {})[parameter] = value
    return _with(scene, settings)


def _formula(text: str) -> formula.Formula:
    return formula.compile(text, formula.ANY)


def _with(scene: Scene, settings: Mapping[str, Mapping[str, Setting]]) -> Scene:
    units = scene_units(scene)
    return _with_units(
        scene,
        {unit: replace(units[unit], values={**units[unit].values, **new}) for unit, new in settings.items()},
    )


def _with_units(scene: Scene, changed: Mapping[str, UnitSettings]) -> Scene:
    """The scene with other settings of the units at some keys."""
    now = {**scene_units(scene), **changed}
    layers = [
        replace(
            layer,
            source=now[layer.inner(layer.source_table)],
            latent=now.get(layer.inner("latent")),
            blend=now.get(layer.inner("generator.blend")),
            bends=_several(now, layer.inner("generator.bend")),
            directions=_several(now, layer.inner("direction")),
            filters=_several(now, layer.inner("filter")) if layer.key else (),
            placement=now.get(layer.key),
        )
        for layer in scene.layers
    ]
    return replace(scene, layers=tuple(layers), filters=_several(now, "filter"))


def _several(found: Mapping[str, UnitSettings], name: str) -> tuple[UnitSettings, ...]:
    return tuple(one for unit, one in found.items() if unit.startswith(f"{name}["))
