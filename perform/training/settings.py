"""The settings of a training run: everything that decides its result, as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from perform.training.ranges import check_ranges, ranged

MODEL_KINDS = ("stylegan2", "dcgan")
PRECISIONS = ("float32", "bfloat16", "float16")
# Defaults of a DCGAN and of a graphics card, in place of those below.
DCGAN: Mapping[str, Any] = {"channels": (2048, 512), "z_dim": 100, "rate": 5e-4, "path": 0.0, "augment": 0.0}
ON_GPU: Mapping[str, Any] = {"batch": 32}


class RunError(ValueError):
    """A run cannot begin or go on; the sentence says which, why, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """What is not trained: the mapping, the generator's blocks up to a resolution, and the discriminator's
    blocks from the picture down to one (Mo et al. 2020, Freeze the discriminator). 0: none."""

    mapping: bool = False
    generator: int = 0
    discriminator: int = 0

    @classmethod
    def parse(cls, text: str) -> Freeze:
        """Parse words such as `mapping,generator:16,discriminator:64`. RunError if invalid."""
        found: dict[str, Any] = {}
        for word in filter(None, (part.strip() for part in text.split(","))):
            name, _, number = word.partition(":")
            if name == "mapping" and not number:
                found[name] = True
            elif name in ("generator", "discriminator") and number.isdecimal():
                found[name] = int(number)
            else:
                raise RunError(f"freeze {word!r}, must be mapping, generator:SIZE or discriminator:SIZE")
        return cls(**found)


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a run trains. `size` is (width, height) in pixels; `channels` (base, most): a layer at
    resolution r has min(base / r, most). `judge` is the same for the discriminator (None: as the generator).

    `batch` counts pictures over all processes. `rate` is Adam's, `mapping_rate` the share of it for a new
    mapping. `r1` is the weight of the gradient penalty (None: by the size and the batch), `path` that of the
    path-length penalty, each taken every so many steps; `mixing` is the share of pictures from two latents.
    `average` is the half-life of the averaged generator, in pictures (None: by the batch). `augment` is the
    probability of augmentations, or None: it follows how often the discriminator knows the real pictures
    (`target`), from 0 to 1 in `augment_speed` pictures.
    `teacher` is the share of the loss that compares with the picture of a known latent, with `teacher_gamma`
    also after a gamma that opens the dark (1: not). The discriminator trains alone for the first `head_start`
    pictures (None: for some, when a pretrained generator meets a new or a grown one). Counts are in pictures.
    `features` is the file of a network that computes the features of the figures (empty: scattering).
    """

    kind: str
    size: tuple[int, int]
    channels: tuple[int, int] = (8192, 256)
    judge: tuple[int, int] | None = None
    z_dim: int = ranged(512, 1, 4096)
    w_dim: int = ranged(512, 1, 4096)
    mapping: int = ranged(4, 1, 16)
    batch: int = ranged(16, 2, 4096)
    seed: int = ranged(0, 0, 2**31 - 1)
    rate: float = ranged(0.0025, 1e-7, 1.0)
    mapping_rate: float = ranged(0.01, 1e-4, 10.0)
    r1: float | None = ranged(None, 0.0, 1e6)
    r1_every: int = ranged(16, 1, 1024)
    path: float = ranged(2.0, 0.0, 1e6)
    path_every: int = ranged(8, 1, 1024)
    mixing: float = ranged(0.9, 0.0, 1.0)
    average: float | None = ranged(None, 1.0, 1e9)
    augment: float | None = ranged(None, 0.0, 1.0)
    target: float = ranged(0.6, -1.0, 1.0)
    augment_speed: float = ranged(500_000.0, 100.0, 1e9)
    teacher: float = ranged(0.0, 0.0, 1.0)
    teacher_gamma: float = ranged(1.0, 1.0, 4.0)
    freeze: Freeze = Freeze()
    head_start: int | None = ranged(None, 0, 1e9)
    mirror: bool = False
    precision: str = "float32"
    threads: int = 0
    snapshot_every: int = ranged(20_000, 1, 1e9)
    measure_every: int = ranged(100_000, 1, 1e9)
    features: str = ""

    def __post_init__(self) -> None:
        check_ranges(self, RunError)
        for name, allowed in (("kind", MODEL_KINDS), ("precision", PRECISIONS)):
            if getattr(self, name) not in allowed:
                raise RunError(f"{name} = {getattr(self, name)!r}, must be one of {', '.join(allowed)}")
        for name, (base, most) in (("channels", self.channels), ("judge", self.judge or self.channels)):
            if not (1 <= most <= 1024 and max(self.size) <= base <= 1 << 20):
                raise RunError(
                    f"{name} = {base},{most}, must be BASE,MOST: {max(self.size)}..1048576, 1..1024"
                )
        if self.mirror and self.teacher:
            raise RunError("mirror and teacher, must be one of them: a latent tells one side from the other")

    @property
    def start(self) -> tuple[int, int]:
        """(height, width) of the coarsest layer."""
        return start_of(self.size)

    @property
    def penalty(self) -> float:
        """The weight of R1. The default is that of Karras et al. 2020, Training GANs with limited data,
        appendix: 0.0002 for each pixel, divided by the batch; for a DCGAN it was measured here."""
        pixels = self.size[0] * self.size[1]
        default = 0.0002 * pixels / self.batch if self.kind == "stylegan2" else 0.00025 * pixels
        return default if self.r1 is None else self.r1

    @property
    def half_life(self) -> float:
        """Pictures after which half of the averaged generator is replaced."""
        return self.batch * 10_000 / 32 if self.average is None else self.average

    def discriminator_widths(self, levels: int) -> tuple[int, ...]:
        """The discriminator's widths at so many resolutions, coarsest first; empty: the generator's."""
        if self.judge is None:
            return ()
        base, most = self.judge
        return tuple(min(base // (4 << level), most) for level in range(levels))

    def text(self) -> str:
        """The settings as JSON; `read_settings` reads it."""
        return json.dumps(asdict(self))


def start_of(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) after halving a (width, height) as often as possible, to 4 at least."""
    width, height = size
    while width % 2 == 0 and height % 2 == 0 and min(width, height) >= 8:
        width, height = width // 2, height // 2
    if max(width, height) > 32 or (width, height) == size:
        raise RunError(
            f"size {size[0]}x{size[1]}, must be a small size doubled, such as 64x64 (from 4x4) or 256x144"
        )
    return height, width


def read_settings(text: str | bytes | Mapping[str, Any]) -> TrainingSettings:
    """Settings from their JSON. RunError if invalid."""
    try:
        found = dict(json.loads(text) if isinstance(text, str | bytes) else text)
        for name in ("size", "channels", "judge"):
            if found.get(name) is not None:
                found[name] = tuple(int(number) for number in found[name])
        found["freeze"] = Freeze(**found["freeze"])
        return TrainingSettings(**found)
    except (TypeError, KeyError, ValueError) as error:
        if isinstance(error, RunError):
            raise
        raise RunError(f"no readable settings: {error}") from error
