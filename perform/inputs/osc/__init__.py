"""Open Sound Control 1.0 over UDP, both ways: any address is a signal, every parameter has an address.

Receiving (`receiver`) and sending (`feedback`, `query`) share one socket and one port, since clients expect
answers from the port that they send to. So the unit is an input with events, and an output of the show's
state at once."""

from __future__ import annotations

import logging
import select
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from perform.faults import reason
from perform.inputs.listener import Listener
from perform.inputs.osc.feedback import FEEDBACK_PERIOD, OscFeedback
from perform.inputs.osc.receiver import MESSAGE_RATE, Endpoint, OscReceiver
from perform.scenes.snapshot import Snapshot, SnapshotSlot
from perform.signals import Event

if TYPE_CHECKING:
    from perform.inputs.osc.query import QueryServer

log = logging.getLogger("perform")
LARGEST_PACKET = 65_535  # bytes
RECEIVE_BUFFER = 2**22  # bytes that the system keeps for a thread that is late: a second of a flood
OVERRUN = 40  # SO_RXQ_OVFL of Linux, which the module socket has no name for
SOCKET_TIMEOUT = 0.2  # seconds within which closing is noticed
MOST_PACKETS, PACKET_PAUSE = 128, 0.001  # packets that are read in one go, and seconds of rest after it


class Osc(Listener):
    """Listens on `host`:`port` (0 for any free one; `port` is then that one); `now` is the show's time.

    `osc["/a/b"]` is the first number of a message, `osc["/a/b"].1` its second argument and so on;
    a number that is sent as text is a number; a message of text only is text; one without arguments is a
    trigger, 1 in one frame and 0 in the next. Packets that are not OSC, or that hold no value, are dropped
    and counted, with the reason for the last one; so are messages of one sender beyond `rate` a second.
    Queries are answered; `feedback` targets and the last senders get what changes.

    With a `query` port (0 for any free one) controllers ask over HTTP for the addresses, and listen over a
    WebSocket, which needs the `token` where other machines reach it.

    Raises OSError if the port cannot be opened; a fault of the query port is logged.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 9000,
        *,
        now: Callable[[], float],
        feedback: Sequence[Endpoint] = (),
        query: int | None = None,
        token: str = "",
        announced: bool = True,
        rate: float = MESSAGE_RATE,
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise OSError(
                error.errno, f"osc: {host}:{port} cannot be listened to ({error.strerror})"
            ) from error
        self._socket.setblocking(False)
        self._counting = sys.platform == "linux"
        if self._counting:
            self._socket.setsockopt(socket.SOL_SOCKET, OVERRUN, 1)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        super().__init__(f"osc {host}:{self.port}", "")
        self.slot = SnapshotSlot()
        self.feedback = OscFeedback(self.slot, self._socket.sendto, _resolved(feedback))
        self.receiver = OscReceiver(now, self.slot, self.feedback.answer, self.feedback.subscribe, rate)
        self.query = None if query is None else self._query_server(query, token, announced)
        self._due = 0.0
        self.start()

    def poll(self, until: float) -> list[Event]:
        return self.receiver.take(until)

    def receive(self, packet: bytes) -> None:
        """One packet of any sender."""
        self.receiver.receive(packet)

    def update(self, seconds: float, snapshot: Callable[[], Snapshot]) -> None:
        """The state of the show, for clients that ask and listen."""
        if not self._due - 1 < seconds < self._due:
            self._due = seconds + FEEDBACK_PERIOD
            self.slot.put(snapshot())

    def _details(self) -> str:
        lost = self.receiver.lost
        query = f", query {self.query.port} {self.query.note}".rstrip() if self.query else ""
        fault = self.receiver.fault
        dropped = f", {lost} messages dropped{f' (the last: {fault})' if fault else ''}" if lost else ""
        return f"{self.name}{query}{dropped}"

    def close(self) -> None:
        super().close()
        if self.query:
            self.query.close()
        self.feedback.close()
        self._socket.close()

    def _query_server(self, port: int, token: str, announced: bool) -> QueryServer | None:
        from perform.inputs.osc.query import QueryServer

        try:
            return QueryServer(self.host, port, self.port, self.slot, self.receiver, token, announced)
        except OSError as error:
            log.error("%s", error.strerror or error)
            return None

    def _listen(self, closing: threading.Event) -> None:
        while not closing.is_set():
            readable, _, _ = select.select([self._socket], [], [], SOCKET_TIMEOUT)
            if readable:
                # The first packet is taken at once, a flood many packets at a time: to wake up for each one
                # would slow the picture down.
                self._drain()
                closing.wait(PACKET_PAUSE)

    def _received(self) -> tuple[bytes, Endpoint]:
        """The next packet and its sender; the system reports how many it had no room for."""
        if not self._counting:
            packet, sender = self._socket.recvfrom(LARGEST_PACKET)
            return packet, (sender[0], sender[1])
        packet, reports, _, sender = self._socket.recvmsg(LARGEST_PACKET, socket.CMSG_SPACE(4))
        for _, _, count in reports:
            self.receiver.overrun = int.from_bytes(count, sys.byteorder)
        return packet, (sender[0], sender[1])

    def _drain(self) -> None:
        """Take the packets that have come."""
        for _ in range(MOST_PACKETS):
            try:
                self.receiver.receive(*self._received(), answer=True)
            except BlockingIOError:
                return
            except OSError:  # about some other packet, as Windows passes on ICMP; or a network that is down
                continue
            except Exception as error:  # noqa: BLE001 - one packet must not stop the others
                self.receiver.drop(reason(error))
                log.error("osc: a packet is dropped: %s", reason(error))


def _resolved(targets: Sequence[Endpoint]) -> list[Endpoint]:
    """Targets by address, once: to resolve a name for every packet would hold up the others."""
    found = []
    for host, port in targets:
        try:
            found.append((socket.gethostbyname(host), port))
        except OSError as error:
            log.error("osc: %s gets no feedback: %s", host, error)
    return found
