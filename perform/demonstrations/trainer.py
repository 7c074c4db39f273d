"""Training beside a show: in a process of its own, so that the interpreter that draws is left alone."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from pydantic import ValidationError

from perform.scenes.mapping import Example, Player, SignalMapping, Text

FitRequest: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...], tuple[Example, ...]]

log = logging.getLogger("perform")
FIT_TIMEOUT = 10.0  # seconds for one fit; a process that takes longer is replaced
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # one core: the others draw


class MappingTrainer:
    """Fits a mapping whenever it is asked. Of several questions the newest is answered; `ask` and `take`
    never wait. `keeps` is called with each mapping, on the trainer's thread."""

    def __init__(self, name: str, keeps: Callable[[SignalMapping], None] = lambda _: None) -> None:
        self.fault = ""  # of the last fit, empty when it went well
        self._name, self._keeps = name, keeps
        self._asked: FitRequest | None = None
        self._done: Player | None = None
        self._news, self._closing = threading.Condition(), False
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="trainer", daemon=True)
        self._thread.start()

    def ask(
        self, method: str, signals: Sequence[str], values: Sequence[str], examples: Sequence[Example]
    ) -> None:
        """Have these examples learned."""
        with self._news:
            self._asked = method, tuple(signals), tuple(values), tuple(examples)
            self._news.notify()

    def take(self) -> Player | None:
        """The mapping that was learned since the last call, ready to play."""
        done, self._done = self._done, None
        return done

    def close(self) -> None:
        """End the process; safe to call twice."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._process is not None:
            self._process.kill()
        self._thread.join(FIT_TIMEOUT)

    def _run(self) -> None:
        while not self._closing:
            with suppress(OSError):  # no more processes: perhaps at the next question
                self._spawn()
            with self._news:
                self._news.wait_for(lambda: self._asked is not None or self._closing)
                question, self._asked = self._asked, None
            if question is not None and not self._closing:
                self._answer(question)
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _spawn(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-m", "perform.demonstrations.fit"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=dict(os.environ) | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )

    def _answer(self, question: FitRequest) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            self.fault = "no process to learn in"
            return
        watchdog = threading.Timer(FIT_TIMEOUT, process.kill)
        watchdog.start()
        try:
            process.stdin.write(_request_line(question) + "\n")
            process.stdin.flush()
            self._told(process.stdout.readline())
        except (OSError, ValueError) as error:
            self.fault = f"learning broke off ({error})"
        finally:
            watchdog.cancel()
        if self.fault:
            log.error("%s: %s", self._name, self.fault)

    def _told(self, line: str) -> None:
        told = json.loads(line or '{"fault": "learning broke off"}')
        self.fault = told.get("fault", "")
        if self.fault:
            return
        try:
            done = SignalMapping(self._name, Text.model_validate(told))
        except ValidationError as error:
            self.fault = f"what was learned is no mapping: {error.error_count()} faults"
            return
        self._done = Player(done)
        self._keeps(done)


def _request_line(question: FitRequest) -> str:
    method, signals, values, examples = question
    rows = [example.model_dump() for example in examples]
    return json.dumps({"method": method, "signals": signals, "values": values, "examples": rows})
