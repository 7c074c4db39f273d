"""Signals by other words: what a VJ means."""

import pytest

from perform.library.vocabulary import NAMES, SYNONYMS, VOCABULARY
from perform.midi.names import MIDI_SIGNAL


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("audio.bass", "audio.low"),
        ("bass", "audio.low"),
        ("fft.sub", "audio.low"),
        ("audio.low_end", "audio.low"),
        ("audio.band.bass", "audio.low"),
        ("audio.low.level", "audio.low"),
        ("audio.kick", "audio.low.hit"),
        ("Audio.Kick", "audio.low.hit"),
        ("audio.kik", "audio.low.hit"),
        ("kickdrum", "audio.low.hit"),
        ("audio.bass.hit", "audio.low.hit"),
        ("audio.bass_avg", "audio.low.presence"),
        ("audio.snare", "audio.mid.hit"),
        ("audio.clap", "audio.mid.hit"),
        ("audio.mids", "audio.mid"),
        ("audio.treble", "audio.high"),
        ("audio.highs", "audio.high"),
        ("audio.hihat", "audio.high.hit or audio.air.hit"),
        ("audio.high_hat", "audio.high.hit or audio.air.hit"),
        ("audio.cymbal", "audio.air.hit"),
        ("audio.volume", "audio.level"),
        ("mic.loudness", "audio.level"),
        ("audio.transient", "audio.onset"),
        ("audio.key", "audio.pitch"),
        ("bpm", "beat.bpm"),
        ("tempo.bpm", "beat.bpm"),
        ("audio.bpm", "beat.bpm"),
        ("beat", "beat.phase"),
        ("audio.beat", "beat.phase"),
        ("downbeat", "beat.barphase"),
        ("time", "time.seconds"),
        ("iTime", "time.seconds"),
        ("midi.knob", "midi.knob1"),
        ("midi.slider3", "midi.fader3"),
        ("knob_2", "midi.knob2"),
        ("midi.pad", "midi.pad1"),
        ("midi.aftertouch", "midi.pressure"),
        ("midi.pitchbend", "midi.pitch"),
        ("camera.movement", "camera.motion"),
        ('osc["node"]', 'osc["/node"]'),
        ('osc["/node/"].2', 'osc["/node"].2'),
    ],
)
def test_other_words_for_signals(name: str, signal: str) -> None:
    assert VOCABULARY.refusal(name) == f"unknown signal {name}; did you mean {signal}?"


def test_every_word_stands_for_a_signal() -> None:
    for signal in SYNONYMS:
        assert signal in NAMES or MIDI_SIGNAL.fullmatch(signal)
        assert VOCABULARY.refusal(signal) == ""


def test_a_typing_error_is_still_near_its_signal() -> None:
    assert VOCABULARY.refusal("audio.flatnes").startswith(
        "unknown signal audio.flatnes; did you mean audio.flatness or "
    )
    assert "did you mean audio.low or" in VOCABULARY.refusal("audio.lwo")


def test_osc_needs_an_address() -> None:
    wanted = 'must be osc["/ADDRESS"], or osc["/ADDRESS"].1 for its second argument'
    assert VOCABULARY.refusal("osc.node") == f"unknown signal osc.node; {wanted}"
    for signal in ('osc["/"]', 'osc["/node"]', 'osc["/a/b.c"].16'):
        assert VOCABULARY.refusal(signal) == ""
