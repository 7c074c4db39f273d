"""Pictures of a model for given latents, as the network gives them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from perform import generators
from perform.arrays import Floats, Pixels
from perform.generators import latents
from perform.latent.space import SEEDS, truncate, z_of
from perform.networks import ModelError, checkpoints, devices
from perform.networks.controls import NetworkValues
from perform.networks.families import family
from perform.networks.weights import Weights
from perform.parameters import Constant
from perform.paths import whole_file, write_whole

Draw: TypeAlias = Callable[[Floats, NetworkValues], Floats]

MOST_PICTURES = 1_000_000  # pictures at once
MOST_TRUNCATION = 1000.0  # truncation; pictures so far out are noise, and further out not finite
SAMPLE_PRECISIONS = ("float32", "fast")
NOISE_CHOICES = "const, none or a seed"
PIXEL_FORMATS = {1: "gray", 3: "rgb24", 4: "rgba"}  # of PNG files, by channels
ANIMATIONS = (".gif", ".webp")
PICTURE_MILLISECONDS = 100  # for which an animation shows a picture


class SampleError(ValueError):
    """An invalid request. The message names the fault and what is allowed."""


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """The pictures to draw: of seeds, of a file of z [n, z_dim], or of a file of ws [n, num_ws, w_dim].

    `labels` is a file [n or 1, c_dim], None: the first class. `psi` None leaves latents as they are; other
    values draw them towards the mean in the first `cutoff` layers (None: all). `noise` is const (the noise of
    the network), none or a seed; `controls` are further parameters of the synthesis.
    """

    seeds: str = "0"
    z: Path | None = None
    ws: Path | None = None
    labels: Path | None = None
    psi: float | None = None
    cutoff: int | None = None
    noise: str = "const"
    precision: str = "float32"
    controls: Mapping[str, float] = field(default_factory=dict)


class Sample(NamedTuple):
    """A picture [channels, height, width] as the network gives it, its latent [num_ws, w_dim], its name."""

    name: str
    ws: Floats
    image: Floats


class Sampling:
    """The pictures of a request, drawn one after the other while you iterate."""

    def __init__(self, model: str, request: SampleRequest) -> None:
        if request.precision not in SAMPLE_PRECISIONS:
            raise SampleError(
                f"precision {request.precision!r}, must be one of {', '.join(SAMPLE_PRECISIONS)}"
            )
        weights = generators.weights_of(model)
        self.names, self.ws = sample_latents(weights, request)
        self._values = NetworkValues(sample_controls(weights, request))
        self._draw = _draw_function(weights, request.precision)
        width, height = weights.config.size
        self.shape = len(self.names), weights.config.image_channels, height, width

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Sample]:
        for name, ws in zip(self.names, self.ws, strict=True):
            yield Sample(name, ws, self._draw(ws, self._values))


def parse_seeds(text: str) -> list[int]:
    """Seeds such as `0-9` or `3,5,8-10`. Raises SampleError."""
    found: list[int] = []
    for part in text.split(","):
        if not (match := re.fullmatch(r"\s*(\d{1,10})\s*(?:-\s*(\d{1,10})\s*)?", part)):
            raise SampleError(f"seeds {text!r}, must be numbers and ranges such as 0-9 or 3,5,8-10")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < SEEDS:
            raise SampleError(f"seeds {part.strip()}, must rise and be below {SEEDS}")
        if len(found) + last - first >= MOST_PICTURES:
            raise SampleError(f"seeds {text!r} are more than {MOST_PICTURES}")
        found += range(first, last + 1)
    return found


def sample_latents(weights: Weights, request: SampleRequest) -> tuple[list[str], Floats]:
    """Names and ws [n, num_ws, w_dim] of the requested pictures, after truncation."""
    space, kind = weights.config.space, family(weights.config.family)
    psi = 1.0 if request.psi is None else request.psi
    if not abs(psi) <= MOST_TRUNCATION:
        raise SampleError(f"psi = {psi}, must be within {MOST_TRUNCATION} of 0")
    if request.cutoff is not None and request.cutoff < 0:
        raise SampleError(f"cutoff = {request.cutoff}, must be 0..{space.num_ws} layers")
    if request.ws:
        names, ws = None, latents.read_latents(request.ws, space)
        labels = _labels(request.labels, len(ws), space.c_dim)
    else:
        names, z = _z_of_request(request, space.z_dim)
        labels = _labels(request.labels, len(z), space.c_dim)
        mapping = kind.mapping(weights)
        # One at a time, as they play: a batch gives other last bits.
        rows = [mapping(z[i : i + 1], label) for i, label in enumerate(labels)]
        ws = np.repeat(np.stack(rows), space.num_ws, 1)
    mean = kind.mean(weights)
    drawn = [truncate(one, mean(label), psi, request.cutoff) for one, label in zip(ws, labels, strict=True)]
    digits = max(4, len(str(len(drawn) - 1)))
    return names or [f"{i:0{digits}}" for i in range(len(drawn))], np.stack(drawn).astype(np.float32)


def sample_controls(weights: Weights, request: SampleRequest) -> dict[str, Constant]:
    """Values of the synthesis' parameters. SampleError for one that it does not have."""
    known = {parameter.name: parameter for parameter in weights.config.parameters}
    given: dict[str, Constant] = {"truncation": 1.0 if request.psi is None else request.psi}
    if request.noise == "none":
        given["noise"] = 0.0
    elif request.noise != "const":
        if not request.noise.isdecimal() or int(request.noise) >= 2**31:
            raise SampleError(f"noise {request.noise!r}, must be {NOISE_CHOICES} below {2**31}")
        given["noise_seed"] = int(request.noise)
    for name, value in request.controls.items():
        if name not in known:
            raise SampleError(f"{name} is unknown; this model has {', '.join(known) or 'no parameters'}")
        given[name] = known[name].check(value)
    return given


def sample_files(sampling: Sampling, out: Path) -> list[Path]:
    """The files that `save_samples` writes."""
    one = out.suffix.lower() in (".npz", *ANIMATIONS)
    return [out] if one else [out / f"{name}.png" for name in sampling.names]


def save_samples(sampling: Sampling, samples: Iterable[Sample], out: Path) -> None:
    """Draw everything into an .npz of `ws` and `images`, into an animation, or into a folder as PNG files;
    `samples` are those of `sampling`, perhaps watched by a progress bar."""
    suffix = out.suffix.lower()
    if suffix == ".npz":
        _save_arrays(sampling, samples, out)
        return
    if suffix not in ANIMATIONS and not _may_be_folder(out):
        raise SampleError(f"{out}, must be an .npz, a {' or '.join(ANIMATIONS)}, or a folder")
    if sampling.shape[1] not in PIXEL_FORMATS:
        raise SampleError(
            f"its pictures have {sampling.shape[1]} channels, picture files have 1, 3 or 4: save an .npz"
        )
    pictures = ((one.name, image_pixels(one.image)) for one in samples)
    if suffix in ANIMATIONS:
        _save_animation((pixels for _, pixels in pictures), out)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, pixels in pictures:
        write_whole(out / f"{name}.png", encode_png(pixels))


def _may_be_folder(out: Path) -> bool:
    """Whether it is a folder or looks like one: a name such as psi-0.7 has no suffix of a file."""
    return out.is_dir() or (not out.exists() and not re.fullmatch(r"\.\w*[a-zA-Z]\w*", out.suffix))


def _save_animation(pictures: Iterable[Pixels], out: Path) -> None:
    """Pictures [height, width, channels] as a looping animation."""
    from PIL import Image

    first, *others = (
        Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels) for pixels in pictures
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out) as partial:
        form, timing = out.suffix[1:], {"duration": PICTURE_MILLISECONDS, "loop": 0}
        first.save(partial, form, save_all=True, append_images=others, **timing)


def _save_arrays(sampling: Sampling, samples: Iterable[Sample], out: Path) -> None:
    needed = 4 * math.prod(sampling.shape)
    if needed > devices.spare_memory("cpu"):
        raise SampleError(
            f"{len(sampling)} pictures take {needed / 2**30:.1f} GiB: draw fewer, or into a folder"
        )
    images = np.empty(sampling.shape, np.float32)
    out.parent.mkdir(parents=True, exist_ok=True)
    for i, one in enumerate(samples):
        images[i] = one.image
    with whole_file(out) as partial, partial.open("wb") as file:
        np.savez(file, ws=sampling.ws, images=images)


def image_pixels(image: Floats) -> Pixels:
    """A picture [channels, height, width] of -1..1 as pixels [height, width, channels]."""
    return np.ascontiguousarray(np.clip(image * 127.5 + 128, 0, 255).astype(np.uint8).transpose(1, 2, 0))


def encode_png(pixels: Pixels) -> bytes:
    """Pixels [height, width, 1, 3 or 4 channels] as a PNG file."""
    import av

    kind = PIXEL_FORMATS[pixels.shape[2]]
    coder = av.CodecContext.create("png", "w")
    coder.width, coder.height, coder.pix_fmt = pixels.shape[1], pixels.shape[0], kind
    plain = np.ascontiguousarray(pixels[..., 0] if kind == "gray" else pixels)
    frame = av.VideoFrame.from_ndarray(plain, format=kind)
    return b"".join(bytes(packet) for packet in (*coder.encode(frame), *coder.encode(None)))


def _z_of_request(request: SampleRequest, size: int) -> tuple[list[str] | None, Floats]:
    """Names (None: their numbers) and z [n, z_dim]."""
    if request.z is None:
        numbers = parse_seeds(request.seeds)
        return [f"seed{seed:04}" for seed in numbers], np.stack([z_of(seed, size) for seed in numbers])
    z = _read_array(request.z, "z")
    z = z.reshape(len(z), -1) if z.ndim > 1 and z.size else z  # DCGAN's are [n, z_dim, 1, 1]
    if z.ndim != 2 or z.shape[1] != size or not len(z):
        raise SampleError(f"{request.z} has shape {z.shape}, must be [n, {size}]")
    return None, z


def _labels(path: Path | None, count: int, classes: int) -> list[Floats | None]:
    """A label [1, c_dim] for each latent; None: the first class, or none."""
    if path is None:
        return [None] * count
    labels = _read_array(path, "labels")
    if labels.ndim != 2 or len(labels) not in (1, count) or labels.shape[1] != classes:
        raise SampleError(f"{path} has shape {labels.shape}, must be [{count} or 1, {classes}]")
    return [labels[i % len(labels)][None] if classes else None for i in range(count)]


def _read_array(path: Path, name: str) -> Floats:
    """The array of a file: its only one, or the one of a name."""
    found = checkpoints.read_checkpoint(path).content
    if isinstance(found, Mapping):
        found = found[name] if name in found else next(iter(found.values())) if len(found) == 1 else None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu" or not np.isfinite(found).all():
        raise ModelError(f"{path} must hold one array of finite numbers, or one named {name}")
    return np.array(found, np.float32)


def _draw_function(weights: Weights, precision: str) -> Draw:
    """The function that draws: the plain network in float32, or the form that plays."""
    from perform.networks.runtimes.torch.eager import Eager

    if precision == "float32":
        return Eager(weights, "cpu", "float32").draw
    unit: Any = generators.open(weights)
    if hasattr(unit, "drawing"):
        draw: Draw = unit.drawing(weights)
        return draw
    unit.close()
    return Eager(weights, unit.device).draw  # of a GPU: the same kernels, without the captured graph
