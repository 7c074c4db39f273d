"""A prepared process does as one from nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.doubles.prepared import FromNothing, Prepared

SAYS = """
import os, pathlib, signal, sys, threading
print(__name__, sys.argv, os.getcwd(), dict(os.environ), sys.stdin.read())
print(threading.active_count(), os.listdir("/proc/self/task") == [str(os.getpid())])
print(sorted(os.listdir("/proc/self/fd")))
print([signal.getsignal(one) for one in sorted(signal.valid_signals())])
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.encoding, stream.errors, stream.line_buffering, file=sys.stderr)
"""
KINDS = (Prepared, FromNothing)


def ended(kind: type[FromNothing], code: str, said: str = "", **options: object) -> tuple[int, str, str]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with kind(code, "a", "b c", text=True, **pipes, **options) as process:
        out, errors = process.communicate(said, timeout=60)
    assert process.poll() == process.returncode
    return process.returncode, out, errors


def test_it_has_what_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    environ = {**os.environ, "HÉ": "LO"}
    prepared, other = (ended(kind, SAYS, "said", cwd=tmp_path, env=environ) for kind in KINDS)
    assert prepared == other
    assert f"__main__ ['-c', 'a', 'b c'] {tmp_path} {environ} said" in prepared[1]


@pytest.mark.parametrize(
    ("code", "exit_code", "out", "errors"),
    [
        ("print(1, end='')", 0, "1", ""),
        ("import sys; sys.exit(3)", 3, "", ""),
        ("import sys; sys.exit('a fault')", 1, "", "a fault\n"),
        ("1 / 0", 1, "", "ZeroDivisionError: division by zero\n"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "", "KeyboardInterrupt\n"),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL, "", ""),
        ("import atexit; atexit.register(print, 'last')", 0, "last\n", ""),
        ("import threading as t; t.Timer(0.01, print, 'x').start()", 0, "x\n", ""),
    ],
)
def test_it_ends_so(code: str, exit_code: int, out: str, errors: str) -> None:
    for kind in KINDS:
        code_of_end, said, complained = ended(kind, code)
        assert (code_of_end, said) == (exit_code, out)
        assert complained.endswith(errors) and bool(complained) is bool(errors)


def test_many_at_once_each_get_their_signal_and_their_end() -> None:
    waits = "import sys; print('begun', flush=True); sys.exit(int(sys.stdin.read()))"
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    many = [Prepared(waits, text=True, **pipes) for _ in range(4)]
    for process in many:
        assert process.stdin and process.stdout and process.stdout.readline() == "begun\n"
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.001)
    many[0].terminate()
    many[1].kill()
    many[2].send_signal(signal.SIGINT)
    many[3].communicate("7")
    assert [process.wait(60) for process in many] == [-signal.SIGTERM, -signal.SIGKILL, -signal.SIGINT, 7]
    assert len({process.pid for process in many}) == 4
    for process in many[:3]:
        process.communicate()
