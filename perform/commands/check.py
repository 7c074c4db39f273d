"""`perform check`: every fault of presets, setlists, shaders, feeds, mappings and models, in one run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from perform import paths
from perform.documents import document
from perform.faults import reason
from perform.generators.latents import read_directions
from perform.generators.model import Model
from perform.inputs.feeds.document import read_feed
from perform.library import MODEL_SUFFIXES, SHADER_SUFFIXES, Library
from perform.library.vocabulary import VOCABULARY
from perform.midi import profiles
from perform.networks.modelfiles import DIRECTIONS_SUFFIX, DISCRIMINATOR_SUFFIX
from perform.paths import run_model
from perform.render import isf
from perform.scenes import mapping
from perform.show import find, load, open_library
from perform.show.files import document_kind
from perform.venue import read_venue

CHECKED_SUFFIXES = (
    ".toml",
    *SHADER_SUFFIXES,
    ".safetensors",
)  # in folders; other models are checked when named


def check_all(paths: Iterable[Path]) -> tuple[int, list[str]]:
    """How many files were checked, and their faults, a sentence each; folders without any are a fault. A
    preset that is named twice, by a relative path and by its setlist, has its faults once.
    """
    paths = list(paths)
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    if not files:
        known = ", ".join(CHECKED_SUFFIXES)
        return 0, [f"{path}: a folder without a file that can be checked ({known})" for path in paths]
    libraries = {file.parent: open_library(str(file)) for file in reversed(files)}  # one for each folder
    faults = [fault for file in files for fault in check_file(file, libraries[file.parent])]
    here = "" if all(path.is_absolute() for path in paths) else f"{Path.cwd()}{os.sep}"
    return len(files), list(dict.fromkeys(fault.removeprefix(here) for fault in faults))


def check_file(file: Path, library: Library) -> list[str]:
    """The faults of one file."""
    there = paths.found(file)
    if kind := paths.special(file):
        return [f"{file} is {kind}, must be a file"]
    if there is None and file.suffix:
        return [f"{file}: there is no such file"]
    try:
        file = there or find(str(file), library)
        name = file.name.lower()
        match file.suffix.lower():
            case ".toml":
                return _check_document(file, library)
            case suffix if suffix in SHADER_SUFFIXES:
                _compile(file)
            case ".safetensors" if name.endswith(DIRECTIONS_SUFFIX):
                read_directions(file)
            case ".safetensors" if name.endswith(DISCRIMINATOR_SUFFIX):
                from perform.training.checkpoint import checkpoint_tensors

                checkpoint_tensors(file)
            case suffix if suffix in MODEL_SUFFIXES:
                Model.read(file)
            case suffix:
                known = dict.fromkeys((*CHECKED_SUFFIXES, *MODEL_SUFFIXES))
                return [f"{file}: {suffix or 'no suffix'}, must be one of {', '.join(known)}"]
    except (LookupError, ValueError, OSError) as error:
        return reason(error).splitlines()
    return []


def _check_document(file: Path, library: Library) -> list[str]:
    match document_kind(file, document(file)):
        case "feed":
            return _check_feed(file)
        case "profile":
            profiles.read_profile(file)
        case "venue":
            read_venue(file)
        case "mapping":
            mapping.read_mapping(file, VOCABULARY)
        case _:
            load(file, library)
    return []


def _check_feed(file: Path) -> list[str]:
    """The faults of a feed, and of the rows that it replays."""
    from perform.inputs.feeds.csv import check_table

    feed = read_feed(file)
    return check_table(feed) if feed.text.kind == "csv" else []


def _compile(file: Path) -> None:
    """Parse the shader, and compile it where there is OpenGL."""
    shader = isf.load(file)
    from perform.render.context import GLError, headless
    from perform.render.shader import Shader

    try:
        context = headless()
    except GLError:
        return
    try:
        Shader(context, shader, (64, 64)).release()
    finally:
        context.release()


def _files(path: Path) -> Iterator[Path]:
    """The file, or the files of a folder that can be checked; of a training run its model."""
    if model := run_model(path):
        yield model
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix.lower() in CHECKED_SUFFIXES)
    else:
        yield path
