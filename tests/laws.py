"""The laws of the house, as functions from one module's text to its faults; test_meta.py tests them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter

from tests.folders import ROOT

PACKAGE = ROOT / "perform"

# From the ground up: a room imports only from the floors below its own.
FLOORS = (
    (
        "arrays",
        "children",
        "clock",
        "documents",
        "faults",
        "media",
        "parameters",
        "paths",
        "threads",
    ),
    ("signals",),
    ("latent", "rhythm"),
    ("formula", "midi", "sharing"),
    ("networks", "scenes"),
    ("generators", "inputs", "outputs", "render"),  # the racks
    ("footage", "performance"),
    ("library", "sampling"),
    ("stage", "training"),
    ("rig", "flora", "models"),
    ("learning", "loops", "venue"),
    ("show",),
    ("demonstrations",),
    ("terminal",),
    ("bench", "commands"),  # the doors
    ("cli",),
    ("__main__",),  # starts a program
)
RACKS = FLOORS[5]
LIGHT = FLOORS[:5]  # numpy at most, and what is named here
MAY_IMPORT = {
    "perform.documents": {"pydantic", "tomlkit"},
    "perform.media": {"av"},
    "perform.scenes": {"pydantic"},
    "perform.midi.profiles": {"pydantic", "pydantic_core"},
    "perform.midi.ports": {"rtmidi"},
    "perform.rhythm.hearing": {"safetensors"},
    "perform.networks": {"openvino", "pydantic", "safetensors", "torch"},
}

# Names that mean the same in every module: loggers, entry points, and the class that mido asks of a backend.
COMMON_NAMES = {"__all__", "log", "app", "main", "Input"}
MOST_MODULES = 2  # that may have the same top-level name
LONGEST_FILE, LONGEST_FUNCTION = 450, 60  # lines: a smell, not a game; split by subject, never pack
FAMILY = re.compile(r"perform/generators/\w+/")
CLOCKS = re.compile(
    r"time\..+|datetime\.datetime\.(now|utcnow|today)|datetime\.date\.today|os\.urandom|secrets\..+|uuid\.uuid[14]"
    r"|asyncio\.sleep"
)
DICE = re.compile(
    r"random\.(?!Random$).+|numpy\.random\.(?!(default_rng|RandomState|Generator|SeedSequence|PCG64|Philox|BitGenerator)$).+"
)
SEEDED = re.compile(r"random\.Random|numpy\.random\.(default_rng|RandomState|SeedSequence|PCG64|Philox)")
TORCH_DICE = re.compile(
    r"torch\.(rand|randn|randint|randperm|normal|bernoulli|multinomial|rand_like|randn_like)"
)
IN_TEXT = re.compile(
    r"^\s*(?:from|import) ((?:perform|tests)(?:\.\w+)*)(?: import (\w+))?", re.MULTILINE
)  # a module, and what is imported from it
NOT_SHARED = re.compile(r"tests\.(?:.+\.)?(?:test_\w+|conftest)(?:\.\w+)?")
PICKLES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
# Split, so that this file does not break the law that it states.
PLACES = re.compile(
    r"py" + r"pi\.org|python" + r"hosted|download\." + r"pytorch|repo\.ana" + r"conda|npm" + r"js"
    r"|(?<![\w.~/-])/(?:wo" + r"rk|ro" + r"ot|t" + r"mp|ho" + r"me/(?!ada\b)\w+)\b"
)


def module_name(path: str) -> str:
    """`perform/inputs/audio/__init__.py` is perform.inputs.audio."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def room_of(module: str) -> str:
    """`perform.inputs.audio` lies in the room inputs."""
    return [*module.split("."), ""][1]


def rank(module: str) -> int:
    """The floor of a module, counted from 0; LookupError for a room that has none yet."""
    room = "__main__" if module.endswith(".__main__") else room_of(module)
    for floor, rooms in enumerate(FLOORS):
        if room in rooms:
            return floor
    raise LookupError(f"{module}: give its room a floor in tests/laws.py")


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Every node of a module: each law looks at all of them."""
    return tuple(ast.walk(tree))


def imported(tree: ast.Module, module: str, package: bool = False) -> Iterator[tuple[int, str]]:
    """Every import at any depth, as (line, dotted name); of `from a import b` both a and a.b."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                above = parts[: len(parts) - node.level + package]
                base = ".".join([*above, base]).rstrip(".")
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def import_law(path: str, tree: ast.Module) -> Iterator[str]:
    """A room imports from lower floors only; performance knows the protocols of racks, not their units."""
    module = module_name(path)
    if module == "perform":
        return
    here, room = rank(module), room_of(module)
    for line, name in imported(tree, module, path.endswith("__init__.py")):
        if not name.startswith("perform.") or not _is_module(name):
            continue
        there, other = rank(name), room_of(name)
        if there > here or (there == here > 0 and other != room):
            yield f"{path}:{line}: {room} imports {name}"
        elif room == "performance" and other in RACKS and name.count(".") > 1:
            yield f"{path}:{line}: performance knows protocols, not the unit {name}"


@cache
def _is_module(name: str) -> bool:
    """Whether a dotted name is a module of ours, present or promised, and not something within one."""
    place = ROOT / name.replace(".", "/")
    promised = name.count(".") == 1 and any(room_of(name) in rooms for rooms in FLOORS)
    return promised or place.is_dir() or place.with_suffix(".py").exists()


def circles(modules: Mapping[str, ast.Module]) -> list[list[str]]:
    """The modules (path to tree) that import each other in a loop, at any depth of their code."""
    graph = {module_name(path): _ours(path, tree) for path, tree in modules.items()}
    sorter, found = TopologicalSorter(graph), []
    while True:
        try:
            sorter.prepare()
            return found
        except CycleError as error:
            found.append(error.args[1])
            for one in error.args[1]:
                graph[one] = graph[one] - {*error.args[1]}
            sorter = TopologicalSorter(graph)


def _ours(path: str, tree: ast.Module) -> set[str]:
    """The modules of ours that one imports; of `from a import b`, where b is a module, b alone."""
    module, found = module_name(path), set()
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("perform")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("perform"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if _is_file(full) else str(node.module))
    return found - {module}


@cache
def _is_file(name: str) -> bool:
    place = ROOT / name.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").exists()


def text_law(path: str, tree: ast.Module) -> Iterator[str]:
    """Code in a text, for another process, imports modules that exist."""
    for line, module, _ in _in_texts(tree):
        if not _is_file(module):
            yield f"{path}:{line}: there is no {module}"


def sharing_law(path: str, tree: ast.Module) -> Iterator[str]:
    """No test imports another test or a conftest, in its code or in a text for another process."""
    names = [*imported(tree, module_name(path))]
    names += [(line, f"{module}.{name}") for line, module, name in _in_texts(tree)]
    for line, name in names:
        if NOT_SHARED.fullmatch(name.rstrip(".")):
            yield f"{path}:{line}: imports {name}; what tests share stands in tests/doubles"


def _in_texts(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """What code in texts imports: line, module, and the first name from it."""
    for node in nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, *found) for found in IN_TEXT.findall(node.value))


def crowded_names(modules: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """The top-level names of too many modules (path to tree), and where; without families, which
    are alike on purpose."""
    places: dict[str, list[str]] = {}
    for path, tree in modules.items():
        if not FAMILY.match(path):
            for name in _top_level(tree) - COMMON_NAMES:
                places.setdefault(name, []).append(path)
    return {name: found for name, found in sorted(places.items()) if len(found) > MOST_MODULES}


def _top_level(tree: ast.Module) -> set[str]:
    """The classes, functions and variables of a module."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            inner = (one for target in targets for one in ast.walk(target))
            names |= {one.id for one in inner if isinstance(one, ast.Name)}
    return names


def light_law(path: str, tree: ast.Module) -> Iterator[str]:
    """The lower floors import the standard library and numpy."""
    module = module_name(path)
    if module != "perform" and not any(room_of(module) in rooms for rooms in LIGHT):
        return
    more = [names for place, names in MAY_IMPORT.items() if f"{module}.".startswith(f"{place}.")]
    allowed = {"numpy", "perform"}.union(*more)
    for line, name in imported(tree, module, path.endswith("__init__.py")):
        top = name.split(".")[0]
        if top not in allowed and top not in sys.stdlib_module_names:
            yield f"{path}:{line}: {module} imports {top}"


def clock_law(path: str, tree: ast.Module) -> Iterator[str]:
    """Time comes from the clock alone, random numbers from a seed."""
    if path == "perform/clock.py":
        return
    origins = _origins(tree)
    for node in nodes(tree):
        name = _dotted(node, origins)
        if name and (CLOCKS.fullmatch(name) or DICE.fullmatch(name)):
            yield f"{path}:{node.lineno}: {name}"  # type: ignore[attr-defined]
        if isinstance(node, ast.Call) and _unseeded(node, _dotted(node.func, origins)):
            yield f"{path}:{node.lineno}: {_dotted(node.func, origins)} without a seed"


def _unseeded(call: ast.Call, name: str) -> bool:
    if SEEDED.fullmatch(name):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        return all(isinstance(one, ast.Constant) and one.value is None for one in given)
    return bool(TORCH_DICE.fullmatch(name)) and all(one.arg != "generator" for one in call.keywords)


def _origins(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: np is numpy, `from time import sleep` makes sleep time.sleep."""
    origins = {}
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                origins[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                origins[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return origins


def _dotted(node: ast.AST, origins: dict[str, str]) -> str:
    """The dotted name behind a Name or a chain of Attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return origins.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, origins)
        return f"{base}.{node.attr}" if base else ""
    return ""


CHILDREN = re.compile(
    r"sys\.executable|os\.(fork|system|popen|exec\w+|spawn\w+|posix_spawn\w*)|multiprocessing\.(get_context|Process|Pool)"
)


def child_law(path: str, tree: ast.Module) -> Iterator[str]:
    """Python processes are started in one way, which keeps the current folder out."""
    origins = _origins(tree)
    if path != "perform/children.py":
        for node in nodes(tree):
            if CHILDREN.fullmatch(name := _dotted(node, origins)):
                yield f"{path}:{node.lineno}: {name}, must be of perform.children"  # type: ignore[attr-defined]


def danger_law(path: str, tree: ast.Module) -> Iterator[str]:
    """No eval, no exec; pickle only where checkpoints are read; no bare except; print in the CLI only."""
    for node in nodes(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{path}:{node.lineno}: bare except"
        if isinstance(node, ast.Call):
            yield from (f"{path}:{node.lineno}: {what}" for what in _dangers(node, path))
    if not path.startswith("perform/networks/checkpoints/"):
        for line, name in imported(tree, module_name(path)):
            if name.split(".")[0] in PICKLES:
                yield f"{path}:{line}: {name}"


def _dangers(call: ast.Call, path: str) -> Iterator[str]:
    if isinstance(call.func, ast.Name):
        name = call.func.id
        if name in ("eval", "exec", "compile", "__import__") or (
            name == "print" and path != "perform/cli.py"
        ):
            yield name
    keywords = {one.arg: one.value for one in call.keywords}
    if isinstance(call.func, ast.Attribute) and call.func.attr == "load":
        if getattr(call.func.value, "id", "") == "torch" and not _true(keywords.get("weights_only")):
            yield "torch.load without weights_only=True"
        if _true(keywords.get("allow_pickle")):
            yield "allow_pickle"


def _true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    return [node for node in nodes(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, docstring and all."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def size_law(path: str, tree: ast.Module, text: str) -> Iterator[str]:
    """No file over 450 lines, no function over 60."""
    if (count := len(text.splitlines())) > LONGEST_FILE:
        yield f"{path}: {count} lines"
    for function in functions(tree):
        if length(function) > LONGEST_FUNCTION:
            yield f"{path}:{function.lineno}: {function.name} has {length(function)} lines"


def docstring_law(path: str, tree: ast.Module) -> Iterator[str]:
    """Every module has a docstring, and so has every public function and class in it."""
    if not ast.get_docstring(tree):
        yield f"{path}: no docstring"
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"{path}:{node.lineno}: {node.name} has no docstring"


def place_law(path: str, text: str) -> Iterator[str]:
    """No package registry is named, and no folder of one machine."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := PLACES.search(line):
            yield f"{path}:{number}: {found[0]}"
