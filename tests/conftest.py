"""Fixtures of all tests: user folders, OpenGL and sound servers."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import moderngl
import pytest
import typer.main
import typer.testing
from hypothesis import settings

from perform.render.context import headless
from tests.doubles import prepared
from tests.doubles.jack_port import Port
from tests.doubles.opengl import OneOpenGL
from tests.doubles.servers import Server
from tests.doubles.waiting import needs

# pytest-xdist tells its workers a width, which consoles keep from their beginning on: tests say their own
os.environ.pop("COLUMNS", None)
# Workers share the cores: threads of OpenMP and of Mesa's llvmpipe would spin while another worker's run
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LP_NUM_THREADS", "1")
# Two processes that share Mesa's cache of compiled shaders crashed in llvmpipe, in the middle of a drawing
os.environ.setdefault("MESA_SHADER_CACHE_DISABLE", "true")
# Most shaders of the tests draw a few small frames: compiling them costs more than drawing them unoptimised
os.environ.setdefault("GALLIVM_PERF", "nopt")
# NDI talks to this machine alone
os.environ["NDI_CONFIG_DIR"] = str(Path(__file__).parent / "data/ndi")
# How long an example takes depends on what else runs
settings.register_profile("perform", deadline=None)
settings.load_profile("perform")
# The modules that take longest, the longest first: begun last, one of them would be alone at the end
LONGEST_MODULES = (
    "test_presets", "test_bench_beat", "test_cli", "test_tracker", "test_checkpoints_bombs",
    "test_show", "test_link", "test_generators", "test_training_run", "test_audio", "test_stylegan3",
    "test_shader", "test_golden", "test_shown_beats", "test_flora", "test_flora_model",
    "test_midiclock_out", "test_recorder", "test_osc_query", "test_families", "test_bench_inputs",
    "test_compiler", "test_children", "test_cache", "test_hands_drawn", "test_midi", "test_fuzz_inputs",
    "test_models", "test_journal", "test_window",
)  # fmt: skip

NDI_MODULES = {"test_senders", "test_sharing", "test_sharing_show"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest modules."""
    ranks = {name: rank for rank, name in enumerate(LONGEST_MODULES)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One worker has all tests of NDI: without mDNS, it finds the sources of one process of a machine."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "NDI" if Path(file).stem in NDI_MODULES else file

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What the test modules import lives to the end: the garbage collector need not go through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor write anything in the user's folders.

    All workers of a run share the cache: what one compiles, the others open.
    """
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(run / "cache"))
        patch.setenv("XDG_DATA_HOME", str(base / "data"))
        yield


@pytest.fixture(scope="session", autouse=True)
def prepared_processes() -> Iterator[None]:
    """What prepares processes, once a test wants one, ends with the tests."""
    yield
    prepared.end()


@pytest.fixture(scope="session", autouse=True)
def one_opengl() -> Iterator[None]:
    """Each shader is compiled once in a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moderngl, "create_context", OneOpenGL())
        yield


@pytest.fixture(scope="session", autouse=True)
def no_freeze() -> Iterator[None]:
    """`Rig.run` looks at all objects that exist, for no frame of a show may be late. Those of tests may."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("perform.rig.freeze_gc", lambda: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_command_line() -> Iterator[None]:
    """Typer makes the whole command line anew for each command that a test calls: here it is made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command), raising=False)
        yield


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `perform.children` sets for processes that are spawned ends with the test."""
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))


@pytest.fixture(scope="module")
def context() -> Iterator[moderngl.Context]:
    """OpenGL without a window, for the tests of a module."""
    context = headless()
    yield context
    context.release()


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """PulseAudio with a null sink, whose monitor is the default source."""
    needs("pulseaudio", "pactl", "pacat")
    socket = tmp_path / "socket"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{socket}")
    tmp_path.chmod(0o700)
    modules = (
        "module-null-sink sink_name=null",
        f"module-native-protocol-unix socket={socket} auth-anonymous=1",
    )
    options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    server = Server(
        ["pulseaudio", *options, *(part for module in modules for part in ("-L", module))], ["pactl", "info"]
    )
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """JACK with a dummy device of 48 kHz."""
    needs("jackd", "jack_lsp")
    # The same names in all runs: a server that is killed keeps its place among the eight that JACK remembers.
    name = f"perform-tests{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    server = Server(
        # -t: a client that is late on a busy machine is not removed. Not --sync: a client that is killed
        # while it works would block that server for ever.
        ["jackd", "--no-mlock", "--no-realtime", "-t", "10000", "-n", name, "-d", "dummy"],
        ["jack_lsp"],
    )
    try:
        server.start()
        yield server
    finally:
        Port.close_all()
        server.stop()


@pytest.fixture
def no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sound server."""
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
