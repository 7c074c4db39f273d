"""Opens footage: decoded with each frame, or in the background and with cameras."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from perform.footage import CAMERA, FILM, SHARED, stills
from perform.footage.projector import Projector, SynchronousProjector, ThreadedProjector
from perform.footage.reel import Reel
from perform.footage.text import TEXT, Text
from perform.footage.units import CameraSource, Film, Still
from perform.inputs.camera import Cameras
from perform.parameters import Parameter
from perform.render import Unit
from perform.render.pictures import PARAMETERS, Pictures

if TYPE_CHECKING:
    import moderngl


def parameters(kind: str, file: Path | None, name: str = "") -> tuple[Parameter, ...]:
    """The parameters of a film or a still in a file, of a live picture, or of a text `name`. Raises
    FootageError if the file cannot be played."""
    if kind == "text":
        return (replace(TEXT[0], default=name), *TEXT[1:])
    if file is None:
        return (*(CAMERA if kind == "camera" else SHARED), *PARAMETERS)
    if kind == "still":
        stills.check(file)
        return PARAMETERS
    Reel(file, (64, 64)).close()
    return (*FILM, *PARAMETERS)


@dataclass(slots=True)
class Opener:
    """Opens footage for a stage. `background`: films decode on their own threads, stills are read again when
    they are saved. Without `cameras` no camera is there."""

    background: bool = False
    cameras: Cameras | None = None
    _open: WeakSet[Projector | stills.WatchedStill] = field(default_factory=WeakSet)

    def film(self, file: Path, context: moderngl.Context, size: tuple[int, int]) -> Unit:
        """A film, for images of `size` (width, height). Raises FootageError."""
        reel = Reel(file, size)
        projector: Projector = ThreadedProjector(reel) if self.background else SynchronousProjector(reel)
        self._open.add(projector)
        return Film(projector, Pictures(context, size, reel.alpha))

    def still(self, file: Path, context: moderngl.Context, size: tuple[int, int]) -> Unit:
        """A still. Raises FootageError."""
        pixels = stills.read(file)
        saved = stills.WatchedStill(file) if self.background else None
        self._open |= {saved} if saved else set()
        return Still(pixels, Pictures(context, size, alpha=True), saved)

    def camera(
        self, name: str, context: moderngl.Context, size: tuple[int, int], fallback: Unit | None
    ) -> Unit:
        """A camera by a part of its name, its number or its path; empty: the first; or `KIND:NAME`, another
        program's picture."""
        camera = None if self.cameras is None else self.cameras.camera(name)
        return CameraSource(camera, Pictures(context, size), context, fallback)

    def text(self, font: str, file: str, context: moderngl.Context, size: tuple[int, int]) -> Unit:
        """A text in a font, by default that of a file. Raises FootageError."""
        return Text(context, size, font, file, self.background)

    def close(self) -> None:
        """Close files and stop threads; safe to call twice."""
        for one in list(self._open):
            one.close()
