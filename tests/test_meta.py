"""The laws of the house hold in every module, and each of them can fail."""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

import pytest

from tests import laws
from tests.folders import ROOT
from tests.laws import PACKAGE

Law: TypeAlias = Callable[[str, ast.Module], Iterator[str]]

MODULES = sorted(path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py"))
OTHER_TESTS = [path for path in TESTS if path != "tests/test_meta.py"]  # which has examples of faults
FOLDERS = ("perform", "tests", "scripts", "shaders", "presets", "setlists", "docs", "demo", ".ci")
TEXTS = {".py", ".md", ".toml", ".txt", ".fs", ".vs", ".json", ".sh", ".glsl", ""}
HEAVY = (
    "av", "glfw", "librosa", "mido", "moderngl", "numba", "openvino", "pydantic", "rich", "scipy",
    "sounddevice", "torch", "typer", "watchfiles",
)  # fmt: skip
FREE = (*laws.LIGHT[:4], ("scenes",), laws.RACKS)  # numpy at most when they are imported
MAY_LOAD_PYDANTIC = ("perform.documents.", "perform.midi.profiles.", "perform.scenes.")


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """All laws look at the same trees, which are forgotten afterwards."""
    yield
    parsed.cache_clear()
    laws.nodes.cache_clear()


@cache
def parsed(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def complaints(law: Law, text: str, path: str) -> list[str]:
    return list(law(path, ast.parse(text)))


def sized(path: str, tree: ast.Module) -> Iterator[str]:
    return laws.size_law(path, tree, (ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "law",
    [
        laws.import_law,
        laws.light_law,
        laws.clock_law,
        laws.child_law,
        laws.danger_law,
        laws.docstring_law,
        sized,
    ],
)
def test_the_package_keeps_the_law(law: Law) -> None:
    faults = [fault for path in MODULES for fault in law(path, parsed(path))]
    assert not faults, "\n".join(faults)


def test_the_tests_are_no_longer_than_the_package() -> None:
    assert [fault for path in TESTS for fault in sized(path, parsed(path))] == []


def test_code_in_texts_imports_what_exists() -> None:
    assert [fault for path in (*MODULES, *OTHER_TESTS) for fault in laws.text_law(path, parsed(path))] == []
    assert complaints(laws.text_law, "CODE = 'import sys\\nfrom perform.nowhere import a'", "perform/a.py")
    assert not complaints(laws.text_law, "CODE = 'import sys; from perform.clock import a'", "perform/a.py")


def test_no_test_imports_another() -> None:
    assert [fault for path in OTHER_TESTS for fault in laws.sharing_law(path, parsed(path))] == []


@pytest.mark.parametrize(
    "text",
    [
        "from tests.conftest import eventually",
        "from tests.outputs.test_lights import profile",
        "from tests.outputs import test_lights",
        "import tests.test_rig",
        "CODE = 'import sys\\nfrom tests.outputs.test_lights import profile'",
        "CODE = 'from tests.outputs import test_lights'",
    ],
)
def test_the_law_of_sharing_can_fail(text: str) -> None:
    assert complaints(laws.sharing_law, text, "tests/test_a.py")


def test_the_law_of_sharing_allows_doubles() -> None:
    text = "from tests import laws\nfrom tests.doubles.lights import profile"
    assert not complaints(laws.sharing_law, text, "tests/test_a.py")


def test_a_name_is_in_two_modules_at_most() -> None:
    assert laws.crowded_names({path: parsed(path) for path in MODULES}) == {}


def test_the_law_of_names_can_fail() -> None:
    texts = {f"perform/{name}.py": "log = 1\nMOST: int = 2\ndef read(): ..." for name in "abc"}
    texts["perform/generators/stylegan2/d.py"] = "MOST = 3"
    texts["perform/c.py"] = "log = MOST = 4"
    found = laws.crowded_names({path: ast.parse(text) for path, text in texts.items()})
    assert found == {"MOST": ["perform/a.py", "perform/b.py", "perform/c.py"]}


def test_most_functions_are_short() -> None:
    lengths = [laws.length(one) for path in MODULES for one in laws.functions(parsed(path))]
    assert statistics.median(lengths) < 8
    assert statistics.quantiles(lengths, n=10)[-1] < 30


def test_no_registry_and_no_machine_is_named() -> None:
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    here = [path for path in ROOT.iterdir() if path.name not in (".git", ".coverage")]
    texts = [path for path in (*here, *inside) if path.is_file() and path.suffix in TEXTS]
    assert len(texts) > len(MODULES)
    assert [
        fault
        for path in texts
        for fault in laws.place_law(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert laws.circles({path: parsed(path) for path in MODULES}) == []


def test_the_law_of_circles_can_fail() -> None:
    texts = {
        "perform/signals.py": "from perform.clock import Moment",
        "perform/clock.py": "def f():\n    from perform import signals",
        "perform/paths.py": "import perform.clock",
    }
    found = laws.circles({path: ast.parse(text) for path, text in texts.items()})
    assert [{*circle} for circle in found] == [{"perform.clock", "perform.signals"}]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("perform/latent/paths.py", "from perform.generators import Generator"),
        ("perform/latent/paths.py", "def f():\n    import perform.render.isf"),
        ("perform/latent/paths.py", "from perform.rhythm import tempo"),
        ("perform/clock.py", "from perform import signals"),
        ("perform/networks/weights.py", "from perform.generators import stylegan2"),
        ("perform/inputs/camera.py", "from perform.render import isf"),
        ("perform/inputs/camera.py", "from perform import outputs"),
        ("perform/inputs/camera.py", "from ..outputs import memory"),
        ("perform/render/shader.py", "from perform.performance import Performance"),
        ("perform/performance/__init__.py", "from perform.rig import Rig"),
        ("perform/performance/__init__.py", "from perform.library import Library"),
        ("perform/performance/__init__.py", "from perform.render import isf"),
        ("perform/performance/__init__.py", "from perform.render.isf import ISF"),
        ("perform/rig.py", "from perform.show import Options"),
        ("perform/show/__init__.py", "from perform.commands.dashboard import Dashboard"),
        ("perform/commands/doctor/__init__.py", "from perform import bench"),
        ("perform/commands/doctor/__init__.py", "import perform.cli"),
    ],
)
def test_the_import_law_can_fail(path: str, text: str) -> None:
    assert complaints(laws.import_law, text, path)


def test_a_new_room_needs_a_floor() -> None:
    with pytest.raises(LookupError, match="give its room a floor"):
        complaints(laws.import_law, "", "perform/newcomer.py")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "perform/latent/paths.py",
            "import math\nfrom perform.clock import Moment\nfrom perform.latent import curves",
        ),
        ("perform/inputs/camera.py", "from perform.inputs import Input\nfrom . import slots"),
        (
            "perform/performance/__init__.py",
            "from perform.render import Image, Unit\nfrom perform.scenes import cues",
        ),
        ("perform/bench/loop.py", "from perform import show\nfrom perform.bench import Figure"),
        ("perform/cli.py", "from perform import __version__, rig, show"),
    ],
)
def test_the_import_law_allows_what_it_should(path: str, text: str) -> None:
    assert complaints(laws.import_law, text, path) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("perform/latent/paths.py", "import torch"),
        ("perform/clock.py", "import pydantic"),
        ("perform/rhythm/beat.py", "def f():\n    from scipy import signal"),
        ("perform/__init__.py", "import rich"),
    ],
)
def test_the_light_law_can_fail(path: str, text: str) -> None:
    assert complaints(laws.light_law, text, path)
    assert not complaints(laws.light_law, text, "perform/render/shader.py")


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "import time as t\nf = t.monotonic",
        "from time import sleep\nsleep(1)",
        "from time import perf_counter as p\np()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\ndate.today()",
        "import random\nrandom.random()",
        "from random import shuffle\nshuffle([])",
        "import random\nrandom.Random()",
        "import numpy as np\nnp.random.rand(3)",
        "import numpy as np\nnp.random.seed(3)",
        "import numpy as np\nnp.random.default_rng()",
        "from numpy.random import default_rng\ndefault_rng(None)",
        "import numpy as np\nnp.random.RandomState()",
        "import torch\ntorch.randn(3)",
        "import os\nos.urandom(3)",
        "import uuid\nuuid.uuid4()",
        "import secrets\nsecrets.token_hex()",
    ],
)
def test_the_clock_law_can_fail(text: str) -> None:
    assert complaints(laws.clock_law, text, "perform/latent/paths.py")
    assert not complaints(laws.clock_law, text, "perform/clock.py")


@pytest.mark.parametrize(
    "text",
    [
        "import sys\n[sys.executable, '-m', 'perform']",
        "from sys import executable\nrun(executable)",
        "import os\nos.system('perform')",
        "import multiprocessing\nmultiprocessing.get_context('spawn')",
        "from multiprocessing import Process\nProcess()",
    ],
)
def test_the_law_of_children_can_fail(text: str) -> None:
    assert complaints(laws.child_law, text, "perform/latent/paths.py")
    assert not complaints(laws.child_law, text, "perform/children.py")


def test_the_clock_law_allows_seeds_and_stopwatches() -> None:
    text = (
        "import random, torch\nimport numpy as np\nfrom perform.clock import stopwatch\n"
        "np.random.default_rng(3)\nnp.random.default_rng(seed=[1, 2])\nnp.random.RandomState(3)\n"
        "random.Random(4)\nstopwatch()\ntorch.randn(3, generator=torch.Generator())\n"
        "x: np.random.Generator\nmoment.time.time()\n"
    )
    assert complaints(laws.clock_law, text, "perform/latent/paths.py") == []


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "exec('1')",
        "compile('1', '', 'eval')",
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('a')",
        "import numpy as np\nnp.load('a', allow_pickle=True)",
        "try:\n    pass\nexcept:\n    pass",
        "print(1)",
    ],
)
def test_the_law_against_danger_can_fail(text: str) -> None:
    assert complaints(laws.danger_law, text, "perform/latent/paths.py")


def test_the_law_against_danger_knows_its_exceptions() -> None:
    assert not complaints(laws.danger_law, "print(1)", "perform/cli.py")
    assert not complaints(laws.danger_law, "import pickle", "perform/networks/checkpoints/reader.py")
    text = "import re, torch\nre.compile('a')\nnet.eval()\ntorch.load('a', weights_only=True)"
    assert not complaints(laws.danger_law, text, "perform/latent/paths.py")


def test_the_size_law_can_fail() -> None:
    long = "def f() -> None:\n" + "    pass\n" * 60
    assert list(laws.size_law("a.py", ast.parse(long), long)) == ["a.py:1: f has 61 lines"]
    assert list(laws.size_law("a.py", ast.parse(""), "#\n" * 451)) == ["a.py: 451 lines"]
    assert not list(laws.size_law("a.py", ast.parse(""), "#\n" * 450))


@pytest.mark.parametrize("text", ["x = 1", '"""Doc."""\ndef f(): ...', '"""Doc."""\nclass A: ...'])
def test_the_docstring_law_can_fail(text: str) -> None:
    assert complaints(laws.docstring_law, text, "perform/latent/paths.py")


@pytest.mark.parametrize(
    "parts",
    [
        ("see py", "pi.org"),
        ("files.python", "hosted.org"),
        ("'/t", "mp/a'"),
        ("cd /ro", "ot"),
        ("/wo", "rk/a"),
    ],
)
def test_the_law_of_places_can_fail(parts: tuple[str, str]) -> None:
    assert list(laws.place_law("README.md", "".join(parts)))


@pytest.mark.parametrize(
    "text", ["/rooted", "a/work/b", "tmp_path", "network/temperature", "/dev/snd", "~/work"]
)
def test_the_law_of_places_knows_words_from_folders(text: str) -> None:
    assert not list(laws.place_law("README.md", text))


def loaded(module: str) -> set[str]:
    """The heavy libraries that a fresh interpreter holds after importing a module."""
    code = f"import json, sys, {module}; print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def free() -> list[str]:
    """The modules of the lower floors, and the faces of the racks."""
    names = [laws.module_name(path) for path in MODULES if path != "perform/__init__.py"]
    rooms = [room for floor in FREE for room in floor]
    return [name for name in names if laws.room_of(name) in rooms and (name.count(".") == 1 or _low(name))]


def _low(module: str) -> bool:
    return laws.room_of(module) not in laws.RACKS


def test_importing_the_lower_floors_is_free() -> None:
    """An interpreter for all that may load nothing, and one for all that may load pydantic."""
    paid = [one for one in free() if f"{one}.".startswith(MAY_LOAD_PYDANTIC)]
    assert loaded(", ".join(one for one in free() if one not in paid)) == set()
    assert loaded(", ".join(paid)) <= {"pydantic"}


def test_importing_is_free_can_fail() -> None:
    assert "rich" in loaded("perform.commands.dashboard")


def test_the_command_line_starts_without_its_instruments() -> None:
    assert loaded("perform.cli") <= {"typer", "rich"}
