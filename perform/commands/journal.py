"""The journal of a show that nobody watches: a line of the log for every change, and none while all goes on.

`changes` is a pure function of two moments of the show. Faults come to the same log from where they happen.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from perform.faults import Health
from perform.show.status import SWITCHES, Status

Line = tuple[int, str]  # level and sentence

TEMPO_SOURCES = {
    "hand": "set by hand",
    "link": "Ableton Link",
    "midi": "MIDI clock",
    "audio": "following the sound",
    "free": "free-running",
}
COUNTERS = re.compile(r"\d+ (of \d+ )?(?=(samples|bytes|messages|frames|rows)\b)")
LEVELS = {"ok": logging.INFO, "waiting": logging.WARNING, "failed": logging.ERROR}


def changes(before: Status | None, now: Status) -> Iterator[Line]:
    """What has changed from one moment to another; of the first one (None) everything is told."""
    old = before or Status(source="", clock=now.clock)
    if (old.scene, old.cue) != (now.scene, now.cue):
        yield logging.INFO, f"scene: {now.cue_title}, cue {now.cue} of {now.cues}"
    if (old.source, old.clock) != (now.source, now.clock):
        yield logging.INFO, f"tempo: {tempo_source(now)}, {now.bpm:.1f} bpm"
    for switch in SWITCHES:
        if (switch in old.switches) != (switch in now.switches):
            yield logging.INFO, f"{switch}: {'on' if switch in now.switches else 'off'}"
    if old.recording != now.recording:
        yield logging.INFO, f"recording: {now.recording or 'ended'}"
    yield from _device_changes(dict(old.devices), dict(now.devices))


def tempo_source(status: Status) -> str:
    """What leads the beat, in words."""
    source = TEMPO_SOURCES.get(status.source, status.source)
    if status.clock == status.source:
        return f"{source}, pinned"
    if status.clock != "auto":
        return f"{source}, waiting for {TEMPO_SOURCES.get(status.clock, status.clock)}"
    return source


def _device_changes(old: dict[str, Health], now: dict[str, Health]) -> Iterator[Line]:
    for name, health in now.items():
        if name not in old or _told(old[name]) != _told(health):
            yield LEVELS[health.state], ", ".join(filter(None, (f"{name}: {health.state}", health.detail)))
    for name in old.keys() - now.keys():
        yield logging.WARNING, f"{name}: closed"


def _told(health: Health) -> tuple[str, str]:
    """The health without its counters, which change all the time."""
    return health.state, COUNTERS.sub("", health.detail)
