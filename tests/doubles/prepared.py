"""Python processes that begin with the libraries of the program imported, which costs more than a command.

`Prepared` is a `subprocess.Popen` for `python -c CODE WORDS`. The first one starts a process that imports the
libraries and waits. Each one is a fork of it, which gets its own files, folder and environment, and ends as
any Python process. The process that waits has one thread, no OpenGL and no devices, and ends with the tests.
What Python reads at its very start (PYTHON* variables, the seed of hashes) is the same in all: a test of
that, or of what is imported, starts a process from nothing.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from importlib import import_module
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from tests.folders import ROOT

# Without `perform.terminal` and what imports it: its consoles are made for the files of the process.
LIBRARIES = (
    "av", "glcontext", "moderngl", "numpy.fft", "numpy.ma", "PIL.Image", "pydantic", "pytest",
    "rich.live", "rich.logging", "rich.progress", "rich.table", "typer.rich_utils", "typer._adapters",
    "perform.outputs.recorder", "perform.performance", "perform.show.opening",
)  # fmt: skip
SERVE = "import sys; from tests.doubles import prepared; prepared.serve(int(sys.argv[1]))"


class FromNothing(subprocess.Popen[Any]):
    """A process that runs Python code, with words in its sys.argv. `options` are those of Popen for its
    files, its folder and its environment."""

    def __init__(self, code: str, *words: str, **options: Any) -> None:
        super().__init__([sys.executable, "-c", code, *words], **options)


class Prepared(FromNothing):
    """The same, as a fork of the process that waits; only Linux has it."""

    if sys.platform == "linux":

        def _execute_child(
            self, args: list[str], executable: Any, preexec_fn: Any, close_fds: Any, pass_fds: Any, cwd: Any,
            env: Any, startupinfo: Any, creationflags: Any, shell: Any, *files: int,
        ) -> None:  # fmt: skip
            """Start it: Popen calls this with both ends of each of its three files, -1 for those of ours."""
            theirs = [files[0], files[3], files[5]]
            theirs = [own if file == -1 else file for own, file in enumerate(theirs)]
            environ = dict(os.environ if env is None else env)
            wanted = json.dumps([args[2:], os.fspath(cwd or Path.cwd()), environ])
            self._news, telling = Pipe(duplex=False)
            with telling:
                socket.send_fds(_server()[1], [wanted.encode()], [*theirs, telling.fileno()])
            self._close_pipe_fds(*files[:6])  # type: ignore[attr-defined]
            self.pid = self._news.recv()
            self._child_created = True

        def wait(self, timeout: float | None = None) -> int:
            """Wait for its end; its exit code, or minus the signal that ended it."""
            if self.returncode is None:
                if not self._news.poll(timeout):
                    raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
                self.returncode = self._news.recv()
                self._news.close()
            return self.returncode

        def poll(self) -> int | None:
            """Its exit code, None while it runs."""
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(0)
            return self.returncode


@cache
def _server() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process that waits, and the socket for what is wanted of it."""
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-c", SERVE, str(theirs.fileno())]
        environ = os.environ | {"PYTHONSAFEPATH": ""}
        return subprocess.Popen(command, cwd=ROOT, env=environ, pass_fds=[theirs.fileno()]), ours


def end() -> None:
    """End the process that waits, if it was started."""
    if _server.cache_info().currsize:
        process, requests = _server()
        requests.close()
        process.wait()
        _server.cache_clear()


def serve(number: int) -> None:
    """Import the libraries, then fork for each request of this socket; the fork does what is wanted."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
    for name in LIBRARIES:
        import_module(name)
    assert len([*Path("/proc/self/task").iterdir()]) == 1, "a library has started a thread: it must not"
    gc.freeze()
    with socket.socket(fileno=number) as requests:
        said, files = _forked(requests)
    if said:
        words, folder, environ = json.loads(said)
        _run(words, folder, environ, files)


def _forked(requests: socket.socket) -> tuple[bytes, list[int]]:
    """What is wanted of this process, and its files, in a fork. In the process that waits: nothing, when no
    more can be wanted."""
    running: dict[int, tuple[int, Connection]] = {}  # by what tells its end: a process, and who is told
    while True:
        for ready in wait([requests, *running]):
            if isinstance(ready, int):
                _tell_end(ready, *running.pop(ready))
                continue
            said, files, *_ = socket.recv_fds(requests, 1 << 20, 4)
            pid = os.fork() if said else 0
            if not pid:
                for handle, (_, telling) in running.items():
                    os.close(handle)
                    telling.close()
                return said, files
            telling = Connection(files.pop(), readable=False)
            telling.send(pid)
            running[os.pidfd_open(pid)] = pid, telling
            for file in files:
                os.close(file)


def _tell_end(handle: int, pid: int, telling: Connection) -> None:
    _, status = os.waitpid(pid, 0)
    os.close(handle)
    with contextlib.suppress(OSError), telling:  # the test may be over
        telling.send(os.waitstatus_to_exitcode(status))


def _run(words: list[str], folder: str, environ: dict[str, str], files: list[int]) -> None:
    """Become `python -c` with these words, in this folder and environment. The last file is not for it."""
    os.close(files.pop())
    for own, file in enumerate(files):
        os.dup2(file, own)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = map(_stream, range(3), (sys.stdin, sys.stdout, sys.stderr))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["-c", *words[1:]]
    main = sys.modules["__main__"] = ModuleType("__main__")
    exec(words[0], main.__dict__)


def _stream(file: int, before: TextIO) -> TextIO:
    """A stream as Python makes it: by lines to a terminal, and for errors."""
    raw = open(file, "wb" if before.writable() else "rb", closefd=False)  # noqa: SIM115
    by_lines = file == 2 or raw.isatty()
    return io.TextIOWrapper(raw, before.encoding, before.errors, line_buffering=by_lines)
