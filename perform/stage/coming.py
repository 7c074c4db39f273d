"""A setlist that is not open yet: what is known of it, so that no frame that waits for it reads files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

from perform.library import Library
from perform.render import isf
from perform.render.shader import ShaderError
from perform.render.trials import Trials
from perform.scenes.controls import UnitSettings
from perform.scenes.scene import Role
from perform.scenes.setlist import Setlist
from perform.stage.pool import PoolKey

Shaders: TypeAlias = Mapping[tuple[str, Role], isf.ISF]


class Coming:
    """A setlist until it is open: its shaders as they were when it came, and how their trials ended.

    `keys` are those of the models of the scenes in the files called `shown`.
    """

    def __init__(self, setlist: Setlist, library: Library, trials: Trials | None) -> None:
        self.setlist = setlist
        self.shown: set[str] | None = None
        self.keys: list[PoolKey] = []
        self._library, self._trials = library, trials
        self._found: Shaders | None = None
        self._tried = False
        self._refused: dict[str, ShaderError] = {}  # by file

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
        shaders = self._shaders()
        over = [self._is_tried(shader, self._trials) for shader in shaders.values()]
        if all(over):
            self._found = _read_shaders(self.setlist, self._library)  # one saved meanwhile was tried itself
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


def _read_shaders(setlist: Setlist, library: Library) -> Shaders:
    """All shaders that a setlist plays, by name and role, without those that cannot be read."""
    units: list[tuple[UnitSettings, Role]] = []
    units += [(cue.transition.shader, "transition") for cue in setlist.cues]
    units += [(one, "transition") for one in [setlist.crossfader] if one]
    for scene in setlist.scenes:
        units += [(layer.source, "generator") for layer in scene.layers]
        filters = [one for layer in scene.layers for one in layer.filters]
        units += [(one, "filter") for one in (*filters, *scene.filters)]
    found: dict[tuple[str, Role], isf.ISF] = {}
    while units:
        settings, role = units.pop()
        units += [(image, "generator") for image in settings.images.values()]
        if settings.kind == "shader":
            with suppress(LookupError, ValueError, OSError):  # raised where its scene is opened
                found[settings.name, role] = library.isf(settings.name, role)
    return found
