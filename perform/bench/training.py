"""Learning: pictures a second, memory, and where the time goes, for each kind of network.

Each case learns in a process of its own, from pictures of noise, which cost a step what any others do. `fps`
is as `perform train` learns: the penalties are taken oftener here, so that a short measurement has some, and
weighed by how seldom a run takes them. `memory` is the most that the process had, on CUDA the most of the
GPU's memory; `utilisation` is NVIDIA's, the share of time in which the GPU had anything to do.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from perform.bench import Figure
from perform.clock import stopwatch
from perform.generators import Device
from perform.training.chance import Chance
from perform.training.commands import DCGAN, ON_GPU
from perform.training.feed import Feed
from perform.training.folder import Folder
from perform.training.run import Run
from perform.training.settings import Settings
from perform.training.step import Step

SECONDS = 10.0
OFTEN = 4  # steps between penalties
PARTS = ("discriminator", "gradient_penalty", "generator", "path_penalty", "average")
SMI = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100")

CONVOLUTIONAL: Mapping[str, Any] = DCGAN
FLORA: Mapping[str, Any] = {
    "z_dim": 61,
    "w_dim": 256,
    "channels": (4096, 256),
    "path": 0.0,
    "mixing": 0.0,
    "augment": 0.0,
}


def _square(side: int, **more: Any) -> Settings:
    return Settings("stylegan2", (side, side), **more)


CASES: Mapping[str, Settings] = {
    "stylegan2_64": _square(64, channels=(4096, 256)),
    "stylegan2_128": _square(128, channels=(4096, 256)),
    "stylegan2_256": _square(256, channels=(8192, 256), batch=8),
    "flora_teacher": _square(64, teacher=1.0, **FLORA),
    "flora_64": _square(64, teacher=0.3, **FLORA),
    "flora_256": _square(256, teacher=0.3, batch=8, **FLORA),
    "dcgan_64": Settings("dcgan", (64, 64), **CONVOLUTIONAL),
    "dcgan_128": Settings("dcgan", (128, 128), **CONVOLUTIONAL),
}
LARGE: Mapping[str, Settings] = {  # what only a GPU learns in a bearable time
    "stylegan2_512": _square(512, channels=(32768, 512)),
    "stylegan2_1024": _square(1024, channels=(32768, 512)),
}


@dataclass(frozen=True)
class Noise:
    """A dataset of noise, each picture of which has a latent of so many numbers."""

    size: tuple[int, int]
    z_dim: int
    digest: str = "noise"
    mirror: bool = False

    def __len__(self) -> int:
        return 64

    def picture(self, number: int, /) -> NDArray[np.uint8]:
        return np.random.default_rng(number).integers(0, 256, (*self.size[::-1], 3), np.uint8)

    def latent(self, number: int, /) -> NDArray[np.float32]:
        return np.random.default_rng(number).standard_normal(self.z_dim, np.float32)


@dataclass
class Laps:
    """Times calls by name. `settled` waits until the device has done what it was given."""

    settled: Callable[[], None]
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, timed."""

        def run(*arguments: Any) -> Any:
            self.settled()
            began = stopwatch()
            found = call(*arguments)
            self.settled()
            self.seconds.setdefault(name, []).append(stopwatch() - began)
            return found

        return run

    def mean(self, name: str) -> float:
        """Seconds of one call; 0 where there was none."""
        found = self.seconds.get(name, [])
        return sum(found) / len(found) if found else 0.0


def figures(
    seconds: float | None = None, model: str | None = None, device: Device = "auto"
) -> Iterator[Figure]:
    """Every case, in float32 and in bfloat16; or, in place of a model, the settings of a run's folder."""
    there = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    if device == "cuda" and there != device:
        raise ValueError("device 'cuda', but torch finds none here; must be auto or cpu")
    cases = {**CASES, **(LARGE if there == "cuda" else {})}
    if model is not None:
        cases = {Path(model).name: Folder(Path(model)).read()[0]}
    for name, settings in cases.items():
        batch = max(settings.batch, ON_GPU["batch"] if there == "cuda" else 0)
        for precision in ("float32", "bfloat16"):
            wanted = replace(settings, precision=precision, batch=batch)
            try:
                with ProcessPoolExecutor(1, get_context("spawn")) as apart:
                    measured = apart.submit(learnt, wanted, there, seconds or SECONDS).result()
            except (torch.OutOfMemoryError, BrokenProcessPool):
                measured = [Figure("fps", math.nan, "pictures/s", note="not enough memory")]
            yield from (replace(one, name=f"{name}_{precision}_{one.name}") for one in measured)


def learnt(settings: Settings, device: str, seconds: float) -> list[Figure]:
    """Learn for some seconds, and tell pictures a second, what a picture costs by parts, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run", Noise(settings.size, settings.z_dim), device)
        run.begin(replace(settings, r1_every=OFTEN, path_every=OFTEN, head_start=0))
        laps = Laps(torch.cuda.synchronize if device == "cuda" else lambda: None)
        chance = Chance(settings.seed)
        with closing(Feed(run.dataset, settings.size, chance, False, settings.teacher > 0)) as feed:
            step = _step(run, feed, chance, laps)
            step()
            laps.seconds.clear()
            with utilisation(device) as busy:
                until = stopwatch() + seconds
                while not laps.seconds or stopwatch() < until:
                    for _ in range(OFTEN):
                        step()
    found = [*_told(laps, settings), Figure("memory", memory(device), "MiB")]
    return [*found, Figure("utilisation", sum(busy) / len(busy), "%")] if busy else found


def _step(run: Run, feed: Feed, chance: Chance, laps: Laps) -> Callable[[], Any]:
    """A whole step, its parts timed."""
    step: Any = Step(run.state, run.settings, chance, run.team, run.device, ramp=True)
    for name in PARTS:
        setattr(step, name, laps.timed(name, getattr(step, name)))
    batch = laps.timed("feed", feed.batch)
    return laps.timed("step", lambda: step(batch(step.samples(), run.settings.batch)))


def _told(laps: Laps, settings: Settings) -> Iterator[Figure]:
    """Milliseconds of a picture by parts, and pictures a second."""
    every = {"gradient_penalty": settings.r1_every, "path_penalty": settings.path_every}
    names, steps = ("feed", *PARTS), laps.seconds["step"]
    costs = {name: 1e3 * laps.mean(name) / every.get(name, 1) / settings.batch for name in names}
    rest = sum(steps) - sum(sum(laps.seconds.get(name, ())) for name in names)
    costs["rest"] = 1e3 * rest / len(steps) / settings.batch
    yield Figure("fps", 1e3 / sum(costs.values()), "pictures/s")
    for name, cost in costs.items():
        if cost:
            yield Figure(name, cost, "ms/picture")


def memory(device: str) -> float:
    """The most memory so far in MiB: the GPU's, or this process's; NaN where the system does not say."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return math.nan
    return next((int(one.split()[1]) / 1024 for one in lines if one.startswith("VmHWM")), math.nan)


@contextmanager
def utilisation(device: str) -> Iterator[list[float]]:
    """What `nvidia-smi` says of the GPU ten times a second, in percent; it is there at the end."""
    said: list[float] = []
    asking = None
    if device == "cuda" and shutil.which(SMI[0]):
        asking = subprocess.Popen(SMI, stdout=subprocess.PIPE, text=True)
    try:
        yield said
    finally:
        if asking:
            asking.terminate()
            said.extend(float(one) for one in asking.communicate()[0].split() if one.isdigit())
