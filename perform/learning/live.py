"""Learning while a show plays: keys choose a parameter, the next control that is moved plays it.

Writing a file takes longer than a frame may, so a thread beside the show does it; the show then takes
up the edit as it takes up any other.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from perform.catalogue import Library
from perform.learning import edits
from perform.learning.formulas import Takeover, formula
from perform.learning.movement import Control, MovementDetector
from perform.learning.targets import LearnTarget, scene_targets, setting_text, show_targets
from perform.performance import Performance
from perform.scenes.reader import read
from perform.scenes.scene import Scene
from perform.scenes.setlist import Setlist, read_setlist
from perform.signals import Event

log = logging.getLogger("perform")
LEARN_KEY = "m"
KEY_STEPS = {"tab": 1, "down": 1, "up": -1, "right": 1, "left": -1}
UNIT_KEYS = ("left", "right")  # from one unit to the next
UNDO_KEY = "z"
WIDEST_NOTE = 80  # letters of what is shown; the log has all of it
NOTE_SECONDS = 6.0  # seconds for which what was learned stays on show
LEARN_KEYS = {f"key.{key}" for key in (LEARN_KEY, *KEY_STEPS, UNDO_KEY)}
ROWS = (
    ("M", "learn: a control plays a parameter; and back"),
    ("  Tab  Up  Down", "learn: choose the parameter"),
    ("  Z", "learn: take the last one back"),
)
MOST_JOBS = 8
CLOSE_TIMEOUT = 5.0  # seconds that the end of a show waits for a slow disk


class EditQueue:
    """Does what is asked on a thread of its own, and says how it went."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[Callable[[], str] | None] = queue.Queue(MOST_JOBS)
        self._notes: deque[str] = deque(maxlen=MOST_JOBS)
        self._thread = threading.Thread(target=self._work, name="learn", daemon=True)
        self._thread.start()

    def ask(self, job: Callable[[], str]) -> None:
        """Do it soon; what comes when too much waits is left undone."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._notes.append("not learned: the disk is too slow")

    def take(self) -> str | None:
        """What was done since, one thing at a time."""
        return self._notes.popleft() if self._notes else None

    def close(self) -> None:
        """Finish what was asked, then stop."""
        with suppress(queue.Full):
            self._jobs.put_nowait(None)
        self._thread.join(CLOSE_TIMEOUT)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._notes.append(job())
            except Exception as error:  # noqa: BLE001 - an edit that fails must not be the last one
                text = str(error.args[0] if isinstance(error, LookupError) and error.args else error)
                self._notes.append(f"not learned: {text or type(error).__name__}")


@dataclass(frozen=True, slots=True)
class TargetInFile:
    """A parameter, and the file that sets it; `by_name`: the file was found by name."""

    target: LearnTarget
    file: Path
    by_name: bool

    def write(self, text: str, library: Library) -> str:
        """Put a formula into the file; says what was done."""
        target = self.target
        setlist = target.key.startswith("bindings.")

        def check(file: Path) -> None:
            if setlist:
                read_setlist(file, library, library.preset_file)
            else:
                read(file, library)

        default = () if target.part is None else target.parameter.default
        step = edits.edit(self.file, (target.key, target.part, default), text, check, self.by_name)
        return f"{Path(step.file).name}: {target.name} = {text}"


def learnable(setlist: Setlist, scene: Scene, by_name: bool) -> list[TargetInFile]:
    """What can be learned of a scene, and of the show if it has a setlist; `by_name`: the show was asked
    for by name, not as a file."""
    alone = setlist.files[0] == scene.file
    found = [TargetInFile(target, scene.file, by_name or not alone) for target in scene_targets(scene)]
    if not alone:
        found += [TargetInFile(target, setlist.files[0], by_name) for target in show_targets(setlist)]
    return found


class LiveLearning:
    """Learns in a show. `hear` gets every frame's events and gives those that the show may hear; `say`
    shows a sentence to the operator. `by_name`: the show was asked for by name, not as a file."""

    def __init__(
        self,
        performance: Performance,
        say: Callable[[str], None],
        library: Library,
        by_name: bool = True,
        takeover: Takeover = "pickup",
    ) -> None:
        self._performance, self._say, self._library = performance, say, library
        self._by_name, self._takeover = by_name, takeover
        self._clerk, self._watch = EditQueue(), MovementDetector()
        self.on = self._armed = False
        self._chosen = ""
        self._told: float | None = None  # when something was said that goes away by itself

    def hear(self, now: float, events: list[Event]) -> list[Event]:
        """A frame: what is pressed, what is moved, what was written."""
        while note := self._clerk.take():
            log.info("%s", note)
            self._tell(note)
            self._told = now
        pressed = [
            event.name.removeprefix("key.") for event in events if event.name in LEARN_KEYS and event.value
        ]
        if LEARN_KEY in pressed:
            self._turn(now)
        if self.on:
            self._obey(pressed, now)
            self._watch.hear(events)
            if self._armed and (control := self._watch.moved(now)):
                self._bind(control)
        elif self._told is not None and now - self._told > NOTE_SECONDS:
            self._told = None
            self._say("")
        taken = LEARN_KEYS if self.on else {f"key.{LEARN_KEY}"}
        return [event for event in events if not (event.name in taken and event.value)]

    def close(self) -> None:
        """Write what was learned, then stop."""
        self._clerk.close()

    def _turn(self, now: float) -> None:
        """Learn, or play on."""
        self.on, self._armed = not self.on, False
        if self.on:
            self._watch = MovementDetector(now)
            self._choose(now)
        else:
            self._say("")

    def _obey(self, pressed: Sequence[str], now: float) -> None:
        for key in pressed:
            if key in KEY_STEPS:
                self._choose(now, KEY_STEPS[key], key in UNIT_KEYS)
            elif key == UNDO_KEY:
                self._clerk.ask(_undo)

    def _choose(self, now: float, by: int = 0, unit: bool = False) -> None:
        """Another parameter, or that of the next unit."""
        places = self._places()
        names = [place.target.name for place in places]
        tables = [place.target.key.rpartition(".")[0] for place in places]
        at = names.index(self._chosen) if self._chosen in names else 0
        if unit:
            known = list(dict.fromkeys(tables))
            at = tables.index(known[(known.index(tables[at]) + by) % len(known)])
        else:
            at = (at + by) % len(names)
        self._chosen, self._armed = names[at], True
        self._watch.begin(now)
        target = places[at].target
        worth = self._worth(target)
        now_worth = setting_text(target.setting) if worth is None else f"{worth:g}"
        self._tell(f"{target.name} {target.parameter.range}, now {now_worth}: move a control")

    def _bind(self, control: Control) -> None:
        place = next((one for one in self._places() if one.target.name == self._chosen), None)
        if place is None:
            return
        self._armed = False
        text = formula(place.target, control, self._worth(place.target), self._takeover)
        self._tell(f"{place.target.name}: {control.signal}")
        self._clerk.ask(partial(place.write, text, self._library))

    def _worth(self, target: LearnTarget) -> float | None:
        """What a parameter is worth at the moment, None where that is not told."""
        values = self._performance.snapshot().values.get(target.address, ())
        part = target.part or 0
        value = values[part] if part < len(values) else None
        return float(value) if isinstance(value, int | float) else None

    def _places(self) -> list[TargetInFile]:
        """What can be learned on the cue that is on."""
        performance = self._performance
        scene = performance.cues[performance.position.cue].cue.scene
        return learnable(performance.setlist, scene, self._by_name)

    def _tell(self, note: str) -> None:
        note = f"learn: {note}" if self.on else note
        self._say(note if len(note) <= WIDEST_NOTE else f"{note[: WIDEST_NOTE - 1]}…")


def _undo() -> str:
    step = edits.undo()
    return f"{Path(step.file).name}: {step.key} is as it was before {step.formula}"
