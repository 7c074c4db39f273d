"""Where in a setlist the show is: which cue is on, which is coming in, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Load: TypeAlias = tuple[int | None, int]  # a cue, or None, and the turn in which it is on


@dataclass(frozen=True, slots=True)
class CuePosition:
    """A position in the setlist: the cue that is on, the one that it came from while it comes in
    (else None), the progress of that (0..1), the cue that waits for its beat, and the bar and the second at
    which the cue began.

    `turn` counts the cues that have come in; each comes in on the other deck. `standby` is the cue that
    comes next, None at the end; `loaded` is whether a hand has chosen it. `by_hand`: a crossfader makes the
    transition.
    """

    cue: int
    before: int | None = None
    progress: float = 1.0
    queued: int | None = None
    bar: float = 0.0
    seconds: float = 0.0
    turn: int = 0
    standby: int | None = None
    loaded: bool = False
    by_hand: bool = False

    @property
    def deck(self) -> int:
        """The deck of the cue that is on: 0 is A, 1 is B."""
        return self.turn % 2

    @property
    def decks(self) -> tuple[Load, Load]:
        """What is loaded on A and on B: beside the cue that is on, the one that goes out, then `standby`."""
        free = (self.standby, self.turn + 1) if self.before is None else (self.before, self.turn - 1)
        on = (self.cue, self.turn)
        return (free, on) if self.deck else (on, free)

    @property
    def crossfader(self) -> float:
        """Where a crossfader would stand: 0 at deck A, 1 at deck B."""
        return self.progress if self.deck else 1 - self.progress
