"""How the bench plays a show by hand, and what the governor did meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from operator import itemgetter

from perform.bench import Figure
from perform.bench.shows import decisions
from perform.clock import stopwatch
from perform.rig import Incoming, Rig
from perform.scenes.setlist import Setlist
from perform.signals import Event

NO_GOVERNOR = "there is no governor: a graphics card draws, or its levels are pinned"


class Hand:
    """Plays a rig like the hand of a VJ: `say` sends an event, and `edit` an edited setlist, with the next
    frame."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._said: list[tuple[str, float | str]] = []
        self._edit: Setlist | None = None
        rig.take = self._taken

    def say(self, name: str, value: float | str = 1.0) -> None:
        """Send an event, or a value to an address, with the next frame."""
        self._said.append((name, value))

    def edit(self, setlist: Setlist) -> None:
        """Play an edited setlist from the next frame on."""
        self._edit = setlist

    def _taken(self, incoming: Incoming) -> Incoming:
        now, edit = self._rig.clock.now(), self._edit or incoming.edit
        said = [Event(now, name, value) for name, value in self._said]
        self._said, self._edit = [], None
        return Incoming([*incoming.events, *said], edit)


class Governed:
    """What the governor of a show did: the seconds on each of its levels, and its changes within scenes."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._seconds = rig, defaultdict[str, float](float)
        self._last, self._decisions = stopwatch(), decisions(self._rig)

    def frame(self) -> None:
        """Play a frame."""
        self._rig.frame()
        now = stopwatch()
        if self._rig.balance:
            self._seconds[self._rig.balance.text] += now - self._last
        self._last = now

    def figures(self, suffix: str = "") -> Iterator[Figure]:
        """How often it changed the level within a scene; the note says how long it played which level."""
        changes = decisions(self._rig) - self._decisions
        yield Figure(
            f"governor_changes{suffix}",
            changes,
            "changes",
            note=self.text if self._rig.balance else NO_GOVERNOR,
        )

    @property
    def text(self) -> str:
        """Its levels in plain words, the one that it played longest first."""
        whole = sum(self._seconds.values()) or 1.0
        longest = sorted(self._seconds.items(), key=itemgetter(1), reverse=True)
        return "; ".join(f"{seconds / whole:.0%} of the time {text}" for text, seconds in longest)
