"""Lights of controllers through real ports: JACK's, in this process and another."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial, partialmethod
from pathlib import Path

import pytest

from perform import show
from perform.library import Library
from perform.midi import profiles
from perform.outputs import lights as feedback
from perform.outputs.lights import MidiLights
from perform.outputs.lights.patterns import LightPattern, dark
from tests.doubles import jack_port
from tests.doubles.inputs import PlayedInput
from tests.doubles.library import save, write_library
from tests.doubles.lights import FILES, FakeShow, profile
from tests.doubles.servers import Server
from tests.doubles.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


class Port(jack_port.Port):
    """A controller as JACK sees it: keeps what it gets."""

    def __init__(self, name: str) -> None:
        self.got: list[bytes] = []
        super().__init__(name, self.got.append)

    def has(self, count: int) -> bool:
        return len(self.got) >= count


@pytest.fixture
def lit(jack: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[MidiLights]:
    monkeypatch.setattr(feedback, "LIGHTS_SCAN_INTERVAL", 0.1)
    lights = MidiLights([profile(name) for name in FILES], api="UNIX_JACK")
    yield lights
    lights.close()


def test_a_new_controller_gets_all_lights_and_is_dark_at_the_end(lit: MidiLights, folder: Path) -> None:
    show, seconds = FakeShow.of(folder, "midi.fader1", "midi.note3"), iter(range(10**6))

    def told() -> None:
        lit.update(next(seconds) / 10, show.snapshot)

    first = LightPattern(profile("nanokontrol2")).messages(show.snapshot(), 0.0)
    for _ in range(100 if os.environ.get("PERFORM_SOAK") else 2):
        port = Port("nanoKONTROL2")
        eventually(partial(port.has, len(first)), "the picture", told)
        assert {*port.got} >= {*first.values()}
        port.close()
        eventually(lambda: not lit.names, "the loss", told)
    port = Port("nanoKONTROL2")
    eventually(lambda: len(port.got) >= len(first), "the picture", told)
    assert lit.names == ["nanokontrol2"] and lit.health().detail == ""
    lit.close()
    off = dark(profile("nanokontrol2"))
    eventually(lambda: port.got[-len(off) :] == off, "the dark")
    port.close()


def test_two_of_the_same_model_get_different_names(lit: MidiLights, folder: Path) -> None:
    show, seconds = FakeShow.of(folder, "midi.midimix_2.record1", "midi.note99"), iter(range(10**6))
    ports = [Port("MIDI Mix"), Port("MIDI Mix B")]
    show.values["/filter/invert/amount"] = (1.0,)

    def told() -> None:
        lit.update(next(seconds) / 10, show.snapshot)

    eventually(lambda: all(len(port.got) >= 16 for port in ports), "both pictures", told)
    assert sorted(lit.names) == ["midimix", "midimix_2"]
    on = bytes([0x90, 3, 127])
    assert sorted(on in port.got for port in ports) == [False, True]
    second = next(port for port in ports if on in port.got)
    for port in ports:
        port.close()
    eventually(lambda: not lit.names, "the loss", told)
    ports = [Port(second.name)]
    eventually(lambda: on in ports[0].got, "the second, under its old name", told)
    assert lit.names == ["midimix_2"]
    for port in ports:
        port.close()


CRASH = """
import sys
from pathlib import Path
from perform.midi import profiles
from perform.outputs.lights import MidiLights
from tests.doubles.waiting import eventually
from tests.doubles.lights import FakeShow
lights = MidiLights([profiles.read_profile(Path("profiles/midimix.toml"))], api="UNIX_JACK")
show = FakeShow.of(Path(sys.argv[1]), "midi.fader1", "midi.note3")
seconds = iter(range(10**6))
eventually(lambda: lights.names, "the port")
update = lambda: lights.update(next(seconds) / 10, show.snapshot)
eventually(lambda: next(seconds) > 50, "the picture", update)
raise RuntimeError("a fault that nobody caught")
"""


def test_a_crashed_show_leaves_no_lights_on(jack: Server, folder: Path) -> None:
    port = Port("MIDI Mix")
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and "a fault that nobody caught" in done.stderr
    assert bytes([0x90, 1, 127]) in port.got
    off = dark(profile("midimix"))
    eventually(lambda: port.got[-len(off) :] == off, "the dark")
    port.close()


def test_an_edited_profile_takes_effect(lit: MidiLights, folder: Path) -> None:
    show, seconds = FakeShow.of(folder, "midi.fader1", "midi.note3"), iter(range(10**6))
    port = Port("MIDI Mix")

    def told() -> None:
        lit.update(next(seconds) / 10, show.snapshot)

    eventually(lambda: bytes([0x90, 1, 127]) in port.got, "the picture", told)
    save(
        folder / "midimix.toml",
        FILES["midimix"].read_text(encoding="utf-8").replace("on = { value = 127", "on = { value = 1"),
    )
    lit.use([profiles.read_profile(folder / "midimix.toml")])
    eventually(lambda: bytes([0x90, 1, 1]) in port.got, "the edit", told)
    port.close()


def test_only_the_chosen_port_is_lit(jack: Server, folder: Path) -> None:
    lights = MidiLights([profile("midimix"), profile("nanokontrol2")], "mix", "UNIX_JACK")
    ports = [Port("nanoKONTROL2"), Port("MIDI Mix")]
    eventually(lambda: lights.names == ["midimix"], "the port")
    lights.close()
    for port in ports:
        port.close()


def test_a_show_sets_its_lights(jack: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a whole show: a requested cue blinks on its pad, then plays."""
    monkeypatch.setattr(feedback, "LIGHTS_SCAN_INTERVAL", 0.1)
    monkeypatch.setattr(
        feedback.MidiLights, "__init__", partialmethod(feedback.MidiLights.__init__, api="UNIX_JACK")
    )
    write_library(folder)
    save(folder / "profiles/midimix.toml", FILES["midimix"].read_text(encoding="utf-8"))
    port, says = Port("MIDI Mix"), PlayedInput()
    rig = show.play(
        show.Options("demo", size=(48, 27), headless=True, osc_port=0, watch=False), Library(folder)
    )
    rig.inputs[:] = [says]
    eventually(lambda: bytes([0x90, 1, 127]) in port.got, "the first scene", rig.frame)
    says.next = [("key.2", 1.0)]
    rig.frame()
    eventually(lambda: bytes([0x90, 4, 127]) in port.got, "the second scene", rig.frame)
    rig.close()
    off = dark(profile("midimix"))
    eventually(lambda: port.got[-len(off) :] == off, "the dark")
    port.close()
