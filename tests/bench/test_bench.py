"""Figures and the report that outside checks read."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from perform import __version__
from perform.bench import NAMES, Figure, machine, percentiles, report, run, shows, versions
from perform.bench.models import loading
from perform.cli import app
from perform.networks import ModelError


@pytest.mark.parametrize(("value", "met"), [(31.0, True), (30.0, True), (29.9, False), (math.nan, False)])
def test_a_rate_is_met_from_its_goal_up(value: float, met: bool) -> None:
    assert Figure.at_least("display_fps", value, "1/s", 30.0) == Figure(
        "display_fps", value, "1/s", 30.0, met
    )


@pytest.mark.parametrize(("value", "met"), [(49.0, True), (50.0, True), (50.1, False), (math.nan, False)])
def test_a_delay_is_met_from_its_goal_down(value: float, met: bool) -> None:
    assert Figure.at_most("frame_ms_p99", value, "ms", 50.0).met is met


def test_a_figure_without_a_goal_is_neither_met_nor_missed() -> None:
    assert Figure("share_draw", 0.4, "").met is None


def test_percentiles_of_a_hundred_and_one_samples_are_their_ranks() -> None:
    assert percentiles(float(n) for n in reversed(range(101))) == (50.0, 95.0, 99.0)


def test_percentiles_interpolate() -> None:
    found = percentiles([0.0, 10.0])
    assert (found.p50, found.p95, found.p99) == pytest.approx((5.0, 9.5, 9.9))


def test_percentiles_of_nothing_are_not_numbers() -> None:
    assert all(math.isnan(value) for value in percentiles([]))


def test_a_report_is_one_json_object_with_the_agreed_keys() -> None:
    figures = [Figure.at_least("display_fps", 31.5, "1/s", 30.0), Figure("lock_s", math.nan, "s")]
    again = json.loads(json.dumps(report("loop", figures), allow_nan=False))
    assert set(again) == {"bench", "machine", "versions", "figures"}
    assert again["bench"] == "loop"
    assert again["figures"] == [
        {"name": "display_fps", "value": 31.5, "unit": "1/s", "goal": 30.0, "met": True},
        {"name": "lock_s", "value": None, "unit": "s", "goal": None, "met": None},
    ]


def test_a_bench_is_opened_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def figures(*arguments: object) -> list[Figure]:
        asked.append(arguments)
        return [Figure("display_fps", 30.0, "1/s")]

    monkeypatch.setitem(sys.modules, "perform.bench.loop", SimpleNamespace(loop_figures=figures))
    assert run("loop", seconds=2.0, model="flora") == figures()
    assert asked[0] == (2.0, "flora", "auto")


@pytest.mark.parametrize("name", NAMES)
def test_every_bench_can_be_opened(name: str) -> None:
    assert callable(getattr(import_module(f"perform.bench.{name}"), f"{name}_figures"))


def test_an_unknown_bench_is_rejected() -> None:
    with pytest.raises(ValueError, match="bench 'lop', must be one of loop, busy, stage, generator, latency"):
        run("lop")


def test_the_machine_is_described() -> None:
    found = machine()
    assert found["cores"] >= 1
    assert found["processor"] and found["system"]
    assert found["memory_gib"] is None or found["memory_gib"] > 0


def test_versions_name_python_and_the_libraries_without_importing_them() -> None:
    code = "import sys; from perform.bench import versions; versions(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
    found = versions()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["perform"] == __version__
    assert "numpy" in found and "torch" in found


def test_a_network_alone_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.bench.shows.pictures_per_second", lambda unit, _seconds: float(unit.size[0]))
    assert shows.alone("flora-64", "cpu") == 64.0


def test_a_broken_model_is_named_before_it_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "bad.pkl"
    file.write_text("no model")
    with pytest.raises(ModelError, match=r"bad\.pkl"):
        run("models", model=str(file))


def test_a_measurement_lasts_for_some_time() -> None:
    done = CliRunner().invoke(app, ["bench", "models", "--seconds", "-1"])
    assert done.exit_code == 2 and "0.1" in done.output


def test_a_bench_that_lacks_something_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def measured(name: str, **_options: object) -> list[Figure]:
        if name == "latency":
            raise RuntimeError("there is no jackd")
        return [Figure(name, 1.0, "")]

    monkeypatch.setattr("perform.bench.command.run", measured)
    done = CliRunner().invoke(app, ["bench", "--json"])
    names = [json.loads(line)["bench"] for line in done.stdout.splitlines() if line.startswith("{")]
    assert (done.exit_code, names) == (1, [name for name in NAMES if name != "latency"])
    assert "bench latency: there is no jackd" in caplog.text
    assert CliRunner().invoke(app, ["bench", "loop", "--json"]).exit_code == 0


def test_a_file_that_ends_its_loading_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.pkl"
    file.write_text("no model")
    with pytest.raises(RuntimeError, match=r"bad\.pkl could not be loaded: .*it is text"):
        list(loading(file))
