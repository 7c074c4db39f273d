"""Messages of an MQTT broker. If the topic has wild cards, numbers are named by their message's topic."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from perform.inputs.feeds import POLL_INTERVAL, Report
from perform.inputs.feeds.document import Mqtt
from perform.inputs.feeds.messages import fields

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

KEEPALIVE = 5  # seconds after which a silent broker counts as gone


class Broker:
    """A subscription to a topic."""

    def __init__(self, text: Mqtt) -> None:
        self._text = text
        self._wild = any(sign in text.topic for sign in "+#")

    def listen(self, report: Report, closing: threading.Event) -> None:
        """Report what is published until `closing` is set. OSError: the broker is away or refuses."""
        from paho.mqtt.client import error_string

        client = self._client(report)
        client.connect(self._text.host, self._text.port, KEEPALIVE)
        try:
            while not closing.is_set():
                if fault := client.loop(POLL_INTERVAL):
                    raise OSError(f"the broker is gone ({error_string(fault).rstrip('.').lower()})")
        finally:
            client.disconnect()

    def _client(self, report: Report) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2)
        if self._text.user:
            client.username_pw_set(self._text.user, self._text.password)

        def connected(
            client: Client, data: object, flags: object, reason: ReasonCode, properties: object
        ) -> None:
            if reason.is_failure:
                raise OSError(f"the broker refuses: {reason}")
            client.subscribe(self._text.topic)

        def arrived(client: Client, data: object, message: MQTTMessage) -> None:
            found = fields(message.payload.decode(errors="replace"))
            if self._wild:
                found = {f"{message.topic}/{key}".rstrip("/"): value for key, value in found.items()}
            report(found)

        client.on_connect, client.on_message = connected, arrived
        return client
