"""The devices of feeds against real ones: a web server, mosquitto, a pty, UDP, files."""

from __future__ import annotations

import os
import pty
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.commands.check import check_all
from perform.inputs.feeds.csv import check_table
from perform.inputs.feeds.dmx import Channels, art_net, sacn
from perform.inputs.feeds.live import Feeds, open_feed
from perform.inputs.feeds.messages import LONGEST_LINE, chosen
from perform.inputs.feeds.serial import LineSplitter
from tests.doubles.feeds import PATH, art, broker, e131, feed, free_port, values, web_server
from tests.doubles.waiting import eventually, needs


def test_a_page_is_polled_through_bad_answers_stalls_and_losses(tmp_path: Path) -> None:
    with web_server() as page:
        port = page.server_address[1]
        url = f"http://127.0.0.1:{port}/"
        asked = feed(tmp_path, "http", url=url, value="price", every=0.1, timeout=0.5, low=0.0, high=6.0)
        unit = open_feed(asked, time.monotonic)
        eventually(lambda: values(unit).get("feed.a") == 0.5)
        page.tag = '"one"'
        eventually(lambda: page.unchanged > 2)
        assert values(unit)["feed.a"] == 0.5 and unit.health().state == "ok"
        page.tag, page.answer = "", b"<html>down</html>"
        eventually(lambda: "no number" in unit.health().detail)
        page.answer, page.stalls = b'{"price": 6}', True
        eventually(lambda: "longer than 0.5 s" in unit.health().detail)
        page.stalls, page.status = False, 503
        eventually(lambda: "answers 503" in unit.health().detail)
        assert values(unit)["feed.a"] == 0.5  # it holds
        page.status = 200
        eventually(lambda: values(unit)["feed.a"] == 1)
    eventually(lambda: unit.health().state == "waiting")
    with web_server(port) as page:
        page.answer = b'{"price": 1.5}'
        eventually(lambda: values(unit)["feed.a"] == 0.25)
    unit.close()


def test_a_broker_connects_disconnects_and_connects_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paho.mqtt import publish

    monkeypatch.setenv("PATH", PATH)
    needs("mosquitto")
    port = free_port()

    def say(topic: str, payload: str) -> None:
        with suppress(OSError):
            publish.single(topic, payload, hostname="127.0.0.1", port=port)

    topics = {"heat": "room/1/heat", "light": "room/2"}
    heard = feed(tmp_path, "mqtt", topic="room/+", port=port, low=0.0, high=10.0, values=topics)
    unit = open_feed(heard, time.monotonic)
    eventually(lambda: unit.health().state == "waiting" and "refused" in unit.health().detail)
    for heat in (5, 9):
        with broker(port, tmp_path):

            def both(heat: int = heat) -> None:
                say("room/1", f'{{"heat": {heat}}}')
                say("room/2", str(heat - 1))
                say("room/1", "garbage")

            eventually(
                lambda heat=heat: (
                    (values(unit).get("feed.a.heat"), values(unit).get("feed.a.light"))
                    == (heat / 10, heat / 10 - 0.1)
                ),  # type: ignore[misc]
                step=both,
            )
        eventually(lambda: unit.health().state == "waiting")
    assert values(unit)["feed.a.heat"] == 0.9
    unit.close()


def test_a_serial_port_is_pulled_and_plugged_again(tmp_path: Path) -> None:
    link = tmp_path / "tty"
    plugged = feed(tmp_path, "serial", device=str(link), value="light", low=0.0, high=1.0)
    unit = open_feed(plugged, time.monotonic)
    for light in (0.25, 0.75):
        ours, theirs = pty.openpty()
        link.symlink_to(os.ttyname(theirs))

        def say(ours: int = ours, light: float = light) -> None:
            os.write(ours, f"half a line\nlight={light},heat=3\r\n".encode())

        eventually(lambda light=light: values(unit).get("feed.a") == light, step=say)  # type: ignore[misc]
        assert unit.health().state == "ok"
        link.unlink()
        os.close(ours)
        os.close(theirs)
        eventually(lambda: unit.health().state == "waiting")
    unit.close()


def test_lines_are_split_in_any_chunks() -> None:
    stream = b"lost beginning\n1\r\n\n2\n" + b"x" * (LONGEST_LINE + 1) + b"\n3\nunfinished"
    for size in (1, 2, 7, 5000):
        lines = LineSplitter()
        found = [line for at in range(0, len(stream), size) for line in lines.cut(stream[at : at + size])]
        assert found == ["1", "2", "3"], size


@given(st.lists(st.binary(max_size=50)))
def test_any_bytes_are_split_into_lines(chunks: list[bytes]) -> None:
    lines = LineSplitter()
    assert all("\n" not in line for chunk in chunks for line in lines.cut(chunk))


@pytest.mark.parametrize(("kind", "packet"), [("artnet", art), ("sacn", e131)])
def test_a_lighting_desk_gives_signals(
    kind: str, packet: Callable[[int, bytes], bytes], tmp_path: Path
) -> None:
    port = free_port()
    channels = {"dim": "1", "red": "512"}
    heard = feed(tmp_path, kind, port=port, universe=7, low=0.0, high=1.0, values=channels)
    unit = open_feed(heard, time.monotonic)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as desk:

        def say() -> None:
            for some in (b"noise", packet(8, bytes(512)), packet(7, bytes([255, *bytes(510), 51]))):
                desk.sendto(some, ("127.0.0.1", port))

        eventually(lambda: values(unit).get("feed.a.red") == pytest.approx(0.2), step=say)
    assert values(unit)["feed.a.dim"] == 1
    unit.close()


def test_a_packet_that_is_no_lighting_frame_is_ignored() -> None:
    assert art_net(art(7, b"\1\2")) == (7, b"\1\2")
    assert sacn(e131(7, b"\1\2")) == (7, b"\1\2")
    for packet in (e131(7, b"\1", options=0x80), e131(7, b"\1", start=0xDD), b"", e131(7, b"\1")[:125]):
        assert sacn(packet)[1] == b""
    assert art_net(art(7, b"\1").replace(struct.pack("<H", 0x5000), struct.pack("<H", 0x2000)))[1] == b""


def test_channels_have_numbers() -> None:
    levels = Channels(bytes([51, 0, 255]))
    assert dict(levels) == {"1": 0.2, "2": 0.0, "3": 1.0}
    assert [chosen(levels, path) for path in ("1", "3", "4", "0", "-1", "x", "")] == [
        0.2,
        1,
        *[None] * 4,
        0.2,
    ]


@given(st.binary(max_size=700))
def test_any_packet_is_read_or_ignored(packet: bytes) -> None:
    for parse in (art_net, sacn):
        assert len(parse(packet)[1]) <= 512
        assert len(parse(art(1, b"")[:10] + packet)[1]) <= 512
        assert len(parse(e131(1, b"")[:100] + packet)[1]) <= 512


def test_rows_are_replayed_by_the_clock(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text(
        "time,price\n2026-11-21 00:00:00,10\n2026-11-21 00:01:00,30\n2026-11-21 00:02:00,20\n"
    )
    day = {"file": "day.csv", "time": "time", "value": "price", "speed": 60.0, "stale": 2.0}
    replayed = feed(tmp_path, "csv", **day, low=10.0, high=30.0)
    unit = open_feed(replayed, lambda: 0.0)
    found = [values(unit, until)["feed.a"] for until in (0.0, 0.9, 1.0, 1.9, 2.0, 2.9, 3.0, 4.0)]
    assert found == [0, 0, 1, 1, 0.5, 0.5, 0, 1]  # a turn is three minutes: three seconds
    assert values(unit, 4.5)["feed.a.age"] == pytest.approx(0.5)
    again = open_feed(replayed, lambda: 0.0)
    assert values(again, 4.6) == values(unit, 4.6)


def test_rows_end_or_repeat(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("1,5\n2,x\n\n3,7\n")
    some = {"file": "some.csv", "value": "1", "every": 0.5, "loop": False, "stale": 1.0}
    unit = open_feed(feed(tmp_path, "csv", **some, low=0.0, high=10.0, otherwise="default"), lambda: 0.0)
    assert [values(unit, until)["feed.a"] for until in (0.0, 0.6, 1.0, 2.0, 2.1)] == [0.5, 0.5, 0.7, 0.7, 0]


@pytest.mark.parametrize(
    ("rows", "more", "fault"),
    [
        ("", {}, "has no rows"),
        ("a,b\n", {}, "has no rows"),
        ("a,b\n1,2\n", {"value": "c"}, "has no column 'c', it has a, b"),
        ("a,b\nx,2\n", {"time": "a"}, "column a has no times"),
    ],
)
def test_faults_of_rows_are_reported(rows: str, more: dict[str, str], fault: str, tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text(rows)
    with pytest.raises(ValueError, match=fault):
        open_feed(feed(tmp_path, "csv", file="some.csv", **more), lambda: 0.0)
    with pytest.raises(OSError, match=r"lost\.csv"):
        open_feed(feed(tmp_path, "csv", file="lost.csv"), lambda: 0.0)


def test_rows_of_one_moment_come_again_and_again(tmp_path: Path) -> None:
    (tmp_path / "still.csv").write_text("t,v\n5,1\n5,2\n")
    unit = open_feed(feed(tmp_path, "csv", file="still.csv", time="t", value="v", every=2.0), lambda: 0.0)
    assert [values(unit, until)["feed.a.age"] for until in (0.5, 1.5, 2.5)] == [0.5, 1.5, 0.5]


def test_feeds_open_stay_open_and_close_with_edits(tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text("1\n2\n")
    one = feed(tmp_path, "csv", "one", file="some.csv")
    two = feed(tmp_path, "artnet", "two", port=free_port())
    all_of_them = Feeds([one], lambda: 0.0)
    assert all_of_them.health().detail == "one"
    before = all_of_them.poll(0.5)
    assert before
    all_of_them.use([one, two])
    assert len(all_of_them) == 2
    assert all_of_them.health().state == "waiting"
    assert [event.name for event in all_of_them.poll(0.6)] == [event.name for event in before]
    with pytest.raises(OSError):
        all_of_them.use([feed(tmp_path, "csv", "three", file="lost.csv")])
    assert len(all_of_them) == 2
    all_of_them.use([])
    assert all_of_them.poll(1.0) == []


def test_what_an_edit_opened_is_closed_if_the_rest_of_it_fails(tmp_path: Path) -> None:
    new = feed(tmp_path, "artnet", "new", port=free_port())
    lost = feed(tmp_path, "csv", "lost", file="lost.csv")
    with pytest.raises(OSError, match=r"lost\.csv"):
        Feeds([new, lost], lambda: 0.0)
    eventually(lambda: "feed new" not in {thread.name for thread in threading.enumerate()})


SEMICOLONS = "t;v\r\n0;1,5\r\n1;2,5\r\n2;3,5\r\n"


@pytest.mark.parametrize(
    ("rows", "raw"),
    [
        (SEMICOLONS, [1.5, 2.5, 3.5]),
        ("\ufeff" + SEMICOLONS, [1.5, 2.5, 3.5]),
        ("t\tv\n0\t+1,5\n1\t2.5e0\n2\t3,5 W\n", [1.5, 2.5, 3.5]),
        ('t,v\n0,"1,5"\n1,"2,5"\n2,40 %\n', [1.5, 2.5, 40]),
        ("t;v\n0;ON\n1;OFF\n2;true\n", [1, 0, 1]),
        ("t;v\n0;1\u202f234,5\n1;\u22122\n2;7°C\n", [1234.5, -2, 7]),
    ],
)
def test_tables_of_any_country_are_read(rows: str, raw: list[float], tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_bytes(rows.encode())
    fed = feed(tmp_path, "csv", file="some.csv", time="t", value="v")
    unit = open_feed(fed, lambda: 0.0)
    assert [values(unit, until)["feed.a.raw"] for until in (0.0, 1.0, 2.0)] == raw
    assert check_table(fed) == []
    assert unit.health().detail == "feed a: 3 rows of some.csv"


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("t,v\n0,1\n1,two\n\n2,three\n", "column v: 2 of 3 cells are no numbers; row 3 has 'two'"),
        ("t,v\n0,1,5\n1,2,5\n", "row 2 has 3 cells for 2 columns: put numbers with decimal commas in quotes"),
        ("t,v\n0,1\nsoon,2\n", "column t: 1 of 2 cells are no times"),
    ],
)
def test_cells_that_are_no_numbers_are_told_with_their_column(rows: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text(rows)
    fed = feed(tmp_path, "csv", file="some.csv", time="t", value="v")
    (told,) = check_table(fed)
    assert told.startswith(f"{tmp_path / 'some.csv'}: {fault}")
    assert fault in open_feed(fed, lambda: 0.0).health().detail
    assert Feeds([fed], lambda: 0.0).health().detail.startswith(f"a, {fault}")
    assert check_all([fed.file]) == (1, [told])


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (b"t,v\n0,x\n1,y\n", "column v: 2 of 2 cells are no numbers; row 2 has 'x'"),
        (b"t,v\n0,\n1,NaN\n", "column v is empty"),
        ("t;v\n0;1\n".encode("utf-16"), "is UTF-16: save it as UTF-8"),
        ("t;v;ü\n0;1;2\n".encode("latin-1"), "line 1 has a letter that is not UTF-8: save it as UTF-8"),
    ],
)
def test_a_table_without_the_numbers_is_refused(rows: bytes, fault: str, tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_bytes(rows)
    fed = feed(tmp_path, "csv", file="some.csv", time="t", value="v")
    with pytest.raises(ValueError, match=re.escape(fault)):
        open_feed(fed, lambda: 0.0)
    checked, (told,) = check_all([fed.file])
    assert checked == 1 and fault in told and str(tmp_path / "some.csv") in told


def test_a_text_in_the_place_of_a_number_is_in_the_health(tmp_path: Path) -> None:
    with web_server() as served:
        served.answer = b'{"temp": "23,5 C", "state": "ON"}'
        fed = feed(
            tmp_path, "http", url=f"http://127.0.0.1:{served.server_address[1]}/", every=0.1, value="temp"
        )
        with closing(open_feed(fed, time.monotonic)) as unit:
            eventually(lambda: values(unit).get("feed.a.raw") == 23.5)
            assert unit.health().state == "ok"
            served.answer = b'{"temp": "unavailable", "light": 3}'
            eventually(lambda: unit.health().state == "waiting")
            assert "temp = 'unavailable' is no number" in unit.health().detail
            served.answer = b'{"temp": "24", "light": 3}'
            eventually(lambda: unit.health().state == "ok")
            assert "no number" not in unit.health().detail


def test_a_name_that_no_message_has_is_in_the_health(tmp_path: Path) -> None:
    with web_server() as served:
        served.answer = b'{"temperature": 20, "light": 3}'
        fed = feed(tmp_path, "http", url=f"http://127.0.0.1:{served.server_address[1]}/", value="temperatur")
        with closing(open_feed(fed, time.monotonic)) as unit:
            wanted = "there is no temperatur; did you mean temperature?"
            eventually(lambda: wanted in unit.health().detail)
            assert unit.health().state == "waiting"
