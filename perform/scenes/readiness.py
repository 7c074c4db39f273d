"""Whether what a scene plays is open yet: the answer to a query, which starts nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Readiness(Enum):
    """How far the opening of a unit is; OPENING lasts while there is no room for it, too."""

    ABSENT = "absent"  # not requested
    OPENING = "opening"
    READY = "ready"
    FAILED = "failed"  # it cannot be opened, and the log has the reason

    @classmethod
    def of_all(cls, states: Iterable[Readiness]) -> Readiness:
        """READY when all are, FAILED when one is."""
        known = set(states)
        if cls.FAILED in known:
            return cls.FAILED
        return cls.READY if known <= {cls.READY} else cls.OPENING
