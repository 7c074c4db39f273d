"""A controller in its own process: plays a JACK port by commands on its standard input.

python -m tests.doubles.midi_sender NAME

`send COUNT RATE` sends so many messages a second, of which the newest number of each kind is known; `bytes
HEX` sends just that. Each order is answered with a line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import rtmidi

from perform.clock import LiveClock

BLOCKS = 100  # a second
KINDS = 8  # messages that come in turn


def numbered(count: int) -> Iterator[list[int]]:
    """So many messages: control changes, notes, pitch bend, aftertouch and an NRPN."""
    for n in range(count):
        turn, value = n % KINDS, n // KINDS % 128
        yield [
            [0xB0, 20, value],
            [0xB1, 21, value],
            [0x90, 60, value],
            [0xE0, value, value],
            [0xD2, value],
            [0xB3, 99, 2],
            [0xB3, 98, 44],
            [0xB3, 6, value],
        ][turn]


def say(word: str) -> None:
    """Answer."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main() -> None:
    """Play."""
    port = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, "controller")
    port.open_virtual_port(sys.argv[1])
    say("there")
    for line in sys.stdin:
        order, *rest = line.split()
        if order == "send":
            count, rate = map(int, rest)
            clock, messages, due = LiveClock(BLOCKS), numbered(count), 0.0
            for message in messages:
                due -= 1
                while due < 0:
                    clock.advance()
                    due += rate / BLOCKS
                port.send_message(message)
        else:
            port.send_message(bytes.fromhex("".join(rest)))
        say("done")


if __name__ == "__main__":
    main()
