"""What a frame of a shader costs, known from small pictures: a large one may take minutes, and nothing in
this process could stop it."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from perform.clock import Moment, processor_seconds, stopwatch
from perform.parameters import Parameter, Values
from perform.render import Image
from perform.render.context import is_software
from perform.render.shader import Shader

if TYPE_CHECKING:
    import moderngl

STANDSTILL = 20.0  # seconds of a frame that a show does not survive; an endless loop takes minutes
SMALL = (250, 1000)  # pixels of two pictures, from which the cost of the whole is known
TIMES = (0.0, 11.0, 101.0, 3601.0, 80_000.0)  # seconds: a loop may end only before or after some of them
MOST_WORDS = 8  # of a choice
LOUD = np.ones(64, np.float32)
Draw: TypeAlias = Callable[[Shader], object]
Situation: TypeAlias = tuple[str, float, Values]  # in words, seconds of the show, values of the inputs


class Costs:
    """Measures frames in a context. Where the processor draws, its own seconds count, as it also plays a
    show."""

    def __init__(self, context: moderngl.Context) -> None:
        software = is_software(context)
        self._finish = context.finish
        self._meter = processor_seconds if software else stopwatch
        self._cores = (os.cpu_count() or 1) if software else 1

    def seconds(self, unit: Shader, draw: Draw) -> float:
        """Seconds of one frame at the size that the unit has."""
        began = self._meter()
        draw(unit)
        self._finish()
        return (self._meter() - began) / self._cores

    def frame(self, unit: Shader, size: tuple[int, int], draw: Draw) -> float:
        """Seconds that a frame of `size` (width, height) would take; the unit has another size then."""
        found = self._from_small(unit, size, draw)
        return found if found < STANDSTILL else min(found, self._from_small(unit, size, draw))

    def _from_small(self, unit: Shader, size: tuple[int, int], draw: Draw) -> float:
        """What grows with the picture, and what stays whatever its size is."""
        whole, measured = size[0] * size[1], []
        for pixels in SMALL:
            share = min(math.sqrt(pixels / whole), 1.0)
            width, height = (max(round(side * share), 1) for side in size)
            unit.resize((width, height))
            measured.append((width * height, self.seconds(unit, draw)))
        (few, first), (more, second) = measured
        slope = max(second - first, 0.0) / max(more - few, 1)
        return second + slope * (whole - more)


def situations(parameters: Sequence[Parameter]) -> Iterator[Situation]:
    """What a show may bring: other times, and each input at either end, the others at their defaults."""
    defaults: dict[str, Any] = {p.name: None if p.kind == "sound" else p.default for p in parameters}
    for seconds in TIMES:
        yield f"at TIME = {seconds:g}", seconds, defaults
    for parameter in parameters:
        for value in _ends(parameter):
            shown = "a loud sound" if parameter.kind == "sound" else _shown(value)
            yield f"with {parameter.name} = {shown}", 1.0, defaults | {parameter.name: value}


def _ends(parameter: Parameter) -> Sequence[Any]:
    match parameter.kind:
        case "sound":
            return (LOUD,)
        case "bool" | "event":
            return (not parameter.default,)
        case "choice":
            return [word for word in parameter.choices if word != parameter.default][:MOST_WORDS]
        case "point" | "color":
            size = len(parameter.default) if isinstance(parameter.default, tuple) else 1
            return (parameter.low,) * size, (parameter.high,) * size
    return [end for end in (parameter.low, parameter.high) if end != parameter.default]


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def drawing(seconds: float, frame: int, values: Values, images: Sequence[Image]) -> Draw:
    """Draws a shader at a time of a show; a transition in its middle."""
    moment = Moment(seconds, frame, 1 / 30, 2 * seconds, seconds / 2, 120.0)
    return lambda unit: unit.render(moment, {"progress": 0.5, **values}, *images)
