"""No child imports from the folder that it runs in: each is started beside files named like libraries."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform import children
from perform.bench import models
from perform.bench.heard import CLICKS_CODE
from perform.bench.inputs import SENDERS_CODE
from perform.clock import stopwatch
from perform.demonstrations.trainer import MappingTrainer
from perform.generators.compiler import Compiler
from perform.inputs.audio.streams import Microphone, Speaker
from perform.inputs.hands.process import run as track
from perform.inputs.hands.tracker import GoneError, TrackerProcess
from perform.inputs.link import Link
from perform.networks.modelfiles import write_weights
from perform.render import isf
from perform.render.shader import ShaderError
from perform.render.trials import Trials
from perform.scenes.mapping import Example
from tests.doubles.networks import WEIGHTS
from tests.doubles.shaders import HEAVY
from tests.doubles.waiting import eventually
from tests.folders import ROOT

LIBRARIES = {*packages_distributions(), "link", "mediapipe", "cv2", "sounddevice", "sitecustomize"}
NAMES = sorted(name for name in {*sys.stdlib_module_names, *LIBRARIES} if name.isidentifier())
NAMES = [name for name in NAMES if name not in ("perform", "tests")]
TRAP = "open(__file__ + '.ran', 'a').write('x')\n"
# As pip writes the program `perform`, but for a name that Windows knows.
PROGRAM = "import sys\nfrom perform.__main__ import app\nif __name__ == '__main__':\n    sys.exit(app())\n"
PROBE = "import sys\nsys.stdout.write(' '.join(sys.modules))\n"


def write_traps(folder: Path, names: list[str]) -> Path:
    """A folder with a file for each name, which leaves a mark when it is imported."""
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text(TRAP)
    return folder


def sprung(folder: Path) -> list[str]:
    return sorted(file.name.removesuffix(".py.ran") for file in folder.glob("*.ran"))


def unguarded(**more: str) -> dict[str, str]:
    """The environment of a user who has set nothing but where this checkout is."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return plain | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | more


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, full of traps; at the end none has been sprung."""
    folder = write_traps(tmp_path / "traps", NAMES)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    yield folder
    assert sprung(folder) == []


def test_a_trap_works(tmp_path: Path) -> None:
    folder = write_traps(tmp_path / "traps", ["json", "sounddevice"])
    subprocess.run(
        [sys.executable, "-c", "import json, sounddevice"], cwd=folder, env=unguarded(), check=True
    )
    assert sprung(folder) == ["json", "sounddevice"]


def test_sound(traps: Path) -> None:
    with closing(
        Speaker(lambda start, stop: np.zeros((stop - start, 2), np.float32), stopwatch, 48000)
    ) as one:
        eventually(lambda: one.open or one.note != "opening", "the speaker")
    with closing(Microphone("", stopwatch, 48000)) as other:
        eventually(lambda: other.open or other.note != "opening", "the microphone")


def test_link(traps: Path) -> None:
    with closing(Link(stopwatch)) as link:
        eventually(lambda: link.note or link.health().state == "ok", "a word on Link")
        assert "cannot be started" not in link.note


def test_learning(traps: Path) -> None:
    with closing(MappingTrainer("tide")) as trainer:
        examples = [Example(signals=[n / 4], values=[n / 2]) for n in range(3)]
        trainer.request("ridge", ["midi.cc1"], ["amount"], examples)
        eventually(lambda: trainer.take() or trainer.fault, "the mapping")
        assert not trainer.fault


def test_the_compiler(traps: Path, tmp_path: Path) -> None:
    write_weights(tmp_path / "model.safetensors", WEIGHTS)
    compiler = Compiler()
    compiler.begin()
    compiler(tmp_path / "model.safetensors", "float32", 1, (), None, None)
    compiler.close()
    assert list((tmp_path / "cache").rglob("compiled/*"))


def test_trials_of_shaders(traps: Path, tmp_path: Path) -> None:
    (tmp_path / "heavy.fs").write_text(
        f"/*{{}}*/ {HEAVY} void main() {{ gl_FragColor = vec4(heavy(TIME)); }}"
    )
    with closing(Trials((640, 360), tmp_path / "none")) as trials, pytest.raises(ShaderError):
        trials.wait([isf.load(tmp_path / "heavy.fs")])  # if the process did not begin, it would pass


def test_the_hand_tracker(traps: Path, tmp_path: Path) -> None:
    """It may lack its model here; it has looked for the library by then."""
    process = TrackerProcess(str(tmp_path / "none"), track)

    def answered() -> bool:
        try:
            return process.ready()
        except GoneError:
            return True

    eventually(answered, "the tracker")
    process.close()


@pytest.mark.parametrize(
    "command",
    [
        children.command(SENDERS_CODE, "flood-osc", "9", "0.05"),
        children.command(CLICKS_CODE, "1", "0.1", "0", "0"),
        children.command(models.LOAD, "none.pkl"),
        children.module("pip", "--version"),
    ],
    ids=["senders", "clicks", "load", "pip"],
)
def test_other_processes(traps: Path, command: list[str]) -> None:
    """Without a sound device the clicks end with a fault, after their imports."""
    done = subprocess.run(command, env=children.environment(), capture_output=True, text=True, timeout=120)
    assert "No module named" not in done.stderr


def start(how: str, folder: Path, *words: str, **more: str) -> str:
    """What the program prints, started in this folder by its script or by `python -m`."""
    script = folder.parent / "perform-script"
    script.write_text(PROGRAM)
    command = [sys.executable, str(script)] if how == "script" else [sys.executable, "-m", "perform"]
    done = subprocess.run(
        [*command, *words], cwd=folder, env=unguarded(**more), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_before(folder: Path) -> set[str]:
    """What Python itself imports for `python -m`, before it runs a line of the program."""
    (folder / "probe").mkdir()
    (folder / "probe/__main__.py").write_text(PROBE)
    command = [sys.executable, "-m", "probe"]
    done = subprocess.run(command, cwd=folder, env=unguarded(), capture_output=True, text=True, check=True)
    return {*done.stdout.split()}


@pytest.mark.parametrize("how", ["script", "module"])
def test_the_program_and_the_processes_that_it_spawns(tmp_path: Path, how: str) -> None:
    (tmp_path / "pictures").mkdir()
    for shade in range(4):
        Image.new("RGB", (64, 64), (60 * shade, 0, 0)).save(tmp_path / f"pictures/{shade}.png")
    names = [*{*NAMES} - (loaded_before(tmp_path) if how == "module" else {"sitecustomize"})]
    folder = write_traps(tmp_path / "traps", names)
    words = ("dataset", "pictures", "../pictures", "../made", "--size=16", "--workers=2", "--duplicates=0")
    assert "kept 4" in " ".join(start(how, folder, *words).split())
    assert sprung(folder) == []


def test_an_empty_entry_of_the_users_path_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = os.pathsep.join(["", str(tmp_path), ".", str(tmp_path / "lib"), "lib2", str(ROOT)])
    monkeypatch.setenv("PYTHONPATH", own)
    found = children.environment(OMP_NUM_THREADS="1")
    assert found["PYTHONPATH"].split(os.pathsep) == [str(tmp_path / "lib"), "lib2", str(ROOT)]
    assert (found["PYTHONSAFEPATH"], found["OMP_NUM_THREADS"]) == ("1", "1")


def test_libraries_get_a_path_without_the_current_folder(tmp_path: Path) -> None:
    """What torch gives to its compiling processes: its sys.path as PYTHONPATH, and this environment."""
    code = (
        "from perform.children import guard; guard(); import os, sys\n"
        "sys.stdout.write(repr((sys.path, os.environ['PYTHONPATH'], os.environ['PYTHONSAFEPATH'])))"
    )
    path = os.pathsep.join([str(ROOT), "", "."])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=unguarded(PYTHONPATH=path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) not in done.stdout and "''," not in done.stdout.split("]")[0]
    assert done.stdout.endswith(f"'{ROOT}', '1')")


def test_a_current_folder_that_was_removed_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); import perform.__main__"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "perform: the current folder was removed: go to another one\n"


LOADING = """
import sys
import perform.__main__

class Interrupted:
    @staticmethod
    def find_spec(name, *_more):
        if name == "perform.cli":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted)
perform.__main__.app()
"""
CLOSING = """
import sys, threading, time, types
import perform.__main__

def app(prog_name):
    threading.Thread(target=time.sleep, args=(600,)).start()
    sys.exit(130)

sys.modules["perform.cli"] = types.SimpleNamespace(app=app)
try:
    perform.__main__.app()
finally:
    print("closing", flush=True)
"""


def test_the_shell_completes_the_program_by_its_name_however_it_was_started() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "perform", "--show-completion", "bash"],
        env=unguarded(PYTHONPATH=str(ROOT), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"),
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert said.stdout.splitlines()[-1] == "complete -o default -F _perform_completion perform", said.stderr


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADING], env=unguarded(PYTHONPATH=str(ROOT)), capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_ctrl_c_ends_at_once_what_still_closes_after_a_command() -> None:
    """Python would wait for its threads, print a traceback, and crash in libraries that still run."""
    child = subprocess.Popen(
        [sys.executable, "-c", CLOSING],
        env=unguarded(PYTHONPATH=str(ROOT)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdout and child.stdout.readline() == b"closing\n"
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=60) == (b"", b"")
    assert child.returncode == -signal.SIGINT
