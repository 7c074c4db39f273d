"""Files that are saved while a show plays."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from perform.show.edits import FileWatcher
from tests.doubles.waiting import eventually


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_edits_are_seen_after_a_file_whose_name_is_no_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reads: list[int] = []

    def read() -> Any:
        reads.append(1)

    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.mp4"))
    watcher = FileWatcher([tmp_path], read)
    try:
        eventually(lambda: caplog.messages, "a line of the log", lambda: odd.write_bytes(b"x"))
        assert caplog.messages[0].startswith("saved files are not seen, trying again: ")
        odd.unlink()
        eventually(lambda: reads, "what may have been missed", watcher.take)
        seen = len(reads)

        def save() -> None:
            (tmp_path / "a.toml").write_text("x")
            watcher.take()

        eventually(lambda: len(reads) > seen + 1, "later edits", save)
    finally:
        watcher.close()
