"""Training: pictures a second, memory, and where the time goes, for each kind of network.

Each case trains in another process, on pictures of noise, which cost as much as others. Penalties are taken
more often than in a run, so that a short measurement has some, and are weighted by their number in a run.
`memory` is the process's peak, on CUDA the GPU's; `utilisation` is NVIDIA's share of time in which the GPU is
busy. On CUDA each part waits for the device: a run is a little faster than `fps`, and keeps it busier.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from perform import children
from perform.bench import Figure, most_resident
from perform.clock import stopwatch
from perform.networks import Device
from perform.training.dataset.workers import exit_with_parent
from perform.training.loader import DataLoader
from perform.training.random_streams import RandomStreams
from perform.training.run import TrainingRun, training_device
from perform.training.run_folder import TrainingFolder
from perform.training.settings import DCGAN, ON_GPU, RunError, TrainingSettings
from perform.training.step import TrainingStep

TRAINING_SECONDS = 10.0
OFTEN = 4  # steps between penalties
STEP_PARTS = ("discriminator", "gradient_penalty", "generator", "path_penalty", "average")
SMI = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=100")

FLORA: Mapping[str, Any] = {
    "z_dim": 61,
    "w_dim": 256,
    "channels": (4096, 256),
    "path": 0.0,
    "mixing": 0.0,
    "augment": 0.0,
}


def _square_settings(side: int, **more: Any) -> TrainingSettings:
    return TrainingSettings("stylegan2", (side, side), **more)


TRAINING_CASES: Mapping[str, TrainingSettings] = {
    "stylegan2_64": _square_settings(64, channels=(4096, 256)),
    "stylegan2_128": _square_settings(128, channels=(4096, 256)),
    "stylegan2_256": _square_settings(256, channels=(8192, 256), batch=8),
    "flora_teacher": _square_settings(64, teacher=1.0, **FLORA),
    "flora_64": _square_settings(64, teacher=0.3, **FLORA),
    "flora_256": _square_settings(256, teacher=0.3, batch=8, **FLORA),
    "dcgan_64": TrainingSettings("dcgan", (64, 64), **DCGAN),
    "dcgan_128": TrainingSettings("dcgan", (128, 128), **DCGAN),
}
LARGE_CASES: Mapping[str, TrainingSettings] = {  # what only a GPU learns in a bearable time
    "stylegan2_512": _square_settings(512, channels=(32768, 512)),
    "stylegan2_1024": _square_settings(1024, channels=(32768, 512)),
}


@dataclass(frozen=True)
class Noise:
    """64 pictures of noise [height, width, 3], each with a latent [z_dim]."""

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
class StepTimes:
    """Seconds of calls by name. `wait` returns when the device has done what it was given."""

    wait: Callable[[], None]
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, timed."""

        def run(*arguments: Any) -> Any:
            self.wait()
            began = stopwatch()
            found = call(*arguments)
            self.wait()
            self.seconds[name].append(stopwatch() - began)
            return found

        return run


def training_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Every case, in float32 and in bfloat16; or what a run's folder learns, given in a model's place."""
    there = training_device(device)
    run = Path(model) if model is not None else None
    if run and not TrainingFolder(run).description.is_file():
        raise RunError(f"{run}, must be the folder of a run: what is measured is how it learns")
    for name, settings in ({run.name: TrainingFolder(run).read()[0]} if run else _cases(there)).items():
        for precision in ("float32", "bfloat16"):
            wanted = replace(settings, precision=precision)
            for one in _in_process(wanted, there, seconds or TRAINING_SECONDS, run):
                yield replace(one, name=f"{name}_{precision}_{one.name}")


def _cases(device: str) -> Mapping[str, TrainingSettings]:
    if device != "cuda":
        return TRAINING_CASES
    return {
        name: replace(one, batch=ON_GPU["batch"]) for name, one in {**TRAINING_CASES, **LARGE_CASES}.items()
    }


def _in_process(*given: Any) -> list[Figure]:
    """`learnt` in a process of its own, whose memory is nobody else's; it goes when this one does."""
    why = "not enough memory"
    try:
        with ProcessPoolExecutor(1, children.spawning(), exit_with_parent) as pool:
            return pool.submit(train_for, *given).result()
    except torch.OutOfMemoryError:
        pass
    except BrokenProcessPool:
        why = "its process was killed, perhaps for want of memory"
    except RuntimeError as error:
        if "allocate memory" not in str(error):  # torch's word for it on a CPU
            raise
    return [Figure("fps", math.nan, "pictures/s", note=why)]


def train_for(
    settings: TrainingSettings, device: str, seconds: float, begun_from: Path | None = None
) -> list[Figure]:
    """Learn for some seconds, and tell pictures a second, what a picture costs by parts, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        run = TrainingRun(Path(folder) / "run", Noise(settings.size, settings.z_dim), device)
        often = replace(settings, r1_every=OFTEN, path_every=OFTEN, head_start=0, features="")
        run.begin(often, begun_from)
        laps = StepTimes(torch.cuda.synchronize if device == "cuda" else lambda: None)
        streams = RandomStreams(settings.seed)
        with closing(DataLoader(run.dataset, settings, streams)) as feed:
            step = _step(run, feed, streams, laps)
            step()
            laps.seconds.clear()
            gpu = f"GPU-{torch.cuda.get_device_properties(0).uuid}" if device == "cuda" else ""
            with utilisation(gpu) as busy:
                until = stopwatch() + seconds
                while not laps.seconds or stopwatch() < until:
                    for _ in range(OFTEN):
                        step()
    found = [*step_figures(laps, settings), Figure("memory", peak_memory(device), "MiB")]
    return [*found, Figure("utilisation", fmean(busy), "%")] if busy else found


def _step(
    run: TrainingRun, feed: DataLoader, streams: RandomStreams, laps: StepTimes
) -> Callable[[], object]:
    """A whole step, its parts timed."""
    step: Any = TrainingStep(run.state, run.settings, streams, run.group, run.device, ramp=True)
    for name in STEP_PARTS:
        setattr(step, name, laps.timed(name, getattr(step, name)))
    batch = laps.timed("feed", feed.batch)
    return laps.timed("step", lambda: step(batch(step.samples(), run.settings.batch)))


def step_figures(laps: StepTimes, settings: TrainingSettings) -> Iterator[Figure]:
    """Pictures a second, and milliseconds of a picture by parts."""
    every = {"gradient_penalty": settings.r1_every, "path_penalty": settings.path_every}
    names, steps = ("feed", *STEP_PARTS), laps.seconds["step"]
    seconds = {name: fmean(laps.seconds[name]) / every.get(name, 1) for name in names if laps.seconds[name]}
    seconds["rest"] = (sum(steps) - sum(sum(laps.seconds[name]) for name in names)) / len(steps)
    yield Figure("fps", settings.batch / sum(seconds.values()), "pictures/s")
    for name, cost in seconds.items():
        yield Figure(name, 1e3 * cost / settings.batch, "ms/picture")


def peak_memory(device: str) -> float:
    """The most memory so far in MiB: the GPU's, or this process's; NaN where the system does not say."""
    return torch.cuda.max_memory_reserved() / 2**20 if device == "cuda" else most_resident()


@contextmanager
def utilisation(gpu: str) -> Iterator[list[float]]:
    """A GPU's utilisation by `nvidia-smi` in percent, ten times a second; the list is filled at the end."""
    shares: list[float] = []
    asking = None
    if gpu and shutil.which(SMI[0]):
        asking = subprocess.Popen((*SMI, f"--id={gpu}"), stdout=subprocess.PIPE, text=True)
    try:
        yield shares
    finally:
        if asking:
            asking.terminate()
            shares.extend(float(one) for one in asking.communicate()[0].split() if one.isdigit())
