"""Every signal that a formula of a show may name, as each kind of input declares it; other words for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from perform import signals
from perform.clock import Moment, Tempo
from perform.formula import ARRAYS, Vocabulary
from perform.inputs import camera
from perform.inputs.hands import signals as hands
from perform.midi import names as midi
from perform.rhythm import features, tempo

OSC_FORM = re.compile(r'osc\["/(?:[^"]*[^"/])?"\](?:\.\d+)?')
NAMES = frozenset(
    (
        *Moment(0, 0, 0, 0, 0, Tempo().bpm).signals(),
        *("beat.confidence", *features.AUDIO_SIGNALS, *tempo.TEMPO_SIGNALS),
        *(*signals.KEY_SIGNALS, *hands.HAND_SIGNALS, *camera.CAMERA_SIGNALS),
    )
).difference(ARRAYS)

# Words of other programs, and of people, for signals. A number after a word is that of the control.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    signal: tuple(words.split())
    for signal, words in {
        "audio.level": "level volume vol loudness loud amplitude amp rms vu gain energy peak power intensity",
        "audio.low": "low lows bass basses sub subs subbass bottom lowend lf",
        "audio.low.hit": "kick kicks kickdrum bassdrum bd boom 808",
        "audio.mid": "mid mids middle midrange lowmid highmid vocal vocals voice lead melody synth mf",
        "audio.mid.hit": "snare snares clap claps snaredrum sd rim rimshot tom toms",
        "audio.high": "high highs treble trebles top hf highend",
        "audio.high.hit": "hat hats hihat hihats highhat highhats hh hi shaker ride",
        "audio.air": "air brilliance sparkle ultra sibilance",
        "audio.air.hit": "hat hats hihat hihats highhat highhats hh hi cymbal cymbals crash",
        "audio.centroid": "brightness bright timbre spectralcentroid",
        "audio.flux": "spectralflux change",
        "audio.flatness": "noisiness spectralflatness",
        "audio.onset": "onset onsets transient transients attack attacks drum drums percussion",
        "audio.pitch": "tone note key frequency freq",
        "audio.chroma.c": "chroma chord harmony",
        "beat.bpm": "bpm tempo beatsperminute",
        "beat.phase": "beat beats phase beatphase pulse rhythm",
        "beat.barphase": "bar bars measure measures barphase downbeat",
        "beat.count": "beatcount beatnumber",
        "time.seconds": "time seconds second sec secs elapsed clock itime t now",
        "time.frame": "frame frames framecount iframe",
        "time.dt": "dt delta deltatime timedelta frametime",
        "midi.knob1": "knob knobs dial dials encoder encoders pot pots rotary",
        "midi.fader1": "fader faders slider sliders",
        "midi.pad1": "pad pads drumpad",
        "midi.button1": "button buttons",
        "midi.cc1": "modwheel mod modulation wheel control controller ctrl",
        "midi.note60": "key keys velocity",
        "midi.pitch": "pitchbend pitchwheel bend",
        "midi.pressure": "aftertouch touch",
        "midi.program": "programchange pc patch preset",
        "mouse.x": "cursor pointer mouse",
        "mouse.left": "click mousedown",
        "camera.motion": "motion movement webcam camera cam",
        "hand.left.x": "hand hands",
        "pad.lx": "joystick stick gamepad",
        "key.space": "keyboard spacebar",
    }.items()
}
LONGER_WORDS = sorted({word for words in SYNONYMS.values() for word in words if len(word) > 2})
FAMILIES = {  # beginnings of names that say where a signal comes from, and how such signals begin here
    **dict.fromkeys(("audio", "sound", "music", "fft", "mic", "spectrum", "band", "eq", "input"), ("audio",)),
    **dict.fromkeys(("beat", "tempo", "link", "time", "clock"), ("beat", "time")),
    **{first: (first,) for first in ("midi", "mouse", "camera", "hand", "pad", "key")},
}
ENDINGS = {  # of a band, in other words
    **dict.fromkeys(("hit", "hits", "onset", "trigger", "transient", "attack", "beat", "peak"), ".hit"),
    **dict.fromkeys(("presence", "average", "avg", "mean", "smooth", "smoothed", "slow"), ".presence"),
    **dict.fromkeys(("level", "energy", "volume", "amplitude", "rms", "value", "amount"), ""),
}


def meant(name: str) -> list[str]:
    """The signals that somebody may mean by a name: `audio.low.hit` by `audio.kick`."""
    if name.startswith("osc["):
        address = name.split('"')[1].strip("/")
        return [f'osc["/{address}"]{name.rpartition("]")[2]}']
    words = [word for word in re.split(r"[\W_]+", name.casefold()) if word]
    families: tuple[str, ...] = ()
    while len(words) > 1 and words[0] in FAMILIES:
        families += FAMILIES[words.pop(0)]
    found = _of("".join(words), families)
    if not found and len(words) > 1 and words[-1] in ENDINGS:
        bands = {signal.removesuffix(".hit") for signal in _of("".join(words[:-1]), families)}
        found = [signal for band in bands if (signal := band + ENDINGS[words[-1]]) in NAMES]
    return found


def _of(word: str, families: tuple[str, ...]) -> list[str]:
    """The signals that a word, or the word most like it, stands for; those of some families if there are any.
    The word's number is that of the control."""
    plain = word.rstrip("0123456789") or word
    number = word[len(plain) :]
    like = get_close_matches(plain, LONGER_WORDS, 1, 0.8)
    found = [signal for signal, words in SYNONYMS.items() if {word, plain} & {*words}]
    found = found or [signal for signal, words in SYNONYMS.items() if {*like} & {*words}]
    own = [signal for signal in found if signal.partition(".")[0] in families]
    return [re.sub(r"\d+$", number, signal) if number else signal for signal in own or found]


VOCABULARY = Vocabulary(
    NAMES,
    ("midi", "osc", "feed", "learned"),
    {
        "midi": (midi.MIDI_SIGNAL, midi.MIDI_SYNTAX),
        "osc": (OSC_FORM, 'osc["/ADDRESS"], or osc["/ADDRESS"].1 for its second argument'),
    },
    meant=meant,
)
