"""The editor of a venue's displays as values: a state, and what keys and the mouse make of it.

Nothing here knows windows, files or the graphics card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from perform.scenes.projection import SQUARE as CORNERS
from perform.scenes.projection import ColourCorrection, EdgeBlend, Mask, Point, Projection
from perform.venue.cards import CardKind
from perform.venue.shapes import BLEND_EDGES, Mode, handles, mask_at, moved, resampled, with_mask

EDIT_MODES: tuple[Mode, ...] = get_args(Mode)
CARDS: tuple[CardKind, ...] = ("", "canvas", "display")
UNDO_STEPS = 500
REACH = 0.04  # of the display's height, within which the mouse takes a point
FINE = 0.1  # pixels that an arrow moves a point with Shift
ARROWS: Mapping[str, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "up": (0, 1), "down": (0, -1)}
COLOURS: Mapping[str, tuple[float, float]] = {  # and what is allowed
    "brightness": (-1.0, 1.0),
    "contrast": (0.0, 4.0),
    "gamma": (0.3, 3.0),
    "red": (0.0, 4.0),
    "green": (0.0, 4.0),
    "blue": (0.0, 4.0),
}
COLOUR_STEP, GAMMA_STEP, FEATHER_STEP = 0.01, 0.05, 0.005
NEW_MASK: tuple[Point, ...] = ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))
MOST_POINTS = 16  # of a row or a column of a mesh

Change = Callable[["Editor", bool], "Editor"]


@dataclass(frozen=True, slots=True)
class Editor:
    """The editor: the projection of every display, by name; which `display`, `mode` and `point` are chosen;
    whether the mouse holds the point (`held`), and which test `card` is shown. `size` is that of the
    chosen display in pixels. `past` and `future` are the projections that undo and redo bring back."""

    names: tuple[str, ...]
    projections: tuple[Projection, ...]
    display: int = 0
    mode: Mode = "corners"
    point: int = 0
    size: tuple[int, int] = (1920, 1080)
    held: bool = False
    card: CardKind = ""
    past: tuple[tuple[Projection, ...], ...] = ()
    future: tuple[tuple[Projection, ...], ...] = ()
    joined: tuple[object, ...] = ()  # what the last step moved: moving it further is the same step

    @property
    def projection(self) -> Projection:
        """That of the chosen display."""
        return self.projections[self.display]

    @property
    def handles(self) -> tuple[Point, ...]:
        """The points of the chosen display that can be moved in this mode."""
        return handles(self.projection, self.mode)

    @property
    def named(self) -> dict[str, Projection]:
        """The projections by the names of their displays."""
        return dict(zip(self.names, self.projections, strict=True))

    def press(self, key: str, shift: bool = False) -> Editor:
        """What a key makes of it; keys that it does not know change nothing."""
        if key in ARROWS:
            across, up = ARROWS[key]
            step = FINE if shift else 1.0
            return self.nudge(across * step, up * step)
        if key.isdigit() and 1 <= int(key) <= len(EDIT_MODES):
            return self._chosen(mode=EDIT_MODES[int(key) - 1])
        return KEY_CHANGES[key](self, shift) if key in KEY_CHANGES else self

    def nudge(self, across: float, up: float) -> Editor:
        """Move the chosen point by so many pixels; of colours, right is more, and up is the row above."""
        if self.mode == "colour":
            if up:
                return self._chosen(point=(self.point - (1 if up > 0 else -1)) % len(COLOURS))
            return self._coloured(across * COLOUR_STEP)
        there = self.handles
        if not there:
            return self
        x, y = there[self.point]
        return self._moved((x + across / self.size[0], y + up / self.size[1]))

    def grab(self, at: Point) -> Editor:
        """Take the point nearest to the mouse, which is at `at` of the display, if it is in reach."""
        shape = self.size[0] / self.size[1]
        ways = [((x - at[0]) * shape) ** 2 + (y - at[1]) ** 2 for x, y in self.handles]
        if not ways or min(ways) > REACH**2:
            return self
        return replace(self._chosen(point=ways.index(min(ways))), held=True)

    def drag(self, at: Point) -> Editor:
        """Move the point that the mouse holds."""
        return self._moved(at) if self.held else self

    def drop(self) -> Editor:
        """The mouse holds nothing any more."""
        return replace(self, held=False, joined=())

    def undo(self) -> Editor:
        """Go one step back."""
        if not self.past:
            return self
        future = (self.projections, *self.future)
        return self._back(projections=self.past[-1], past=self.past[:-1], future=future)

    def redo(self) -> Editor:
        """Go one step forward again."""
        if not self.future:
            return self
        past = (*self.past, self.projections)
        return self._back(projections=self.future[0], past=past, future=self.future[1:])

    def reloaded(self, projections: Mapping[str, Projection]) -> Editor:
        """Take projections that were saved by another hand; undo brings back those before."""
        given = tuple(projections.get(name, old) for name, old in self.named.items())
        return self if given == self.projections else self._step(given, ())

    def changed(self, projection: Projection, *joined: object) -> Editor:
        """Change the chosen display in one step; steps that are `joined` to the same thing are one."""
        if projection == self.projection:
            return self
        before, after = self.projections[: self.display], self.projections[self.display + 1 :]
        return self._step((*before, projection, *after), (self.display, *joined) if joined else ())

    def describe(self) -> str:
        """The chosen display and point, in pixels, for the operator."""
        what = f"edit {self.names[self.display]} {self.mode}"
        if self.mode == "colour":
            name = list(COLOURS)[self.point]
            return f"{what}: {name} {_colours(self.projection.colour)[name]:.3f}"
        there = self.handles
        if not there:
            return f"{what}: N makes one"
        x, y = there[self.point]
        where = f"{x * self.size[0]:.1f}, {y * self.size[1]:.1f}"
        if self.mode == "blend":
            edge = BLEND_EDGES[self.point]
            where = f"{edge} {getattr(self.projection.blend, edge):.4f}"
        return f"{what} {self.point + 1}/{len(there)}: {where}"

    def _step(self, projections: tuple[Projection, ...], joined: tuple[object, ...]) -> Editor:
        same = bool(joined) and joined == self.joined
        past = self.past if same else (*self.past, self.projections)[-UNDO_STEPS:]
        return self._back(projections=projections, past=past, future=(), joined=joined)

    def _back(self, **changes: Any) -> Editor:
        """The state with other projections: the chosen point is one of those that there are."""
        changed = replace(self, **{"joined": (), **changes})
        if changed.mode == "colour":
            return changed
        return replace(changed, point=min(changed.point, max(len(changed.handles) - 1, 0)))

    def _chosen(self, **changes: Any) -> Editor:
        """The state with another display, mode or point chosen."""
        point = 0 if {"display", "mode"} & changes.keys() else self.point
        return replace(self, **{"point": point, "held": False, "joined": (), **changes})

    def _moved(self, to: Point) -> Editor:
        changed = moved(self.projection, self.mode, self.point, to)
        return self.changed(changed, self.mode, self.point)

    def _coloured(self, by: float) -> Editor:
        values = _colours(self.projection.colour)
        name = list(values)[self.point]
        low, high = COLOURS[name]
        values[name] = min(max(round(values[name] + by, 6), low), high)
        white = values["red"], values["green"], values["blue"]
        colour = ColourCorrection(values["brightness"], values["contrast"], values["gamma"], white)
        return self.changed(replace(self.projection, colour=colour), "colour", name)


def _colours(colour: ColourCorrection) -> dict[str, float]:
    red, green, blue = colour.white
    values = (colour.brightness, colour.contrast, colour.gamma, red, green, blue)
    return dict(zip(COLOURS, values, strict=True))


def _next_display(state: Editor, shift: bool) -> Editor:
    return state._chosen(display=(state.display + (-1 if shift else 1)) % len(state.names))


def _next_point(state: Editor, by: int) -> Editor:
    count = len(COLOURS) if state.mode == "colour" else len(state.handles)
    return state._chosen(point=(state.point + by) % count) if count else state


def _other_grid(state: Editor, more: int, along: int) -> Editor:
    """Add rows (`along` 0) or columns (1) to the mesh, or remove them; the surface stays."""
    if state.mode != "mesh":
        return state
    mesh = state.projection.mesh
    counts = [len(mesh), len(mesh[0])] if mesh else [2, 2]
    counts[along] += more
    if not 2 <= counts[along] <= MOST_POINTS:
        return state
    return state.changed(replace(state.projection, mesh=resampled(mesh, *counts)))


def _new_mask(state: Editor, _shift: bool) -> Editor:
    if state.mode != "masks":
        return state
    masks = (*state.projection.masks, Mask(NEW_MASK))
    made = state.changed(replace(state.projection, masks=masks))
    return made._chosen(point=len(made.handles) - len(NEW_MASK))


def _add_point(state: Editor, _shift: bool) -> Editor:
    """Add a point to the mask, half way to the next one."""
    if state.mode != "masks" or not state.handles:
        return state
    number, at = mask_at(state.projection.masks, state.point)
    mask = state.projection.masks[number]
    (x0, y0), (x1, y1) = mask.points[at], mask.points[(at + 1) % len(mask.points)]
    points = (*mask.points[: at + 1], ((x0 + x1) / 2, (y0 + y1) / 2), *mask.points[at + 1 :])
    made = state.changed(with_mask(state.projection, number, replace(mask, points=points)))
    return made._chosen(point=state.point + 1)


def _remove_point(state: Editor, _shift: bool) -> Editor:
    """Remove the point from its mask; the mask, if it has no more than three."""
    if state.mode != "masks" or not state.handles:
        return state
    number, at = mask_at(state.projection.masks, state.point)
    mask = state.projection.masks[number]
    left = (*mask.points[:at], *mask.points[at + 1 :])
    rest = [replace(mask, points=left)] if len(left) >= 3 else []
    return state.changed(with_mask(state.projection, number, *rest))


def _invert(state: Editor, _shift: bool) -> Editor:
    if state.mode != "masks" or not state.handles:
        return state
    number, _ = mask_at(state.projection.masks, state.point)
    mask = state.projection.masks[number]
    return state.changed(with_mask(state.projection, number, replace(mask, invert=not mask.invert)))


def _softer(state: Editor, by: int) -> Editor:
    """The gamma of soft edges, or the feather of a mask."""
    projection = state.projection
    if state.mode == "blend":
        gamma = min(max(round(projection.blend.gamma + by * GAMMA_STEP, 6), 1.0), 4.0)
        return state.changed(replace(projection, blend=replace(projection.blend, gamma=gamma)), "gamma")
    if state.mode != "masks" or not state.handles:
        return state
    number, _ = mask_at(projection.masks, state.point)
    mask = projection.masks[number]
    feather = min(max(round(mask.feather + by * FEATHER_STEP, 6), 0.0), 1.0)
    changed = with_mask(projection, number, replace(mask, feather=feather))
    return state.changed(changed, "feather", number)


def _reset(state: Editor, _shift: bool) -> Editor:
    neutral: Mapping[Mode, dict[str, Any]] = {
        "corners": {"corners": CORNERS},
        "mesh": {"mesh": ()},
        "blend": {"blend": EdgeBlend()},
        "masks": {"masks": ()},
        "colour": {"colour": ColourCorrection()},
    }
    return state.changed(replace(state.projection, **neutral[state.mode]))


KEY_CHANGES: Mapping[str, Change] = {
    "tab": _next_display,
    "pagedown": lambda state, _: _next_point(state, 1),
    "pageup": lambda state, _: _next_point(state, -1),
    "r": lambda state, shift: _other_grid(state, -1 if shift else 1, 0),
    "c": lambda state, shift: _other_grid(state, -1 if shift else 1, 1),
    "n": _new_mask,
    "a": _add_point,
    "d": _remove_point,
    "i": _invert,
    "minus": lambda state, _: _softer(state, -1),
    "equal": lambda state, _: _softer(state, 1),
    "backspace": _reset,
    "z": lambda state, _: state.undo(),
    "y": lambda state, _: state.redo(),
    "k": lambda state, _: replace(state, card=CARDS[(CARDS.index(state.card) + 1) % len(CARDS)]),
}
EDITOR_KEYS = frozenset({*KEY_CHANGES, *ARROWS, *"12345", "s", "shift"})
HELP = (
    ("E", "edit the displays; and back"),
    ("  Tab  1 - 5", "edit: display; corners, mesh, soft edges, masks, colour"),
    ("  PgUp  PgDn  Arrows", "edit: choose a point, move it (Shift: a tenth)"),
    ("  R  C  N  A  D  I  -  =", "edit: meshes, masks, feather"),
    ("  Z  Y  Backspace  K  S", "edit: undo, redo, reset, test card, save"),
)
