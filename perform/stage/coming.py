"""A setlist that is not open yet: what is known of it, so that no frame that waits for it reads files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from perform.library import Library
from perform.render import isf
from perform.render.shader import ShaderError
from perform.render.trials import Trials
from perform.scenes.controls import UnitSettings
from perform.scenes.scene import Role
from perform.scenes.setlist import Setlist
from perform.stage.ahead import Ahead
from perform.stage.pool import PoolKey

Shaders: TypeAlias = Mapping[tuple[str, Role], isf.ISF]


class Coming:
    """A setlist until it is open: its shaders as they were when it came, and how their trials ended.

    `ahead` is what was made for it, or for an edit `before` it.
    """

    def __init__(
        self, setlist: Setlist, library: Library, trials: Trials | None, before: Coming | None = None
    ) -> None:
        self.setlist = setlist
        self.ahead: Ahead = Ahead(before.ahead.made if before else ())
        self._shown: set[str] | None = None  # the files that were asked for last
        self._keys: list[PoolKey] = []  # of their models
        self._library, self._trials = library, trials
        self._found: Shaders | None = None
        self._tried = False
        self._refused: dict[str, ShaderError] = {}  # by file

    def pool_keys(self, shape: tuple[int, int], shown: Sequence[Path] | None = None) -> list[PoolKey]:
        """The keys of the models of all its scenes, or of those in the files `shown` and over them, each
        once; `shape` (width, height) is that of the show."""
        names = None if shown is None else {file.name for file in shown}
        if names is not None and names == self._shown:
            return self._keys
        over = self.setlist.over
        scenes = [
            one for one in self.setlist.scenes if names is None or one.file.name in names or one is over
        ]
        layers = [layer for scene in scenes for layer in scene.layers if layer.model]
        keys = list(dict.fromkeys(PoolKey.of(layer, self._library, shape) for layer in layers))
        if names is not None:
            self._shown, self._keys = names, keys
        return keys

    def shader(self, name: str, role: Role) -> isf.ISF:
        """One of its shaders. ShaderError if its trial refused it; LookupError, ValueError or OSError if it
        cannot be read."""
        shader = self._shaders().get((name, role)) or self._library.isf(name, role)
        if refusal := self._refused.get(shader.name):
            raise refusal
        return shader

    def wait(self) -> None:
        """Wait for the trials of all its shaders."""
        if self._trials:
            self._trials.wait([*self._shaders().values()])

    def tried(self) -> bool:
        """Whether the trials of all its shaders are over; the first call reads them and begins their
        trials."""
        if not self._trials or self._tried:
            return True
        just_read = self._found is None
        shaders = self._shaders()
        over = [self._is_tried(shader, self._trials) for shader in shaders.values()]
        if all(over):
            if not just_read:
                self._found = _read_shaders(self.setlist, self._library)  # one may be saved meanwhile
            self._tried = self._found == shaders
        return self._tried

    def _is_tried(self, shader: isf.ISF, trials: Trials) -> bool:
        """Whether the trial of a shader is over; one that is refused is noted."""
        self._refused.pop(shader.name, None)
        try:
            return trials.passed([shader])
        except ShaderError as error:
            self._refused[shader.name] = error
            return True

    def _shaders(self) -> Shaders:
        if self._found is None:
            self._found = _read_shaders(self.setlist, self._library)
        return self._found


def played_units(setlist: Setlist) -> Iterator[tuple[UnitSettings, Role]]:
    """What a setlist opens but compositors, each as often as it is open: the units of a scene in several cues
    twice, once for each deck."""
    for cue in setlist.cues:
        yield cue.transition.shader, "transition"
    if setlist.crossfader:
        yield setlist.crossfader, "transition"
    times = Counter(cue.scene.file for cue in setlist.cues)
    scenes = {scene.file: scene for scene in setlist.scenes}
    for scene in scenes.values():
        for _ in range(min(times[scene.file], 2) or 1):
            yield from ((layer.source, "generator") for layer in scene.layers)
            filters = (one for layer in scene.layers for one in layer.filters)
            yield from ((one, "filter") for one in (*filters, *scene.filters))


def _read_shaders(setlist: Setlist, library: Library) -> Shaders:
    """All shaders that a setlist plays, by name and role, without those that cannot be read."""
    units = [*played_units(setlist)]
    found: dict[tuple[str, Role], isf.ISF] = {}
    while units:
        settings, role = units.pop()
        units += [(image, "generator") for image in settings.images.values()]
        if settings.kind == "shader" and (settings.name, role) not in found:
            with suppress(LookupError, ValueError, OSError):  # raised where its scene is opened
                found[settings.name, role] = library.isf(settings.name, role)
    return found
