"""The bounds on the work and memory that reading one file may take, and the error of the reader."""

from __future__ import annotations

from perform.networks import ModelError

MOST_FILE_BYTES = 16 << 30  # bytes of a file
# All arrays and text of a file together: bytes for each byte of the file, and as many in addition.
BYTES_PER_BYTE, FREE_BYTES = 8, 16 << 20
# Opcodes, directory entries and values of one file; StyleGAN3's with its parts has 50 000.
MOST_STEPS = 1_000_000
MOST_NESTING = 200  # containers within containers; a pickled network has 5 for each level of its modules
MOST_STACKED = 100_000  # values on a pickle's stack; writers use up theirs after 1000
SHOWN_CHARACTERS = 80  # characters of a name shown in an error


class CheckpointError(ModelError):
    """A model file that cannot be read. The message names the file, the fault and its place."""


class ReadLimits:
    """The work and memory that reading one file may still use. Every method raises CheckpointError."""

    __slots__ = ("bytes", "steps")

    def __init__(self, size: int) -> None:
        self.bytes, self.steps = BYTES_PER_BYTE * size + FREE_BYTES, MOST_STEPS

    def spend(self, count: int, what: str) -> None:
        """Count the bytes of an array or text before it is made."""
        if count > self.bytes:
            most = f"all together may be {BYTES_PER_BYTE} times the file and {FREE_BYTES >> 20} MiB"
            raise CheckpointError(f"{what} would take {count} bytes, {most}")
        self.bytes -= count

    def step(self, count: int = 1) -> None:
        """Count a step of reading."""
        self.steps -= count
        if self.steps < 0:
            raise CheckpointError(f"the file asks for more than {MOST_STEPS} steps of reading")


def shown(text: str) -> str:
    """A name of a file for an error message: on one line, cut to a length."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")
