"""A show in which a mapping is demonstrated, and the file that it is kept in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from perform import show
from perform.catalogue import Library
from perform.demonstrations import demonstration
from perform.demonstrations.demonstration import Demonstration, PictureSearch
from perform.demonstrations.fit import fit
from perform.demonstrations.table import read_examples
from perform.demonstrations.targets import (
    MappingTarget,
    between_seeds,
    mapping_targets,
    scene_units,
    with_mapping,
)
from perform.demonstrations.trainer import MappingTrainer
from perform.performance import Performance
from perform.rig import Rig
from perform.scenes.controls import Controls
from perform.scenes.mapping import METHODS, NAME, Example, SignalMapping, misnamed, read, written
from perform.scenes.scene import Scene
from perform.scenes.setlist import KEYS, Setlist, single
from perform.vocabulary import VOCABULARY

MAPPINGS_FOLDER = Path("learned")
KEY_ROWS = (
    ("K", "keep this posture with this picture"),
    ("Z", "take the last one back"),
    ("P", "play what was learned, and back to looking"),
    ("N", "another picture"),
    ("O", "the picture that the preset makes itself"),
    ("Left  Right", "choose a value"),
    ("Up  Down", "more, less of it"),
)
COMMENT = """What was shown of {preset}, and what was learned of it: formulas play it as {said}.
Written by `perform demonstrate`; examples may be changed by hand, then
`perform demonstrate {preset} {name} --again` learns them anew."""


@dataclass(frozen=True, slots=True)
class DemonstrationRequest:
    """What is to be demonstrated: a preset by name or file, the name of the mapping, and between what."""

    preset: str
    name: str
    signals: tuple[str, ...]
    parameters: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    method: str = "ridge"


@dataclass(frozen=True, slots=True)
class DemonstrationPlan:
    """What was asked, checked: the scene as it looks for pictures, and the numbers that are learned."""

    asked: DemonstrationRequest
    setlist: Setlist
    targets: tuple[MappingTarget, ...]

    @classmethod
    def of(cls, asked: DemonstrationRequest, library: Library) -> DemonstrationPlan:
        """Raises ValueError, LookupError or OSError with what is wrong."""
        _check(asked.name)
        if asked.method not in METHODS:
            raise ValueError(f"method {asked.method!r}, must be one of {', '.join(METHODS)}")
        if not asked.signals:
            raise ValueError("from what? name signals: --signals hand.right.x,midi.cc16")
        setlist = show.load(show.find(asked.preset, library), library)
        if len(setlist.cues) != 1:
            raise ValueError(f"{asked.preset} is a setlist, must be a preset")
        scene = between_seeds(setlist.cues[0].scene, asked.seeds)
        found = tuple(mapping_targets(scene, asked.parameters, asked.seeds))
        if faults := list(misnamed(list(asked.signals), [one.value for one in found], VOCABULARY)):
            raise ValueError("; ".join(faults))
        library.feeds(asked.signals)
        return cls(asked, replace(single(scene), mappings=setlist.mappings), found)

    @property
    def scene(self) -> Scene:
        """The scene that looks for pictures."""
        return self.setlist.cues[0].scene

    @property
    def values(self) -> list[str]:
        """What the mapping calls its values."""
        return [target.value for target in self.targets]

    def of_table(self, file: Path) -> SignalMapping:
        """The mapping that the rows of a file show."""
        return self.of_examples(read_examples(file, self.asked.signals, self.targets))

    def of_examples(self, shown: Sequence[Example]) -> SignalMapping:
        """The mapping of examples."""
        return SignalMapping(self.asked.name, fit(self.asked.method, self.asked.signals, self.values, shown))


def load_mapping(name: str) -> SignalMapping | None:
    """The mapping of that name that is already in learned/, None when there is none. ValueError."""
    _check(name)
    file = MAPPINGS_FOLDER / f"{name}.toml"
    return read(file, VOCABULARY) if file.is_file() else None


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"name {name!r}, must be a word of small letters, as formulas have it")


def save_mapping(learned: SignalMapping, preset: str) -> None:
    """Write a mapping to learned/, whole or not at all: a show may be reading it."""
    MAPPINGS_FOLDER.mkdir(exist_ok=True)
    file = MAPPINGS_FOLDER / f"{learned.name}.toml"
    comment = COMMENT.format(preset=preset, name=learned.name, said=f"{learned.outputs[0]} …")
    part = file.with_suffix(".part")
    part.write_text(written(learned.text, comment), encoding="utf-8")
    part.replace(file)


@dataclass(slots=True)
class LiveTargets:
    """The targets as the scene on show has them, with what a hand holds."""

    targets: Sequence[MappingTarget]
    performance: Performance | None = None

    def values(self) -> dict[str, float]:
        """What each was worth on the last frame."""
        found = {}
        for target, controls in self._running():
            value = controls.last.get(target.parameter.name)
            if value is not None:
                found[target.value] = float(value if target.part is None else value[target.part])
        return found

    def release(self) -> None:
        """Let go of those that are held."""
        for target, controls in self._running():
            controls.release(target.parameter)

    def _running(self) -> list[tuple[MappingTarget, Controls]]:
        if self.performance is None:
            return []
        scene = self.performance.cues[0].scene
        known = dict(zip(scene_units(scene.scene), scene.controls, strict=True))
        return [(target, known[target.unit]) for target in self.targets]


def open_demonstration(
    lesson: DemonstrationPlan, options: show.Options, library: Library, shown: Sequence[Example] = ()
) -> tuple[Rig, Demonstration, MappingTrainer]:
    """The show in which it is demonstrated, going on from what was shown before; the trainer is to be
    closed after it."""
    asked = lesson.asked
    trainer = MappingTrainer(asked.name, lambda learned: save_mapping(learned, asked.preset))
    search, stage = PictureSearch(lesson.scene, lesson.targets), LiveTargets(lesson.targets)
    others = tuple(one for one in lesson.setlist.mappings if one.name != asked.name)
    lively = Demonstration(asked.name, asked.method, asked.signals, search, trainer, shown, others, stage)
    setlist = single(with_mapping(lesson.scene, asked.name, lesson.targets))
    setlist = replace(
        setlist, show=demonstration.without_displaced(setlist.show), mappings=(*others, lively.begun)
    )
    keys = tuple(row for row in KEYS if row[0] not in ("Up  Down", "Left  Right"))
    try:
        rig = show.play(replace(options, watch=False, keys=(*KEY_ROWS, *keys)), library, setlist)
    except BaseException:
        trainer.close()
        raise
    rig.performance.mappings, stage.performance = lively, rig.performance
    return rig, lively, trainer
