"""Sound servers without a sound card, and sounds to hear."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from perform.arrays import Samples
from perform.clock import LiveClock
from tests.doubles.jack_port import Port

# pytest-xdist tells its workers a width, which consoles keep from their beginning on: tests say their own
os.environ.pop("COLUMNS", None)

PATIENCE = 20.0  # seconds that a program may take to start or to notice something


@pytest.fixture(scope="session", autouse=True)
def folders_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither find nor leave anything in a person's folders."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


def needs(*programs: str) -> None:
    """Skip the test by the missing program's name; where everything is to be there, fail."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"{', '.join(missing)} must be installed")
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")


def eventually(
    true: Callable[[], object], what: str = "it", step: Callable[[], object] | None = None
) -> None:
    """Look until it is true, a hundred times a second; `step` is called before each look."""
    clock = LiveClock(100)
    while clock.advance() < PATIENCE:
        if step:
            step()
        if true():
            return
    pytest.fail(f"{what} did not come within {PATIENCE:g} s")


class Server:
    """A sound server that may be killed and started again."""

    def __init__(self, command: list[str], ready: list[str]) -> None:
        self._command, self._ready = command, ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # PulseAudio does not start where another server is named
        environment = {name: value for name, value in os.environ.items() if name != "PULSE_SERVER"}
        self._process = subprocess.Popen(
            self._command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(lambda: subprocess.run(self._ready, capture_output=True).returncode == 0, self._command[0])

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):  # JACK may wait for a client that has gone
                self._process.wait(timeout=5)
        self.kill()

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


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
        # -t: a client that a busy machine makes late is not thrown out. Not --sync: a client that is killed
        # while it is at work would hold that server for ever.
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


def tone(seconds: float, rate: int = 48_000, hertz: float = 1000.0) -> Samples:
    """A sine of amplitude 0.5 [n, 1]."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[:, None]


def clicks(times: list[float], seconds: float, rate: int = 48_000) -> Samples:
    """Bursts of 5 ms at `times` in silence [n, 1]."""
    sound = np.zeros((round(seconds * rate), 1), np.float32)
    burst = np.random.default_rng(0).uniform(-0.8, 0.8, (rate // 200, 1))
    for time in times:
        at = round(time * rate)
        sound[at : at + len(burst)] = burst
    return sound


def write_sound(path: Path, samples: Samples, rate: int = 48_000, codec: str = "pcm_f32le") -> Path:
    """A sound file of `samples` [n, channels]; the name's ending says the container."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        coder = stream.codec_context
        coder.open()
        fitted = av.AudioResampler(coder.format, layout, rate, frame_size=coder.frame_size or None)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for one in (*fitted.resample(frame), *fitted.resample(None)):
            file.mux(coder.encode(one))
        file.mux(coder.encode(None))
    return path
