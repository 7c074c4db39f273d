"""What a check of the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

CheckState: TypeAlias = Literal["ok", "warn", "fail"]
Finding: TypeAlias = tuple[CheckState, str, str]  # state, why, remedy

REINSTALL = "install the packages again: make clean play"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: the name of the check, its state, the reason, and what to do about it."""

    name: str
    state: CheckState
    why: str
    remedy: str = ""


def one_line(error: Exception) -> str:
    """The message of an exception on one line."""
    return " ".join(str(error).split())
