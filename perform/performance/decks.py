"""Decks: what a change of the position loads on deck A and deck B."""

from __future__ import annotations

from collections.abc import Sequence

from perform.performance.cue import CueInstance
from perform.performance.morph import go_on_from
from perform.performance.scene import SceneInstance
from perform.scenes.position import CuePosition


def on_deck(deck: int, position: CuePosition, cues: Sequence[CueInstance]) -> CueInstance | None:
    """The cue on deck A (0) or B (1), None if that is empty."""
    cue, _ = position.decks[deck]
    return None if cue is None else cues[cue]


def loaded_first(position: CuePosition, cues: Sequence[CueInstance]) -> list[CueInstance]:
    """All cues: first the one that is on, then the one on the free deck."""
    loaded = [on_deck(deck, position, cues) for deck in (position.deck, 1 - position.deck)]
    first = [one for one in loaded if one]
    return [*first, *(one for one in cues if not any(one is other for other in first))]


def part(position: CuePosition, cues: Sequence[CueInstance]) -> None:
    """If both decks have the same scene, play its twin on the free one."""
    if standby := on_deck(1 - position.deck, position, cues):
        standby.part(cues[position.cue].scene)


def load_changed(
    before: CuePosition, position: CuePosition, cues: Sequence[CueInstance], morphs: bool = True
) -> None:
    """Load what is new on a deck, and begin the cue that has come in; one to which a crossfader came back
    goes on. What is drawn on the wall goes on in a morph, if transitions of cues are what `morphs`."""
    for deck, (new, old) in enumerate(zip(position.decks, before.decks, strict=True)):
        one = on_deck(deck, position, cues)
        if one and new != old:
            one.load(_scene(on_deck(1 - deck, position, cues)))
    if position.turn > before.turn:
        cues[position.cue].scene.enter()
    made = _made(before, position)
    if morphs and made is not None and cues[made].cue.transition.morph:
        go_on_from(cues[position.cue].scene, cues[before.cue].scene)


def load_edited(
    before: CuePosition, old: Sequence[CueInstance], position: CuePosition, new: Sequence[CueInstance]
) -> None:
    """Load the decks to which an edit has brought another scene, and the free one if the edit has ended a
    transition. What hands hold of the transitions of the others stays."""
    was, now = old[before.cue], new[position.cue]
    was_free, free = on_deck(1 - before.deck, before, old), on_deck(1 - position.deck, position, new)
    if is_same(now, was):
        now.controls.resume_from(was.controls)
    else:
        now.load(_scene(free))
    ended = position.before is None and before.before is not None
    if free and was_free and is_same(free, was_free) and not ended:
        free.part(now.scene)
        free.controls.resume_from(was_free.controls)
    elif free:
        free.load(now.scene)


def is_same(one: CueInstance, before: CueInstance) -> bool:
    """Whether a cue plays the scene that another did before an edit."""
    return one.cue.scene.file.name == before.cue.scene.file.name


def _made(before: CuePosition, position: CuePosition) -> int | None:
    """The cue whose transition begins, or has gone back to its beginning; None: there is no such one."""
    if position.turn < before.turn:
        return before.cue
    begins = position.turn > before.turn and position.before is not None
    return position.cue if begins else None


def _scene(one: CueInstance | None) -> SceneInstance | None:
    return one.scene if one else None
