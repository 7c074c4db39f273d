"""Shows of a film, a still and a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perform.arrays import Pixels
from perform.clock import OfflineClock
from perform.footage.opening import Opener
from perform.library import Library
from perform.performance import Performance
from perform.render.context import headless
from perform.render.present import Present
from perform.render.readback import Readback
from perform.rig import Rig
from perform.scenes.look import Look
from perform.show import find, load
from perform.stage import Stage
from perform.stage.pool import ModelPool
from tests.doubles.edits import Edited
from tests.doubles.library import CUT
from tests.doubles.reels import number

SIZE = (64, 48)
OVER = """/*{"ISFVSN": "2", "INPUTS": [
    {"NAME": "inputImage", "TYPE": "image"}, {"NAME": "over", "TYPE": "image"}]}*/
void main() { vec4 o = IMG_THIS_PIXEL(over); gl_FragColor = IMG_THIS_PIXEL(inputImage) * (1.0 - o.a) + o; }
"""
FILM = f'title = "Film"\n{CUT}[source]\nfilm = "film.mp4"\nfit = "fill"\nsharpness = 0\n'
STILL = f'title = "Still"\n{CUT}[source]\nstill = "still.png"\nfit = "fill"\n'
CAMERA = f'title = "Camera"\n{CUT}[source]\ncamera = ""\nmirror = false\nfit = "fill"\nsharpness = 0\n'


def nobody(_key: object) -> Any:
    raise AssertionError("no model is played here")


class FootageShow:
    """A rig on an offline clock of 25 frames a second, whose folder a test can edit."""

    def __init__(self, folder: Path, name: str, footage: Opener | None = None) -> None:
        self.folder = folder
        library, context = Library(folder), headless()
        file = find(name, library)
        setlist = load(file, library)
        stage = Stage(library, context, SIZE, ModelPool(nobody), footage)
        performance = Performance(setlist, stage.open(setlist))
        self.edits = Edited(file, library)
        present = Present(context, SIZE)
        self.rig = Rig(OfflineClock(25), context, stage, performance, present, edits=self.edits)
        self._readback = Readback(context, SIZE)

    def frame(self) -> Pixels:
        self.rig.frame()
        assert self.rig.picture is not None
        image = self.rig.present.render(self.rig.picture.image, Look())
        return self._readback.read(image)

    def numbers(self, frames: int) -> list[int]:
        return [number(self.frame()) for _ in range(frames)]

    @property
    def faults(self) -> list[str]:
        return list(self.rig.stage.faults.counts)
