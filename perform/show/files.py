"""The files of shows: found by name or path, and what each is.

A picture, a film, a shader or a model plays as a scene of its own. Any other file is named for what it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel

from perform.documents import SceneError, document
from perform.generators.untrained import BUILT_IN
from perform.inputs.audio import SOUND_SUFFIXES
from perform.library import MODEL_SUFFIXES, SHADER_SUFFIXES, Library
from perform.networks.modelfiles import COMPANIONS
from perform.paths import check_file, found, quoted, run_model
from perform.render import isf
from perform.scenes.reader import SceneText, check_scene, read_scene
from perform.scenes.setlist import Setlist, SetlistText, read_setlist, single
from perform.venue import Venue, read_venue
from perform.venue.reader import VenueText

DocumentKind: TypeAlias = Literal["preset", "setlist", "feed", "profile", "mapping", "venue"]

PROJECT_SETLIST = "setlist.toml"  # of a project's folder
PROJECT_VENUE = "venue.toml"  # the same, and its name in any other folder
STILLS = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".tga", ".jp2")
FILMS = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".apng", ".mpg", ".mpeg", ".ts", ".m2ts"),
    *(".wmv", ".flv", ".ogv", ".mxf", ".3gp"),
)
NETWORK = "a network of a kind that is not played: perform models import takes those of known projects"
FOREIGN = {  # files that people try, and what they are
    **dict.fromkeys((".onnx", ".ckpt", ".h5", ".tflite", ".gguf", ".engine"), NETWORK),
    **dict.fromkeys((".frag", ".glsl", ".vert", ".vs"), "a shader without an ISF header, or a part of one"),
    ".npy": "an array: a preset plays latents by [generator] with kept",
    ".csv": 'a table: a feed replays it, feeds/NAME.toml with kind = "csv"',
}
OTHERS = {
    "feed": "a feed: formulas of presets play it as feed.{name}",
    "profile": "a profile of a MIDI controller: formulas of presets play it as midi.{name}",
    "mapping": "a mapping: formulas of presets play it as learned.{name}",
    "venue": "a venue: perform play SHOW --venue {file} plays in it",
}
FOLDERS: Mapping[str, DocumentKind] = {
    "presets": "preset",
    "setlists": "setlist",
    "feeds": "feed",
    "profiles": "profile",
    "learned": "mapping",
    "venues": "venue",
}
LIKE: Mapping[DocumentKind, type[BaseModel]] = {  # the first is meant if two are as like
    "preset": SceneText,
    "setlist": SetlistText,
    "venue": VenueText,
}
FIRST_WORDS: Mapping[str, DocumentKind] = {
    "kind": "feed",
    "controls": "profile",
    "example": "mapping",
    "display": "venue",
}


def names_file(name: str) -> bool:
    """Whether this text names a show by its file, which may be missing, or by the folder of a run."""
    named = name.lower().endswith(".toml") or found(Path(name)) is not None
    return named or run_model(Path(name)) is not None


def open_library(show: str, model: str | None = None, venue: Venue | None = None) -> Library:
    """The library of a show; what lies beside it comes first if it is named by its file or its folder. Its
    feeds are as a venue has them."""
    file = found(Path(show) / PROJECT_SETLIST if Path(show).is_dir() else Path(show))
    return Library(model=model, show=file.absolute() if file else None, placed=venue.feeds if venue else None)


def find(name: str, library: Library) -> Path:
    """The file of a show by path, or of a setlist, preset or model by name. Raises LookupError, OSError."""
    if (Path(name) / PROJECT_SETLIST).is_file():
        return Path(name) / PROJECT_SETLIST
    check_file(Path(name))
    if names_file(name):
        file = found(Path(name)) or Path(name)
        if not file.exists():
            raise LookupError(f"{name}: there is no such file")
        return file
    for named in (library.setlist_file, library.preset_file):
        with suppress(LookupError):
            return named(name)
    if model := library.models().get(name):
        return model
    raise LookupError(_why_missing(name, library))


def venue_of(show: str, name: str | None) -> Venue | None:
    """The venue that a show plays in: by name or file, else venue.toml of its project's folder; None for
    none. Raises LookupError, SceneError, OSError."""
    if name == "none":
        return None
    if name is not None:
        try:
            file = open_library(show).venue_file(name)
        except LookupError as error:
            raise LookupError(f"venue {name!r}: {error}") from error
        return read_venue(file)
    own = found(Path(show) / PROJECT_VENUE) if Path(show).is_dir() else None
    return read_venue(own) if own else None


def _why_missing(name: str, library: Library) -> str:
    """Why nothing plays by this name."""
    if name in BUILT_IN:
        return f"{name} is a model without a file: --model {name} plays it in a preset"
    if Path(name).is_dir():
        return f"{name} is a folder without {PROJECT_SETLIST} and without a model of a run"
    if Path(name).name != name:
        return f"{name}: there is no such file"
    projects = sorted(file.parent.name for file in Path().glob(f"*/{PROJECT_SETLIST}"))
    known = [*library.names("setlists"), *projects, *library.names("presets")]
    files = f"setlists/{name}.toml and presets/{name}.toml"
    return f"{name}: {library.missing('setlist or preset', name, known, files)}"


def read_show(file: Path, library: Library, before: Setlist | None = None) -> Setlist:
    """The setlist in a file, or one of a single scene: that of a preset, or a file that is played by itself.
    A preset of a setlist that is broken since `before` has the scene that it had there. Raises SceneError for
    any other file, OSError."""
    source = own_source(file, library)
    if source is not None:
        text = SceneText(title=file.stem or file.name, **source)
        return single(check_scene(text, library, file, given=source.keys()))
    kind = document_kind(file, document(file))
    if kind in OTHERS:
        raise SceneError([f"{file} is {OTHERS[kind].format(name=file.stem, file=quoted(file))}"])
    if kind == "preset":
        return single(read_scene(file, library))
    return read_setlist(file, library, library.preset_file, before)


def document_kind(file: Path, tables: Collection[str]) -> DocumentKind:
    """What a TOML file is: by the tables that only one kind has, by its folder, else by what is most like its
    tables."""
    if {"generator", "source", "layer"} & {*tables}:
        return "preset"
    if file.name == PROJECT_VENUE:
        return "venue"
    if "cue" in tables or file.name == PROJECT_SETLIST:
        return "setlist"
    if kind := next(
        (FIRST_WORDS[word] for word in tables if word in FIRST_WORDS), FOLDERS.get(file.parent.name)
    ):
        return kind
    return max(LIKE, key=lambda one: _likeness(tables, LIKE[one]))


def own_source(file: Path, library: Library) -> dict[str, Any] | None:
    """The table of the scene that plays a file by itself; None for a TOML file. SceneError for any other."""
    suffix, place = file.suffix.lower(), str(file.resolve())
    if suffix in STILLS:
        return {"source": {"still": place}}
    if suffix in FILMS:
        return {"source": {"film": place}}
    if suffix in SHADER_SUFFIXES:
        return {"generator": {"shader": _generator_shader(file)}}
    if file.name.lower().endswith(COMPANIONS):
        raise SceneError([f"{file} belongs to a model: play the model beside it"])
    if suffix in MODEL_SUFFIXES or file.is_dir():
        return {"generator": {"model": place}}
    if suffix in SOUND_SUFFIXES:
        raise SceneError([f"{file} is a sound: perform play SHOW --audio {quoted(file)} plays it"])
    if suffix in FOREIGN:
        raise SceneError([f"{file} is {FOREIGN[suffix]}"])
    return None if suffix == ".toml" else _unnamed_source(file, library)


def _unnamed_source(file: Path, library: Library) -> dict[str, Any] | None:
    """The same of a file without a known suffix, by its content."""
    with suppress(SceneError):
        document(file)
        return None
    for kind in ("still", "film"):
        with suppress(ValueError, OSError):
            library.footage(kind, str(file.resolve()))
            return {"source": {kind: str(file.resolve())}}
    known = "presets and setlists (.toml), shaders (.fs), pictures, films and models"
    raise SceneError([f"{file} is nothing that plays; {known} are"])


def _generator_shader(file: Path) -> str:
    """The path of a shader that draws by itself. SceneError for a filter, a transition or a broken one."""
    try:
        kind = isf.load(file).kind
    except isf.ISFError as error:
        raise SceneError(str(error).splitlines()) from error
    if kind != "generator":
        table = "[[filter]]" if kind == "filter" else "[transition]"
        raise SceneError([f'{file} is a {kind}: a preset plays it, {table} with shader = "{file.stem}"'])
    return str(file.resolve())


def _likeness(tables: Collection[str], model: type[BaseModel]) -> int:
    """How many tables have a name that a model knows, or one like it."""
    return sum(bool(get_close_matches(name, model.model_fields, 1, 0.7)) for name in tables)
