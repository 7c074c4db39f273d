"""The processes of sound devices."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from perform import children
from perform.inputs.audio.streams import SharedSound

STUCK = """
import sys, threading
from perform.inputs.audio import portaudio

class Stream:
    def __init__(self, *_):
        pass

    def check(self):
        print("checked", flush=True)
        return wait("check")

    def close(self):
        wait("close")

def wait(verb):
    if verb == sys.argv[2]:
        threading.Event().wait()
    return 0.01

portaudio.STREAMS["speaker"] = Stream
portaudio.main(sys.argv[1], "speaker", "", "48000")
"""


@pytest.mark.parametrize("verb", ["check", "close"])
def test_a_process_ends_after_its_show_also_if_its_driver_never_answers(tmp_path: Path, verb: str) -> None:
    file = tmp_path / "speaker"
    SharedSound(file, new=True)
    process = subprocess.Popen(
        children.command(STUCK, str(file), verb),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=children.environment(),
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stdout.readline() == b"checked\n"
    process.stdin.close()
    try:
        assert process.wait(60) == 1
    finally:
        process.kill()
