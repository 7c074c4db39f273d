"""Network bending: operations on the activations inside a network, as declared controls.

The idea and most operations are Broad, Leymarie and Grierson's (Network bending, 2021): a trained
network is played from within, by changing the output of one of its layers. The layer and the operation are
fixed when a scene is loaded, since they are compiled into the network; all other values can move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from perform.arrays import Floats
from perform.networks.controls import Controls, ControlValue
from perform.parameters import Parameter, name_hint

BEND_AMOUNT = Parameter("amount", 1.0, 0.0, 1.0, description="how much of it: 0 the activations as they are")
CHANNELS = Parameter(
    "channels",
    (0.0, 1.0),
    0.0,
    1.0,
    description="which channels: the first and the last, as shares of all",
    kind="point",
)
RADIUS = Parameter(
    "radius", "1", unit="cells", description="how far it reaches", kind="choice", choices=("1", "2", "4")
)
OPERATIONS: dict[str, tuple[Parameter, ...]] = {
    "ablate": (),
    "scale": (Parameter("factor", 2.0, -8.0, 8.0, description="what activations are multiplied by"),),
    "threshold": (Parameter("level", 0.5, -8.0, 8.0, description="above it 1, below it 0"),),
    "invert": (),
    "rotate": (Parameter("turns", 0.25, -4.0, 4.0, "turns", "how far, counterclockwise"),),
    "translate": (
        Parameter("x", 0.25, -1.0, 1.0, "widths", "to the right"),
        Parameter("y", 0.0, -1.0, 1.0, "heights", "upwards"),
    ),
    "zoom": (Parameter("factor", 1.5, 0.1, 8.0, description="above 1 larger"),),
    "warp": (
        Parameter("depth", 0.1, 0.0, 1.0, "widths", "how far waves displace"),
        Parameter("waves", 2.0, 0.1, 16.0, description="how many there are across"),
        Parameter("phase", 0.0, -1e4, 1e4, "turns", "where they are"),
    ),
    "erode": (RADIUS,),
    "dilate": (RADIUS,),
    "blur": (RADIUS,),
    "feedback": (),
}
MOST_FEEDBACK = 0.98  # at 1 nothing would ever change


@dataclass(frozen=True, slots=True)
class Bend:
    """One operation at one layer; fixed when a scene is loaded. `values` are its live controls."""

    operation: str
    layer: str
    radius: int = 1

    @property
    def values(self) -> tuple[Parameter, ...]:
        """The controls that move, `channels` taking two numbers."""
        own = (p for p in OPERATIONS[self.operation] if p.playable)
        return CHANNELS, BEND_AMOUNT, *own

    @property
    def count(self) -> int:
        """How many numbers the live controls take."""
        return 1 + len(self.values)

    @property
    def remembers(self) -> bool:
        """Whether it uses its own last result."""
        return self.operation == "feedback"


def bend_parameters(operation: str, layers: Sequence[str]) -> tuple[Parameter, ...]:
    """The keys of a bend in a preset. LookupError for an unknown operation, ValueError without layers."""
    if operation not in OPERATIONS:
        raise LookupError(f"there is no such operation{name_hint(operation, OPERATIONS)}")
    if not layers:
        raise ValueError("this model's layers cannot be bent")
    layer = Parameter(
        "layer", layers[0], description="whose activations", kind="choice", choices=tuple(layers)
    )
    return layer, CHANNELS, BEND_AMOUNT, *OPERATIONS[operation]


def bend(operation: str, values: Mapping[str, object]) -> Bend:
    """The bend that values of `bend_parameters` describe."""
    return Bend(operation, str(values["layer"]), int(str(values.get("radius", 1))))


def pack_values(bends: Sequence[Bend], values: Sequence[Controls]) -> Floats:
    """The live values of bends, by name, as one array. Missing values have their defaults."""
    numbers: list[ControlValue] = []
    for i, one in enumerate(bends):
        given = values[i] if i < len(values) else {}
        for parameter in one.values:
            value = given.get(parameter.name, parameter.default)
            numbers += value if isinstance(value, tuple | list) else [value]
    return np.array(numbers, np.float32)
