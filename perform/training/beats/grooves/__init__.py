"""Grooves: the ways to play from which music is made."""

from __future__ import annotations

from perform.training.beats.grooves.bands import BANDS
from perform.training.beats.grooves.dances import DANCES
from perform.training.beats.grooves.groove import MELODIC, STRENGTH, Groove
from perform.training.beats.grooves.machines import MACHINES

__all__ = ["GROOVES", "MELODIC", "STRENGTH", "Groove"]

GROOVES: tuple[Groove, ...] = (*MACHINES, *BANDS, *DANCES)
