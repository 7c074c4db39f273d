"""Files that a shader includes: found beside it, put in its place, and named in compiler messages.

The lines of the first file that is included are counted from LONGEST + 1, those of the second from
2 * LONGEST + 1, and so on.
"""

from __future__ import annotations

import re
from pathlib import Path

from perform.render.dialect import without_comments
from perform.render.isf_source import read_source

LONGEST = 20_000  # lines of a file
MOST = 40  # files

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include\b[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)?.*$', re.MULTILINE)


class IncludeError(ValueError):
    """A file that cannot be included; the message has file and line."""


def with_includes(text: str, file: str, folder: Path | None, found: list[Path]) -> str:
    """A text without comments, each `#include` line replaced by its file. New files are added to `found`.
    `folder` is where the file lies, None for a text of no file. Raises IncludeError."""
    return _Includer(folder, found).expanded(text, file, 0, ())


class _Includer:
    def __init__(self, folder: Path | None, found: list[Path]) -> None:
        self.folder, self.found = folder, found

    def expanded(self, text: str, file: str, base: int, within: tuple[Path, ...]) -> str:
        """The text of `file`, whose lines are counted from `base` + 1; `within` are the files around it."""

        def inserted(match: re.Match[str]) -> str:
            line = text.count("\n", 0, match.start()) + 1
            inner = self._file(match[1] or match[2] or "", f"{file}:{line}: #include", within)
            return f"{inner}\n#line {base + line + 1}"

        return _INCLUDE.sub(inserted, text)

    def _file(self, name: str, place: str, within: tuple[Path, ...]) -> str:
        if self.folder is None or not name:
            raise IncludeError(f'{place} must name a file beside the shader: #include "name.glsl"')
        path = self.folder / name
        if path in within:
            raise IncludeError(f"{place} {name}: the file includes itself")
        if len(self.found) == MOST:
            raise IncludeError(f"{place} {name}: a shader may include {MOST} files at most")
        try:
            text = without_comments(read_source(path))
        except ValueError as error:
            raise IncludeError(f"{place} {name}: {error}") from None
        self.found.append(path)
        base = len(self.found) * LONGEST
        return f"#line {base + 1}\n{self.expanded(text, str(path), base, (*within, path))}"
