"""Trials: a process of its own draws what could stop the show."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from perform import children
from perform.render import costs, isf
from perform.render.isf import ISF
from perform.render.passed import PassedShaders
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
    known: PassedShaders | None = None,
) -> Iterator[Trials]:
    with closing(Trials(size, trusted, command, limit, known)) as made:
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


HELD = """/*{"INPUTS": [{"NAME": "amount", "TYPE": "float", "DEFAULT": 0.2}],
    "PASSES": [{"TARGET": "a"}, {"TARGET": "b"}, {}]}*/
void main() { gl_FragColor = PASSINDEX == 1 && (CONDITION) ? vec4(heavy(TIME)) : vec4(0.2); }
"""


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ("amount > 0.9", "with amount = 1"),
        ("TIME > 10.0", "at TIME = 11"),
    ],
)
def test_a_pass_that_never_ends_at_another_time_or_value_is_refused(
    tmp_path: Path, condition: str, where: str
) -> None:
    text = HELD.replace("void main", HEAVY + "void main", 1).replace("CONDITION", condition)
    (tmp_path / "a.fs").write_text(text)
    refusal = rf"a\.fs:1: takes about \d+\.\d s a frame at 1920x1080 {where}, a live show has 20 s for it"
    with trials(size=(1920, 1080)) as tried, pytest.raises(ShaderError, match=refusal):
        tried.wait([isf.load(tmp_path / "a.fs")])


def test_a_pass_of_one_size_is_not_taken_for_one_that_grows(tmp_path: Path) -> None:
    header = '{"PASSES": [{"TARGET": "a", "WIDTH": "300", "HEIGHT": "300"}, {}]}'
    body = HEAVY.replace("1000000", "100")
    body += "void main() { gl_FragColor = vec4(PASSINDEX == 0 ? heavy(TIME) : 0.2); }"
    (tmp_path / "a.fs").write_text(f"/*{header}*/{body}")
    with trials(size=(3840, 2160)) as tried:
        tried.wait([isf.load(tmp_path / "a.fs")])


def test_each_input_is_tried_at_its_ends() -> None:
    header = """{"INPUTS": [{"NAME": "a", "TYPE": "float", "MIN": -1, "MAX": 2},
        {"NAME": "b", "TYPE": "bool"}, {"NAME": "c", "TYPE": "long", "VALUES": [4, 5], "LABELS": ["x", "y"]},
        {"NAME": "d", "TYPE": "event"}, {"NAME": "e", "TYPE": "point2D"}, {"NAME": "f", "TYPE": "audioFFT"},
        {"NAME": "g", "TYPE": "long"}]}"""
    shader = isf.parse(f"/*{header}*/ void main() {{}}", "a.fs")
    found = [*costs.situations(shader.parameters)]
    assert [where for where, _, _ in found[len(costs.TIMES) :]] == [
        "with a = -1",
        "with a = 2",
        "with b = True",
        "with c = y",
        "with d = True",
        "with e = (0.0, 0.0)",
        "with e = (1.0, 1.0)",
        "with f = a loud sound",
        "with g = 1",
    ]
    assert [at for _, at, _ in found[: len(costs.TIMES)]] == [*costs.TIMES]
    assert found[-1][2] | {"f": 0} == {
        "a": 0.0, "b": False, "c": "x", "d": False, "e": (0.0, 0.0), "f": 0, "g": 1,
    }  # fmt: skip


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


def test_what_passed_in_a_show_before_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, slow = shader(tmp_path, PLAIN), shader(tmp_path, SLOW, "slow.fs")
    known = PassedShaders(tmp_path / "known", "driver")
    for _ in range(2):  # what was refused is tried again
        with trials(known=known) as tried:
            tried.wait([plain])
            with pytest.raises(ShaderError):
                tried.wait([slow])
    assert [one.name for one in (tmp_path / "known").iterdir()] == [known.key(plain)]
    started: list[object] = []

    def no_process(*given: object, **_options: object) -> None:
        started.append(given)
        raise OSError("no process")

    monkeypatch.setattr(subprocess, "Popen", no_process)
    with trials(known=known) as tried:
        tried.wait([plain])
        assert not started
        tried.wait([shader(tmp_path, PLAIN + "\n")])  # saved since
        assert started
    assert PassedShaders(tmp_path / "known", "another driver").key(plain) != known.key(plain)


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.render.passed.MOST_KEPT", 2)
    known = PassedShaders(tmp_path)
    for number, key in enumerate("abc"):
        known.add(key)
        os.utime(tmp_path / key, (number, number))
    known.add("d")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["c", "d"]
    assert "" not in known and PassedShaders(tmp_path / "none").key(shader(tmp_path, PLAIN)) != ""


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
