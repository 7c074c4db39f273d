"""Feedback: the lights of controllers show what plays.

Every controller has a thread of its own, which sends what has changed and no more than a controller can
take; a slow or a vanished one holds up nothing but itself. One that comes, or comes back, is painted in
full. When the show ends, however it ends, its lights go out.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from perform.faults import reason
from perform.midi import ports as midiports
from perform.midi.names import device_kind, free_name
from perform.midi.profiles import Profile
from perform.outputs import Health
from perform.outputs.lights.patterns import Lights, dark
from perform.scenes.snapshot import Snapshot

LOOK = 0.5  # seconds between two looks at the list of ports: one that comes back is to be painted anew
RATE = 30.0  # a second: how often lights may change
BURST = 24  # messages at a time, so 720 a second; a MIDI cable carries 1000
REMEMBERED = 64  # ports whose controllers' names are kept
LINGER = 0.05  # seconds that a port stays open behind its last message: JACK drops what it has not played
PATIENCE = 2.0  # seconds that the end of a show waits for a slow controller

log = logging.getLogger("perform")
Send = Callable[[bytes], None]


class Painter:
    """What a controller shows, and what is to be sent so that it shows something else."""

    def __init__(self) -> None:
        self._shown: dict[str, bytes] = {}
        self._last = ""  # that had its turn, where others wait

    def due(self, wanted: Mapping[str, bytes], most: int = BURST) -> list[bytes]:
        """The next messages towards `wanted`: only lights that change, `most` at a time, so that each
        has its turn however many move. The first time everything is painted, also what is dark."""
        changed = [light for light, message in wanted.items() if self._shown.get(light) != message]
        order = {light: place for place, light in enumerate(wanted)}
        last = order.get(self._last, -1)
        changed.sort(key=lambda light: (order[light] <= last, order[light]))
        chosen = changed[:most]
        self._shown |= {light: wanted[light] for light in chosen}
        self._last = chosen[-1] if len(changed) > most else ""
        return [wanted[light] for light in chosen]


class Desk:
    """A controller that is there: its thread paints its lights as the newest of what it was told says.
    `name` is what formulas call it; messages go to `send`, and in the end it is let go by `close`."""

    def __init__(self, name: str, profile: Profile, send: Send, close: Callable[[], None]) -> None:
        self.name, self.profile, self.failed = name, profile, ""
        self._send, self._close = send, close
        self._newest: tuple[float, Snapshot] | None = None
        self._wake, self._anew, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lights of {name}", daemon=True)
        self._thread.start()

    def tell(self, seconds: float, snapshot: Snapshot) -> None:
        """How the show stands; never waits."""
        self._newest = seconds, snapshot
        self._wake.set()

    def repaint(self) -> None:
        """Show everything anew."""
        self._anew.set()
        self._wake.set()

    def close(self, wait: float = PATIENCE) -> None:
        """All lights off; a controller that does not answer is left as it is."""
        self._closing.set()
        self._wake.set()
        self._thread.join(wait)

    def _run(self) -> None:
        try:
            for message in self.profile.enter:
                self._send(message)
            self._paint()
            self._leave()
        except Exception as error:  # noqa: BLE001 - drivers raise what they like
            self.failed = reason(error)
        finally:
            with suppress(Exception):
                self._close()

    def _paint(self) -> None:
        """Show what the newest says, until the end."""
        painter, lights, pending = Painter(), Lights(self.profile, self.name), False
        while not self._closing.is_set():
            self._wake.wait(1 / RATE if pending else None)
            self._wake.clear()
            if self._anew.is_set():
                self._anew.clear()
                painter = Painter()
            if self._newest is not None and not self._closing.is_set():
                seconds, snapshot = self._newest
                due = painter.due(lights.lit(snapshot, seconds))
                for message in due:
                    self._send(message)
                pending = len(due) == BURST
                self._closing.wait(1 / RATE)

    def _leave(self) -> None:
        for message in (*dark(self.profile), *self.profile.leave):
            self._send(message)
        threading.Event().wait(LINGER)


class Feedback:
    """Finds controllers by the names of their ports, and tells them how the show stands.

    `profiles` are the controllers that are known, `only` what a port's name must contain; `api` is one of
    rtmidi's, such as UNIX_JACK (None: the system's own). Ports are looked for twice a second, on a thread:
    they may come and go, and several of a kind are `midimix`, `midimix_2` and so on.
    """

    name = "lights"

    def __init__(self, profiles: Sequence[Profile], only: str | None = None, api: str | None = None) -> None:
        self._profiles, self._only, self._api = profiles, (only or "").casefold(), api
        self._scanner = midiports.PortScanner("out", api)
        self._there: list[str] = []
        self._desks: dict[str, Desk] = {}
        self._called: dict[str, str] = {}  # what the controller of a port was called last, as inputs do it
        self._told = -1.0
        self._note = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lights", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # a show that ends by a fault leaves no lights on

    def health(self) -> Health:
        """What is wrong; a controller that is not there is not."""
        return Health("waiting" if self._note else "ok", self._note)

    @property
    def names(self) -> list[str]:
        """The controllers that are lit."""
        return [desk.name for desk in [*self._desks.values()] if not desk.failed]

    def update(self, seconds: float, snapshot: Callable[[], Snapshot]) -> None:
        """The state at `seconds` of the show's clock, called once a frame; never waits."""
        if not self._desks or 0 <= seconds - self._told < 1 / RATE:
            return
        self._told = seconds
        newest = snapshot()
        for desk in [*self._desks.values()]:
            desk.tell(seconds, newest)

    def use(self, profiles: Sequence[Profile]) -> None:
        """Other profiles, from the next look at the ports on."""
        self._profiles = profiles

    def close(self) -> None:
        """All lights off; safe to call twice."""
        atexit.unregister(self.close)
        self._closing.set()
        self._thread.join(PATIENCE)
        desks, self._desks = self._desks, {}
        for desk in desks.values():  # they go dark beside each other
            desk.close(0.0)
        for desk in desks.values():
            desk.close()

    def _watch(self) -> None:
        wait = 0.0
        while not self._closing.wait(wait):
            wait = LOOK
            try:
                self._note = "; ".join(self._look())
            except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next look may do
                self._note = reason(error)
        self._scanner.close()

    def _look(self) -> list[str]:
        """Let go of the controllers that went or failed, light those that came; says what fails."""
        there = self._scanner.names()
        for port, desk in [*self._desks.items()]:
            if port not in there or desk.failed or desk.profile not in self._profiles:
                if desk.failed:
                    log.warning("lights of %s: %s", port, desk.failed)
                desk.close(0.0)
                del self._desks[port]
        if there != self._there:  # JACK loses messages when clients come and go
            self._there = there
            for desk in self._desks.values():
                desk.repaint()
        new = [(number, port) for number, port in enumerate(there) if port not in self._desks]
        return [fault for number, port in new if (fault := self._light(number, port))]

    def _light(self, number: int, port: str) -> str:
        """Light what is at a port, if it is a controller that is known; says why it cannot be."""
        profile = next((one for one in self._profiles if one.matches(port)), None)
        if profile is None or self._only not in port.casefold():
            return ""
        try:
            out = midiports.open_output(number, "lights", self._api)
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; others are lit all the same
            return f"{port}: {error}"
        taken = [desk.name for desk in self._desks.values()]
        name = self._called.pop(port, "")
        if device_kind(name) != profile.name or name in taken:
            name = free_name(profile.name, taken)
        self._called = dict([*self._called.items(), (port, name)][-REMEMBERED:])
        self._desks[port] = Desk(name, profile, out.send_message, partial(midiports.close_client, out))
        return ""
