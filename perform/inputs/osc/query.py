"""OSCQuery: a controller asks over HTTP what there is, and listens over a WebSocket to what changes.

Vidvox, OSCQuery proposal. One thread with a loop of its own; whoever stalls, stalls alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import json
import logging
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from perform.clock import stopwatch
from perform.inputs.osc.announce import announce
from perform.inputs.osc.ear import Ear
from perform.inputs.osc.limits import Limits
from perform.inputs.osc.out import PERIOD, Told, encoded
from perform.inputs.osc.tree import ATTRIBUTES, host_info, tree
from perform.scenes.snapshot import SnapshotSlot

CLIENTS = 16  # that listen at once
CONNECTIONS = 64  # that are open at once, those that have not asked yet too
LISTENED = 1024  # addresses that one of them may listen to
LONGEST = 65_536  # bytes of what one says at once
ASKS = 50.0  # pages a second for one host
PATIENCE = 5.0  # seconds for a handshake, for starting and for ending
GOODBYE = 1.0  # seconds to take the announcement back
QUIET = logging.getLogger("perform.osc.query")  # a stranger's broken handshakes are no news
QUIET.setLevel(logging.CRITICAL)


@dataclass(slots=True)
class Listener:
    """A client's wishes, and what it knows."""

    wanted: set[str] = field(default_factory=set)
    told: Told = field(default_factory=Told)

    def obey(self, text: str) -> bool:
        """LISTEN and IGNORE; False when it is neither."""
        try:
            said = json.loads(text)
            command, address = said["COMMAND"], said["DATA"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        if not isinstance(address, str) or command not in ("LISTEN", "IGNORE"):
            return False
        if command == "IGNORE":
            self.wanted.discard(address)
            self.told.values.pop(address, None)
        elif len(self.wanted) < LISTENED:
            self.wanted.add(address)
        return True


class Visit(ServerConnection):
    """A connection, ended at once when too many are open: each takes one of the process's few files."""

    open = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).open += 1
        super().connection_made(transport)
        if self.open > CONNECTIONS:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        type(self).open -= 1
        super().connection_lost(exc)


class Query:
    """The server on `host`:`port` for what is in the `slot`; messages go to the `ear` that listens on
    `osc_port`. `token` is what a WebSocket's URL must end with (`/?token=…`) when the server is not for
    this machine only.

    Raises OSError when the port cannot be had.
    """

    def __init__(
        self,
        host: str,
        port: int,
        osc_port: int,
        slot: SnapshotSlot,
        ear: Ear,
        token: str = "",
        announced: bool = True,
    ) -> None:
        self._host, self._wanted, self._osc_port, self._token = host, port, osc_port, token
        self._slot, self._ear, self._announced = slot, ear, announced
        self._limits = Limits(ASKS, 2 * ASKS)
        self.port, self.refused, self.note = 0, 0, ""
        self.visits = type("Visits", (Visit,), {"open": 0})  # counted for this server alone
        self._fault: OSError | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="osc query", daemon=True)
        self._thread.start()
        self._ready.wait(PATIENCE)
        if self._fault:
            raise self._fault

    def close(self) -> None:
        """Let everybody go."""
        with contextlib.suppress(RuntimeError):  # closed already
            if self._loop:
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            where = f"osc: the query server cannot have {self._host}:{self._wanted}"
            self._fault = OSError(error.errno, f"{where} ({error.strerror})")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        options: dict[str, Any] = {
            "create_connection": self.visits,
            "process_request": self._asked,
            "max_size": LONGEST,
            "max_queue": 16,
            "open_timeout": PATIENCE,
            "close_timeout": 1.0,
            "compression": None,
            "server_header": "perform",
            "logger": QUIET,
        }
        async with serve(self._play, self._host, self._wanted, **options) as server:
            self._server: Server = server
            self.port = int(next(iter(server.sockets)).getsockname()[1])
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            announcing = asyncio.create_task(self._announce())
            await self._stop.wait()
        await asyncio.wait([announcing], timeout=GOODBYE)

    async def _announce(self) -> None:
        if self._announced:
            self.note = await announce(self._host, self.port, self._osc_port, self._stop)

    def _asked(self, connection: ServerConnection, request: Request) -> Response | None:
        """A page, or None for a WebSocket that may be opened."""
        url = urlsplit(request.path)
        if not self._limits.allow(_host_of(connection), 1, stopwatch()):
            return self._refuse(429, "Too Many Requests", "ask less often")
        if not _for_us(request.headers.get("Host", "")):
            return self._refuse(403, "Forbidden", "ask by address, localhost or .local name")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._page(unquote(url.path), url.query)
        if len(self._server.connections) >= CLIENTS:
            return self._refuse(503, "Service Unavailable", f"{CLIENTS} clients are connected already")
        if not self._may_open(request.headers, url.query):
            return self._refuse(
                403, "Forbidden", "of another origin, or without the token that PERFORM_OSC_TOKEN says"
            )
        return None

    def _may_open(self, headers: Headers, query: str) -> bool:
        """Whether a WebSocket is of somebody who may play: no page of another origin, and where others than
        this machine reach it, one with the token."""
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("Host"):
            return False
        given = parse_qs(query).get("token", [""])[0]
        return _here(self._host) or bool(
            self._token and hmac.compare_digest(given.encode(), self._token.encode())
        )

    def _page(self, path: str, query: str) -> Response:
        """A node, or one attribute of it."""
        if query == "HOST_INFO":
            return _answer(200, "OK", host_info("perform", self._osc_port))
        if query and query not in ATTRIBUTES:
            return _answer(400, "Bad Request", {"error": f"unknown attribute {query[:40]}"})
        node = tree(self._slot.snapshot, path)
        if node is None:
            return _answer(404, "Not Found", {"error": "no such address"})
        if not query:
            return _answer(200, "OK", node)
        return _answer(200, "OK", {query: node[query]}) if query in node else _answer(204, "No Content", None)

    def _refuse(self, status: int, reason: str, why: str) -> Response:
        self.refused += 1
        return _answer(status, reason, {"error": why})

    async def _play(self, connection: ServerConnection) -> None:
        """A client, for as long as it stays."""
        listener, sender = Listener(), (_host_of(connection), 0)
        pushing = asyncio.create_task(self._push(connection, listener))
        try:
            async for said in connection:
                if isinstance(said, bytes):
                    self._ear.hear(said, sender)
                elif not self._ear.allows(sender) or not listener.obey(said):
                    self._ear.garbage += 1
        except ConnectionClosed:
            pass
        finally:
            pushing.cancel()

    async def _push(self, connection: ServerConnection, listener: Listener) -> None:
        """What changes of what a client listens to, as OSC; a slow one gets the newest when it can."""
        nodes = self._slot.snapshot.nodes
        with contextlib.suppress(ConnectionClosed):
            while True:
                snapshot = self._slot.snapshot
                if snapshot.nodes is not nodes:
                    nodes = snapshot.nodes
                    await connection.send(json.dumps({"COMMAND": "PATH_CHANGED", "DATA": "/"}))
                values = {a: snapshot.values[a] for a in listener.wanted if a in snapshot.values}
                for packet in encoded(nodes, listener.told.news(nodes, values, stopwatch())):
                    await connection.send(packet)
                await self._pause()

    async def _pause(self) -> None:
        """Until the next look at what changed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), PERIOD)


def _host_of(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if address else ""


def _here(host: str) -> bool:
    """Whether only this machine reaches a host."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _for_us(host: str) -> bool:
    """Whether a page was asked for by address or by a local name: a name of the wide net that leads here is
    a stranger's page in the browser (DNS rebinding)."""
    name = urlsplit(f"//{host}").hostname or ""
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return name == "localhost" or name.endswith(".local") or "." not in name


def _answer(status: int, reason: str, said: Any) -> Response:
    body = b"" if said is None else json.dumps(said).encode()
    headers = Headers(
        {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    )
    return Response(status, reason, headers, body)
