"""Functions of formulas: one row each. Their state belongs to one running formula, steps with the
moment's `dt`, and has nothing random in it.

A trigger fires on the frame in which it rises above 0; one that is above 0 when the formula starts
has fired before. Nothing here needs to guard its result: see `formula`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, TypeAlias

from perform.clock import BEATS_PER_BAR, Moment
from perform.formula.smoothing import OneEuro

Step: TypeAlias = Callable[..., float]

SHORTEST = 1e-6  # seconds; no speed is computed over a shorter frame
EDGES = 1 << 12  # values of `noise` remembered
WORD = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Function:
    """A function of formulas: `make` gives one with fresh state. It takes the numbers, after the
    moment if it is `timed`; the last `optional` arguments may be left out, and with `many` the last
    may be repeated. An argument called `signal` has to be the name of one: it is NaN until
    the signal has a value."""

    name: str
    arguments: tuple[str, ...]
    about: str
    make: Callable[[], Step]
    timed: bool = False
    optional: int = 0
    many: bool = False

    @property
    def signature(self) -> str:
        """How it is written: `gate(x, on[, off])`."""
        needed = len(self.arguments) - self.optional
        rest = "".join(f"[, {argument}]" for argument in self.arguments[needed:])
        return f"{self.name}({', '.join(self.arguments[:needed])}{rest}{', …' if self.many else ''})"

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        most = math.inf if self.many else len(self.arguments)
        return len(self.arguments) - self.optional <= count <= most


def _clip(x: float, low: float = 0.0, high: float = 1.0) -> float:
    return max(low, min(x, high))


def _said(signal: float, default: float) -> float:
    return default if math.isnan(signal) else signal


def _mix(a: float, b: float, t: float) -> float:
    return a + (b - a) * t


def _curve(x: float, k: float) -> float:
    return math.copysign(math.pow(abs(x), math.pow(2.0, k)), x)


def _quantise(x: float, steps: float) -> float:
    return math.floor(x * steps + 0.5) / steps


def _choose(i: float, *options: float) -> float:
    return options[math.floor(i) % len(options)]


def _turn(moment: Moment, beats: float, phase: float = 0.0) -> float:
    """The part of a cycle of `beats` that has passed, 0..1; cycles begin with bars."""
    return (moment.bar * BEATS_PER_BAR / beats + phase) % 1


def _lfo(moment: Moment, beats: float, phase: float = 0.0) -> float:
    return 0.5 - 0.5 * math.cos(2 * math.pi * _turn(moment, beats, phase))


def _square(moment: Moment, beats: float, phase: float = 0.0) -> float:
    return 1.0 if _turn(moment, beats, phase) < 0.5 else 0.0


def _triangle(moment: Moment, beats: float, phase: float = 0.0) -> float:
    return 1 - abs(2 * _turn(moment, beats, phase) - 1)


@lru_cache(maxsize=EDGES)
def _drawn(seed: int, n: int) -> float:
    """Number n of a seed, 0..1: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    z = (n * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) & WORD
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & WORD
    return ((z ^ z >> 31) >> 11) / 2**53


def _noise(moment: Moment, beats: float, seed: float = 0.0) -> float:
    """Value noise with the fade of Perlin (2002)."""
    place = moment.bar * BEATS_PER_BAR / beats
    n = math.floor(place)
    t = place - n
    fade = t * t * t * (t * (6 * t - 15) + 10)
    return _mix(_drawn(int(seed), n), _drawn(int(seed), n + 1), fade)


def _lag() -> Step:
    value: float | None = None

    def step(moment: Moment, x: float, up: float, down: float) -> float:
        nonlocal value
        before = x if value is None else value
        seconds = up if x > before else down
        value = x + (before - x) * math.exp(-moment.dt / seconds) if seconds > 0 else x
        return value

    return step


def _smooth() -> Step:
    one_euro: OneEuro[float] = OneEuro()

    def step(moment: Moment, x: float, cutoff: float = 1.0, beta: float = 0.0) -> float:
        one_euro.cutoff, one_euro.beta = cutoff, beta
        return one_euro.step(x, moment.dt if moment.dt >= SHORTEST else 0.0)

    return step


def _edge() -> Callable[[float], bool]:
    """A function that returns whether a trigger fires."""
    high = True

    def fires(trigger: float) -> bool:
        nonlocal high
        before, high = high, trigger > 0
        return high and not before

    return fires


def _hold() -> Step:
    value: float | None = None
    fires = _edge()

    def step(x: float, when: float) -> float:
        nonlocal value
        if fires(when) or value is None:
            value = x
        return value

    return step


def _onset() -> Step:
    low = math.inf

    def step(x: float, rise: float = 0.5) -> float:
        nonlocal low
        low = min(low, x)
        if x - low < rise:
            return 0.0
        low = x
        return 1.0

    return step


def _gate() -> Step:
    held = False

    def step(x: float, on: float, off: float | None = None) -> float:
        nonlocal held
        held = x >= (on if off is None or not held else off)
        return float(held)

    return step


def _count() -> Step:
    total = 0.0
    fires = _edge()

    def step(trigger: float) -> float:
        nonlocal total
        total += fires(trigger)
        return total

    return step


def _toggle() -> Step:
    count = _count()
    return lambda trigger: count(trigger) % 2


def _pickup() -> Step:
    knob = math.nan
    held = False

    def step(signal: float, default: float) -> float:
        nonlocal knob, held
        before, knob = knob, signal
        if (
            not held and before != signal
        ):  # no comparison with NaN is true, so a signal without a value stays out
            held = before <= default <= signal or signal <= default <= before
        return signal if held else default

    return step


def _scaling() -> Step:
    knob = value = math.nan

    def step(signal: float, default: float) -> float:
        nonlocal knob, value
        before, knob = knob, signal
        if math.isnan(before) or math.isnan(value):  # the position of the knob does not count yet
            value = default
        elif signal > before:
            value += (1 - value) * (1.0 if before >= 1 else min((signal - before) / (1 - before), 1.0))
        elif signal < before:
            value -= value * (1.0 if before <= 0 else min((before - signal) / before, 1.0))
        return value

    return step


def _envelope() -> Step:
    since, start = math.inf, 0.0
    fires = _edge()

    def level(attack: float, decay: float) -> float:
        if since < attack:
            return start + (1 - start) * since / attack
        past = since - max(attack, 0.0)
        return max(1 - past / decay, 0.0) if decay > 0 else float(past == 0)

    def step(moment: Moment, trigger: float, attack: float, decay: float) -> float:
        nonlocal since, start
        since += moment.dt
        if fires(trigger):
            since, start = 0.0, level(attack, decay)
        return level(attack, decay)

    return step


def _stepped(name: str, arguments: str, about: str, make: Callable[[], Step], **more: Any) -> Function:
    return Function(name, tuple(arguments.split()), about, make, **more)


_timed = partial(_stepped, timed=True)


def _plain(name: str, arguments: str, about: str, f: Step, **more: Any) -> Function:
    return _stepped(name, arguments, about, lambda: f, **more)


def _cycle(name: str, about: str, f: Step, last: str = "phase") -> Function:
    return _timed(name, f"beats {last}", about, lambda: f, optional=1)


_ROWS = (
    _plain("min", "a b", "the smallest", min, many=True),
    _plain("max", "a b", "the largest", max, many=True),
    _plain("abs", "x", "x without its sign: 3 for -3", abs),
    _plain("floor", "x", "the nearest whole number that is not above x", lambda x: float(math.floor(x))),
    _plain("ceil", "x", "the nearest whole number that is not below x", lambda x: float(math.ceil(x))),
    _plain("sqrt", "x", "the square root", math.sqrt),
    _plain("sin", "x", "the sine; x in radians, a full turn is tau", math.sin),
    _plain("cos", "x", "the cosine; x in radians, a full turn is tau", math.cos),
    _plain("pow", "x y", "x to the power of y, the same as x ** y", math.pow),
    _plain("exp", "x", "e to the power of x", math.exp),
    _plain("log", "x", "the natural logarithm", math.log),
    _plain("clip", "x a b", "x kept within a..b, by default 0..1", _clip, optional=2),
    _plain("scale", "x a b", "turns 0..1 into a..b", lambda x, a, b: _mix(a, b, x)),
    _plain("mix", "a b t", "a at t = 0, b at t = 1, a mix of both between", _mix),
    _plain(
        "curve", "x k", "bends 0..1: k > 0 starts slowly, k < 0 quickly (x to the power of 2 ** k)", _curve
    ),
    _plain("quantise", "x steps", "x in steps: the nearest of 0, 1/steps, 2/steps …", _quantise),
    _plain(
        "choose",
        "i a b",
        "one of the values after i: a at i = 0, b at i = 1; after the last comes the first",
        _choose,
        many=True,
    ),
    _timed("lag", "x up down", "x, but slower; time constants of rise and fall in seconds", _lag),
    _timed("smooth", "x cutoff beta", "x without jitter (1 euro filter); cutoff in Hz", _smooth, optional=2),
    _stepped("hold", "x when", "the value of x when the trigger `when` last fired", _hold),
    _stepped("onset", "x rise", "1 for one frame when x has risen by `rise` (0.5)", _onset, optional=1),
    _stepped("gate", "x on off", "1 when x reaches `on`, 0 when it falls below `off`", _gate, optional=1),
    _stepped("count", "trigger", "how often the trigger has fired", _count),
    _stepped("toggle", "trigger", "1 and 0 in turn, each time the trigger fires", _toggle),
    _stepped("pickup", "signal default", "the default until the knob passes it; then the knob", _pickup),
    _stepped(
        "scaling",
        "signal default",
        "starts at the default and moves with the knob; both reach 0 or 1 together",
        _scaling,
    ),
    _plain("said", "signal default", "the signal, or the default until the signal has a value", _said),
    _timed(
        "envelope",
        "trigger attack decay",
        "rises to 1 and falls back when the trigger fires; in seconds",
        _envelope,
    ),
    _cycle("lfo", "a sine from 0 to 1 and back in `beats` beats; 0 on the bar", _lfo),
    _cycle("saw", "from 0 to 1 in `beats` beats, again and again", _turn),
    _cycle("square", "1 for the first half of `beats` beats, then 0", _square),
    _cycle("triangle", "from 0 to 1 and back in `beats` beats, in straight lines", _triangle),
    _cycle("noise", "moves smoothly in 0..1; a new value every `beats` beats", _noise, "seed"),
)
FUNCTIONS: Mapping[str, Function] = MappingProxyType({row.name: row for row in _ROWS})
