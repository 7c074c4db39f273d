"""The 21 landmarks of a hand as features, each a number.

Landmarks are those of MediaPipe Hands (Zhang et al. 2020): the wrist, then four a finger from its root to
its tip, thumb first. As `points` [21, 3] they are in picture heights: x to the right and y up from the
lower left corner, z away from the camera.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles

SIDES = ("left", "right")
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
WRIST, THUMB_TIP, INDEX_TIP = 0, 4, 8
KNUCKLES = np.array([5, 9, 13, 17])  # where index, middle, ring and pinky begin
CHAINS = np.array([[0, *range(root, root + 4)] for root in (1, 5, 9, 13, 17)])  # [5 fingers, 5 landmarks]

STRAIGHT = np.array([0.6, 0.4, 0.4, 0.4, 0.4])  # radians that a finger's joints bend in all: a flat hand
CURLED = np.array([1.8, 3.1, 3.1, 3.1, 3.1])  # and a fist
FAR_PALM, NEAR_PALM = 0.06, 0.36  # palm in picture heights, about 2 m and 0.3 m before a camera of 45 degrees
TOUCHING, APART = 0.2, 0.9  # palms between the tips of thumb and index
CLOSED, WIDE = np.radians(12), np.radians(50)  # between index and pinky
LOWEST, HIGHEST = 0.2, 0.8  # of the picture: what a hand that is seen whole can reach
FASTEST_HAND = 2.0  # picture heights a second

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "present": "1 while the hand is there",
        "x": "middle of the palm: 0 left, 1 right, as in a mirror",
        "y": "middle of the palm: 0 bottom, 1 top",
        "height": "how high you hold it; you reach 0 and 1 easily",
        "depth": "how near it is to the camera (from its size): 0 about 2 m, 1 about 0.3 m",
        "openness": "0 the fingers are curled, 1 they are straight",
        "pinch": "thumb and index: 1 they touch, 0 they are apart",
        "spread": "between the fingers: 0 closed, 1 spread",
        "roll": "tilt in turns: 0 upright, 0.25 to the right, -0.25 to the left",
        "speed": f"how fast it moves: 1 is {FASTEST_HAND:g} picture heights a second",
        **{f"curl.{finger}": f"the {finger}: 0 straight, 1 curled" for finger in FINGERS},
        "fist": "1 while it is a fist",
        "open": "1 while it is a flat hand",
        "point": "1 while only the index points",
    }
)
TOTALS: Mapping[str, str] = MappingProxyType(
    {
        "hand.count": "hands that are there: 0, 1, 2",
        "hand.latency": "seconds from the camera's picture to these signals",
        "hand.rate": "pictures a second that are tracked",
    }
)
HAND_SIGNALS = (*(f"hand.{side}.{word}" for side in SIDES for word in WORDS), *TOTALS)
RELEASED = ("present", "pinch", "speed", "fist", "open", "point")  # 0 when it is gone

# A gesture's measure begins it above the first and ends it below the second.
GATES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"fist": (0.65, 0.5), "open": (0.7, 0.55), "point": (0.6, 0.45)}
)


def points_of(landmarks: NDArray[np.floating], aspect: float) -> Doubles:
    """Points of MediaPipe's landmarks [21, 3]: x and z in picture widths, y in heights from the top;
    `aspect` is width by height."""
    x, y, z = np.asarray(landmarks, np.float64).T
    return np.stack((x * aspect, 1 - y, z * aspect), 1)


def centre(points: Doubles) -> Doubles:
    """The middle of the palm [3]: of the wrist and the four knuckles."""
    return np.asarray(points[[WRIST, *KNUCKLES]].mean(0))


def palm(points: Doubles) -> float:
    """The palm's length in picture heights, whichever way it is turned: the mean from the wrist to the
    four knuckles."""
    return float(np.linalg.norm(points[KNUCKLES] - points[WRIST], axis=1).mean())


def depth(points: Doubles) -> float:
    """How near a hand is by its size: 0 at FAR_PALM, 1 at NEAR_PALM, each doubling of the size the same
    step."""
    return _fraction(np.log(max(palm(points), 1e-6)), np.log(FAR_PALM), np.log(NEAR_PALM))


def bends(points: Doubles) -> Doubles:
    """The angles of each finger's three joints in all, in radians [5]: 0 for a straight line."""
    bones = np.diff(points[CHAINS], axis=1)  # [5 fingers, 4 bones, 3]
    bones = bones / np.maximum(np.linalg.norm(bones, axis=2, keepdims=True), 1e-9)
    cosines = (bones[:, 1:] * bones[:, :-1]).sum(2)
    return np.asarray(np.arccos(np.clip(cosines, -1, 1)).sum(1))


def curls(points: Doubles) -> Doubles:
    """How far each finger is curled [5]: 0 straight, 1 curled."""
    return np.asarray(np.clip((bends(points) - STRAIGHT) / (CURLED - STRAIGHT), 0, 1))


def openness(curled: Doubles) -> float:
    """0 a fist, 1 a flat hand, by the four fingers; a thumb is curled in many open hands."""
    return float(1 - curled[1:].mean())


def pinch(points: Doubles) -> float:
    """1 when the tips of thumb and index touch, 0 when they are apart."""
    gap = float(np.linalg.norm(points[THUMB_TIP] - points[INDEX_TIP])) / max(palm(points), 1e-6)
    return 1 - _fraction(gap, TOUCHING, APART)


def spread(points: Doubles) -> float:
    """How far the first bones of index and pinky are spread: 0 closed, 1 wide."""
    index, pinky = points[6] - points[5], points[18] - points[17]
    lengths = max(float(np.linalg.norm(index) * np.linalg.norm(pinky)), 1e-12)
    return _fraction(float(np.arccos(np.clip(index @ pinky / lengths, -1, 1))), CLOSED, WIDE)


def roll(points: Doubles) -> float:
    """The hand's tilt in the picture in turns, -0.5..0.5: 0 upright, more to the right."""
    x, y = (points[KNUCKLES].mean(0) - points[WRIST])[:2]
    return float(np.arctan2(x, y) / (2 * np.pi))


def gestures(curled: Doubles) -> dict[str, float]:
    """How much of each gesture there is, 0..1: the finger that fits it least decides."""
    fingers, others = curled[1:], curled[2:]
    return {
        "fist": float(fingers.min()),
        "open": float(1 - fingers.max()),
        "point": float(min(1 - curled[1], others.min())),
    }


def shape(points: Doubles, aspect: float) -> dict[str, float]:
    """The features of a hand's points at one moment, by WORDS; gestures as their measures."""
    curled, (x, y, _) = curls(points), centre(points)
    return {
        "x": _fraction(x / aspect, 0, 1),
        "y": _fraction(y, 0, 1),
        "height": _fraction(y, LOWEST, HIGHEST),
        "depth": depth(points),
        "openness": openness(curled),
        "pinch": pinch(points),
        "spread": spread(points),
        "roll": roll(points),
        **{f"curl.{finger}": float(curl) for finger, curl in zip(FINGERS, curled, strict=True)},
        **gestures(curled),
    }


def _fraction(value: float, low: float, high: float) -> float:
    return float(min(max((value - low) / (high - low), 0.0), 1.0))
