"""The text of a shader file, and what there is to say of it, with file and line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeGuard

from perform import paths
from perform.documents import MARK, SceneError, read_marked_text
from perform.faults import reason

LARGEST_FILE = 4 * 2**20  # bytes of a file


class ISFError(ValueError):
    """A shader that is no ISF; the message has file, line and what is allowed."""


@dataclass(slots=True)
class Source:
    """A text with \\n at the ends of its lines, and the name of its file. `folder` is where that lies, None
    if it has none. `warnings` are of what is read otherwise than it stands there, `notes` of what other hosts
    let through, too."""

    text: str
    name: str
    folder: Path | None
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, name: str, folder: Path | None) -> Source:
        """The source of a text as it stands in a file."""
        one = cls(text.removeprefix(MARK).replace("\r\n", "\n").replace("\r", "\n"), name, folder)
        if text.startswith(MARK):
            one.note("begins with a byte order mark (BOM)")
        if "\r" in text:
            ends = "of Windows (CRLF)" if "\r\n" in text else "of an old Macintosh (CR)"
            one.note(f"has the line ends {ends}")
        return one

    def fail(self, message: str, near: str = "") -> NoReturn:
        """ISFError at the first line that holds `near` in quotes."""
        raise ISFError(f"{self._place(near)}: {message}") from None

    def warn(self, message: str, near: str = "") -> None:
        """A warning at the first line that holds `near` in quotes."""
        self.warnings.append(f"{self._place(near)}: {message}")

    def note(self, message: str, near: str = "") -> None:
        """A note at the first line that holds `near` in quotes."""
        self.notes.append(f"{self._place(near)}: {message}")

    def _place(self, near: str) -> str:
        before = self.text.partition(f'"{near}"')[0] if near and f'"{near}"' in self.text else ""
        line = before.count("\n") + 1
        return f"{self.name}:{line}"


def read_source(path: Path) -> str:
    """The text in a file of a shader, as it stands there. Raises ISFError."""
    try:
        if not paths.special(path) and (size := path.stat().st_size) > LARGEST_FILE:
            raise ISFError(
                f"{path}: has {size / 2**20:.1f} MiB, a shader must have at most {LARGEST_FILE >> 20} MiB"
            )
        return read_marked_text(path, lenient=True)  # bytes that are no UTF-8 stand in comments mostly
    except (OSError, SceneError) as error:
        raise ISFError(reason(error)) from None


def is_identifier(name: object) -> TypeGuard[str]:
    """Whether something can be a name in GLSL that is not one of OpenGL's or of ISF's own."""
    return (
        isinstance(name, str)
        and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name) is not None
        and not name.startswith(("gl_", "isf_"))
    )
