"""OSCQuery's view of the addresses: nodes as JSON (Vidvox, OSCQuery proposal)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perform.inputs.osc.out import typed
from perform.parameters import SIZES, Parameter
from perform.scenes.nodes import READ
from perform.scenes.snapshot import Snapshot

ATTRIBUTES = (
    *("FULL_PATH", "CONTENTS", "DESCRIPTION", "TYPE", "ACCESS", "VALUE", "RANGE", "CLIPMODE", "UNIT"),
    *("TAGS", "HOST_INFO"),
)
COMMANDS = ("LISTEN", "IGNORE", "PATH_CHANGED")
TAGS = {"float": "f", "int": "i", "bool": "T", "event": "I", "choice": "s", "text": "s"}
ROOT = "what plays; parameters of the scene that is on change with it"


def host_info(name: str, port: int) -> dict[str, Any]:
    """What the server is and can. Messages go to the same host over UDP."""
    known = {attribute: True for attribute in ATTRIBUTES if attribute not in ("HOST_INFO", "FULL_PATH")}
    extensions = known | dict.fromkeys(COMMANDS, True)
    return {"NAME": name, "EXTENSIONS": extensions, "OSC_PORT": port, "OSC_TRANSPORT": "UDP"}


def tree(snapshot: Snapshot, path: str) -> dict[str, Any] | None:
    """The node at `path` with everything below it; None when there is none."""
    path = "/" + path.strip("/")
    below = path.rstrip("/") + "/"
    found = [address for address in snapshot.nodes if address.startswith(below)]
    if not found and path != "/" and path not in snapshot.nodes:
        return None
    top = _described(path, snapshot)
    for address in found:
        container, parent = top, path.rstrip("/")
        for part in address[len(below) :].split("/"):
            parent = f"{parent}/{part}"
            contents = container.setdefault("CONTENTS", {})
            if part not in contents:
                contents[part] = _described(parent, snapshot)
            container = contents[part]
    return top


def kind_tags(parameter: Parameter) -> str:
    """The OSC type tags of a parameter's value."""
    return "f" * SIZES[parameter.kind] if parameter.kind in SIZES else TAGS.get(parameter.kind, "s")


def _described(path: str, snapshot: Snapshot) -> dict[str, Any]:
    """One node; a container has no value of its own."""
    node = snapshot.nodes.get(path)
    if node is None:
        return {"FULL_PATH": path, "ACCESS": 0, **({"DESCRIPTION": ROOT} if path == "/" else {})}
    parameter = node.parameter
    tags = kind_tags(parameter)
    told: dict[str, Any] = {
        "FULL_PATH": path,
        "DESCRIPTION": parameter.description,
        "ACCESS": node.access,
        "TYPE": tags,
    }
    if parameter.kind not in ("event", "text"):
        told |= {"RANGE": [_range(parameter)] * len(tags), "CLIPMODE": ["both"] * len(tags)}
    if parameter.unit:
        told["UNIT"] = [parameter.unit] * len(tags)
    if node.in_formulas:
        told["TAGS"] = ["formula"]
    if node.access & READ and path in snapshot.values:
        told["VALUE"] = typed(node, snapshot.values[path])
    return told


def _range(parameter: Parameter) -> dict[str, Any]:
    if parameter.choices:
        return {"VALS": list(parameter.choices)}
    if parameter.kind == "bool":
        return {"VALS": [False, True]}
    ends: Sequence[tuple[str, float | None]] = (("MIN", parameter.low), ("MAX", parameter.high))
    whole = parameter.kind == "int"
    return {name: int(end) if whole else end for name, end in ends if end is not None}
