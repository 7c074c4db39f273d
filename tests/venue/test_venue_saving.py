"""The editor and somebody who edits the file by hand, at the same time: nothing of either is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perform.documents import SceneError
from perform.faults import Faults
from perform.scenes.projection import ColourCorrection, EdgeBlend, Projection
from perform.signals import Event
from perform.venue import Venue, read_venue
from perform.venue.live import LiveVenue
from perform.venue.saving import merged
from tests.doubles.waiting import eventually

TEXT = """# The hall.
[[display]]
name = "left"      # beside the door
monitor = "A"

[[display]]
name = "right"
monitor = "B"
"""
SOFT = TEXT + "blend = { left = 0.25 }\n"


class Screen:
    """A display of 100x50 pixels without a window."""

    size = (100, 50)


class Displays:
    """What the editor brings to the displays."""

    def __init__(self) -> None:
        self.displays = [type("One", (), {"window": Screen()})() for _ in range(2)]
        self.card, self.pointed = "", []
        self.shown: dict[str, Projection] = {}
        self.overlay: Any = None

    def use(self, projections: dict[str, Projection]) -> None:
        self.shown = dict(projections)

    def edit(self, _number: int | None, overlay: Any = None) -> None:
        self.overlay = overlay


class Operator:
    """The operator's window, which has the keys."""

    focused, note = True, ""

    def notify(self, note: str) -> None:
        self.note = note


class Seen:
    """Gives what was saved when the test says that it is seen."""

    def __init__(self, file: Path) -> None:
        self.file, self.seen = file, False

    def take(self) -> Venue | None:
        seen, self.seen = self.seen, False
        return read_venue(self.file) if seen else None

    def close(self) -> None: ...


class Hall:
    """An editor over a file, 64 frames a second."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "venue.toml"
        self.file.write_text(TEXT, encoding="utf-8")
        self.displays, self.operator, self.saved = Displays(), Operator(), Seen(self.file)
        wall: Any = self.displays
        self.live = LiveVenue(read_venue(self.file), wall, self.operator, Faults(), self.saved)
        self.now = 0.0
        self.press("e")

    def frame(self, *events: Event) -> None:
        self.now += 1 / 64
        self.live.process(self.now, list(events))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.frame(Event(self.now, f"key.{key}", 1.0))
            self.frame(Event(self.now, f"key.{key}", 0.0))

    def save(self) -> None:
        self.operator.note = ""
        self.press("s")
        eventually(lambda: "save" in self.operator.note, step=self.frame)

    def by_hand(self, text: str, seen: bool = True) -> None:
        self.file.write_text(text, encoding="utf-8")
        self.saved.seen = seen
        self.frame()

    @property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8")


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


def test_what_differs_is_taken_field_by_field() -> None:
    before = Projection(blend=EdgeBlend(left=0.1))
    mine = replace(before, rotation=90, blend=EdgeBlend(left=0.1, right=0.2))
    after = replace(before, flip=True, blend=EdgeBlend(left=0.3), colour=ColourCorrection(contrast=2.0))
    assert merged(mine, before, after) == Projection(
        rotation=90, flip=True, blend=EdgeBlend(left=0.3, right=0.2), colour=ColourCorrection(contrast=2.0)
    )


def test_a_hands_edit_of_a_display_leaves_what_the_editor_has_moved_there(hall: Hall) -> None:
    hall.press("tab", "right")
    hall.by_hand(SOFT)
    moved = ((0.01, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    expected = Projection(corners=moved, blend=EdgeBlend(left=0.25))
    assert hall.displays.shown == {"left": Projection(), "right": expected}
    assert hall.operator.note == "venue.toml is applied"
    hall.save()
    assert hall.text == SOFT + "corners = [[0.01, 0], [1, 0], [1, 1], [0, 1]]\n"


def test_handles_follow_a_file_that_is_saved(hall: Hall) -> None:
    hall.by_hand(TEXT.replace('"A"\n', '"A"\ncorners = [[0.5, 0], [1, 0], [1, 1], [0, 1]]\n'))
    assert hall.displays.overlay.points[0] == (0.5, 0.0)


def test_what_another_hand_saved_unseen_is_never_overwritten(hall: Hall) -> None:
    hall.press("tab", "right")
    hall.by_hand(SOFT, seen=False)
    hall.save()
    assert hall.operator.note == "venue.toml was saved by another hand, which is applied: S saves both"
    assert hall.text == SOFT and hall.displays.shown["right"].blend.left == 0.25
    hall.save()
    assert hall.operator.note == "saved venue.toml"
    assert hall.text == SOFT + "corners = [[0.01, 0], [1, 0], [1, 1], [0, 1]]\n"


def test_what_is_moved_after_a_save_stays_and_can_be_undone_and_saved(hall: Hall) -> None:
    hall.press("right")
    hall.save()
    first = TEXT.replace('"A"\n', '"A"\ncorners = [[0.01, 0], [1, 0], [1, 1], [0, 1]]\n')
    assert hall.text == first
    hall.saved.seen = True  # its own save
    hall.press("pagedown", "up")
    assert hall.displays.shown["left"].corners[:2] == ((0.01, 0.0), (1.0, 0.02))
    hall.press("z", "z")
    assert hall.displays.shown["left"] == Projection()
    hall.save()
    assert hall.text == first.replace("0.01", "0")


def test_a_display_that_is_in_the_file_no_more_does_not_keep_others_from_being_saved(hall: Hall) -> None:
    hall.press("right")
    hall.by_hand(TEXT.rsplit("\n[[display]]", 1)[0])
    hall.save()
    assert hall.operator.note == "saved venue.toml"
    assert read_venue(hall.file).displays[0].projection.corners[0] == (0.01, 0.0)


def test_who_leaves_the_editor_or_the_show_hears_what_is_not_saved(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.press("right", "e")
    assert hall.operator.note == "the displays are not saved: E, then S"
    hall.press("e", "z", "e")
    assert hall.operator.note == "", "it is as in the file again"
    hall.press("e", "right")
    hall.live.close()
    assert "venue.toml: what was edited in the show is not saved" in caplog.text
    hall.save()
    caplog.clear()
    hall.live.close()
    assert caplog.text == ""


def test_a_broken_file_is_not_saved_over(hall: Hall) -> None:
    hall.press("right")
    hall.by_hand(TEXT + "nonsense = 1\n")
    note = hall.operator.note
    assert note.startswith("the displays stay as they are: ")
    assert "venue.toml: display[1].nonsense is unknown" in note
    hall.save()
    assert hall.operator.note.startswith("not saved: ") and hall.text == TEXT + "nonsense = 1\n"
    with pytest.raises(SceneError):
        read_venue(hall.file)


def test_shift_and_the_mouse_are_let_go_also_while_nothing_is_edited(hall: Hall) -> None:
    hall.displays.pointed = [Event(0, "mouse.x", 0.0), Event(0, "mouse.y", 0.0), Event(0, "mouse.left", 1.0)]
    hall.frame(Event(0, "key.shift", 1.0))
    assert hall.live.editor.held
    hall.displays.pointed = []
    hall.press("e")
    hall.frame(Event(0, "key.shift", 0.0))
    hall.press("e")
    hall.displays.pointed = [Event(0, "mouse.x", 0.3)]
    hall.frame()
    hall.displays.pointed = []
    assert hall.live.editor.projection == Projection(), "the mouse holds nothing any more"
    hall.press("right")
    assert hall.live.editor.projection.corners[0] == (0.01, 0.0), "a whole pixel"
