"""A rig on an offline clock, in a folder that a test can edit."""

from collections.abc import Callable, Iterator
from pathlib import Path

from perform import generators
from perform.clock import OfflineClock
from perform.library import Library
from perform.outputs.memory import Memory
from perform.performance import Performance
from perform.render.context import headless
from perform.render.present import Present
from perform.rig import Rig
from perform.show import find, load
from perform.stage import Stage
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.worker import Worker
from tests.doubles.edits import Edited
from tests.doubles.inputs import PlayedInput
from tests.doubles.library import save, write_library

SIZE = (64, 36)
RED_PIXEL, BLUE_PIXEL, CYAN_PIXEL = (255, 0, 0), (0, 0, 255), (0, 255, 255)


class Show:
    """A rig on an offline clock, whose folder a test can edit."""

    def __init__(
        self, folder: Path, name: str, worker: Callable[[PoolKey], Worker], budget: float = float("inf")
    ) -> None:
        self.folder, self.says, self.memory = folder, PlayedInput(), Memory()
        library = Library(folder)
        file = find(name, library)
        setlist = load(file, library)
        context = headless()
        stage = Stage(library, context, SIZE, ModelPool(worker, budget))
        performance = Performance(
            setlist, stage.open(setlist), None, stage.over, stage.feedback, stage.copied, law=stage.law
        )
        self.edits = Edited(file, library, setlist)
        self.rig = Rig(
            OfflineClock(30), context, stage, performance, Present(context, SIZE), [self.says],
            outputs=[self.memory], edits=self.edits,
        )  # fmt: skip

    def edit(self, name: str, text: str) -> None:
        save(self.folder / name, text)
        self.edits.saved = True

    def pixel(self, *said: tuple[str, float]) -> tuple[int, ...]:
        """The middle of the next frame."""
        self.says.next = list(said)
        self.rig.frame()
        frame = self.memory.last
        assert frame is not None
        return tuple(int(v) for v in frame.pixels[SIZE[1] // 2, SIZE[0] // 2])


def worker(key: PoolKey) -> Worker:
    return Worker(generators.open(key.model, "cpu", "float32", threads=1, bends=key.bends))


def shows(folder: Path) -> Iterator[Callable[..., Show]]:
    """What opens shows of the small library in a folder, by name; they are closed at the end."""
    opened: list[Show] = []

    def start(
        name: str = "demo", worker: Callable[[PoolKey], Worker] = worker, budget: float = float("inf")
    ) -> Show:
        opened.append(Show(write_library(folder), name, worker, budget))
        return opened[-1]

    yield start
    for show in opened:
        show.rig.close()


def shows_of(folder: Path, file: str, head: str = "") -> Iterator[Callable[..., Show]]:
    """What opens a show of a text, which it writes after `head` into a file of that library."""
    opened = shows(folder)
    begin = next(opened)

    def start(text: str, **others: float) -> Show:
        save(folder / file, head + text)
        return begin(Path(file).stem, **others)

    yield start
    next(opened, None)
