"""The rig: the opened devices and units of a show, and the loop that plays it.

Live and offline are one rig with another clock: `play` has a live clock, devices and a window,
`render` an offline clock, a sound file and a recorder. Faults end here: nothing that a device, a
unit or an edited file does stops the picture.
"""

from __future__ import annotations

import gc
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from perform.arrays import Samples
from perform.clock import Clock, Moment, stopwatch
from perform.faults import reason
from perform.inputs import Input, Tells
from perform.inputs.audio import Sound
from perform.outputs import Frame, Output
from perform.performance import Performance, Picture
from perform.render.present import Present
from perform.render.readback import Readback
from perform.scenes.readiness import Readiness
from perform.scenes.setlist import Setlist
from perform.signals import Event
from perform.stage import Stage

log = logging.getLogger("perform")
STAGES = ("inputs", "performance", "present", "outputs", "wait")
KEPT = 10_000  # frames whose times are kept for the figures on show


class Screen(Protocol):
    """A window: shows the picture, and says what is pressed there and when its person closes it."""

    name: str

    @property
    def closed(self) -> bool: ...

    @property
    def notice(self) -> str: ...

    def poll(self, until: float) -> list[Event]: ...

    def show(self, draw: Callable[[Any, tuple[int, int]], None]) -> None: ...

    def close(self) -> None: ...


class Learner(Protocol):
    """Learns from what is pressed and moved; `hear` gives the events that the show may hear."""

    def hear(self, now: float, events: list[Event]) -> list[Event]: ...

    def close(self) -> None: ...


class Sender(Protocol):
    """Something that speaks from a thread of its own, as MIDI clock does; `fault` says why it does not."""

    name: str

    @property
    def fault(self) -> str: ...

    def close(self) -> None: ...


def settle() -> None:
    """Before the first frame: what is there by now is never collected, which would stop the picture for as
    long as the heap is large (140 ms)."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@dataclass(slots=True)
class Timings:
    """How the last frames went, in seconds: from each to the next (`frames`), the work of each
    (`work`), and what each stage took in all."""

    frames: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    work: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    count: int = 0
    _shown: float | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time within to a stage."""
        began = stopwatch()
        try:
            yield
        finally:
            self.stages[name] += stopwatch() - began

    def shown(self, began: float) -> None:
        """A frame whose work began at `began` (stopwatch) is done."""
        now = stopwatch()
        self.work.append(now - began)
        if self._shown is not None:
            self.frames.append(now - self._shown)
        self._shown = now
        self.count += 1


@dataclass(slots=True)
class Rig:
    """A show, set up. `setlist` is read anew by `reload` when a watched file changes."""

    clock: Clock
    context: Any  # moderngl.Context
    stage: Stage
    performance: Performance
    present: Present
    inputs: Sequence[Input] = ()
    outputs: list[Output] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    screen: Screen | None = None
    learner: Learner | None = None
    readback: Readback | None = None
    changed: Callable[[], bool] = lambda: False
    reload: Callable[[], Setlist] | None = None
    unwatch: Callable[[], None] = lambda: None
    sound: Sound | None = None
    live: bool = True
    timings: Timings = field(default_factory=Timings)
    moment: Moment | None = None
    gamma: float = 1.0
    ended: bool = False
    lost: int = 0  # outputs that failed
    picture: Picture | None = None
    latency: float | None = None  # seconds from the newest sound that was heard to its frame on show
    _edited: Setlist | None = None  # waits for what it plays to be opened
    _flying: deque[tuple[Moment, Samples | None]] = field(default_factory=deque)

    def run(self, until: Callable[[Rig], bool]) -> None:
        """Play until `until` says so, the window is closed or `ended` is set; then close everything."""
        settle()
        try:
            while not (self.ended or until(self) or (self.screen and self.screen.closed)):
                self.frame()
        finally:
            self.close()

    def frame(self) -> None:
        """One frame of the show, from the inputs to the outputs."""
        timings = self.timings
        with timings.stage("wait"):
            seconds = self.clock.advance()
        began = stopwatch()
        with timings.stage("inputs"):
            events = self._learned(seconds, self._events(seconds))
            events += self._reload(seconds)
            events += self.stage.poll(seconds)
        moment = self.moment = self.clock.moment(self.performance.tempo)
        with timings.stage("performance"):
            picture = self._picture(moment, events)
            self._tell(seconds)
        try:
            with timings.stage("present"):
                image = self._show(moment, picture)
            with timings.stage("outputs"):
                self._write(moment, image)
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self.stage.faults.note("the frame could not be shown", error)
        timings.shown(began)
        heard = next((event.time for event in events if event.name == "audio.level"), None)
        self.latency = self.latency if heard is None else self.clock.now() - heard

    def end(self) -> None:
        """Let the frame that is being played be the last; may be called from a signal handler."""
        self.ended = True

    def close(self) -> None:
        """Close what is open, outputs first, so that what was recorded is kept."""
        self.unwatch()
        self._land()
        for device in (*self.outputs, *self.senders, *self.inputs, self.learner, self.stage, self.screen):
            _close(device)
        self.outputs, self.senders, self.inputs, self.screen = [], [], [], None

    def _events(self, seconds: float) -> list[Event]:
        """What every input said; one that fails says nothing more."""
        events: list[Event] = []
        devices: list[Input | Screen] = [*self.inputs, *([self.screen] if self.screen else [])]
        for device in devices:
            try:
                events += device.poll(seconds)
            except Exception as error:  # noqa: BLE001 - on stage one place catches
                self.stage.faults.note(f"input {device.name} is dropped", error)
                if device is not self.screen:
                    self.inputs = [other for other in self.inputs if other is not device]
                    _close(device)
        return events

    def _learned(self, seconds: float, events: list[Event]) -> list[Event]:
        """The events that are not meant for the learner."""
        try:
            return self.learner.hear(seconds, events) if self.learner else events
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self.stage.faults.note("learning stopped", error)
            self.learner = None
            return events

    def _tell(self, seconds: float) -> None:
        """Let the devices that show what plays (a touchscreen, lights of buttons) know how it stands."""
        for device in (*self.inputs, *self.senders):
            if isinstance(device, Tells):
                try:
                    device.tell(seconds, self.performance)
                except Exception as error:  # noqa: BLE001 - on stage one place catches
                    self.stage.faults.note(f"{device.name} cannot be told", error)

    def _picture(self, moment: Moment, events: Sequence[Event]) -> Picture:
        """The performance's picture; should it fail, the one before."""
        try:
            self.picture = self.performance.step(moment, events)
        except Exception as error:
            self.stage.faults.note("the frame failed", error)
            if self.picture is None:
                raise
        return self.picture

    def _show(self, moment: Moment, picture: Picture) -> Any:
        """The picture on the screen; and, for outputs, as a texture at the size of the show. With
        neither it is drawn all the same."""
        image, master, blackout = picture.image, picture.master, picture.blackout
        if self.screen:
            self.screen.show(
                lambda target, size: self.present.draw(
                    image, target, (0, 0, *size), master, blackout, self.gamma, moment.frame
                )
            )
        if self.screen and not self.outputs:
            return None
        shown = self.present.render(image, master, blackout, self.gamma, moment.frame)
        if not self.screen:
            self.context.finish()
        return shown

    def _write(self, moment: Moment, image: Any) -> None:
        """The frame to every output."""
        if not self.outputs or self.readback is None:
            return
        sound = self.sound.take_sound() if self.sound else None
        if not self.live:
            self._give(Frame(moment, self.readback.read(image), sound))
            return
        self._flying.append((moment, sound))
        pixels = self.readback.push(image)
        if pixels is not None:
            then, its_sound = self._flying.popleft()
            self._give(Frame(then, pixels, its_sound))

    def _land(self) -> None:
        """Give what is still being read back."""
        if self.readback is not None and self._flying:
            for pixels, (moment, sound) in zip(self.readback.drain(), self._flying, strict=False):
                self._give(Frame(moment, pixels, sound))

    def _give(self, frame: Frame) -> None:
        """A frame to every output; one that fails is closed, with what it has so far."""
        for output in list(self.outputs):
            try:
                output.write(frame)
            except Exception as error:  # noqa: BLE001 - on stage one place catches
                self.stage.faults.note(f"{type(output).__name__.lower()} stopped", error)
                self.outputs.remove(output)
                self.lost += 1
                _close(output)

    def _reload(self, seconds: float) -> list[Event]:
        """Apply what was saved, when what it plays is open; a broken edit changes nothing and is logged. The
        event of an edit that was applied."""
        try:
            if self.reload is not None and self.changed():
                self._edited = self.reload()
                self.stage.retry(self._edited)
            if self._edited is not None and self._apply(self._edited):
                setlist, self._edited = self._edited, None
                return [Event(seconds, "show.edited", setlist.title)]
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            for line in reason(error).splitlines():
                log.error("kept the last good version: %s", line)
            self._edited = None
        return []

    def _apply(self, setlist: Setlist) -> bool:
        """Play an edited setlist if what is on show is open; whether it was."""
        position, cues = self.performance.position, self.performance.cues
        shown = [cues[at].cue.scene.file for at in (position.cue, position.before) if at is not None]
        self.stage.request(setlist, shown)
        readiness = self.stage.readiness(setlist, shown)
        if readiness is Readiness.FAILED:
            raise ValueError("its model cannot be opened")
        if readiness is not Readiness.READY:
            return False
        self.performance.change(setlist, self.stage.open(setlist, cues))
        log.info("took up the edit of %s", setlist.title)
        return True


def _close(device: Any) -> None:
    """Close a device if there is one; the others must close whatever happens to it."""
    try:
        if device is not None:
            device.close()
    except Exception as error:  # noqa: BLE001
        log.error("%s: %s", type(device).__name__, error)
