"""Trials: a process of its own draws what could stop the show."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from perform import children
from perform.render import isf
from perform.render.isf import ISF
from perform.render.shader import ShaderError
from perform.render.trials import COMMAND, Trials
from tests.doubles.shaders import HEAVY

PLAIN = "void main() { gl_FragColor = vec4(0.2); }"
SLOW = HEAVY + "void main() { gl_FragColor = vec4(heavy(TIME)); }"
# Holds the interpreter for years, as a draw may; software GL itself ends every loop at some time.
ENDLESS = """import re
from perform.render import isf, trials
real = isf.load
isf.load = lambda path: re.match("(a+)+b", 64 * "a") if path.name == "a.fs" else real(path)
trials.try_shaders()"""


def shader(folder: Path, body: str, name: str = "a.fs") -> ISF:
    (folder / name).write_text("/*{}*/" + body)
    return isf.load(folder / name)


@contextmanager
def trials(
    size: tuple[int, int] = (640, 360),
    trusted: Path = Path("none"),
    command: Sequence[str] = COMMAND,
    limit: float = 30.0,
) -> Iterator[Trials]:
    with closing(Trials(size, trusted, command, limit)) as made:
        yield made


def test_what_is_quick_enough_passes(tmp_path: Path) -> None:
    with trials() as tried:
        plain = shader(tmp_path, PLAIN)
        assert not tried.passed([plain])
        tried.wait([plain])
        assert tried.passed([plain])
        saved = shader(tmp_path, PLAIN)
        assert not tried.passed([saved])  # it may be another


def test_faults_are_left_to_the_show(tmp_path: Path) -> None:
    with trials() as tried:
        tried.wait([shader(tmp_path, "void main() { oops }")])


def test_what_is_too_slow_is_refused_with_its_cost(tmp_path: Path) -> None:
    heavy, plain = shader(tmp_path, SLOW), shader(tmp_path, PLAIN, "b.fs")
    with trials() as tried:
        with pytest.raises(ShaderError, match=r"a\.fs:1: takes about [\d.]+ s a frame at 640x360"):
            tried.wait([heavy, plain])
        with pytest.raises(ShaderError, match=r"a\.fs:1: takes about"):
            tried.passed([heavy])
        tried.wait([plain])


def test_what_does_not_end_ends_with_its_process(tmp_path: Path) -> None:
    endless, plain = shader(tmp_path, PLAIN), shader(tmp_path, PLAIN, "b.fs")
    with trials(command=children.command(ENDLESS), limit=4.0) as tried:
        with pytest.raises(ShaderError, match=r"a\.fs:1: draws no picture of 40x22 within 4 s"):
            tried.wait([endless])
        tried.wait([plain])  # in a new process


def test_a_driver_that_crashes(tmp_path: Path) -> None:
    command = children.command("import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 11)")
    with trials(command=command) as tried, pytest.raises(ShaderError, match=r"crashed on it \(signal 11\)"):
        tried.wait([shader(tmp_path, PLAIN)])


BROKEN = """from perform.render import isf, trials
def load(path): raise MemoryError
isf.load = load
trials.try_shaders()"""


@pytest.mark.parametrize(
    "command",
    [children.command("import sys; sys.exit(3)"), children.command(BROKEN), ["no-such-program"]],
)
def test_where_nothing_can_be_tried_all_pass(tmp_path: Path, command: list[str]) -> None:
    with trials(command=command) as tried:
        tried.wait([shader(tmp_path, SLOW)])


def test_trusted_shaders_pass_as_they_are_at_first(tmp_path: Path) -> None:
    with trials(trusted=tmp_path, command=["no-such-program"]) as tried:
        plain, later = shader(tmp_path, PLAIN), isf.load(tmp_path / "a.fs")
        tried.wait([plain])
        assert tried.passed([plain])
        assert not tried.passed([later])  # it came while the show played: what it needs is compiled first


def test_the_process_ends_with_its_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with trials() as tried:
        tried.wait([shader(tmp_path, PLAIN)])
    assert [process.poll() is not None for process in started] == [True]
