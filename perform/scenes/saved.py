"""What hands have changed in a show, as text, so that a show that ended comes back with it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from perform.documents import SceneError, read_text

# The controls of the show that come back: switches and faders, no triggers
KEPT_CONTROLS = ("master", "blackout", "freeze", "pause", "fadeout", "crossfader")


class SavedState(BaseModel, extra="forbid", frozen=True, allow_inf_nan=False):
    """The cue that is on, by its place and the name of its scene's file, and its deck; the cue a hand has
    loaded on the other deck, if it has, and the scene that comes next; the tempo, if a hand has set it; the
    show's own controls by name; and what is held, by address and part of the parameter."""

    cue: int = Field(ge=0)
    scene: str
    deck: Literal["a", "b"] = "a"
    standby: int | None = Field(default=None, ge=0)
    standby_scene: str = ""
    bpm: float | None = Field(default=None, gt=0, le=1000)
    controls: dict[str, float] = {}
    held: dict[str, dict[int, float | str]] = {}


def read_state(file: Path) -> SavedState:
    """The state in a file. Raises OSError if it cannot be read, SceneError for anything else than a state."""
    try:
        return SavedState.model_validate_json(read_text(file))
    except ValidationError as error:
        raise SceneError([f"{file} is no saved state of a show"]) from error
