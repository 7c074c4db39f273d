"""OSCQuery: a real HTTP and WebSocket client, and some that stall, send garbage and leave."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from perform.inputs.osc import Osc
from perform.inputs.osc.packets import Message, message, messages
from perform.inputs.osc.query import (
    MOST_CONNECTIONS,
    MOST_LISTENED,
    MOST_LISTENERS,
    QueryServer,
    Subscription,
)
from perform.inputs.osc.receiver import OscReceiver
from perform.inputs.osc.tree import tree
from tests.doubles.boards import VALUES, Fixed, slot
from tests.doubles.waiting import eventually

TIMEOUT = 10.0  # seconds


class Served:
    """An OSC unit with its query server, and a show that a test changes."""

    def __init__(self, host: str = "127.0.0.1", token: str = "", announced: bool = False) -> None:
        self.show = Fixed()
        self.osc = Osc(host, 0, now=lambda: self.seconds, query=0, token=token, announced=announced)
        self.seconds = 0.0
        assert self.osc.query
        self.query = self.osc.query
        self.place = f"127.0.0.1:{self.query.port}"
        self.tell()

    def tell(self, **values: float | str) -> None:
        """The show changes: master=0.5."""
        self.show.values |= {f"/{name}": (value,) for name, value in values.items()}
        self.seconds += 1.0
        self.osc.update(self.seconds, self.show.snapshot)

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """A page: its status and its content."""
        try:
            with urlopen(Request(f"http://{self.place}{path}", headers=headers), timeout=TIMEOUT) as page:
                body = page.read()
                return page.status, json.loads(body) if body else None
        except HTTPError as error:
            return error.code, json.loads(error.read())

    def connect(self, path: str = "/", **options: Any) -> AbstractContextManager[ClientConnection]:
        client: AbstractContextManager[ClientConnection] = connect(
            f"ws://{self.place}{path}", open_timeout=TIMEOUT, **options
        )
        return client


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.osc.close()


def command(word: str, address: object) -> str:
    return json.dumps({"COMMAND": word, "DATA": address})


def heard(client: ClientConnection) -> Message:
    """The next OSC message that a client gets."""
    while not isinstance(said := client.recv(timeout=TIMEOUT), bytes):
        pass
    return messages(said)[0]


def test_the_tree_contains_every_address_and_its_attributes(served: Served) -> None:
    status, root = served.get("/")
    assert (status, root["FULL_PATH"], root["ACCESS"]) == (200, "/", 0)
    grade = root["CONTENTS"]["filter"]["CONTENTS"]["grade"]
    assert grade["FULL_PATH"] == "/filter/grade"
    assert grade["CONTENTS"]["gain"] == {
        "FULL_PATH": "/filter/grade/gain",
        "DESCRIPTION": "",
        "ACCESS": 3,
        "TYPE": "f",
        "RANGE": [{"MIN": 0.0, "MAX": 4.0}],
        "CLIPMODE": ["both"],
        "UNIT": ["stops"],
        "VALUE": [1.5],
    }
    dark = grade["CONTENTS"]["dark"]
    assert (dark["TYPE"], dark["VALUE"], len(dark["RANGE"])) == ("ffff", [0.0, 0.25, 0.5, 1.0], 4)
    order, contents = root["CONTENTS"]["latent"]["CONTENTS"]["order"], root["CONTENTS"]
    assert (order["TYPE"], order["RANGE"]) == ("s", [{"VALS": ["once", "twice"]}])
    assert (contents["go"]["TYPE"], contents["go"]["ACCESS"], "VALUE" in contents["go"]) == ("I", 2, False)
    assert contents["blackout"]["VALUE"] == [False]
    assert contents["now"]["CONTENTS"]["title"]["ACCESS"] == 1
    assert contents["wild"]["TAGS"] == ["formula"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/filter/grade/gain?VALUE", 200, {"VALUE": [1.5]}),
        ("/filter/grain/size?RANGE", 200, {"RANGE": [{"MIN": 1, "MAX": 9}]}),
        ("/master?DESCRIPTION", 200, {"DESCRIPTION": "brightness of everything"}),
        ("/filter/gr%61de/?FULL_PATH", 200, {"FULL_PATH": "/filter/grade"}),
        ("/go?VALUE", 204, None),
        ("/filter?TYPE", 204, None),
        ("/master?NONSENSE", 400, {"error": "unknown attribute NONSENSE"}),
        ("/nobody", 404, {"error": "no such address"}),
        ("/master/nobody?VALUE", 404, {"error": "no such address"}),
        ("/filter/gra", 404, {"error": "no such address"}),
    ],
)
def test_single_attributes_and_missing_addresses_are_answered(
    served: Served, path: str, status: int, said: Any
) -> None:
    assert served.get(path) == (status, said)


def test_the_host_info_lists_the_extensions(served: Served) -> None:
    status, info = served.get("/?HOST_INFO")
    assert (status, info["NAME"], info["OSC_PORT"]) == (200, "perform", served.osc.port)
    assert info["OSC_TRANSPORT"] == "UDP"
    known = {"ACCESS", "VALUE", "RANGE", "DESCRIPTION", "LISTEN", "PATH_CHANGED"}
    assert known <= {name for name, there in info["EXTENSIONS"].items() if there}


def test_a_value_is_the_newest(served: Served) -> None:
    served.tell(master=0.25)
    assert served.get("/master?VALUE") == (200, {"VALUE": [0.25]})


def test_a_listener_gets_the_value_and_then_its_changes(served: Served) -> None:
    with served.connect() as client:
        client.send(command("LISTEN", "/master"))
        assert heard(client) == Message("/master", (1.0,))
        served.tell(master=0.5, blackout=1.0)
        assert heard(client) == Message("/master", (0.5,))
        client.send(command("LISTEN", "/blackout"))
        assert heard(client) == Message("/blackout", (True,))
        client.send(command("IGNORE", "/master"))
        client.send(command("LISTEN", "/latent/order"))
        assert heard(client) == Message("/latent/order", ("once",))
        served.tell(master=0.75, blackout=0.0)
        assert heard(client) == Message("/blackout", (False,))


def test_a_message_of_a_client_is_played(served: Served) -> None:
    with served.connect() as client:
        client.send(message("/filter/*/gain", [2.5]))
        eventually(lambda: served.osc.receiver.received == 1)
    assert [(e.name, e.value) for e in served.osc.poll(1.0)] == [('osc["/filter/grade/gain"]', 2.5)]


def test_a_new_scene_is_announced_to_all_clients(served: Served) -> None:
    with served.connect() as client:
        client.send(command("LISTEN", "/master"))
        heard(client)
        served.show.nodes = type(served.show.nodes)(dict(served.show.nodes))
        served.tell()
        assert json.loads(client.recv(timeout=TIMEOUT)) == {"COMMAND": "PATH_CHANGED", "DATA": "/"}


@pytest.mark.parametrize(
    "said",
    [
        *(
            "",
            "nonsense",
            "[]",
            "3",
            "null",
            "[" * 50_000,
            '{"COMMAND": "LISTEN"}',
            b"",
            b"garbage",
            b"/\xff",
        ),
        *(command("LISTEN", 3), command("LISTEN", None), command("DANCE", "/master"), command("", "")),
    ],
)
def test_a_client_that_sends_garbage_is_counted_and_stays_connected(
    served: Served, said: str | bytes
) -> None:
    with served.connect() as client:
        client.send(said)
        eventually(lambda: served.osc.receiver.garbage == 1)
        client.send(command("LISTEN", "/master"))
        assert heard(client) == Message("/master", (1.0,))


def test_a_client_cannot_send_too_much_at_once(served: Served) -> None:
    with served.connect() as client, pytest.raises(ConnectionClosed):
        client.send(b"/" * 100_000)
        client.recv(timeout=TIMEOUT)
    assert served.get("/master?VALUE")[0] == 200


def test_a_client_cannot_listen_to_unlimited_addresses() -> None:
    listener = Subscription()
    assert all(listener.obey(command("LISTEN", f"/a/{n}")) for n in range(MOST_LISTENED + 10))
    assert len(listener.addresses) == MOST_LISTENED


def test_clients_that_stall_or_leave_do_not_disturb_the_others(served: Served) -> None:
    port = served.query.port
    stalling = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    lying = socket.create_connection(("127.0.0.1", port))
    lying.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    lying.settimeout(TIMEOUT)
    while lying.recv(4096):
        pass
    with ExitStack() as clients:
        slow = clients.enter_context(served.connect(max_queue=1))
        slow.send(command("LISTEN", "/now/title"))
        leaving = clients.enter_context(served.connect())
        leaving.send(command("LISTEN", "/master"))
        leaving.socket.close()
        client = clients.enter_context(served.connect())
        client.send(command("LISTEN", "/master"))
        assert heard(client) == Message("/master", (1.0,))
        for n in range(3):  # what a client does not read is not kept for it
            served.tell(master=n / 8, **{"now/title": "x" * 60_000 + str(n)})
            assert heard(client) == Message("/master", (n / 8,))
        assert served.get("/now/title?VALUE")[1] == {"VALUE": ["x" * 60_000 + "2"]}
        slow.socket.close()
    for one in (*stalling, lying):
        one.close()


def test_silent_connections_are_limited(served: Served) -> None:
    silent = [
        socket.create_connection(("127.0.0.1", served.query.port)) for _ in range(MOST_CONNECTIONS + 20)
    ]
    eventually(lambda: served.query.connections.open == MOST_CONNECTIONS, "the others' end")
    for one in silent:
        one.close()
    eventually(lambda: served.query.connections.open == 0, "the end")
    assert served.get("/master?VALUE")[0] == 200


def test_too_many_clients_are_rejected(served: Served) -> None:
    with ExitStack() as inside:
        first = inside.enter_context(served.connect())
        for _ in range(MOST_LISTENERS - 1):
            inside.enter_context(served.connect())
        with pytest.raises(InvalidStatus, match="503"), served.connect():
            pass
        first.close()

        def accepted() -> bool:
            with suppress(InvalidStatus):
                inside.enter_context(served.connect())
                return True
            return False

        eventually(accepted, "room for one more")
        assert served.get("/master?VALUE")[0] == 200


def test_a_client_that_asks_too_often_waits(served: Served) -> None:
    answers = {served.get("/master?VALUE")[0] for _ in range(150)}
    assert answers == {200, 429}
    eventually(lambda: served.get("/master?VALUE")[0] == 200)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "perform.evil.example"])
def test_a_page_of_the_internet_cannot_ask(served: Served, host: str) -> None:
    assert served.get("/", Host=host)[0] == 403
    assert served.get("/?HOST_INFO", Host=host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:80", "stage.local", "stage"])
def test_local_names_can_ask(served: Served, host: str) -> None:
    assert served.get("/master?VALUE", Host=host)[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "file://"])
def test_a_web_socket_of_another_origin_is_rejected(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"), served.connect(origin=origin):
        pass
    with served.connect(origin=f"http://{served.place}"):
        pass
    assert served.query.refused == 1


def test_an_open_web_socket_needs_the_token() -> None:
    served = Served("0.0.0.0", token="sesame")
    try:
        for path in ("/", "/?token=", "/?token=seed", "/?token=sesam%C3%A9"):
            with pytest.raises(InvalidStatus, match="403"), served.connect(path):
                pass
        with served.connect("/?token=sesame") as client:
            client.send(command("LISTEN", "/master"))
            assert heard(client) == Message("/master", (1.0,))
        assert served.get("/master?VALUE")[0] == 200
    finally:
        served.osc.close()


def test_without_a_token_an_open_web_socket_is_rejected() -> None:
    served = Served("0.0.0.0")
    try:
        with pytest.raises(InvalidStatus, match="403"), served.connect("/?token="):
            pass
    finally:
        served.osc.close()


def test_the_service_is_announced_and_withdrawn() -> None:
    from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

    found: dict[str, int] = {}

    class Looking(ServiceListener):
        def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            if info := zc.get_service_info(type_, name):
                found[type_] = info.port or 0

        def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
            found.pop(type_, None)

        def update_service(self, zc: Zeroconf, type_: str, name: str) -> None: ...

    served = Served(announced=True)
    kinds = ["_oscjson._tcp.local.", "_osc._udp.local."]
    zeroconf = Zeroconf(interfaces=["127.0.0.1"])
    try:
        ServiceBrowser(zeroconf, kinds, Looking())
        ours = dict(zip(kinds, (served.query.port, served.osc.port), strict=True))
        eventually(lambda: found == ours, "the announcement")
        served.osc.close()
        eventually(lambda: not found, "its end")
    finally:
        zeroconf.close()


def test_a_port_in_use_is_reported_and_osc_still_works(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        unit = Osc(port=0, now=lambda: 0.0, query=port)
        assert f"osc: the query server cannot open 127.0.0.1:{port}" in caplog.text
        assert unit.query is None
        unit.receive(message("/master", [0.5]))
        assert len(unit.poll(1.0)) == 1
        unit.close()
        unit.close()


def test_closing_twice_is_safe() -> None:
    query = QueryServer("127.0.0.1", 0, 9000, slot(), OscReceiver(lambda: 0.0, slot()))
    query.close()
    query.close()


def test_a_part_of_the_tree_is_the_tree_of_that_part() -> None:
    snapshot = slot().snapshot
    whole = tree(snapshot, "/")
    assert whole is not None
    assert tree(snapshot, "/filter") == whole["CONTENTS"]["filter"]
    assert set(VALUES) <= snapshot.nodes.keys()
