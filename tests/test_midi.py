from __future__ import annotations

from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.inputs import midi
from perform.inputs.midi import Midi, said
from tests.conftest import Server, eventually

JACK = "mido.backends.rtmidi/UNIX_JACK"
Message = mido.Message


def closed(ports: list[str] | None = None) -> Midi:
    """An input without a thread behind it."""
    unit = Midi(ports, lambda: 1.0, backend="no.such.backend")
    unit.close()
    return unit


@pytest.mark.parametrize(
    ("message", "name", "value"),
    [
        (Message("control_change", channel=1, control=21, value=127), "cc21", 1.0),
        (Message("control_change", channel=1, control=0, value=0), "cc0", 0.0),
        (Message("note_on", channel=1, note=60, velocity=127), "note60", 1.0),
        (Message("note_on", channel=1, note=60, velocity=0), "note60", 0.0),
        (Message("note_off", channel=1, note=60, velocity=64), "note60", 0.0),
        (Message("pitchwheel", channel=1, pitch=8191), "pitch", 1.0),
        (Message("pitchwheel", channel=1, pitch=-8192), "pitch", -1.0),
        (Message("pitchwheel", channel=1, pitch=0), "pitch", 0.0),
        (Message("aftertouch", channel=1, value=127), "pressure", 1.0),
        (Message("program_change", channel=1, program=7), "program", 7.0),
    ],
)
def test_what_a_hand_plays_is_said_twice(message: Message, name: str, value: float) -> None:
    assert tuple(said(message)) == ((f"midi.{name}", value), (f"midi.ch2.{name}", value))


def test_other_messages_say_nothing() -> None:
    for kind in ("clock", "start", "stop", "active_sensing", "sysex", "songpos", "tune_request"):
        assert tuple(said(Message(kind))) == ()


@given(st.binary(max_size=64))
def test_no_bytes_escape(packet: bytes) -> None:
    parser = mido.Parser()
    parser.feed(packet)
    for message in parser:
        for name, value in said(message):
            assert name.startswith("midi.")
            assert -1 <= value <= 127


def test_a_note_shorter_than_a_frame_is_seen() -> None:
    unit = closed()
    unit.hear("a", Message("note_on", note=60, velocity=127))
    unit.hear("a", Message("note_off", note=60))
    assert {(event.name, event.value) for event in unit.poll(1.0)} == {
        ("midi.note60", 1.0),
        ("midi.ch1.note60", 1.0),
    }
    assert {event.value for event in unit.poll(1.0)} == {0.0}


def test_without_midi_it_waits_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(midi, "SEQUENCER", tmp_path / "none")
    monkeypatch.setattr(midi.sys, "platform", "linux")
    unit = Midi(None, lambda: 0.0)
    eventually(lambda: "no ALSA sequencer" in unit.health().detail)
    assert unit.health().state == "waiting"
    unit.close()
    with pytest.raises(OSError, match="no ALSA sequencer"):
        midi.ports()


def test_a_backend_that_fails_is_waited_for() -> None:
    unit = Midi(None, lambda: 0.0, backend="no.such.backend")
    eventually(lambda: "no" in unit.health().detail and "port yet" not in unit.health().detail)
    assert unit.health().state == "waiting"
    unit.close()


def test_ports_by_name_that_come_and_go(jack: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "LOOK", 0.1)
    backend = mido.Backend(JACK)
    unit = Midi(["knobs"], lambda: 1.0, backend=JACK)
    eventually(lambda: "no such port" in unit.health().detail)
    for _ in range(2):
        port = backend.open_output("wonder KNOBS", client_name="controller", virtual=True)
        eventually(lambda: unit.health().state == "ok", "the port")
        heard: dict[str, object] = {}

        def listen(heard: dict[str, object] = heard) -> None:
            heard.update((event.name, event.value) for event in unit.poll(1.0))

        port.send(Message("control_change", control=21, value=127))
        port.send(Message("note_on", note=60, velocity=127))
        eventually(lambda heard=heard: len(heard) == 4, "the messages", listen)
        assert heard == dict.fromkeys(("midi.cc21", "midi.ch1.cc21", "midi.note60", "midi.ch1.note60"), 1.0)
        port.close()
        eventually(lambda: unit.health().state == "waiting", "the loss")
        listen()
        assert heard["midi.note60"] == heard["midi.ch1.note60"] == 0.0
    unit.close()
