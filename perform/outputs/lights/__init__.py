"""The lights of MIDI controllers: they show what plays.

Each controller has its own thread, which sends only what has changed, and no more than a controller can take;
one that is slow or has gone holds up nothing else. A controller that comes, or comes back, gets all its
lights. When the show ends, however it ends, its lights go out.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from perform.faults import Health, reason
from perform.midi import ports as midiports
from perform.midi.names import DeviceNames
from perform.midi.profiles import Profile
from perform.outputs.lights.patterns import LightPattern, dark
from perform.scenes.snapshot import Snapshot
from perform.threads import Background

LIGHTS_SCAN_INTERVAL = 0.5  # seconds between two scans of the ports: one that comes back is dark until then
CHANGES_PER_SECOND = 30.0  # how often lights may change
MOST_MESSAGES = 24  # at a time, so 720 a second; a MIDI cable carries 1000
LINGER = 0.05  # seconds that a port stays open behind its last message: JACK drops what it has not played
DARK_TIMEOUT = 2.0  # seconds that the end of a show waits for a slow controller

log = logging.getLogger("perform")
Send = Callable[[bytes], None]


class LightChanges:
    """Finds the messages that bring a controller from what it shows to what it should show."""

    def __init__(self) -> None:
        self._shown: dict[str, bytes] = {}
        self._last = ""  # the last light that was sent, where others wait

    def due(self, wanted: Mapping[str, bytes], most: int = MOST_MESSAGES) -> list[bytes]:
        """The next messages towards `wanted`: only lights that change, `most` at a time, each in its turn
        however many change. The first time all lights are sent, dark ones too."""
        changed = [light for light, message in wanted.items() if self._shown.get(light) != message]
        order = {light: place for place, light in enumerate(wanted)}
        last = order.get(self._last, -1)
        changed.sort(key=lambda light: (order[light] <= last, order[light]))
        chosen = changed[:most]
        self._shown |= {light: wanted[light] for light in chosen}
        self._last = chosen[-1] if len(changed) > most else ""
        return [wanted[light] for light in chosen]


class ControllerLights:
    """The lights of one controller: a thread sends them as the newest snapshot requires. `name` is its name
    in formulas; messages go to `send`, and `close` closes its port at the end."""

    def __init__(self, name: str, profile: Profile, send: Send, close: Callable[[], None]) -> None:
        self.name, self.profile, self.failed = name, profile, ""
        self._send, self._close = send, close
        self._newest: tuple[float, Snapshot] | None = None
        self._wake, self._resend = threading.Event(), threading.Event()
        self._background = Background(self._run, f"lights of {name}")

    def update(self, seconds: float, snapshot: Snapshot) -> None:
        """Show a newer snapshot; never waits."""
        self._newest = seconds, snapshot
        self._wake.set()

    def resend(self) -> None:
        """Send all lights again."""
        self._resend.set()
        self._wake.set()

    def close(self, timeout: float = DARK_TIMEOUT) -> None:
        """All lights off; a controller that does not answer is left as it is."""
        self._background.closing.set()
        self._wake.set()
        self._background.close(timeout)

    def _run(self, closing: threading.Event) -> None:
        try:
            for message in self.profile.enter:
                self._send(message)
            self._show(closing)
            for message in (*dark(self.profile), *self.profile.leave):
                self._send(message)
            threading.Event().wait(LINGER)
        except Exception as error:  # noqa: BLE001 - drivers raise what they like
            self.failed = reason(error)
        finally:
            with suppress(Exception):
                self._close()

    def _show(self, closing: threading.Event) -> None:
        """Show the newest snapshot until the end."""
        changes, pattern, pending = LightChanges(), LightPattern(self.profile, self.name), False
        while not closing.is_set():
            self._wake.wait(1 / CHANGES_PER_SECOND if pending else None)
            self._wake.clear()
            if self._resend.is_set():
                self._resend.clear()
                changes = LightChanges()
            if self._newest is not None and not closing.is_set():
                seconds, snapshot = self._newest
                due = changes.due(pattern.messages(snapshot, seconds))
                for message in due:
                    self._send(message)
                pending = len(due) == MOST_MESSAGES
                closing.wait(1 / CHANGES_PER_SECOND)


class MidiLights:
    """Finds controllers by the names of their ports, and sends them the lights of each snapshot.

    `profiles` are the known controllers, `only` must be in a port's name; `api` is one of rtmidi's, such as
    UNIX_JACK (None: the system's own). A thread scans the ports twice a second: they may come and go, and
    several of a kind are `midimix`, `midimix_2` and so on.
    """

    name = "lights"

    def __init__(self, profiles: Sequence[Profile], only: str | None = None, api: str | None = None) -> None:
        self._profiles, self._only, self._api = profiles, (only or "").casefold(), api
        self._scanner = midiports.PortScanner("out", api)
        self._there: list[str] = []
        self._controllers: dict[str, ControllerLights] = {}  # by port
        self._names = DeviceNames()
        self._updated = -1.0
        self._note = ""
        self._background = Background(self._run, "lights")
        atexit.register(self.close)  # a show that ends by a fault leaves no lights on

    def health(self) -> Health:
        """Faults of the ports; a controller that is not there is none."""
        return Health("waiting" if self._note else "ok", self._note)

    @property
    def names(self) -> list[str]:
        """The controllers that are lit."""
        return [one.name for one in [*self._controllers.values()] if not one.failed]

    def update(self, seconds: float, snapshot: Callable[[], Snapshot]) -> None:
        """The state at `seconds` of the show's clock, called once a frame; never waits."""
        if not self._controllers or 0 <= seconds - self._updated < 1 / CHANGES_PER_SECOND:
            return
        self._updated = seconds
        newest = snapshot()
        for controller in [*self._controllers.values()]:
            controller.update(seconds, newest)

    def use(self, profiles: Sequence[Profile]) -> None:
        """Use other profiles, from the next scan on."""
        self._profiles = profiles

    def close(self) -> None:
        """All lights off; safe to call twice."""
        atexit.unregister(self.close)
        self._background.close(DARK_TIMEOUT)
        controllers, self._controllers = self._controllers, {}
        for controller in controllers.values():  # all go dark at the same time
            controller.close(0.0)
        for controller in controllers.values():
            controller.close()

    def _run(self, closing: threading.Event) -> None:
        wait = 0.0
        while not closing.wait(wait):
            wait = LIGHTS_SCAN_INTERVAL
            try:
                self._note = "; ".join(self._scan())
            except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next scan may work
                self._note = reason(error)
        self._scanner.close()

    def _scan(self) -> list[str]:
        """Close the controllers that went or failed, light those that came; the faults."""
        there = self._scanner.names()
        for port, controller in [*self._controllers.items()]:
            if port not in there or controller.failed or controller.profile not in self._profiles:
                if controller.failed:
                    log.warning("lights of %s: %s", port, controller.failed)
                controller.close(0.0)
                del self._controllers[port]
        if there != self._there:  # JACK loses messages when clients come and go
            self._there = there
            for controller in self._controllers.values():
                controller.resend()
        new = [(number, port) for number, port in enumerate(there) if port not in self._controllers]
        return [fault for number, port in new if (fault := self._light(number, port))]

    def _light(self, number: int, port: str) -> str:
        """Light the controller at a port, if it is known; the fault if it cannot be lit."""
        profile = next((one for one in self._profiles if one.matches(port)), None)
        if profile is None or self._only not in port.casefold():
            return ""
        try:
            client = midiports.open_output(number, "lights", self._api)
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; others are lit all the same
            return f"{port}: {error}"
        name = self._names.name(port, profile.name, [one.name for one in self._controllers.values()])
        close = partial(midiports.close_client, client)
        self._controllers[port] = ControllerLights(name, profile, client.send_message, close)
        return ""
