"""Children: the processes that this one starts. None of them imports from the folder that it runs in.

Python puts the current folder first where it looks for modules, with `-c` and `-m`: a file `json.py` beside a
setlist would be run. Every Python process is started with what `command`, `environment` or `spawning` gives.
"""
# Until `guard` has run, every import may be one from the current folder, `from __future__` too. Python has
# loaded these two itself.

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.context import SpawnContext

HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib is not loaded yet
# The child has this very `perform`, wherever it is, and nothing else from that folder.
BEGIN = f"""
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
_spec = PathFinder.find_spec("perform", [{HOME!r}])
sys.modules["perform"] = module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["perform"])
"""

TIE = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]):  # else it has ended already
    os.execvp(sys.argv[2], sys.argv[2:])
"""


def command(code: str, *words: str) -> list[str]:
    """The command of a Python process that runs `code`, with these words in its sys.argv."""
    return [sys.executable, "-P", "-c", BEGIN + code, *words]


def module(name: str, *words: str) -> list[str]:
    """The command of a Python process that runs a module of another project."""
    return [sys.executable, "-P", "-m", name, *words]


def tied(*words: str) -> list[str]:
    """The command of a program that ends (SIGTERM) with the thread that starts it, even if this process is
    killed; only Linux does that. The program has the process id that Popen gives."""
    if sys.platform != "linux":
        return [*words]
    return [sys.executable, "-I", "-S", "-c", TIE, str(os.getpid()), *words]


def environment(**changed: str) -> dict[str, str]:
    """The environment of a child, and of its own children. Of the user's PYTHONPATH the current folder is
    left out (an empty entry means it, too), unless the program itself lies there."""
    found = {**os.environ, "PYTHONSAFEPATH": "1", **changed}
    entries = [one for one in found.get("PYTHONPATH", "").split(os.pathsep) if one and _is_safe(one)]
    found["PYTHONPATH"] = os.pathsep.join(entries)
    return found


def spawning() -> "SpawnContext":
    """What starts processes for `multiprocessing`: not forked, because a show has threads and OpenGL."""
    from multiprocessing import get_context

    os.environ.update(environment())
    return get_context("spawn")


def guard() -> None:
    """Import nothing from the current folder from now on, neither here nor in any child, also in those that
    libraries start. `python -m perform` calls it before its first import."""
    try:
        here = os.path.realpath(".")
    except FileNotFoundError:
        sys.exit("perform: the current folder was removed: go to another one")
    if not sys.flags.safe_path and os.path.realpath(sys.path[0]) == here:
        del sys.path[0]
    for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        place = os.path.abspath(entry)  # noqa: PTH100
        if place in sys.path and not _is_safe(entry or "."):
            sys.path.remove(place)
    os.environ.update(environment())
    if HOME not in sys.path:  # for processes that are spawned: a checkout that is not installed
        sys.path.append(HOME)


def _is_safe(entry: str) -> bool:
    """Whether an entry of a path is not the current folder, or is the program's own."""
    place = os.path.realpath(entry)
    return place == HOME or place != os.path.realpath(".")
