"""The search for pictures of a demonstration: the preset's values, random ones, or those set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from perform.clock import Moment
from perform.demonstrations.targets import MappingTarget
from perform.learning.targets import scene_units
from perform.performance import Performance
from perform.scenes.controls import RunningControls
from perform.scenes.scene import Scene
from perform.signals import Signals

TURN_SHARE = 1 / 20  # of a parameter's range
WIDEST_SPAN = 100.0  # in a wider range new values lie near the default


@dataclass(slots=True)
class PictureSearch:
    """The values of the targets in a search: the preset's own, or those in `hand`."""

    scene: Scene
    targets: Sequence[MappingTarget]
    turns: int = 0
    at: int = 0
    _own: dict[str, RunningControls] = field(default_factory=dict)
    hand: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = {target.unit for target in self.targets}
        self._own = {name: one.start() for name, one in scene_units(self.scene).items() if name in wanted}

    def values(self, moment: Moment, signals: Signals) -> dict[str, float]:
        """Every target's value on this frame, by its name in the mapping."""
        made = {name: controls.step(moment, signals) for name, controls in self._own.items()}
        found = {}
        for target in self.targets:
            own = made[target.unit][target.parameter.name]
            own = own if target.part is None else own[target.part]
            found[target.value] = self.hand.get(target.value, float(own))
        return found

    def own(self) -> None:
        """Go back to the preset's own values."""
        self.hand.clear()

    def new(self) -> None:
        """Draw another picture: a new random value for each target, one of the seeds."""
        self.turns += 1
        draw = np.random.default_rng(self.turns)
        seeds = [target.value for target in self.targets if "latent.weight" in target.key]
        chosen = seeds[int(draw.integers(len(seeds)))] if seeds else ""
        for target in self.targets:
            value = _fit(target, draw.uniform(*_span(target)))
            self.hand[target.value] = float(target.value == chosen) if target.value in seeds else value

    def turn(self, by: float, now: Mapping[str, float]) -> None:
        """Change the chosen value."""
        target = self.targets[self.at]
        low, high = _span(target)
        self.hand[target.value] = _fit(target, now[target.value] + by * TURN_SHARE * (high - low))

    def choose(self, by: int) -> None:
        """Choose another value."""
        self.at = (self.at + by) % len(self.targets)


@dataclass(slots=True)
class LiveTargets:
    """The targets in the playing scene, with the values that are held by hand."""

    targets: Sequence[MappingTarget]
    performance: Performance | None = None

    def values(self) -> dict[str, float]:
        """The value of each on the last frame, by its name in the mapping; empty before the first frame."""
        found = {}
        for target, controls in self._running():
            value = controls.last.get(target.parameter.name)
            if value is not None:
                found[target.value] = float(value if target.part is None else value[target.part])
        return found

    def release(self) -> None:
        """Release the values that are held."""
        for target, controls in self._running():
            controls.release(target.parameter)

    def _running(self) -> list[tuple[MappingTarget, RunningControls]]:
        if self.performance is None:
            return []
        scene = self.performance.cues[0].scene
        known = dict(zip(scene_units(scene.scene), scene.controls, strict=True))
        return [(target, known[target.unit]) for target in self.targets]


def _span(target: MappingTarget) -> tuple[float, float]:
    """The range of new values."""
    if target.high - target.low <= WIDEST_SPAN:
        return target.low, target.high
    default = target.parameter.default if target.part is None else target.parameter.default[target.part]
    return default - 1.0, default + 1.0


def _fit(target: MappingTarget, value: float) -> float:
    whole = target.parameter.kind in ("int", "bool")
    return float(target.parameter.clip(round(value) if whole else value))
