"""What is shown on the beat, beside the true beats of a click track.

The track plays as live sound in a virtual device (see `heard`). Where that is missing or does not keep time,
it plays as live sound from a file, at the pace of the clock; the note of `tracks` says which.

The picture turns from black to white and back on each beat. A change counts from when its frame is drawn on
the screen; it belongs to the beat that is at most a quarter of a beat away. Errors are in ms, a late change
is positive: the median with its sign (`error_ms_p50`), the 95th percentile and the largest without. They
count from LOCK_SECONDS after the first beat on. How long the lock takes has figures of its own: `followed_s`
until the show follows the clicks, and `settled_beats` that pass before IN_A_ROW of them in a row are within
the goal; of both tracks the later.
`uneven_ms_p95` is how far the clicks are from an even grid: if it misses its goal, the device did not keep
time all along. Both tempi of BEAT_TEMPI count together: at 60 frames/s, the beats of 120 bpm all fall at the
same place of a frame, those of 97 bpm at every place.
"""

from __future__ import annotations

import logging
import math
import tempfile
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perform.bench import Figure, percentiles
from perform.bench.clicks import CLICK_HEIGHT, CLICK_RATE, CLICK_SAMPLES, click_starts
from perform.bench.heard import DEVICE, STEADY, clicks, device_fault, light_show, unevenness
from perform.clock import stopwatch
from perform.faults import Health
from perform.networks import Device
from perform.render.present import Present
from perform.render.targets import Target
from perform.rig import Rig
from perform.scenes.look import Look
from perform.signals import Event

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("perform")
Play: TypeAlias = Callable[[int, float, float, float], "Matches"]  # clicks, seconds each, frames/s, offset
BEAT_SECONDS = 60.0  # of a rate with one offset, both tempi together
BEAT_RATES = (31.0, 60.0)  # frames/s
BEAT_TEMPI = (120.0, 97.0)
BEAT_GOAL = 20.0  # ms, with the offset set
BEAT_LIGHT = "beat.count % 2"
BEAT_PERIOD = 480  # samples a period of the virtual device: long enough to keep time
LOCK_SECONDS = 6.0  # from the first beat on: the tracker is sure after 4, then the show's beat glides
IN_A_ROW = 4  # beats within the goal, before the show counts as on the beat
FILE_LEAD = 1.0  # seconds of silence before the first beat of a file
REACH = 0.25  # beats between a beat and its change, at most
MOST_OFFSET = 0.2  # seconds, as `perform play --offset` takes


@dataclass(frozen=True, slots=True)
class Matches:
    """True beats beside changes of the picture: how late each change is (seconds), how many beats have no
    change, how many changes have no beat, and how far each beat is from an even grid (seconds). Of each
    track: how many seconds after its first beat the show followed it, and after how many it was on them."""

    errors: Sequence[float] = ()
    missed: int = 0
    extra: int = 0
    uneven: Sequence[float] = ()
    followed: Sequence[float] = ()
    settled: Sequence[float] = ()

    def __add__(self, other: Matches) -> Matches:
        return Matches(
            (*self.errors, *other.errors),
            self.missed + other.missed,
            self.extra + other.extra,
            (*self.uneven, *other.uneven),
            (*self.followed, *other.followed),
            (*self.settled, *other.settled),
        )

    @property
    def offset(self) -> float:
        """Seconds by which beats are to be shown earlier than they were, so that half of them are early."""
        middle = percentiles(self.errors).p50
        return 0.0 if math.isnan(middle) else min(max(middle, -MOST_OFFSET), MOST_OFFSET)

    def figures(self, suffix: str, goal: float | None = None) -> Iterator[Figure]:
        """The figures of a rate; the goal is for the 95th percentile of the errors without their sign."""
        uneven = percentiles(1000 * one for one in self.uneven).p95
        yield Figure(f"beats{suffix}", len(self.errors) + self.missed, "beats")
        yield Figure.at_most(f"uneven_ms_p95{suffix}", uneven, "ms", STEADY)
        yield Figure(f"followed_s{suffix}", max(self.followed, default=math.nan), "s")
        yield Figure(f"settled_beats{suffix}", max(self.settled, default=math.nan), "beats")
        yield Figure(f"missed{suffix}", self.missed, "beats")
        yield Figure(f"extra{suffix}", self.extra, "changes")
        sizes = [1000 * abs(error) for error in self.errors]
        yield Figure(f"error_ms_p50{suffix}", 1000 * percentiles(self.errors).p50, "ms")
        yield Figure.at_most(f"error_ms_p95{suffix}", percentiles(sizes).p95, "ms", goal)
        yield Figure(f"error_ms_worst{suffix}", max(sizes, default=math.nan), "ms")


class BeatScreen:
    """A screen of `size` (width, height) without a display. It draws each picture as a window does, and keeps
    in `changes` when by `now` a picture was drawn that is not as bright as the one before."""

    name, closed, notice = "beat screen", False, ""

    def __init__(
        self, context: moderngl.Context, size: tuple[int, int], now: Callable[[], float] = stopwatch
    ) -> None:
        self.changes: list[float] = []
        self._now = now
        self._present, self._target = Present(context, size), Target(context, size)
        self._bright: bool | None = None

    def poll(self, until: float) -> list[Event]:
        return []

    def show(self, image: moderngl.Texture, look: Look) -> None:
        framebuffer = self._target.framebuffer
        self._present.draw(image, framebuffer, (0, 0, *self._target.size), look)
        bright = framebuffer.read((0, 0, 1, 1))[0] > 127  # waits until it is drawn
        if self._bright not in (None, bright):
            self.changes.append(self._now())
        self._bright = bright

    def health(self) -> Health:
        return Health("ok")

    def close(self) -> None:
        self._present.release()
        self._target.release()


def beat_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Each rate without an offset and with the one that it recommends, `seconds` each; the model plays no
    part."""
    seconds = (seconds or BEAT_SECONDS) / len(BEAT_TEMPI)
    fault = device_fault(BEAT_PERIOD)
    note = f"from a file at the pace of the clock: {fault}" if fault else "in JACK's virtual device"
    if fault:
        log.warning("the clicks play %s", note)
    yield Figure("tracks", len(BEAT_TEMPI), "", note=note)
    play = _from_file if fault else _from_device
    for fps in BEAT_RATES:
        before = _both_tempi(play, fps, seconds, 0.0)
        yield from before.figures(f"_before_{fps:g}")
        yield Figure(f"offset_ms_{fps:g}", 1000 * before.offset, "ms")
        after = _both_tempi(play, fps, seconds, before.offset)
        yield from after.figures(f"_{fps:g}", BEAT_GOAL)


def matched(beats: Sequence[float], changes: Sequence[float], followed: float = math.nan) -> Matches:
    """Each beat from LOCK_SECONDS after the first one on, with the change that is nearest to it; `followed`
    is when the show began to follow them (all in seconds)."""
    if len(beats) < 2:
        return Matches()
    reach = REACH * (beats[-1] - beats[0]) / (len(beats) - 1)
    errors = [_error(beat, changes, reach) for beat in beats]
    counted = [beat for beat in beats if beat >= beats[0] + LOCK_SECONDS]
    if not counted:
        return Matches()
    found = tuple(error for error in errors[-len(counted) :] if error is not None)
    inside = sum(counted[0] - reach <= change <= counted[-1] + reach for change in changes)
    return Matches(
        found,
        len(counted) - len(found),
        inside - len(found),
        unevenness(counted),
        (followed - beats[0],),
        (_beats_until_settled(errors),),
    )


def _error(beat: float, changes: Sequence[float], reach: float) -> float | None:
    """How late the change is that is nearest to a beat; None if none is within its reach."""
    late = min((change - beat for change in changes), key=abs, default=math.inf)
    return late if abs(late) <= reach else None


def _beats_until_settled(errors: Sequence[float | None]) -> float:
    """How many beats pass before IN_A_ROW of them are within the goal; infinite if they never are."""
    good = [error is not None and 1000 * abs(error) <= BEAT_GOAL for error in errors]
    firsts = (n for n in range(len(good) - IN_A_ROW + 1) if all(good[n : n + IN_A_ROW]))
    return next(firsts, math.inf)


def write_clicks(path: Path, count: int, each: float) -> list[float]:
    """A sound file of `count` clicks, `each` seconds apart; when they come (seconds)."""
    starts = click_starts(count, each, 0.0, FILE_LEAD)
    sound = np.zeros(starts[-1] + CLICK_RATE, np.int16)
    for start in starts:
        sound[start : start + CLICK_SAMPLES] = round(CLICK_HEIGHT * 32767)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(CLICK_RATE)
        file.writeframes(sound.tobytes())
    return [start / CLICK_RATE for start in starts]


def _both_tempi(play: Play, fps: float, seconds: float, offset: float) -> Matches:
    """Both tempi at one rate with one offset, `seconds` each after the lock."""
    found = Matches()
    for bpm in BEAT_TEMPI:
        count, each = math.ceil((LOCK_SECONDS + seconds) * bpm / 60), 60 / bpm
        found += play(count, each, fps, offset)
    return found


def _from_device(count: int, each: float, fps: float, offset: float) -> Matches:
    """Clicks from a virtual device."""
    with tempfile.TemporaryDirectory() as folder, clicks(count, each, 0.0, period=BEAT_PERIOD) as player:
        rig = light_show(Path(folder), BEAT_LIGHT, DEVICE, fps, offset)
        changes, followed = _watched(rig, stopwatch, lambda: player.over)
    return matched(player.played, changes, followed)


def _from_file(count: int, each: float, fps: float, offset: float) -> Matches:
    """Clicks from a sound file, by the show's clock."""
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "clicks.wav"
        beats = write_clicks(sound, count, each)
        rig = light_show(Path(folder), BEAT_LIGHT, str(sound), fps, offset)
        changes, followed = _watched(rig, rig.clock.now, lambda: rig.clock.now() > beats[-1] + each)
    return matched(beats, changes, followed)


def _watched(rig: Rig, now: Callable[[], float], over: Callable[[], bool]) -> tuple[list[float], float]:
    """When the picture changes, by `now`, until the track is over; and when the show began to follow the
    sound. Raises RuntimeError if it never did: then nothing that it shows has to do with the beat."""
    screen = BeatScreen(rig.context, rig.present.size, now)
    rig.screens.append(screen)
    followed: list[float] = []
    heard = Health("waiting")

    def until(rig: Rig) -> bool:
        nonlocal heard
        heard = rig.sound.health() if rig.sound else heard
        if not followed and rig.performance.tempo.source == "audio":
            followed.append(now())
        return over()

    rig.run(until)
    if not followed:
        raise RuntimeError(f"the show did not follow the clicks; its sound: {heard.state}, {heard.detail}")
    return screen.changes, followed[0]
