"""A venue while a show plays in it: its file is watched, and its displays are edited by keys and mouse."""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from perform.documents import SceneError
from perform.faults import Faults, log_kept, reason
from perform.signals import Event
from perform.threads import Background
from perform.venue.cards import CardKind
from perform.venue.drawing import Overlay
from perform.venue.editor import ARROWS, EDITOR_KEYS, FINE, Editor
from perform.venue.reader import OPTIONS, Venue
from perform.venue.saving import OtherHandError, merged, save_projections
from perform.venue.shapes import outlines
from perform.venue.wall import Wall

log = logging.getLogger("perform")
EDIT_KEY = "e"
REPEAT_AFTER, REPEAT_RATE = 0.4, 60.0  # seconds until a held arrow goes on moving, then pixels a second
NOTE_SECONDS = 6.0  # that a note stays


class OperatorsWindow(Protocol):
    """The operator's window, as the editor sees it."""

    @property
    def focused(self) -> bool:
        """Whether the keys that are pressed go to it."""
        ...

    def notify(self, note: str) -> None:
        """Show a note; an empty one removes it."""
        ...


class Next(Protocol):
    """What takes the events that are left."""

    def process(self, now: float, events: list[Event]) -> list[Event]:
        """Take the events of a frame, and return those for the show."""
        ...

    def close(self) -> None:
        """Finish."""
        ...


class SavedVenues(Protocol):
    """Gives the venue when its file was saved."""

    def take(self) -> Venue | None:
        """The newest, None if it was not saved since the last call. Raises what reading it raised."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...


@dataclass(slots=True)
class _Held:
    """An arrow that is down, "" for none, and the time from which on it moves the point by itself."""

    key: str = ""
    since: float = 0.0


class LiveVenue:
    """A venue in a show. `process` takes the events of a frame and returns those for `then`, which returns
    those for the show. `saved` gives the file when somebody saves it, None: it is not watched. `card` is the
    test card that is shown while nothing is edited."""

    def __init__(
        self,
        venue: Venue,
        wall: Wall,
        window: OperatorsWindow,
        faults: Faults,
        saved: SavedVenues | None = None,
        then: Next | None = None,
        card: CardKind = "",
    ) -> None:
        self._venue, self._wall, self._window, self._faults = venue, wall, window, faults
        self._saved, self._then, self._card = saved, then, card
        wall.card = card
        names, projections = zip(*((one.name, one.projection) for one in venue.displays), strict=True)
        self.editor = Editor(names, projections, card="canvas" if card else "")
        self.on = False
        self._kept = self.editor.named  # what of it is in the file
        self._said, self._noted = "", 0.0
        self._news: list[str] = []  # notes for the operator
        self._saving: Background | None = None
        self._found: Venue | None = None  # what the thread that saves found in the file, or left there
        self._shift, self._held = False, _Held()
        self._mouse = [0.0, 0.0]

    def process(self, now: float, events: list[Event]) -> list[Event]:
        """Handle the events of a frame: saved files, keys, and the mouse over the edited display."""
        with self._faults.contain("the displays cannot be edited"):
            before = self.editor, self.on
            self._take_saved()
            events = self._handled(now, events)
            self._show(now, before != (self.editor, self.on))
        if self._then is None:
            return events
        with self._faults.contain("learning stopped"):
            return self._then.process(now, events)
        self._then = None
        return events

    def close(self) -> None:
        """Finish saving, then stop."""
        for one in (self._saved, self._saving, self._then):
            if one:
                one.close()
        if self._unsaved:
            log.warning("%s: what was edited in the show is not saved", self._venue.file.name)

    @property
    def _unsaved(self) -> bool:
        """Whether the file lacks something of the editor."""
        return self.editor.named != self._kept

    def _handled(self, now: float, events: list[Event]) -> list[Event]:
        """The events that the editor leaves: those of the keys that it takes stay with it, but not that they
        are up again."""
        keys = [
            (event.name.removeprefix("key."), _strength(event))
            for event in events
            if event.name.startswith("key.")
        ]
        for key, value in keys:
            if key == "shift":
                self._shift = bool(value)
        taken: Collection[str] = ()
        if (EDIT_KEY, 1.0) in keys and (self.on or self._window.focused):
            self.on, taken = not self.on, EDIT_KEY
            self.editor = self.editor.drop()
            if self._unsaved and not self.on:
                self._news.append("the displays are not saved: E, then S")
        elif self.on:
            self._edit(now, keys)
            taken = EDITOR_KEYS
        names = {f"key.{key}" for key in taken}
        return [event for event in events if not (event.name in names and event.value)]

    def _edit(self, now: float, keys: list[tuple[str, float]]) -> None:
        """What keys and mouse make of the displays."""
        size = self._wall.displays[self.editor.display].window.size
        if min(size) > 0:
            self.editor = replace(self.editor, size=size)
        for key, value in keys:
            if value:
                self._press(now, key)
            elif key == self._held.key:
                self._held = _Held()
        self._go_on(now)
        for event in self._wall.pointed:
            self._point(event)

    def _press(self, now: float, key: str) -> None:
        if key == "s":
            self._save()
            return
        if key in ARROWS:
            self._held = _Held(key, now + REPEAT_AFTER)
        self.editor = self.editor.press(key, self._shift)

    def _go_on(self, now: float) -> None:
        """Move the point further while an arrow is down."""
        held = self._held
        if not held.key or self.editor.mode == "colour" or now <= held.since:
            return
        way = (now - held.since) * REPEAT_RATE * (FINE if self._shift else 1.0)
        held.since = now
        across, up = ARROWS[held.key]
        self.editor = self.editor.nudge(across * way, up * way)

    def _point(self, event: Event) -> None:
        match event.name:
            case "mouse.x":
                self._mouse[0] = _strength(event)
            case "mouse.y":
                self._mouse[1] = _strength(event)
            case "mouse.left" if not event.value:
                self.editor = self.editor.drop()
        at = self._mouse[0], self._mouse[1]
        if event.name == "mouse.left" and event.value:
            self.editor = self.editor.grab(at)
        elif event.name in ("mouse.x", "mouse.y"):
            self.editor = self.editor.drag(at)

    def _show(self, now: float, changed: bool) -> None:
        """Bring what has changed to the displays and to the operator."""
        editor, wall = self.editor, self._wall
        if changed:
            wall.use(editor.named)
            wall.card = editor.card if self.on else self._card
            self._held = self._held if self.on else _Held()
            if self.on:
                lines = outlines(editor.projection, editor.mode) if editor.mode != "colour" else []
                wall.edit(editor.display, Overlay(lines, editor.handles, editor.point))
            else:
                wall.edit(None)
        if changed or (self._noted and now - self._noted > NOTE_SECONDS):
            self._noted = 0.0
            self._say(editor.describe() if self.on else "")
        while self._news:
            self._note(now, self._news.pop(0))

    def _note(self, now: float, note: str) -> None:
        """Show a note for a while."""
        log.info("%s", note)
        self._noted = now
        self._say(note)

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._window.notify(text)

    def _save(self) -> None:
        """Write all projections into the file, on a thread: a disk takes longer than a frame."""
        if self._saving and self._saving.running:
            self._news.append("still saving")
            return
        venue, now = self._venue, self.editor.named
        changed = {name: one for name, one in now.items() if one != self._kept[name]}

        def work(_closing: object) -> None:
            try:
                self._venue = replace(venue, displays=save_projections(venue.file, changed, venue).displays)
                self._kept = now
                self._news.append(f"saved {venue.file.name}")
                if self._saved:
                    with suppress(Exception):  # what was read before is older
                        self._saved.take()
            except OtherHandError as error:
                self._found = error.venue
            except (SceneError, LookupError, OSError, ValueError) as error:
                self._news.append(f"not saved: {reason(error)}")

        self._saving = Background(work, "save venue")

    def _take_saved(self) -> None:
        """Take what somebody saved: what changed of projections at once; the rest is named."""
        if self._saving and self._saving.running:
            return  # until it is known what of the file is our own
        try:
            venue = self._saved.take() if self._saved else None
        except (SceneError, LookupError, OSError, ValueError) as error:
            log_kept(reason(error))
            first = reason(error).splitlines()[0]
            self._news.append(f"the displays stay as they are: {first}")
            return
        found, self._found = self._found, None
        venue = venue or found
        if venue is not None and venue != self._venue:
            self._apply(venue)
        if found:
            self._news.append(f"{found.file.name} was saved by another hand, which is applied: S saves both")

    def _apply(self, venue: Venue) -> None:
        """Follow a venue that another hand saved."""
        before, self._venue = self._venue, venue
        saved = {one.name: one.projection for one in venue.displays}
        changed = [
            (one.name, one.projection, saved[one.name])
            for one in before.displays
            if one.name in self._kept and saved.get(one.name, one.projection) != one.projection
        ]
        mine = self.editor.named
        self.editor = self.editor.reloaded({name: merged(mine[name], *both) for name, *both in changed})
        self._kept = self._kept | {name: merged(self._kept[name], *both) for name, *both in changed}
        later = restarts(before, venue)
        text = f"{venue.file.name} is applied" if changed else ""
        wait = f"{', '.join(later)} {'need' if len(later) > 1 else 'needs'} a restart" if later else ""
        if text or wait:
            self._news.append("; ".join(filter(None, [text, wait])))


def restarts(before: Venue, after: Venue) -> list[str]:
    """What has changed in a venue that a playing show cannot follow, by its keys."""
    changed = [
        key for option, key in OPTIONS.items() if before.options.get(option) != after.options.get(option)
    ]
    changed += ["display"] * (_fixed(before) != _fixed(after))
    changed += ["feed"] * (before.feeds != after.feeds)
    return changed + ["operator"] * (before.operator != after.operator)


def _fixed(venue: Venue) -> list[object]:
    """What of its displays stays while a show plays."""
    return [(one.name, one.monitor, one.size, one.refresh, one.delay) for one in venue.displays]


def _strength(event: Event) -> float:
    """The value of a key or of the mouse."""
    return float(event.value) if isinstance(event.value, int | float) else 0.0
