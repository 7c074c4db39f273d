"""The monitor: the signals of a show's inputs, without its picture and its networks."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from perform import formula
from perform.clock import Clock, LiveClock, Moment, Tempo
from perform.faults import Faults
from perform.formula import ARRAYS, Formula
from perform.inputs import Input, audio
from perform.inputs.camera import Cameras
from perform.library import Library
from perform.library.vocabulary import VOCABULARY
from perform.rhythm.tempo import TempoAuthority
from perform.scenes.mapping import MappingPlayers
from perform.show.devices import configure, open_inputs
from perform.show.files import open_library
from perform.show.options import Options
from perform.signals import KEY_SIGNALS, Event, Signals

log = logging.getLogger("perform")
FPS = 30.0  # looks a second
FAMILIES = tuple(
    sorted({*VOCABULARY.open, *(name.partition(".")[0] for name in VOCABULARY.names - KEY_SIGNALS)})
)
# What always moves, whatever comes in: shown only if it is named.
CLOCKWORK = frozenset(Moment(0, 0, 0, 0, 0, 120).signals()) - {"beat.bpm"}
BACKGROUND = ("audio", "beat", "tempo")  # families that come after what a hand moves


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show: whole families of signals, and formulas, of which a name alone is the simplest. Without
    either, all that has moved."""

    families: tuple[str, ...] = ()
    formulas: tuple[Formula, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing was named."""
        return not self.families and not self.formulas


def wanted(names: Iterable[str]) -> Wanted:
    """What the words of a command name. Raises ValueError for what is neither a family nor a formula, and for
    signals of the window."""
    families, formulas = [], []
    for name in names:
        if name in FAMILIES:
            families.append(name)
            continue
        compiled = formula.compile(name, VOCABULARY)
        if outside := sorted(compiled.names & KEY_SIGNALS):
            raise ValueError(f"{outside[0]} comes from the window of perform play, and the monitor has none")
        formulas.append(compiled)
    return Wanted(tuple(families), tuple(formulas))


@dataclass(slots=True)
class SignalReading:
    """A signal or a formula: its value (None before the first), the range that it was in, 0..1 at least, and
    when it last came or changed (seconds of the clock)."""

    name: str
    value: float | str | None = None
    low: float = 0.0
    high: float = 1.0
    since: float = 0.0
    moved: bool = False

    def take(self, value: float | str, seconds: float, came: bool) -> None:
        """A value at a time; `came`: it was sent just now, though it may be the same."""
        self.moved = self.moved or (self.value is not None and value != self.value)
        if came or value != self.value:
            self.since = seconds
        self.value = value
        if isinstance(value, float):
            self.low, self.high = min(self.low, value), max(self.high, value)

    @property
    def share(self) -> float:
        """Where the value is in its range, 0..1."""
        return (self.value - self.low) / (self.high - self.low) if isinstance(self.value, float) else 0.0


@dataclass(slots=True)
class Monitor:
    """The inputs, and a reading of each signal that is wanted. `frame` takes what came."""

    clock: Clock
    inputs: list[Input]
    wanted: Wanted
    mappings: MappingPlayers
    tempo: TempoAuthority
    faults: Faults = field(default_factory=Faults)
    now: float = 0.0
    _signals: Signals = field(default_factory=Signals)
    _readings: dict[str, SignalReading] = field(default_factory=dict)
    _running: list[tuple[Formula, formula.RunFormula]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._running = [(one, one.start()) for one in self.wanted.formulas]
        self._readings = {one.text: SignalReading(one.text) for one in self.wanted.formulas}

    def frame(self) -> None:
        """Poll all inputs once, and compute every formula; an input that fails is dropped."""
        self.now = self.clock.advance()
        events = [event for device in list(self.inputs) for event in self._poll(device)]
        self.tempo.update(events)
        self.tempo.step(self.now)
        moment = self.clock.moment(self.tempo.tempo)
        signals = self._signals.after(moment, events).joined(self.tempo.signals())
        self._signals = signals.joined(self.mappings.step(moment, signals))
        self._read(moment, {event.name for event in events})

    def readings(self) -> list[SignalReading]:
        """What was named, in that order, then the signals of families, or all that have moved."""
        named = [self._readings[one.text] for one, _ in self._running]
        texts = {reading.name for reading in named}
        others = [one for one in self._readings.values() if one.name not in texts]
        if self.wanted.everything:
            others = [one for one in others if one.moved]
        return named + sorted(
            others, key=lambda one: (family_of(one.name) in BACKGROUND, _sort_key(one.name))
        )

    def missing(self) -> list[str]:
        """A sentence for each input that waits for a device, or has failed."""
        healths = {device.name: device.health() for device in self.inputs}
        away = {name: health.detail for name, health in healths.items() if health.state != "ok"}
        return [one if one.startswith(name) else f"{name}: {one}" for name, one in away.items()]

    def close(self) -> None:
        """Close all inputs; safe to call twice."""
        for device in self.inputs:
            with self.faults.contain(f"{device.name} cannot be closed"):
                device.close()
        self.inputs = []

    def _poll(self, device: Input) -> Sequence[Event]:
        with self.faults.contain(f"input {device.name} is dropped"):
            return device.poll(self.now)
        self.inputs.remove(device)
        with suppress(Exception):
            device.close()
        return ()

    def _read(self, moment: Moment, came: set[str]) -> None:
        for one, run in self._running:
            value = run(self._signals, moment)
            if not one.names or any(name in self._signals for name in one.names):
                self._readings[one.text].take(
                    _shown_value(one, self._signals, value), self.now, bool(came & one.names)
                )
        for name in self._signals:
            value_now = self._signals[name]
            if self._shows(name) and isinstance(value_now, int | float | str):
                shown = value_now if isinstance(value_now, str) else float(value_now)
                self._readings.setdefault(name, SignalReading(name)).take(shown, self.now, name in came)

    def _shows(self, name: str) -> bool:
        family = family_of(name)
        if self.wanted.everything:
            return family in FAMILIES and name not in CLOCKWORK and name not in ARRAYS
        return family in self.wanted.families


def _shown_value(one: Formula, signals: Signals, value: float) -> float | str:
    """The value of a formula; of a name alone, a text that it may have."""
    text = signals.values.get(one.text)
    return text if isinstance(text, str) else value


def family_of(name: str) -> str:
    """The first word of a signal."""
    return re.split(r"[.\[]", name, maxsplit=1)[0]


def _sort_key(name: str) -> list[str]:
    """The parts of a name, with numbers as numbers: cc9 comes before cc10."""
    return [part.zfill(9) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def open_monitor(options: Options, names: Iterable[str], show: str | None = None) -> Monitor:
    """The inputs that `perform play` opens by the same options, for the signals that are named. `show` is a
    setlist or a preset whose feeds, profiles and mappings come first. Raises ValueError, LookupError for what
    is not there, SceneError, OSError."""
    asked, library = wanted(names), open_library(show or options.setlist)
    signals = _signals_of(asked, library)
    mappings = library.mappings(signals)
    signals = signals.union(*(one.text.signals for one in mappings))
    profiles = library.profiles(log.error)
    library.check_controls(signals)
    library.feeds(signals)  # raises what is wrong with them before a device opens
    clock = LiveClock(FPS)
    sound = audio.open_sound(options.sound, clock.now, loop=options.loop)
    clock.position = sound.position
    cameras = Cameras(clock.now, options.camera)
    tempo = TempoAuthority(Tempo(offset=options.offset), options.clock or "auto")
    inputs = open_inputs(options, clock, sound, cameras, profiles, lambda: tempo.tempo.bpm)
    monitor = Monitor(clock, inputs, asked, MappingPlayers(mappings), tempo)
    try:
        configure(inputs, library, signals, profiles)
    except BaseException:
        monitor.close()
        raise
    return monitor


def _signals_of(asked: Wanted, library: Library) -> frozenset[str]:
    """The signals of formulas and families; cameras, hands and feeds open only for signals that are named."""
    names = {name for one in asked.formulas for name in one.names}
    names |= {name for name in VOCABULARY.names if family_of(name) in asked.families}
    if "feed" in asked.families:
        names |= {*library.feed_signals()}
    if "learned" in asked.families:
        names |= {*library.mapping_signals()}
    return frozenset(names)
