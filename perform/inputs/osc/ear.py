"""What OSC packets say, as events: aliases, patterns, time tags, limits; and who wants an answer."""

from __future__ import annotations

import heapq
import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

from perform.clock import wall
from perform.inputs.osc.limits import Limits
from perform.inputs.osc.packets import Message, PacketError, messages
from perform.inputs.osc.patterns import is_pattern, matching
from perform.inputs.slots import Slots
from perform.scenes.nodes import NORM, READ, RELEASE
from perform.scenes.snapshot import SnapshotSlot
from perform.signals import LARGEST, Event, Value

Sender: TypeAlias = tuple[str, int]  # host and port
Said: TypeAlias = list[tuple[str, Value]]

LONGEST = 128  # characters of an address, and of a text
RATE = 20_000.0  # messages a second of one sender; half of them at once
BYTES = 48  # of a packet that count as one message
PATTERN = 50.0  # messages that a pattern costs
AHEAD = 5.0  # seconds that a time tag may lie ahead; one further off is a sender's wrong clock
WAITING = 4096  # values that may wait for their time: a frame takes them all at once
RESOLUME = (  # what Resolume's addresses are here, and what scales their value
    (r"/composition/master", "/master", (0.0, 1.0)),
    (r"/composition/layers/1/video/opacity", "/master", (0.0, 1.0)),
    (r"/composition/columns/(\d+)/connect", r"/scene/\1", (0.0, 1.0)),
    (r"/composition/crossfader/phase", "/crossfade", (0.0, 1.0)),
    (r"/composition/tempocontroller/tempo", "/tempo/bpm", (20.0, 500.0)),
    (r"/composition/tempocontroller/tempotap", "/tempo/tap", (0.0, 1.0)),
    (r"/composition/tempocontroller/resync", "/tempo/resync", (0.0, 1.0)),
)
ALIASES = tuple((re.compile(pattern), address, span) for pattern, address, span in RESOLUME)


class Ear:
    """Hears packets on any thread; `take` gives what they said, on the show's. `slot` says which
    addresses there are, `ask` is told who wants to know the values of which, and `spoke` who set what."""

    def __init__(
        self,
        now: Callable[[], float],
        slot: SnapshotSlot,
        ask: Callable[[Sender, Sequence[str]], None] = lambda sender, addresses: None,
        spoke: Callable[[Sender, str], None] = lambda sender, address: None,
        rate: float = RATE,
    ) -> None:
        self._now, self._slot, self._ask, self._spoke = now, slot, ask, spoke
        self._limits = Limits(rate, rate / 2)
        self._known, self._strange = Slots(), Slots()  # strangers' thousands must not crowd out a /go
        self._later: list[tuple[float, int, Said]] = []
        self._lock = threading.Lock()
        self._count = self._waiting = 0
        self.received = self.garbage = self.limited = self.unmatched = 0
        self.overrun = 0  # packets that the system had no room for

    @property
    def lost(self) -> int:
        """How many packets and messages came to nothing."""
        dropped = self._known.dropped + self._strange.dropped
        return self.garbage + self.limited + self.unmatched + self.overrun + dropped

    def allows(self, sender: Sender) -> bool:
        """Whether a sender may say one more thing, counted if so."""
        return self._limits.allow(sender[0], 1, self._now())

    def hear(self, packet: bytes, sender: Sender = ("", 0), answer: bool = False) -> None:
        """One packet; `answer`: its sender may be answered."""
        self.received += 1
        now = self._now()
        if not self._limits.allow(sender[0], 1 + len(packet) // BYTES, now):
            self.limited += 1
            return
        try:
            said = messages(packet)
        except PacketError:
            self.garbage += 1
            return
        moments: dict[float | None, Said] = {}
        for message in said:
            pairs = self._heard(_aliased(message), sender if answer else None, now)
            if pairs:
                moments.setdefault(message.due, []).extend(pairs)
        for due, pairs in moments.items():
            self._put(now, due, pairs)

    def take(self, until: float) -> list[Event]:
        """What was said up to `until`, and what waited until then."""
        with self._lock:
            while self._later and self._later[0][0] <= until:
                time, _, pairs = heapq.heappop(self._later)
                self._waiting -= len(pairs)
                self._say(time, pairs)
        events = self._known.take(until) + self._strange.take(until)
        return sorted(events, key=lambda event: event.time)

    def _heard(self, message: Message, sender: Sender | None, now: float) -> Said:
        """What a message says of each address that it names."""
        address = message.address
        kind = _kind(address) if len(address) <= LONGEST else "odd"
        if kind == "odd":
            self.garbage += 1
            return []
        addresses = [address]
        if kind == "pattern":
            allowed = self._limits.allow(sender[0] if sender else "", PATTERN, now)
            addresses = matching(address, self._among(address)) if allowed else []
            self.limited += not allowed
            self.unmatched += allowed and not addresses
        if self._asks(message):
            if sender and addresses:
                self._ask(sender, addresses)
            return []
        pairs = [pair for one in addresses for pair in _values(f'osc["{one}"]', message.arguments)]
        self.garbage += bool(addresses) and not pairs
        if sender and pairs:
            for one in addresses:
                self._spoke(sender, one)
        return pairs

    def _among(self, pattern: str) -> Iterable[str]:
        """The addresses that a pattern may mean: what comes after a parameter's own is always said."""
        after = pattern.endswith((NORM, RELEASE))
        return self._slot.known if after else self._slot.snapshot.nodes

    def _asks(self, message: Message) -> bool:
        """`?` asks; so does a message without a value to a parameter that has one."""
        if message.arguments:
            return message.arguments == ("?",)
        node = self._slot.snapshot.nodes.get(message.address)
        return node is not None and bool(node.access & READ) and not node.in_formulas

    def _put(self, now: float, due: float | None, pairs: Said) -> None:
        wait = 0.0 if due is None else due - wall()
        with self._lock:
            if 0 < wait <= AHEAD and self._waiting + len(pairs) <= WAITING:
                self._count += 1
                self._waiting += len(pairs)
                heapq.heappush(self._later, (now + wait, self._count, pairs))
            else:
                self._say(now, pairs)

    def _say(self, time: float, pairs: Said) -> None:
        known = self._slot.known
        strange = [pair for pair in pairs if pair[0].split('"')[1] not in known]
        if not strange:
            self._known.put_all(time, pairs)
        elif len(strange) == len(pairs):
            self._strange.put_all(time, pairs)
        else:
            self._known.put_all(time, [pair for pair in pairs if pair not in strange])
            self._strange.put_all(time, strange)


def _aliased(message: Message) -> Message:
    """The message to our own address, when it came to Resolume's."""
    if not message.address.startswith("/composition/"):
        return message
    for pattern, address, (low, high) in ALIASES:
        if match := pattern.fullmatch(message.address):
            values = tuple(_spanned(argument, low, high) for argument in message.arguments)
            return Message(match.expand(address), values, message.due)
    return message


def _spanned(argument: float | str | None, low: float, high: float) -> float | str | None:
    """0..1 as low..high."""
    return low + argument * (high - low) if isinstance(argument, int | float) else argument


@lru_cache(maxsize=4096)
def _kind(address: str) -> Literal["odd", "pattern", "plain"]:
    """Whether a formula could name an address, or it stands for several."""
    odd = not address.isprintable() or any(sign in address for sign in "\"'\\")
    if odd or not address.startswith("/"):
        return "odd"
    return "pattern" if is_pattern(address) else "plain"


def _values(name: str, arguments: Sequence[float | str | None]) -> Iterator[tuple[str, Value]]:
    """The first number under the name itself, or the text when there is none; the rest by their places.
    Without an argument it is a press: 1 in one frame and 0 in the next."""
    if not arguments:
        yield name, 1.0
        yield name, 0.0
        return
    if len(arguments) == 1:
        only = _value(arguments[0])
        if only is not None:
            yield name, only
        return
    values = [_value(argument) for argument in arguments[:16]]
    numbers = [value for value in values if isinstance(value, float)]
    first: list[Value] = [*numbers[:1], *(value for value in values if isinstance(value, str))]
    if first:
        yield name, first[0]
    for index, value in enumerate(values):
        if index and value is not None:
            yield f"{name}.{index}", value


def _value(argument: float | str | None) -> Value | None:
    """An argument as a signal's value; None for what is not finite."""
    if isinstance(argument, str):
        return argument[:LONGEST]
    if argument is not None and math.isfinite(argument) and abs(argument) < LARGEST:
        return float(argument)
    return None
