"""Snapshots: what plays at one moment, by address, for the devices that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from perform.scenes.nodes import NORM, RELEASE, Node

Arguments: TypeAlias = tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The nodes of what plays by address (a new mapping whenever they change), and the values of those
    that can be read."""

    nodes: Mapping[str, Node] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Arguments] = field(default_factory=lambda: MappingProxyType({}))


class SnapshotSlot:
    """Holds the newest snapshot for other threads to read. `known` are the addresses that do something:
    those of the nodes, also with `/norm` and `/release` after them."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self.known: frozenset[str] = frozenset()

    def put(self, snapshot: Snapshot) -> None:
        """Replace the snapshot by a newer one."""
        if snapshot.nodes is not self.snapshot.nodes:
            tails = ("", NORM, RELEASE)
            self.known = frozenset(f"{address}{tail}" for address in snapshot.nodes for tail in tails)
        self.snapshot = snapshot
