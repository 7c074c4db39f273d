"""A peer of Ableton Link, in a process of its own: its library is under the GPL, and nothing else imports it.

Twenty times a second it writes a line of JSON: `at` (seconds of the stopwatch), `bpm`, `phase` in beats
within a bar of four, `peers` and `playing`. It joins a session and never changes it. While it is alone
it takes its tempo from the lines of its standard input, for others to join; it ends with that input.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING

from perform.clock import BEATS_PER_BAR, stopwatch

if TYPE_CHECKING:
    import link

LINE_PERIOD = 0.05  # seconds between two lines
MISSING = 3  # the exit code without the library


def main() -> int:
    """Join, and write until nobody reads any more."""
    try:
        from link import Link
    except ImportError:
        return MISSING
    peer = Link(120.0)
    peer.startStopSyncEnabled = True
    peer.enabled = True
    over = threading.Event()
    threading.Thread(target=_listen, args=(peer, over), daemon=True).start()
    try:
        while not over.wait(LINE_PERIOD):
            sys.stdout.write(json.dumps(session(peer)) + "\n")
            sys.stdout.flush()
    except OSError:  # nobody reads
        return 0
    peer.enabled = False
    return 0


def _listen(peer: link.Link, over: threading.Event) -> None:
    """Tempi, until the input ends."""
    for line in sys.stdin:
        state = peer.captureSessionState()
        state.setTempo(float(line), peer.clock().micros())
        if not peer.numPeers():
            peer.commitSessionState(state)
    over.set()


def session(peer: link.Link) -> dict[str, float]:
    """The session at this moment."""
    state = peer.captureSessionState()
    before = stopwatch()
    micros = peer.clock().micros()
    return {
        "at": (before + stopwatch()) / 2,
        "bpm": state.tempo(),
        "phase": state.phaseAtTime(micros, float(BEATS_PER_BAR)),
        "peers": peer.numPeers(),
        "playing": int(state.isPlaying()),
    }
