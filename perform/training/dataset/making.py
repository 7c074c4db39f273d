"""Making a dataset from a source: in order, shard by shard, with several processes, from where it stopped.

Until all is done, `OUT/making` has the recipe and, for each finished shard, the outcomes of its items. A
shard is finished when that file is there; all later ones are made again, to the same bytes.
"""

from __future__ import annotations

import csv
import errno
import json
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from perform.faults import system_reason
from perform.paths import write_whole
from perform.training.dataset.converting import Outcome
from perform.training.dataset.hashes import Hash, Lookup
from perform.training.dataset.manifest import (
    DROPPED,
    FILE,
    SHARDS,
    Counts,
    DatasetError,
    Manifest,
    Recipe,
    Shard,
    read_manifest,
)
from perform.training.dataset.outcomes import REASONS, Kept, Lost
from perform.training.dataset.settings import DatasetSettings
from perform.training.dataset.shards import ShardWriter
from perform.training.dataset.sources import PictureSource
from perform.training.dataset.workers import convert_in_order

MAKING = "making"
RECIPE = "recipe.json"  # in it: what it was begun with
ReportProgress = Callable[[int, int], None]  # pictures seen and kept so far


@dataclass(slots=True)
class _ShardOutcomes:
    """The outcomes of the items of one shard, and of those that were lost on the way."""

    items: int = 0
    kept: list[tuple[str, Hash]] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    handled: Counter[str] = field(default_factory=Counter)

    def record(self, shard: Shard | None) -> dict[str, object]:
        """The outcomes as a file of `making` has them."""
        kept = [(name, f"{one.bits:016x}", one.blue, one.red) for name, one in self.kept]
        lost = [(one.name, one.reason, one.detail) for one in self.lost]
        shown = asdict(shard) if shard else None
        return {"items": self.items, "kept": kept, "lost": lost, "handled": self.handled, "shard": shown}

    @classmethod
    def of(cls, record: dict[str, Any]) -> _ShardOutcomes:
        kept = [(name, Hash(int(bits, 16), blue, red)) for name, bits, blue, red in record["kept"]]
        lost = [Lost(*one) for one in record["lost"]]
        return cls(record["items"], kept, lost, Counter(record["handled"]))


def make(
    source: PictureSource,
    settings: DatasetSettings,
    out: Path,
    workers: int = 1,
    watch: ReportProgress = lambda seen, kept: None,
) -> Manifest:
    """Make or resume a dataset in the folder `out`.

    The same source and settings give the same bytes, however often it stops and with any number of workers.
    Raises DatasetError if the folder has other contents, the disk is full, or no picture is kept.
    """
    try:
        recipe = {**source.recipe, **settings.recipe}
        if (out / FILE).exists():
            done = read_manifest(out / FILE)
            _compare(done.recipe, recipe, out)
            shutil.rmtree(out / MAKING, ignore_errors=True)
            return done
        with _locked(out, recipe):
            return _Making(source, settings, recipe, out, watch).run(workers)
    except OSError as error:
        raise DatasetError(_disk_fault(error, out)) from error


@dataclass
class _Making:
    """The making of one dataset."""

    _source: PictureSource
    _settings: DatasetSettings
    _recipe: Recipe
    _out: Path
    _watch: ReportProgress
    _shards: list[Shard] = field(default_factory=list)
    _outcomes: _ShardOutcomes = field(default_factory=_ShardOutcomes)
    _items: int = 0
    _names: list[str] = field(default_factory=list)  # of what was kept
    _lost: list[Lost] = field(default_factory=list)
    _handled: Counter[str] = field(default_factory=Counter)
    _writer: ShardWriter | None = None

    def __post_init__(self) -> None:
        self._lookup = Lookup(self._settings.duplicates)

    def run(self, workers: int) -> Manifest:
        """Make the missing shards."""
        self._resume()
        results = convert_in_order(self._source.items(self._items), self._settings, workers)
        try:
            for outcomes in results if not self._enough else ():
                self._take(outcomes)
                if self._enough:
                    break
            self._finish_shard()
        finally:
            results.close()
            if self._writer:
                self._writer.discard()
        return self._finish()

    @property
    def _seen(self) -> int:
        return len(self._names) + len(self._lost)

    @property
    def _enough(self) -> bool:
        return bool(self._settings.limit) and len(self._names) >= self._settings.limit

    def _take(self, outcomes: list[Outcome]) -> None:
        """Take the outcomes of one item."""
        for one in outcomes:
            if self._enough:
                break
            self._store(self._unless_duplicate(one))
        self._outcomes.items += 1
        self._items += 1
        self._watch(self._seen, len(self._names))
        if self._writer and self._writer.full:
            self._finish_shard()

    def _unless_duplicate(self, one: Outcome) -> Outcome:
        """The outcome, or the loss of a picture that is a duplicate."""
        near = self._lookup.near(one.hash) if isinstance(one, Kept) and self._settings.duplicates else None
        if near is None:
            return one
        number, distance = near
        return Lost(one.name, "duplicate", f"of {self._names[number]}, distance {distance}")

    def _store(self, one: Outcome) -> None:
        if isinstance(one, Lost):
            self._outcomes.lost.append(one)
            self._lost.append(one)
            return
        if self._writer is None:
            folder = self._out / SHARDS
            folder.mkdir(exist_ok=True)
            self._writer = ShardWriter(folder, f"{len(self._shards):06d}.tar")
        self._writer.add(f"{len(self._names):08d}", self._settings.format, one.data, one.facts)
        self._outcomes.kept.append((one.name, one.hash))
        self._outcomes.handled.update(one.facts["handled"])
        self._handled.update(one.facts["handled"])
        self._count_kept(one.name, one.hash)

    def _count_kept(self, name: str, found: Hash) -> None:
        self._names.append(name)
        if self._settings.duplicates:
            self._lookup.add(found)

    def _finish_shard(self) -> None:
        if self._writer is None:
            return
        shard = self._writer.finish()
        self._writer = None
        file = self._out / MAKING / f"{len(self._shards):06d}.json"
        write_whole(file, json.dumps(self._outcomes.record(shard)).encode(), synced=True)
        self._shards.append(shard)
        self._outcomes = _ShardOutcomes()

    def _resume(self) -> None:
        """Count the finished shards."""
        while (file := self._out / MAKING / f"{len(self._shards):06d}.json").exists():
            try:
                record = json.loads(file.read_text(encoding="utf-8"))
                outcomes, shard = _ShardOutcomes.of(record), Shard(**record["shard"])
            except (ValueError, LookupError, TypeError, AttributeError):
                return  # damaged: the shard is made again
            tar = self._out / SHARDS / shard.name
            if not tar.is_file() or tar.stat().st_size != shard.bytes:
                return  # removed or cut off: it is made again
            for name, found in outcomes.kept:
                self._count_kept(name, found)
            self._lost += outcomes.lost
            self._items += outcomes.items
            self._handled.update(outcomes.handled)
            self._shards.append(shard)

    def _finish(self) -> Manifest:
        write_whole(self._out / DROPPED, _dropped_csv(self._lost).encode(), synced=True)
        dropped = Counter(one.reason for one in self._lost)
        if not self._names:
            (self._out / MAKING / RECIPE).unlink()  # other settings may begin in this folder
            reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.most_common())
            hint = "; --smallest 1 keeps small ones" if dropped["small"] else ""
            raise DatasetError(
                f"no picture could be kept ({reasons or 'none seen'}); see {self._out / DROPPED}{hint}"
            )
        total = self._source.total
        counts = Counts(
            self._seen,
            len(self._names),
            {reason: dropped[reason] for reason in REASONS if reason in dropped},
            dict(sorted(self._handled.items())),
            None if total is None and self._enough else max((total or 0) - self._items, 0),
        )
        size, mirror = self._settings.size, self._settings.mirror
        made = Manifest(size, mirror, self._recipe, counts, tuple(self._shards))
        write_whole(self._out / FILE, made.text.encode(), synced=True)
        shutil.rmtree(self._out / MAKING, ignore_errors=True)
        return made


@contextmanager
def _locked(out: Path, recipe: Recipe) -> Iterator[None]:
    """Lock the folder against other processes; write the recipe, or check that it is the same."""
    making = out / MAKING
    begun = making / RECIPE
    if out.is_dir() and any(out.iterdir()) and not begun.exists() and not (making / "lock").exists():
        raise DatasetError(f"{out} is not empty and holds no dataset: give another folder")
    making.mkdir(parents=True, exist_ok=True)
    with (making / "lock").open("w") as lock:
        _lock(lock.fileno(), out)
        if begun.exists():
            _compare(_saved_recipe(begun), recipe, out)
        else:
            write_whole(begun, json.dumps(recipe).encode(), synced=True)
        yield


def _saved_recipe(file: Path) -> Recipe:
    """The recipe that a dataset was begun with."""
    try:
        recipe = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        recipe = None
    if not isinstance(recipe, dict):
        raise DatasetError(f"{file} is damaged: remove {file.parent.parent} and begin again")
    return recipe


def _lock(file: int, out: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DatasetError(f"{out}: another perform dataset is writing there") from error


def _compare(before: Recipe, now: Recipe, out: Path) -> None:
    """Raise DatasetError, naming the first difference, unless the recipes are the same."""
    for name in [*now, *before]:
        if before.get(name) != now.get(name):
            made = f"with {name} = {before.get(name)}, not {now.get(name)}"
            if name == "fingerprint":
                made = f"from other contents of {now.get('from')}"
            raise DatasetError(f"{out} was made {made}: give another folder, or remove it")


def _dropped_csv(lost: list[Lost]) -> str:
    """The dropped pictures as CSV."""
    import io

    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("name", "reason", "detail"))
    rows.writerows((one.name, one.reason, one.detail) for one in lost)
    return text.getvalue()


def _disk_fault(error: OSError, out: Path) -> str:
    """What failed in the folder, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{out}: the disk is full; finished pictures are kept: make room and give the command again"
    name = error.filename or out
    return f"{name}: {system_reason(error)}"
