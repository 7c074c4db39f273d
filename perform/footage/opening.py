"""Opens footage: in step with the frames, or beside them and with cameras."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from perform.footage import CAMERA, FILM, stills
from perform.footage.projector import Beside, InStep
from perform.footage.reel import Reel
from perform.footage.units import Film, Looking, Still
from perform.inputs.camera import Cameras
from perform.parameters import Parameter
from perform.render import Unit
from perform.render.pictures import PARAMETERS, Pictures

if TYPE_CHECKING:
    import moderngl


def parameters(kind: str, file: Path | None) -> tuple[Parameter, ...]:
    """What may be set of a film or a still in a file, or of a camera. Raises FootageError when the file
    cannot be played."""
    if kind == "camera" or file is None:
        return (*CAMERA, *PARAMETERS)
    if kind == "still":
        stills.check(file)
        return PARAMETERS
    Reel(file, (64, 64)).close()
    return (*FILM, *PARAMETERS)


@dataclass(slots=True)
class Opener:
    """Opens footage for a stage. `beside`: films decode on threads of their own, stills are read anew when
    they are saved; without `cameras` every camera is one that is not there."""

    beside: bool = False
    cameras: Cameras | None = None
    _working: WeakSet[Any] = field(default_factory=WeakSet)  # what has threads

    def film(self, file: Path, context: moderngl.Context, size: tuple[int, int]) -> Unit:
        """A film, for images of `size` (width, height). Raises FootageError."""
        reel = Reel(file, size)
        projector = Beside(reel) if self.beside else InStep(reel)
        self._working.add(projector)
        return Film(projector, Pictures(context, size, reel.alpha))

    def still(self, file: Path, context: moderngl.Context, size: tuple[int, int]) -> Unit:
        """A still. Raises FootageError."""
        pixels = stills.read(file)
        saved = stills.Saved(file) if self.beside else None
        self._working |= {saved} if saved else set()
        return Still(pixels, Pictures(context, size, alpha=True), saved)

    def camera(
        self, name: str, context: moderngl.Context, size: tuple[int, int], fallback: Unit | None
    ) -> Unit:
        """A camera by a part of its name, its number or its path; empty: the first."""
        camera = None if self.cameras is None else self.cameras.camera(name)
        return Looking(camera, Pictures(context, size), context, fallback)

    def close(self) -> None:
        """Stop what works on threads of its own; safe to call twice."""
        for one in list(self._working):
            one.close()
