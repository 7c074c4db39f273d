"""Drawn hands: a skeleton with given joints, and a shaded picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perform.arrays import Doubles, Pixels
from perform.inputs.hands.signals import CHAINS

# A left hand as a mirror shows it, palm to the camera, in palms from the wrist: x right, y up.
ROOTS = {"thumb": (0.22, 0.18), "index": (0.27, 0.95), "middle": (0.05, 1.0), "ring": (-0.16, 0.94),
         "pinky": (-0.35, 0.82)}  # fmt: skip
BONES = {"thumb": (0.36, 0.32, 0.27), "index": (0.44, 0.26, 0.21), "middle": (0.48, 0.3, 0.22),
         "ring": (0.44, 0.28, 0.21), "pinky": (0.34, 0.21, 0.19)}  # fmt: skip
ANGLES = {"thumb": 42.0, "index": 7.0, "middle": 1.0, "ring": -5.0, "pinky": -13.0}  # degrees from upright
THICK = {"thumb": (0.15, 0.13, 0.115, 0.1), "index": (0.12, 0.11, 0.1, 0.085),
         "middle": (0.125, 0.115, 0.105, 0.09), "ring": (0.115, 0.105, 0.1, 0.085),
         "pinky": (0.1, 0.09, 0.085, 0.075)}  # fmt: skip
FLESH = ((0, 5, 0.25, 0.2), (0, 9, 0.25, 0.22), (0, 13, 0.24, 0.2), (0, 17, 0.22, 0.17), (0, 1, 0.24, 0.2),
         (1, 2, 0.2, 0.15), (5, 9, 0.16, 0.16), (9, 13, 0.16, 0.16), (13, 17, 0.15, 0.14),
         (2, 5, 0.12, 0.12))  # fmt: skip
LIGHT = np.array([-0.35, 0.5, 0.79])
SKIN, GROUND = np.array([214.0, 160.0, 132.0]), np.array([58.0, 66.0, 74.0])


@dataclass(frozen=True)
class Hand:
    """Where a hand is in the picture (the wrist, in picture heights from the lower left), how long its palm
    is, its tilt in turns, how far its fingers are curled (0..1, thumb first) and spread (0..1)."""

    x: float
    y: float
    palm: float = 0.16
    side: str = "left"
    roll: float = 0.0
    curls: Sequence[float] = (0.0,) * 5
    spread: float = 0.5

    def points(self) -> Doubles:
        """The 21 landmarks [21, 3], z away from the camera."""
        points = np.zeros((21, 3))
        for chain, (name, curl) in zip(CHAINS, zip(ROOTS, self.curls, strict=True), strict=True):
            lean = np.radians(ANGLES[name] * (0.5 + self.spread))
            ahead, near = np.array([np.sin(lean), np.cos(lean), 0.0]), np.array([0.0, 0.0, -1.0])
            points[chain[1], :2] = ROOTS[name]
            bend = (0.75 if name == "thumb" else 1.35) * curl
            for joint, length in enumerate(BONES[name]):
                turned = (joint + (name != "thumb")) * bend
                step = np.cos(turned) * ahead + np.sin(turned) * near
                points[chain[joint + 2]] = points[chain[joint + 1]] + length * step
        points[:, 0] *= 1 if self.side == "left" else -1
        turn = 2 * np.pi * self.roll
        x, y = points[:, 0].copy(), points[:, 1].copy()
        points[:, 0], points[:, 1] = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        return self.palm * points + np.array([self.x, self.y, 0.0])


def ground(width: int, height: int, seed: int = 0) -> Doubles:
    """A dim wall with a little noise, as a camera sees it [height, width, 3]."""
    down = np.linspace(1.15, 0.75, height)[:, None, None]
    noise = np.random.default_rng(seed).normal(0, 2.5, (height, width, 1))
    return np.asarray(GROUND * down + noise)


def picture(hands: Sequence[Hand], width: int = 640, height: int = 480, seed: int = 0) -> Pixels:
    """A picture of hands, later ones in front, as a mirror shows them [height, width, 3]."""
    scene = ground(width, height, seed)
    for hand in hands:
        _draw(scene, hand)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _draw(scene: Doubles, hand: Hand) -> None:
    height, width = scene.shape[:2]
    points = hand.points() * height
    points[:, 1] = height - points[:, 1]
    unit = hand.palm * height
    low = np.floor(points[:, :2].min(0) - 0.6 * unit).astype(int)
    high = np.ceil(points[:, :2].max(0) + 0.6 * unit).astype(int)
    (left, top), (right, bottom) = np.maximum(low, 0), np.minimum(high, (width, height))
    if left >= right or top >= bottom:
        return
    x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    surface = np.full(x.shape, -np.inf)
    for a, b, thick_a, thick_b in _parts(points, unit, hand):
        np.maximum(surface, _capsule(x, y, a, b, thick_a, thick_b), out=surface)
    _shade(scene[top:bottom, left:right], surface, unit)


def _parts(points: Doubles, unit: float, hand: Hand) -> list[tuple[Doubles, Doubles, float, float]]:
    """Capsules: fingers, the flesh of the palm, and a forearm."""
    parts = []
    for chain, thick in zip(CHAINS, THICK.values(), strict=True):
        for i in range(1, 4):
            a, b = points[chain[i]], points[chain[i + 1]]
            parts.append((a, b, unit * thick[i - 1], unit * thick[i]))
    parts += [(points[a], points[b], unit * s, unit * t) for a, b, s, t in FLESH]
    turn = 2 * np.pi * hand.roll
    elbow = points[0] - unit * np.array([np.sin(turn), -np.cos(turn), 0.0]) * 0.55
    return [*parts, (points[0], elbow, unit * 0.24, unit * 0.25)]


def _capsule(x: Doubles, y: Doubles, a: Doubles, b: Doubles, thick_a: float, thick_b: float) -> Doubles:
    """How near the surface of a round bone from a to b is at each pixel; -inf beside it."""
    along = b[:2] - a[:2]
    share = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(float(along @ along), 1e-6)
    share = np.clip(share, 0, 1)
    off = (x - a[0] - share * along[0]) ** 2 + (y - a[1] - share * along[1]) ** 2
    thick = thick_a + share * (thick_b - thick_a)
    inside = thick**2 - off
    near = np.sqrt(np.maximum(inside, 0)) - (a[2] + share * (b[2] - a[2]))
    return np.where(inside > 0, near, -np.inf)


def _shade(scene: Doubles, surface: Doubles, unit: float) -> None:
    """Skin on a surface, lit from the upper left, darker at its edges and creases."""
    inside = np.isfinite(surface)
    relief = np.where(inside, surface, surface[inside].min() if inside.any() else 0)
    down, across = np.gradient(relief)
    normal = np.stack((-across, down, np.full_like(relief, 1.4)), -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = 0.5 + 0.55 * np.clip(normal @ LIGHT, 0, 1)
    near = np.clip(0.9 + 0.12 * (relief - np.median(relief[inside])) / unit, 0.7, 1.1)[..., None]
    scene[inside] = ((SKIN * light[..., None]) * near)[inside]
