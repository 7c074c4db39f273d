"""MIDI learn: you choose a parameter and move a control; a formula in the preset then connects the two."""

from __future__ import annotations

from typing import Literal, TypeAlias

Takeover: TypeAlias = Literal["pickup", "scaling", "none"]  # of a knob that is not at the value
Press: TypeAlias = Literal["", "momentary", "toggle"]  # of a button; empty: what suits the parameter
