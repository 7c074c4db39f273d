"""Every output behaves as its protocol promises, and every unit is in this suite."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from perform import outputs
from perform.clock import Moment, Tempo
from perform.faults import Health
from perform.inputs import osc
from perform.outputs import (
    Frame,
    FrameOutput,
    Output,
    StateOutput,
    digest,
    excerpt,
    lights,
    memory,
    midiclock,
    recorder,
    sharing,
)
from perform.scenes.snapshot import Snapshot
from perform.sharing import Share
from tests.doubles.boards import Fixed

SIZE = 64, 36
FOLDER = Path(outputs.__file__).parent
NO_UNITS = {"window", "codecs", "bt709"}  # a window needs a desktop (test_window.py), others are tables


def nowhere(_name: str, _size: tuple[int, int], _fps: float) -> sharing.PictureSender:
    raise OSError("there is no way")


FRAME_OUTPUTS: dict[type, Callable[[Path], FrameOutput]] = {
    digest.Digest: lambda folder: digest.Digest(),
    excerpt.Excerpt: lambda folder: excerpt.Excerpt(memory.Memory(2), 0),
    memory.Memory: lambda folder: memory.Memory(2),
    sharing.SharedOutput: lambda folder: sharing.SharedOutput(Share("ndi", "x"), SIZE, 25, nowhere),
    recorder.Recorder: lambda folder: recorder.Recorder(folder / "film.mkv", SIZE, 25, sound=48_000),
}
STATE_OUTPUTS: dict[type, Callable[[Path], StateOutput]] = {
    lights.MidiLights: lambda folder: lights.MidiLights([]),
    osc.Osc: lambda folder: osc.Osc(port=0, now=lambda: 0.0),
}
OTHERS: dict[type, Callable[[Path], Output]] = {
    midiclock.MidiClockSender: lambda folder: midiclock.MidiClockSender("no such port", Tempo, lambda: 0.0),
}
UNITS: dict[type, Callable[[Path], Output]] = {**FRAME_OUTPUTS, **STATE_OUTPUTS, **OTHERS}


def frame(number: int, value: int = 0) -> Frame:
    pixels = np.full((SIZE[1], SIZE[0], 3), value, np.uint8)
    sound = np.zeros((1920 if number else 0, 2), np.float32)
    return Frame(Moment(number / 25, number, 1 / 25, 0, 0, 120), pixels, sound)


def each(units: Mapping[type, object]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("unit", units.values(), ids=[unit.__name__ for unit in units])


def test_every_unit_is_in_this_suite() -> None:
    modules = {path.stem for path in FOLDER.iterdir() if not path.stem.startswith("_")} - NO_UNITS
    found = {
        unit
        for module in modules
        for unit in vars(importlib.import_module(f"perform.outputs.{module}")).values()
        if inspect.isclass(unit)
        and unit.__module__ == f"perform.outputs.{module}"
        and hasattr(unit, "health")
    }
    assert found == UNITS.keys() - {osc.Osc}
    assert {unit.__module__.rpartition(".")[2] for unit in found} == modules


@each(UNITS)
def test_a_device_has_a_name_and_a_health(unit: Callable[[Path], Output], tmp_path: Path) -> None:
    opened = unit(tmp_path)
    assert opened.name
    assert isinstance(opened.health(), Health)
    opened.close()
    assert isinstance(opened.health(), Health)


@each(UNITS)
def test_closing_twice_and_immediately_is_safe(unit: Callable[[Path], Output], tmp_path: Path) -> None:
    opened = unit(tmp_path)
    opened.close()
    opened.close()


@each(UNITS)
def test_the_rig_knows_which_data_a_device_takes(unit: Callable[[Path], Output], tmp_path: Path) -> None:
    opened = unit(tmp_path)
    assert isinstance(opened, FrameOutput) is (type(opened) in FRAME_OUTPUTS)
    assert isinstance(opened, StateOutput) is (type(opened) in STATE_OUTPUTS)
    opened.close()


@each(FRAME_OUTPUTS)
def test_frames_are_taken_with_and_without_sound(unit: Callable[[Path], FrameOutput], tmp_path: Path) -> None:
    opened = unit(tmp_path)
    for number in range(3):
        opened.write(frame(number))
    opened.write(Frame(frame(3).moment, frame(3).pixels))
    opened.close()


@each(STATE_OUTPUTS)
def test_the_state_can_be_updated_after_closing(unit: Callable[[Path], StateOutput], tmp_path: Path) -> None:
    made: list[Snapshot] = []

    def snapshot() -> Snapshot:
        made.append(Fixed().snapshot())
        return made[-1]

    opened = unit(tmp_path)
    for number in range(60):
        opened.update(number / 60, snapshot)
    assert len(made) <= 30, "a snapshot is made only when something is sent"
    opened.close()
    opened.update(1.0, snapshot)


def test_pixels_are_copied(tmp_path: Path) -> None:
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


def test_a_digest_depends_on_frames_and_their_order() -> None:
    said = []
    for values in ((1, 2), (1, 2), (2, 1)):
        one = digest.Digest()
        for number, value in enumerate(values):
            one.write(frame(number, value))
        said.append(one.hexadecimal)
    assert said[0] == said[1] != said[2]
