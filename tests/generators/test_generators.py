"""The conformance suite of the rack: what every runtime of every generator guarantees."""

from __future__ import annotations

import hashlib
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import perform.generators as rack
from perform.generators import Generator, untrained
from perform.generators.noise import drawn_noise, noise_sizes
from perform.generators.stylegan2 import Config, graph, stored_noise
from perform.generators.stylegan2.network import Network
from perform.latent.controls import LATENT, NOISE, NOISE_LAYERS, STORED
from perform.networks import ModelError
from perform.networks.controls import NetworkValues
from perform.networks.modelfiles import write_weights
from perform.networks.runtimes import base
from perform.networks.runtimes.openvino import conversion, runtime
from perform.networks.runtimes.openvino.requests import Runner
from perform.networks.runtimes.torch import cuda, eager
from perform.networks.runtimes.torch.network import to_pixels
from perform.networks.weights import Weights
from tests.doubles.networks import unrecorded, vivid

SMALL = Config((8, 8, 8, 6, 6, 4), z_dim=5, c_dim=3, embed=7, mapping=(9, 8), clamp=256.0)
CONFIGS = {
    "skip": SMALL,
    "resnet": replace(SMALL, architecture="resnet", image_channels=1, c_dim=0, embed=0),
    "orig": replace(SMALL, architecture="orig", image_channels=4, c_dim=0, embed=0, start=(4, 6)),
}


def of_cuda(weights: Weights) -> cuda.Cuda:
    return cuda.Cuda(weights, "float32", unrecorded, "cpu")


UNITS: dict[str, Callable[[Weights], Any]] = {
    "openvino": lambda weights: runtime.OpenVino(weights, "float32", threads=1),
    "eager": lambda weights: eager.Eager(weights, "cpu", "float32"),
    "cuda": of_cuda,
}


@pytest.fixture(scope="module", params=CONFIGS)
def weights(request: pytest.FixtureRequest) -> Weights:
    return vivid(CONFIGS[request.param])


@pytest.fixture(params=UNITS)
def generator(request: pytest.FixtureRequest, weights: Weights) -> Iterator[Any]:
    unit = UNITS[request.param](weights)
    yield unit
    unit.close()


def latent(generator: Generator, seed: int = 0) -> Any:
    z = np.random.default_rng(seed).standard_normal((1, generator.space.z_dim), np.float32)
    return np.repeat(generator.map(z), generator.space.num_ws, 0)


def controls(noise: float, seed: int | None) -> NetworkValues:
    return NetworkValues({"noise": noise, "noise_seed": STORED if seed is None else seed})


def oracle(weights: Weights, ws: Any, noise: float, seed: int | None) -> Any:
    network = Network.load(weights)
    values = stored_noise(weights) if seed is None else drawn_noise(weights.config, seed)
    parts = np.split(values, np.cumsum(noise_sizes(weights.config))[:-1])
    layers = range(len(weights.config.layers))
    maps = [torch.from_numpy(parts[i].reshape(weights.config.noise_shape(i))) * noise for i in layers]
    with torch.inference_mode():
        return to_pixels(network.synthesis(torch.from_numpy(ws)[None], maps))[0].numpy()


def test_every_runtime_is_in_this_suite() -> None:
    folder = Path(base.__file__).parent
    for path in folder.rglob("*.py"):
        importlib.import_module(".".join(path.relative_to(folder.parents[2]).with_suffix("").parts))
    kinds, units = [base.Runtime], set()
    for kind in kinds:
        kinds += kind.__subclasses__()
        units |= {kind.__name__.lower()} if kind.__module__.startswith("perform.") else set()
    assert units - {"runtime"} == set(UNITS)


def test_a_picture_on_the_device_is_that_of_memory_and_stays(weights: Weights) -> None:
    unit = of_cuda(weights)
    assert isinstance(unit, rack.DrawsOnDevice)
    first, second = latent(unit, 0), latent(unit, 1)
    picture = unit.picture(first, controls(1.0, 7))
    unit.picture(second)
    expected = unit.synthesise(first, controls(1.0, 7))
    channels = expected.shape[2]
    pixels = picture.pixels()
    assert picture.shape == pixels.shape == (*expected.shape[:2], 4)
    assert (pixels[..., : max(channels, 3)] == expected).all()  # grey is three times the same
    assert channels == 4 or (pixels[..., 3] == 255).all()
    unit.close()
    assert (picture.pixels() == pixels).all()


@pytest.mark.parametrize(("noise", "seed"), [(1.0, None), (0.0, None), (2.5, None), (1.0, 7)])
def test_pictures_equal_those_of_the_oracle(
    generator: Any, weights: Weights, noise: float, seed: int | None
) -> None:
    ws = latent(generator)
    picture, expected = generator.synthesise(ws, controls(noise, seed)), oracle(weights, ws, noise, seed)
    width, height = generator.size
    assert picture.shape == (height, width, weights.config.image_channels)
    assert picture.dtype == np.uint8
    assert np.abs(picture.astype(int) - expected).max() <= 1
    assert picture.std() > 5


def test_every_layer_has_its_own_latent(generator: Any) -> None:
    ws = latent(generator)
    before = generator.synthesise(ws).copy()
    for layer in range(generator.space.num_ws):
        other = ws.copy()
        other[layer] = latent(generator, 1)[0]
        assert not np.array_equal(generator.synthesise(other), before), layer


def test_a_picture_stays_valid_during_the_next(generator: Any) -> None:
    first = generator.synthesise(latent(generator, 0))
    kept = first.copy()
    assert not np.array_equal(generator.synthesise(latent(generator, 1)), kept)
    assert np.array_equal(first, kept)


def test_noise_depends_only_on_its_seed(generator: Any) -> None:
    ws = latent(generator)
    one = generator.synthesise(ws, controls(1.0, 3)).copy()
    stored = generator.synthesise(ws, controls(1.0, None)).copy()
    assert np.array_equal(generator.synthesise(ws, controls(1.0, 3)), one)
    assert not np.array_equal(generator.synthesise(ws, controls(1.0, 4)), one)
    assert not np.array_equal(stored, one)
    assert np.array_equal(generator.synthesise(ws), stored)


def test_wrong_latents_are_rejected(generator: Any) -> None:
    with pytest.raises(ValueError, match=r"ws has shape \(2, 8\), must be \(6, 8\)"):
        generator.synthesise(np.zeros((2, 8), np.float32))
    with pytest.raises(ValueError, match=r"z has shape \(1, 4\), must be \(n, 5\)"):
        generator.map(np.zeros((1, 4), np.float32))


def test_a_unit_describes_itself(generator: Any, weights: Weights) -> None:
    assert generator.space == weights.config.space
    assert generator.parameters == (*LATENT, *NOISE, NOISE_LAYERS)
    assert np.array_equal(generator.mean(), weights.arrays["mapping.w_avg"])
    assert (generator.device, generator.precision, generator.reason) == ("cpu", "float32", "")


SIGNALLED = """
import signal
from perform import generators
units = [generators.open({file!r}, "cpu", precision="float32", threads=1) for _ in range(2)]
while units:
    units.pop(0).close()
signal.signal(signal.SIGTERM, lambda *_: print("heard"))
signal.raise_signal(signal.SIGTERM)
"""


def test_sigterm_still_works_after_networks_are_closed(tmp_path: Path) -> None:
    write_weights(tmp_path / "small.safetensors", vivid(SMALL))
    script = SIGNALLED.format(file=str(tmp_path / "small.safetensors"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_closing_twice_is_safe(generator: Any) -> None:
    generator.close()
    generator.close()


def test_labels_choose_the_class() -> None:
    unit = eager.Eager(vivid(SMALL))
    z = np.ones((2, 5), np.float32)
    classes = np.eye(3, dtype=np.float32)
    assert np.array_equal(unit.map(z), unit.map(z, classes[:1]))
    assert not np.array_equal(unit.map(z, classes[1:2]), unit.map(z, classes[:1]))
    with pytest.raises(ValueError, match=r"labels has shape \(1, 4\), must be \(n, 3\)"):
        unit.map(z, np.zeros((1, 4), np.float32))


def test_a_graph_in_parts_and_a_converted_one_equal_the_whole_graph() -> None:
    for config in CONFIGS.values():
        weights, core = vivid(config), runtime.core()
        forms = [
            graph.parts(weights, "f32"),
            graph.parts(weights, "f32", 2),
            conversion.parts(weights, "f32"),
        ]
        ws = np.random.default_rng(0).standard_normal((6, 8), np.float32)
        given = ws, stored_noise(weights), np.ones(1, np.float32)
        names, runner = ("ws", "noise", "strength"), Runner
        runners = [runner(runtime.compile_graphs(core, form, 1), names) for form in forms]
        whole, *others = (one(*given).astype(int) for one in runners)
        for other in others:
            assert np.abs(whole - other).max() <= 1


def test_wide_layers_equal_the_oracle() -> None:
    weights = vivid(Config((128,) * 6, z_dim=8, mapping=(8, 8)))  # wide enough for the fast convolution
    unit = runtime.OpenVino(weights, "float32", threads=1)
    ws = latent(unit)
    assert np.abs(unit.synthesise(ws).astype(int) - oracle(weights, ws, 1.0, None)).max() <= 1


def test_bfloat16_is_close_or_not_used() -> None:
    weights = untrained.untrained_weights("untrained-small")
    unit, exact = runtime.OpenVino(weights, threads=1), runtime.OpenVino(weights, "float32", 1)
    assert unit.precision == "bfloat16" or unit.reason
    ws = latent(unit)
    assert runtime.psnr(unit.synthesise(ws), exact.synthesise(ws)) >= runtime.LEAST_PSNR


@pytest.mark.skipif(
    "BF16" not in runtime.core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"), reason="no bfloat16 here"
)
@pytest.mark.parametrize(
    ("seconds", "precision", "reason"),
    [
        ((0.1, 0.0624), "float32", "bfloat16 takes 100 ms of processor time a picture here, float32 62.4"),
        ((0.1, 0.109), "float32", "bfloat16 takes 100 ms of processor time a picture here, float32 109"),
        ((0.1, 0.111), "bfloat16", ""),
    ],
)
def test_bfloat16_is_played_only_if_it_is_faster(
    seconds: tuple[float, float],
    precision: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(runtime, "least_seconds", lambda *_: seconds)
    monkeypatch.setattr(runtime, "psnr", lambda *_: 50.0)
    weights = untrained.untrained_weights("untrained-small")
    for _ in range(2):  # the second is from the cache
        unit = runtime.OpenVino(weights, threads=1)
        assert (unit.precision, unit.reason) == (precision, reason)


def test_a_slow_moment_does_not_choose_the_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, drawn = [0.0], []

    def runner(name: str, *costs: float) -> Callable[..., None]:
        waiting = iter(costs)

        def draw(*_: object) -> None:
            drawn.append(name)
            clock[0] += next(waiting)

        return draw

    monkeypatch.setattr(runtime, "SPEED_ROUNDS", 3)
    monkeypatch.setattr(runtime, "processor_seconds", lambda: clock[0])
    runners: Any = runner("fast", 1, 9, 9, 2), runner("exact", 1, 3, 8, 9)
    assert runtime.least_seconds(runners, np.zeros((1, 1), np.float32)) == [2, 3]
    assert drawn == ["fast", "exact"] * 4


def test_half_precision_is_close_to_float32() -> None:
    weights = untrained.untrained_weights("untrained-small")
    exact = eager.Eager(weights, "cpu", "float32")
    ws = np.repeat(exact.mean()[None], exact.space.num_ws, 0)
    for precision in ("float16", "bfloat16"):
        picture = eager.Eager(weights, "cpu", precision).synthesise(ws)
        assert runtime.psnr(picture, exact.synthesise(ws)) >= 30, precision


def test_half_precision_does_not_overflow() -> None:
    weights = vivid(replace(SMALL, clamp=None))
    affine = [name for name in weights.arrays if "conv" in name and "affine" in name]
    loud = {name: weights.arrays[name] * np.float32(30000) for name in affine}
    weights = replace(weights, arrays={**weights.arrays, **loud})
    unit, exact = eager.Eager(weights, "cpu", "float16"), eager.Eager(weights, "cpu", "float32")
    ws = np.full((6, 8), 2.0, np.float32)
    assert runtime.psnr(unit.synthesise(ws), exact.synthesise(ws)) > 30


GPUS = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}


@pytest.mark.parametrize("device", GPUS)
def test_on_a_gpu_pictures_are_close_to_the_oracle(device: Any) -> None:
    if not GPUS[device]:
        pytest.skip(f"no {device} here")
    unit, weights = rack.open("untrained-small", device), untrained.untrained_weights("untrained-small")
    ws = latent(unit)
    for noise, seed in ((1.0, None), (0.0, None), (1.0, 7), (1.0, None)):
        expected = oracle(weights, ws, noise, seed)
        assert runtime.psnr(unit.synthesise(ws, controls(noise, seed)), expected) >= 40
    unit.close()


def test_a_wrong_option_lists_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nix is not a file, must be a model file or one of untrained"):
        rack.open(tmp_path / "nix")
    with pytest.raises(ModelError, match=r"precision = 'float16', must be auto, float32 or bfloat16"):
        rack.open("untrained-small", "cpu", "float16")
    with pytest.raises(ModelError, match=r"device = 'tpu', must be auto, cpu, cuda or mps"):
        rack.open("untrained-small", "tpu")  # type: ignore[arg-type]


def test_a_written_model_opens(tmp_path: Path) -> None:
    write_weights(tmp_path / "a.safetensors", vivid(SMALL))
    with_file = rack.open(tmp_path / "a.safetensors", "cpu", "float32", threads=1)
    ws = latent(with_file)
    assert np.abs(with_file.synthesise(ws).astype(int) - oracle(vivid(SMALL), ws, 1.0, None)).max() <= 1


HASHED = """
import hashlib, sys, numpy as np
from perform import generators
unit = generators.open("untrained-small", "cpu", "float32", threads=1)
w = unit.map(np.random.default_rng(0).standard_normal((1, 512), np.float32))
picture = unit.synthesise(np.repeat(w, unit.space.num_ws, 0))
assert "torch" not in sys.modules, "a show on a CPU starts without torch"
print(hashlib.sha256(picture.tobytes()).hexdigest())
"""


def test_the_untrained_generator_draws_the_same_in_two_processes() -> None:
    runs = [subprocess.run([sys.executable, "-c", HASHED], capture_output=True, text=True) for _ in range(2)]
    assert [run.stderr for run in runs] == ["", ""]
    assert len(runs[0].stdout.strip()) == len(hashlib.sha256().hexdigest())
    assert runs[0].stdout == runs[1].stdout


def test_importing_the_generators_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'openvino', 'safetensors', 'librosa'} & set(sys.modules)"
    code = f"import sys, perform.generators; assert not {heavy}, {heavy}"
    subprocess.run([sys.executable, "-c", code], check=True)
