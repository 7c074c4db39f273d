"""Ableton Link: tempo, beat and bar shared with the programs of a network, through a process of its own.

Link's library is under the GPL and an optional extra. It runs in a process of its own (`peer`), which writes
lines of JSON; they are checked here. Peers are equal: the show follows, and never changes what others play.
"""

from __future__ import annotations

import json
import math
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import metadata

import numpy as np

from perform import children
from perform.clock import BEATS_PER_BAR, stopwatch
from perform.inputs.link.peer import MISSING
from perform.inputs.listener import Listener
from perform.rhythm.tempo import FASTEST, SLOWEST
from perform.signals import Event
from perform.threads import Background

LIBRARY = "LinkPython-extern"
INSTALL = "pip install 'perform-live[link]'"
PEER = children.command("import sys; from perform.inputs.link.peer import main; sys.exit(main())")
SILENT = 2.0  # seconds without a good line after which the process is replaced
RESTART_AFTER = 0.5, 2.0  # seconds before it is started again: at first, and at most
MISSING_AFTER = 30.0  # the same where the library is missing: it may be installed meanwhile
STABLE = 10.0  # seconds of good lines after which a fault counts as the first
LONGEST_LINE = 1024  # bytes
OLDEST, EARLIEST = 1.0, 0.1  # seconds: a line written longer ago, or by a clock further ahead, is dropped
LINE_PAUSE = 0.005  # seconds between two lines: a process that floods has to wait
MOST_PEERS = 9999
LISTEN_SECONDS = 1.5  # that the search for a session takes


def installed() -> bool:
    """Whether the optional extra is there."""
    try:
        metadata.version(LIBRARY)
    except metadata.PackageNotFoundError:
        return False
    return True


class Link(Listener):
    """A peer of the Link session of this network: `tempo.link` while there are others, `tempo.peers` how
    many. `now` is the show's time; `bpm` the tempo that a session has before others come; `peer` the
    command of the process that speaks Link."""

    def __init__(
        self, now: Callable[[], float], bpm: Callable[[], float] = lambda: 120.0, peer: Sequence[str] = PEER
    ) -> None:
        super().__init__("link")
        self._now, self._bpm, self._command = now, bpm, peer
        self._newest: Event | None = None
        self._peers, self._reported = 0, -1
        self.starts = self.garbage = 0
        self._offered = 0.0  # bpm
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.start()

    def poll(self, until: float) -> list[Event]:
        with self._lock:
            event, self._newest = self._newest, None
        events = [] if event is None else [Event(min(event.time, until), event.name, event.value)]
        if self._reported != self._peers:
            self._reported = self._peers
            events.append(Event(until, "tempo.peers", float(self._reported)))
        return events

    def close(self) -> None:
        self.stop()
        if self._process:
            self._process.kill()
        super().close()

    def receive(self, line: bytes) -> bool:
        """A line of the process; whether it is valid and new."""
        session = _parsed(line)
        age = stopwatch() - session[0] if session else math.inf
        if session is None or not -EARLIEST < age < OLDEST:
            self.garbage += 1
            return False
        _, bpm, phase, peers, playing = session
        with self._lock:
            self._peers = int(peers)
            if peers:
                value = np.array([bpm, phase, BEATS_PER_BAR, playing, 0], np.float32)
                self._newest = Event(self._now() - age, "tempo.link", value)
        return True

    def _details(self) -> str:
        peers = self._peers
        return f"{peers} peer{'s' * (peers != 1)}" if peers else "no other peer yet"

    def _listen(self, closing: threading.Event) -> None:
        first, most = RESTART_AFTER
        wait = first
        while not closing.is_set():
            began = stopwatch()
            self._session(closing)
            wait = first if stopwatch() - began > STABLE else wait
            closing.wait(MISSING_AFTER if self.note == not_installed() else wait)
            wait = min(2 * wait, most)

    def _session(self, closing: threading.Event) -> None:
        """Run the process until it ends."""
        self.starts += 1
        self._offered = 0.0
        try:
            process = self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=children.environment(),
            )
        except OSError as error:
            self.note = f"its process cannot be started ({error.strerror})"
            return
        alive = threading.Event()

        def watch(_ended: threading.Event) -> None:
            """Kill the process when it sends nothing, or the input is closed."""
            while not closing.is_set() and process.poll() is None and alive.wait(SILENT):
                alive.clear()
            process.kill()

        watchdog = Background(watch, "link watchdog")
        assert process.stdout
        while line := process.stdout.readline(LONGEST_LINE):  # a longer one comes in garbage pieces
            if self.receive(line):
                self.note = ""
                alive.set()
                self._offer(process)
            closing.wait(LINE_PAUSE)
        process.kill()
        code = process.wait()
        alive.set()
        watchdog.close()
        self._peers = 0
        self.note = not_installed() if code == MISSING else f"its process ended ({code}), starting again"

    def _offer(self, process: subprocess.Popen[bytes]) -> None:
        """The show's tempo, while nobody else has one."""
        bpm = round(min(max(self._bpm(), SLOWEST), FASTEST), 2)
        if bpm != self._offered and not self._peers and process.stdin:
            self._offered = bpm
            with suppress(OSError):  # it has ended, and so does its output
                process.stdin.write(f"{bpm}\n".encode())
                process.stdin.flush()


def not_installed() -> str:
    """What to do without the library."""
    return f"the optional extra for Ableton Link is not installed: {INSTALL}"


def session_found() -> str:
    """The session of this network in words, after listening for LISTEN_SECONDS."""
    if not installed():
        return not_installed()
    listener = Link(stopwatch)
    threading.Event().wait(LISTEN_SECONDS)
    events = {event.name: event.value for event in listener.poll(math.inf)}
    health = listener.health()
    listener.close()
    grid = events.get("tempo.link")
    return health.detail + (f" at {grid[0]:.1f} bpm" if isinstance(grid, np.ndarray) else "")


def _parsed(line: bytes) -> tuple[float, ...] | None:
    """[at, bpm, phase, peers, playing] of a line; None if it is anything else."""
    try:
        values = json.loads(line)
        session = tuple(float(values[key]) for key in ("at", "bpm", "phase", "peers", "playing"))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    _, bpm, phase, peers, playing = session
    good = SLOWEST <= bpm <= FASTEST and 0 <= phase < BEATS_PER_BAR and 0 <= peers <= MOST_PEERS
    return session if good and math.isfinite(session[0]) and 0 <= playing <= 1 else None
