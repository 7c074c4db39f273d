"""Networks that are compiled in their own process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from perform import generators, paths
from perform.generators import compiler as apart
from perform.generators.compiler import Compiler
from perform.generators.extending import Extension
from perform.networks import ModelError
from perform.networks.bending import Bend
from perform.networks.blending import Blend
from perform.networks.modelfiles import write_weights
from perform.networks.runtimes.openvino import runtime
from tests.doubles.networks import WEIGHTS, WS
from tests.doubles.waiting import TIMEOUT, eventually

SLEEPS = (sys.executable, "-c", "import time; time.sleep(60)")
WIDE = Extension("mirror", (4, 6))
BENDS = (Bend("blur", "b8.conv1", 2), Bend("feedback", "b16.conv0"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return paths.user_cache() / "compiled"


def begun() -> Compiler:
    """A compiler of a show that plays."""
    compiler = Compiler()
    compiler.begin()
    return compiler


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_weights(tmp_path / "model.safetensors", WEIGHTS)
    return tmp_path / "model.safetensors"


def test_a_network_compiled_by_another_process_opens(
    folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blend = Blend(str(model), "b16.conv1", "b16.conv1")
    with closing(generators.open(model, "cpu", "auto", 1, BENDS, blend, WIDE)) as here:
        picture = here.synthesise(WS).copy()
    (file,) = folder.iterdir()
    file.unlink()
    monkeypatch.setattr(runtime, "compile_graphs", None)  # nothing is compiled in this process
    with closing(generators.open(model, "cpu", "auto", 1, BENDS, blend, WIDE, begun())) as there:
        assert np.array_equal(there.synthesise(WS), picture)
    assert list(folder.iterdir()) == [file]


def test_a_second_opening_starts_no_process(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generators.open(model, "cpu", "float32", 1).close()
    monkeypatch.setattr(apart, "COMMAND", None)
    generators.open(model, "cpu", "float32", 1, compiler=begun()).close()


def test_a_killed_process_is_reported_and_its_job_is_not_repeated(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "COMMAND", (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    monkeypatch.setattr(runtime, "compile_graphs", None)
    with pytest.raises(ModelError, match=r"model\.safetensors: the process that compiled it .* signal 9"):
        generators.open(model, "cpu", "float32", 1, compiler=begun())


@pytest.mark.parametrize("command", [("no such program",), (sys.executable, "-c", "raise ValueError")])
def test_without_a_process_the_network_is_compiled_in_this_one(
    model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(apart, "COMMAND", command)
    with closing(generators.open(model, "cpu", "float32", 1, compiler=begun())) as made:
        assert made.synthesise(WS).std() > 5
    assert "a process that compiles" in caplog.text


def test_no_process_starts_before_the_show(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "COMMAND", None)
    generators.open(model, "cpu", "float32", 1, compiler=Compiler()).close()


def test_a_process_that_takes_too_long_is_killed_and_not_repeated(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "COMMAND", SLEEPS)
    monkeypatch.setattr(apart, "COMPILE_TIMEOUT", 0.1)
    monkeypatch.setattr(runtime, "compile_graphs", None)
    with pytest.raises(ModelError, match=r"longer than 0\.1 s"):
        generators.open(model, "cpu", "float32", 1, compiler=begun())


def test_a_show_ends_without_waiting_for_a_process(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    sleeps = f"import pathlib, time; pathlib.Path({str(there)!r}).touch(); time.sleep(60)"
    monkeypatch.setattr(apart, "COMMAND", (sys.executable, "-c", sleeps))
    compiler = begun()
    failed: list[Exception] = []

    def ask() -> None:
        try:
            compiler(model, "float32", 1, (), None, None)
        except ModelError as error:
            failed.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(there.exists, "the process")
    compiler.close()
    asking.join(10)
    assert "ended with signal 9" in str(failed[0])


def test_a_process_ends_with_the_show_that_started_it(model: Path, tmp_path: Path) -> None:
    order = {"model": str(model), "precision": "float32", "threads": 1, "bends": [], "blend": None}
    begin = apart.BEGIN.replace("from perform", "import time; time.sleep(60)\nfrom perform")
    with subprocess.Popen(
        [sys.executable, "-P", "-c", begin, json.dumps(order)], stdin=subprocess.PIPE
    ) as one:
        assert one.stdin
        one.stdin.close()
        assert one.wait(TIMEOUT) == 1


def test_a_model_that_does_not_open_is_reported_on_stderr(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.write_bytes(b"nothing")
    order = f'{{"model": "{model}", "precision": "auto", "threads": 0, "bends": [], "blend": null}}'
    assert apart.run_job(order) == apart.FAILED
    assert "model.safetensors" in capsys.readouterr().err
