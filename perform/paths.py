"""Where files are: what travels with the program, and the folders that belong to its user.

In a checkout the shaders, presets, setlists, models, fonts and the demo are next to `perform/`; in an
installed wheel they are in `perform/data/`."""

from __future__ import annotations

import os
import shlex
import stat
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from perform.faults import system_reason

PACKAGE = Path(__file__).resolve().parent
SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
RUN_MODELS = ("best", "latest")  # names of the models in the folder of a training run, the one to play first


def shipped(package: Path = PACKAGE) -> Path:
    """The folder that holds shaders/, presets/, setlists/, footage/, models/, fonts/ and demo/."""
    inside = package / "data"
    return inside if inside.is_dir() else package.parent


def demo() -> Path:
    """The demo track and what is known of it."""
    return shipped() / "demo"


def user_data(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> Path:
    """The user's own models and takes; may not exist yet.

    The XDG Base Directory Specification on Linux and the BSDs, each platform's custom elsewhere.
    """
    match platform:
        case "darwin":
            return _home(environ) / "Library/Application Support/perform"
        case "win32":
            return _windows(environ) / "perform"
        case _:
            return _xdg(environ, "XDG_DATA_HOME", ".local/share") / "perform"


def user_cache(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> Path:
    """What can be made again, such as compiled networks; may not exist yet."""
    match platform:
        case "darwin":
            return _home(environ) / "Library/Caches/perform"
        case "win32":
            return _windows(environ) / "perform" / "cache"
        case _:
            return _xdg(environ, "XDG_CACHE_HOME", ".cache") / "perform"


def output() -> Path:
    """Where recordings go by default: output/ of the folder that the program runs in."""
    return Path("output")


def run_model(folder: Path) -> Path | None:
    """The model in the folder of a training run: the best, else the latest; None in any other folder."""
    if not folder.is_dir():
        return None
    files = (folder / f"{name}.safetensors" for name in RUN_MODELS)
    return next((file for file in files if file.is_file()), None)


def found(path: Path) -> Path | None:
    """The file of this path, None if there is none. An accented letter may be one character or two, as macOS
    writes it, and capitals in the suffix do not matter."""
    if path.is_file():
        return path
    folder = path.parent if path.parent.is_dir() else _folder(path.parent)
    if folder is None:
        return None
    name = _same_name(path.name)
    same = sorted(file for file in folder.glob("*") if _same_name(file.name) == name)
    return next((file for file in same if file.is_file()), None)


def beside(file: Path, suffix: str) -> Path:
    """The file of the same name with another suffix, as it is written there; it may not exist."""
    other = file.with_suffix(suffix)
    return found(other) or other


def files(folder: Path, *suffixes: str) -> list[Path]:
    """The files of a folder with one of these suffixes, given in small letters; none if it is missing."""
    named = (file for file in folder.glob("*") if file.name.lower().endswith(suffixes))
    return sorted(file for file in named if not special(file))


def quoted(name: str | Path) -> str:
    """A name as it stands in a command that somebody copies into a shell."""
    return shlex.quote(str(name))


def special(path: Path) -> str:
    """What is there that is neither a file nor a folder, such as a named pipe: to open it may wait for ever.
    Empty if nothing is, or if the system does not let us see."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError:
        return ""
    return SPECIAL.get(kind, "")


def check_file(path: Path) -> None:
    """OSError for what is `special`: call it before you open a file that somebody named."""
    if kind := special(path):
        raise OSError(f"{path} is {kind}, must be a file")


def _folder(path: Path) -> Path | None:
    """The folder of this path, whichever way its accented letters are written."""
    for form in ("NFC", "NFD"):
        folder = Path(unicodedata.normalize(form, str(path)))
        if folder.is_dir():
            return folder
    return None


def _same_name(name: str) -> str:
    """What two names of one file have in common."""
    name = unicodedata.normalize("NFC", name)
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{suffix.lower()}" if stem else name


@contextmanager
def whole_file(file: Path, suffix: str = ".part", synced: bool = False) -> Iterator[Path]:
    """A path to write to, which becomes `file` when the block ends; if it fails, `file` stays as it is. A
    file keeps its mode, a link stays a link, and what is `special` is never replaced. `synced`: also after
    a power cut. OSError, with the name of the file, if it cannot be written."""
    named, file = file, Path(os.path.realpath(file))
    if kind := special(file) or ("a link to itself" if file.is_symlink() else ""):
        raise OSError(f"{named} is {kind}, must be a file")
    partial = file.with_name(file.name + suffix)
    try:
        partial.touch()
        mode = (file if file.exists() else partial).stat().st_mode
        yield partial
        with suppress(OSError):  # some folders of a network have no modes
            partial.chmod(mode)  # some libraries write files that only their owner may read
        if synced:
            commit_file(partial, file)
        else:
            partial.replace(file)
    except OSError as error:
        if error.strerror is None or error.filename not in (None, str(partial)):
            raise
        raise OSError(error.errno, f"{named} cannot be written: {system_reason(error)}") from error
    finally:
        with suppress(OSError):  # its folder may be gone
            partial.unlink(missing_ok=True)


def write_whole(file: Path, content: bytes, synced: bool = False) -> None:
    """Write a `whole_file`."""
    with whole_file(file, synced=synced) as partial:
        partial.write_bytes(content)


@contextmanager
def claimed(file: Path) -> Iterator[Path]:
    """A name that no other file has: this one, or with a number (show-2.mp4). Its folder is made, and an
    empty file holds the name; if nothing is written to it, it is removed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    names = (file if number == 1 else file.with_stem(f"{file.stem}-{number}") for number in count(1))
    free = next(name for name in names if _is_new(name))
    try:
        yield free
    finally:
        if free.is_file() and not free.stat().st_size:
            free.unlink()


def _is_new(file: Path) -> bool:
    """Whether an empty file was made by this name."""
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def commit_file(partial: Path, path: Path) -> None:
    """Force a file to the disk, then give it its name: after a power cut the old or the new file is there."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else Path.home()


def _windows(environ: Mapping[str, str]) -> Path:
    local = environ.get("LOCALAPPDATA")
    return Path(local) if local else _home(environ) / "AppData/Local"


def _xdg(environ: Mapping[str, str], name: str, default: str) -> Path:
    """The specification has relative values ignored."""
    value = Path(environ.get(name, ""))
    return value if value.is_absolute() else _home(environ) / default
