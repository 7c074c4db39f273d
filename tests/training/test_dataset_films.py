"""Film as a source: which frames are taken, when, and which way up."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.arrays import Pixels
from perform.training.dataset import Dataset, DatasetError
from perform.training.dataset.cuts import FrameChooser, cuts, dropped_frames
from perform.training.dataset.films import Film, FilmFrame, FrameChoice
from perform.training.dataset.making import make
from perform.training.dataset.outcomes import Lost
from perform.training.dataset.settings import DatasetSettings
from tests.doubles.drawings import SIZE, still, written


def grey(level: int) -> Pixels:
    return np.full((*SIZE[::-1], 3), level, np.uint8)


def items(film: Film) -> list[FilmFrame | Lost]:
    return list(film.items(0))  # type: ignore[arg-type]


def seconds(film: Film) -> list[float]:
    return [round(one.seconds, 3) for one in items(film) if isinstance(one, FilmFrame)]


@pytest.mark.parametrize(
    ("pick", "expected"),
    [
        (FrameChoice(), [n / 25 for n in range(50)]),
        (FrameChoice(stride=10), [0, 0.4, 0.8, 1.2, 1.6]),
        (FrameChoice(fps=5), [n / 5 for n in range(10)]),
        (FrameChoice(fps=10, end=0.9), [0, 0.12, 0.2, 0.32, 0.4, 0.52, 0.6, 0.72, 0.8]),
        (FrameChoice(fps=100), [n / 25 for n in range(50)]),
        (FrameChoice(start=0.6, end=1.2, stride=5), [0.6, 0.8, 1.0]),
        (FrameChoice(start=1.9), [1.92, 1.96]),
        (FrameChoice(start=5), []),
    ],
)  # fmt: skip
def test_the_chosen_frames_are_taken(tmp_path: Path, pick: FrameChoice, expected: list[float]) -> None:
    film = Film(written(tmp_path / "a.mp4", map(grey, range(0, 250, 5))), pick)
    assert seconds(film) == expected
    levels = [one.pixels[0, 0, 0] for one in items(film) if isinstance(one, FilmFrame)]
    assert (
        np.abs(np.subtract(levels, [round(time * 25) * 5 for time in expected], dtype=float)).max(initial=0)
        <= 3
    )


def test_variable_frame_durations_are_followed(tmp_path: Path) -> None:
    """A screen recording: frames come when something happens."""
    times = [0, 3, 50, 51, 52, 130, 200]
    path = written(tmp_path / "a.mkv", map(still, range(7)), times)
    assert seconds(Film(path, FrameChoice())) == [0, 0.03, 0.5, 0.51, 0.52, 1.3, 2.0]
    assert seconds(Film(path, FrameChoice(fps=2))) == [0, 0.5, 1.3, 2.0]


def test_a_film_with_rotation_is_upright(tmp_path: Path) -> None:
    """Stored wide, its left half red, shown turned by a quarter clockwise: the upper half is red."""
    pixels = np.zeros((*SIZE[::-1], 3), np.uint8)
    pixels[:, :48] = (255, 0, 0)
    path = written(tmp_path / "a.mp4", [pixels] * 3)
    data = path.read_bytes()
    at = data.index(b"tkhd") + 44
    turned = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:at] + turned + data[at + 36 :])
    one = items(Film(path, FrameChoice()))[0]
    assert isinstance(one, FilmFrame)
    (opened,) = one.opened(DatasetSettings())
    assert opened.size == SIZE[::-1] and opened.handled == ("rotated",)
    shown = np.asarray(opened.image)
    assert shown[:44, :, 0].min() > 240 and shown[52:].max() < 15


def test_oblong_pixels_become_square(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mkv", [still(1)], sample_aspect_ratio=Fraction(3, 2))
    (one,) = items(Film(path, FrameChoice()))
    assert isinstance(one, FilmFrame)
    (opened,) = one.opened(DatasetSettings())
    assert opened.size == (144, 64) and opened.handled == ("stretched",)


def test_scene_cuts_are_found(tmp_path: Path) -> None:
    """Three scenes of moving pictures, a flash in the middle one, which is no cut."""
    frames = [np.roll(still(1 + n // 20), n % 20, 1) for n in range(60)]
    frames[30] = np.full_like(frames[30], 255)
    path = written(tmp_path / "a.mp4", frames)
    found = items(Film(path, FrameChoice(scenes=3, margin=2)))
    taken = [int(one.name[-6:]) for one in found if isinstance(one, FilmFrame)]
    assert [sum(low <= n < low + 20 for n in taken) for low in (0, 20, 40)] == [3, 3, 3]
    near = [int(one.name[-6:]) for one in found if isinstance(one, Lost) and one.reason == "cut"]
    assert near == [18, 19, 20, 21, 38, 39, 40, 41]
    assert len(found) == 60


def test_damaged_frames_are_listed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", map(still, range(40)))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = np.random.default_rng(3).bytes(20_000)
    path.write_bytes(data)
    found = items(Film(path, FrameChoice()))
    broken = [one for one in found if isinstance(one, Lost)]
    assert broken and all(one.reason == "broken" for one in broken)
    assert len({one.name for one in found}) == len(found)
    whole = [one for one in found if isinstance(one, FilmFrame)]
    assert 20 <= len(whole) < 36
    for one in whole:
        assert np.abs(one.pixels.astype(int) - still(round(one.seconds * 25))).mean() < 3
    made = make(Film(path, FrameChoice()), DatasetSettings((32, 32)), tmp_path / "out")
    assert made.counts.seen == len(found) and made.counts.dropped == {"broken": len(broken)}


def test_a_truncated_film_gives_its_whole_frames(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mkv", map(still, range(40)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 10 <= len([one for one in items(Film(path, FrameChoice())) if isinstance(one, FilmFrame)]) < 40


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [("a.mp4", b"no film", "cannot be read as a film"), ("none.mp4", None, "there is no such file")],
)
def test_a_file_that_is_no_film_is_dropped(
    tmp_path: Path, name: str, data: bytes | None, sentence: str
) -> None:
    if data:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError, match=sentence):
        Film(tmp_path / name, FrameChoice())


def test_a_sound_file_is_no_film(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.wav"), "w") as file:
        sound = file.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        file.mux(sound.encode(frame))
    with pytest.raises(DatasetError, match=r"a\.wav holds no pictures"):
        Film(tmp_path / "a.wav", FrameChoice())


def test_a_resumed_film_gives_the_same_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.training.dataset.shards.PICTURES", 4)
    film = Film(written(tmp_path / "a.mp4", map(still, range(20))), FrameChoice(start=0.1, stride=2))
    make(film, DatasetSettings((32, 32)), tmp_path / "unbroken")

    def stop(seen: int, kept: int) -> None:
        if kept == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(film, DatasetSettings((32, 32)), tmp_path / "out", watch=stop)
    make(film, DatasetSettings((32, 32)), tmp_path / "out", workers=2)
    assert Dataset.open(tmp_path / "out").digest == Dataset.open(tmp_path / "unbroken").digest
    assert Dataset.open(tmp_path / "out").facts(0)["seconds"] == 0.12


@pytest.mark.parametrize(
    ("matrix", "height", "expected"), [(None, 64, 601), (None, 720, 709), (1, 64, 709), (5, 720, 601)]
)
def test_colours_follow_the_matrix_of_the_film(matrix: int | None, height: int, expected: int) -> None:
    """Green of BT.601 and of BT.709 differ by a tenth where the other's matrix is taken."""
    from perform.training.dataset.films import rgb

    frame = av.VideoFrame(64, height, "yuv420p")
    luma, blue, red = {601: (145, 54, 34), 709: (173, 42, 26)}[expected]  # full green, in the limited range
    for plane, level in zip(frame.planes, (luma, blue, red), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    frame.colorspace = 2 if matrix is None else matrix
    assert np.abs(rgb(frame)[8, 8].astype(int) - (0, 255, 0)).max() <= 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": -1},
        {"start": 3, "end": 2},
        {"stride": 0},
        {"fps": -1},
        {"fps": float("nan")},
        {"start": float("nan")},
        {"margin": -1},
        {"fps": 2, "stride": 2},
    ],
)
def test_wrong_frame_choices_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(DatasetError):
        FrameChoice(**wrong)


def test_a_cut_is_a_single_peak() -> None:
    assert cuts([1] * 10 + [60] + [1] * 10) == [11]
    assert cuts([1] * 10 + [60, 60] + [1] * 10) == []  # a flash
    assert cuts([60] * 20) == []  # a fast movement
    assert cuts([]) == []
    assert cuts([5] * 3 + [11] + [1] * 4) == []


@given(
    total=st.integers(1, 60),
    begins=st.sets(st.integers(1, 59)),
    each=st.integers(0, 4),
    margin=st.integers(0, 3),
)
def test_scenes_keep_at_most_their_limit(total: int, begins: set[int], each: int, margin: int) -> None:
    edges = sorted(one for one in begins if one < total)
    lost = dropped_frames(range(total), edges, each, margin)
    for low, high in zip([0, *edges], [*edges, total], strict=True):
        here = [n for n in range(low, high) if lost.get(n) != "cut"]
        kept = [n for n in here if n not in lost]
        assert len(kept) == min(each or len(here), len(here))


@given(st.lists(st.integers(1, 400), min_size=1, max_size=80), st.sampled_from([0.5, 2, 24, 30, 120]))
def test_no_step_gives_more_than_one_frame(steps: list[int], fps: float) -> None:
    times = np.cumsum(steps) / 1000
    choose = FrameChooser(0.0, 1, fps)
    taken = [time for n, time in enumerate(times) if choose(n, float(time))]
    assert taken[0] == times[0]
    assert len({int(time * fps + 1e-4) for time in taken}) == len(taken)
