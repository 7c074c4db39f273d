"""Open Sound Control 1.0 over UDP: any address is a signal."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

from perform.inputs import Health
from perform.inputs._slots import Slots
from perform.signals import Event, Value

LONGEST = 128  # characters of an address
PACKET = 65_535  # bytes of the largest UDP packet
TICK = 0.2  # seconds within which closing is noticed


class Osc:
    """Listens on `host`:`port` (0 for any free one; `port` then says which); `now` is the show's time.

    `osc["/a/b"]` is the first number of a message, `osc["/a/b"].1` its second argument and so on;
    a message of text only is text; one without arguments is a trigger, 1 in one frame and 0 in the
    next. What is no OSC, or says nothing that a signal can hold, is dropped and counted.

    Raises OSError when the port cannot be had.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 9000, *, now: Callable[[], float]) -> None:
        self._now = now
        self._slots = Slots()
        self.received = self.garbage = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise OSError(
                error.errno, f"osc: {host}:{port} cannot be listened to ({error.strerror})"
            ) from error
        self._socket.settimeout(TICK)
        self.port: int = self._socket.getsockname()[1]
        self.name = f"osc {host}:{self.port}"
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="osc", daemon=True)
        self._thread.start()

    def poll(self, until: float) -> list[Event]:
        return self._slots.take(until)

    def health(self) -> Health:
        lost = self.garbage + self._slots.dropped
        return Health("ok", f"{self.name}, {lost} messages dropped" if lost else self.name)

    def close(self) -> None:
        self._closing.set()
        self._thread.join(timeout=5)
        self._socket.close()

    def hear(self, packet: bytes) -> None:
        """One packet from the net."""
        self.received += 1
        said = list(_said(packet))
        now = self._now()
        for name, value in said:
            self._slots.put(now, name, value)
        if not said:
            self.garbage += 1

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                packet, _sender = self._socket.recvfrom(PACKET)
            except TimeoutError:
                continue
            except OSError:  # an ICMP message about some other packet, as Windows passes them on
                continue
            self.hear(packet)


def _said(packet: bytes) -> Iterator[tuple[str, Value]]:
    """Names and values of a packet's messages; a bundle's messages are of one moment."""
    from pythonosc.osc_packet import OscPacket

    try:
        messages = OscPacket(packet).messages
    except Exception:  # noqa: BLE001 - anybody's bytes, and the parser promises no single error
        return
    for timed in messages:
        address = timed.message.address
        if _speakable(address):
            yield from _values(f'osc["{address}"]', list(timed.message.params))


def _speakable(address: str) -> bool:
    """Whether a formula could name it."""
    odd = not address.isprintable() or any(sign in address for sign in "\"'\\")
    return address.startswith("/") and len(address) <= LONGEST and not odd


def _values(name: str, arguments: Sequence[object]) -> Iterator[tuple[str, Value]]:
    if not arguments:
        yield name, 1.0
        yield name, 0.0
    values = [_value(argument) for argument in arguments[:16]]
    numbers = [value for value in values if isinstance(value, float)]
    first: list[Value] = [*numbers[:1], *(value for value in values if isinstance(value, str))]
    if first:
        yield name, first[0]
    for index, value in enumerate(values):
        if index and value is not None:
            yield f"{name}.{index}", value


def _value(argument: object) -> Value | None:
    """An argument as a signal's value; None for blobs, times, lists and what is not finite."""
    if isinstance(argument, str):
        return argument[:LONGEST]
    if isinstance(argument, int | float) and math.isfinite(argument):
        return float(argument)
    return None
