"""The status of a running show, for its operator."""

from __future__ import annotations

import re
from collections.abc import Sized
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from perform.faults import Health
from perform.inputs import Input
from perform.outputs import Output, SoundOutput
from perform.rig import Rig
from perform.scenes.readiness import Readiness

SWITCHES = ("blackout", "freeze", "pause", "fadeout")  # of the show, that hide or stop something


@dataclass(frozen=True, slots=True)
class Status:
    """One moment of the show.

    Meters, `confidence` and `master` are 0..1, `beat` and `bar` count from 0 with their fraction, `cue`
    from 1 to `cues`, `number` and `notes` are those of the cue in the setlist, rates are per second,
    `frame_ms` is the 99th percentile. `source` leads the beat, `clock` is the pinned source or "auto". A
    rate or a time that is not known is None. `recording` is the file that is written, `balance` how
    display and network share the processor, `notice` what the window reports; each may be empty.
    """

    seconds: float = 0.0
    scene: str = ""
    number: str = ""
    notes: str = ""
    next_scene: str = ""
    cue: int = 0
    cues: int = 0
    level: float = 0.0
    low: float = 0.0
    mid: float = 0.0
    high: float = 0.0
    air: float = 0.0
    beat: float = 0.0
    bar: float = 0.0
    bpm: float = 120.0
    source: str = "free"
    clock: str = "auto"
    confidence: float = 0.0
    display_fps: float | None = None
    picture_fps: float | None = None
    frame_ms: float | None = None
    latency_ms: float | None = None
    master: float = 1.0
    blackout: bool = False
    freeze: bool = False
    pause: bool = False
    fadeout: bool = False
    recording: str = ""
    recorded: float = 0.0
    devices: tuple[tuple[str, Health], ...] = ()
    notice: str = ""
    balance: str = ""

    @property
    def cue_title(self) -> str:
        """The cue as people call it: its number, if it has one, and its name."""
        return f"{self.number} {self.scene}".strip()

    @property
    def switches(self) -> tuple[str, ...]:
        """Those of `SWITCHES` that are on."""
        return tuple(name for name in SWITCHES if getattr(self, name))


class StatusMeter:
    """Makes the status of a rig, with rates over the last second or so."""

    RATE_WINDOW = 1.0  # seconds

    def __init__(self, recording: Path | None = None) -> None:
        self._recording = recording
        self._since = (0.0, 0, 0)  # seconds, frames, pictures
        self._rates: tuple[float | None, float | None] = (None, None)

    def status(self, rig: Rig) -> Status:
        """The status of the rig at this moment."""
        moment, performance, signals = rig.moment, rig.performance, rig.performance.signals
        assert moment is not None
        self._count(moment.seconds, rig.timings.count, rig.stage.pictures_made())
        position, cues, picture = performance.position, performance.cues, rig.picture
        following = performance.following
        waits = " (queued)" if position.queued is not None else ""
        last = following == position.cue
        if cues[following].scene.readiness is Readiness.OPENING:
            waits = " (opening)"
        cue = cues[position.cue].cue
        return Status(
            seconds=moment.seconds,
            scene=cue.title,
            number=cue.number,
            notes=cue.notes,
            next_scene="" if last else cues[following].cue.title + waits,
            cue=position.cue + 1,
            cues=len(cues),
            level=signals.number("audio.level"),
            low=signals.number("audio.low"),
            mid=signals.number("audio.mid"),
            high=signals.number("audio.high"),
            air=signals.number("audio.air"),
            beat=moment.beat,
            bar=moment.bar,
            bpm=moment.bpm,
            source=performance.tempo.source,
            clock=performance.authority.lead,
            confidence=signals.number("beat.confidence"),
            display_fps=self._rates[0],
            picture_fps=self._rates[1],
            latency_ms=None if rig.latency is None else 1000 * rig.latency,
            frame_ms=1000 * float(np.percentile(rig.timings.frames or [0.0], 99)),
            master=picture.master if picture else 1.0,
            blackout=bool(picture and picture.blackout),
            freeze=bool(picture and picture.freeze),
            pause=performance.is_on("pause"),
            fadeout=performance.is_on("fadeout"),
            recording=str(self._recording or "") if not rig.lost else "",
            recorded=moment.seconds if self._recording else 0.0,
            devices=tuple((device.name, unnamed(device.name, device.health())) for device in _devices(rig)),
            notice=rig.screens[0].notice if rig.screens else "",
            balance=rig.balance.text if rig.balance else "",
        )

    def _count(self, seconds: float, frames: int, pictures: int) -> None:
        then, frames_then, pictures_then = self._since
        if seconds - then < self.RATE_WINDOW:
            return
        passed = seconds - then
        self._rates = (frames - frames_then) / passed, (pictures - pictures_then) / passed or None
        self._since = seconds, frames, pictures


def unnamed(name: str, health: Health) -> Health:
    """The health of a device without its name, which stands beside it."""
    own = re.match(rf"{re.escape(name)}([:,] |$)", health.detail)
    return replace(health, detail=health.detail[own.end() :]) if own else health


def _devices(rig: Rig) -> list[Input | Output]:
    """The devices, each once: inputs without those that have nothing open, the displays of a venue, and
    outputs without recordings."""
    inputs = [one for one in rig.inputs if not isinstance(one, Sized) or len(one)]
    outputs = [one for one in rig.outputs if one not in rig.inputs and not isinstance(one, SoundOutput)]
    return [*inputs, *rig.screens[1:], *outputs]
