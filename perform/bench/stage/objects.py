"""What OpenGL and the system hold after many scene changes: on a clock that does not wait, so that a thousand
changes take a minute or two.

The scenes have layers, text, feedback, a film, a network, and filters that keep pictures; the setlist has an
overlay. Every change jumps to another cue, by a cut or a short transition. Now and then a
preset is edited, and the scenes are drawn at another size. What is held is counted after each round, in which
every cue was on both decks.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import product
from pathlib import Path

from perform import show
from perform.bench import Figure
from perform.bench.stage.held import Held, growth_figures, memory_figures, traced
from perform.bench.stage.played import Hand
from perform.bench.stage.written import (
    DECK_MODEL,
    DECK_SETLIST,
    deck,
    open_show,
    preset,
    setlist,
    write_files,
)
from perform.clock import OfflineClock, stopwatch
from perform.library import Library
from perform.networks import Device
from perform.rig import Rig
from perform.stage.balance import scaled

SIZE = (160, 90)
RATE = 30.0
STEPS = (3, 5, 11, 13)  # from one cue to the next: each plays all of 8 or 16 cues
FRAMES = 6  # of a change: a transition of four, and what comes after it
MOST_FRAMES = 1000  # until a network has drawn
LEAST_ROUNDS = 8  # in the first three some units draw for the first time
EDITED = "keeps"  # the preset that is edited
FILTERED = '\n[[filter]]\nshader = "{}"'
SCENES = {
    "film": '[source]\nfilm = "medusa.mp4"' + FILTERED.format("swarm"),
    "words": '[source]\ntext = "{value:.0f}"\nvalue = "beat.count"\nsize = 0.5' + FILTERED.format("bloom"),
    "again": '[[layer]]\n[layer.generator]\nshader = "tunnel"\n[[layer]]\nopacity = 0.8\nscale = 1.02\n'
    '[layer.source]\nfeedback = "scene"',
    "stage": '[[layer]]\n[layer.generator]\nshader = "stars"\n[[layer]]\nopacity = 0.5\n'
    '[layer.source]\nfeedback = "stage"',
    "keeps": '[generator]\nshader = "ink"' + FILTERED.format("echoes") + FILTERED.format("feedback"),
    "network": f'[generator]\nmodel = "{DECK_MODEL}"\n[latent]\npath = "walk"' + FILTERED.format("mirror"),
}


def objects_figures(
    _seconds: float | None, model: str | None, device: Device, changes: int
) -> Iterator[Figure]:
    """So many changes of scenes."""
    with tempfile.TemporaryDirectory() as name, traced() as objects:
        library = write_files(Path(name), object_files(object_scenes(model or DECK_MODEL)))
        with closing(open_show(library, "objects", size=SIZE, device=device)) as rig:
            began = stopwatch()
            least = LEAST_ROUNDS * len(STEPS) * len(rig.performance.cues)
            held = {done: Held.now(objects) for done in rounds(rig, library, max(changes, least))}
            took = stopwatch() - began
    yield Figure("scene_changes", max(held), "changes")
    yield from memory_figures([*held.values()], took, flat=False, suffix="_objects")
    yield from growth_figures([*held.values()], flat=True, suffix="_objects")


def object_scenes(model: str) -> dict[str, str]:
    """The presets, by name."""
    texts = {name: preset(name, text).replace(DECK_MODEL, model) for name, text in SCENES.items()}
    return texts | {f"deck{n}": deck(n, model) for n in (0, 1)}


def object_files(texts: Mapping[str, str]) -> dict[str, str]:
    """The presets of some scenes, and the setlist: each scene in a cue with a cut and in one with a fade."""
    cut, fade = "transition = { beats = 0 }", f"transition = {{ seconds = {4 / RATE} }}"
    cues = [f'scene = "{name}"\n{transition}' for transition in (cut, fade) for name in texts]
    files = {f"presets/{name}.toml": text for name, text in texts.items()}
    return files | {"setlists/objects.toml": setlist("Objects", cues, DECK_SETLIST)}


def rounds(rig: Rig, library: Library, changes: int) -> Iterator[int]:
    """Change the scene so many times at least, in whole rounds of all cues by each of STEPS, on both decks.
    Half of the cues come after an edit, which is taken back for the other half. Gives the changes so far
    after each round. In the first one, networks have time to draw."""
    hand, count = Hand(rig), len(rig.performance.cues)
    rig.clock, rig.balance = OfflineClock(RATE), None
    whole = count * len(STEPS)
    for number in range(math.ceil(changes / whole)):
        for (shift, step), place in product(enumerate(STEPS), range(count)):
            if place in (0, count // 2):
                _edit(rig, library, hand)
            hand.say("/scene", (place * step + shift) % count + 1.0)
            for _ in range(FRAMES):
                rig.frame()
            if not number:
                _draw_pictures(rig)
        yield (number + 1) * whole


def _draw_pictures(rig: Rig) -> None:
    """Play until the network of the scene has drawn two pictures, if it has one: so many are kept."""
    if rig.performance.cues[rig.performance.position.cue].cue.scene.models:
        drawn = rig.stage.pictures_made()
        for _ in range(MOST_FRAMES):
            if rig.stage.pictures_made() > drawn + 2:
                return
            rig.frame()


def _edit(rig: Rig, library: Library, hand: Hand) -> None:
    """Save a preset with a filter more, or without it, and draw the scenes at another size."""
    file = library.preset_file(EDITED)
    text = file.read_text(encoding="utf-8")
    more = FILTERED.format("posterise")
    file.write_text(text.removesuffix(more) if text.endswith(more) else text + more, encoding="utf-8")
    before = rig.performance.setlist
    hand.edit(show.load(show.find("objects", library), library, before))
    while rig.performance.setlist is before:
        rig.frame()
    smaller = rig.stage.size == SIZE
    rig.stage.resize(scaled(SIZE, 0.5 if smaller else 1.0), rig.performance.cues)
