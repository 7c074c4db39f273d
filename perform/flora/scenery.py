"""Camera, lights and colours of a picture: everything that the shaders need for a flower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from perform.arrays import Doubles
from perform.flora.varieties import ground_at, palette_at
from perform.training import colours

Numbers = Mapping[str, float]

PASSES = 12  # samples of lens, pixel, key light and sky
SHADOW_RADIUS = 1.4  # radius of what casts and gets shadows, around the bloom
FOCUS, LENS = 0.2, 0.15  # in front of the bloom's middle; the widest aperture's radius


@dataclass(frozen=True, slots=True)
class Pass:
    """One sample: the camera's matrix, and the lights' with where they come from; all [4, 4] and [3]."""

    view: Doubles
    key_view: Doubles
    key_from: Doubles
    sky_view: Doubles
    sky_from: Doubles
    sky_light: Doubles


@dataclass(frozen=True, slots=True)
class Scenery:
    """All passes, and the numbers that are the same in each."""

    passes: tuple[Pass, ...]
    rim_view: Doubles
    values: dict[str, Doubles | float]


@dataclass(frozen=True, slots=True)
class FlowerCamera:
    """`basis` rows are right, up, forward; `away` from the bloom's middle `target`, which the rest frames."""

    basis: Doubles
    target: Doubles
    away: float
    zoom: float
    shift: Doubles

    @property
    def eye(self) -> Doubles:
        """Its place [3]."""
        return np.asarray(self.target - self.away * self.basis[2])

    def matrix(self, lens: Doubles, pixel: Doubles) -> Doubles:
        """From the world to clip space, seen from a place on the lens [2] and within a pixel [2]."""
        near, far = 0.4 * self.away, self.away + 6.0
        focus = self.away - FOCUS
        seen = np.eye(4)
        seen[:3, :3] = self.basis
        seen[:3, 3] = -self.basis @ self.eye
        seen[:2, 3] -= lens
        clip = np.zeros((4, 4))
        clip[0, 0] = clip[1, 1] = self.zoom
        clip[:2, 2] = self.zoom * lens / focus + self.shift + pixel
        clip[2, 2], clip[2, 3] = (far + near) / (far - near), -2 * far * near / (far - near)
        clip[3, 2] = 1
        return clip @ seen


def camera(numbers: Numbers, bloom: Doubles) -> FlowerCamera:
    """The camera that frames points of the bloom [n, 3] as a latent asks."""
    cos, sin = np.cos(numbers["eye"]), np.sin(numbers["eye"])
    basis = np.array([[1, 0, 0], [0, sin, cos], [0, cos, -sin]])
    target = (bloom.min(0) + bloom.max(0)) / 2
    seen = (bloom - target) @ basis.T
    flat = seen[:, :2] / (seen[:, 2:] + numbers["near"])
    low, high = flat.min(0), flat.max(0)
    width, height = high - low
    extent = ((0.95 * width) ** 6 + height**6) ** (1 / 6)
    zoom = 2 * numbers["scale"] / extent
    place = 2 * np.array([numbers["place_x"], numbers["place_y"]])
    return FlowerCamera(basis, target, numbers["near"], zoom, place - zoom * (low + high) / 2)


def scenery(numbers: Numbers, bloom: Doubles, size: int) -> Scenery:
    """What the shaders need for a picture of `size` pixels of a bloom [n, 3]."""
    seen = camera(numbers, bloom)
    middle = seen.target - np.array([0, 0, 0.15])
    key, rim = _direction(numbers["light_side"], numbers["light_height"]), _rim(numbers)
    passes = tuple(_pass(numbers, seen, middle, key, number, size) for number in range(PASSES))
    values: dict[str, Doubles | float] = {"eye": seen.eye, "rim_from": rim}
    values |= _lights(numbers) | _paints(numbers) | _ground(numbers)
    return Scenery(passes, _light_view(rim, middle), values)


def _pass(
    numbers: Numbers, seen: FlowerCamera, middle: Doubles, key: Doubles, number: int, size: int
) -> Pass:
    lens = numbers["aperture"] * LENS * _disc(number)
    # R2 (Roberts 2018) is even over the pixel and does not march in step with the lens' spiral.
    pixel = _tent(((number + 0.5) * np.array([0.7548776662, 0.5698402910])) % 1) * 2.2 / size
    spread = numbers["light_size"] * _disc((number * 7 + 3) % PASSES)
    side = np.cross(key, [0, 0, 1.0])
    key_from = _unit(key + spread[0] * side + spread[1] * np.cross(side, key))
    sky = _sky(number)
    return Pass(
        seen.matrix(lens, pixel),
        _light_view(key_from, middle),
        key_from,
        _light_view(sky, middle),
        sky,
        _sky_light(numbers, sky, key),
    )


def _tent(even: Doubles) -> Doubles:
    """Evenly spread numbers 0 .. 1 as those of a triangle -1 .. 1: a pixel's share of its surroundings."""
    way = 2 * even - 1
    return np.asarray(np.sign(way) * (1 - np.sqrt(1 - np.abs(way))))


def _disc(number: int) -> Doubles:
    """An even spread of PASSES points over the unit disc (Vogel 1979) [2]."""
    radius, turn = np.sqrt((number + 0.5) / PASSES), number * np.pi * (3 - 5**0.5)
    return np.asarray(radius * np.array([np.cos(turn), np.sin(turn)]))


def _sky(number: int) -> Doubles:
    """An even spread of PASSES directions [3], all but the lowest fifth of the sphere."""
    place = (number * 5 + 2) % PASSES
    height = 1 - 1.6 * (place + 0.5) / PASSES
    turn, ring = place * np.pi * (1 + 5**0.5), np.sqrt(1 - height**2)
    return np.array([ring * np.cos(turn), ring * np.sin(turn), height])


def _direction(side: float, height: float) -> Doubles:
    """Towards a light: `side` from the camera's own direction, to the right."""
    return np.array([np.sin(side) * np.cos(height), -np.cos(side) * np.cos(height), np.sin(height)])


def _rim(numbers: Numbers) -> Doubles:
    """From behind, on the other side than the key light."""
    return _unit(np.array([-1.1 * np.tanh(1.5 * numbers["light_side"]), 0.8, 0.62]))


def _unit(vector: Doubles) -> Doubles:
    return np.asarray(vector / np.linalg.norm(vector))


def _light_view(towards: Doubles, middle: Doubles) -> Doubles:
    """A light's parallel view of REACH around the middle."""
    right = _unit(np.cross([0.1, 0.15, 1.0], towards))
    basis = np.stack([right, np.cross(towards, right), -towards]) / SHADOW_RADIUS
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = basis, -basis @ middle
    return view


def _sky_light(numbers: Numbers, sky: Doubles, key: Doubles) -> Doubles:
    """Fill: cool from above, a little of the ground's warmth from below, most from the camera's side."""
    front = 0.55 + 0.45 * (-0.6 * sky[1] + 0.4 * (sky @ key))
    cool, warm = np.array([0.86, 0.98, 1.2]), np.array([1.15, 0.98, 0.8])
    tint = warm + (cool - warm) * (0.5 + 0.5 * sky[2] - 0.2 * numbers["warmth"])
    strength = 0.9 - 0.7 * numbers["contrast"] + 0.6 * numbers["ground"] ** 4
    return np.asarray(strength * max(front, 0.1) * (0.5 + 0.5 * max(sky[2], 0.0)) * tint)


def _lights(numbers: Numbers) -> dict[str, Doubles | float]:
    warm = np.array([1.0, 0.95 - 0.04 * numbers["warmth"], 0.88 - 0.12 * numbers["warmth"]])
    rim = np.array([1.0, 0.95 + 0.03 * numbers["warmth"], 0.92 + 0.16 * numbers["warmth"]])
    return {
        "key_light": (2.0 + 0.5 * numbers["contrast"]) * warm,
        "rim_light": (0.2 + 2.2 * numbers["rim"]) * rim,
        "gloss": 0.15 + 0.85 * numbers["gloss"],
        "exposure": 1.35,
    }


def _palette(numbers: Numbers) -> dict[str, Doubles]:
    return palette_at(np.array([numbers["palette_x"], numbers["palette_y"], numbers["palette_z"]]))


def _paints(numbers: Numbers) -> dict[str, Doubles | float]:
    palette = _palette(numbers)
    flamed, blotched = palette["strengths"]
    painted = {
        name: np.sqrt(_graded(palette[name], numbers))
        for name in ("body", "tip", "edge", "base", "flame", "blotch")
    }
    place = np.array(
        [numbers["pattern_x"], numbers["pattern_y"], 0.5 * numbers["pattern_x"] - 0.3 * numbers["pattern_y"]]
    )
    names = ("gradient", "margin", "flame_scale", "flame_reach", "flame_style", "veins")
    spent = np.clip((numbers["bloom"] - 0.7) / 0.3, 0, 1)
    return {
        **painted,
        **{name: numbers[name] for name in names},
        "pattern": 0.9 * place + 20.0,
        "flamed": _flame_strength(float(flamed), numbers["flame"]),
        "blotched": float(blotched * numbers["blotch"]),
        "spent": float(spent),
    }


def _flame_strength(own: float, share: float) -> float:
    """Strength of flames: broken varieties always have some, and any may be broken."""
    broken = np.clip((share - 0.42) / 0.35, 0, 1)
    return float(own * (0.35 + 0.65 * np.sqrt(share)) + 0.85 * broken * (1 - own))


def _graded(lab: Doubles, numbers: Numbers) -> Doubles:
    return colours.linear(colours.graded(lab, numbers["hue"], numbers["lightness"], numbers["chroma"]))


def greens(numbers: Numbers) -> dict[str, Doubles]:
    """Linear colours of what is not a petal; bluer or yellower with the petals' hue."""
    palette = _palette(numbers)
    shift = 0.5 * numbers["hue"] + 0.1 * palette["body"][2]
    leaf = colours.graded(colours.lab_of("58785a"), shift, -0.02, 0.9)
    stem = colours.graded(colours.lab_of("7d9a5c"), shift, 0.0, 0.9)
    filament = 0.6 * palette["base"] + 0.4 * palette["blotch"]
    return {
        "leaf": colours.linear(leaf),
        "stem": colours.linear(0.85 * stem + 0.15 * palette["body"]),
        "pistil": colours.linear(colours.lab_of("b9c27c") * 0.75 + 0.25 * palette["blotch"]),
        "anther": colours.linear(palette["anther"]),
        "filament": colours.linear(filament),
    }


def _ground(numbers: Numbers) -> dict[str, Doubles | float]:
    """Mostly dark; the lightest eighth turns into plaster and daylight."""
    far, light = ground_at(np.array([numbers["ground_x"], numbers["ground_y"]]))
    share = numbers["ground"]
    day = np.clip((share - 0.8) / 0.2, 0, 1) ** 2
    pale = np.array([0.6, 1.1 * light[1], 1.1 * light[2]])
    lit = light * (0.45 + 0.6 * share)
    near = lit + (pale + np.array([0.14, 0, 0]) - lit) * day
    away = far * (0.5 + 0.5 * share) + (pale - far) * day
    palette = _palette(numbers)
    shapes = 0.5 * light + 0.5 * np.array([0.45, *(0.7 * palette["body"][1:])])
    return {
        "far": colours.linear(away),
        "near": colours.linear(near),
        "hazed": colours.linear(shapes * (0.8 + 0.5 * day)),
        "haze": numbers["haze"],
        "haze_place": 1.2 * numbers["haze_place"],
        "pool": np.array([numbers["pool_x"], numbers["pool_y"]]),
    }
