"""`perform models`: list models, describe, import, export and verify them, find their directions."""

from __future__ import annotations


def located(model: str) -> str:
    """The built-in or the file that a name or a path means. Raises LookupError."""
    from perform.faults import reason
    from perform.library import Library

    try:
        return Library().model_place(model)
    except LookupError as error:
        raise LookupError(f"{model}: {reason(error)}") from error
