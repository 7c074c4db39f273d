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

from perform.clock import Clock, Moment, stopwatch
from perform.inputs import Input
from perform.outputs import Frame, Output
from perform.performance import Performance, Picture
from perform.render.present import Present
from perform.render.readback import Readback
from perform.setlist import Setlist
from perform.signals import Event
from perform.stage import Stage

log = logging.getLogger("perform")
STAGES = ("inputs", "performance", "present", "outputs", "wait")
KEPT = 600  # frames whose times are kept for the figures on show


class Screen(Protocol):
    """A window: shows the picture, and says when its person closes it."""

    @property
    def closed(self) -> bool: ...

    def present(self, draw: Callable[..., None]) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Timings:
    """How long the last frames took, in seconds: the whole frame, and the share of each stage."""

    frames: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    count: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time within to a stage."""
        began = stopwatch()
        try:
            yield
        finally:
            self.stages[name] += stopwatch() - began


@dataclass(slots=True)
class Rig:
    """A show, set up. `setlist` is read anew by `reload` when a watched file changes."""

    clock: Clock
    stage: Stage
    performance: Performance
    present: Present
    inputs: Sequence[Input]
    outputs: list[Output] = field(default_factory=list)
    screen: Screen | None = None
    readback: Readback | None = None
    changed: Callable[[], bool] = lambda: False
    reload: Callable[[], Setlist] | None = None
    sound: Any = None
    timings: Timings = field(default_factory=Timings)
    moment: Moment | None = None
    ended: bool = False

    def run(self, until: Callable[[Rig], bool]) -> None:
        """Play until `until` says so, the window is closed or `ended` is set; then close everything."""
        gc.collect()
        gc.freeze()  # a full collection would stop the picture for as long as the heap is large
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
            events = self._events(seconds)
            self._reload()
        moment = self.moment = self.clock.moment(self.performance.tempo)
        with timings.stage("performance"):
            picture = self._picture(moment, events)
        with timings.stage("present"):
            image = self.present.render(moment, picture.image, picture.master, picture.blackout)
            if self.screen:
                self.screen.present(lambda target, size: self.present.draw(image, target, size))
        with timings.stage("outputs"):
            self._write(moment, image)
        timings.frames.append(stopwatch() - began)
        timings.count += 1

    def close(self) -> None:
        """Close what is open, outputs first, so that what was recorded is kept."""
        for device in (*self.outputs, *self.inputs, self.screen, self.stage):
            if device is None:
                continue
            try:
                device.close()
            except Exception as error:  # noqa: BLE001 - the others must close all the same
                log.error("%s: %s", type(device).__name__, error)
        self.outputs, self.inputs, self.screen = [], [], None

    def _events(self, seconds: float) -> list[Event]:
        """What every input said; one that fails says nothing more."""
        events: list[Event] = []
        for device in self.inputs:
            try:
                events += device.poll(seconds)
            except Exception as error:  # noqa: BLE001 - on stage one place catches
                self.stage.faults.note(f"input {device.name} is dropped", error)
                self.inputs = [other for other in self.inputs if other is not device]
        return events

    def _picture(self, moment: Moment, events: Sequence[Event]) -> Picture:
        """The performance's picture; should it fail, the one before."""
        try:
            self._last = self.performance.step(moment, events)
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self.stage.faults.note("the frame failed", error)
            if self._last is None:
                raise
        return self._last

    _last: Picture | None = None

    def _write(self, moment: Moment, image: Any) -> None:
        """The frame to every output; one that fails is closed, with what it has so far."""
        if not self.outputs or self.readback is None:
            return
        pixels = self.readback.read(image)
        sound = self.sound.take_sound() if self.sound else None
        for output in list(self.outputs):
            try:
                output.write(Frame(moment, pixels))
                if sound is not None:
                    output.write_sound(sound)
            except Exception as error:  # noqa: BLE001 - on stage one place catches
                self.stage.faults.note(f"{type(output).__name__.lower()} stopped", error)
                self.outputs.remove(output)
                output.close()

    def _reload(self) -> None:
        """Take up what was saved; a broken edit changes nothing and says why."""
        if self.reload is None or not self.changed():
            return
        try:
            setlist = self.reload()
            self.performance.change(setlist, self.stage.open(setlist, self.performance.cues))
            log.info("took up the edit of %s", setlist.title)
        except (ValueError, LookupError, OSError) as error:
            for line in str(error).splitlines():
                log.error("kept the last good version: %s", line)
