"""Receives OSC packets as events: aliases, patterns, time tags, limits; and passes on queries."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

from perform.clock import wall
from perform.inputs.osc.limits import RateLimiter
from perform.inputs.osc.packets import Message, PacketError, messages
from perform.inputs.osc.patterns import is_pattern, matching
from perform.inputs.osc.resolume import aliased
from perform.inputs.quantities import number_of
from perform.inputs.slots import Slots
from perform.parameters import SIZES, Parameter
from perform.scenes.nodes import NORM, READ, RELEASE, WRITE, Node
from perform.scenes.snapshot import SnapshotSlot
from perform.signals import Event, Value, as_number

Endpoint: TypeAlias = tuple[str, int]  # host and port
NamedValues: TypeAlias = list[tuple[str, Value]]

LONGEST_TEXT = 128  # characters of an address, and of a text
MESSAGE_RATE = 20_000.0  # messages a second of one sender; half of them at once
MESSAGE_BYTES = 48  # of a packet that count as one message
PATTERN_COST = 50.0  # messages that a pattern counts as
LATEST_DUE = 5.0  # seconds that a time tag may be ahead; further off, the sender's clock is wrong
MOST_SCHEDULED = 4096  # values that may wait for their time: a frame takes them all at once


class OscReceiver:
    """Receives packets on any thread; `take` gives their events to the show's thread. `slot` holds the known
    addresses; `on_query` gets senders that ask for the values of addresses, `on_set` those that set one."""

    def __init__(
        self,
        now: Callable[[], float],
        slot: SnapshotSlot,
        on_query: Callable[[Endpoint, Sequence[str]], None] = lambda sender, addresses: None,
        on_set: Callable[[Endpoint, str], None] = lambda sender, address: None,
        rate: float = MESSAGE_RATE,
    ) -> None:
        self._now, self._slot = now, slot
        self._on_query, self._on_set = on_query, on_set
        self._limits = RateLimiter(rate, rate / 2)
        self._known = Slots()
        self._unknown = Slots()  # apart, so that a flood of unknown ones does not displace a /go
        self._scheduled: list[tuple[float, int, NamedValues]] = []
        self._lock = threading.Lock()
        self._count = self._waiting = 0
        self.received = self.garbage = self.limited = self.unmatched = 0
        self.overrun = 0  # packets that the system had no room for
        self.fault = ""  # why something was dropped, the last time

    @property
    def lost(self) -> int:
        """How many packets and messages were dropped."""
        dropped = self._known.dropped + self._unknown.dropped
        return self.garbage + self.limited + self.unmatched + self.overrun + dropped

    def allows(self, sender: Endpoint) -> bool:
        """Whether a sender may send one more message; counted if so."""
        return self._limits.allow(sender[0], 1, self._now())

    def drop(self, fault: str) -> None:
        """Something is left out: count it, and keep the reason."""
        self.garbage += 1
        self.fault = fault

    def receive(self, packet: bytes, sender: Endpoint = ("", 0), answer: bool = False) -> None:
        """One packet; `answer`: its sender may be answered."""
        self.received += 1
        now = self._now()
        if not self._limits.allow(sender[0], 1 + len(packet) // MESSAGE_BYTES, now):
            self.limited += 1
            self.fault = f"{sender[0] or 'a sender'} sends too much"
            return
        try:
            received = messages(packet, self.drop)
        except PacketError as error:
            self.drop(str(error))
            return
        moments: dict[float | None, NamedValues] = {}
        for message in received:
            pairs = self._values(aliased(message, self._slot.known), sender if answer else None, now)
            if pairs:
                moments.setdefault(message.due, []).extend(pairs)
        for due, pairs in moments.items():
            self._schedule(now, due, pairs)

    def take(self, until: float) -> list[Event]:
        """The events up to `until`, also those that were scheduled until then."""
        with self._lock:
            while self._scheduled and self._scheduled[0][0] <= until:
                time, _, pairs = heapq.heappop(self._scheduled)
                self._waiting -= len(pairs)
                self._put(time, pairs)
        events = self._known.take(until) + self._unknown.take(until)
        return sorted(events, key=lambda event: event.time)

    def _values(self, message: Message, sender: Endpoint | None, now: float) -> NamedValues:
        """The values of each address that a message names."""
        address = message.address
        kind = _address_kind(address) if len(address) <= LONGEST_TEXT else "odd"
        if kind == "odd":
            self.drop(f"{address[:LONGEST_TEXT]!r} cannot be an address")
            return []
        addresses = self._matched(address, sender, now) if kind == "pattern" else [address]
        if self._is_query(message):
            if sender and addresses:
                self._on_query(sender, addresses)
            return []
        pairs = [pair for one in addresses for pair in self._argument_values(one, message.arguments)]
        if sender and pairs:
            for one in addresses:
                self._on_set(sender, one)
        return pairs

    def _matched(self, pattern: str, sender: Endpoint | None, now: float) -> list[str]:
        """The addresses that a pattern matches."""
        if not self._limits.allow(sender[0] if sender else "", PATTERN_COST, now):
            self.limited += 1
            self.fault = f"too many patterns: {pattern}"
            return []
        found = matching(pattern, self._candidates(pattern))
        if not found:
            self.unmatched += 1
            self.fault = f"{pattern} matches no address"
        return found

    def _argument_values(
        self, address: str, arguments: Sequence[float | str | None]
    ) -> Iterator[tuple[str, Value]]:
        """The first number under the address itself, or the text when there is none; the rest by their
        places. Without an argument it is a press: 1 in one frame and 0 in the next."""
        name = f'osc["{address}"]'
        if not arguments:
            yield name, 1.0
            yield name, 0.0
            return
        node = self._slot.snapshot.nodes.get(address)
        parameter = node.parameter if node else None
        if node and (fault := _refusal(node, len(arguments))):
            self.drop(f"{address} {fault}")
        values = [self._value(address, argument, parameter) for argument in arguments]
        numbers = [value for value in values if isinstance(value, float)]
        first: list[Value] = [*numbers[:1], *(value for value in values if isinstance(value, str))]
        if first:
            yield name, first[0]
        for index, value in enumerate(values):
            if index and value is not None:
                yield f"{name}.{index}", value

    def _value(self, address: str, argument: float | str | None, parameter: Parameter | None) -> Value | None:
        """An argument as the value of a parameter, or of a signal; None, counted, for what cannot be one."""
        if isinstance(argument, str) and len(argument) > LONGEST_TEXT:
            self.drop(f"{address}: a text of {len(argument)} characters, {LONGEST_TEXT} are taken")
            argument = argument[:LONGEST_TEXT]
        value = _text_value(argument, parameter) if isinstance(argument, str) else _finite(argument)
        allowed = "a number"
        if parameter and parameter.kind == "choice":
            allowed, value = parameter.range, value if value in parameter.choices else None
        if value is None:
            self.drop(f"{address}: {'no number' if argument is None else repr(argument)}, must be {allowed}")
        return value

    def _candidates(self, pattern: str) -> Iterable[str]:
        """The addresses that a pattern may match: `/norm` and `/release` only if it ends with them."""
        with_endings = pattern.endswith((NORM, RELEASE))
        return self._slot.known if with_endings else self._slot.snapshot.nodes

    def _is_query(self, message: Message) -> bool:
        """A query is `?`, or a message without a value to a parameter that has one."""
        if message.arguments:
            return message.arguments == ("?",)
        node = self._slot.snapshot.nodes.get(message.address)
        return node is not None and bool(node.access & READ) and not node.in_formulas

    def _schedule(self, now: float, due: float | None, pairs: NamedValues) -> None:
        wait = 0.0 if due is None else due - wall()
        with self._lock:
            if 0 < wait <= LATEST_DUE and self._waiting + len(pairs) <= MOST_SCHEDULED:
                self._count += 1
                self._waiting += len(pairs)
                heapq.heappush(self._scheduled, (now + wait, self._count, pairs))
            else:
                self._put(now, pairs)

    def _put(self, time: float, pairs: NamedValues) -> None:
        known = self._slot.known
        slots: tuple[NamedValues, NamedValues] = [], []
        for pair in pairs:
            slots[pair[0].split('"')[1] in known].append(pair)
        unknown, expected = slots
        self._known.put_all(time, expected)
        self._unknown.put_all(time, unknown)


@lru_cache(maxsize=4096)
def _address_kind(address: str) -> Literal["odd", "pattern", "plain"]:
    """Whether a formula could name an address, or it stands for several."""
    odd = not address.isprintable() or any(sign in address for sign in "\"'\\")
    if odd or not address.startswith("/"):
        return "odd"
    return "pattern" if is_pattern(address) else "plain"


def _refusal(node: Node, count: int) -> str:
    """Why a parameter does not take a message of so many arguments, or the last of them; empty if it does."""
    if not node.access & WRITE:
        return "can only be read"
    most = SIZES.get(node.parameter.kind, 1)
    if count > most and not node.in_formulas:
        return f"takes {most} value{'s' * (most > 1)}, {count} came"
    return ""


def _text_value(text: str, parameter: Parameter | None) -> Value | None:
    """A text as the value of a parameter, or (None) of a signal; None if it must be a number and is none."""
    if parameter and parameter.kind in ("choice", "text", "message"):
        return text
    number = number_of(text, units=parameter is not None)
    return text if number is None and parameter is None else number


def _finite(argument: float | None) -> float | None:
    """A number that a signal can have, else None."""
    return as_number(argument)
