"""Messages of an MQTT broker. A topic with wild cards names each message's numbers by its topic."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from perform.inputs.feeds import Say
from perform.inputs.feeds.document import Mqtt, numbers

if TYPE_CHECKING:
    from paho.mqtt.client import Client

KEEPALIVE = 5  # seconds after which a silent broker counts as gone
TICK = 0.2  # seconds within which closing is noticed


class Broker:
    """A subscription to a topic."""

    def __init__(self, text: Mqtt) -> None:
        self._text = text
        self._wild = any(sign in text.topic for sign in "+#")

    def listen(self, say: Say, closing: threading.Event) -> None:
        """Say what is published until `closing` is set. OSError: the broker is away or refuses."""
        client = self._client(say)
        client.connect(self._text.host, self._text.port, KEEPALIVE)
        try:
            while not closing.is_set():
                fault = client.loop(TICK)
                if fault:
                    raise OSError(f"the broker is gone ({_reason(fault)})")
        finally:
            client.disconnect()

    def _client(self, say: Say) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2)
        if self._text.user:
            client.username_pw_set(self._text.user, self._text.password)

        def connected(client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
            if reason.is_failure:
                raise OSError(f"the broker refuses: {reason}")
            client.subscribe(self._text.topic)

        def came(client: Client, data: Any, message: Any) -> None:
            found = numbers(message.payload.decode(errors="replace"))
            say(
                {f"{message.topic}/{key}".rstrip("/"): value for key, value in found.items()}
                if self._wild
                else found
            )

        client.on_connect, client.on_message = connected, came
        return client


def _reason(fault: int) -> str:
    from paho.mqtt.client import error_string

    return error_string(fault).rstrip(".").lower()


def open(text: Mqtt) -> Broker:
    """The broker of a feed."""
    return Broker(text)
