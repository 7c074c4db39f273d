"""A page of JSON (or of a number), asked for again and again."""

from __future__ import annotations

import threading
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from perform.clock import stopwatch
from perform.inputs.feeds import Say
from perform.inputs.feeds.document import LONGEST, Http, numbers

CHUNK = 1 << 14  # bytes between two looks at the time


class Page:
    """A page that is asked for every `every` seconds; unchanged ones (ETag) are not sent again."""

    def __init__(self, text: Http) -> None:
        self._text = text
        self._tag = ""
        self._last: dict[str, float] = {}

    def listen(self, say: Say, closing: threading.Event) -> None:
        """Ask until `closing` is set. OSError or ValueError: the server is away, or says nothing of use."""
        while not closing.is_set():
            say(self.asked(closing))
            closing.wait(self._text.every)

    def asked(self, closing: threading.Event) -> dict[str, float]:
        """The numbers of the page as it is now. OSError, ValueError."""
        headers = {"Accept": "application/json, text/plain", "User-Agent": "perform"}
        if self._tag:
            headers["If-None-Match"] = self._tag
        try:
            with urlopen(Request(self._text.url, headers=headers), timeout=self._text.timeout) as answer:
                said = self._read(answer, closing)
                self._tag = answer.headers.get("ETag", "")
        except HTTPError as error:
            if error.code == 304:
                return self._last
            raise OSError(f"the server answers {error.code}") from error
        except HTTPException as error:
            raise OSError(f"the server's answer breaks off ({type(error).__name__})") from error
        self._last = numbers(said.decode(errors="replace"))
        if not self._last:
            raise ValueError("the answer has no number")
        return self._last

    def _read(self, answer: HTTPResponse, closing: threading.Event) -> bytes:
        """The whole answer, within the time and the size allowed: a server may send a byte a second."""
        ends, said = stopwatch() + self._text.timeout, b""
        while chunk := answer.read1(CHUNK):
            said += chunk
            if len(said) > LONGEST:
                raise ValueError(f"the answer is longer than {LONGEST} bytes")
            if stopwatch() > ends or closing.is_set():
                raise TimeoutError(f"the answer takes longer than {self._text.timeout:g} s")
        return said


def open(text: Http) -> Page:
    """The page of a feed."""
    return Page(text)
