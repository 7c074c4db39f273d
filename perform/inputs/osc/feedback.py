"""OSC feedback: answers to clients that ask, and changes to clients that play, from a thread of its own."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from perform.clock import stopwatch
from perform.inputs.osc.packets import PacketError, bundle, message
from perform.inputs.osc.receiver import Endpoint
from perform.scenes.nodes import Node
from perform.scenes.snapshot import Arguments, SnapshotSlot
from perform.threads import Background

FEEDBACK_PERIOD = 0.05  # seconds between two checks for changes
MOST_CHANGES = 64  # values that one client gets at once
MOST_CLIENTS = 8  # the last ones that set something get changes
FORGOTTEN_AFTER = 600.0  # seconds after which one of them gets no more changes
OWN_MOVES = 0.5  # seconds for which a client gets no changes of a control that it moves: faders would fight
SMALLEST_CHANGE = 0.001  # of its range, by which a number changes before it is sent
PACKET_BYTES = 1400  # of a packet that passes every network
MOST_QUERIES, MOST_ANSWERS = 1024, 256  # queries that may wait, and that are answered in a period


@dataclass(slots=True)
class ClientState:
    """The values that a client has, and those that it moves itself, with the time of its last move (seconds
    of the stopwatch)."""

    values: dict[str, Arguments] = field(default_factory=dict)
    moving: dict[str, float] = field(default_factory=dict)
    at: int = 0

    def changes(
        self, nodes: Mapping[str, Node], values: Mapping[str, Arguments], now: float
    ) -> list[tuple[str, Arguments]]:
        """The values new to the client, MOST_CHANGES at most; the others come first the next time."""
        self.moving = {a: then for a, then in self.moving.items() if now - then < OWN_MOVES}
        self.values = {a: value for a, value in self.values.items() if a in values}
        changed = [
            (address, value)
            for address, value in values.items()
            if address not in self.moving and _differ(nodes.get(address), self.values.get(address), value)
        ]
        start = self.at % len(changed) if len(changed) > MOST_CHANGES else 0
        chosen = (changed[start:] + changed[:start])[:MOST_CHANGES]
        self.at = start + len(chosen)
        self.values.update(chosen)
        return chosen


class OscFeedback:
    """Sends the changes of the `slot` to `fixed` targets and to the last senders. `send` sends a packet to a
    host and port; what it raises is only counted."""

    def __init__(
        self, slot: SnapshotSlot, send: Callable[[bytes, Endpoint], object], fixed: Sequence[Endpoint] = ()
    ) -> None:
        self._slot, self._send = slot, send
        self._fixed = {target: ClientState() for target in fixed}
        self._senders: OrderedDict[Endpoint, tuple[float, ClientState]] = OrderedDict()
        self._queries: deque[tuple[Endpoint, str]] = deque(maxlen=MOST_QUERIES)
        self._lock, self._wake = threading.Lock(), threading.Event()
        self.sent = self.failed = 0
        self._background = Background(self._run, "osc feedback")

    def answer(self, sender: Endpoint, addresses: Sequence[str]) -> None:
        """Send values to a sender; of too many queries the newest are answered."""
        self._queries.extend((sender, address) for address in addresses)
        self._wake.set()

    def subscribe(self, sender: Endpoint, address: str) -> None:
        """A sender set an address: it gets changes from now on."""
        if address not in self._slot.known:
            return
        now = stopwatch()
        with self._lock:
            state = self._senders.pop(sender, (now, ClientState()))[1]
            state.moving[address] = now
            self._senders[sender] = now, state
            if len(self._senders) > MOST_CLIENTS:
                self._senders.popitem(last=False)

    def targets(self) -> list[Endpoint]:
        """The clients that get changes."""
        with self._lock:
            return [*self._fixed, *self._senders]

    def close(self) -> None:
        """Stop sending."""
        self._background.closing.set()
        self._wake.set()
        self._background.close()

    def _run(self, closing: threading.Event) -> None:
        due, left = stopwatch(), MOST_ANSWERS
        while not closing.is_set():
            self._wake.wait(max(due - stopwatch(), 0.0))
            self._wake.clear()
            left -= self._answer(left)
            if stopwatch() >= due:
                self._send_changes(stopwatch())
                due, left = max(due + FEEDBACK_PERIOD, stopwatch()), MOST_ANSWERS

    def _answer(self, most: int) -> int:
        """Answer queries; how many."""
        values = self._slot.snapshot.values
        count = min(len(self._queries), most)
        for _ in range(count):
            sender, address = self._queries.popleft()
            if address in values:
                self._send_values(sender, [(address, values[address])])
        return count

    def _send_changes(self, now: float) -> None:
        snapshot = self._slot.snapshot
        with self._lock:
            for sender, (then, _) in [*self._senders.items()]:
                if now - then > FORGOTTEN_AFTER:
                    del self._senders[sender]
            senders = [(sender, state) for sender, (_, state) in self._senders.items()]
            changes = [
                (client, state.changes(snapshot.nodes, snapshot.values, now))
                for client, state in [*self._fixed.items(), *senders]
            ]
        for client, values in changes:
            self._send_values(client, values)

    def _send_values(self, target: Endpoint, values: Sequence[tuple[str, Arguments]]) -> None:
        """Send values, several in one packet as long as it is a small one."""
        packets: list[bytes] = []
        for one in encoded(self._slot.snapshot.nodes, values):
            if sum(len(packet) + 4 for packet in packets) + len(one) > PACKET_BYTES:
                self._post(target, packets)
                packets = []
            packets.append(one)
        self._post(target, packets)

    def _post(self, target: Endpoint, packets: list[bytes]) -> None:
        if not packets:
            return
        try:
            self._send(packets[0] if len(packets) == 1 else bundle(packets), target)
            self.sent += 1
        except (OSError, ValueError):  # nobody there, no such host: the next may arrive
            self.failed += 1


def encoded(nodes: Mapping[str, Node], values: Sequence[tuple[str, Arguments]]) -> list[bytes]:
    """Values as messages, in the types of their parameters."""
    packets = []
    for address, value in values:
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


def _differ(node: Node | None, known: Arguments | None, value: Arguments) -> bool:
    """Whether a client that has the known value should get another."""
    if known is None or len(known) != len(value):
        return True
    if known == value:
        return False
    parameter = node.parameter if node else None
    if parameter is None or parameter.kind not in ("float", "point", "color"):
        return True
    span = (parameter.high or 0.0) - (parameter.low or 0.0)
    return any(
        isinstance(a, str) or isinstance(b, str) or abs(a - b) > SMALLEST_CHANGE * span
        for a, b in zip(known, value, strict=True)
    )
