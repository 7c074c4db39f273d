"""A show that is played until it has the picture of a test."""

from __future__ import annotations

from perform.outputs.memory import Memory
from perform.rig import Rig
from tests.doubles.waiting import eventually


def watched(rig: Rig) -> Memory:
    """What keeps the last picture of a rig."""
    memory = Memory()
    rig.outputs.append(memory)
    return memory


def plays_until(rig: Rig, memory: Memory, pixel: tuple[int, ...]) -> None:
    """Frames until the middle of the picture, of 64 by 36 pixels, is `pixel`."""

    def there() -> bool:
        return memory.last is not None and tuple(memory.last.pixels[18, 32]) == pixel

    eventually(there, f"a picture of {pixel}", rig.frame)
