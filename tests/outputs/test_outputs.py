"""Every output keeps the rack's promises, and no unit escapes the suite."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from perform import outputs
from perform.clock import Moment
from perform.outputs import Frame, Output, digest, memory, recorder

SIZE = 64, 36
FOLDER = Path(outputs.__file__).parent
NOT_OF_PIXELS = {"window", "midiclock", "feedback"}  # the one draws the texture itself, the others send MIDI

UNITS: dict[type, Callable[[Path], Output]] = {
    digest.Digest: lambda folder: digest.Digest(),
    memory.Memory: lambda folder: memory.Memory(2),
    recorder.Recorder: lambda folder: recorder.Recorder(folder / "film.mkv", SIZE, 25, sound=48_000),
}


def frame(number: int, value: int = 0) -> Frame:
    pixels = np.full((SIZE[1], SIZE[0], 3), value, np.uint8)
    sound = np.zeros((1920 if number else 0, 2), np.float32)
    return Frame(Moment(number / 25, number, 1 / 25, 0, 0, 120), pixels, sound)


@pytest.fixture(params=UNITS.values(), ids=[unit.__name__ for unit in UNITS])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Output:
    unit: Output = request.param(tmp_path)
    return unit


def test_no_unit_escapes() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")} - NOT_OF_PIXELS
    found = {
        unit
        for module in modules
        for unit in vars(importlib.import_module(f"perform.outputs.{module}")).values()
        if inspect.isclass(unit) and unit.__module__ == f"perform.outputs.{module}" and hasattr(unit, "write")
    }
    assert found == UNITS.keys()
    assert {unit.__module__.rpartition(".")[2] for unit in found} == modules


def test_frames_are_taken_with_and_without_sound(opened: Output) -> None:
    for number in range(3):
        opened.write(frame(number))
    opened.write(Frame(frame(3).moment, frame(3).pixels))
    opened.close()


def test_closing_twice_and_at_once_is_safe(opened: Output) -> None:
    opened.close()
    opened.close()


def test_pixels_are_not_held_by_reference(tmp_path: Path) -> None:
    kept = memory.Memory(1)
    one = frame(0, 7)
    kept.write(one)
    one.pixels[:] = 9
    assert kept.last is not None
    assert int(kept.last.pixels.max()) == 7


def test_memory_keeps_the_last_frames() -> None:
    kept = memory.Memory(2)
    assert kept.last is None
    for number in range(5):
        kept.write(frame(number))
    assert [one.moment.frame for one in kept.frames] == [3, 4]
    assert kept.count == 5
    with pytest.raises(ValueError, match="keep = 0, must be 1 or more"):
        memory.Memory(0)


def test_a_digest_knows_frames_and_their_order() -> None:
    said = []
    for values in ((1, 2), (1, 2), (2, 1)):
        one = digest.Digest()
        for number, value in enumerate(values):
            one.write(frame(number, value))
        said.append(one.hexadecimal)
    assert said[0] == said[1] != said[2]
