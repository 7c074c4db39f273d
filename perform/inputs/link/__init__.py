"""Ableton Link: tempo, beat and bar shared with the programs of a network, through a process of its own.

Link's library is under the GPL and an optional extra. It runs in `_link_peer`, which tells lines of JSON;
what it may say is checked here. Peers are equal: the show follows, and never changes what others play.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import metadata

import numpy as np

from perform.clock import BEATS_PER_BAR, stopwatch
from perform.inputs import Health
from perform.inputs.link.peer import MISSING
from perform.rhythm.tempo import FASTEST, SLOWEST
from perform.signals import Event

LIBRARY = "LinkPython-extern"
INSTALL = "pip install 'perform-live[link]'"
PEER = (sys.executable, "-m", "perform.inputs.link.peer")
SILENCE = 2.0  # seconds without a good line after which the process is replaced
AGAIN = 0.5, 2.0  # seconds before it is started again: at first, and at most
MISSED = 30.0  # the same where the library is missing: somebody may be installing it
STEADY = 10.0  # seconds of good lines after which a fault counts as the first
LINE = 1024  # bytes, at most
OLD, EARLY = 1.0, 0.1  # seconds: a line written longer ago, or by a clock further ahead, says nothing
PAUSE = 0.005  # seconds between two lines: a process that floods waits for itself
MOST_PEERS = 9999


def installed() -> bool:
    """Whether the optional extra is there."""
    try:
        metadata.version(LIBRARY)
    except metadata.PackageNotFoundError:
        return False
    return True


class Link:
    """A peer of the Link session of this network: `tempo.link` while there are others, `tempo.peers` how
    many. `now` is the show's time; `bpm` the tempo that a session has before others come; `peer` the
    command of the process that speaks Link."""

    def __init__(
        self, now: Callable[[], float], bpm: Callable[[], float] = lambda: 120.0, peer: Sequence[str] = PEER
    ) -> None:
        self.name = "link"
        self._now, self._bpm, self._command = now, bpm, peer
        self._newest: Event | None = None
        self._peers, self._told = 0, -1
        self._note = "starting"
        self.starts = self.garbage = 0
        self._offered = 0.0  # bpm
        self._process: subprocess.Popen[bytes] | None = None
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()

    def poll(self, until: float) -> list[Event]:
        with self._lock:
            event, self._newest = self._newest, None
        events = [] if event is None else [Event(min(event.time, until), event.name, event.value)]
        if self._told != self._peers:
            self._told = self._peers
            events.append(Event(until, "tempo.peers", float(self._told)))
        return events

    def health(self) -> Health:
        if self._note:
            return Health("waiting", f"link: {self._note}")
        peers = self._peers
        return Health("ok", f"{peers} peer{'s' * (peers != 1)}" if peers else "no other peer yet")

    def close(self) -> None:
        self._closing.set()
        self._end()
        self._thread.join(timeout=5)

    def hear(self, line: bytes) -> bool:
        """A line of the process; whether it says something."""
        said = _said(line)
        age = stopwatch() - said[0] if said else math.inf
        if said is None or not -EARLY < age < OLD:
            self.garbage += 1
            return False
        _, bpm, phase, peers, playing = said
        with self._lock:
            self._peers = int(peers)
            if peers:
                value = np.array([bpm, phase, BEATS_PER_BAR, playing, 0], np.float32)
                self._newest = Event(self._now() - age, "tempo.link", value)
        return True

    def _run(self) -> None:
        first, most = AGAIN
        wait = first
        while not self._closing.is_set():
            began = stopwatch()
            self._session()
            wait = first if stopwatch() - began > STEADY else wait
            self._closing.wait(MISSED if self._note == not_installed() else wait)
            wait = min(2 * wait, most)

    def _session(self) -> None:
        """One life of the process."""
        self.starts += 1
        self._offered = 0.0
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            self._note = f"its process cannot be started ({error.strerror})"
            return
        heard = threading.Event()
        watch = threading.Thread(target=self._watch, args=(self._process, heard), daemon=True)
        watch.start()
        assert self._process.stdout
        while line := self._process.stdout.readline(
            LINE
        ):  # one too long comes in pieces, each of them garbage
            if self.hear(line):
                self._note = ""
                heard.set()
                self._offer(self._process)
            self._closing.wait(PAUSE)
        self._end()
        code = self._process.wait()
        heard.set()
        watch.join()
        self._peers = 0
        self._note = not_installed() if code == MISSING else f"its process ended ({code}), starting again"

    def _watch(self, process: subprocess.Popen[bytes], heard: threading.Event) -> None:
        """Kill the process when it says nothing, or the input is closed."""
        while not self._closing.is_set() and process.poll() is None and heard.wait(SILENCE):
            heard.clear()
        process.kill()

    def _offer(self, process: subprocess.Popen[bytes]) -> None:
        """The show's tempo, while nobody else has one."""
        bpm = round(min(max(self._bpm(), SLOWEST), FASTEST), 2)
        if bpm != self._offered and not self._peers and process.stdin:
            self._offered = bpm
            with suppress(OSError):  # it has ended, which its output will tell
                process.stdin.write(f"{bpm}\n".encode())
                process.stdin.flush()

    def _end(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()


def not_installed() -> str:
    """What to do without the library."""
    return f"the optional extra for Ableton Link is not installed: {INSTALL}"


def look(seconds: float = 1.5, peer: Sequence[str] = PEER) -> str:
    """What there is of a session, in words, after listening for `seconds`."""
    if not installed():
        return not_installed()
    listener = Link(stopwatch, peer=peer)
    threading.Event().wait(seconds)
    events = {event.name: event.value for event in listener.poll(math.inf)}
    health = listener.health()
    listener.close()
    grid = events.get("tempo.link")
    return health.detail + (f" at {grid[0]:.1f} bpm" if isinstance(grid, np.ndarray) else "")


def _said(line: bytes) -> tuple[float, ...] | None:
    """[at, bpm, phase, peers, playing] of a line; None when it says anything else."""
    try:
        told = json.loads(line)
        said = tuple(float(told[key]) for key in ("at", "bpm", "phase", "peers", "playing"))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    _, bpm, phase, peers, playing = said
    good = SLOWEST <= bpm <= FASTEST and 0 <= phase < BEATS_PER_BAR and 0 <= peers <= MOST_PEERS
    return said if good and math.isfinite(said[0]) and 0 <= playing <= 1 else None
