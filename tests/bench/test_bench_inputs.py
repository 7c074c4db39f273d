"""The bench of inputs: the inputs receive what its senders send, and every event finds its frame."""

from __future__ import annotations

import math
import socket
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from perform.bench import inputs, senders, wire
from perform.inputs.feeds.dmx import art_net, sacn
from perform.inputs.midi import Midi
from perform.inputs.osc import Osc
from perform.performance.scene import LatentSource
from tests.doubles.feeds import free_port
from tests.doubles.waiting import eventually


def test_inputs_understand_the_senders() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
        desk.bind(("127.0.0.1", 0))
        place = str(desk.getsockname()[1])
        with senders.SENDERS["artnet"](place) as send:
            value = send(0.5)
        _, levels = art_net(desk.recv(2000))
        assert (levels[0] / 255, len(levels)) == (value, 512)
        with senders.SENDERS["sacn"](place) as send:
            value = send(0.5)
        assert sacn(desk.recv(2000)) == (1, bytes([round(value * 255)]) * 512)
    unit = Osc(port=0, now=lambda: 1.0)
    with senders.SENDERS["osc"](str(unit.port)) as send:
        assert send(0.25) == 0.25
        found: list[object] = []
        eventually(lambda: found, step=lambda: found.extend((e.name, e.value) for e in unit.poll(1.0)))
    unit.close()
    assert found == [('osc["/bench"]', 0.25)]


def test_values_differ_from_the_one_before_and_from_the_hello() -> None:
    values = [senders.level(n) for n in range(100)]
    assert all(abs(a - b) > 2 * inputs.VALUE_TOLERANCE for a, b in pairwise(values))
    assert max(values) < senders.HELLO - 2 * inputs.VALUE_TOLERANCE and min(values) >= 0


def test_the_wire_is_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv(wire.VARIABLE, str(port))
    unit, before = Midi(None, lambda: 1.0, "perform.bench.wire"), wire.heard[0]
    said: dict[str, object] = {}
    with senders.SENDERS["midi"](str(port)) as send:
        eventually(lambda: unit.health().state == "ok")
        value = send(0.5)
        eventually(lambda: said, step=lambda: said.update((e.name, e.value) for e in unit.poll(1.0)))
    unit.close()
    assert said["midi.cc16"] == value and wire.heard[0] == before + 1


def test_a_latency_ends_at_the_first_frame_with_the_event() -> None:
    sent = [(1.0, 0.3), (2.0, 0.6), (2.01, 0.1), (3.0, 0.6)]
    noted = [(time, {"osc": value}) for time, value in ((0.9, 0.3), (1.25, 0.3), (2.5, 0.1), (3.125, 0.6))]
    assert inputs.answers("osc", sent, noted) == [0.25, None, pytest.approx(0.49), 0.125]


@pytest.mark.parametrize("kind", ["osc", "artnet", "serial"])
def test_latencies_are_measured(kind: str, tmp_path: Path) -> None:
    rig, places = inputs.input_show(tmp_path, windowed=False)
    try:
        scene = rig.performance.cues[0].scene
        [layer] = scene.layers
        assert not isinstance(layer.source, LatentSource)
        probe = inputs.Probe(layer.source, layer.source.parameters)
        scene.layers = [replace(layer, source=probe)]
        found = inputs.latencies(rig, probe, kind, places[kind], 8)
    finally:
        rig.close()
    assert found is not None and len(found) == 8
    figures = list(inputs.input_latency_figures(kind, found))
    assert [figure.name for figure in figures] == [
        f"{kind}_{x}" for x in ("ms_p50", "ms_p95", "ms_p99", "unseen")
    ]
    assert 0 < figures[0].value < 1000
    assert figures[2].goal == pytest.approx(18.67, abs=0.01)


def test_an_input_that_never_receives_is_reported() -> None:
    (figure,) = inputs.input_latency_figures("mqtt", None)
    assert math.isnan(figure.value) and figure.note == "it was not heard"


def test_a_flood_is_counted_and_the_newest_value_wins(tmp_path: Path) -> None:
    rig, places = inputs.input_show(tmp_path, windowed=False)
    try:
        heard = next(unit for unit in rig.inputs if isinstance(unit, Osc))
        wired = [unit for unit in rig.inputs if isinstance(unit, Midi)][-1]
        eventually(lambda: wired.health().state == "ok")
        figures = {one.name: one.value for one in inputs.flood_figures(rig, heard, places["midi"], 1.0)}
    finally:
        rig.close()
    for kind in ("osc", "midi"):
        assert figures[f"flood_{kind}_rate"] > 0
        assert figures[f"flood_{kind}_uncounted"] == figures[f"flood_{kind}_stale"] == 0
