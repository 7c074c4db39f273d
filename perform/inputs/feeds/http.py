"""A page of JSON (or one number), requested again and again."""

from __future__ import annotations

import threading
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from perform.clock import stopwatch
from perform.inputs.feeds import Report
from perform.inputs.feeds.document import Http
from perform.inputs.feeds.messages import LONGEST_MESSAGE, chosen, fields

CHUNK = 1 << 14  # bytes between two checks of the time


class Page:
    """A page that is requested every `every` seconds; an unchanged one (ETag) is not sent again."""

    def __init__(self, text: Http) -> None:
        self._text = text
        self._tag = ""
        self._last: dict[str, float | str] = {}

    def listen(self, report: Report, closing: threading.Event) -> None:
        """Request until `closing` is set. OSError or ValueError: the server is away or sends no number."""
        while not closing.is_set():
            report(self.request(closing))
            closing.wait(self._text.every)

    def request(self, closing: threading.Event) -> dict[str, float | str]:
        """The fields of the page as it is now. OSError, ValueError."""
        headers = {"Accept": "application/json, text/plain", "User-Agent": "perform"}
        if self._tag:
            headers["If-None-Match"] = self._tag
        try:
            with urlopen(Request(self._text.url, headers=headers), timeout=self._text.timeout) as answer:
                body = self._read(answer, closing)
                self._tag = answer.headers.get("ETag", "")
        except HTTPError as error:
            if error.code == 304:
                return self._last
            raise OSError(f"the server answers {error.code}") from error
        except HTTPException as error:
            raise OSError(f"the server's answer is cut off ({type(error).__name__})") from error
        self._last = fields(body.decode(errors="replace"))
        if chosen(self._last, "") is None:
            seen = next((f": {name} = {text!r:.40}" for name, text in self._last.items()), "")
            raise ValueError(f"the answer has no number{seen}")
        return self._last

    def _read(self, answer: HTTPResponse, closing: threading.Event) -> bytes:
        """The whole answer, within the time and the size allowed: a server may send a byte a second."""
        ends, body = stopwatch() + self._text.timeout, b""
        while chunk := answer.read1(CHUNK):
            body += chunk
            if len(body) > LONGEST_MESSAGE:
                raise ValueError(f"the answer is longer than {LONGEST_MESSAGE} bytes")
            if stopwatch() > ends or closing.is_set():
                raise TimeoutError(f"the answer takes longer than {self._text.timeout:g} s")
        return body
