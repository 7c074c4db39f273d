"""Every signal that a formula of a show may name, as each kind of input declares it."""

from __future__ import annotations

from perform import keys
from perform.clock import Moment, Tempo
from perform.formula import ARRAYS, Vocabulary
from perform.inputs import camera
from perform.inputs.hands import signals as hands
from perform.midi import names as midi
from perform.rhythm import features, tempo

VOCABULARY = Vocabulary(
    frozenset(
        (
            *Moment(0, 0, 0, 0, 0, Tempo().bpm).signals(),
            *("beat.confidence", *features.AUDIO_SIGNALS, *tempo.TEMPO_SIGNALS),
            *(*keys.KEY_SIGNALS, *hands.HAND_SIGNALS, *camera.CAMERA_SIGNALS),
        )
    ).difference(ARRAYS),
    ("midi", "osc", "feed", "learned"),
    {"midi": (midi.MIDI_SIGNAL, midi.MIDI_SYNTAX)},
)
