"""A show for the demonstration of a mapping, and the mapping's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from perform import show
from perform.demonstrations import demonstration
from perform.demonstrations.demonstration import DEMONSTRATION_CONTROLS, Demonstration
from perform.demonstrations.fit import fit
from perform.demonstrations.search import LiveTargets, PictureSearch
from perform.demonstrations.table import read_examples
from perform.demonstrations.targets import (
    MappingTarget,
    between_seeds,
    mapping_targets,
    with_mapping,
)
from perform.demonstrations.trainer import MappingTrainer
from perform.library import Library
from perform.library.vocabulary import VOCABULARY
from perform.parameters import choice
from perform.paths import write_whole
from perform.rig import Rig
from perform.scenes.mapping import METHODS, NAME, Example, SignalMapping, mapping_text, misnamed, read_mapping
from perform.scenes.scene import Scene
from perform.scenes.setlist import Setlist, single
from perform.scenes.show import KEY_HELP

MAPPINGS_FOLDER = Path("learned")
KEY_ROWS = (
    *((key.upper(), about) for key, about in DEMONSTRATION_CONTROLS.values() if len(key) == 1),
    ("Left  Right", "choose a value"),
    ("Up  Down", "more, less of it"),
)
COMMENT = """A mapping for {preset}: its examples, and the model that was fitted to them.
Formulas play it as {signal}. Written by `perform demonstrate`. You may change examples by hand; then
`perform demonstrate {preset} {name} --again` fits them again."""


@dataclass(frozen=True, slots=True)
class DemonstrationRequest:
    """A request: a preset by name or file, the mapping's name, its signals and its parameters."""

    preset: str
    name: str
    signals: tuple[str, ...]
    parameters: tuple[str, ...]
    seeds: tuple[int, ...] = ()
    method: str = "ridge"


@dataclass(frozen=True, slots=True)
class DemonstrationPlan:
    """A checked request: the scene in which you search for pictures, and the targets of the mapping."""

    request: DemonstrationRequest
    setlist: Setlist
    targets: tuple[MappingTarget, ...]

    @classmethod
    def of(cls, request: DemonstrationRequest, library: Library) -> DemonstrationPlan:
        """Raises ValueError, LookupError or OSError."""
        _check(request.name)
        choice("method", request.method, METHODS)
        if not request.signals:
            raise ValueError("the signals are missing: give --signals hand.right.x,midi.cc16")
        setlist = show.load(show.find(request.preset, library), library)
        if len(setlist.cues) != 1:
            raise ValueError(f"{request.preset} is a setlist, must be a preset")
        scene = between_seeds(setlist.cues[0].scene, request.seeds)
        found = tuple(mapping_targets(scene, request.parameters, request.seeds))
        if faults := list(misnamed(list(request.signals), [one.value for one in found], VOCABULARY)):
            raise ValueError("; ".join(faults))
        library.feeds(request.signals)
        return cls(request, replace(single(scene), mappings=setlist.mappings), found)

    @property
    def scene(self) -> Scene:
        """The scene in which you search for pictures."""
        return self.setlist.cues[0].scene

    @property
    def values(self) -> list[str]:
        """The names of the mapping's values."""
        return [target.value for target in self.targets]

    def of_table(self, file: Path) -> SignalMapping:
        """The mapping of the examples in a file."""
        return self.of_examples(read_examples(file, self.request.signals, self.targets))

    def of_examples(self, shown: Sequence[Example]) -> SignalMapping:
        """The mapping of examples."""
        return SignalMapping(
            self.request.name, fit(self.request.method, self.request.signals, self.values, shown)
        )


def load_mapping(name: str) -> SignalMapping | None:
    """The mapping of that name in learned/, None if there is none. ValueError."""
    _check(name)
    file = MAPPINGS_FOLDER / f"{name}.toml"
    return read_mapping(file, VOCABULARY) if file.is_file() else None


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"name {name!r}, must be a word of small letters, as formulas have it")


def save_mapping(learned: SignalMapping, preset: str) -> None:
    """Write a mapping to learned/, whole or not at all, as a show may read it meanwhile."""
    MAPPINGS_FOLDER.mkdir(exist_ok=True)
    file = MAPPINGS_FOLDER / f"{learned.name}.toml"
    comment = COMMENT.format(preset=preset, name=learned.name, signal=f"{learned.outputs[0]} …")
    write_whole(file, mapping_text(learned.text, comment).encode())


def open_demonstration(
    plan: DemonstrationPlan, options: show.Options, library: Library, shown: Sequence[Example] = ()
) -> tuple[Rig, Demonstration, MappingTrainer]:
    """Open the show of a demonstration, with earlier examples. Close the trainer after it."""
    request = plan.request
    trainer = MappingTrainer(request.name, lambda learned: save_mapping(learned, request.preset))
    search, stage = PictureSearch(plan.scene, plan.targets), LiveTargets(plan.targets)
    others = tuple(one for one in plan.setlist.mappings if one.name != request.name)
    demonstrated = Demonstration(
        request.name, request.method, request.signals, search, trainer, shown, others, stage
    )
    setlist = single(with_mapping(plan.scene, request.name, plan.targets))
    setlist = replace(
        setlist,
        show=demonstration.without_displaced(setlist.show),
        mappings=(*others, demonstrated.placeholder),
    )
    keys = tuple(row for row in KEY_HELP if row[0] not in ("Up  Down", "Left  Right"))
    try:
        rig = show.play(replace(options, watch=False, keys=(*KEY_ROWS, *keys)), library, setlist)
    except BaseException:
        trainer.close()
        raise
    rig.performance.mappings, stage.performance = demonstrated, rig.performance
    return rig, demonstrated, trainer
