"""Values of packets: aliases, patterns, times, limits, and the newest value."""

import struct

import pytest

from perform.clock import wall
from perform.inputs.osc.limits import MOST_SENDERS, RateLimiter
from perform.inputs.osc.packets import BUNDLE, message
from perform.inputs.osc.receiver import LATEST_DUE, MOST_SCHEDULED, PATTERN_COST, OscReceiver
from perform.inputs.slots import MOST_NAMES
from perform.parameters import Parameter
from perform.scenes.nodes import Node
from perform.scenes.snapshot import Snapshot
from tests.doubles.boards import NODES, slot

ME = ("10.0.0.7", 5000)
SECONDS_1900_TO_1970 = 2_208_988_800


class Clock:
    """A show's time that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Heard:
    """A receiver, with its queries and the senders of its values."""

    def __init__(self, rate: float = 1e9) -> None:
        self.clock, self.slot = Clock(), slot()
        self.asked: list[tuple[tuple[str, int], list[str]]] = []
        self.set: list[tuple[tuple[str, int], str]] = []
        self.receiver = OscReceiver(
            self.clock,
            self.slot,
            lambda sender, addresses: self.asked.append((sender, list(addresses))),
            lambda sender, address: self.set.append((sender, address)),
            rate,
        )

    def hear(self, address: str, *arguments: float | str) -> None:
        self.receiver.receive(message(address, arguments), ME, answer=True)

    def said(self, until: float = 0.0) -> dict[str, object]:
        return {event.name[5:].replace('"]', ""): event.value for event in self.receiver.take(until)}


@pytest.fixture
def heard() -> Heard:
    return Heard()


def timed(due: float, *packets: bytes) -> bytes:
    tag = int((due + SECONDS_1900_TO_1970) * 2**32)
    sized = (struct.pack(">i", len(packet)) + packet for packet in packets)
    return BUNDLE + struct.pack(">Q", tag) + b"".join(sized)


def test_a_pattern_sets_every_matching_address(heard: Heard) -> None:
    heard.hear("/filter/{grade,grain}/[gs]*", 0.75)
    assert heard.said() == {"/filter/grade/gain": 0.75, "/filter/grain/size": 0.75}
    heard.hear("/filter/*/*/norm", 0.5)
    assert heard.said() == dict.fromkeys(
        ("/filter/grade/gain/norm", "/filter/grade/dark/norm", "/filter/grain/size/norm"), 0.5
    )
    heard.hear("/*", 1.0)  # no parameter is released or scaled that a pattern did not mean
    assert heard.said().keys() == {node.address for node in NODES if node.address.count("/") == 1}


def test_a_pattern_without_a_match_is_counted(heard: Heard) -> None:
    heard.hear("/nobody/*", 1.0)
    assert heard.said() == {}
    assert (heard.receiver.unmatched, heard.receiver.lost) == (1, 1)


@pytest.mark.parametrize(
    ("address", "value", "ours", "worth"),
    [
        ("/composition/master", 0.25, "/master", 0.25),
        ("/composition/layers/1/video/opacity", 0.5, "/master", 0.5),
        ("/composition/columns/3/connect", 1, "/scene/3", 1.0),
        ("/composition/tempocontroller/tempo", 0.25, "/tempo/bpm", 140.0),
        ("/composition/tempocontroller/tempotap", 1, "/tempo/tap", 1.0),
        ("/composition/tempocontroller/resync", 1, "/tempo/resync", 1.0),
        ("/composition/crossfader/phase", 0.5, "/crossfader", 0.5),
        ("/composition/video/opacity", 0.25, "/master", 0.25),
        ("/composition/bypassed", 1, "/blackout", 1.0),
        ("/composition/layers/2/video/opacity", 0.5, "/layer/2/opacity", 0.5),
        ("/composition/layers/2/bypassed", 1, "/layer/2/visible", 0.0),
        ("/composition/layers/2/bypassed", 0, "/layer/2/visible", 1.0),
        ("/composition/layers/2/clips/7/connect", 1, "/scene/7", 1.0),
        ("/composition/connectnextcolumn", 1, "/go", 1.0),
        ("/composition/connectprevcolumn", 1, "/back", 1.0),
        (
            "/composition/layers/2/clips/7/transport/position",
            1,
            "/composition/layers/2/clips/7/transport/position",
            1.0,
        ),
        ("/composition/recorder/record", 1, "/composition/recorder/record", 1.0),
        ("/1/fader1", 0.5, "/1/fader1", 0.5),
    ],
)
def test_resolume_addresses_are_translated(
    heard: Heard, address: str, value: float, ours: str, worth: float
) -> None:
    heard.hear(address, value)
    assert heard.said() == {ours: worth}


def test_the_words_of_resolume_before_a_number(heard: Heard) -> None:
    heard.hear("/composition/master", "a", 0.25)
    assert heard.said() == {"/master": 0.25}
    heard.hear("/composition/master", "+", 0.1)
    assert "/master" not in heard.said()
    heard.hear("/composition/master", "?")
    assert heard.asked == [(ME, ["/master"])]


def test_the_first_layer_of_resolume_is_ours_where_there_are_layers(heard: Heard) -> None:
    opacity = Parameter("opacity", 1.0, 0.0, 1.0)
    nodes = {"/layer/1/opacity": Node("/layer/1/opacity", opacity), **{one.address: one for one in NODES}}
    heard.slot.put(Snapshot(nodes))
    heard.hear("/composition/layers/1/video/opacity", 0.5)
    assert heard.said() == {"/layer/1/opacity": 0.5}


def test_an_address_of_resolume_that_a_formula_names_is_its_signal(heard: Heard) -> None:
    address = "/composition/layers/1/video/opacity"
    node = Node(address, Parameter("opacity", 0.0, 0.0, 1.0), in_formulas=True)
    heard.slot.put(Snapshot({address: node, **{one.address: one for one in NODES}}))
    heard.hear(address, 0.5)
    assert heard.said() == {address: 0.5}


def test_touchosc_pages_and_pads_are_signals(heard: Heard) -> None:
    heard.hear("/1/xy1", 0.25, 0.75)
    heard.hear("/1")
    assert heard.said() == {"/1/xy1": 0.25, "/1/xy1.1": 0.75, "/1": 1.0}


def test_a_query_is_passed_on_and_sets_nothing(heard: Heard) -> None:
    heard.hear("/filter/grade/*", "?")
    heard.hear("/master")  # a parameter with a value, and no value: a question too
    heard.hear("/go")  # a press
    heard.hear("/wild")  # formulas use it: a press
    assert heard.asked == [(ME, ["/filter/grade/gain", "/filter/grade/dark"]), (ME, ["/master"])]
    assert heard.said() == {"/go": 1.0, "/wild": 1.0}
    heard.receiver.receive(message("/master", ["?"]), ME)
    assert len(heard.asked) == 2


def test_the_sender_of_a_value_is_passed_on(heard: Heard) -> None:
    heard.hear("/master", 0.5)
    heard.hear("/sensor", 0.5)
    assert heard.set == [(ME, "/master"), (ME, "/sensor")]


def test_a_bundle_waits_for_its_time(heard: Heard) -> None:
    heard.clock.now = 100.0
    heard.receiver.receive(timed(wall() + 1.0, message("/master", [0.5]), message("/wild", [0.25])))
    assert heard.said(100.5) == {}
    assert heard.said(101.1) == {"/master": 0.5, "/wild": 0.25}
    assert heard.said(105.0) == {}


@pytest.mark.parametrize("ahead", [-3600.0, -0.1, LATEST_DUE + 60, 1e8])
def test_a_bundle_of_the_past_or_of_a_wrong_clock_takes_effect_immediately(
    heard: Heard, ahead: float
) -> None:
    heard.receiver.receive(timed(max(wall() + ahead, 0.0), message("/master", [0.5])))
    assert heard.said(0.0) == {"/master": 0.5}


def test_the_number_of_waiting_bundles_is_limited(heard: Heard) -> None:
    due = wall() + LATEST_DUE - 1
    for n in range(MOST_SCHEDULED + 10):
        heard.receiver.receive(timed(due, message("/master", [n / 10_000])))
    assert heard.said(0.0)["/master"] == pytest.approx((MOST_SCHEDULED + 9) / 10_000)
    assert len(heard.said(10.0)) == 1


def test_the_newest_of_ten_thousand_wins_and_all_are_counted(heard: Heard) -> None:
    for n in range(10_000):
        heard.hear(f"/fader/{n % 100}", (n + 1) / 10_000)
    said = heard.said()
    assert said == {f"/fader/{n}": pytest.approx((9_901 + n) / 10_000) for n in range(100)}
    assert (heard.receiver.received, heard.receiver.lost) == (10_000, 0)


def test_unknown_addresses_do_not_displace_those_of_the_show(heard: Heard) -> None:
    for n in range(MOST_NAMES + 50):
        heard.hear(f"/stranger/{n}", 1.0)
    heard.hear("/go")
    heard.hear("/filter/grade/gain/release")
    said = heard.said()
    assert said["/go"] == said["/filter/grade/gain/release"] == 1.0
    assert heard.receiver.lost == 50


def test_a_sender_over_its_rate_is_limited_and_others_are_not() -> None:
    heard = Heard(rate=100)
    for _ in range(200):
        heard.hear("/master", 0.5)
    assert heard.receiver.limited == 150
    heard.receiver.receive(message("/master", [0.75]), ("10.0.0.8", 5000))
    assert heard.said() == {"/master": 0.75}
    heard.clock.now = 0.1
    for _ in range(20):
        heard.hear("/master", 0.25)
    assert heard.receiver.limited == 160


def test_large_packets_and_patterns_count_more() -> None:
    heard = Heard(rate=1000)
    for _ in range(20):
        heard.hear("/filter/*/gain", 0.5)
    assert heard.receiver.limited == 20 - 500 // (PATTERN_COST + 1)
    assert heard.said() == {"/filter/grade/gain": 0.5}
    heard.clock.now = 10.0
    heard.receiver.receive(message("/a", ["x" * 48_000]), ME)  # a thousand messages' worth
    heard.clock.now = 10.4
    heard.hear("/master", 0.5)
    assert "/master" not in heard.said()
    heard.clock.now = 10.6
    heard.hear("/master", 0.5)
    assert heard.said() == {"/master": 0.5}


def test_the_rate_limiter_forgets_the_sender_silent_for_longest() -> None:
    limits = RateLimiter(1, 1)
    assert limits.allow("first", 1, 0.0)
    assert not limits.allow("first", 1, 0.0)
    for n in range(MOST_SENDERS):
        assert limits.allow(f"sender {n}", 1, 0.0)
    assert limits.allow("first", 1, 0.0)


def test_a_long_text_is_cut_and_an_infinite_number_is_rejected(heard: Heard) -> None:
    heard.hear("/title", "x" * 1000)
    heard.hear("/far", float("inf"))
    assert heard.said() == {"/title": "x" * 128}
    assert heard.receiver.garbage == 2


def test_waiting_values_are_limited_by_their_number(heard: Heard) -> None:
    """A frame takes all that is due: thousands of bundles of thousands of values would delay it."""
    due, room = wall() + LATEST_DUE - 1, MOST_SCHEDULED // 2000
    for n in range(50):
        heard.receiver.receive(timed(due, *[message(f"/{n}", [1.0])] * 2000), ME)
    assert heard.said().keys() == {f"/{n}" for n in range(room, 50)}  # at once
    assert heard.said(LATEST_DUE).keys() == {f"/{n}" for n in range(room)}
    heard.receiver.receive(timed(due, *[message("/a", [1.0])] * 2000), ME)
    assert heard.said() == {}
    assert heard.said(LATEST_DUE) == {"/a": 1.0}


def test_every_number_of_a_long_list_is_a_signal(heard: Heard) -> None:
    heard.hear("/raw", *(n / 512 for n in range(512)))
    said = heard.said()
    assert (len(said), said["/raw"], said["/raw.511"], heard.receiver.lost) == (512, 0.0, 511 / 512, 0)


@pytest.mark.parametrize(
    ("address", "argument", "value"),
    [
        ("/x", "0.25", 0.25),
        ("/x", " 1e-1 ", 0.1),
        ("/x", "2,5", 2.5),
        ("/x", "half", "half"),
        ("/x", "49W", "49W"),
        ("/master", "0.5", 0.5),
        ("/master", "50 %", 50.0),
        ("/blackout", "ON", 1.0),
        ("/latent/order", "twice", "twice"),
    ],
)
def test_a_number_as_text_is_a_number(heard: Heard, address: str, argument: str, value: object) -> None:
    heard.hear(address, argument)
    assert (heard.said(), heard.receiver.lost) == ({address: value}, 0)


@pytest.mark.parametrize(
    ("address", "arguments", "fault", "said"),
    [
        ("/master", ("half",), "/master: 'half', must be a number", {}),
        ("/master", (0.5, 0.25), "/master takes 1 value, 2 came", {"/master": 0.5, "/master.1": 0.25}),
        ("/x", (0.5, float("nan")), "/x: nan, must be a number", {"/x": 0.5}),
        ("/now/title", ("Ink",), "/now/title can only be read", {"/now/title": "Ink"}),
        ("/latent/order", ("thrice",), "/latent/order: 'thrice', must be one of once, twice", {}),
        ("/latent/order", (1.0,), "/latent/order: 1.0, must be one of once, twice", {}),
        ("/no body/*", (1.0,), "/no body/* matches no address", {}),
    ],
)
def test_what_is_dropped_is_counted_with_its_reason(
    heard: Heard, address: str, arguments: tuple[float | str, ...], fault: str, said: dict[str, object]
) -> None:
    heard.hear(address, *arguments)
    assert heard.said() == said
    assert (heard.receiver.lost, heard.receiver.fault) == (1, fault)
