"""All displays of a venue as one screen: which picture and which light each gets."""

from __future__ import annotations

from typing import Any

import moderngl
import pytest

from perform.faults import Faults
from perform.render.targets import Target
from perform.scenes.look import Look
from perform.venue import VenueDisplay
from perform.venue.wall import Wall, WallDisplay
from tests.doubles.waiting import eventually

DARK = Look(blackout=True)


class Presenter:
    plain = False


class Window:
    """A display that keeps what it was given to show."""

    def __init__(self) -> None:
        self.size, self.presenter = (64, 48), Presenter()
        self.shown: list[tuple[tuple[int, int], Look, bool]] = []

    def show(self, image: moderngl.Texture, look: Look) -> None:
        self.shown.append((image.size, look, self.presenter.plain))

    def poll(self, _until: float) -> list[Any]:
        return []

    def close(self) -> None: ...


@pytest.fixture
def windows() -> list[Any]:
    return [Window(), Window()]


@pytest.fixture
def wall(context: moderngl.Context, windows: list[Any]) -> Wall:
    texts = VenueDisplay("left", "A"), VenueDisplay("right", "B", delay=0.1)
    displays = [WallDisplay(text, window) for text, window in zip(texts, windows, strict=True)]
    return Wall(displays, context, (160, 120), Faults())


@pytest.mark.parametrize(("card", "size"), [("canvas", (160, 120)), ("display", (64, 48))])
def test_a_blackout_stays_dark_until_the_card_is_drawn(
    context: moderngl.Context, wall: Wall, windows: list[Any], card: Any, size: tuple[int, int]
) -> None:
    image, (left, right) = Target(context, (32, 24)), windows
    wall.card = card

    def frame() -> None:
        wall.poll(0.0)
        wall.show(image.texture, DARK)

    eventually(lambda: all(one.shown and one.shown[-1][0] == size for one in windows), step=frame)
    for window in (left, right):
        dark = [one for one in window.shown if one[0] == (32, 24)]
        lit = [one for one in window.shown if one[0] != (32, 24)]
        assert dark and all(one[1:] == (DARK, False) for one in dark)
        assert all(one == (size, Look(), card == "display") for one in lit)
    wall.card = ""
    frame()
    assert left.shown[-1] == right.shown[-1] == ((32, 24), DARK, False)
    wall.close()


def test_a_window_that_is_resized_keeps_one_card(
    context: moderngl.Context, wall: Wall, windows: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    image, window, made = Target(context, (32, 24)), windows[0], []
    texture = context.texture

    def counted(*arguments: Any, **named: Any) -> moderngl.Texture:
        made.append(texture(*arguments, **named))
        return made[-1]

    monkeypatch.setattr(context, "texture", counted)
    wall.card = "display"

    def frame() -> None:
        wall.show(image.texture, Look())

    eventually(lambda: window.shown and window.shown[-1][0] == (64, 48), step=frame)
    for width in range(65, 129):
        window.size = width, 48
        frame()
        assert window.shown[-1][0] != (32, 24), "a card stays on show"
    eventually(lambda: window.shown[-1][0] == (128, 48), step=frame)
    widths = {one.width for one in made if not isinstance(one.mglo, moderngl.InvalidObject)}
    assert widths & set(range(64, 129)) == {64, 128}, "64 is that of the other display"
    wall.close()
    alive = [one for one in made if not isinstance(one.mglo, moderngl.InvalidObject) and one.width != 32]
    assert alive == []
