"""Gamepads, as a double of GLFW's functions has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import glfw
import pytest

from perform import formula
from perform.clock import Moment
from perform.outputs.window.gamepads import STICK_MIDDLE, Gamepads, gamepad_names, stick, trigger
from perform.signals import KEY_SIGNALS, PAD_BUTTONS, Signals
from tests.doubles.formulas import compiled

REST = (0.0, 0.0, 0.0, 0.0, -1.0, -1.0)
XBOX, SONY = (
    (b"030000005e0400008e02000010010000", b"Xbox 360"),
    (b"030000004c050000cc09000011810000", b"DualShock 4"),
)


class Sticks:
    """GLFW's functions of joysticks, for pads that a test plugs in."""

    JOYSTICK_LAST = glfw.JOYSTICK_LAST

    def __init__(self) -> None:
        self.pads: dict[int, SimpleNamespace] = {}
        self.fault: Exception | None = None
        self.mappings: bytes | None = None

    def plug(
        self, at: int, kind: tuple[bytes, bytes] = XBOX, known: bool = True, **state: Any
    ) -> SimpleNamespace:
        pad = SimpleNamespace(kind=kind, known=known, buttons=[0] * 15, axes=list(REST), hats=[])
        pad.__dict__.update(state)
        self.pads[at] = pad
        return pad

    def init(self) -> bool:
        return True

    def joystick_present(self, at: int) -> bool:
        if self.fault:
            raise self.fault
        return at in self.pads

    def joystick_is_gamepad(self, at: int) -> bool:
        return bool(self.pads[at].known)

    def get_gamepad_state(self, at: int) -> Any:
        return SimpleNamespace(buttons=self.pads[at].buttons, axes=self.pads[at].axes)

    def get_joystick_axes(self, at: int) -> tuple[list[float], int]:
        return self.pads[at].axes, len(self.pads[at].axes)

    def get_joystick_buttons(self, at: int) -> tuple[list[int], int]:
        return self.pads[at].buttons, len(self.pads[at].buttons)

    def get_joystick_hats(self, at: int) -> tuple[list[int], int]:
        return self.pads[at].hats, len(self.pads[at].hats)

    def get_joystick_guid(self, at: int) -> bytes:
        return bytes(self.pads[at].kind[0])

    def get_joystick_name(self, at: int) -> bytes:
        return bytes(self.pads[at].kind[1])

    def update_gamepad_mappings(self, text: bytes) -> bool:
        self.mappings = text
        return text.startswith(b"03")


@pytest.fixture
def sticks() -> Sticks:
    return Sticks()


@pytest.fixture
def said(sticks: Sticks) -> Callable[[], dict[str, float]]:
    pads = Gamepads(sticks)
    return lambda: {event.name: float(event.value) for event in pads.poll(1.0)}  # type: ignore[arg-type]


def test_a_gamepad_at_rest_sends_nothing(sticks: Sticks, said: Callable[[], dict[str, float]]) -> None:
    assert said() == {}
    sticks.plug(0, axes=[0.05, -0.08, 0.02, 0.1, -1.0, -0.99])
    assert said() == said() == {}


def test_sticks_triggers_and_buttons_are_signals(
    sticks: Sticks, said: Callable[[], dict[str, float]]
) -> None:
    pad = sticks.plug(0)
    pad.axes[:] = [1.0, 0.0, 0.0, -1.0, 1.0, 0.0]
    assert said() == {
        f"pad.{which}{name}": value
        for which in ("", "1.")
        for name, value in {"lx": 1.0, "ry": 1.0, "lt": 1.0, "rt": 0.5}.items()
    }
    for at, name in enumerate(PAD_BUTTONS):
        pad.buttons[at] = 1
        assert said() == {f"pad.{name}": 1.0, f"pad.1.{name}": 1.0}
        pad.buttons[at] = 0
        assert said() == {f"pad.{name}": 0.0, f"pad.1.{name}": 0.0}
    assert len(PAD_BUTTONS) == glfw.GAMEPAD_BUTTON_LAST + 1
    assert [PAD_BUTTONS[at] for at in (glfw.GAMEPAD_BUTTON_DPAD_LEFT, glfw.GAMEPAD_BUTTON_GUIDE)] == [
        "left",
        "guide",
    ]


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 4, 2.0, -2.5])
def test_a_dead_zone_is_round_and_edges_are_reached(angle: float) -> None:
    def at(way: float) -> tuple[float, float]:
        return stick(way * math.cos(angle), way * math.sin(angle))

    assert at(STICK_MIDDLE) == (0.0, 0.0)
    assert 0 < math.hypot(*at(STICK_MIDDLE + 0.01)) < 0.02
    assert math.hypot(*at(0.6)) == pytest.approx((0.6 - 0.12) / 0.85)
    assert math.atan2(*reversed(at(0.6))) == pytest.approx(angle)
    assert math.hypot(*at(0.98)) >= 1
    assert stick(1.0, 1.0) == (1.0, 1.0)


def test_triggers_range_from_0_to_1() -> None:
    assert [trigger(value) for value in (-1.0, -0.97, 0.0, 0.97, 1.0)] == pytest.approx([0, 0, 0.5, 1, 1])


def test_two_of_the_same_model_get_different_names(
    sticks: Sticks, said: Callable[[], dict[str, float]]
) -> None:
    first, second = sticks.plug(0), sticks.plug(1)
    second.buttons[0] = 1
    assert said() == {"pad.a": 1.0, "pad.2.a": 1.0}
    first.axes[0] = 1.0
    assert said() == {"pad.lx": 1.0, "pad.1.lx": 1.0}


def test_an_unplugged_gamepad_releases_everything(
    sticks: Sticks, said: Callable[[], dict[str, float]]
) -> None:
    sticks.plug(0, axes=[1.0, 0, 0, 0, -1.0, -1.0]).buttons[0] = 1
    said()
    del sticks.pads[0]
    assert said() == {"pad.lx": 0.0, "pad.a": 0.0, "pad.1.lx": 0.0, "pad.1.a": 0.0}
    assert said() == {}


def test_a_gamepad_gets_its_number_again(sticks: Sticks, said: Callable[[], dict[str, float]]) -> None:
    sticks.plug(0, XBOX)
    sticks.plug(1, SONY)
    said()
    sticks.pads.clear()
    said()
    sticks.plug(0, SONY).buttons[0] = 1  # in the other order
    assert "pad.2.a" in said()
    sticks.plug(1, XBOX).buttons[1] = 1
    assert "pad.1.b" in said()
    sticks.plug(0, XBOX)  # swapped between two polls
    assert said() == {"pad.a": 0.0, "pad.2.a": 0.0}


def test_reconnecting_uses_up_no_numbers(sticks: Sticks, said: Callable[[], dict[str, float]]) -> None:
    for _ in range(100):
        sticks.plug(0).buttons[0] = 1
        assert said() == {"pad.a": 1.0, "pad.1.a": 1.0}
        sticks.pads.clear()
        assert said() == {"pad.a": 0.0, "pad.1.a": 0.0}


def test_an_unknown_layout_has_numbered_controls(
    sticks: Sticks, said: Callable[[], dict[str, float]]
) -> None:
    stick = sticks.plug(
        3, (b"1", b"Home made"), False, axes=[0.0, 0.97], buttons=[0, 1, 0, 0, 0, 1], hats=[9]
    )
    heard = {name: value for name, value in said().items() if not name.startswith("pad.1.")}
    assert heard == {"pad.axis2": 1.0, "pad.button2": 1.0, "pad.hat1x": -1.0, "pad.hat1y": 1.0}
    stick.hats = [glfw.HAT_CENTERED]
    assert said() == dict.fromkeys(["pad.hat1x", "pad.hat1y", "pad.1.hat1x", "pad.1.hat1y"], 0.0)


def test_a_failing_driver_is_reported_once(
    sticks: Sticks, said: Callable[[], dict[str, float]], caplog: pytest.LogCaptureFixture
) -> None:
    sticks.fault = RuntimeError("no such device")
    assert said() == said() == {}
    assert caplog.messages == ["gamepads: no such device"]
    sticks.fault = None
    sticks.plug(0).buttons[0] = 1
    assert said()["pad.a"] == 1.0


def test_user_layouts_are_read(
    sticks: Sticks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("perform.paths.user_data", lambda: tmp_path)
    file = tmp_path / "gamecontrollerdb.txt"
    file.write_bytes(b"03000000,Mine,a:b0,platform:Linux,")
    Gamepads(sticks)
    assert sticks.mappings == file.read_bytes()
    file.write_bytes(b"nonsense")
    Gamepads(sticks)
    assert caplog.messages == [f"{file}: no layouts of gamepads, must be in SDL's format"]


def test_formulas_read_gamepads() -> None:
    heard = compiled("pad.2.lx + pad.a")
    assert heard.names == {"pad.2.lx", "pad.a"}
    assert heard.start()(Signals({"pad.2.lx": 0.25, "pad.a": 1.0}), Moment(0, 0, 0, 0, 0, 120)) == 1.25


def test_every_signal_of_a_gamepad_has_a_name(sticks: Sticks, said: Callable[[], dict[str, float]]) -> None:
    for place in range(8):
        sticks.plug(place, axes=[0.7, 0.7, 0.7, 0.7, 1.0, 1.0]).buttons[:] = [1] * 15
    heard = said()
    assert len(heard) == 9 * 21
    assert heard.keys() <= KEY_SIGNALS
    with pytest.raises(formula.FormulaError, match=r"unknown signal pad\.lz; did you mean pad\.l"):
        compiled("pad.lz")


def test_gamepads_are_listed(sticks: Sticks) -> None:
    assert gamepad_names(sticks) == []
    sticks.plug(3, SONY)
    sticks.plug(1, XBOX)
    assert gamepad_names(sticks) == ["Xbox 360", "DualShock 4"]
