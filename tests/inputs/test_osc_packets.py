"""OSC packets: the examples of the specification, python-osc as the other side, and garbage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from perform.inputs.osc.packets import (
    BUNDLE,
    DEEPEST_BUNDLE,
    MOST_ARGUMENTS,
    Message,
    PacketError,
    bundle,
    message,
    messages,
)

# Both are given byte by byte in "OSC Message Examples" of the specification.
FREQUENCY = bytes.fromhex("2f6f7363696c6c61746f722f342f6672657175656e637900 2c660000 43dc0000")
FOO = bytes.fromhex("2f666f6f00000000 2c69697366660000 000003e8 ffffffff 68656c6c6f000000 3f9df3b6 40b5b22d")
SECONDS_1900_TO_1970 = 2_208_988_800
TEXT = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=20)
ARGUMENTS = st.lists(
    st.one_of(
        st.floats(width=32, allow_nan=False, allow_infinity=False),
        st.integers(-(2**31), 2**31 - 1),
        st.booleans(),
        TEXT,
    ),
    max_size=12,
)


def tagged(types: str, *values: bytes) -> bytes:
    builder = b"/a\0\0" + f",{types}".encode()
    return builder + b"\0" * (4 - len(builder) % 4) + b"".join(values)


def timed(seconds_since_1970: float, *packets: bytes) -> bytes:
    tag = int((seconds_since_1970 + SECONDS_1900_TO_1970) * 2**32)
    sized = (struct.pack(">i", len(packet)) + packet for packet in packets)
    return BUNDLE + struct.pack(">Q", tag) + b"".join(sized)


def test_the_examples_of_the_specification_are_read() -> None:
    assert messages(FREQUENCY) == [Message("/oscillator/4/frequency", (440.0,))]
    (foo,) = messages(FOO)
    assert foo.address == "/foo"
    assert foo.arguments[:3] == (1000, -1, "hello")
    assert foo.arguments[3:] == pytest.approx((1.234, 5.678))
    assert message("/oscillator/4/frequency", [440.0]) == FREQUENCY
    assert message("/foo", foo.arguments) == FOO  # type: ignore[arg-type]


@given(ARGUMENTS)
def test_packets_of_python_osc_are_read_and_ours_are_read_by_it(arguments: list[float | str]) -> None:
    builder = OscMessageBuilder("/a/b")
    for argument in arguments:
        builder.add_arg(argument)
    assert messages(builder.build().dgram) == [Message("/a/b", tuple(arguments))]
    heard = OscMessage(message("/a/b", arguments))
    assert (heard.address, heard.params) == ("/a/b", arguments)


def test_other_argument_types_are_read() -> None:
    assert messages(tagged("TFNI")) == [Message("/a", (True, False))]
    assert messages(tagged("r", b"\xff\x00\x33\xff")) == [Message("/a", (1.0, 0.0, 0.2, 1.0))]
    assert messages(tagged("[ii]", struct.pack(">ii", 1, 2))) == [Message("/a", (1, 2))]
    assert messages(tagged("hd", struct.pack(">qd", 2**40, 0.1))) == [Message("/a", (2**40, 0.1))]
    blob = struct.pack(">i", 3) + b"abc\0"
    assert messages(tagged("bi", blob, struct.pack(">i", 7))) == [Message("/a", (None, 7))]
    assert messages(b"/a\0\0") == [Message("/a")]


def test_bundles_have_a_time_and_contain_bundles() -> None:
    inner = timed(2000.5, message("/b", [2]), message("/c", [3]))
    assert messages(timed(1000.25, message("/a", [1]), inner)) == [
        Message("/a", (1,), 1000.25),
        Message("/b", (2,), 2000.5),
        Message("/c", (3,), 2000.5),
    ]
    assert messages(bundle([message("/a", [1])])) == [Message("/a", (1,))]
    assert messages(timed(1000, bundle([message("/a", [1])])))[0].due == 1000
    assert messages(BUNDLE + bytes(8)) == []


def test_nested_bundles_have_a_depth_limit() -> None:
    packet = message("/a", [1])
    for _ in range(DEEPEST_BUNDLE):
        packet = bundle([packet])
    assert messages(packet) == [Message("/a", (1,))]
    dropped: list[str] = []
    assert messages(bundle([packet]), dropped.append) == []
    assert dropped == ["more than 8 bundles within each other"]


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"/",
        b"no types\0\0\0\0",
        b"#bun\0\0\0\0,\0\0\0",
        tagged("f", b"\x3f\x00"),
        tagged("ff", struct.pack(">f", 1.0)),
        tagged("fs", b"\x3f\x00"),
        tagged("d", struct.pack(">f", 1.0)),
        tagged("f", struct.pack(">ff", 1.0, 2.0)),
        b"/a\0\0i\0\0\0\0\0\0\1",
        tagged("i"),
        tagged("x", bytes(4)),
        tagged("s", b"abc"),
        tagged("b", struct.pack(">i", 1000), bytes(4)),
        b"/\xff\xfe\0",
        BUNDLE,
        BUNDLE + bytes(4),
        BUNDLE + bytes(8) + struct.pack(">i", 100) + b"/a\0\0",
        BUNDLE + bytes(8) + struct.pack(">i", -4) + b"/a\0\0",
        BUNDLE + bytes(8) + bytes(4),
        BUNDLE + bytes(8) + b"\0\0",
    ],
)
def test_garbage_is_reported(packet: bytes) -> None:
    with pytest.raises(PacketError):
        messages(packet)


@given(st.binary(max_size=400), st.sampled_from([b"", b"#bundle\0" + bytes(7) + b"\1", b"/a\0\0,", b"/*{[,"]))
def test_any_bytes_raise_only_packet_errors(rest: bytes, first: bytes) -> None:
    try:
        found = messages(first + rest)
    except PacketError:
        return
    assert all(isinstance(one, Message) for one in found)


def test_an_invalid_message_to_send_is_reported() -> None:
    with pytest.raises(PacketError, match="/a: "):
        message("/a", [1e39])


@pytest.mark.parametrize(
    ("packet", "heard"),
    [
        ("6e6f6465000000002c6600003f000000", [Message("/node", (0.5,))]),
        ("2f626c61636b6f75742f00002c69000000000001", [Message("/blackout", (1,))]),
        ("2f7800002c730000302e323500000000", [Message("/x", ("0.25",))]),
        ("2f6d61737465722f000000002c6600003f000000", [Message("/master", (0.5,))]),
    ],
)
def test_an_address_without_its_first_slash_or_with_a_last_one(packet: str, heard: list[Message]) -> None:
    assert messages(bytes.fromhex(packet)) == heard


def test_of_a_bundle_only_the_message_that_cannot_be_read_is_left_out() -> None:
    a, c = message("/a", [0.25]), message("/c", [0.75])
    for broken, fault in (
        (tagged("x"), "unknown type 'x'"),
        (tagged("f", b"\x3f\x00"), "a message that is cut off"),
        (tagged("s", b"\xff\xfe\xff\0"), "a text that is not UTF-8"),
        (BUNDLE + bytes(8) + struct.pack(">i", 100) + a, "an element of 100 bytes in a bundle of 32"),
    ):
        dropped: list[str] = []
        heard = messages(bundle([a, broken, bundle([broken, c])]), dropped.append)
        assert heard == [Message("/a", (0.25,)), Message("/c", (0.75,))]
        assert dropped == [fault, fault]


def test_a_bundle_whose_sizes_lie_is_no_message_at_all() -> None:
    whole = bundle([message("/a", [0.25]), message("/master", [0.5])])
    with pytest.raises(PacketError, match="an element of 16 bytes in a bundle of 48"):
        messages(whole[:-4])


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 6, 7, 9, 10, 15])  # 8 leaves the address, which is a message
def test_no_cut_message_is_a_number(cut: int) -> None:
    for whole in (message("/master", [0.5]), message("/master", [0.5, 0.5, 0.5])[:-8]):
        with pytest.raises(PacketError):
            messages(whole[:-cut])


def test_long_lists_are_whole_and_the_rest_of_longer_ones_is_told() -> None:
    for count in (17, 512, MOST_ARGUMENTS, MOST_ARGUMENTS + 1):
        dropped: list[str] = []
        (one,) = messages(message("/raw", [n / 1024 for n in range(count)]), dropped.append)
        assert one.arguments == tuple(n / 1024 for n in range(min(count, MOST_ARGUMENTS)))
        assert dropped == ["/raw: 1025 arguments, the first 1024 are heard"] * (count > MOST_ARGUMENTS)


def test_zeros_after_the_arguments_are_padding() -> None:
    assert messages(message("/a", [0.5]) + bytes(4)) == [Message("/a", (0.5,))]
