"""Training a mapping during a show, in another process, so that drawing does not wait."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from pydantic import ValidationError

from perform import children
from perform.scenes.mapping import Example, MappingPlayer, MappingText, SignalMapping
from perform.threads import Background

FitRequest: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...], tuple[Example, ...]]

log = logging.getLogger("perform")
FIT_TIMEOUT = 10.0  # seconds for one fit; a process that takes longer is replaced
FIT = children.command("from perform.demonstrations.fit import main; main()")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # the other cores draw


class MappingTrainer:
    """Fits a mapping on request. Only the newest request is answered; `request` and `take` never wait. `save`
    is called with each mapping, on the trainer's thread."""

    def __init__(self, name: str, save: Callable[[SignalMapping], None] = lambda _: None) -> None:
        self.fault = ""  # of the last fit, empty if it succeeded
        self._name, self._save = name, save
        self._request: FitRequest | None = None
        self._done: MappingPlayer | None = None
        self._changed, self._closing = threading.Condition(), False
        self._process: subprocess.Popen[str] | None = None
        self._thread = Background(self._run, "trainer")

    def request(
        self, method: str, signals: Sequence[str], values: Sequence[str], examples: Sequence[Example]
    ) -> None:
        """Request a fit to these examples."""
        with self._changed:
            self._request = method, tuple(signals), tuple(values), tuple(examples)
            self._changed.notify()

    def take(self) -> MappingPlayer | None:
        """The mapping that was fitted since the last call, ready to play; None if there is none."""
        done, self._done = self._done, None
        return done

    def close(self) -> None:
        """End the process; safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._process is not None:
            self._process.kill()
        self._thread.close(FIT_TIMEOUT)

    def _run(self, _closing: threading.Event) -> None:
        while not self._closing:
            with suppress(OSError):  # no process is available: try again with the next request
                self._spawn()
            with self._changed:
                self._changed.wait_for(lambda: self._request is not None or self._closing)
                request, self._request = self._request, None
            if request is not None and not self._closing:
                self._fit(request)
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _spawn(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._process = subprocess.Popen(
            FIT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=children.environment(**ONE_THREAD),
            start_new_session=True,
        )

    def _fit(self, request: FitRequest) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            self.fault = "no process to learn in"
            return
        watchdog = threading.Timer(FIT_TIMEOUT, process.kill)
        watchdog.start()
        try:
            process.stdin.write(_request_line(request) + "\n")
            process.stdin.flush()
            self._receive(process.stdout.readline())
        except (OSError, ValueError) as error:
            self.fault = f"learning broke off ({error})"
        finally:
            watchdog.cancel()
        if self.fault:
            log.error("%s: %s", self._name, self.fault)

    def _receive(self, line: str) -> None:
        answer = json.loads(line or '{"fault": "learning broke off"}')
        self.fault = answer.get("fault", "")
        if self.fault:
            return
        try:
            done = SignalMapping(self._name, MappingText.model_validate(answer))
        except ValidationError as error:
            self.fault = f"what was learned is no mapping: {error.error_count()} faults"
            return
        self._done = MappingPlayer(done)
        self._save(done)


def _request_line(request: FitRequest) -> str:
    method, signals, values, examples = request
    rows = [example.model_dump() for example in examples]
    return json.dumps({"method": method, "signals": signals, "values": values, "examples": rows})
