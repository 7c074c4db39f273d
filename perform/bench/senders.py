"""Processes that play an input: `senders KIND PLACE COUNT` or `senders flood-osc PORT SECONDS`.

A sender first sends HELLO repeatedly, until a line comes in; then COUNT values at uneven intervals, and
for each a line of stdout with its time (stopwatch, which processes of one Linux machine share) and the value
as a parameter will see it. A flood sends values for so many seconds and then prints, as JSON, how many and
the last of each name.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeAlias

from perform.bench import running
from perform.clock import stopwatch
from perform.threads import Background

Send: TypeAlias = Callable[[float], float]  # a value 0..1; what of it arrives

HELLO = 1.0
LEVELS = 8
WAIT = 0.03, 0.07  # seconds from one value to the next
HELLO_GAP = 0.05  # seconds between two hellos
FLOOD_NAMES = 50  # of a flood
FLOOD_GAP = 0.001  # seconds between two gulps of a flood
END_WAIT = 0.5  # seconds that a sender stays after its last value
OSC_RATE, MIDI_RATE = 10_000, 3_000  # messages a second of a flood


def level(n: int) -> float:
    """Value number n: another one than the hello and than the one before."""
    return (n * 3 % LEVELS) / (LEVELS + 1)


def osc_message(address: str, value: float) -> bytes:
    """An OSC message of one float."""
    text = address.encode()
    return text + bytes(4 - len(text) % 4) + b",f\0\0" + struct.pack(">f", value)


def control_change(number: int, value: float) -> bytes:
    """A MIDI control change of a value 0..1."""
    return bytes((0xB0, number, round(value * 127)))


@contextmanager
def _udp(place: str, packet: Callable[[float], tuple[bytes, float]]) -> Iterator[Send]:
    address = ("127.0.0.1", int(place))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as net:

        def send(value: float) -> float:
            data, arrives = packet(value)
            net.sendto(data, address)
            return arrives

        yield send


def _osc(value: float) -> tuple[bytes, float]:
    return osc_message("/bench", value), value


def _midi(value: float) -> tuple[bytes, float]:
    return control_change(16, value), round(value * 127) / 127


def _art(value: float) -> tuple[bytes, float]:
    step = round(value * 255)
    head = b"Art-Net\0" + struct.pack("<HBBBBH", 0x5000, 0, 14, 1, 0, 1) + struct.pack(">H", 512)
    return head + bytes([step]) * 512, step / 255


def _sacn(value: float) -> tuple[bytes, float]:
    step = round(value * 255)
    root = struct.pack(">HH12sHI16s", 16, 0, b"ASC-E1.17\0\0\0", 0x726E, 4, bytes(16))
    framing = struct.pack(">HI64sBHBBH", 0x7258, 2, b"bench", 100, 0, 0, 0, 1)
    levels = struct.pack(">HBBHHHB", 0x720B, 2, 0xA1, 0, 1, 513, 0) + bytes([step]) * 512
    return root + framing + levels, step / 255


@contextmanager
def _serial(place: str) -> Iterator[Send]:
    """A pseudo-terminal, linked at `place`."""
    import pty

    ours, theirs = pty.openpty()
    Path(place).symlink_to(os.ttyname(theirs))

    def send(value: float) -> float:
        os.write(ours, f"value={value:.4f}\n".encode())
        return value

    yield send


@contextmanager
def _mqtt(place: str) -> Iterator[Send]:
    """A broker of our own, and a client that publishes there."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    if program is None:
        raise OSError("no mosquitto")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mosquitto.conf"
        file.write_text(f"listener {place} 127.0.0.1\nallow_anonymous true\n")
        client = Client(CallbackAPIVersion.VERSION2)
        with running([program, "-c", str(file)], stderr=subprocess.DEVNULL):
            _connected(client.connect, int(place))
            client.loop_start()

            def send(value: float) -> float:
                client.publish("bench", f"{value:.4f}")
                return value

            try:
                yield send
            finally:
                client.loop_stop()


def _connected(connect: Callable[[str, int], object], port: int) -> None:
    """Connect as soon as the broker listens."""
    for _ in range(100):
        try:
            connect("127.0.0.1", port)
            return
        except OSError:
            threading.Event().wait(HELLO_GAP)
    raise OSError("mosquitto does not listen")


@contextmanager
def _keyboard(place: str, pointer: bool) -> Iterator[Send]:
    """The X server's own test events (XTEST): the key A down and up, or the mouse in a row of pixels."""
    import ctypes

    x11, xtst = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    key = x11.XKeysymToKeycode(display, 0x61)

    def send(value: float) -> float:
        x = round(value * (int(place) - 1))
        if pointer:
            xtst.XTestFakeMotionEvent(display, -1, x, 5, 0)
        else:
            xtst.XTestFakeKeyEvent(display, key, int(value > 0.5), 0)
        x11.XFlush(display)
        return x / (int(place) - 1) if pointer else float(value > 0.5)

    yield send
    if not pointer:
        send(0.0)


SENDERS: dict[str, Callable[[str], AbstractContextManager[Send]]] = {
    "osc": partial(_udp, packet=_osc),
    "midi": partial(_udp, packet=_midi),
    "artnet": partial(_udp, packet=_art),
    "sacn": partial(_udp, packet=_sacn),
    "serial": _serial,
    "mqtt": _mqtt,
    "key": partial(_keyboard, pointer=False),
    "mouse": partial(_keyboard, pointer=True),
}


def send_values(kind: str, place: str, count: int) -> None:
    """Play an input of KINDS, or a page."""
    if kind == "http":
        return serve_page(int(place), count)
    begun = _start_event()
    draw = random.Random(1)
    with SENDERS[kind](place) as send:
        while not begun.wait(HELLO_GAP):
            send(HELLO)
        threading.Event().wait(2 * HELLO_GAP)
        for n in range(count):
            began = stopwatch()
            _report(began, send(float(n % 2) if kind == "key" else level(n)))
            threading.Event().wait(draw.uniform(*WAIT))
        threading.Event().wait(END_WAIT)
    return None


def _start_event() -> threading.Event:
    """Is set when a line comes in."""
    begun = threading.Event()

    def read(_closing: threading.Event) -> None:
        sys.stdin.readline()
        begun.set()

    Background(read, "start")
    return begun


def serve_page(port: int, count: int) -> None:
    """A page whose number is another one at each request: it counts from when it is answered."""
    begun, done = _start_event(), threading.Event()
    answered = 0

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal answered
            value = level(answered) if begun.is_set() else HELLO
            if begun.is_set() and answered < count:
                _report(stopwatch(), value)
                answered += 1
            if answered == count:
                done.set()
            body = f"{value:.4f}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    Background(lambda _closing: server.serve_forever(), "page")
    done.wait()
    threading.Event().wait(END_WAIT)


def flood(kind: str, port: int, seconds: float) -> None:
    """Messages at the rate of a flood; then how many there were, and the last value of each name."""
    rate = OSC_RATE if kind == "flood-osc" else MIDI_RATE
    sent, last, began = 0, {}, stopwatch()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as net:
        while (passed := stopwatch() - began) < seconds:
            while sent < passed * rate:
                name, value = str(sent % FLOOD_NAMES), (sent * 7 % 126 + 1) / 127
                osc = kind == "flood-osc"
                data = osc_message(f"/flood/{name}", value) if osc else control_change(int(name), value)
                net.sendto(data, ("127.0.0.1", port))
                last[name] = value
                sent += 1
            threading.Event().wait(FLOOD_GAP)
    sys.stdout.write(json.dumps({"sent": sent, "last": last}) + "\n")


def _report(time: float, value: float) -> None:
    sys.stdout.write(f"{time!r} {value!r}\n")
    sys.stdout.flush()


def main(kind: str, place: str, amount: str) -> None:
    """One sender."""
    if kind.startswith("flood-"):
        flood(kind, int(place), float(amount))
    else:
        send_values(kind, place, int(amount))
