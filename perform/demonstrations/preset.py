"""Writing the formulas of a mapping into a preset; its comments and its order stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from perform.demonstrations.targets import FormulaText
from perform.latent.paths import path_parameters

TABLE_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


def insert_formulas(text: str, formulas: Mapping[str, FormulaText], seeds: Sequence[int] = ()) -> str:
    """The preset's text with a formula at each key such as `filter[0].zoom`; with seeds, its latent path runs
    between them."""
    document = tomlkit.parse(text)
    if seeds:
        _between(document, seeds)
    for key, formula in formulas.items():
        *tables, name = key.split(".")
        table: Any = document
        for step in tables:
            table = _table(table, step)
        table[name] = formula
    return tomlkit.dumps(document)


def _table(parent: Any, step: str) -> Any:
    match = TABLE_STEP.fullmatch(step)
    assert match is not None, step
    word, number = match.groups()
    if word not in parent:
        parent[word] = tomlkit.table()
    found = parent[word]
    assert isinstance(found, Table | AoT | list | dict)
    return found if number is None else found[int(number)]


def _between(document: Any, seeds: Sequence[int]) -> None:
    latent = _table(document, "latent")
    known = {parameter.name for parameter in path_parameters("weights")}
    for name in [name for name in latent if name not in known]:
        del latent[name]
    latent["path"], latent["seeds"] = "weights", list(seeds)
