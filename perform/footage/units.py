"""Films, stills and cameras as units of the picture's chain; and shaders that take them as images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Pixels
from perform.clock import Moment
from perform.footage import CAMERA, FILM, FilmFrame
from perform.footage.course import Transport
from perform.footage.projector import Projector
from perform.footage.stills import WatchedStill
from perform.inputs.camera import Camera, View
from perform.parameters import Parameter, Values
from perform.render import Image, Rewinds, Unit
from perform.render.pictures import PARAMETERS, Pictures
from perform.render.shader import Shader
from perform.render.standstills import Watched
from perform.render.strips import Strip
from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl

BACK = 0.5  # seconds in which a camera that is back takes the place of the fallback
_MIX = """
uniform sampler2D first;
uniform sampler2D second;
uniform float share;

void main() {
    color = mix(texture(first, place), texture(second, place), share);
}
"""


class Film:
    """A film, in time with the show."""

    parameters: tuple[Parameter, ...] = (*FILM, *PARAMETERS)

    def __init__(self, projector: Projector, pictures: Pictures) -> None:
        self._projector, self._pictures = projector, pictures
        self._transport = Transport()
        self._shown: tuple[FilmFrame, ...] = ()  # the one that is on, and the one it is mixed with

    def rewind(self) -> None:
        """Start again."""
        self._transport.rewind()

    def render(self, moment: Moment, values: Values, *_images: Image) -> Image:
        """The film's picture at this moment."""
        course = self._transport.step(moment, values, self._projector.length)
        shot = self._projector.ask(course)
        after = self._projector.following(course, shot) if values["blend"] else None
        if after is None or after is shot:
            self._show(shot)
            return self._pictures.render(moment, values)
        self._show(shot, after)
        share = (course.at - shot.start) / (shot.end - shot.start)
        return self._pictures.render(moment, values, share)

    def _show(self, *shots: FilmFrame) -> None:
        """Upload what is not there yet; the newest is the last."""
        if shots != self._shown and shots != self._shown[-1:]:
            for shot in shots[1:] if self._shown[-1:] == shots[:1] else shots:
                self._pictures.upload(shot.pixels)
        self._shown = shots

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from now on; it is decoded as before."""
        self._pictures.resize(size)

    def release(self) -> None:
        """Close the file and release textures; safe to call twice."""
        self._projector.stop()
        self._pictures.release()


class Still:
    """A still picture; with `saved`, as its file was saved last."""

    parameters: tuple[Parameter, ...] = PARAMETERS

    def __init__(self, pixels: Pixels, pictures: Pictures, saved: WatchedStill | None = None) -> None:
        self._pictures, self._saved = pictures, saved
        pictures.upload(pixels)

    def render(self, moment: Moment, values: Values, *_images: Image) -> Image:
        """The picture."""
        new = self._saved.take() if self._saved else None
        if new is not None:
            self._pictures.upload(new)
        return self._pictures.render(moment, values)

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from now on."""
        self._pictures.resize(size)

    def release(self) -> None:
        """Release textures; safe to call twice."""
        if self._saved:
            self._saved.close()
        self._pictures.release()


class CameraSource:
    """A camera's newest picture. When the camera is gone (None: it never was there), its last picture stays
    for `hold` seconds and then becomes the image of `fallback`, or black, in `fade` seconds; when it is back,
    it is seen at once. It is not back while it repeats its last picture, as drivers do after an unplug.

    The last picture of another program, which `may_stay` the same, stays for ever if it has no fallback."""

    parameters: tuple[Parameter, ...] = (*CAMERA, *PARAMETERS)

    def __init__(
        self,
        camera: Camera | None,
        pictures: Pictures,
        context: moderngl.Context,
        fallback: Unit | None = None,
    ) -> None:
        self._camera, self._pictures, self._fallback = camera, pictures, fallback
        self._context = context
        self._mixed = Target(context, pictures.size)
        self._mix = Strip(context, _MIX)
        self._black = context.texture((1, 1), 4, bytes(4))  # clear over layers
        self._number, self._view = 0, View()
        self._last: Pixels | None = None
        self._lost = False
        self._gone = 0.0  # seconds since the camera went
        self._share = 1.0  # of the fallback

    def rewind(self) -> None:
        """Start the fallback again."""
        if isinstance(self._fallback, Rewinds):
            self._fallback.rewind()

    def render(self, moment: Moment, values: Values, *_images: Image) -> Image:
        """What the camera sees, or what is seen in its place."""
        here = self._look(bool(values["mirror"]), bool(values["lift"]))
        self._gone = 0.0 if here else self._gone + moment.dt
        if here:
            self._share = max(self._share - moment.dt / BACK, 0.0)
        elif self._gone > values["hold"] and not self._stays:
            self._share = min(self._share + moment.dt / max(values["fade"], 1e-3), 1.0)
        seen = self._pictures.render(moment, values)
        return self._faded(seen, moment, values) if self._share else seen

    @property
    def _stays(self) -> bool:
        """Whether the last picture of what is gone stays."""
        shared = self._camera is not None and self._camera.may_stay
        return shared and self._last is not None and self._fallback is None

    def _look(self, mirror: bool, lift: bool) -> bool:
        """Take the newest picture; whether the camera is there."""
        shot = self._camera.newest if self._camera else None
        if self._camera is None or shot is None or not self._camera.here:
            self._lost = True
            return False
        last = None if self._camera.may_stay else self._last
        if self._lost and last is not None and np.array_equal(shot.pixels, last):
            return False
        view = View(mirror=mirror, lift=lift)
        if (shot.number, view) != (self._number, self._view):
            self._number, self._view, self._last = shot.number, view, shot.pixels
            self._pictures.upload(view.of(shot.pixels))
        self._lost = False
        return True

    def _faded(self, seen: Image, moment: Moment, values: Values) -> Image:
        other = self._fallback.render(moment, values["fallback"]) if self._fallback else self._black
        if self._share >= 1:
            return other
        seen.use(0)
        other.use(1)
        if self._mixed.size != self._pictures.size:
            self._mixed.release()
            self._mixed = Target(self._context, self._pictures.size)
        self._mix.draw(self._mixed, first=0, second=1, share=self._share)
        return self._mixed.texture

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from now on."""
        self._pictures.resize(size)
        if self._fallback:
            self._fallback.resize(size)

    def release(self) -> None:
        """Release textures; the camera stays open for others."""
        self._pictures.release()
        for thing in (self._mixed, self._black, self._fallback):
            if thing is not None:
                thing.release()


class FedShader:
    """A shader with sources for its images, by the images' names."""

    def __init__(self, shader: Shader | Watched, sources: Mapping[str, Unit], leading: int) -> None:
        """`leading` is how many images come from the chain: 0 for a generator, 1 for a filter."""
        self.parameters: tuple[Parameter, ...] = shader.parameters
        self._shader, self._sources = shader, sources
        self._names = shader.isf.images[leading:]

    def rewind(self) -> None:
        """Start films again."""
        for source in self._sources.values():
            if isinstance(source, Rewinds):
                source.rewind()

    def render(self, moment: Moment, values: Values, *images: Image) -> Image:
        """The shader's image, of those that come in and those of its sources."""
        drawn = {name: one.render(moment, values[name]) for name, one in self._sources.items()}
        return self._shader.render(moment, values, *images, *(drawn.get(name) for name in self._names))

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from now on, the sources too."""
        for unit in (self._shader, *self._sources.values()):
            unit.resize(size)

    def release(self) -> None:
        """Release textures and programs; safe to call twice."""
        for unit in (self._shader, *self._sources.values()):
            unit.release()
