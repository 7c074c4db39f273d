"""OSCQuery's view of the addresses: nodes as JSON (Vidvox, OSCQuery proposal)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from perform.inputs.osc.feedback import typed
from perform.parameters import SIZES, Parameter
from perform.scenes.nodes import READ
from perform.scenes.snapshot import Snapshot

JsonNode: TypeAlias = dict[str, Any]  # of OSCQuery; its contents are nodes again
ATTRIBUTES = (
    *("FULL_PATH", "CONTENTS", "DESCRIPTION", "TYPE", "ACCESS", "VALUE", "RANGE", "CLIPMODE", "UNIT"),
    *("TAGS", "HOST_INFO"),
)
WEBSOCKET_COMMANDS = ("LISTEN", "IGNORE", "PATH_CHANGED")
OSC_TAGS = {"float": "f", "int": "i", "bool": "T", "event": "I", "choice": "s", "text": "s", "message": "s"}
ROOT_DESCRIPTION = "what plays; parameters of the scene that is on change with it"


def host_info(name: str, port: int) -> JsonNode:
    """The server's name and abilities. Messages go to the same host over UDP."""
    known = {attribute: True for attribute in ATTRIBUTES if attribute not in ("HOST_INFO", "FULL_PATH")}
    extensions = known | dict.fromkeys(WEBSOCKET_COMMANDS, True)
    return {"NAME": name, "EXTENSIONS": extensions, "OSC_PORT": port, "OSC_TRANSPORT": "UDP"}


def tree(snapshot: Snapshot, path: str) -> JsonNode | None:
    """The node at `path` with everything below it; None if there is none."""
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
    return "f" * SIZES[parameter.kind] if parameter.kind in SIZES else OSC_TAGS.get(parameter.kind, "s")


def _described(path: str, snapshot: Snapshot) -> JsonNode:
    """One node; a container has no value of its own."""
    node = snapshot.nodes.get(path)
    if node is None:
        return {"FULL_PATH": path, "ACCESS": 0, **({"DESCRIPTION": ROOT_DESCRIPTION} if path == "/" else {})}
    parameter = node.parameter
    tags = kind_tags(parameter)
    described: JsonNode = {
        "FULL_PATH": path,
        "DESCRIPTION": parameter.description,
        "ACCESS": node.access,
        "TYPE": tags,
    }
    if parameter.kind not in ("event", "text", "message"):
        described |= {"RANGE": [_range(parameter)] * len(tags), "CLIPMODE": ["both"] * len(tags)}
    if parameter.unit:
        described["UNIT"] = [parameter.unit] * len(tags)
    if node.in_formulas:
        described["TAGS"] = ["formula"]
    if node.access & READ and path in snapshot.values:
        described["VALUE"] = typed(node, snapshot.values[path])
    return described


def _range(parameter: Parameter) -> JsonNode:
    if parameter.choices:
        return {"VALS": list(parameter.choices)}
    if parameter.kind == "bool":
        return {"VALS": [False, True]}
    ends: Sequence[tuple[str, float | None]] = (("MIN", parameter.low), ("MAX", parameter.high))
    whole = parameter.kind == "int"
    return {name: int(end) if whole else end for name, end in ends if end is not None}
