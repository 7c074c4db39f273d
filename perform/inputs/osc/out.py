"""OSC out: answers to who asked, and what changed to who plays, from a thread of its own."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from perform.clock import stopwatch
from perform.inputs.osc.ear import Sender
from perform.inputs.osc.packets import PacketError, bundle, message
from perform.scenes.nodes import Node
from perform.scenes.snapshot import Arguments, SnapshotSlot

PERIOD = 0.05  # seconds between two looks at what changed
BURST = 64  # values that one target is told at once, at most
SENDERS = 8  # of the last that set something, are told what changes
SILENCE = 600.0  # seconds after which one of them is forgotten
HANDS_OFF = 0.5  # seconds for which who moves a control is not told where it is: faders would fight
STEP = 0.001  # of its range that a number moves by before it is told
FULL = 1400  # bytes of a packet that passes every network
ASKED, ANSWERS = 1024, 256  # questions that may wait, and that are answered in a period


@dataclass(slots=True)
class Told:
    """What one listener knows: the values that it was told or said, and those that it moves itself, with
    the time of its last move (seconds of the stopwatch)."""

    values: dict[str, Arguments] = field(default_factory=dict)
    moving: dict[str, float] = field(default_factory=dict)
    at: int = 0

    def news(
        self, nodes: Mapping[str, Node], values: Mapping[str, Arguments], now: float, most: int = BURST
    ) -> list[tuple[str, Arguments]]:
        """What has changed for it, at most so many; those that were left out come first the next time."""
        self.moving = {a: then for a, then in self.moving.items() if now - then < HANDS_OFF}
        self.values = {a: value for a, value in self.values.items() if a in values}
        changed = [
            (address, value)
            for address, value in values.items()
            if address not in self.moving and _differ(nodes.get(address), self.values.get(address), value)
        ]
        start = self.at % len(changed) if len(changed) > most else 0
        news = (changed[start:] + changed[:start])[:most]
        self.at = start + len(news)
        self.values.update(news)
        return news


class Out:
    """Tells `fixed` targets, and the last senders, what changes in the `slot`. `send` sends a packet to a
    host and port; what it raises is counted and else ignored."""

    def __init__(
        self, slot: SnapshotSlot, send: Callable[[bytes, Sender], object], fixed: Sequence[Sender] = ()
    ) -> None:
        self._slot, self._send = slot, send
        self._fixed = {target: Told() for target in fixed}
        self._senders: OrderedDict[Sender, tuple[float, Told]] = OrderedDict()
        self._asked: deque[tuple[Sender, str]] = deque(maxlen=ASKED)
        self._lock, self._wake, self._closing = threading.Lock(), threading.Event(), False
        self.sent = self.failed = 0
        self._thread = threading.Thread(target=self._run, name="osc out", daemon=True)
        self._thread.start()

    def ask(self, sender: Sender, addresses: Sequence[str]) -> None:
        """A sender wants to know values; who asks too much at once is told the newest."""
        self._asked.extend((sender, address) for address in addresses)
        self._wake.set()

    def spoke(self, sender: Sender, address: str) -> None:
        """A sender set an address: it is told what changes from now on."""
        if address not in self._slot.known:
            return
        now = stopwatch()
        with self._lock:
            told = self._senders.pop(sender, (now, Told()))[1]
            told.moving[address] = now
            self._senders[sender] = now, told
            if len(self._senders) > SENDERS:
                self._senders.popitem(last=False)

    def targets(self) -> list[Sender]:
        """Who is told what changes."""
        with self._lock:
            return [*self._fixed, *self._senders]

    def close(self) -> None:
        """Stop telling."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        due, left = stopwatch(), ANSWERS
        while not self._closing:
            self._wake.wait(max(due - stopwatch(), 0.0))
            self._wake.clear()
            left -= self._answer(left)
            if stopwatch() >= due:
                self._tell(stopwatch())
                due, left = max(due + PERIOD, stopwatch()), ANSWERS

    def _answer(self, most: int) -> int:
        """Answer questions, and say how many."""
        values = self._slot.snapshot.values
        count = min(len(self._asked), most)
        for _ in range(count):
            sender, address = self._asked.popleft()
            if address in values:
                self._give(sender, [(address, values[address])])
        return count

    def _tell(self, now: float) -> None:
        snapshot = self._slot.snapshot
        with self._lock:
            for sender, (then, _) in [*self._senders.items()]:
                if now - then > SILENCE:
                    del self._senders[sender]
            news = [
                (target, told.news(snapshot.nodes, snapshot.values, now))
                for target, told in (*self._fixed.items(), *((s, t) for s, (_, t) in self._senders.items()))
            ]
        for target, said in news:
            self._give(target, said)

    def _give(self, target: Sender, said: Sequence[tuple[str, Arguments]]) -> None:
        """Send values, several in one packet as long as it is a small one."""
        packets: list[bytes] = []
        for one in encoded(self._slot.snapshot.nodes, said):
            if sum(len(packet) + 4 for packet in packets) + len(one) > FULL:
                self._post(target, packets)
                packets = []
            packets.append(one)
        self._post(target, packets)

    def _post(self, target: Sender, packets: list[bytes]) -> None:
        if not packets:
            return
        try:
            self._send(packets[0] if len(packets) == 1 else bundle(packets), target)
            self.sent += 1
        except (OSError, ValueError):  # nobody there, no such host: the next may be heard
            self.failed += 1


def encoded(nodes: Mapping[str, Node], said: Sequence[tuple[str, Arguments]]) -> list[bytes]:
    """Values as messages, in the types of their parameters."""
    packets = []
    for address, value in said:
        node = nodes.get(address)
        try:
            packets.append(message(address, typed(node, value)))
        except PacketError:
            continue
    return packets


def typed(node: Node | None, value: Arguments) -> list[float | str | bool]:
    """Values in the types of a node's parameter."""
    match node.parameter.kind if node else "float":
        case "bool":
            return [bool(part) for part in value]
        case "int":
            return [part if isinstance(part, str) or abs(part) >= 2**31 else int(part) for part in value]
    return list(value)


def _differ(node: Node | None, told: Arguments | None, value: Arguments) -> bool:
    """Whether a listener that was told one value should be told the other."""
    if told is None or len(told) != len(value):
        return True
    if told == value:
        return False
    parameter = node.parameter if node else None
    if parameter is None or parameter.kind not in ("float", "point", "color"):
        return True
    span = (parameter.high or 0.0) - (parameter.low or 0.0)
    return any(
        isinstance(a, str) or isinstance(b, str) or abs(a - b) > STEP * span
        for a, b in zip(told, value, strict=True)
    )
