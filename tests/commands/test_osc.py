"""`perform osc`, and a show that is controlled over the network."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from perform.cli import app
from perform.inputs.osc.packets import message
from perform.parameters import place_of
from tests.doubles.boards import Controller
from tests.doubles.command import start
from tests.doubles.library import write_library
from tests.doubles.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_library(tmp_path))
    return tmp_path


def test_every_address_is_listed_with_its_values(folder: Path) -> None:
    said = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["osc", "demo"])
    assert said.exit_code == 0
    rows = [line.split() for line in said.output.splitlines()]
    assert ["/tempo/bpm", "float", "0..220", "bpm"] in [row[:4] for row in rows]
    assert any(row[:2] == ["/generator/tint", "color"] for row in rows)
    assert ["/scene/2", "event", "to", "cue", "2,", "Blue"] in rows
    assert "/norm" in said.output


def test_a_narrow_terminal_cuts_formulas_and_no_sentence(folder: Path) -> None:
    said = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["osc", "inverted"])
    lines = said.output.splitlines()
    assert max(map(len, lines)) == 80
    (at,) = [index for index, line in enumerate(lines) if line.startswith("/crossfader ")]
    column = lines[at].index("from deck")
    sentence = " ".join(line[column:].strip() for line in lines[at : at + 3])
    assert sentence == "from deck A (0) to deck B (1): a transition to the next cue by hand"
    (master,) = [line for line in lines if line.startswith("/master ")]
    assert master.split() == ["/master", "float", "0..1", "pickup(midi…", "brightness", "of", "everything"]


def test_the_list_can_be_one_json_object(folder: Path) -> None:
    said = json.loads(CliRunner().invoke(app, ["osc", "inverted", "--json"]).output)
    (scene,) = said["scenes"]
    assert (said["title"], scene["title"]) == ("Red", "Red")
    (amount,) = [row for row in scene["addresses"] if row["address"] == "/filter/invert/amount"]
    assert (amount["type"], amount["low"], amount["high"], amount["default"]) == ("float", 0, 1, 1)
    assert {"/master", "/go", "/panic", "/release"} <= {row["address"] for row in said["show"]}


def test_a_missing_show_is_reported(folder: Path) -> None:
    said = CliRunner().invoke(app, ["osc", "nobody"])
    assert said.exit_code == 1
    assert "there is no such setlist or preset" in said.output


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9000", ("127.0.0.1", 9000)),
        ("0.0.0.0:9000", ("0.0.0.0", 9000)),
        ("ipad.local:0", ("ipad.local", 0)),
    ],
)
def test_hosts_and_ports_are_parsed(text: str, place: tuple[str, int]) -> None:
    assert place_of(text) == place


@pytest.mark.parametrize("text", ["", "here", "here:", ":x", "1.2.3.4:70000", "9000:here"])
def test_an_invalid_host_or_port_is_reported(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be HOST:PORT or a port 0\.\.65535"):
        place_of(text)


def test_the_command_reports_an_invalid_host_or_port(folder: Path) -> None:
    said = CliRunner().invoke(app, ["play", "red", "--headless", "--osc-feedback", "tablet"])
    assert said.exit_code == 1
    assert "osc-feedback 'tablet', must be HOST:PORT" in said.output


def _free_port() -> int:
    with socket.socket() as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
        other.bind(("127.0.0.1", port))
        return port


@contextmanager
def playing(folder: Path, port: int, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """The library's setlist, played without a window."""
    command = ["play", "demo", "--headless", "--audio", "none", "--size", "64x36", "--osc", str(port), *words]
    with start(*command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_the_command_plays_and_watches_a_show(folder: Path) -> None:
    port, controller, watching = _free_port(), Controller(), Controller()

    def value(address: str) -> Any:
        try:
            with urlopen(f"http://127.0.0.1:{port}{address}?VALUE", timeout=10) as page:
                return json.loads(page.read())["VALUE"][0]
        except (URLError, OSError):
            return None

    with playing(folder, port, "--osc-feedback", f"127.0.0.1:{watching.address[1]}") as process:
        eventually(lambda: value("/now/title") == "Red", "the show")
        controller.send(message("/blackout", [1]), port)
        eventually(lambda: watching.newest().get("/blackout") == (True,), "feedback")
        controller.send(message("/panic", []), port)
        eventually(lambda: watching.newest().get("/blackout") == (False,), "light")
        controller.send(message("/generator/tint", [0.0, 0.5, 1.0, 1.0]), port)
        eventually(lambda: watching.newest().get("/generator/tint") == (0.0, 0.5, 1.0, 1.0), "the colour")
        controller.send(message("/composition/columns/2/connect", [1]), port)
        eventually(lambda: watching.newest().get("/now/title") == ("Blue",), "the next scene")
        controller.send(message("/now/*", ["?"]), port)
        eventually(lambda: controller.newest().get("/now/cue") == (2,), "the answer")
        process.terminate()
        assert process.stdout
        assert b"Traceback" not in process.stdout.read()
    for one in (controller, watching):
        one.close()
