"""A shader file at work: its passes, buffers, sounds and controls, as a unit of the picture's chain.

What ISF leaves to the host is decided here. TIME is the show's time, so that two shaders agree and a
reloaded one goes on where it was, and starts again after a day: after a week, the 32 bits that shaders
count with would step by frames. FRAMEINDEX and the 0 of TIMEDELTA count from this unit's first
frame, because shaders set their buffers up by them. DATE is counted from the first second of the
year 2000 and no calendar is asked: a take re-rendered tomorrow must give the same pixels. The last
pass is the output, also when it has a TARGET. Textures hold sRGB-encoded values (see `present`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from perform.clock import Moment
from perform.parameters import Parameter, Values
from perform.render import Releases, glsl
from perform.render.isf import ISF
from perform.render.isf_inputs import LARGEST_INT
from perform.render.isf_passes import Pass
from perform.render.sounds import Sound
from perform.render.stills import imported
from perform.render.strips import COPY, Strip
from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl

Owned = TypeVar("Owned", bound=Releases)
Setter: TypeAlias = Callable[[object], None]
EPOCH = datetime(2000, 1, 1)

DAY = 86_400.0  # seconds
LAST_FRAME = LARGEST_INT  # after a year at 60 frames/s; 1 follows, as 0 sets up anew
MOST_MEMORY = 2_000_000_000  # bytes of a shader's targets
SAMPLERS = {*range(0x8B5D, 0x8B65), *range(0x8DC0, 0x8DD9)}  # GL_SAMPLER_1D and so on
WARMTH = " "  # the name of no pass


class ShaderError(ValueError):
    """A shader that does not compile or link; the message has file and line."""


class Shader:
    """The shader of `isf`, drawing at `size` (width, height).

    With `heal`, targets of floats hold numbers only, whatever it computes. Raises ShaderError when it does
    not compile and ISFError when an imported image cannot be read; whatever was made until then is released.
    """

    def __init__(self, context: moderngl.Context, isf: ISF, size: tuple[int, int], heal: bool = True) -> None:
        self.isf, self._heal = isf, heal
        self.parameters: tuple[Parameter, ...] = isf.parameters
        self.size = size
        self._context = context
        self._frame = 0
        self._owned: list[Releases] = []  # released in the end, whatever happens
        self._targets: dict[str | None, Target] = {}
        self._resized = False  # since the last image
        try:
            self._build()
        except BaseException:
            self.release()
            raise

    def render(self, moment: Moment, values: Values, *images: moderngl.Texture | None) -> moderngl.Texture:
        """The shader's image at this moment, of its own until it renders again.

        `values` has one entry for every parameter, and `progress` for a transition; a sound's is an
        array [samples] or [channels, samples]. Images that are not given, or None, are black.
        """
        self._fit(values)
        self._set_controls(moment, values)
        for at, unit in enumerate(self._image_units):
            image = images[at] if at < len(images) else None
            (self._black if image is None else image).use(unit)
        for name, (sound, unit) in self._sounds.items():
            sound.texture(values.get(name)).use(unit)
        for unit, texture in self._stills:
            texture.use(unit)
        for index, step in enumerate(self.isf.passes):
            self._draw(index, step.target)
        self._frame = self._frame % LAST_FRAME + 1
        return self._targets[self.isf.passes[-1].target].texture

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size (width, height) from the next image on; the buffers that it keeps go on with
        what they hold, scaled."""
        if size != self.size:
            self.size, self._resized, self._sizes = size, True, self._no_sizes

    def warm(self) -> None:
        """Draw once and forget it: drivers compile a program when it draws first, which would be a late
        frame and memory that grows on stage. The image is another shader's: they compile for its form."""
        image = Target(self._context, self.size)
        self._targets[WARMTH] = image  # released with the others whatever happens
        values = {p.name: None if p.kind == "sound" else p.default for p in self.parameters}
        self.render(
            Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0),
            values | {"progress": 0.5},
            *[image.texture] * len(self._image_units),
        )
        if self._copy:
            size = self.size
            self.resize((max(size[0] // 2, 1), max(size[1] // 2, 1)))
            self._fit(values)
            self.size = size
        for target in self._targets.values():
            target.release()
        self._targets.clear()
        self._sizes, self._frame = self._no_sizes, 0

    def release(self) -> None:
        """Release textures and programs; safe to call twice."""
        for thing in (*self._targets.values(), *reversed(self._owned)):
            thing.release()
        self._targets.clear()
        self._owned.clear()

    def _build(self) -> None:
        self._programs = [self._compiled(index) for index in range(len(self.isf.passes))]
        self._strips = [self._own(self._context.vertex_array(program, [])) for program in self._programs]
        keeps = any(step.persistent for step in self.isf.passes)
        self._copy = Strip(self._context, COPY) if keeps else None
        self._black = self._own(self._context.texture((1, 1), 4, b"\0\0\0\xff"))
        units = self._bind_samplers()
        self._image_units = [units[name] for name in self.isf.images]
        self._sounds = {
            p.name: (self._own(self._sound(p)), units[p.name]) for p in self.parameters if p.kind == "sound"
        }
        self._stills = [
            (units[n], self._own(imported(self._context, p))) for n, p in self.isf.imported.items()
        ]
        self._stills += [(unit, self._black) for unit in self._bind_undeclared(len(units))]
        self._target_units = {name: units[name] for name in self._target_names()}
        self._controls = [*self._control_setters()]
        self._events: dict[str, bool] = {p.name: False for p in self.parameters if p.kind == "event"}
        self._plan_sizes()

    def _compiled(self, index: int) -> moderngl.Program:
        """The program of one pass. PASSINDEX is a constant in it: software GL draws both sides of every
        branch, and a pass would pay for all the others at its own size (llvmpipe, one run: a bloom of
        eight passes is 9 times faster so, other shaders of two or three passes 2 to 3 times)."""
        import moderngl

        vertex, fragment = (glsl.for_pass(text, index) for text in (self.isf.vertex, self.isf.fragment))
        if self.isf.passes[index].floating and self._heal:
            fragment = glsl.healing(fragment)
        try:
            return self._own(self._context.program(vertex, fragment_shader=fragment))
        except moderngl.Error as error:
            raise ShaderError(glsl.explain(str(error), self.isf.files, self.isf.fragment)) from None

    def _own(self, thing: Owned) -> Owned:
        self._owned.append(thing)
        return thing

    def _sound(self, parameter: Parameter) -> Sound:
        wave = parameter.default == "audio.waveform"
        return Sound(self._context, wave, self.isf.samples.get(parameter.name))

    def _target_names(self) -> list[str]:
        return [*dict.fromkeys(step.target for step in self.isf.passes if step.target)]

    def _sampler_names(self) -> list[str]:
        sounds = [p.name for p in self.parameters if p.kind == "sound"]
        return [*self.isf.images, *sounds, *self.isf.imported, *self._target_names()]

    def _bind_samplers(self) -> Mapping[str, int]:
        """A texture unit for every sampler that the header declares, used or not."""
        units = {name: unit for unit, name in enumerate(self._sampler_names())}
        for name, unit in units.items():
            self._setter(name, int)(unit)
        return units

    def _bind_undeclared(self, first: int) -> Sequence[int]:
        """Texture units, from `first` on, for the samplers that only the text declares: two kinds of sampler
        on one unit would be an error of OpenGL."""
        known = {self.isf.renamed.get(name, name) for name in self._sampler_names()}
        names = sorted(_samplers(self._programs) - known)
        for unit, name in enumerate(names, first):
            _setter(self._programs, name, int)(unit)
        return range(first, first + len(names))

    def _control_setters(self) -> Sequence[tuple[str, Setter]]:
        names = {
            p.name: _reader(p, self.isf.options.get(p.name)) for p in self.parameters if p.kind != "sound"
        }
        if self.isf.kind == "transition":
            names["progress"] = float
        return [(name, self._setter(name, read)) for name, read in names.items()]

    def _setter(self, name: str, read: Callable[[Any], Any]) -> Setter:
        """Sets what the header declares as `name`."""
        return _setter(self._programs, self.isf.renamed.get(name, name), read)

    def _plan_sizes(self) -> None:
        self._render_sizes = [_setter([program], "RENDERSIZE", tuple) for program in self._programs]
        self._time = _setter(self._programs, "TIME", float)
        self._time_delta = _setter(self._programs, "TIMEDELTA", float)
        self._frame_index = _setter(self._programs, "FRAMEINDEX", int)
        self._date = _setter(self._programs, "DATE", _date)
        sizes = [size for step in self.isf.passes for size in (step.width, step.height) if size]
        self._size_names = sorted({name for size in sizes for name in size.names} - {"WIDTH", "HEIGHT"})
        self._no_sizes: tuple[object, ...] = ("none yet",)
        self._sizes = self._no_sizes
        uses = Counter(step.target for step in self.isf.passes)
        self._doubles = {s.target for s in self.isf.passes if s.persistent or uses[s.target] > 1}

    def _set_controls(self, moment: Moment, values: Values) -> None:
        for name, set_value in self._controls:
            set_value(self._begun(name, values[name]) if name in self._events else values[name])
        self._time(moment.seconds % DAY)
        self._time_delta(moment.dt if self._frame else 0.0)
        self._frame_index(self._frame)
        self._date(moment.seconds)

    def _begun(self, name: str, value: object) -> bool:
        """An event is true on the frame on which it begins, however long its value stays. The controls see
        the edge of a formula only: a preset's constant stays, and so does what is held again and again."""
        before, self._events[name] = self._events[name], bool(value)
        return bool(value) and not before

    def _fit(self, values: Values) -> None:
        """Give every target the size of its expressions if their values have changed."""
        named = tuple(values[name] for name in self._size_names)
        if named == self._sizes:
            return
        width, height = self.size
        known = dict(zip(self._size_names, named, strict=True)) | {"WIDTH": width, "HEIGHT": height}
        sizes = [
            (step.width(known) if step.width else width, step.height(known) if step.height else height)
            for step in self.isf.passes
        ]
        self._check_memory(sizes)
        for step, size in zip(self.isf.passes, sizes, strict=True):
            self._retarget(step, size)
        self._sizes, self._resized = named, False

    def _check_memory(self, sizes: Sequence[tuple[int, int]]) -> None:
        needed = {
            step.target: width
            * height
            * (8 if step.floating else 4)
            * (2 if step.target in self._doubles else 1)
            for step, (width, height) in zip(self.isf.passes, sizes, strict=True)
        }
        if (total := sum(needed.values())) > MOST_MEMORY:
            raise ShaderError(
                f"{self.isf.name}:1: its passes need {total / 1e9:.1f} GB, must be at most"
                f" {MOST_MEMORY / 1e9:g} GB"
            )

    def _retarget(self, step: Pass, size: tuple[int, int]) -> None:
        held = self._targets.get(step.target)
        if held and held.size == size:
            return
        double = step.target is not None and step.target in self._doubles
        target = self._targets[step.target] = Target(self._context, size, step.floating, double)
        if step.persistent and held and self._resized:
            self._copied(held, target)
        elif step.persistent:
            self._frame = 0  # shaders set up what they keep when FRAMEINDEX is 0
        if held:
            held.release()

    def _copied(self, source: Target, target: Target) -> None:
        """Draw what a target holds into another, scaled."""
        if self._copy:
            source.texture.use(0)
            self._copy.draw(target, image=0)

    def _draw(self, index: int, name: str | None) -> None:
        """One pass. Its own target is read as it was before, or as black when nothing is kept of it:
        a texture must not be read while it is drawn into."""
        target = self._targets[name]
        target.framebuffer.use()
        for other, unit in self._target_units.items():
            kept = other != name or target.double
            (self._targets[other].texture if kept else self._black).use(unit)
        self._render_sizes[index](target.size)
        self._strips[index].render(self._context.TRIANGLE_STRIP, 4)
        target.drawn()


def _samplers(programs: Sequence[moderngl.Program]) -> set[str]:
    """The names of the samplers that programs use."""
    members = [(name, program[name]) for program in programs for name in program]
    return {name for name, member in members if getattr(member, "gl_type", 0) in SAMPLERS}


def _setter(programs: Sequence[moderngl.Program], name: str, read: Callable[[Any], Any]) -> Setter:
    """Sets a uniform when its value is another than before, in the programs that use it."""
    found: list[Any] = [program.get(name, None) for program in programs]
    uniforms = [uniform for uniform in found if uniform is not None]
    last: object = None

    def set_value(value: object) -> None:
        nonlocal last
        if value != last:
            for uniform in uniforms:
                uniform.value = read(value)
            last = value

    return set_value


def _reader(parameter: Parameter, options: Mapping[str, int] | None) -> Callable[[Any], Any]:
    """From a parameter's value to what its uniform takes."""
    match parameter.kind:
        case "choice" if options:
            return options.__getitem__
        case "int":
            return round
        case "bool" | "event":
            return bool
        case "point" | "color":
            return tuple
    return float


def _date(seconds: float) -> tuple[float, float, float, float]:
    """Year, month, day and seconds of the day, `seconds` after the year 2000 began."""
    day = EPOCH + timedelta(days=seconds // 86400)
    return float(day.year), float(day.month), float(day.day), seconds % 86400
