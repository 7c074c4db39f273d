"""Feeds and the servers, brokers and packets that they read."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import tomlkit

from perform.inputs import Input
from perform.inputs.feeds.document import Feed, read_feed


def feed(folder: Path, kind: str, feed_name: str = "a", **settings: object) -> Feed:
    file = folder / f"{feed_name}.toml"
    file.write_text(tomlkit.dumps({"kind": kind, **settings}))
    return read_feed(file)


def values(unit: Input, until: float | None = None) -> dict[str, float]:
    now = time.monotonic() if until is None else until
    return {event.name: float(event.value) for event in unit.poll(now)}  # type: ignore[arg-type]


class WebServer(ThreadingHTTPServer):
    """Answers with `answer`, counts its requests, and can stall."""

    answer, tag, status = b'{"price": 3}', "", 200
    asked = unchanged = 0
    stalls = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects is no fault here."""


class Handler(BaseHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:
        server = self.server
        server.asked += 1
        if server.tag and self.headers.get("If-None-Match") == server.tag:
            server.unchanged += 1
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(server.status)
        self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(len(server.answer) + 100 * server.stalls))
        self.end_headers()
        self.wfile.write(server.answer)
        for _ in range(100 * server.stalls):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def log_message(self, *words: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def web_server(port: int = 0) -> Iterator[WebServer]:
    served = WebServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=served.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield served
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


PATH = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"  # where Debian has brokers


@contextmanager
def broker(port: int, folder: Path) -> Iterator[None]:
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen(
        [shutil.which("mosquitto", path=PATH) or "mosquitto", "-c", str(folder / "mosquitto.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def art(universe: int, levels: bytes) -> bytes:
    return (
        b"Art-Net\0"
        + struct.pack("<HBBBBH", 0x5000, 0, 14, 1, 0, universe)
        + struct.pack(">H", len(levels))
        + levels
    )


def e131(universe: int, levels: bytes, options: int = 0, start: int = 0) -> bytes:
    count = len(levels) + 1
    root = struct.pack(">HH12sHI16s", 16, 0, b"ASC-E1.17\0\0\0", 0x7000 | (109 + count), 4, bytes(16))
    framing = struct.pack(">HI64sBHBBH", 0x7000 | (87 + count), 2, b"desk", 100, 0, 1, options, universe)
    return (
        root + framing + struct.pack(">HBBHHHB", 0x7000 | (10 + count), 2, 0xA1, 0, 1, count, start) + levels
    )
