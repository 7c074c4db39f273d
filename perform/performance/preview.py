"""The preview: what the free deck shows before it comes in, while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from perform.clock import Moment
from perform.faults import Faults
from perform.performance.cue import CueInstance
from perform.performance.scene import SceneInstance
from perform.render import Image
from perform.scenes.readiness import Readiness
from perform.signals import Signals

VALUES_EVERY = 0.1  # seconds from one value of the free deck's formulas to the next while nobody looks
EARLY = 1e-6  # seconds by which sums of floats are off
SLOWER, FASTER = 2.0, 0.9  # what the time between two frames is multiplied by after a late one, and another
MOST_SELDOM = 4.0  # seconds between two frames, where the machine is short of time


class Preview:
    """Plays the cue on the free deck by itself, at most `rate` times a second.

    While nobody looks only its formulas run, for the values at its addresses. `shrink` draws a scene smaller
    from then on, and the one before at its whole size again; None: no scene. A fault of the scene ends its
    preview, until another cue is loaded. If it makes frames of the show late, it is drawn more seldom.
    """

    def __init__(
        self,
        rate: float = float("inf"),
        shrink: Callable[[SceneInstance | None], None] = lambda scene: None,
        faults: Faults | None = None,
    ) -> None:
        self.image: Image | None = None
        self._shrink, self._faults = shrink, faults or Faults()
        self._least = self._interval = 1 / rate  # seconds between two frames
        self._worked = False  # whether it was drawn on the last frame of the show
        self._cue: CueInstance | None = None
        self._drawn, self._frames = float("-inf"), 0
        self._failed = False

    def load(self, cue: CueInstance | None) -> None:
        """Show another cue from now on, None: none. The one before has its whole size again, as it may be on
        the wall from this frame on."""
        self._cue, self._failed, self._drawn, self.image = cue, False, float("-inf"), None
        self._shrink(None)

    def took(self, late: bool) -> None:
        """The last frame of the show was `late`, or it was not."""
        if self._worked:
            interval = self._interval * (SLOWER if late else FASTER)
            self._interval = min(max(interval, self._least), max(MOST_SELDOM, self._least))

    def step(self, moment: Moment, signals: Signals, seen: bool) -> None:
        """One frame of the show; `seen` is whether somebody looks."""
        if not seen:
            self.image = None
        self._worked = False
        interval, gone = self._interval if seen else VALUES_EVERY, moment.seconds - self._drawn
        if self._cue is None or self._failed or 0 <= gone < interval - EARLY:
            return
        dt = gone if 0 <= gone < float("inf") else moment.dt
        self._drawn = moment.seconds
        with self._faults.contain(f"the preview of {self._cue.cue.title} ends"):
            self._play(self._cue, replace(moment, dt=dt, frame=self._frames), signals, seen)
            self._frames += 1
            return
        self._failed, self.image = True, None

    def _play(self, cue: CueInstance, moment: Moment, signals: Signals, seen: bool) -> None:
        cue.controls.step(moment, signals)
        if seen and cue.scene.readiness is Readiness.READY:
            self._shrink(cue.scene)
            self._worked = True
            self.image = cue.scene.render(moment, signals)
        else:
            self.image = None
            cue.scene.parameters(moment, signals)
