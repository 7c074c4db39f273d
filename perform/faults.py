"""Faults: what goes wrong on stage is logged once, then counted, and the picture goes on."""

from __future__ import annotations

import errno
import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

log = logging.getLogger("perform")
steps = logging.getLogger("perform.opening")  # what is opened and compiled: for whoever waits for it
PLAINLY = {  # for those of the system
    os.strerror(errno.ENOSPC): "the disk is full",
    os.strerror(errno.EDQUOT): "the disk is full",
    os.strerror(errno.EEXIST): "is there already",
    os.strerror(errno.ENOTDIR): "a file is where its folder must be",
}
MOST_KINDS, OTHERS = 200, "further faults"  # a message may hold another number on each frame


@dataclass(frozen=True, slots=True)
class Health:
    """How a device is: `ok`, `waiting` for what is not there (yet, or any more), or `failed`."""

    state: Literal["ok", "waiting", "failed"]
    detail: str = ""


def reason(error: BaseException) -> str:
    """The message of an exception, without the system's number; its type where it has none."""
    if isinstance(error, OSError) and error.strerror:
        why = system_reason(error)
        return f"{error.filename}: {why}" if error.filename else why
    if isinstance(error, KeyError) and error.args:  # Python would put its message in quotes
        return str(error.args[0])
    return str(error) or type(error).__name__


def system_reason(error: OSError) -> str:
    """What the system says of a file, without the file's name."""
    return PLAINLY.get(error.strerror, error.strerror) if error.strerror else str(error)


def log_kept(*faults: str) -> None:
    """Log the faults of an edit, because of which the version before plays on."""
    lines = dict.fromkeys(line for fault in faults for line in fault.splitlines())
    for line in lines:
        if not any(line in other for other in lines if other != line):  # of a shader, and of its preset
            log.error("kept the last good version: %s", line)


@dataclass(slots=True)
class Faults:
    """What failed, by its sentence, and how often."""

    counts: Counter[str] = field(default_factory=Counter)

    def note(self, what: str, error: BaseException) -> None:
        """Count a fault of `what`; the first of each kind is logged in one line."""
        sentence = f"{what}: {reason(error)}"
        if sentence not in self.counts and len(self.counts) >= MOST_KINDS:
            sentence = OTHERS
        if sentence not in self.counts:
            log.error("%s", sentence)
        self.counts[sentence] += 1

    @contextmanager
    def contain(self, what: str) -> Iterator[None]:
        """Keep every fault of the block within it: `with faults.contain("learning stopped"):`."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self.note(what, error)
