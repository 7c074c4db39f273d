"""Codecs: every one in every file that holds it, with its sound, and its pictures as they went in."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from perform.outputs import Frame
from perform.outputs.codecs import CODECS, encoding
from perform.outputs.recorder import Recorder
from tests.doubles.frames import RATE, SIZE, frame

FILMS = [(codec, suffix) for codec, declared in CODECS.items() for suffix in declared.suffixes]
FRAMES, FLASH = 60, 31


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as file:
        return [one.to_ndarray(format="rgb24") for one in file.decode(video=0)]


@pytest.mark.parametrize(("codec", "suffix"), FILMS)
def test_picture_and_sound_come_back_together(tmp_path: Path, codec: str, suffix: str) -> None:
    """A white frame, and a click that begins with it."""
    path = tmp_path / f"film{suffix}"
    recorder = Recorder(path, SIZE, 25, RATE, codec=codec)
    hop = RATE // 25
    for number in range(FRAMES):
        sound = np.zeros((hop, 2), np.float32)
        if number == FLASH + 1:  # the sound of a frame is that before it
            sound[:240] = np.where(np.arange(240) % 24 < 12, 0.7, -0.7)[:, None]
        recorder.write(frame(number, 25, 255 * (number == FLASH), sound))
    recorder.close()
    with av.open(str(path)) as file:
        assert (
            file.streams.video[0]
            .codec_context.name.removeprefix("lib")
            .startswith({"av1": ("av1", "dav1d")}.get(codec, codec))
        )
        times = [(one.time, one.to_ndarray(format="gray").mean()) for one in file.decode(video=0)]
    assert len(times) == FRAMES
    assert [round(time * 25) for time, grey in times if grey > 128] == [FLASH]
    assert heard(path) == pytest.approx(FLASH / 25, abs=0.002)


def heard(path: Path) -> float:
    """When the film begins to click."""
    resampler = av.AudioResampler(format="flt", layout="stereo")
    with av.open(str(path)) as file:
        for one in file.decode(audio=0):
            for packed in resampler.resample(one):
                loud = np.nonzero(np.abs(packed.to_ndarray().reshape(-1, 2)[:, 0]) > 0.2)[0]
                if len(loud):
                    return float(packed.time + loud[0] / RATE)
    return -1.0


def test_ffv1_gives_every_byte_back(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (5, SIZE[1], SIZE[0], 3), dtype=np.uint8)
    recorder = Recorder(tmp_path / "film.mkv", SIZE, 25, codec="ffv1")
    for number, pixels in enumerate(noise):
        recorder.write(Frame(frame(number, 25).moment, pixels))
    recorder.close()
    assert np.array_equal(pictures(tmp_path / "film.mkv"), noise)


@pytest.mark.parametrize(
    ("codec", "suffix", "good", "bad"),
    [("h264", ".mp4", "4", "45"), ("hevc", ".mp4", "4", "45"), ("prores", ".mov", "4444", "proxy")],
)
def test_quality_changes_the_size(tmp_path: Path, codec: str, suffix: str, good: str, bad: str) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (20, SIZE[1], SIZE[0], 3), dtype=np.uint8)
    sizes = []
    for quality in (good, bad):
        path = tmp_path / f"{quality}{suffix}"
        recorder = Recorder(path, SIZE, 25, codec=codec, quality=quality)
        for number, pixels in enumerate(noise):
            recorder.write(Frame(frame(number, 25).moment, pixels))
        recorder.close()
        sizes.append(path.stat().st_size)
    assert sizes[0] > 2 * sizes[1]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_films_of_a_few_pictures_are_whole(tmp_path: Path, frames: int) -> None:
    """x265 has no decoding times for them: in one of three cases they were refused."""
    for turn in range(12):
        path = tmp_path / f"{turn}.mp4"
        recorder = Recorder(path, SIZE, 25, codec="hevc")
        for number in range(frames):
            recorder.write(frame(number, 25))
        recorder.close()
        assert len(pictures(path)) == frames


def test_hevc_has_the_name_that_players_on_a_mac_need(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.mp4", SIZE, 25, codec="hevc")
    recorder.write(frame(0, 25))
    recorder.close()
    assert b"hvc1" in (tmp_path / "film.mp4").read_bytes()


@pytest.mark.parametrize(
    ("file", "codec", "quality", "message"),
    [
        ("a.mp4", "divx", None, "codec 'divx', must be one of h264, hevc, av1, prores, ffv1"),
        ("a.mp4", "prores", None, "a.mp4: a film in prores must end in .mov or .mkv"),
        ("a.mov", "ffv1", None, "a.mov: a film in ffv1 must end in .mkv"),
        ("a.avi", "h264", None, "a.avi: the name must end in .mp4, .mov, .mkv"),
        ("a.mp4", "h264", "52", "quality '52' of h264, must be 0..51, less is better"),
        ("a.mp4", "hevc", "good", "quality 'good' of hevc, must be 0..51, less is better"),
        ("a.mp4", "av1", "0", "quality '0' of av1, must be 1..63, less is better"),
        ("a.mov", "prores", "5", "quality '5' of prores, must be one of proxy, lt, standard, hq, 4444"),
        ("a.mkv", "ffv1", "1", "quality '1' of ffv1, must be left out: it is lossless"),
    ],
)
def test_what_cannot_be_is_refused(file: str, codec: str, quality: str | None, message: str) -> None:
    with pytest.raises(ValueError) as fault:
        encoding(Path(file), codec, quality)
    assert str(fault.value) == message
