"""Feedback: changes for clients that play, answers for clients that ask; the show never waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import pytest

from perform.clock import stopwatch
from perform.inputs.osc import Osc, feedback
from perform.inputs.osc.feedback import (
    FORGOTTEN_AFTER,
    MOST_CHANGES,
    MOST_CLIENTS,
    MOST_QUERIES,
    OWN_MOVES,
    ClientState,
    OscFeedback,
)
from perform.inputs.osc.packets import Message, message, messages
from perform.scenes.snapshot import Arguments, Snapshot, SnapshotSlot
from tests.doubles.boards import VALUES, Controller, Fixed, slot
from tests.doubles.waiting import TIMEOUT, eventually

NODES = Fixed().nodes


def test_a_listener_gets_all_values_once_and_then_changes() -> None:
    told = ClientState()
    assert dict(told.changes(NODES, VALUES, 0.0)) == VALUES
    assert told.changes(NODES, VALUES, 1.0) == []
    changed = {**VALUES, "/master": (0.5,), "/now/title": ("Plate",)}
    assert dict(told.changes(NODES, changed, 2.0)) == {"/master": (0.5,), "/now/title": ("Plate",)}


def test_a_number_is_sent_when_it_moves_by_a_thousandth_of_its_range() -> None:
    told = ClientState()
    told.changes(NODES, VALUES, 0.0)
    assert told.changes(NODES, {**VALUES, "/filter/grade/gain": (1.5039,)}, 1.0) == []
    assert told.changes(NODES, {**VALUES, "/filter/grade/gain": (1.5041,)}, 1.0) != []
    assert told.changes(NODES, {**VALUES, "/filter/grade/dark": (0.0, 0.25, 0.502, 1.0)}, 1.0) != []


def test_a_client_that_moves_a_fader_gets_its_value_only_afterwards() -> None:
    told = ClientState()
    told.changes(NODES, VALUES, 0.0)
    told.moving["/master"] = 1.0
    changed = {**VALUES, "/master": (0.5,)}
    assert told.changes(NODES, changed, 1.0 + OWN_MOVES / 2) == []
    assert told.changes(NODES, changed, 1.1 + OWN_MOVES) == [("/master", (0.5,))]


def test_many_changes_take_turns() -> None:
    told = ClientState()
    seen: set[str] = set()
    for frame in range(4):
        values = {f"/crowd/{n}": (float(frame),) for n in range(3 * MOST_CHANGES)}
        news = told.changes({}, values, float(frame))
        assert len(news) == MOST_CHANGES
        seen |= {address for address, _ in news}
    assert len(seen) == 3 * MOST_CHANGES


def test_a_removed_address_is_sent_again_when_it_returns() -> None:
    told = ClientState()
    told.changes(NODES, VALUES, 0.0)
    assert told.changes(NODES, {"/master": (1.0,)}, 1.0) == []
    assert len(told.changes(NODES, VALUES, 2.0)) == len(VALUES) - 1
    assert len(told.values) == len(VALUES)


class Post:
    """Keeps what was sent, or fails."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.fault: OSError | None = None

    def __call__(self, packet: bytes, target: tuple[str, int]) -> None:
        if self.fault:
            raise self.fault
        self.sent.append((packet, target))


def received(post: Post) -> list[Message]:
    return [one for packet, _ in post.sent for one in messages(packet)]


def holding(values: Mapping[str, Arguments]) -> SnapshotSlot:
    """A slot with these values."""
    made = SnapshotSlot()
    made.put(Snapshot(NODES, values))
    return made


def test_only_the_last_senders_get_feedback(monkeypatch: pytest.MonkeyPatch) -> None:
    out = OscFeedback(slot(), Post(), [("10.0.0.1", 9001)])
    try:
        for n in range(MOST_CLIENTS + 3):
            out.subscribe((f"10.0.1.{n}", 9000), "/master")
        out.subscribe(("10.9.9.9", 9000), "/sensor/1")  # a client that plays nothing gets nothing
        assert out.targets() == [
            ("10.0.0.1", 9001),
            *((f"10.0.1.{n}", 9000) for n in range(3, MOST_CLIENTS + 3)),
        ]
        monkeypatch.setattr(feedback, "stopwatch", lambda: stopwatch() + FORGOTTEN_AFTER + 1)
        eventually(lambda: out.targets() == [("10.0.0.1", 9001)], "the end of the senders")
    finally:
        out.close()


def test_an_unreachable_target_is_counted_and_retried() -> None:
    post = Post()
    post.fault = OSError("network is unreachable")
    out = OscFeedback(slot(), post, [("10.0.0.1", 9001)])
    try:
        eventually(lambda: out.failed)
        post.fault = None
        out.answer(("10.0.0.2", 9000), ["/master"])
        eventually(lambda: any(target == ("10.0.0.2", 9000) for _, target in post.sent))
    finally:
        out.close()


def test_packets_are_small_and_values_have_the_types_of_their_parameters() -> None:
    post, all_of_it = Post(), Fixed()
    crowd = {f"/crowd/{'x' * 60}/{n}": (float(n),) for n in range(MOST_CHANGES - len(VALUES))}
    values = {**VALUES, **crowd}
    told = OscFeedback(holding(values), post, [("10.0.0.1", 9001)])
    eventually(lambda: len(received(post)) == len(values), "the values")
    told.close()
    assert len(post.sent) > 1
    assert all(len(packet) <= 1400 for packet, _ in post.sent)
    assert len(received(post)) == MOST_CHANGES
    values = {one.address: one.arguments for one in received(post)}
    assert all(values[address] == value for address, value in crowd.items())
    assert values["/blackout"] == (False,)
    assert type(values["/blackout"][0]) is bool
    assert type(values["/filter/grain/size"][0]) is int
    assert values["/filter/grade/dark"] == all_of_it.values["/filter/grade/dark"]


def test_a_whole_number_too_large_for_32_bits_is_sent_as_a_float() -> None:
    post = Post()
    out = OscFeedback(holding({"/filter/grain/size": (4e9,)}), post, [("10.0.0.1", 9001)])
    eventually(lambda: post.sent, "the number")
    out.close()
    assert received(post)[0].arguments == (4e9,)


def test_of_too_many_queries_the_newest_are_answered() -> None:
    post, go = Post(), threading.Event()

    def slow(packet: bytes, target: tuple[str, int]) -> None:
        go.wait(TIMEOUT)
        post(packet, target)

    out = OscFeedback(slot(), slow)
    for address in ("/master", "/now/title", "/latent/order"):
        out.answer(("10.0.0.1", 9001), [address] * MOST_QUERIES)
    out.answer(("10.0.0.1", 9001), ["/blackout"])
    go.set()
    eventually(lambda: any(one.address == "/blackout" for one in received(post)), "the last answer")
    out.close()
    answered = [one.address for one in received(post)]
    assert MOST_QUERIES <= len(answered) <= MOST_QUERIES + 1  # the first one may be on its way
    assert answered[-MOST_QUERIES:] == ["/latent/order"] * (MOST_QUERIES - 1) + ["/blackout"]


@pytest.fixture
def unit() -> Iterator[Osc]:
    unit = Osc(port=0, now=lambda: 1.0)
    yield unit
    unit.close()


@pytest.fixture
def controllers() -> Iterator[list[Controller]]:
    made = [Controller() for _ in range(3)]
    yield made
    for one in made:
        one.close()


def test_a_query_over_the_network_gets_its_answer(unit: Osc, controllers: list[Controller]) -> None:
    unit.update(0.0, Fixed().snapshot)
    controllers[0].send(message("/filter/grade/*", ["?"]), unit.port)
    controllers[1].send(message("/now/title", []), unit.port)
    eventually(lambda: len(controllers[0].newest()) == 2 and controllers[1].newest())
    assert controllers[0].newest() == {
        "/filter/grade/gain": (1.5,),
        "/filter/grade/dark": (0.0, 0.25, 0.5, 1.0),
    }
    assert controllers[1].newest() == {"/now/title": ("Ink",)}
    assert controllers[2].newest() == {}


def test_two_controllers_on_the_network_agree(unit: Osc, controllers: list[Controller]) -> None:
    show = Fixed()
    unit.update(0.0, show.snapshot)
    for controller in controllers[:2]:
        controller.send(message("/master", [1.0]), unit.port)
    eventually(lambda: all(len(one.newest()) == len(VALUES) for one in controllers[:2]), "everything, once")
    controllers[0].send(message("/master", [0.25]), unit.port)
    show.values["/master"] = (0.25,)
    unit.update(1.0, show.snapshot)
    eventually(lambda: controllers[1].newest()["/master"] == (0.25,))
    assert controllers[2].newest() == {}


def test_fixed_targets_get_feedback_before_they_send_anything(controllers: list[Controller]) -> None:
    unit = Osc(port=0, now=lambda: 1.0, feedback=[controllers[0].address])
    try:
        unit.update(0.0, Fixed().snapshot)
        eventually(lambda: controllers[0].newest().keys() == VALUES.keys())
    finally:
        unit.close()


def test_an_unknown_host_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    Osc(port=0, now=lambda: 1.0, feedback=[("no such host", 9001)]).close()
    assert "osc: no such host gets no feedback" in caplog.text
