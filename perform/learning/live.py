"""MIDI learn in a playing show: keys choose a parameter, the next control that moves plays it.

Writing a file takes longer than a frame, so a thread in the background does it. The show then applies the
edit like any other.
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

from perform.faults import reason
from perform.learning import edits
from perform.learning.formulas import formula
from perform.learning.movement import Control, MovementDetector
from perform.learning.targets import LearnTarget, over_targets, scene_targets, setting_text, show_targets
from perform.library import Library
from perform.parameters import number_text
from perform.performance import Performance
from perform.scenes.nodes import units
from perform.scenes.reader import read_scene
from perform.scenes.scene import Scene
from perform.scenes.setlist import Cue, Setlist, read_setlist
from perform.signals import Event
from perform.threads import Background

log = logging.getLogger("perform")
LEARN_KEY = "m"
KEY_STEPS = {"tab": 1, "down": 1, "up": -1, "right": 1, "left": -1}
UNIT_KEYS = ("left", "right")  # from one unit to the next
UNDO_KEY = "z"
WIDEST_NOTE = 80  # letters on the screen; the log has the whole note
NOTE_SECONDS = 6.0  # seconds that a note stays on the screen
LEARN_KEYS = {f"key.{key}" for key in (LEARN_KEY, *KEY_STEPS, UNDO_KEY)}
ROWS = (
    ("M", "learn: a control plays a parameter; and back"),
    ("  Tab  Up  Down", "learn: choose the parameter"),
    ("  Z", "learn: undo the last one"),
)
MOST_JOBS = 8


class EditQueue:
    """Does edits on a thread in the background; each leaves a note with its result."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[Callable[[], str] | None] = queue.Queue(MOST_JOBS)
        self._notes: deque[str] = deque(maxlen=MOST_JOBS)
        self._thread = Background(self._work, "learn")

    def submit(self, job: Callable[[], str]) -> None:
        """Queue an edit; with too many in the queue it is dropped."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._notes.append("not learned: the disk is too slow")

    def take_note(self) -> str | None:
        """The next note, None if there is none."""
        return self._notes.popleft() if self._notes else None

    def close(self) -> None:
        """Finish the edits in the queue, then stop."""
        with suppress(queue.Full):
            self._jobs.put_nowait(None)
        self._thread.close()

    def _work(self, _closing: threading.Event) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._notes.append(job())
            except Exception as error:  # noqa: BLE001 - after a failed edit the next ones go on
                self._notes.append(f"not learned: {reason(error)}")


@dataclass(frozen=True, slots=True)
class TargetInFile:
    """A parameter and the file that sets it, a preset or a setlist; `by_name`: the file was found by name."""

    target: LearnTarget
    file: Path
    by_name: bool
    in_setlist: bool = False

    def write(self, text: str, library: Library) -> str:
        """Write a formula into the file; returns a note on it."""
        target = self.target

        def check(file: Path) -> None:
            if self.in_setlist:
                read_setlist(file, library, library.preset_file)
            else:
                read_scene(file, library)

        default = () if target.part is None else target.parameter.default
        step = edits.edit(self.file, (target.key, target.part, default), text, check, self.by_name)
        return f"{Path(step.file).name}: {target.name} = {text}"


def learnable(setlist: Setlist, cue: Cue, by_name: bool, library: Library) -> list[TargetInFile]:
    """The parameters of a cue's scene that can be learned, and those of the show if it has a setlist;
    `by_name`: the show was found by name, not given as a file. What does not play is left out: the class of a
    model without classes, and the transition of a preset where the cue has another."""
    scene = cue.scene
    alone = setlist.files[0] == scene.file
    unplayed = ["transition."] if cue.transition != scene.transition else []
    unplayed += _labels_without_classes(scene, library)
    targets = [target for target in scene_targets(scene) if not target.key.startswith(tuple(unplayed))]
    found = [TargetInFile(target, scene.file, by_name or not alone) for target in targets]
    if not alone:
        targets = [*show_targets(setlist), *over_targets(setlist)]
        unplayed = _labels_without_classes(setlist.over, library) if setlist.over else []
        targets = [target for target in targets if target.key not in unplayed]
        found += [TargetInFile(target, setlist.files[0], by_name, in_setlist=True) for target in targets]
    return found


def _labels_without_classes(scene: Scene, library: Library) -> list[str]:
    """The keys of the classes of models that have none."""
    models = [
        unit for unit in units(scene) if unit.settings.kind == "model" and unit.prefix.endswith("/generator")
    ]
    return [f"{one.key}.label" for one in models if not library.model(one.settings.name).space.c_dim]


class LiveLearning:
    """MIDI learn of a show. `process` takes the events of a frame and returns those for the show; `say` shows
    a sentence to the operator. `by_name`: the show was found by name, not given as a file."""

    def __init__(
        self, performance: Performance, say: Callable[[str], None], library: Library, by_name: bool
    ) -> None:
        self._performance, self._say, self._library, self._by_name = performance, say, library, by_name
        self._edits, self._detector = EditQueue(), MovementDetector()
        self.on = self._armed = False
        self._chosen, self._scene = "", Path()  # the parameter, and the preset in which it was chosen
        self._noted: float | None = None  # when a note was shown that disappears by itself

    def process(self, now: float, events: list[Event]) -> list[Event]:
        """Handle the events of a frame: keys, moved controls, finished edits."""
        while note := self._edits.take_note():
            log.info("%s", note)
            self._note(note)
            self._noted = now
        pressed = [
            event.name.removeprefix("key.") for event in events if event.name in LEARN_KEYS and event.value
        ]
        if LEARN_KEY in pressed:
            self._toggle(now)
        if self.on:
            self._follow(now)
            self._handle_keys(pressed, now)
            self._detector.hear(events)
            if self._armed and (control := self._detector.moved(now)):
                self._bind(control)
        elif self._noted is not None and now - self._noted > NOTE_SECONDS:
            self._noted = None
            self._say("")
        taken = LEARN_KEYS if self.on else {f"key.{LEARN_KEY}"}
        return [event for event in events if not (event.name in taken and event.value)]

    def close(self) -> None:
        """Finish the edits, then stop."""
        self._edits.close()

    def _toggle(self, now: float) -> None:
        """Turn learning on or off."""
        self.on, self._armed = not self.on, False
        if self.on:
            self._detector = MovementDetector(now)
            self._choose(now)
        else:
            self._say("")

    def _handle_keys(self, pressed: Sequence[str], now: float) -> None:
        for key in pressed:
            if key in KEY_STEPS:
                self._choose(now, KEY_STEPS[key], key in UNIT_KEYS)
            elif key == UNDO_KEY:
                self._edits.submit(_undo)

    def _follow(self, now: float) -> None:
        """When another scene has come, choose the parameter of the same name in it; if it has none, wait."""
        if self._cue.scene.file == self._scene:
            return
        if any(place.target.name == self._chosen for place in self._places()):
            self._choose(now)
            return
        self._armed, self._scene = False, self._cue.scene.file
        self._note(f"{self._chosen} is not here: Tab chooses another", self._scene)

    def _choose(self, now: float, by: int = 0, unit: bool = False) -> None:
        """Choose another parameter, or the first of the next unit."""
        places = self._places()
        self._scene = self._cue.scene.file
        names = [place.target.name for place in places]
        tables = [place.target.key.rpartition(".")[0] for place in places]
        at = names.index(self._chosen) if self._chosen in names else 0
        if unit:
            known = list(dict.fromkeys(tables))
            at = tables.index(known[(known.index(tables[at]) + by) % len(known)])
        else:
            at = (at + by) % len(names)
        self._chosen, self._armed = names[at], True
        self._detector.begin(now)
        target = places[at].target
        value = self._present_value(target)
        shown = setting_text(target.setting) if value is None else number_text(value)
        self._note(f"{target.name} {target.parameter.range}, now {shown}: move a control", places[at].file)

    def _bind(self, control: Control) -> None:
        place = next((one for one in self._places() if one.target.name == self._chosen), None)
        if place is None:
            return
        self._armed = False
        text = formula(place.target, control, self._present_value(place.target))
        self._note(f"{place.target.name}: {control.signal}", place.file)
        self._edits.submit(partial(place.write, text, self._library))

    def _present_value(self, target: LearnTarget) -> float | None:
        """A parameter's present value; None if it is unknown."""
        values = self._performance.snapshot().values.get(target.address, ())
        part = target.part or 0
        value = values[part] if part < len(values) else None
        return float(value) if isinstance(value, int | float) else None

    def _places(self) -> list[TargetInFile]:
        """The parameters of the current cue that can be learned."""
        return learnable(self._performance.setlist, self._cue, self._by_name, self._library)

    @property
    def _cue(self) -> Cue:
        """The cue that is on."""
        return self._performance.cues[self._performance.position.cue].cue

    def _note(self, note: str, file: Path | None = None) -> None:
        """Show a note; `file`: the preset or setlist that it is about."""
        if self.on:
            note = f"learn {file.stem}: {note}" if file else f"learn: {note}"
        self._say(note if len(note) <= WIDEST_NOTE else f"{note[: WIDEST_NOTE - 1]}…")


def _undo() -> str:
    step = edits.undo()
    return f"{Path(step.file).name}: {step.key} is as it was before {step.formula}"
