from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from perform.clock import LiveClock, stopwatch
from perform.inputs.osc import Osc
from perform.inputs.osc.receiver import OscReceiver
from perform.inputs.slots import MOST_NAMES, Slots
from perform.scenes.snapshot import SnapshotSlot
from tests.doubles.waiting import TIMEOUT, eventually

MESSAGES = [("/a", [0.5]), ("/sensor/1", [3, "x", 7.25, True]), ("/go", []), ("/title", ["flora"])]


def message(address: str, *arguments: object) -> OscMessage:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)  # type: ignore[arg-type]
    return builder.build()


@pytest.fixture
def listening() -> Iterator[Osc]:
    unit = Osc(port=0, now=lambda: 1.0, rate=1e9)
    yield unit
    unit.close()


def said(unit: Osc) -> dict[str, object]:
    return {event.name: event.value for event in unit.poll(1.0)}


def test_messages_over_the_net_become_events(listening: Osc) -> None:
    client = SimpleUDPClient("127.0.0.1", listening.port)
    for address, arguments in MESSAGES:
        client.send_message(address, arguments)
    eventually(lambda: listening.receiver.received == len(MESSAGES))
    assert said(listening) == {
        'osc["/a"]': 0.5,
        'osc["/sensor/1"]': 3.0,
        'osc["/sensor/1"].1': "x",
        'osc["/sensor/1"].2': 7.25,
        'osc["/sensor/1"].3': 1.0,
        'osc["/go"]': 1.0,
        'osc["/title"]': "flora",
    }
    assert said(listening) == {'osc["/go"]': 0.0}
    assert said(listening) == {}
    assert listening.receiver.garbage == 0


def test_the_newest_value_wins_and_a_press_is_not_lost(listening: Osc) -> None:
    for value in (0.1, 0.2, 0.3):
        listening.receive(message("/fader", value).dgram)
    for value in (1.0, 0.0, 1.0):
        listening.receive(message("/button", value).dgram)
    assert said(listening) == {'osc["/fader"]': pytest.approx(0.3), 'osc["/button"]': 1.0}
    assert said(listening) == {'osc["/button"]': 0.0}
    assert said(listening) == {'osc["/button"]': 1.0}


def test_a_bundle_is_one_moment(listening: Osc) -> None:
    bundle = OscBundleBuilder(IMMEDIATELY)  # type: ignore[arg-type]
    bundle.add_content(message("/x", 0.25))
    bundle.add_content(message("/y", 0.75))
    listening.receive(bundle.build().dgram)
    events = listening.poll(1.0)
    assert {event.name: event.value for event in events} == {'osc["/x"]': 0.25, 'osc["/y"]': 0.75}
    assert len({event.time for event in events}) == 1


def test_invalid_values_are_dropped_and_counted(listening: Osc) -> None:
    for packet in (
        b"",
        b"/no/types",
        message("/nan", float("nan")).dgram,
        message("/blob", b"\0\1\2").dgram,
        message('/quo"te', 1.0).dgram,
        message("/long" * 100, 1.0).dgram,
        message("/\n", 1.0).dgram,
    ):
        before = listening.receiver.garbage
        listening.receive(packet)
        assert listening.poll(1.0) == []
        assert listening.receiver.garbage == before + 1
    assert "7 messages dropped" in listening.health().detail


def test_twenty_thousand_random_packets_do_no_harm(listening: Osc) -> None:
    random = np.random.default_rng(4)
    whole = message("/sensor/1", 3, "x", 7.25).dgram
    for n in range(20_000):
        packet = bytearray(random.bytes(int(random.integers(0, 64))))
        if n % 2:
            packet = bytearray(whole)
            for at in random.integers(0, len(packet), 3):
                packet[at] = int(random.integers(0, 256))
        listening.receive(bytes(packet))
        if n % 100 == 0:
            assert all(event.name.startswith('osc["/') for event in listening.poll(1.0))
    listening.receive(whole)
    assert said(listening)['osc["/sensor/1"]'] == 3.0
    assert 0 < listening.receiver.garbage < 20_000


@given(st.binary(max_size=200))
def test_no_packet_raises_an_exception(packet: bytes) -> None:
    for prefix in (b"", b"#bundle\0\0\0\0\0\0\0\0\1", b"/a\0\0,"):
        ear = OscReceiver(lambda: 0.0, SnapshotSlot())
        ear.receive(prefix + packet)
        ear.take(1.0)


def test_a_flood_of_addresses_is_limited() -> None:
    slots = Slots()
    for n in range(MOST_NAMES + 100):
        slots.put(0.0, f"osc.{n}", 1.0)
    slots.put(0.0, "osc.0", 0.0)
    assert slots.dropped == 100
    assert len(slots.take(1.0)) == MOST_NAMES
    assert [event.name for event in slots.take(1.0)] == ["osc.0"]


def test_slots_keep_only_the_last_turns() -> None:
    slots = Slots()
    for n in range(101):
        slots.put(0.0, "key.a", float(n % 2))
    values = [event.value for _ in range(20) for event in slots.take(1.0)]
    assert values == [0.0, 1.0, 0.0]


FLOOD = """
import socket, struct, sys, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
out, sent, began = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0, time.monotonic()
while sent < 10_000 * seconds:
    for _ in range(20):
        sent += 1
        address = f"/flood/{sent % 100}".encode()
        address += bytes(4 - len(address) % 4)
        out.sendto(address + b",f\\0\\0" + struct.pack(">f", sent), ("127.0.0.1", port))
    time.sleep(max(began + sent / 10_000 - time.monotonic(), 0))
print(sent)
"""


def test_ten_thousand_messages_a_second_are_received_and_the_newest_wins() -> None:
    seconds = 60.0 if os.environ.get("PERFORM_SOAK") else 1.0
    unit, newest, most = Osc(port=0, now=stopwatch), dict[str, object](), 0
    command = [sys.executable, "-c", FLOOD, str(unit.port), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:

        def frame() -> None:
            nonlocal most
            events = unit.poll(stopwatch())
            most = max(most, len(events))
            newest.update({event.name: event.value for event in events})

        resident, clock = [], LiveClock(60)
        while flood.poll() is None:
            clock.advance()
            frame()
            resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        assert flood.stdout
        sent = int(flood.stdout.read())
    eventually(lambda: unit.receiver.received + unit.receiver.overrun == sent, "every packet", frame)
    frame()
    unit.close()
    assert unit.receiver.overrun < sent / 2
    assert newest == {f'osc["/flood/{n % 100}"]': float(n) for n in range(sent - 99, sent + 1)}
    assert most <= 100
    assert unit.receiver.lost == unit.receiver.overrun
    assert resident[-1] - resident[len(resident) // 4] < 8 * 1024  # KiB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what it had no room for")
def test_packets_that_the_system_drops_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Osc(port=0, now=lambda: 1.0, rate=1e9)
    client, packet = SimpleUDPClient("127.0.0.1", unit.port), message("/a", 1.0).dgram
    go, receive = threading.Event(), unit.receiver.receive

    def stalled(*of: Any, **more: Any) -> None:
        go.wait(TIMEOUT)
        receive(*of, **more)

    monkeypatch.setattr(unit.receiver, "receive", stalled)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
        for _ in range(30_000):
            flood.sendto(packet, ("127.0.0.1", unit.port))
    go.set()
    eventually(lambda: unit.receiver.received > 1000)
    eventually(
        lambda: unit.receiver.received + unit.receiver.overrun > 30_000,
        "the count",
        step=lambda: client.send_message("/last", 1.0),
    )
    unit.close()
    assert unit.receiver.overrun > 0
    assert f"{unit.receiver.overrun} messages dropped" in unit.health().detail


@pytest.mark.parametrize("fault", [OSError("the network is down"), ZeroDivisionError(), RecursionError()])
def test_it_continues_to_listen_after_any_packet(
    listening: Osc, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    hear, faults = listening.receiver.receive, [fault]

    def heard(packet: bytes, sender: tuple[str, int], answer: bool) -> None:
        if faults:
            raise faults.pop()
        hear(packet, sender, answer)

    monkeypatch.setattr(listening.receiver, "receive", heard)
    client = SimpleUDPClient("127.0.0.1", listening.port)
    eventually(lambda: listening.receiver.received > 0, "a packet", lambda: client.send_message("/a", 1.0))
    assert not faults


def test_a_port_in_use_is_reported() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"osc: 127.0.0.1:{port} cannot be listened to"):
            Osc(port=port, now=lambda: 0.0)
