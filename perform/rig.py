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
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol

from perform.arrays import Samples
from perform.clock import Clock, Moment, stopwatch
from perform.faults import Faults, log_kept, reason
from perform.inputs import Input
from perform.inputs.audio import Sound
from perform.outputs import Frame, FrameOutput, Output, Screen, SoundOutput, StateOutput
from perform.performance import Performance, Picture
from perform.render.limiter import FlashLimiter
from perform.render.present import Present
from perform.render.readback import Readback
from perform.scenes.look import Look
from perform.scenes.readiness import Readiness
from perform.scenes.setlist import Setlist
from perform.signals import Event
from perform.stage import Stage
from perform.stage.balance import Balance

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("perform")
PHASES = ("inputs", "performance", "present", "outputs", "wait")  # of a frame
TIMED_FRAMES = 10_000  # frames whose times are kept for the figures on show


class Learner(Protocol):
    """Learns from what you press and move."""

    def process(self, now: float, events: list[Event]) -> list[Event]:
        """Take the events of a frame, and return those for the show."""
        ...

    def close(self) -> None: ...


class Edits(Protocol):
    """Gives the setlist when a file that it was read from is saved."""

    def take(self) -> Setlist | None:
        """The newest setlist, if a file was saved and read since the last call, else None; never waits.
        Raises SceneError, OSError or LookupError if it cannot be played."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """All that reaches one frame from outside: events (also of models that were opened), and an edited
    setlist to play from this frame on, or None."""

    events: Sequence[Event]
    edit: Setlist | None = None


def freeze_gc() -> None:
    """Exclude all objects that exist now from garbage collection, which would stop the picture (140 ms)."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@dataclass(slots=True)
class Timings:
    """Times in seconds: from each of the last frames to the next (`frames`), the work of each of them
    (`work`), and the sum of each phase over all frames (`phases`)."""

    frames: deque[float] = field(default_factory=lambda: deque(maxlen=TIMED_FRAMES))
    work: deque[float] = field(default_factory=lambda: deque(maxlen=TIMED_FRAMES))
    phases: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    count: int = 0
    _shown: float | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the block to a phase."""
        began = stopwatch()
        try:
            yield
        finally:
            self.phases[name] += stopwatch() - began

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
    """A show, set up. To attach a device, add it to `inputs`, `screens` or `outputs` when you build the rig;
    one that both sends and receives is in two of them.

    Every screen shows the same picture; the show ends when the first is closed, and goes on without another
    that is closed. `take` gets all that reaches a frame from outside, and returns what the frame plays: it
    may record this, or replay a recording. `sound` is the input that goes to recordings.
    """

    clock: Clock
    context: moderngl.Context
    stage: Stage
    performance: Performance
    present: Present
    inputs: list[Input] = field(default_factory=list)
    screens: list[Screen] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    sound: Sound | None = None
    learner: Learner | None = None
    edits: Edits | None = None
    balance: Balance | None = None
    take: Callable[[Incoming], Incoming] = lambda incoming: incoming
    gamma: float = 1.0
    limiter: FlashLimiter | None = None
    timings: Timings = field(default_factory=Timings)
    moment: Moment | None = None
    picture: Picture | None = None
    ended: bool = False
    lost: int = 0  # outputs that failed
    latency: float | None = None  # seconds from the newest sound to its frame on show
    _edited: Setlist | None = None  # waits until its models are open and its shaders tried
    _readback: Readback | None = None
    _in_flight: deque[tuple[Moment, Samples | None]] = field(default_factory=deque)  # frames being read back

    @property
    def faults(self) -> Faults:
        """What failed on stage."""
        return self.stage.faults

    def run(self, until: Callable[[Rig], bool]) -> None:
        """Play until `until` is true, the first screen is closed or `end` is called; then close all."""
        freeze_gc()
        try:
            while not (self.ended or until(self) or (self.screens and self.screens[0].closed)):
                self.frame()
        finally:
            self.close()

    def frame(self) -> None:
        """One frame of the show, from the inputs to the outputs."""
        timings = self.timings
        with timings.phase("wait"):
            seconds = self.clock.advance()
        began = stopwatch()
        with timings.phase("inputs"):
            incoming = self.take(self._receive(seconds))
            self._apply(incoming.edit)
        moment = self.moment = self.clock.moment(self.performance.tempo)
        with timings.phase("performance"):
            picture = self._step(moment, incoming.events)
            self._update(seconds)
        with self.faults.contain("the frame could not be shown"):
            with timings.phase("present"):
                image = self._show(moment, picture)
                self.clock.shown()
            with timings.phase("outputs"):
                self._write(moment, image)
        timings.shown(began)
        if self.balance:
            with self.faults.contain("the balance of display and network stays"):
                self.balance.frame(stopwatch(), timings.work[-1], self.performance)
        sound_time = next((event.time for event in incoming.events if event.name == "audio.level"), None)
        if sound_time is not None:
            self.latency = self.clock.now() - sound_time

    def end(self) -> None:
        """End the show after this frame; a signal handler may call it."""
        self.ended = True

    def close(self) -> None:
        """Write the frames that are being read back, then close everything; safe to call twice."""
        before = self.faults.counts.total()
        with self.faults.contain("the last frames are not written"):
            self._drain()
            self._write_last_sound()
        for output in self.outputs:
            self._close(output)
        if self.faults.counts.total() > before:
            self.lost += 1  # the end of a film is not in its file
        for device in (self.edits, *self.inputs, self.learner, self.stage, *reversed(self.screens)):
            if device is not None:
                self._close(device)
        with self.faults.contain("OpenGL cannot be closed"):
            self.context.release()
        self.inputs = []
        self.outputs = []
        self.screens = []

    def _receive(self, seconds: float) -> Incoming:
        """All that reaches a frame from outside; inputs, screens, edits and models meet only here."""
        events: list[Event] = []
        for device in list(self.inputs):
            events += self._poll(device, seconds)
        for screen in [one for one in self.screens[1:] if one.closed]:
            self.screens.remove(screen)
            self._close(screen)
        for screen in self.screens:
            with self.faults.contain(f"{screen.name} cannot be read"):
                events += screen.poll(seconds)
        events = self._learn(seconds, events)
        edit = self._edit()
        return Incoming([*events, *self.stage.poll(seconds)], edit)

    def _poll(self, device: Input, seconds: float) -> list[Event]:
        """The events of an input; one that fails is dropped."""
        with self.faults.contain(f"input {device.name} is dropped"):
            return device.poll(seconds)
        self.inputs.remove(device)
        self.outputs = [other for other in self.outputs if other is not device]
        self._close(device)
        return []

    def _learn(self, seconds: float, events: list[Event]) -> list[Event]:
        """The events without those for the learner."""
        if self.learner is None:
            return events
        with self.faults.contain("learning stopped"):
            return self.learner.process(seconds, events)
        self.learner = None
        return events

    def _edit(self) -> Setlist | None:
        """An edited setlist, once its models are open."""
        with self._contain_edit():
            edited = self.edits.take() if self.edits else None
            if edited is not None:
                self._edited = edited
                self.stage.retry(edited)
        with self._contain_edit(self._edited):
            if self._edited is not None and self._ready(self._edited):
                edited, self._edited = self._edited, None
                return edited
        return None

    def _ready(self, setlist: Setlist) -> bool:
        """Whether the models of an edited setlist that are on show now are open, its shaders tried, and its
        new units made. Raises ValueError if one failed."""
        if not self.stage.tried(setlist):
            return False
        position, cues = self.performance.position, self.performance.cues
        shown = [cues[at].cue.scene.file for at in (position.cue, position.before) if at is not None]
        self.stage.request(setlist, shown)
        readiness = self.stage.readiness(setlist, shown)
        if readiness is Readiness.FAILED:
            raise ValueError("its model cannot be opened")
        return readiness is Readiness.READY and self.stage.prepared(setlist, self.performance.cues)

    def _apply(self, setlist: Setlist | None) -> None:
        """Play an edited setlist from now on."""
        if setlist is not None:
            with self._contain_edit(setlist):
                if not self.stage.tried(setlist):  # it came from `take` alone
                    self._edited = setlist
                    return
                before, played = self._units(), self.performance.setlist
                cues = self.stage.open(setlist, self.performance.loaded_first)
                faults = *setlist.faults, *map(reason, self.stage.rejected)
                over, law = self.stage.over, self.stage.law
                played_cues = tuple(one.cue for one in cues)
                setlist = replace(setlist, cues=played_cues, over=over.scene if over else None, faults=())
                self.performance.change(setlist, cues, over, law)
                log_kept(*faults)
                if not faults or (setlist, self._units()) != (played, before):
                    log.info("applied the edit of %s", setlist.title)

    def _units(self) -> list[object]:
        """What plays: the scene and the transition of each cue, and what is over them."""
        cues = self.performance.cues
        played = [(one.scene, one.twin, one.transition) for one in cues]
        return [*played, self.performance.over, self.stage.law and self.stage.law.unit]

    @contextmanager
    def _contain_edit(self, setlist: Setlist | None = None) -> Iterator[None]:
        """Reject a broken edit, and log the reason, with what is wrong with the presets of the setlist."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self._edited = None
            log_kept(*(setlist.faults if setlist else ()), reason(error))

    def _step(self, moment: Moment, events: Sequence[Event]) -> Picture:
        """The performance's picture; if it fails, the one before."""
        try:
            self.picture = self.performance.step(moment, events)
        except Exception as error:
            self.faults.note("the frame failed", error)
            if self.picture is None:
                raise
        return self.picture

    def _update(self, seconds: float) -> None:
        """Send the state of the show to touchscreens and lights."""
        snapshot = cache(self.performance.snapshot)
        for output in self.outputs:
            if isinstance(output, StateOutput):
                with self.faults.contain(f"{output.name} cannot be updated"):
                    output.update(seconds, snapshot)

    def _show(self, moment: Moment, picture: Picture) -> moderngl.Texture | None:
        """Show the picture on every screen, on the first one last, because it waits for its display; also
        draw it as a texture of the show's size, if an output takes frames or there is no screen."""
        look, image = Look(picture.master, picture.blackout, self.gamma, moment.frame), picture.image
        if self.limiter:
            with self.faults.contain("flashes are not limited"):
                image = self.limiter.limited(moment.seconds, image, look)
        for screen in reversed(self.screens):
            with self.faults.contain(f"{screen.name} cannot be drawn"):
                screen.show(image, look)
        if self.screens and not self._frame_outputs():
            return None
        shown = self.present.render(image, look)
        if not self.screens:
            self.context.finish()
        return shown

    def _frame_outputs(self) -> list[FrameOutput]:
        return [output for output in self.outputs if isinstance(output, FrameOutput)]

    def _write(self, moment: Moment, image: moderngl.Texture | None) -> None:
        """Write the frame to every output that takes frames. If all are live, it comes some frames late, so
        that nothing waits for the graphics card."""
        outputs = self._frame_outputs()
        if not outputs or image is None:
            return
        readback = self._readback = self._readback or Readback(self.context, self.present.size)
        sound = self.sound.take_sound() if self.sound else None
        if not all(output.may_lag for output in outputs):
            self._drain()
            self._write_frame(Frame(moment, readback.read(image), sound))
            return
        self._in_flight.append((moment, sound))
        pixels = readback.push(image)
        if pixels is not None:
            then, its_sound = self._in_flight.popleft()
            self._write_frame(Frame(then, pixels, its_sound))

    def _drain(self) -> None:
        """Write the frames that are still being read back."""
        if self._readback is not None:
            for pixels in self._readback.drain():
                moment, sound = self._in_flight.popleft()
                self._write_frame(Frame(moment, pixels, sound))

    def _write_last_sound(self) -> None:
        """Write the sound that goes with the last frame, until the next one would begin."""
        outputs = [output for output in self.outputs if isinstance(output, SoundOutput)]
        sound = self.sound
        if not outputs or self.moment is None or sound is None or sound not in self.inputs:
            return
        sound.poll(self.clock.advance())
        samples = sound.take_sound()
        for output in outputs:
            output.write_sound(samples)

    def _write_frame(self, frame: Frame) -> None:
        """Write a frame to every output; one that fails is closed, and keeps what it has."""
        for output in self._frame_outputs():
            with self.faults.contain(f"{output.name} stopped"):
                output.write(frame)
                continue
            self.outputs.remove(output)
            self.lost += 1
            self._close(output)

    def _close(self, device: Edits | Input | Learner | Output | Stage) -> None:
        """Close a device; if that fails, the others still close."""
        with self.faults.contain(f"{type(device).__name__} cannot be closed"):
            device.close()
