"""What a projector holds on the graphics card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.render.projection import Projector
from perform.scenes.look import Look
from perform.scenes.projection import SQUARE, ColourCorrection, Corners, EdgeBlend, Mask, Projection
from tests.doubles.projections import SIZE, Display, noise, texture

PINNED: Corners = ((0.1, 0.2), (0.95, 0.05), (0.8, 0.9), (0.2, 0.75))


def test_what_it_holds_is_uploaded_when_it_changes(
    context: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, int]] = []
    original = context.texture

    def count(size: tuple[int, int], *arguments: Any, **named: Any) -> moderngl.Texture:
        made.append(size)
        return original(size, *arguments, **named)

    display = Display(context)
    image = texture(context, noise())
    projection = Projection(corners=PINNED, masks=(Mask(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))),))
    monkeypatch.setattr(context, "texture", count)
    display.show(image, projection)
    first = len(made)
    for frame in range(3):
        display.projector.draw(image, display.framebuffer, (0, 0, *SIZE), Look(frame=frame))
    assert first == len(made) == 3
    display.show(image, replace(projection, corners=SQUARE))
    assert len(made) == 3


def test_a_warm_projector_compiles_nothing_when_its_projection_changes(
    context: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "extra", {})
    display, image = Display(context), texture(context, noise())
    display.projector.warm()
    monkeypatch.setattr(context, "program", None)
    mask = Mask(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0)))
    for corners in (SQUARE, PINNED):
        for masks in ((), (mask,)):
            projection = Projection(corners=corners, masks=masks, blend=EdgeBlend(left=0.2))
            assert display.show(image, projection).any()
            assert display.show(image, projection, Look(gamma=2.0)).any()
            projection = replace(projection, blend=EdgeBlend(), colour=ColourCorrection(brightness=0.1))
            assert display.show(image, projection).any()


def test_release_is_safe_twice_and_it_draws_again(context: moderngl.Context) -> None:
    display, image = Display(context), texture(context, noise())
    projection = Projection(corners=PINNED, masks=(Mask(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))),))
    first = display.show(image, projection)
    display.projector.release()
    display.projector.release()
    display.projector = Projector(context, SIZE)
    assert np.array_equal(display.show(image, projection), first)
    assert context.error == "GL_NO_ERROR"
