"""OSCQuery: a controller asks over HTTP for the addresses, and listens over a WebSocket to changes.

Vidvox, OSCQuery proposal. One thread with a loop of its own; a client that stalls holds up no other.
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
from perform.inputs.osc.feedback import FEEDBACK_PERIOD, ClientState, encoded
from perform.inputs.osc.limits import RateLimiter
from perform.inputs.osc.receiver import OscReceiver
from perform.inputs.osc.tree import ATTRIBUTES, JsonNode, host_info, tree
from perform.scenes.snapshot import SnapshotSlot
from perform.threads import Background

MOST_LISTENERS = 16  # clients that listen at once
MOST_CONNECTIONS = 64  # that are open at once, those without a request too
MOST_LISTENED = 1024  # addresses that one client may listen to
LARGEST_MESSAGE = 65_536  # bytes
PAGE_RATE = 50.0  # pages a second for one host
SERVER_TIMEOUT = 5.0  # seconds for a handshake, for starting and for ending
GOODBYE_TIMEOUT = 1.0  # seconds to withdraw the announcement
QUIET_LOG = logging.getLogger("perform.osc.query")  # broken handshakes of unknown clients are not logged
QUIET_LOG.setLevel(logging.CRITICAL)


@dataclass(slots=True)
class Subscription:
    """The addresses that a client listens to, and the values that it has."""

    addresses: set[str] = field(default_factory=set)
    state: ClientState = field(default_factory=ClientState)

    def obey(self, text: str) -> bool:
        """LISTEN and IGNORE; False if it is neither."""
        try:
            message = json.loads(text)
            command, address = message["COMMAND"], message["DATA"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        if not isinstance(address, str) or command not in ("LISTEN", "IGNORE"):
            return False
        if command == "IGNORE":
            self.addresses.discard(address)
            self.state.values.pop(address, None)
        elif len(self.addresses) < MOST_LISTENED:
            self.addresses.add(address)
        return True


class CountedConnection(ServerConnection):
    """A connection, ended at once when too many are open: each takes one of the process's few files."""

    open = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).open += 1
        super().connection_made(transport)
        if self.open > MOST_CONNECTIONS:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        type(self).open -= 1
        super().connection_lost(exc)


class QueryServer:
    """The server on `host`:`port` for the snapshot in the `slot`; messages go to the `receiver`, which
    listens on `osc_port`. A WebSocket's URL must end with the `token` (`/?token=…`) if other machines reach
    the server.

    Raises OSError if the port cannot be opened.
    """

    def __init__(
        self,
        host: str,
        port: int,
        osc_port: int,
        slot: SnapshotSlot,
        receiver: OscReceiver,
        token: str = "",
        announced: bool = True,
    ) -> None:
        self._host, self._wanted, self._osc_port, self._token = host, port, osc_port, token
        self._slot, self._receiver, self._announced = slot, receiver, announced
        self._limits = RateLimiter(PAGE_RATE, 2 * PAGE_RATE)
        self.port, self.refused, self.note = 0, 0, ""
        self.connections = type("Connections", (CountedConnection,), {"open": 0})  # counted for this server
        self._fault: OSError | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._background = Background(self._run, "osc query")
        self._ready.wait(SERVER_TIMEOUT)
        if self._fault:
            raise self._fault

    def close(self) -> None:
        """Close all connections and the server; safe to call twice."""
        with contextlib.suppress(RuntimeError):  # closed already
            if self._loop:
                self._loop.call_soon_threadsafe(self._stop.set)
        self._background.close()

    def _run(self, _closing: threading.Event) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            where = f"osc: the query server cannot open {self._host}:{self._wanted}"
            self._fault = OSError(error.errno, f"{where} ({error.strerror})")
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        options: dict[str, Any] = {
            "create_connection": self.connections,
            "process_request": self._request,
            "max_size": LARGEST_MESSAGE,
            "max_queue": 16,
            "open_timeout": SERVER_TIMEOUT,
            "close_timeout": 1.0,
            "compression": None,
            "server_header": "perform",
            "logger": QUIET_LOG,
        }
        async with serve(self._play, self._host, self._wanted, **options) as server:
            self._server: Server = server
            self.port = int(next(iter(server.sockets)).getsockname()[1])
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            announcing = asyncio.create_task(self._announce())
            await self._stop.wait()
        await asyncio.wait([announcing], timeout=GOODBYE_TIMEOUT)

    async def _announce(self) -> None:
        if self._announced:
            self.note = await announce(self._host, self.port, self._osc_port, self._stop)

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        """A page, or None for a WebSocket that may be opened."""
        url = urlsplit(request.path)
        if not self._limits.allow(_host_of(connection), 1, stopwatch()):
            return self._refuse(429, "Too Many Requests", "ask less often")
        if not _is_local_name(request.headers.get("Host", "")):
            return self._refuse(403, "Forbidden", "ask by address, localhost or .local name")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._page(unquote(url.path), url.query)
        if len(self._server.connections) >= MOST_LISTENERS:
            return self._refuse(503, "Service Unavailable", f"{MOST_LISTENERS} clients are connected already")
        if not self._may_open(request.headers, url.query):
            return self._refuse(
                403, "Forbidden", "of another origin, or without the token of PERFORM_OSC_TOKEN"
            )
        return None

    def _may_open(self, headers: Headers, query: str) -> bool:
        """Whether a WebSocket may open: no page of another origin, and with the token if other machines reach
        the server."""
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("Host"):
            return False
        given = parse_qs(query).get("token", [""])[0]
        return _is_this_machine(self._host) or bool(
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
        """Serve a client for as long as it stays."""
        subscription, sender = Subscription(), (_host_of(connection), 0)
        pushing = asyncio.create_task(self._push(connection, subscription))
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    self._receiver.receive(message, sender)
                elif not self._receiver.allows(sender) or not subscription.obey(message):
                    self._receiver.drop("a WebSocket message that is no command")
        except ConnectionClosed:
            pass
        finally:
            pushing.cancel()

    async def _push(self, connection: ServerConnection, subscription: Subscription) -> None:
        """Send the changes that a client listens to, as OSC; a slow one gets the newest when it can."""
        nodes = self._slot.snapshot.nodes
        with contextlib.suppress(ConnectionClosed):
            while True:
                snapshot = self._slot.snapshot
                if snapshot.nodes is not nodes:
                    nodes = snapshot.nodes
                    await connection.send(json.dumps({"COMMAND": "PATH_CHANGED", "DATA": "/"}))
                values = {a: snapshot.values[a] for a in subscription.addresses if a in snapshot.values}
                for packet in encoded(nodes, subscription.state.changes(nodes, values, stopwatch())):
                    await connection.send(packet)
                await self._pause()

    async def _pause(self) -> None:
        """Wait until the next check for changes."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), FEEDBACK_PERIOD)


def _host_of(connection: ServerConnection) -> str:
    address = connection.remote_address
    return str(address[0]) if address else ""


def _is_this_machine(host: str) -> bool:
    """Whether only this machine reaches a host."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _is_local_name(host: str) -> bool:
    """Whether a page is requested by address or by a local name: any other name that leads here is a
    foreign page in the browser (DNS rebinding)."""
    name = urlsplit(f"//{host}").hostname or ""
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return name == "localhost" or name.endswith(".local") or "." not in name


def _answer(status: int, reason: str, content: JsonNode | None) -> Response:
    body = b"" if content is None else json.dumps(content).encode()
    headers = Headers(
        {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    )
    return Response(status, reason, headers, body)
