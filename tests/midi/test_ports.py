"""Scanning for MIDI ports and releasing them, on doubles of rtmidi's clients."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

import pytest
import rtmidi

from perform.midi import ports as midiports
from perform.midi.ports import PortScanner


class Client:
    """Offers the ports in `there`, until it is deleted."""

    there: ClassVar[list[str]] = []
    made = deleted = 0

    def __init__(self) -> None:
        self.dead = False
        type(self).made += 1

    def get_current_api(self) -> int:
        return rtmidi.API_UNIX_JACK

    def get_ports(self) -> list[str]:
        assert not self.dead, "a client that was deleted must not be touched"
        return list(type(self).there)

    def open_port(self, number: int, name: str) -> None:
        raise OSError("busy")

    def close_port(self) -> None:
        raise RuntimeError("unplugged")

    def delete(self) -> None:
        assert not self.dead
        self.dead = True
        type(self).deleted += 1


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> type[Client]:
    """The clients of rtmidi, without those of other tests."""

    class Made(Client):
        there: ClassVar[list[str]] = ["A"]

    monkeypatch.setattr(midiports, "clients", midiports.Clients())
    for name in ("MidiIn", "MidiOut"):
        monkeypatch.setattr(rtmidi, name, lambda api, client: Made())
    return Made


def scanner(way: midiports.PortDirection = "in") -> PortScanner:
    return PortScanner(way, "UNIX_JACK")


def test_two_ports_of_one_name_get_different_names() -> None:
    assert midiports.distinct_names(["A", "B", "A", "A"]) == ["A", "B", "A (2)", "A (3)"]


def test_one_client_scans_repeatedly(made: type[Client]) -> None:
    one = scanner()
    assert [one.names() for _ in range(5)] == [["A"]] * 5
    one.close()
    assert (made.made, made.deleted) == (1, 1)


def test_no_client_is_made_before_all_have_left_the_old_server(made: type[Client]) -> None:
    first, second = scanner("in"), scanner("out")
    first.names(), second.names()
    port = midiports.open_client("in", "UNIX_JACK")
    made.there = []
    assert first.names() == []
    made.there = ["B"]  # another server
    with pytest.raises(OSError, match="last clients are being closed"):
        first.names()
    assert second.names() == []  # and releases its client
    with pytest.raises(OSError, match="last clients"):
        second.names()
    with suppress(RuntimeError):
        midiports.close_client(port)
    assert (made.made, made.deleted) == (3, 3)
    assert first.names() == second.names() == ["B"]


def test_a_client_without_ports_is_released_with_the_others(made: type[Client]) -> None:
    first, second = scanner("out"), scanner("in")
    first.names()
    made.there = []
    second.names()
    first.names()
    assert second.names() == [] and made.deleted == 2


def test_a_driver_without_ports_is_reopened_from_time_to_time(made: type[Client]) -> None:
    first, second = scanner("in"), scanner("out")
    made.there = []
    for _ in range(midiports.MOST_EMPTY):
        assert first.names() == second.names() == []
    assert made.deleted == 2
    made.there = ["A"]
    assert first.names() == ["A"] and made.made == 3


def test_it_is_not_reopened_while_another_has_a_port(made: type[Client]) -> None:
    midiports.open_client("out", "UNIX_JACK")
    made.there = []
    one = scanner()
    for _ in range(3 * midiports.MOST_EMPTY):
        one.names()
    assert (made.made, made.deleted) == (2, 0)


def test_a_client_that_fails_is_replaced_at_the_next_scan(
    made: type[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = scanner()
    with monkeypatch.context() as broken:
        broken.setattr(made, "get_ports", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.names()
    assert one.names() == ["A"] and (made.made, made.deleted) == (2, 1)


def test_a_client_is_released_even_if_its_port_does_not_open_or_close(made: type[Client]) -> None:
    with pytest.raises(RuntimeError, match="unplugged"):
        midiports.close_client(midiports.open_client("out", "UNIX_JACK"))
    with pytest.raises((OSError, RuntimeError)):
        midiports.open_output(0, "lights", "UNIX_JACK")
    assert made.made == made.deleted == 2
    assert not midiports.clients.open


def test_a_single_scan_leaves_no_client(made: type[Client]) -> None:
    assert midiports.port_names("in", "UNIX_JACK") == ["A"]
    assert (made.made, made.deleted) == (1, 1)


def test_a_returned_port_is_open_within_three_seconds() -> None:
    assert midiports.SCAN_INTERVAL * 2 < 3  # a scan that finds the loss, and one that finds the return
