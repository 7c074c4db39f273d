"""StyleGAN3 against what the original implementation computed, and its fast forms against the oracle.

tests/data holds a part of the reference (item 1 of the pictures); with PERFORM_REFERENCE set to a
folder of whole reference files, those are held to as well.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import j1

from perform.generators import stylegan3
from perform.generators.stylegan3 import from_official, graph, phases, recipe
from perform.generators.stylegan3.network import Synthesis, synthesis
from perform.generators.stylegan3.recipe import Plan
from perform.generators.stylegan3.untrained import untrained
from perform.networks import ModelError
from perform.networks.bending import Bend
from perform.networks.controls import NetworkValues
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.openvino import conversion, runtime
from perform.networks.runtimes.openvino.requests import Runner
from perform.networks.runtimes.torch.eager import Eager
from perform.networks.runtimes.torch.network import to_pixels
from perform.networks.weights import Weights
from tests.folders import DATA

REFERENCE = os.environ.get("PERFORM_REFERENCE")
FILES = [DATA / "sg3t-64.npz"]
FILES += sorted(Path(REFERENCE).glob("sg3[rt]-*.npz")) if REFERENCE else []
LATENT, PICTURE = 5e-5, 2e-4  # the reference's own tolerances
STILL = {"translate_x": 0.0, "translate_y": 0.0, "rotate": 0.0, "zoom": 1.0}
PLACES = (  # of the reference's transforms; the last one is half the size
    STILL,
    STILL | {"translate_x": 0.13, "translate_y": -0.07},
    STILL | {"rotate": 27 / 360},
    STILL | {"translate_x": 0.1, "translate_y": 0.05, "rotate": -40 / 360},
    STILL | {"zoom": 0.5},
)
SMALL: dict[str, Any] = {
    "num_layers": 6, "base": 256, "most": 12, "margin": 4, "z_dim": 5, "mapping": (7, 8),
}  # fmt: skip


class Case:
    def __init__(self, path: Path) -> None:
        self.data = np.load(path)
        self.meta = json.loads(str(self.data["meta_json"]))
        self.official = {
            name.split("/", 1)[1]: self.data[name] for name in self.data.files if name[:3] in ("par", "buf")
        }
        self.weights = from_official(self.official)
        self.synthesis = Synthesis.load(self.weights)

    def drawn(self, ws: str, count: int, transform: str = "in/transform0") -> Any:
        """The last `count` pictures that some ws give; the test's data has only those."""
        given = self.data[ws][:2] if count < 3 and len(self.data[ws]) > 1 else self.data[ws]
        with torch.inference_mode():
            moved = torch.from_numpy(self.data[transform])
            return self.synthesis(torch.from_numpy(given[-count:]), moved)


@pytest.fixture(scope="module", params=FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_it_maps_and_truncates_like_the_original(case: Case) -> None:
    data, mean = case.data, stylegan3.mean(case.weights)(None)
    w = stylegan3.mapping(case.weights)(data["in/z"], data["in/c"] if data["in/c"].size else None)
    assert np.abs(w[:, None] - data["out/ws_psi1"]).max() < LATENT
    assert np.abs(mean + 0.7 * (w - mean)[:, None] - data["out/ws_psi0.7"]).max() < LATENT


@pytest.mark.parametrize(
    ("ws", "picture"),
    [("out/ws_psi1", "out/img_const_psi1"), ("in/ws_mix", "out/img_const_ws_mix")],
)
def test_it_draws_like_the_original(case: Case, ws: str, picture: str) -> None:
    expected = case.data[picture]
    assert np.abs(case.drawn(ws, len(expected)).numpy() - expected).max() < PICTURE


def test_it_converts_to_bytes_like_the_original(case: Case) -> None:
    expected = case.data["out/img_const_psi0.7_u8"]
    difference = np.abs(to_pixels(case.drawn("out/ws_psi0.7", len(expected))).numpy().astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_it_transforms_like_the_original(case: Case) -> None:
    places = stylegan3.inputs(case.weights)
    for i, place in enumerate(PLACES):
        (transform,) = places(place)
        assert transform.dtype == np.float32
        assert np.array_equal(transform, case.data[f"in/transform{i}"])
        if f"out/img_transform{i}" in case.data:
            expected = case.data[f"out/img_transform{i}"]
            drawn = case.drawn("out/ws_psi1", len(expected), f"in/transform{i}")
            assert np.abs(drawn.numpy() - expected).max() < PICTURE


def test_the_fast_path_draws_like_the_original(case: Case) -> None:
    hints = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = runtime.core().compile_model(graph.graph(case.weights), "CPU", hints)
    for name, transform in (("const_psi1", "in/transform0"), ("transform4", "in/transform4")):
        expected, ws = case.data[f"out/img_{name}"][-1], case.data["out/ws_psi1"]
        item = 1 if name == "transform4" or len(case.data[f"out/img_{name}"]) == 1 else 2
        picture = compiled([ws[item], case.data[transform]])[0][0]
        assert np.abs(picture - expected).max() < PICTURE


def test_shapes_and_attributes_give_the_same_configuration(case: Case) -> None:
    attributes = {f"synthesis.{name}": layer for name, layer in case.meta["layers"].items()}
    attributes |= {"synthesis.input": case.meta["input"], "synthesis": {"margin_size": 10}}
    assert from_official(case.official, attributes).config == case.weights.config


def test_the_design_gives_the_sizes_and_filters_of_the_original(case: Case) -> None:
    made = case.meta["init_kwargs"]
    radial = made.get("use_radial_filters", False)
    told = {name: made[name] for name in ("num_layers",) if name in made}
    widths = made["channel_base"] // (1 + radial), made["channel_max"] // (1 + radial)
    plan = Plan(made["img_resolution"], radial, base=widths[0], most=widths[1], **told)
    config = case.weights.config
    latents = {name: getattr(config, name) for name in ("z_dim", "c_dim", "embed", "mapping")}
    assert config == plan.config(**latents)
    for i, name in enumerate(config.layers):
        for kind, taps in zip(("up", "down"), plan.filters(i), strict=True):
            found = case.official.get(f"synthesis.{name}.{kind}_filter", np.ones(1))
            assert np.abs(taps - found).max() < 1e-7


def test_attributes_override_the_design() -> None:
    case = Case(FILES[0])
    name = f"synthesis.{case.weights.config.layers[0]}"
    told = {
        name: {"conv_clamp": None, "padding": [10, 7, 8, 9]},
        "synthesis": {"output_scale": np.float64(0.5)},
        "synthesis.input": {"bandwidth": np.float64(3.0), "size": np.array([36, 36])},
        "mapping.fc0": {"bias_gain": 0.1},
    }
    config = from_official(case.official, told).config
    assert (config.clamp, config.scale, config.bandwidth, config.rate) == (None, 0.5, 3.0, 0.1)
    assert config.paddings[0] == (10, 7, 8, 9)


def test_a_layer_name_contains_its_channels() -> None:
    case = Case(FILES[0])
    pruned = {key.replace(".L3_36_32.", ".L3_36_48."): array for key, array in case.official.items()}
    again = from_official(pruned)
    assert again.config == case.weights.config
    assert all(np.array_equal(array, again.arrays[name]) for name, array in case.weights.arrays.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda named: named.pop("synthesis.input.freqs"), "not a stylegan3 generator"),
        (lambda named: named.pop("mapping.fc0.weight"), "not a stylegan3 generator"),
        (lambda named: named.pop("synthesis.L2_36_32.bias"), r"L2_36_32\.bias is missing"),
        (lambda named: named.update({"synthesis.L2_36_32.bias": np.ones(3)}), r"has shape \(3,\), must be"),
        (lambda named: named.pop("synthesis.L2_36_32.weight"), "layer 2 is missing"),
        (lambda named: [named.pop(name) for name in list(named) if ".L" in name], "not a stylegan3"),
        (lambda named: named.update({"mapping.w_avg": np.full(64, np.nan)}), "not finite"),
        (lambda named: named.update({"synthesis.L0_36_32.up_filter": np.ones((1, 2, 3))}), "a filter has"),
        (lambda named: named.update({"synthesis.L0_36_32.up_filter": np.ones(0)}), "sizes and taps"),
        (lambda named: named.update({"synthesis.L0_20_32.weight": np.ones((32, 32, 3, 3))}), "stylegan3|L0"),
    ],
)
def test_wrong_files_are_rejected(change: Any, message: str) -> None:
    named = dict(Case(FILES[0]).official)
    change(named)
    with pytest.raises(ModelError, match=message):
        from_official(named)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"paddings": ((9, 8, 9, 8),) * 7}, "makes .* pixels, must be"),
        ({"ups": (2,) * 6}, "but other entries are for"),
        ({"downs": (0,) * 7}, r"must be 1\.\.64"),
        ({"sizes": ((10**6, 10**6),) * 8}, r"must be 1\.\.16384"),
    ],
)
def test_contradictory_sizes_are_rejected(fields: Any, message: str) -> None:
    config = replace(untrained(32, measured=False, **SMALL).config, **fields)
    with pytest.raises(ModelError, match=message):
        config.shapes()


def test_a_model_survives_a_round_trip(tmp_path: Path) -> None:
    made = untrained(32, "r", measured=False, **SMALL, c_dim=3, embed=8)
    write_weights(tmp_path / "a.safetensors", made)
    read = read_weights(tmp_path / "a.safetensors")
    assert read.config == made.config
    assert all(np.array_equal(array, read.arrays[name]) for name, array in made.arrays.items())


def test_stylegan3_r_is_t_with_other_settings() -> None:
    t, r = Plan(256).config(), Plan(256, radial=True).config()
    assert (t.sizes, t.ups, t.downs, t.up_filters) == (r.sizes, r.ups, r.downs, r.up_filters)
    assert r.channels[:-1] == tuple(2 * channels for channels in t.channels[:-1])
    assert set(r.kernels) == {1}
    assert t.kernels == (3,) * 14 + (1,)
    assert r.down_filters == ((12, 12),) * 12 + ((12,),) * 2 + ((),)
    assert t.down_filters == ((12,),) * 14 + ((),)
    assert r.space.num_ws == 16
    radial = Plan(256, radial=True).filters(5)[1]
    assert np.allclose(radial, radial.T)
    assert np.allclose(radial, radial[::-1])
    assert radial.sum() == pytest.approx(1)


def test_the_bessel_function_equals_scipys() -> None:
    x = np.linspace(0.01, 40, 500)
    assert np.abs(recipe.bessel_j1(x) - j1(x)).max() < 1e-12


NETWORKS: dict[str, dict[str, Any]] = {
    "t": {"resolution": 32},
    "r": {"resolution": 32, "config": "r"},
    "conditional": {"resolution": 32, "c_dim": 3, "embed": 8},
    "unclamped, one channel": {"resolution": 64, "clamp": None, "image_channels": 1},
    "clamped": {"resolution": 32, "clamp": 0.25},
}


@cache
def network(name: str) -> Weights:
    return untrained(**SMALL, **NETWORKS[name])


def ws_of(made: Weights, seed: int = 0) -> Any:
    z = np.random.default_rng(seed).standard_normal((1, made.config.z_dim), np.float32)
    return np.repeat(stylegan3.mapping(made)(z, None), made.config.space.num_ws, 0)


def drawing(made: Weights, parts: Any) -> Any:
    """A function that draws a picture as whole numbers from a transform."""
    runner = Runner(runtime.compile_graphs(runtime.core(), parts, 1), ("ws", "transform"))
    places = stylegan3.inputs(made)
    return lambda place: runner(ws_of(made), *places(place)).astype(int)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_fast_path_equals_the_oracle(name: str) -> None:
    made = network(name)
    unit, fast = Eager(made), drawing(made, graph.parts(made, "f32"))
    for place in (STILL, PLACES[3]):
        expected = unit.synthesise(ws_of(made), NetworkValues(place)).astype(int)
        assert expected.std() > 3
        assert np.abs(fast(place) - expected).max() <= 1


@pytest.mark.parametrize("name", ["t", "r"])
def test_other_forms_equal_the_fast_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, place = network(name), PLACES[3]
    expected = drawing(made, graph.parts(made, "f32"))(place)
    early, late = graph.graph(made, None, 2), graph.graph(made, 2)
    assert np.abs(drawing(made, [(early, "f32"), (late, "f32")])(place) - expected).max() <= 1
    assert np.abs(drawing(made, conversion.parts(made, "f32"))(place) - expected).max() <= 1
    for limit, value in (("STRIP", 1), ("WIDE", 1), ("LEAST_ROWS", 10)):  # strips, Winograd's convolution
        monkeypatch.setattr(graph, limit, value)
    assert np.abs(drawing(made, graph.parts(made, "f32"))(place) - expected).max() <= 1


def test_pictures_can_be_rectangular() -> None:
    made = network("t")
    config = made.config
    sizes = tuple((width + 8, height) for width, height in config.sizes)
    rows = zip(config.kernels, config.ups, config.downs, config.up_filters, config.down_filters, strict=True)
    paddings = tuple(recipe.sides(sizes[i], sizes[i + 1], *row) for i, row in enumerate(rows))
    wide = replace(config, sizes=sizes, paddings=paddings)
    names = dict(zip(config.layers, wide.layers, strict=True))
    arrays = {
        ".".join(names.get(part, part) for part in key.split(".")): array
        for key, array in made.arrays.items()
    }
    made = Weights(wide, {name: arrays[name] for name in wide.shapes()}, {})
    assert wide.size == (40, 32)
    expected = Eager(made).synthesise(ws_of(made)).astype(int)
    assert expected.shape == (32, 40, 3)
    assert np.abs(drawing(made, graph.parts(made, "f32"))(STILL) - expected).max() <= 1


def test_bfloat16_is_close_to_float32() -> None:
    made = untrained(32, **SMALL)
    unit, exact = runtime.OpenVino(made, threads=1), runtime.OpenVino(made, "float32", 1)
    assert unit.precision == "bfloat16" or unit.reason
    ws = ws_of(made)
    assert runtime.psnr(unit.synthesise(ws), exact.synthesise(ws)) >= runtime.LEAST_PSNR
    for half in ("float16", "bfloat16"):
        assert runtime.psnr(Eager(made, "cpu", half).synthesise(ws), exact.synthesise(ws)) >= 30, half


def test_the_fast_path_bends_like_the_oracle() -> None:
    made = network("t")
    bends = [Bend("invert", made.config.layers[1]), Bend("scale", "input")]
    units = runtime.OpenVino(made, "float32", 1, bends), Eager(made, "cpu", "float32", bends)
    fast, expected = (unit.synthesise(ws_of(made)).astype(int) for unit in units)
    assert np.abs(fast - expected).max() <= 1
    assert np.abs(expected - Eager(made).synthesise(ws_of(made))).max() > 3


def picture(made: Weights, **place: float) -> Any:
    with torch.inference_mode():
        given = torch.from_numpy(ws_of(made)), torch.from_numpy(stylegan3.inputs(made)(STILL | place)[0])
        return synthesis(made)(*given)[0].numpy()


def test_translation_moves_the_picture() -> None:
    """By whole pixels of the coarsest layer, so that nothing but the margins differs."""
    made = untrained(64, **{**SMALL, "margin": 10})
    still, right, down = picture(made), picture(made, translate_x=0.25), picture(made, translate_y=0.25)
    assert np.abs(right[:, :, 16:] - still[:, :, :-16]).max() < 0.02 * still.std()
    assert np.abs(down[:, 16:] - still[:, :-16]).max() < 0.02 * still.std()
    assert np.abs(right - still).max() > still.std()


def test_rotation_turns_the_picture() -> None:
    made = network("r")
    still, turned = picture(made), picture(made, rotate=0.25)
    assert np.abs(turned - np.rot90(still, axes=(1, 2))).max() < 1e-4 * still.std()
    assert np.abs(turned - still).max() > still.std()


def test_zoom_enlarges_the_picture() -> None:
    (closer,) = stylegan3.inputs(network("t"))(STILL | {"zoom": 2.0})
    assert np.array_equal(closer, np.diag([0.5, 0.5, 1]))


def test_an_unchanged_transform_gives_the_same_array() -> None:
    places = stylegan3.inputs(network("t"))
    assert places(STILL)[0] is places(dict(STILL))[0]


def test_a_transform_in_the_file_is_used() -> None:
    made = network("t")
    own = np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1]], np.float32)
    made = replace(made, arrays={**made.arrays, "synthesis.input.transform": own})
    assert np.array_equal(stylegan3.inputs(made)(STILL)[0], own)


def by_phases(x: Any, downs: Any, whole: phases.Axis, rows: int) -> Any:
    """One axis, activated by squaring, in strips."""
    made = []
    for strip in whole.strips(rows):
        given = x[whole.first : whole.last][strip.first : strip.last]
        fine = []
        for phase in strip.ups:
            taps, before, after = phase.fitted(len(given), strip.fine)
            fine.append(np.correlate(np.pad(given, (before, after)), taps, "valid") ** 2)
        outs = [
            sum(
                np.correlate(v, np.where(k >= 0, downs[::-1][k], 0), "valid")
                for v, k in zip(fine, row, strict=True)
            )
            for row in strip.downs
        ]
        made.append(np.stack(outs, 1).ravel()[: strip.out])
    return np.concatenate(made)


@settings(deadline=None, max_examples=200)
@given(
    factors=st.sampled_from([(1, 1), (2, 1), (2, 2), (3, 3), (4, 2), (4, 4), (6, 2)]),
    taps=st.integers(1, 13),
    down_taps=st.integers(1, 13),
    pads=st.tuples(st.integers(-12, 14), st.integers(-12, 14)),
    rows=st.integers(1, 9),
)
def test_the_polyphase_path_equals_padding_filtering_and_decimation(
    factors: tuple[int, int], taps: int, down_taps: int, pads: tuple[int, int], rows: int
) -> None:
    (up, down), draw = factors, np.random.default_rng(0)
    x, f, g = (draw.standard_normal(size) for size in (24, taps, down_taps))
    spread = np.zeros(24 * up)
    spread[::up] = x
    before, after = pads
    spread = np.pad(spread, (max(before, 0), max(after, 0)))[max(-before, 0) :]
    spread = spread[: 24 * up + before + after]
    assume(len(spread) >= taps)
    fine = up * np.convolve(spread, f, "valid")
    assume(len(fine) >= down_taps)
    expected = np.convolve(fine**2, g, "valid")[::down]
    whole = phases.axis(24, len(expected), up, down, before, f, down_taps)
    assert np.allclose(by_phases(x, g, whole, rows), expected)


def test_the_untrained_network_is_the_same_on_every_machine() -> None:
    first, again = untrained(32, measured=False, **SMALL), untrained(32, measured=False, **SMALL)
    assert all(np.array_equal(array, again.arrays[name]) for name, array in first.arrays.items())
    other = untrained(32, seed=1, measured=False, **SMALL)
    assert not np.array_equal(first.arrays["mapping.fc0.weight"], other.arrays["mapping.fc0.weight"])
    frequencies = np.linalg.norm(untrained(64, measured=False).arrays["synthesis.input.freqs"], axis=1)
    assert frequencies.max() <= 2
    assert np.mean(np.square(frequencies)) == pytest.approx(2, rel=0.1)  # even over a disc of radius 2
