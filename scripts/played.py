"""Made-up hands, controllers and sensors: what the pictures of a preset are played with.

What each preset is given stands in played.toml beside this file, as formulas by signal. They run on the
show's own beat, so that a sheet is the same each time.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from perform import formula
from perform.faults import Health
from perform.library.vocabulary import VOCABULARY
from perform.rig import Rig
from perform.signals import Event, Signals

FILE = Path(__file__).with_suffix(".toml")


class Played:
    """An input that says what the formulas of a preset in `file` give."""

    name = "made-up player"

    def __init__(self, preset: str, rig: Rig, file: Path = FILE) -> None:
        texts = tomllib.loads(file.read_text(encoding="utf-8")).get(preset, {})
        self._signals = {name: formula.compile(text, VOCABULARY).start() for name, text in texts.items()}
        self._rig = rig

    def poll(self, until: float) -> list[Event]:
        moment = self._rig.clock.moment(self._rig.performance.tempo)
        silence = Signals().after(moment, ())
        return [Event(until, name, signal(silence, moment)) for name, signal in self._signals.items()]

    def health(self) -> Health:
        return Health("ok", f"{len(self._signals)} signals")

    def close(self) -> None:
        """Nothing is open."""
