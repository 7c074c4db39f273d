"""Garbage on every input: nothing escapes, nothing hangs, and valid data is received after it.

PERFORM_SOAK=1: a million of each, and a hundred reconnections of each device.
"""

from __future__ import annotations

import json
import os
import pty
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import mido
import numpy as np
import pytest

from perform import show
from perform.clock import stopwatch
from perform.inputs.feeds import Report, dmx
from perform.inputs.feeds.dmx import art_net, sacn
from perform.inputs.feeds.document import Http
from perform.inputs.feeds.http import Page
from perform.inputs.feeds.live import Feeds, open_feed
from perform.inputs.feeds.messages import LONGEST_LINE, LONGEST_MESSAGE, Fields, chosen, numbers
from perform.inputs.feeds.serial import LineSplitter
from perform.inputs.midi import Midi
from perform.library import Library
from perform.rig import Rig
from perform.signals import LARGEST, Event
from tests.doubles.feeds import art, broker, e131, feed, free_port, values, web_server
from tests.doubles.library import save, write_library
from tests.doubles.waiting import eventually, needs

SOAK = os.environ.get("PERFORM_SOAK") == "1"
COUNT = 1_000_000 if SOAK else 3_000
FLAPS = 100 if SOAK else 3
POLLED = 500  # pieces between two polls
RUNAWAY = 20.0  # seconds that nothing here takes, unless something backtracks


class Garbage:
    """Bytes from a seed: noise, and good ones that were cut, repeated, put together or flipped."""

    def __init__(self, seed: int, *good: bytes) -> None:
        self._draw, self._good = np.random.default_rng(seed), good

    def __call__(self, longest: int = 96) -> bytes:
        draw, kind = self._draw, int(self._draw.integers(5))
        if kind == 0:
            return bytes(draw.bytes(int(draw.integers(longest))))
        piece = bytearray(self._good[int(draw.integers(len(self._good)))])
        if kind == 1:
            piece = piece[: int(draw.integers(len(piece) + 1))]
        if kind == 2:
            piece += self._good[int(draw.integers(len(self._good)))]
        if kind == 3:
            at, until = sorted(int(n) for n in draw.integers(0, len(piece) + 1, 2))
            piece = piece[:until] + piece[at:]
        for at in draw.integers(0, max(len(piece), 1), int(draw.integers(1, 5))):
            if piece:
                piece[int(at)] = int(draw.integers(256))
        return bytes(piece)


def heard(events: list[Event]) -> dict[str, object]:
    """Check that the values of garbage are valid on a frame."""
    for event in events:
        finite = isinstance(event.value, str) or np.all(np.abs(event.value) < LARGEST)
        assert finite and event.name and event.time == event.time, event
    return {event.name: event.value for event in events}


def test_any_osc_packet_is_read_or_rejected() -> None:
    from perform.inputs.osc.packets import message
    from perform.inputs.osc.receiver import OscReceiver
    from perform.scenes.snapshot import SnapshotSlot

    whole = message("/sensor/1", [3, "x", 7.25])
    bundle = b"#bundle\0" + bytes(7) + b"\1" + len(whole).to_bytes(4, "big") + whole
    nested = b"#bundle\0" + bytes(7) + b"\1" + len(bundle).to_bytes(4, "big") + bundle
    others = [
        message("/a*", [1.0]),
        message("/{b,c}/[0-9]?", [True]),
        message("/x", ["?"]),
        message("/go", []),
    ]
    garbage = Garbage(1, whole, bundle, nested, *others)
    told: list[object] = []
    ear = OscReceiver(lambda: 1.0, SnapshotSlot(), lambda *asked: told.append(asked), rate=1e12)
    for n in range(COUNT):
        ear.receive(garbage(), ("127.0.0.1", n % 65_536), answer=True)
        if n % POLLED == 0:
            heard(ear.take(1.0))
            told.clear()
    assert 0 < ear.garbage < 2 * COUNT
    for _ in range(8):  # values of the valid parts of the garbage
        heard(ear.take(1.0))
    ear.receive(whole)
    assert heard(ear.take(1.0))['osc["/sensor/1"]'] == 3.0


def test_any_serial_line_is_read_or_ignored() -> None:
    good = (b'{"a": {"b": [1, 2.5]}}\r\n', b"light=3, heat: 4.5\n", b"1;2;3\n", b"17\n", b"\n")
    garbage, lines, count = Garbage(3, *good), LineSplitter(), 0
    for _ in range(COUNT):
        for line in lines.cut(garbage()):
            assert len(line) <= LONGEST_LINE
            count += 1
            checked(numbers(line))
    lines.cut(b"\n")
    assert [numbers(line) for line in lines.cut(b"light=3\n")] == [{"light": 3.0}]
    assert count > COUNT // 10


def test_any_body_is_read_or_ignored() -> None:
    bodies = ({"a": [1, 2, {"b": "3.5"}]}, [[[[1]]]], {"price": 6e4, "name": "x", "n": None}, 5, "7", True)
    garbage = Garbage(4, *(json.dumps(body).encode() for body in bodies), b"NaN", b"[1e999, -Infinity]")
    for _ in range(COUNT):
        checked(numbers(garbage().decode(errors="replace")))


def checked(found: Fields) -> None:
    assert all(-LARGEST < value < LARGEST for value in found.values() if isinstance(value, float))
    assert chosen(found, "a.b") in (*found.values(), None)


@pytest.mark.parametrize(("parse", "frame"), [(art_net, art), (sacn, e131)])
def test_any_lighting_frame_is_read_or_ignored(
    parse: Callable[[bytes], tuple[int, bytes]], frame: Callable[[int, bytes], bytes]
) -> None:
    garbage = Garbage(5, frame(7, bytes(range(24))), frame(0, b""), frame(63_999, bytes(512)))
    for _ in range(COUNT):
        universe, levels = parse(garbage())
        assert 0 <= universe < 65_536 and len(levels) <= 512
    assert parse(frame(7, b"\1\2")) == (7, b"\1\2")


def test_numbers_are_searched_in_linear_time() -> None:
    """Lines on which patterns backtracked: 0.1 to 0.2 s each, and the picture waited."""
    nasty = ("a", " ", "1", "a1", "a.", "a=", "a= ", "1.", "-1e", "[", '{"a":', "a " + " " * 50, "=")
    began = stopwatch()
    for text in nasty:
        long = (text * LONGEST_LINE)[:LONGEST_LINE]
        for line in (long, "a" * 2048 + " " * 2048, "a=" + long, long + "x", "1" * 4000 + long):
            for _ in range(20):
                checked(numbers(line))
    assert stopwatch() - began < RUNAWAY


def test_a_message_too_long_or_too_deep_gives_nothing() -> None:
    assert numbers("1" * (LONGEST_MESSAGE + 1)) == {}
    assert numbers("[" * LONGEST_MESSAGE) == {}
    assert numbers("[" * 500_000 + "1" + "]" * 500_000) == {}
    assert len(numbers(json.dumps([[n] * 300 for n in range(300)]))) == 256 * 256


def test_any_midi_bytes_are_read_or_ignored() -> None:
    from perform.inputs.midi.parser import MidiParser

    good = [mido.Message("note_on", note=60, velocity=3), mido.Message("control_change", control=7, value=9)]
    good += [mido.Message("pitchwheel", pitch=-8192), mido.Message("program_change", program=5)]
    good += [mido.Message("sysex", data=(1, 2, 3)), mido.Message("clock"), mido.Message("songpos", pos=9)]
    nrpn = [mido.Message("control_change", control=c, value=1) for c in (99, 98, 6, 38)]
    garbage = Garbage(6, *(bytes(one.bytes()) for one in (*good, *nrpn)))
    unit = Midi([], lambda: 1.0, "tests.no_midi")
    stream, count = MidiParser(), 0
    try:
        for n in range(COUNT):
            for one in stream.feed(garbage(12)):
                unit.receive("port", mido.Message.from_bytes(one))
                count += 1
            if n % POLLED == 0:
                heard(unit.poll(1.0))
        for _ in range(8):
            heard(unit.poll(1.0))
        unit.receive("port", mido.Message("control_change", control=16, value=127))
        assert heard(unit.poll(1.0))["midi.cc16"] == 1.0
        assert count > COUNT // 4
    finally:
        unit.close()


def test_a_lighting_frame_is_read_after_garbage_on_the_network(tmp_path: Path) -> None:
    port = free_port()
    unit = open_feed(feed(tmp_path, "artnet", port=port, universe=7, value="2", low=0.0, high=1.0), stopwatch)
    garbage = Garbage(7, art(7, bytes(8)), art(6, bytes(512)))
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as desk:
        for _ in range(COUNT // 10):
            desk.sendto(garbage(), ("127.0.0.1", port))
        eventually(
            lambda: values(unit, stopwatch()).get("feed.a") == pytest.approx(0.2),
            step=lambda: desk.sendto(art(7, bytes([0, 51])), ("127.0.0.1", port)),
        )
    unit.close()


def test_a_page_is_read_after_garbage_over_http() -> None:
    garbage = Garbage(8, b'{"price": 3}', b"[1, 2", b"\xff\xfe" + b"1" * 70)
    closed, read = threading.Event(), 0
    with web_server() as answering:
        page = Page(Http(kind="http", url=f"http://127.0.0.1:{answering.server_address[1]}/", timeout=5.0))
        for _ in range(COUNT // 30):
            answering.answer = garbage()
            with suppress(ValueError, OSError):
                checked(page.request(closed))
                read += 1
        answering.answer = b'{"price": 6}'
        assert page.request(closed) == {"price": 6.0}
    assert 0 < read < COUNT // 30


@contextmanager
def show_of(folder: Path, kind: str, **settings: object) -> Iterator[Rig]:
    """A show of one shader, whose red is the value of the feed."""
    write_library(folder)
    fallback = {"low": 0.0, "high": 1.0, "stale": 0.2, "otherwise": "default", "default": 0.125}
    (folder / "feeds").mkdir()
    feed(folder / "feeds", kind, **fallback, **settings)
    scene = 'title = "Flapping"\n[generator]\nshader = "colour"\ntint = ["feed.a", 0, 0, 1]\n'
    save(folder / "presets/flapping.toml", scene + "[transition]\nbeats = 0\n")
    options = show.Options("flapping", size=(64, 36), headless=True, osc_port=0, fps=60, watch=False)
    rig = show.play(options, Library(folder))
    try:
        for _ in range(3):  # the first frames compile the shaders
            rig.frame()
        yield rig
        assert not rig.stage.faults.counts and len(rig.inputs) > 1
    finally:
        rig.close()


def flapped(rig: Rig, value: float, report: Callable[[], object], there: Callable[[], object]) -> None:
    """Frames until the picture follows a device that has returned; then until it is stale. `there`: whether
    it can be heard at all, which takes programs their time."""

    def red() -> float:
        return rig.performance.signals.number("feed.a", -1.0)

    eventually(there, "the device", rig.frame)

    def frame() -> None:
        report()
        rig.frame()

    eventually(lambda: red() == pytest.approx(value, abs=0.01), "the value", frame)


def went(rig: Rig) -> None:
    """Frames until the value of the device is stale: it falls back as its feed defines."""
    eventually(lambda: rig.performance.signals.number("feed.a") == 0.125, "the default", rig.frame)


def test_a_serial_port_reconnects(tmp_path: Path) -> None:
    link = tmp_path / "tty"
    with show_of(tmp_path, "serial", device=str(link)) as rig:
        for n in range(FLAPS):
            ours, theirs = pty.openpty()
            link.symlink_to(os.ttyname(theirs))
            value = n % 7 / 10 + 0.3
            flapped(rig, value, lambda: os.write(ours, b"\xff\n%.2f\nx" % value), lambda: True)  # noqa: B023
            link.unlink()
            os.close(ours)
            os.close(theirs)
            went(rig)


def test_a_page_reconnects_and_hangs(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with show_of(tmp_path, "http", url=url, value="price", every=0.1, timeout=0.3) as rig:
        for n in range(FLAPS):
            with web_server(port) as page:
                value = n % 7 / 10 + 0.3
                page.answer = b'{"price": %.2f}' % value
                flapped(rig, value, lambda: None, lambda: True)
            with closing(
                socket.create_server(("127.0.0.1", port))
            ):  # it accepts connections and answers nothing
                went(rig)


def test_a_broker_reconnects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from paho.mqtt import publish

    monkeypatch.setenv("PATH", os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")
    needs("mosquitto")
    port = free_port()

    def report(value: float) -> bool:
        try:
            publish.single("room", str(value), hostname="127.0.0.1", port=port, retain=True)
        except OSError:
            return False
        return True

    with show_of(tmp_path, "mqtt", topic="room", port=port) as rig:
        for n in range(FLAPS if SOAK else 2):
            value = n % 7 / 10 + 0.3
            with broker(port, tmp_path):
                flapped(rig, value, lambda: None, lambda: report(value))  # noqa: B023
            went(rig)


@pytest.mark.parametrize(("kind", "packet"), [("artnet", art), ("sacn", e131)])
def test_a_lighting_desk_reconnects(kind: str, packet: Callable[[int, bytes], bytes], tmp_path: Path) -> None:
    port = free_port()
    with show_of(tmp_path, kind, port=port, universe=7) as rig:
        for n in range(FLAPS):
            level = 60 + n % 7
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as desk:
                frame = packet(7, bytes([level, 0]))
                flapped(rig, level / 255, lambda: desk.sendto(frame, ("127.0.0.1", port)), lambda: True)  # noqa: B023
            went(rig)


def test_an_edit_does_not_wait_for_a_feed_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, leave = threading.Event(), threading.Event()

    class Hung:
        def listen(self, report: Report, closing: threading.Event) -> None:
            leave.wait(RUNAWAY)
            left.set()

    monkeypatch.setattr(dmx, "Universe", lambda settings: Hung())
    feeds = Feeds([feed(tmp_path, "artnet", port=free_port())], stopwatch)
    feeds.use([])
    assert not left.is_set()  # its thread has five seconds
    leave.set()
