"""The library: presets, shaders, models and all other files that a show plays, found by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial, reduce
from pathlib import Path
from typing import TypeVar, get_args

from perform import paths
from perform.arrays import Floats
from perform.documents import SceneError
from perform.faults import reason
from perform.footage import opening
from perform.footage.changes import Stamp, stamp
from perform.footage.text import check_text
from perform.generators import latents
from perform.generators.extending import EXTEND
from perform.generators.model import Model
from perform.generators.untrained import BUILT_IN, SHARED_MAPPING, present_name
from perform.inputs.feeds import document as feeds
from perform.inputs.feeds.document import Feed, PlacedFeeds
from perform.latent import directions
from perform.latent.directions import Directions
from perform.latent.paths import PATHS, path_parameters
from perform.latent.space import Space
from perform.library.vocabulary import VOCABULARY
from perform.midi import profiles
from perform.midi.profiles import Profile
from perform.networks import ModelError, bending, blending
from perform.networks.modelfiles import COMPANIONS, DIRECTIONS_SUFFIX, own_name
from perform.parameters import Parameter, choice, did_you_mean, name_hint
from perform.paths import quoted
from perform.render import isf, pictures
from perform.scenes.layers import FEEDBACK
from perform.scenes.mapping import SignalMapping, read_mapping
from perform.scenes.scene import LIVE, Footage, Role

log = logging.getLogger("perform")

SHADER_SUFFIXES = (".fs", ".isf")  # of files; by name only the first
MODEL_SUFFIXES = (".safetensors", ".pkl", ".pt", ".pth", ".bin", ".npz")  # the first wins

SignalFile = TypeVar("SignalFile", Feed, SignalMapping)  # gives signals


class Library:
    """Shaders, presets, setlists and models in folders, the first of which wins: the project of the file
    `show`, the current folder, the user's, and what is shipped.

    A folder holds `shaders/{generators,filters,transitions}/*.fs`, `presets/*.toml`, `setlists/*.toml`,
    `feeds/*.toml`, `profiles/*.toml`, `footage/`, `learned/*.toml` and `models/`. `model` replaces the model
    that each preset names; `placed` is what a venue sets of feeds. Presets, shaders and so on also lie beside
    `show` itself, without such folders.
    Several threads may use it: what it remembers of a file is replaced as a whole.
    """

    vocabulary = VOCABULARY

    def __init__(
        self,
        *folders: Path,
        model: str | None = None,
        show: Path | None = None,
        placed: PlacedFeeds | None = None,
    ) -> None:
        project = project_of(show) if show else None
        self.folders = _joined(project, folders or _folders())
        self._show, self._model, self._placed = show, model, placed
        self._models: dict[str, Model] = {}
        self._parsed: dict[Path, tuple[list[Stamp | None], isf.ISF]] = {}
        self._footage: dict[tuple[str, Path, Stamp | None], tuple[Parameter, ...]] = {}
        self._left_out: set[str] = set()
        if model is not None:
            try:
                self.model_place(model)
            except LookupError as error:
                raise LookupError(f"model {model!r}: {reason(error)}") from error

    def shader(self, name: str, role: Role) -> tuple[Parameter, ...]:
        """The parameters of a shader that plays `role`; LookupError, or ISFError for a broken one."""
        return self.isf(name, role).parameters

    def images(self, name: str, role: Role) -> tuple[str, ...]:
        """The images that a shader takes besides those of its role."""
        return self.isf(name, role).images[len(isf.LEADING[role]) :]

    def footage(self, kind: Footage, name: str) -> tuple[Parameter, ...]:
        """The parameters of a film, a still, a live picture, feedback. LookupError if there is no such file,
        FootageError if it cannot be played."""
        if kind == "feedback":
            choice("feedback", name, FEEDBACK)
            return ()
        if kind in (*LIVE, "text"):
            return opening.parameters(kind, None, name)
        file = self.footage_file(name)
        known = kind, file, stamp(file)
        if known not in self._footage:
            self._footage[known] = opening.parameters(kind, file)
        return self._footage[known]

    def check_text(self, setting: str, file: str) -> None:
        """Raise FootageError if the `font`, or the `file`, of a text cannot be read."""
        check_text(setting, file)

    def footage_file(self, name: str) -> Path:
        """The file of a film or a still, by path or by its name in footage/."""
        for path in (*self._paths(name), *(folder / "footage" / name for folder in self.folders)):
            if file := paths.found(path):
                return file
        there = [file.name for folder in self.folders for file in sorted((folder / "footage").glob("*.*"))]
        raise self.missing("file", name, there, f"footage/{name}")

    def isf(self, name: str, role: Role) -> isf.ISF:
        """The shader as it is in its file now; the same object as long as the file is the same."""
        file = self.shader_file(name, role)
        stamps = [stamp(part) for part in (file, paths.beside(file, ".vs"))]
        known = self._parsed.get(file)
        if known is None or known[0] != [*stamps, *map(stamp, known[1].included)]:
            shader = isf.load(file)
            known = self._parsed[file] = [*stamps, *map(stamp, shader.included)], shader
        shader = known[1]
        if shader.kind != role:
            raise LookupError(f"{file} is a {shader.kind}, not a {role}")
        return shader

    def shader_file(self, name: str, role: Role) -> Path:
        """The file of a shader, by path or by name."""
        if name.lower().endswith(SHADER_SUFFIXES) and (file := self._at_path(name)):
            return file
        return self._file(f"shaders/{role}s", name, ".fs", f"{role} shader")

    def preset_file(self, name: str) -> Path:
        """The file of a preset, by path or by name."""
        if name.lower().endswith(".toml") and (file := self._at_path(name)):
            return file
        return self._file("presets", name, ".toml", "preset")

    def setlist_file(self, name: str) -> Path:
        """The file of a setlist by name."""
        return self._file("setlists", name, ".toml", "setlist")

    def venue_file(self, name: str) -> Path:
        """The file of a venue, by path or by name."""
        if name.lower().endswith(".toml") and (file := self._at_path(name)):
            return file
        return self._file("venues", name, ".toml", "venue")

    def feeds(self, signals: Iterable[str]) -> list[Feed]:
        """The feeds that give these signals, from their files in feeds/. LookupError, SceneError, OSError."""
        found = self._signal_files(signals, "feed", "feeds", partial(feeds.read_feed, placed=self._placed))
        for signal, feed in found:
            if not feed.has(signal):
                known = ", ".join(feed.values)
                raise LookupError(f"{signal}: {feed.file} has {known}, and of each .raw, .age and .quality")
        return list({feed.name: feed for _, feed in found}.values())

    def feed_signals(self) -> Iterator[str]:
        """The signals of all feeds; those whose file is broken are left out."""
        for name in self.names("feeds"):
            with suppress(LookupError, SceneError, OSError):
                yield from feeds.read_feed(self._file("feeds", name, ".toml", "feed")).values

    def placed_feeds(self) -> list[Feed]:
        """The feeds of which a venue sets something. LookupError if one has no file, SceneError, OSError."""
        placed = self._placed
        names = placed.tables if placed else ()
        return [feeds.read_feed(self._file("feeds", name, ".toml", f"feed {name}"), placed) for name in names]

    def mapping_signals(self) -> Iterator[str]:
        """The signals of all mappings; those whose file is broken are left out."""
        for name in self.names("learned"):
            with suppress(LookupError, SceneError, OSError):
                file = self._file("learned", name, ".toml", "mapping")
                yield from read_mapping(file, vocabulary=self.vocabulary).outputs

    def mappings(self, signals: Iterable[str]) -> list[SignalMapping]:
        """The mappings that give these signals, from learned/. LookupError, SceneError, OSError."""
        read = partial(read_mapping, vocabulary=self.vocabulary)
        found = self._signal_files(signals, "learned", "learned", read, "mapping")
        for signal, mapping in found:
            if not mapping.has(signal):
                raise LookupError(f"{signal}: {mapping.name} has {', '.join(mapping.outputs)}")
        return list({mapping.name: mapping for _, mapping in found}.values())

    def signal_faults(self, file: Path, signals: Iterable[str]) -> list[str]:
        """What is wrong with the signals of a file: a mapping, a feed or a control that is not there."""
        faults: list[str] = []
        for signal in sorted(signals):
            for look in (self.mappings, self.feeds, self.check_controls):
                try:
                    look([signal])
                except SceneError as error:
                    faults += error.faults
                except LookupError as error:
                    faults.append(f"{file}: {reason(error)}")
        return list(dict.fromkeys(faults))

    def _signal_files(
        self,
        signals: Iterable[str],
        first: str,
        kind: str,
        read: Callable[[Path], SignalFile],
        what: str = "",
    ) -> list[tuple[str, SignalFile]]:
        """The signals whose first word is `first`, each with what gives it: the file of its second word."""
        found: dict[str, SignalFile] = {}
        wanted = [signal for signal in sorted(signals) if signal.startswith(f"{first}.")]
        for name in dict.fromkeys(signal.split(".")[1] for signal in wanted):
            found[name] = read(self._file(kind, name, ".toml", f"{what or first} {name}"))
        return [(signal, found[signal.split(".")[1]]) for signal in wanted]

    def profiles(self, fault: Callable[[str], None] = lambda _: None) -> list[Profile]:
        """The profiles of MIDI controllers in profiles/; of the same name, the first folder's. `fault` gets
        the reasons why others are left out."""
        files: dict[str, Path] = {}
        for folder in self.folders:
            for file in paths.files(folder / "profiles", ".toml"):
                files.setdefault(file.stem, file)
        found = []
        for file in files.values():
            try:
                found.append(profiles.read_profile(file))
            except (SceneError, OSError) as error:
                for line in reason(error).splitlines():
                    fault(line)
        return found

    def check_controls(self, signals: Iterable[str]) -> None:
        """Check the signals of MIDI controllers. LookupError for a control that a profile does not have."""
        if wanted := [signal for signal in sorted(signals) if profiles.names_device(signal)]:
            known = {one.name: one for one in self.profiles()}
            for signal in wanted:
                profiles.check_control(signal, known)

    def model(self, name: str) -> Model:
        """The model that plays for `name`, read again only if its file has changed. LookupError if there is
        no such model, ModelError for a broken one."""
        place = self.model_place(name)
        known = self._models.get(name)
        if known is None or known.place != place or not known.is_current:
            known = self._models[name] = Model.read(place, name)
        return known

    def generator(self, model: str) -> tuple[Parameter, ...]:
        """The parameters of [generator] with a model; LookupError if there is no such model."""
        return (*self.model(model).parameters, EXTEND, *pictures.PARAMETERS)

    def replaced(self, model: str) -> bool:
        """Whether another model plays where a preset names this one."""
        return self._model not in (None, model)

    def leave_out(self, fault: str) -> None:
        """Log once, however often a preset is read, what the model in place of its own cannot play."""
        if fault not in self._left_out:
            self._left_out.add(fault)
            log.warning("model %s: left out: %s", self._model, fault)

    def bend(self, model: str, operation: str) -> tuple[Parameter, ...]:
        """The parameters of an operation on a model's activations; LookupError if there is no such one."""
        return bending.bend_parameters(operation, self.model(model).layers)

    def blend(self, model: str, other: str) -> tuple[Parameter, ...]:
        """The parameters of a blend of a model with another. LookupError if there is no such one, ModelError
        if the two do not fit together."""
        first = self.model(model)
        blending.check_blend(first.config, self.model(other).config, other)
        return blending.blend_parameters(first.layers)

    def model_place(self, name: str) -> str:
        """Where the model that plays for `name` is: a built-in's name, or a file's path. The folder of a
        training run is a name of its model."""
        name = present_name(self._model or name)
        if name in BUILT_IN:
            return name
        if file := paths.found(Path(name)):
            return str(file)
        if model := paths.run_model(Path(name)):
            return str(model)
        for folder in self._places("models"):
            for suffix in ("", *MODEL_SUFFIXES):
                path = folder / f"{name}{suffix}"
                if path.parent == folder and (file := paths.found(path)):
                    return str(file)
        raise self.missing("model", name, [*BUILT_IN, *self.models()], f"models/{name}")

    def models(self) -> dict[str, Path]:
        """The model files that can be played by name."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for suffix in MODEL_SUFFIXES:
                for file in paths.files(folder / "models", suffix):
                    if not file.name.lower().endswith(COMPANIONS):
                        found.setdefault(file.stem, file)
        return found

    def direction(self, model: str, name: str) -> tuple[Parameter, ...]:
        """The parameters of a direction of a model's space; LookupError if there is no such one."""
        known = self.directions(model).names
        if name not in known:
            raise LookupError(f"there is no such direction{name_hint(name, known)}")
        return directions.PARAMETERS

    def directions(self, model: str) -> Directions:
        """The directions that are known of a model; of the same name, the first folder's. LookupError if
        there are none."""
        found = self.model(model)
        name = SHARED_MAPPING if found.is_built_in else own_name(found.place)
        folders = self._direction_folders(found)
        places = (folder / f"{name}{DIRECTIONS_SUFFIX}" for folder in folders)
        files = [file for place in places if (file := paths.found(place))]
        if not files:
            raise LookupError(
                f"no directions of {name} are known: find them with `perform directions {quoted(name)}`"
            )
        near, *far = [_read_directions(file, found.space) for file in files]
        return reduce(lambda nearer, other: other.joined(nearer), far, near)

    def _direction_folders(self, model: Model) -> list[Path]:
        """The folders of a model's directions, the first wins; those shipped are of shipped models only."""
        folders = [folder / "models" for folder in self.folders]
        if model.is_built_in:
            return folders
        home = Path(model.place).parent
        if home in folders:
            return folders[: folders.index(home) + 1]
        return [home, *(folder for folder in folders if folder != paths.shipped() / "models")]

    def latents(self, model: str, name: str) -> Floats:
        """The latents of a model ws [n, num_ws, w_dim] in a file, by path or by its name in models/."""
        space = self.model(model).space
        for path in (Path(name), *(folder / "models" / name for folder in self.folders)):
            if file := paths.found(path):
                return latents.read_latents(file, space)
        raise LookupError("there is no such file")

    def path(self, name: str) -> tuple[Parameter, ...]:
        """The parameters of a latent path; LookupError if there is no such one."""
        if name not in PATHS:
            raise LookupError(f"there is no such path{name_hint(name, PATHS)}")
        return path_parameters(name)

    def names(self, kind: str, suffix: str = ".toml") -> list[str]:
        """The names of the files of a kind: presets, setlists, feeds, learned, shaders/filters …"""
        found = (file for folder in self._places(kind) for file in paths.files(folder, suffix))
        return sorted({file.stem for file in found if file != self._show})

    def watched(self) -> list[Path]:
        """The folders in which a saved file may change the show."""
        shaders = (f"shaders/{role}s" for role in get_args(Role))
        kinds = ("presets", "setlists", "feeds", "profiles", "learned", *shaders)
        return [folder / kind for folder in self.folders for kind in kinds if (folder / kind).is_dir()]

    def _paths(self, name: str) -> list[Path]:
        """What a name means as a path: beside the show, in its project, or in the current folder."""
        show = self._show
        return [*([show.parent / name, project_of(show) / name] if show else []), Path(name)]

    def _at_path(self, name: str) -> Path | None:
        """The file of a path, None if there is none."""
        return next((file for path in self._paths(name) if (file := paths.found(path))), None)

    def _file(self, kind: str, name: str, suffix: str, what: str) -> Path:
        """The file of a name, which may have its suffix."""
        full = name.removesuffix(suffix) + suffix
        for folder in self._places(kind):
            path = folder / full
            if path.parent == folder and (file := paths.found(path)) and file != self._show:
                return file
        raise self.missing(what, name, self.names(kind, suffix), f"{kind}/{full}")

    def _places(self, kind: str) -> list[Path]:
        """Where files of a kind are looked for: beside the show, then in the folder of the kind in each
        folder."""
        beside = [self._show.parent] if self._show and self._show.parent == project_of(self._show) else []
        return [*beside, *(folder / kind for folder in self.folders)]

    def missing(self, what: str, name: str, there: list[str], file: str) -> LookupError:
        """The error for a name that no file has, with the names that are `there` and where it was looked for
        (as `file`)."""
        if kind := paths.special(Path(name)):
            return LookupError(f"{name} is {kind}, must be a file")
        if Path(name).is_absolute():
            return LookupError("there is no such file")
        home = str(Path.home())
        places = ", ".join(str(folder).replace(home, "~", 1) for folder in self.folders)
        hint = name_hint(name if did_you_mean(name, there) else Path(name).stem, there)
        return LookupError(f"there is no such {what}{hint}; looked for {file} in {places}")


def project_of(show: Path) -> Path:
    """The folder of the project that a setlist or a preset belongs to: that of the file, or the one above if
    it is called setlists or presets."""
    folder = show.absolute().parent
    return folder.parent if folder.name in ("setlists", "presets") else folder


def _joined(project: Path | None, folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders with the project's first; what is shipped stays where it is."""
    if project is None or project == paths.shipped():
        return folders
    return (project, *(folder for folder in folders if folder != project))


def _folders() -> tuple[Path, ...]:
    """The default folders; in a checkout, your own files come before the shipped ones."""
    here, shipped = Path.cwd(), paths.shipped()
    return (*([] if here == shipped else [here]), paths.user_data(), shipped)


def _read_directions(file: Path, space: Space) -> Directions:
    found = latents.read_directions(file)
    shape, layers = found.components.shape, space.num_ws
    if shape[2:] and shape[1] != layers:
        raise ModelError(f"{file} has directions of {shape[1]} layers, the model has {layers}")
    if shape[-1] != space.w_dim or found.space != "w":
        raise ModelError(f"{file} has directions {shape}, must be [n, {space.w_dim}] of w")
    return found
