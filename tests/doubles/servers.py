"""Sound servers that tests start, kill and start again."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

from tests.doubles.waiting import eventually


class Server:
    """A sound server that a test can kill and start again."""

    def __init__(self, command: list[str], ready: list[str]) -> None:
        self._command, self._ready = command, ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # PulseAudio does not start where another server is named
        environment = {name: value for name, value in os.environ.items() if name != "PULSE_SERVER"}
        self._process = subprocess.Popen(
            self._command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(lambda: subprocess.run(self._ready, capture_output=True).returncode == 0, self._command[0])

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):  # JACK may wait for a client that has ended
                self._process.wait(timeout=5)
        self.kill()

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
