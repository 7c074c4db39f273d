"""A shader that holds up a live show fails instead of doing so again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import moderngl
import pytest

from perform.clock import Moment
from perform.faults import Faults
from perform.render import standstills
from perform.render.shader import Shader, ShaderError
from perform.render.standstills import HELD_UP, Watched
from perform.stage.contained import ContainedUnit
from tests.doubles.shaders import HEAVY, parse, picture, pixels

SIZE = (1920, 1080)


def refuse(*_: object) -> None:
    raise ShaderError("it is slow")


FILTER = [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "amount", "TYPE": "float"}]
BODY = """
void main() {
    vec4 image = IMG_THIS_PIXEL(inputImage);
    gl_FragColor = amount > 0.9 && image.r > 0.1 ? vec4(heavy(TIME)) : image;
}
"""


@pytest.fixture
def held_up(context: moderngl.Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Draws frame by frame, as if the show had stood still before some of them."""
    now = 100.0
    monkeypatch.setattr(standstills, "stopwatch", lambda: now)
    watched = Watched(context, Shader(context, parse(HEAVY + BODY, INPUTS=FILTER), SIZE))
    image = picture(context, [[51]])

    def drawn(frame: int, seconds: float = 0.02, amount: float = 0.0) -> int:
        nonlocal now
        now += seconds
        moment = Moment(frame / 60, frame, 1 / 60, 0.0, 0.0, 120.0)
        return int(pixels(watched.render(moment, {"amount": amount}, image))[0, 0, 0])

    yield drawn
    watched.release()


def test_the_shader_that_holds_up_the_show_fails(held_up: Any) -> None:
    assert [held_up(0), held_up(1)] == [51, 51]
    with pytest.raises(ShaderError, match=r"^a\.fs:1: takes about \d+ s a frame with its values of now"):
        held_up(2, HELD_UP + 0.1, amount=1.0)


def test_its_filter_lets_the_picture_through_then(
    context: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, "_measure", refuse)
    times = iter([100.0, 200.0])
    monkeypatch.setattr(standstills, "stopwatch", lambda: next(times))
    shader = Shader(context, parse("void main() { gl_FragColor = vec4(1.0); }", INPUTS=FILTER), (2, 2))
    image, faults = picture(context, [[51]]), Faults()
    contained = ContainedUnit(Watched(context, shader), "filter", faults, image, None)
    drawn = [contained.render(Moment(at, at, 0.1, 0, 0, 120), {"amount": 0.0}, image) for at in range(3)]
    assert [one is image for one in drawn] == [False, True, True] and contained.failed
    assert [*faults.counts] == ["filter is dropped: it is slow"]
    contained.release()


def test_the_others_go_on(held_up: Any) -> None:
    held_up(0)
    assert held_up(1, HELD_UP + 0.1) == 51  # another shader did it, or the values are others now
    assert held_up(2) == 51


def test_a_shader_that_was_not_shown_is_not_measured(held_up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watched, "_measure", lambda *_: pytest.fail("it is measured"))
    held_up(0)
    assert held_up(900, 15.0) == 51  # it comes back with a cue
    assert held_up(901, HELD_UP - 0.1) == 51
