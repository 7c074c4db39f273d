"""Writing the formulas of a mapping into a preset; its comments and its order stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perform.demonstrations.targets import FormulaText
from perform.documents import edit_tables
from perform.latent.paths import path_parameters
from perform.learning.edits import table_of


def insert_formulas(text: str, formulas: Mapping[str, FormulaText], seeds: Sequence[int] = ()) -> str:
    """The preset's text with a formula at each key such as `filter[0].zoom`; with seeds, its latent path runs
    between them."""

    def change(tables: Any) -> None:
        if seeds:
            _between(tables, seeds)
        for key, formula in formulas.items():
            table, name = table_of(tables, key)
            table[name] = formula

    return edit_tables(text, change)


def _between(document: Any, seeds: Sequence[int]) -> None:
    latent, _ = table_of(document, "latent.path")
    known = {parameter.name for parameter in path_parameters("weights")}
    for name in [name for name in latent if name not in known]:
        del latent[name]
    latent["path"], latent["seeds"] = "weights", list(seeds)
