"""Several displays of one name keep their names while others are pulled and plugged in again."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from perform.outputs.window.displays import MonitorNames

LEFT, MIDDLE, RIGHT = (0, 0), (1920, 0), (3840, 0)
A, B, C, D = (address for address in range(16, 80, 16))


def test_displays_of_one_name_are_numbered_as_they_come() -> None:
    names = MonitorNames()
    found = [(A, "HDMI", LEFT), (B, "DP", MIDDLE), (C, "HDMI", RIGHT)]
    assert names.named(found) == ["HDMI", "DP", "HDMI 2"]
    assert names.named(found[::-1]) == ["HDMI 2", "DP", "HDMI"]


def test_one_that_stays_keeps_its_name() -> None:
    names = MonitorNames()
    names.named([(A, "HDMI", LEFT), (B, "HDMI", MIDDLE), (C, "HDMI", RIGHT)])
    assert names.named([(B, "HDMI", LEFT), (C, "HDMI", MIDDLE)]) == ["HDMI 2", "HDMI 3"]


def test_one_that_comes_again_gets_the_name_of_its_place() -> None:
    names = MonitorNames()
    names.named([(A, "HDMI", LEFT), (B, "HDMI", MIDDLE), (C, "HDMI", RIGHT)])
    names.named([(C, "HDMI", RIGHT)])
    assert names.named([(C, "HDMI", RIGHT), (D, "HDMI", MIDDLE)]) == ["HDMI 3", "HDMI 2"]
    assert names.named([(C, "HDMI", RIGHT), (D, "HDMI", MIDDLE), (A, "HDMI", (9, 9))]) == [
        "HDMI 3",
        "HDMI 2",
        "HDMI",
    ]


def test_an_address_that_another_kind_of_display_gets_has_its_name() -> None:
    names = MonitorNames()
    names.named([(A, "HDMI", LEFT), (B, "HDMI", MIDDLE)])
    assert names.named([(A, "DP", LEFT), (B, "HDMI", MIDDLE)]) == ["DP", "HDMI 2"]


def test_one_that_is_just_being_pulled_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """GLFW still lists it then, but it has no video mode any more."""

    def mode(monitor: int) -> Any:
        if monitor == B:
            raise ValueError("NULL pointer access")
        return SimpleNamespace(size=SimpleNamespace(width=800, height=600), refresh_rate=60)

    displays = importlib.import_module("perform.outputs.window.displays")  # a function has its name, too
    monkeypatch.setattr(displays, "address_of", lambda monitor: monitor)
    monkeypatch.setattr(displays.glfw, "get_monitors", lambda: [A, B, C])
    monkeypatch.setattr(displays.glfw, "get_video_mode", mode)
    monkeypatch.setattr(displays.glfw, "get_monitor_pos", lambda monitor: (monitor, 0))
    monkeypatch.setattr(displays.glfw, "get_monitor_name", lambda monitor: b"DP")
    monkeypatch.setattr(displays, "_known", MonitorNames())
    found = [display for display, _ in displays.monitors()]
    assert [(one.name, one.position) for one in found] == [("DP", (A, 0)), ("DP 2", (C, 0))]
