"""From a latent to a plant: its petals, leaves, stem and stamens in space, before any light falls on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles
from perform.flora.petals import Blades
from perform.flora.varieties import Form, form_at

MOST_PETALS, MOST_STAMENS = 46, 44
GOLDEN = np.pi * (3 - 5**0.5)
# Each petal's own numbers; a latent moves along waves of them, and so never jumps to other ones.
_DICE = np.random.default_rng(1637)
_PHASES = _DICE.uniform(0, 2 * np.pi, (8, MOST_PETALS))
_WAYS = _DICE.uniform(-1.2, 1.2, (2, 8, MOST_PETALS))


@dataclass(frozen=True, slots=True)
class Plant:
    """The flower's numbers: `form` as this flower has it, and its petals from the outside inwards."""

    form: Form
    petals: Blades
    growth: Doubles  # [petals] 0 not there .. 1 grown
    layer: Doubles  # [petals] 0 outer .. 1 inner
    axis: Doubles  # [3, 3] turns the flower's own axes (z upwards) into the world's
    bloom: float


def plant(numbers: Mapping[str, float]) -> Plant:
    """The plant of what a latent stands for (`dimensions.describe`)."""
    form = _own(form_at(np.array([numbers["kind_x"], numbers["kind_y"], numbers["kind_z"]])), numbers)
    number = np.arange(MOST_PETALS)
    growth = _smooth(np.clip((form.petals - number) / 1.2, 0, 1))
    present = int(np.count_nonzero(growth))
    growth, number = growth[:present], number[:present]
    layer = np.clip((0.7 * (number // 3 * 3 + 1) + 0.3 * number) / form.petals, 0, 1)
    petals = _petals(form, numbers, number, growth, layer)
    return Plant(form, petals, growth, layer, _axis(form, numbers), numbers["bloom"])


def _own(form: Form, numbers: Mapping[str, float]) -> Form:
    """A kind's form with what this flower has of its own."""
    fuller = np.log1p(np.exp(3 * numbers["fullness"] - 2.2)) * 0.11  # more petals: seldom; fewer: never
    return replace(
        form,
        petals=form.petals + 0.3 + fuller * form.petals,
        width=form.width * numbers["breadth"],
        point=form.point * np.exp(0.22 * numbers["point"]),
        blunt=form.blunt * np.exp(-0.18 * numbers["point"]),
        ruffle=form.ruffle * numbers["ruffle"],
        waves=form.waves * numbers["ruffle_scale"],
        pistil=form.pistil * numbers["stamens"],
        filament=form.filament * numbers["stamens"],
        anther=form.anther * numbers["stamens"],
        leaves=form.leaves * numbers["leaves"],
    )


def _petals(
    form: Form, numbers: Mapping[str, float], number: NDArray[np.int64], growth: Doubles, layer: Doubles
) -> Blades:
    odd = _differences(numbers, len(number))
    open_ = _openness(numbers["bloom"], form, layer)
    spent = _smooth(np.clip((numbers["bloom"] - 0.62) / 0.38, 0, 1))
    loose = numbers["disorder"] * (0.22 + 0.78 * open_) * (1 + 0.8 * spent)
    degrees = np.pi / 180

    def between(shut: float, wide: float) -> Doubles:
        return np.asarray((shut + (wide - shut) * open_) * degrees)

    size = growth * (1 - form.inner * layer) * (1 + 0.07 * numbers["disorder"] * odd[0])
    heart = 1 + (numbers["heart"] - 1) * layer
    ones = np.ones(len(number))
    return Blades(
        azimuth=_azimuths(form, number) + 0.11 * loose * odd[1],
        length=size * heart,
        width=form.width * size * heart * (1 + 0.06 * odd[7]),
        belly=form.belly * ones,
        blunt=form.blunt * np.exp(0.06 * odd[6]),
        point=form.point * ones,
        claw=form.claw * ones,
        base=between(form.base_shut, form.base_open),
        middle=between(form.middle_shut, form.middle_open) + degrees * loose * (13 * odd[2] + 16 * spent),
        tip=between(form.tip_shut, form.tip_open)
        + degrees * (numbers["curl"] * (0.3 + 0.7 * open_) + loose * (22 * odd[3] + 40 * spent)),
        reach=form.reach * ones,
        cup=numbers["cup"]
        * (form.cup_shut + (form.cup_open - form.cup_shut) * open_)
        * (1 + (0.05 + 0.1 * open_) * odd[5]),
        radius=form.radius * (1 - 0.8 * layer) + 0.01,
        ruffle=form.ruffle * (0.2 + 0.8 * open_) * (1 + 0.3 * odd[4] + 0.5 * spent),
        waves=form.waves * (1 + 0.12 * odd[6]),
        phase=_PHASES[4][: len(number)] + 1.3 * numbers["ruffle_place"],
        crease=form.crease * (0.4 + 0.6 * open_) * (1 + 0.4 * odd[7]),
        notch=form.notch * (1 + 0.6 * odd[5]),
        overlap=form.overlap * ones,
        twist=numbers["twist"] * (0.2 + 0.8 * open_) * (0.5 + 0.5 * odd[4])
        + 0.25 * loose * odd[6] * (0.3 + spent),
    )


def _openness(bloom: float, form: Form, layer: Doubles) -> Doubles:
    """How far each petal is open: the outer ones first."""
    late = form.layer * layer
    return _smooth(
        np.clip((bloom * (1 + 0.35 * form.layer) - 0.9 * late) / (1 - 0.45 * late), 0, 1.05) / 1.05
    )


def _azimuths(form: Form, number: NDArray[np.int64]) -> Doubles:
    """Whorls of three, each in the gaps of the last, or the golden angle, or what lies between."""
    whorls = number * (2 * np.pi / 3) + (number // 3) * (np.pi / 3) + (number // 6) * 0.35
    way = number * GOLDEN - whorls
    return np.asarray(whorls + form.spiral * ((way + np.pi) % (2 * np.pi) - np.pi))


def _differences(numbers: Mapping[str, float], count: int) -> Doubles:
    """Eight numbers of each petal, about -1 .. 1 [8, count]."""
    moved = _WAYS[0] * numbers["disorder_x"] + _WAYS[1] * numbers["disorder_y"]
    return np.asarray(np.sin(_PHASES + moved)[:, :count])


def _axis(form: Form, numbers: Mapping[str, float]) -> Doubles:
    """Turn about its own axis, then nod to the viewer (-y), then lean sideways (x)."""
    nod = numbers["nod"] + form.nod * (_smooth(np.array(numbers["bloom"])) - 0.25)
    return _about(1, numbers["lean"]) @ _about(0, float(nod)) @ _about(2, numbers["turn"])


def _about(axis: int, angle: float) -> Doubles:
    """The turn [3, 3] about a coordinate axis; about x by a positive angle z comes towards -y."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def _smooth(x: Doubles) -> Doubles:
    return np.asarray(x * x * (3 - 2 * x))
