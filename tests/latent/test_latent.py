"""Paths through a latent space: exact points, closed loops, any frame rate."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.arrays import Floats
from perform.clock import Moment, OfflineClock, Tempo
from perform.latent.keyframes import ordered
from perform.latent.paths import PATHS, Path, open_path, path_parameters
from perform.latent.space import Space, morph, truncate, z_of
from perform.latent.travel import Travel
from perform.parameters import ParameterError
from tests.folders import DATA

SPACE = Space(z_dim=16, w_dim=8, num_ws=6)
WEIGHTS = np.random.RandomState(0).randn(16, 8).astype(np.float32)
STILL = {"jump": False, "ease": 0.0, "interpolation": "linear"}


def mapping(z: Floats) -> Floats:
    return np.tanh(z @ WEIGHTS)


def w_of(seed: int) -> Floats:
    return mapping(z_of(seed, 16)[None])[0]


def values(path: Path, **given: Any) -> dict[str, Any]:
    known = {p.name: p.default for p in path.parameters}
    return known | {name: value for name, value in (STILL | given).items() if name in known}


def moments(count: int, fps: float = 60, tempo: Tempo | None = None) -> Iterator[Moment]:
    clock = OfflineClock(fps)
    for _ in range(count):
        clock.advance()
        yield clock.moment(tempo or Tempo())


def played(name: str, count: int, fps: float = 60, **given: Any) -> list[Floats]:
    path = open_path(name, SPACE)
    return [path.step(moment, values(path, **given), mapping) for moment in moments(count, fps)]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("interpolation", ["linear", "slerp", "spline"])
def test_every_path_is_smooth_and_repeats(name: str, space: str, interpolation: str) -> None:
    given = {"space": space, "interpolation": interpolation, "ease": 0.5, "speed": 1.0}
    frames = played(name, 240, **given)
    assert all(ws.shape == (6, 8) and ws.dtype == np.float32 and np.isfinite(ws).all() for ws in frames)
    assert max(np.abs(b - a).max() for a, b in itertools.pairwise(frames)) < 0.2
    assert np.array_equal(frames, played(name, 240, **given))


@pytest.mark.parametrize("space", ["z", "w"])
def test_walk_visits_the_seeds_after_its_first(space: str) -> None:
    frames = played("walk", 9, fps=2, seed=5, speed=1.0, space=space)  # a bar is 2 s
    for seed, frame in ((5, 0), (6, 4), (7, 8)):
        np.testing.assert_allclose(frames[frame], np.repeat(w_of(seed)[None], 6, 0), atol=1e-6)


def test_walk_is_straight_in_w() -> None:
    frames = played("walk", 2, fps=2, seed=5, speed=1.0)
    np.testing.assert_allclose(frames[1][0], 0.75 * w_of(5) + 0.25 * w_of(6), atol=1e-6)


def test_walk_is_straight_in_z() -> None:
    frames = played("walk", 2, fps=2, seed=5, speed=1.0, space="z")
    z = 0.75 * z_of(5, 16) + 0.25 * z_of(6, 16)
    np.testing.assert_allclose(frames[1][0], mapping(z[None])[0], atol=1e-6)


@pytest.mark.parametrize("name", ["walk", "loop", "keys", "hold", "orbit"])
@pytest.mark.parametrize("space", ["z", "w"])
def test_a_still_path_maps_its_keyframes_once(name: str, space: str) -> None:
    mapped = []

    def counting(z: Floats) -> Floats:
        mapped.append(len(z))
        return mapping(z)

    path = open_path(name, SPACE)
    for moment in moments(50):
        path.step(moment, values(path, speed=0.0, space=space, radius=0.0), counting)
    assert sum(mapped) <= 3


def test_another_mapping_maps_the_keyframes_again() -> None:
    path = open_path("hold", SPACE)
    first, second = moments(2)
    before = path.step(first, values(path), mapping)
    after = path.step(second, values(path), lambda z: 2 * mapping(z))
    np.testing.assert_array_equal(after, 2 * before)


@pytest.mark.parametrize("interpolation", ["linear", "slerp", "spline"])
@pytest.mark.parametrize("space", ["z", "w"])
def test_loop_is_closed(interpolation: str, space: str) -> None:
    given = {"seeds": (3, 14, 15), "speed": 1.0, "interpolation": interpolation, "space": space}
    frames = played("loop", 2 * 180, fps=30, **given)  # 3 bars of 60 frames
    np.testing.assert_allclose(frames[:180], frames[180:], atol=1e-5)


def test_spline_loop_has_no_corner_at_its_seam() -> None:
    frames = np.array(played("loop", 400, fps=30, seeds=(3, 14, 15), speed=1.0, interpolation="spline"))
    bend = np.abs(np.diff(frames[:, 0], n=2, axis=0)).max(axis=1)
    assert bend[178] < 2 * np.median(bend)  # around frame 180, where the loop closes


def test_backwards_follows_the_same_path() -> None:
    there = played("loop", 60, fps=15, seeds=(1, 2), speed=1.0)
    back = played("loop", 60, fps=15, seeds=(1, 2), speed=-1.0)
    np.testing.assert_allclose(there[1:], back[:0:-1], atol=1e-5)


@pytest.mark.parametrize("space", ["z", "w"])
def test_orbit_is_a_circle_around_its_seed(space: str) -> None:
    path = open_path("orbit", SPACE)
    points: list[Floats] = []

    def watching(z: Floats) -> Floats:
        points.append(z[0])
        return mapping(z)

    frames = [
        path.step(moment, values(path, seed=9, speed=1.0, radius=0.5, space=space), watching)[0]
        for moment in moments(61, fps=30)
    ]
    centre = z_of(9, 16) if space == "z" else w_of(9)
    circle = np.array(points if space == "z" else frames)
    radii = np.linalg.norm(circle - centre, axis=1)
    np.testing.assert_allclose(radii, radii[0], rtol=1e-4)
    np.testing.assert_allclose(frames[0], frames[60], atol=1e-5)
    np.testing.assert_allclose(circle[0] + circle[30], 2 * centre, atol=1e-5)


def jumps(name: str, on: set[int], count: int, **given: Any) -> list[Floats]:
    path = open_path(name, SPACE)
    return [
        path.step(moment, values(path, **given) | {"jump": moment.frame in on}, mapping)[0]
        for moment in moments(count)
    ]


def test_hold_changes_only_on_a_jump() -> None:
    frames = jumps("hold", {10, 20}, 30, seed=4)
    expected = [w_of(4)] * 10 + [w_of(5)] * 10 + [w_of(6)] * 10
    np.testing.assert_array_equal(frames, expected)


def test_a_held_trigger_makes_one_jump() -> None:
    np.testing.assert_array_equal(jumps("hold", set(range(10, 20)), 30, seed=4)[-1], w_of(5))


def test_a_jump_glides() -> None:
    frames = jumps("hold", {10}, 200, seed=4, glide=0.5)
    away = [float(np.abs(frame - w_of(5)).max()) for frame in frames]
    assert frames[10] == pytest.approx(w_of(4), abs=1e-6)
    assert all(b <= a + 1e-6 for a, b in itertools.pairwise(away))
    assert away[10 + 30] < 0.02 * away[0] * 1.01  # half a second
    assert away[-1] < 1e-4


def test_a_jump_between_keyframes_goes_to_the_next() -> None:
    frames = jumps("walk", {30}, 31, seed=4, speed=1.0)  # a quarter of the way
    np.testing.assert_allclose(frames[30], w_of(5), atol=1e-5)


def test_a_jump_just_before_a_keyframe_goes_to_the_one_after() -> None:
    frames = jumps("walk", {110}, 111, seed=4, speed=1.0)  # 11/12 of the way
    np.testing.assert_allclose(frames[110], w_of(6), atol=1e-5)


def test_ease_dwells_and_arrives_on_the_downbeat() -> None:
    even, eased = (played("walk", 121, seed=4, speed=1.0, ease=ease) for ease in (0.0, 1.0))
    np.testing.assert_allclose(eased[0], even[0], atol=1e-6)
    np.testing.assert_allclose(eased[120], even[120], atol=1e-5)
    np.testing.assert_allclose(eased[60], even[60], atol=1e-5)
    assert np.abs(eased[12] - eased[0]).max() < 0.15 * np.abs(even[12] - even[0]).max()


@pytest.mark.parametrize("name", ["walk", "loop", "keys"])
def test_a_keyframe_holds_for_its_share_of_the_time(name: str) -> None:
    given: dict[str, Any] = {"per": "second", "speed": 1.0} | ({} if name == "walk" else {"seeds": (0, 1, 2)})
    moving, still = (played(name, 61, hold=hold, **given) for hold in (0.0, 0.5))
    np.testing.assert_array_equal(still[0], still[29])
    np.testing.assert_allclose(still[45], moving[30], atol=1e-5)
    np.testing.assert_allclose(still[60], moving[60], atol=1e-4)


@pytest.mark.parametrize(
    ("order", "visits"),
    [
        ("forward", [1, 2, 3, 1, 2, 3, 1]),
        ("backward", [3, 2, 1, 3, 2, 1, 3]),
        ("pingpong", [1, 2, 3, 2, 1, 2, 3]),
        ("once", [1, 2, 3, 3, 3, 3, 3]),
    ],
)
def test_keys_are_visited_in_their_order(order: str, visits: list[int]) -> None:
    frames = played("keys", 7, fps=1, seeds=(1, 2, 3), order=order, speed=1.0, per="second")
    np.testing.assert_allclose([ws[0] for ws in frames], [w_of(seed) for seed in visits], atol=1e-6)


@given(st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_shuffled_keys_are_visited_once_a_turn(count: int, seed: int) -> None:
    asked = {"seeds": tuple(range(count)), "order": "shuffle", "shuffle": seed}
    visits = [ordered(asked, n) for n in range(5 * count)]
    assert all(sorted(visits[i : i + count]) == list(range(count)) for i in range(0, 5 * count, count))
    if count > 2:
        assert all(a != b for a, b in itertools.pairwise(visits))


@pytest.mark.parametrize("order", ["forward", "backward", "pingpong", "once", "shuffle"])
def test_one_key_is_enough(order: str) -> None:
    assert {ordered({"seeds": (8,), "order": order, "shuffle": 0}, n) for n in range(-3, 4)} == {8}


def test_mix_takes_another_style_in_some_layers() -> None:
    (ws,) = played("hold", 1, seed=4, mix=0.25, mix_seed=9, mix_from=2, mix_to=3)
    mixed = 0.75 * w_of(4) + 0.25 * w_of(9)
    np.testing.assert_allclose(ws, [w_of(4), w_of(4), mixed, mixed, w_of(4), w_of(4)], atol=1e-6)


@pytest.mark.parametrize("per", ["bar", "beat", "second"])
@pytest.mark.parametrize("name", ["walk", "loop", "orbit", "keys"])
def test_every_frame_rate_follows_the_same_path(name: str, per: str) -> None:
    slow = played(name, 97, fps=24, per=per, speed=0.7)
    fast = played(name, 241, fps=60, per=per, speed=0.7)
    np.testing.assert_allclose(slow[::2], fast[::5], atol=1e-4)


def moment_at(frame: int, beat: float) -> Moment:
    return Moment(frame / 50, frame, 1 / 50 if frame else 0.0, beat, beat / 4, 120.0)


def travelled(beats: list[float], per: str = "beat") -> list[float]:
    travel = Travel()
    return [travel.step(moment_at(frame, beat), 1.0, per) for frame, beat in enumerate(beats)]


def test_travel_starts_at_the_position_in_the_bar() -> None:
    assert travelled([9.0], "bar") == [0.25]


def test_a_beat_correction_is_applied_smoothly() -> None:
    beats = [0.04 * i + (0.4 if i >= 50 else 0.0) for i in range(200)]
    phases = travelled(beats)
    assert max(b - a for a, b in itertools.pairwise(phases)) < 0.08
    assert phases[-1] == pytest.approx(beats[-1], abs=1e-4)


@pytest.mark.parametrize("jump", [1000.0, -1000.0])
def test_another_song_does_not_make_it_race(jump: float) -> None:
    beats = [2000 + 0.04 * i + (jump if i >= 50 else 0.0) for i in range(100)]
    assert travelled(beats)[-1] == pytest.approx(99 * 0.04)


def test_tempo_changes_are_followed() -> None:
    path = open_path("walk", SPACE)
    tempo, frames = Tempo(), []
    for moment in moments(300, fps=50):
        tempo = tempo.set(160, moment.seconds) if moment.frame == 100 else tempo
        at = replace(moment, beat=tempo.beat(moment.seconds), bar=tempo.bar(moment.seconds), bpm=tempo.bpm)
        frames.append(path.step(at, values(path, seed=4, speed=1.0), mapping)[0])
    bars = 1.0 + (299 / 50 - 2) * 160 / 240
    here = int(bars)
    expected = w_of(4 + here) * (1 - bars + here) + w_of(5 + here) * (bars - here)
    np.testing.assert_allclose(frames[-1], expected, atol=1e-3)


@pytest.fixture(scope="module")
def reference() -> Callable[[str], Floats]:
    arrays = np.load(DATA / "truncation.npz")
    return lambda name: arrays[name]


def test_seeds_give_the_latents_of_the_official_tools(reference: Callable[[str], Floats]) -> None:
    for seed, z in zip(reference("seeds"), reference("z"), strict=True):
        np.testing.assert_array_equal(z_of(int(seed), 64), z)


@pytest.mark.parametrize("psi", [0.7, 0, -0.5, 1.5])
def test_truncation_equals_the_original(psi: float, reference: Callable[[str], Floats]) -> None:
    for ws, expected in zip(reference("ws_psi1"), reference(f"ws_psi{psi:g}"), strict=True):
        np.testing.assert_allclose(truncate(ws, reference("mean"), psi, None), expected, atol=1e-6)


def test_truncation_applies_to_the_first_layers(reference: Callable[[str], Floats]) -> None:
    for ws, expected in zip(reference("ws_psi1"), reference("ws_psi0.7_cut4"), strict=True):
        np.testing.assert_allclose(truncate(ws, reference("mean"), 0.7, 4), expected, atol=1e-6)


def test_truncation_of_1_changes_nothing(reference: Callable[[str], Floats]) -> None:
    ws = reference("ws_psi1")[0]
    assert truncate(ws, reference("mean"), 1.0) is ws


def test_blend_is_exact_at_both_ends() -> None:
    a, b = (np.random.RandomState(i).randn(6, 8).astype(np.float32) for i in (1, 2))
    np.testing.assert_array_equal(morph(a, b, 0.0), a)
    np.testing.assert_array_equal(morph(a, b, 1.0), b)
    np.testing.assert_allclose(morph(a, b, 0.5), (a + b) / 2, atol=1e-6)


def test_a_wrong_path_name_lists_the_right_ones() -> None:
    with pytest.raises(ParameterError) as error:
        open_path("wlak", SPACE)
    assert str(error.value) == (
        "path = 'wlak', must be one of walk, loop, orbit, hold, keys, weights; did you mean 'walk'?"
    )


@pytest.mark.parametrize("name", PATHS)
def test_parameters_are_declared_once_and_take_their_defaults(name: str) -> None:
    parameters = path_parameters(name)
    assert open_path(name, SPACE).parameters is parameters
    assert len({p.name for p in parameters}) == len(parameters)
    for parameter in parameters:
        assert parameter.check(parameter.default) == parameter.default
        assert parameter.description


def test_weights_are_the_shares_of_their_seeds() -> None:
    path = open_path("weights", SPACE)
    (moment,) = moments(1)

    def at(*weights: float) -> Floats:
        given = {f"weight{n}": weight for n, weight in enumerate(weights, 1)}
        return path.step(moment, values(path, seeds=(3, 14, 15), **given), mapping)

    assert np.allclose(at(1), w_of(3))
    assert np.allclose(at(0, 0.5), w_of(14))
    mixed = at(1, 0, 3)
    assert np.allclose(mixed, 0.25 * w_of(3) + 0.75 * w_of(15))
    assert np.array_equal(at(0, 0, 0), mixed)  # nothing is wanted: it stays
    assert np.allclose(at(-1, 1, 0, 1), w_of(14))  # no fourth seed
    fresh = open_path("weights", SPACE)
    still = fresh.step(moment, values(fresh, seeds=(3, 14), weight1=0), mapping)
    assert np.allclose(still, (w_of(3) + w_of(14)) / 2)
