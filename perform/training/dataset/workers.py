"""Processes that convert items; their results come in the items' order."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process

from perform import children
from perform.threads import Background
from perform.training.dataset.converting import Item, Outcome, convert
from perform.training.dataset.manifest import DatasetError
from perform.training.dataset.outcomes import Lost
from perform.training.dataset.settings import DatasetSettings

ITEMS_AHEAD = 3  # items for each process between the source and the shards; a frame of 4K film has 25 MB

Results = Generator[list[Outcome], None, None]


def convert_in_order(items: Iterator[Item | Lost], settings: DatasetSettings, workers: int) -> Results:
    """The outcomes of each item, in order, for any number of processes. What the source itself lost passes
    unchanged. Raises DatasetError if a process is killed."""
    if workers <= 1:
        for item in items:
            yield [item] if isinstance(item, Lost) else convert(item, settings)
        return
    pool = ProcessPoolExecutor(workers, children.spawning(), exit_with_parent)
    try:
        yield from _shared(pool, items, settings, ITEMS_AHEAD * workers)
    except BrokenProcessPool as error:
        raise DatasetError(
            "a worker was killed, perhaps for want of memory: give the same command with --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _shared(
    pool: ProcessPoolExecutor, items: Iterator[Item | Lost], settings: DatasetSettings, ahead: int
) -> Results:
    waiting: deque[list[Outcome] | Future[list[Outcome]]] = deque()
    for item in items:
        waiting.append([item] if isinstance(item, Lost) else pool.submit(convert, item, settings))
        if len(waiting) > ahead:
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


def _result(one: list[Outcome] | Future[list[Outcome]]) -> list[Outcome]:
    return one.result() if isinstance(one, Future) else one


def exit_with_parent() -> None:
    """End this process if its parent is killed; else it would wait forever."""
    parent = parent_process()
    assert parent is not None

    def watch(_closing: threading.Event) -> None:
        parent.join()
        os._exit(1)

    Background(watch, "parent")
