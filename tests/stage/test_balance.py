"""The balance of a show: the governor's levels reach the clock, the scenes, the log and the status."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perform.clock import LiveClock
from perform.library import Library
from perform.rig import Rig
from perform.show import Options, play
from perform.show.status import StatusMeter
from perform.stage.balance import Balance, level_text, scaled
from perform.stage.governor import LADDER, Governor, Level, NetworkTime, Shown
from tests.doubles.library import save, write_library

SIZE = (640, 360)
LATER = 1e9  # seconds: after every real frame
# Each frame adds a sixteenth to what is kept, and shows it.
KEEPS = """/*{"ISFVSN": "2", "PASSES": [{"TARGET": "kept", "PERSISTENT": true, "FLOAT": true}, {}]}*/
void main() {
    gl_FragColor = IMG_THIS_PIXEL(kept);
    if (PASSINDEX == 0) gl_FragColor = vec4(gl_FragColor.rgb + 1.0 / 16.0, 1.0);
}
"""
COUNT = 'title = "Count"\n[generator]\nshader = "keeps"\n[transition]\nbeats = 0\n'


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Rig]]:
    monkeypatch.chdir(write_library(tmp_path))
    save(tmp_path / "shaders/generators/keeps.fs", KEEPS)
    save(tmp_path / "presets/count.toml", COUNT)
    rigs: list[Rig] = []

    def start(**options: object) -> Rig:
        given = {"size": SIZE, "headless": True, "osc_port": 0, "watch": False, **options}
        rigs.append(play(Options("count", **given), Library(tmp_path)))  # type: ignore[arg-type]
        return rigs[-1]

    yield start
    for rig in rigs:
        rig.close()


def red(rig: Rig) -> tuple[int, tuple[int, int]]:
    """The red of the next frame in the middle of the scene's image, and that image's size."""
    rig.frame()
    assert rig.picture
    image = rig.picture.image
    width, height = image.size
    at = 4 * (height // 2 * width + width // 2)
    return image.read()[at], image.size


def loaded(rig: Rig, work: float) -> None:
    """Two seconds in which each frame takes `work` seconds."""
    assert rig.balance
    for number in range(60):
        rig.balance.frame(LATER + number / 30, work, rig.performance)


class Recorded(Governor):
    """A governor that remembers what was shown."""

    def frame(self, now: float, work: float, network: NetworkTime, shown: Shown | None = None) -> bool:
        self.seen = shown
        return super().frame(now, work, network, shown)


def test_scenes_are_remembered_by_their_files(opened: Callable[..., Rig], tmp_path: Path) -> None:
    rig, governor = opened(), Recorded()
    assert isinstance(rig.clock, LiveClock)
    Balance(governor, rig.clock, rig.stage, SIZE).frame(0.0, 0.01, rig.performance)
    assert governor.seen == Shown(tmp_path / "presets/count.toml")


def test_levels_reach_the_scenes_the_log_and_the_status(
    opened: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "perform")
    rig = opened()
    assert rig.balance
    assert rig.balance.text == "display 31/s, scenes at half size"
    seen = [red(rig), red(rig)]
    loaded(rig, 0.2)
    seen += [red(rig), red(rig)]
    small, half = scaled(SIZE, LADDER[-1].scale), scaled(SIZE, 0.5)
    assert seen == [(16, half), (32, half), (48, small), (64, small)]  # what is kept goes on: no flash
    text = "display 26/s, scenes at a quarter of the size: the processor is busy"
    assert [record.getMessage() for record in caplog.records if "scenes at" in record.getMessage()] == [text]
    assert StatusMeter().status(rig).balance == text


@pytest.mark.parametrize(
    ("options", "scales", "rates"),
    [
        ({"fps": 50.0}, {0.5, 0.42, 0.35, 0.3, 0.25}, {50.0}),
        ({"scale": 1.0}, {1.0}, {31, 28, 26}),
    ],
)
def test_what_is_pinned_stays(
    options: dict[str, float], scales: set[float], rates: set[float], opened: Callable[..., Rig]
) -> None:
    rig = opened(**options)
    assert rig.balance
    levels = rig.balance.levels
    assert ({one.scale for one in levels}, {one.fps for one in levels}) == (scales, rates)


@pytest.mark.parametrize("options", [{"adapt": False}, {"fps": 60.0, "scale": 1.0}])
def test_nothing_is_governed_if_all_is_pinned(options: dict[str, object], opened: Callable[..., Rig]) -> None:
    rig = opened(**options)
    assert rig.balance is None
    assert StatusMeter().status(frame_of(rig)).balance == ""
    assert red(rig)[1] == (SIZE if options.get("scale") else scaled(SIZE, 0.5))


def frame_of(rig: Rig) -> Rig:
    rig.frame()
    return rig


def test_a_level_in_plain_words() -> None:
    assert level_text(Level(24, 0.5), busy=True) == "display 24/s, scenes at half size: the processor is busy"
    assert level_text(Level(60, 1.0), busy=False) == "display 60/s, scenes at full size"
    assert level_text(Level(31, 0.42), busy=True) == (
        "display 31/s, scenes at 42% of the size: the processor is busy"
    )
