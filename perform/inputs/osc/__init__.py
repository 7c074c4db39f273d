"""Open Sound Control 1.0 over UDP, in and out: any address is a signal, every parameter has an address."""

from __future__ import annotations

import logging
import select
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from perform.faults import reason
from perform.inputs import Health
from perform.inputs.osc.ear import RATE, Ear, Sender
from perform.inputs.osc.out import PERIOD, Out
from perform.scenes.snapshot import Snapshot, SnapshotSlot
from perform.signals import Event

if TYPE_CHECKING:
    from perform.inputs.osc.query import Query

log = logging.getLogger("perform")
PACKET = 65_535  # bytes of the largest UDP packet
BUFFER = 2**22  # bytes that the system is asked to keep for a thread that is late: a second of a flood
OVERRUN = 40  # SO_RXQ_OVFL of Linux, which the module socket has no name for
TICK = 0.2  # seconds within which closing is noticed
MOST, REST = 128, 0.001  # packets that are read in one go, and seconds of rest after it


class Osc:
    """Listens on `host`:`port` (0 for any free one; `port` then says which); `now` is the show's time.

    `osc["/a/b"]` is the first number of a message, `osc["/a/b"].1` its second argument and so on;
    a message of text only is text; one without arguments is a trigger, 1 in one frame and 0 in the
    next. What is no OSC, or says nothing that a signal can hold, is dropped and counted; so is what one
    sender says beyond `rate` messages a second. Who asks is answered; `feedback` targets and the last
    senders are told what changes.

    With a `query` port (0 for any free one) controllers ask over HTTP what there is, and listen over a
    WebSocket, which needs the `token` where others than this machine reach it.

    Raises OSError when the port cannot be had; of the query port it is logged and told by `health`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 9000,
        *,
        now: Callable[[], float],
        feedback: Sequence[Sender] = (),
        query: int | None = None,
        token: str = "",
        announced: bool = True,
        rate: float = RATE,
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
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
        self.name = f"osc {host}:{self.port}"
        self.slot = SnapshotSlot()
        self.out = Out(self.slot, self._socket.sendto, _resolved(feedback))
        self.ear = Ear(now, self.slot, self.out.ask, self.out.spoke, rate)
        self.query = None if query is None else self._queried(query, token, announced)
        self._due = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="osc", daemon=True)
        self._thread.start()

    def poll(self, until: float) -> list[Event]:
        return self.ear.take(until)

    def hear(self, packet: bytes) -> None:
        """One packet, whoever sent it."""
        self.ear.hear(packet)

    def update(self, seconds: float, snapshot: Callable[[], Snapshot]) -> None:
        """The state of the show, for clients that ask and listen."""
        if not self._due - 1 < seconds < self._due:
            self._due = seconds + PERIOD
            self.slot.put(snapshot())

    def health(self) -> Health:
        lost = self.ear.lost
        asked = f", query {self.query.port} {self.query.note}".rstrip() if self.query else ""
        dropped = f", {lost} messages dropped" if lost else ""
        return Health("ok", f"{self.name}{asked}{dropped}")

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=5)
        if self.query:
            self.query.close()
        self.out.close()
        self._socket.close()

    def _queried(self, port: int, token: str, announced: bool) -> Query | None:
        from perform.inputs.osc.query import Query

        try:
            return Query(self.host, port, self.port, self.slot, self.ear, token, announced)
        except OSError as error:
            log.error("%s", error.strerror or error)
            return None

    def _listen(self) -> None:
        while not self._closing.is_set():
            readable, _, _ = select.select([self._socket], [], [], TICK)
            if readable:
                # The first packet is heard at once, a flood in gulps: to wake up for each of its packets
                # would take turns from the picture.
                self._drain()
                self._closing.wait(REST)

    def _received(self) -> tuple[bytes, Sender]:
        """The next packet and who sent it; the system says how many it had no room for."""
        if not self._counting:
            packet, sender = self._socket.recvfrom(PACKET)
            return packet, (sender[0], sender[1])
        packet, told, _, sender = self._socket.recvmsg(PACKET, socket.CMSG_SPACE(4))
        for _, _, count in told:
            self.ear.overrun = int.from_bytes(count, sys.byteorder)
        return packet, (sender[0], sender[1])

    def _drain(self) -> None:
        """Hear what has come."""
        for _ in range(MOST):
            try:
                self.ear.hear(*self._received(), answer=True)
            except BlockingIOError:
                return
            except OSError:  # about some other packet, as Windows passes on ICMP; or a network that is down
                continue
            except Exception as error:  # noqa: BLE001 - one packet must not leave the show deaf
                self.ear.garbage += 1
                log.error("osc: a packet is dropped: %s", reason(error))


def _resolved(targets: Sequence[Sender]) -> list[Sender]:
    """Targets by address, once: a name that is asked for at every packet would hold up the others."""
    found = []
    for host, port in targets:
        try:
            found.append((socket.gethostbyname(host), port))
        except OSError as error:
            log.error("osc: %s is not told anything: %s", host, error)
    return found
