"""Looking for MIDI ports, and letting them go, on doubles of rtmidi's clients."""

from __future__ import annotations

from typing import ClassVar

import pytest

from perform import midiports
from perform.midiports import Looker


class Client:
    """Offers what `there` says."""

    there: ClassVar[list[str]] = []
    made = deleted = 0

    def get_ports(self) -> list[str]:
        return list(type(self).there)

    def delete(self) -> None:
        type(self).deleted += 1

    def close_port(self) -> None:
        raise RuntimeError("unplugged")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> type[Client]:
    class Clients(Client):
        there: ClassVar[list[str]] = ["A"]

        def __init__(self) -> None:
            type(self).made += 1

    monkeypatch.setattr(midiports, "client", lambda way, api: Clients())
    return Clients


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The stopwatch."""
    now = [100.0]
    monkeypatch.setattr(midiports, "stopwatch", lambda: now[0])
    return now


def test_two_ports_of_one_name_are_told_apart() -> None:
    assert midiports.distinct(["A", "B", "A", "A"]) == ["A", "B", "A (2)", "A (3)"]


def test_one_client_looks_again_and_again(clients: type[Client]) -> None:
    looker = Looker("in")
    assert [looker.names() for _ in range(5)] == [["A"]] * 5
    looker.close()
    assert (clients.made, clients.deleted) == (1, 1)


def test_when_all_have_gone_its_client_goes_and_the_next_waits_for_the_others(
    clients: type[Client], seconds: list[float]
) -> None:
    looker = Looker("out")
    looker.names()
    clients.there = []
    assert looker.names() == [] and clients.deleted == 1
    clients.there = ["B"]
    seconds[0] += midiports.GRACE - 0.1
    assert looker.names() == [] and clients.made == 1
    seconds[0] += 0.1
    assert looker.names() == ["B"] and clients.made == 2


def test_a_driver_that_never_had_a_port_is_asked_anew_now_and_then(
    clients: type[Client], seconds: list[float]
) -> None:
    looker = Looker("in")
    clients.there = []
    for _ in range(midiports.EMPTY):
        assert looker.names() == []
    assert clients.deleted == 1


def test_a_client_goes_even_when_its_port_cannot_be_closed(clients: type[Client]) -> None:
    with pytest.raises(RuntimeError, match="unplugged"):
        midiports.let_go(clients())
    assert clients.deleted == 1


def test_what_is_looked_for_once_leaves_no_client(clients: type[Client]) -> None:
    assert midiports.ports("in") == ["A"]
    assert (clients.made, clients.deleted) == (1, 1)


def test_others_have_let_go_before_a_new_client_is_made_and_it_is_back_within_three_seconds() -> None:
    assert midiports.LOOK < midiports.GRACE
    assert midiports.GRACE + midiports.LOOK < 3
