"""Where the cues of a setlist are found again, after an edit or in another run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from perform.scenes.setlist import Cue


def first_armed(cues: Sequence[Cue]) -> int:
    """The first cue that is armed, the first of all if none is."""
    return next((number for number, cue in enumerate(cues) if cue.armed), 0)


def places_after_edit(old: Sequence[Cue], new: Sequence[Cue]) -> dict[int, int]:
    """Where each cue of an old setlist is in an edited one, but those whose scene has gone: the only cue of
    its scene with its number and name, else one of its scene in the order of both, else the first of its
    scene. The file of a scene may be in another folder."""
    before, after = ([cue.scene.file.name for cue in cues] for cues in (old, new))
    if before == after:
        return dict(enumerate(range(len(old))))
    first = {place: after.index(file) for place, file in enumerate(before) if file in after}
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    in_order = {block.a + n: block.b + n for block in blocks for n in range(block.size)}
    was, now = _only(old), _only(new)
    return first | in_order | {was[name]: now[name] for name in was.keys() & now.keys()}


def _only(cues: Sequence[Cue]) -> dict[tuple[str, str, str], int]:
    """The places of the cues that are the only ones of their scene with their number and name."""
    names = [(cue.scene.file.name, cue.number, cue.name) for cue in cues]
    times = Counter(names)
    return {name: place for place, name in enumerate(names) if times[name] == 1}


def cue_with(file: str, place: int, cues: Sequence[Cue]) -> int:
    """The cue whose scene's file has this name: the one at `place` if it does, else the first that does; if
    there is none, the first that is armed."""
    files = [cue.scene.file.name for cue in cues]
    if file in files[place : place + 1]:
        return place
    return files.index(file) if file in files else first_armed(cues)
