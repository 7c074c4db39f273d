"""A generator trained from one picture or a few frames (the SinGAN family; see `perform.generators.singan`).

Scales train one after the other, coarse to fine. A trained scale stays as it is; the next adds details.
"""

from __future__ import annotations

from dataclasses import dataclass

from perform.training.ranges import check_ranges, ranged

SMALLEST_SIDE, LARGEST_SIDE = 16, 2048  # pixels of a side


@dataclass(frozen=True, slots=True)
class SingleSettings:
    """How a run trains; everything that decides its result.

    `size` is (width, height) of the finest scale (None: the picture's own, at most 256 on its longer side).
    `coarsest` is the shorter side of the coarsest scale: a smaller one keeps more of the layout. `ground` is
    (width, height) of the few colours that all variations share: 1x1 is one colour, 1x6 keeps sky and field
    where they are, 4x4 also left and right. `scales` 0: as many as the size needs. A scale has `depth`
    convolutions of `width` features and trains for `steps` steps. A step sees a square of side `crop` of the
    large scales, and draws from `pool` pictures of the scale before. `fidelity` weighs likeness (at the
    picture's own noise) against variety, `penalty` keeps the critic smooth, `noise` is the strength of finer
    noise as a share of the error that it could correct. A checkpoint is written `every` so many steps.
    """

    size: tuple[int, int] | None = None
    coarsest: int = ranged(20, 8, 64)
    ground: tuple[int, int] = (1, 6)
    scales: int = ranged(0, 2, 16)
    width: int = ranged(32, 4, 256)
    depth: int = ranged(5, 3, 7)
    steps: int = ranged(1000, 1, 1_000_000)
    crop: int = ranged(64, 16, 512)
    pool: int = ranged(32, 2, 1024)
    rate: float = 5e-4
    fidelity: float = 10.0
    penalty: float = 1.0
    noise: float = 0.1
    seed: int = 0
    every: int = ranged(200, 1, 1_000_000)

    def __post_init__(self) -> None:
        check_ranges(self, ValueError)
        field = 2 * self.depth + 1
        for name in ("coarsest", "crop"):
            if getattr(self, name) < field:
                raise ValueError(
                    f"{name} = {getattr(self, name)}, must be {field} or more: what a critic sees"
                )
        for name in ("rate", "fidelity", "penalty", "noise"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} = {getattr(self, name)}, must be a number of 0 or more")
        if not all(1 <= side <= self.coarsest for side in self.ground):
            shown = "x".join(map(str, self.ground))
            raise ValueError(
                f"ground = {shown}, must be 1..{self.coarsest} colours a side: the coarsest scale's"
            )
        if self.size and not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in self.size):
            raise ValueError(
                f"size = {self.size[0]}x{self.size[1]}, must be {SMALLEST_SIDE}..{LARGEST_SIDE} pixels a side"
            )
