"""Feeds: numbers from the world, each a signal with its age and its quality.

A feed is a file `feeds/NAME.toml`; formulas name its value `feed.NAME`, or its values `feed.NAME.VALUE`. This
module holds the keys of such a file, and says what becomes of its values over time; `messages.py` finds them
in a message, and the devices are units of `inputs/feeds/`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, Field

from perform.documents import SceneError, document, fitted_partly
from perform.signals import Event

VALUE_NAME = re.compile(r"[a-z_]\w{0,31}", re.ASCII)

Otherwise: TypeAlias = Literal["hold", "decay", "default"]


class FeedText(BaseModel, extra="forbid", strict=True):
    """The keys that every feed may have."""

    kind: str
    value: str = ""  # which number of a message; "": the first
    values: dict[str, str] = {}  # or several, by the name that formulas have for each
    low: float | None = None
    high: float | None = None
    window: float = Field(default=600.0, gt=0, le=1e7)
    stale: float = Field(default=10.0, gt=0, le=1e6)
    otherwise: Otherwise = "hold"
    decay: float = Field(default=5.0, gt=0, le=1e5)
    default: float = 0.0


class Csv(FeedText):
    """A file of rows, replayed."""

    kind: Literal["csv"]
    file: str = Field(min_length=1)
    time: str = ""
    every: float = Field(default=1.0, gt=0, le=1e6)
    speed: float = Field(default=1.0, gt=0, le=1e6)
    loop: bool = True


class Http(FeedText):
    """A page of JSON, requested again and again."""

    kind: Literal["http"]
    url: str = Field(pattern=r"^https?://[^\s]+$")
    every: float = Field(default=10.0, ge=0.1, le=1e6)
    timeout: float = Field(default=5.0, gt=0, le=120)


class Mqtt(FeedText):
    """Messages of a broker."""

    kind: Literal["mqtt"]
    topic: str = Field(min_length=1)
    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65535)
    user: str = ""
    password: str = ""


class Serial(FeedText):
    """Lines from a serial port."""

    kind: Literal["serial"]
    device: str = Field(min_length=1)
    baud: int = Field(default=115_200, ge=50, le=4_000_000)


class Dmx(FeedText):
    """The channels of a universe: values are called 1 to 512."""

    kind: Literal["artnet", "sacn"]
    universe: int = Field(default=1, ge=0, le=63_999)
    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65535)


FEED_KINDS: Mapping[str, type[FeedText]] = {
    "csv": Csv, "http": Http, "mqtt": Mqtt, "serial": Serial, "artnet": Dmx, "sacn": Dmx,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as its file describes it."""

    name: str
    text: FeedText
    file: Path

    @property
    def values(self) -> Mapping[str, str]:
        """The path of each signal's value in a message."""
        if self.text.values:
            return {f"feed.{self.name}.{name}": path for name, path in self.text.values.items()}
        return {f"feed.{self.name}": self.text.value}

    def has(self, signal: str) -> bool:
        """Whether it is a signal of this feed."""
        first, _, word = signal.rpartition(".")
        return signal in self.values or (first in self.values and word in Reading.WORDS)


@dataclass(frozen=True, slots=True)
class PlacedFeeds:
    """What a venue sets of feeds in the place of their own files: tables of keys by the names of the feeds,
    from the venue's `file`."""

    file: Path
    tables: Mapping[str, Mapping[str, Any]]


def read_feed(file: Path, placed: PlacedFeeds | None = None) -> Feed:
    """The feed that a file describes, with what is `placed` over it. Raises SceneError with every fault,
    OSError."""
    table, name = document(file), file.stem
    feed = Feed(name, _checked_text(file, table), file)
    if placed and (local := placed.tables.get(name)):
        return Feed(name, _checked_text(placed.file, table | dict(local), f"feed.{name}"), file)
    return feed


def _checked_text(file: Path, table: Mapping[str, Any], key: str = "") -> FeedText:
    """The keys of a feed, in a file under `key`. Raises SceneError."""
    start = f"{file}: {key}." if key else f"{file}: "
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in FEED_KINDS:
        raise SceneError([f"{start}kind = {kind!r}, must be one of {', '.join(FEED_KINDS)}"])
    text, faults = fitted_partly(file, table, FEED_KINDS[kind], key)
    faults += [
        f"{start}values.{name}, must be a word of small letters"
        for name in text.values
        if not VALUE_NAME.fullmatch(name) or name in Reading.WORDS
    ]
    if text.value and text.values:
        faults.append(f"{start}value and values, must be one of them")
    if (text.low is None) != (text.high is None) or (text.low is not None and text.low == text.high):
        faults.append(f"{start}low and high, must both be given and differ; without them the range is found")
    if faults:
        raise SceneError(faults)
    return text


@dataclass(slots=True)
class Reading:
    """One value of a feed over time: its last number, its range, and what it is when nothing comes."""

    WORDS: ClassVar[tuple[str, ...]] = ("raw", "age", "quality")

    name: str
    text: FeedText
    raw: float | None = None
    came: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    _ranged: float = 0.0
    _lead: list[tuple[float, float, float]] = field(default_factory=list)  # seconds, low, high of past spans

    def take(self, now: float, value: float) -> None:
        """A value came at `now`."""
        self.raw, self.came = value, now
        if self.text.low is None:
            self._range(now, value)

    def events(self, now: float) -> list[Event]:
        """The signal, its `.raw`, `.age` and `.quality` at `now`; nothing before the first value."""
        if self.raw is None:
            return []
        age = max(now - self.came, 0.0)
        late = max(age - self.text.stale, 0.0)
        quality = max(1 - late / self.text.stale, 0.0)
        values = (self._aged(self._scaled(), late), self.raw, age, quality)
        names = (self.name, *(f"{self.name}.{word}" for word in self.WORDS))
        return [Event(now, name, value) for name, value in zip(names, values, strict=True)]

    def _scaled(self) -> float:
        """The value as 0..1 of its range; 0.5 while the range is empty."""
        assert self.raw is not None
        low, high = self.text.low, self.text.high
        if low is None or high is None:
            low, high = self.low, self.high
        if low == high:
            return 0.5
        return min(max((self.raw - low) / (high - low), 0.0), 1.0)

    def _aged(self, value: float, late: float) -> float:
        """A value that has been stale for `late` seconds."""
        default = self.text.default
        match self.text.otherwise:
            case "decay":
                return default + (value - default) * math.exp(-late / self.text.decay)
            case "default":
                return default if late > 0 else value
            case _:
                return value

    def _range(self, now: float, value: float) -> None:
        """The range of the last `window` seconds, forgotten by eighths."""
        span = self.text.window / 8
        if not self._lead or now - self._lead[-1][0] >= span:
            self._lead.append((now, value, value))
        began, low, high = self._lead[-1]
        self._lead[-1] = began, min(low, value), max(high, value)
        self._lead = [one for one in self._lead if now - one[0] < self.text.window]
        self.low, self.high = min(one[1] for one in self._lead), max(one[2] for one in self._lead)
