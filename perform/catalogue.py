"""What there is to play: presets, shaders, models and latent paths, found by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from pathlib import Path
from typing import get_args

from perform import paths
from perform.arrays import Floats
from perform.documents import SceneError
from perform.footage import opening
from perform.footage.changes import Stamp, stamp
from perform.generators import latents
from perform.generators.model import Model
from perform.generators.untrained import BUILT_IN, SHARED_MAPPING
from perform.inputs.feeds import document as feeds
from perform.inputs.feeds.document import Feed
from perform.latent.directions import PARAMETERS as DIRECTION
from perform.latent.directions import Directions
from perform.latent.paths import PATHS, path_parameters
from perform.midi import profiles
from perform.midi.profiles import Profile
from perform.networks import ModelError, bending, blending
from perform.networks.modelfiles import COMPANIONS
from perform.networks.modelfiles import DIRECTIONS_SUFFIX as DIRECTIONS
from perform.parameters import Parameter, did_you_mean
from perform.render import isf
from perform.render.pictures import PARAMETERS as PICTURES
from perform.scenes.mapping import SignalMapping, read_mapping
from perform.scenes.scene import Footage, Role
from perform.vocabulary import VOCABULARY

MODELS = (".safetensors", ".pkl", ".pt", ".pth", ".bin", ".npz")  # of files in models/; the first wins


class Library:
    """Shaders, presets and setlists in folders, the first of which wins; and models.

    A folder holds `shaders/{generators,filters,transitions}/*.fs`, `presets/*.toml`, `setlists/*.toml`,
    `feeds/*.toml`, `profiles/*.toml`, `footage/`, `learned/*.toml` and `models/`. `model`
    plays in place of the model that each preset names.
    """

    vocabulary = VOCABULARY

    def __init__(self, *folders: Path, model: str | None = None) -> None:
        self.folders = folders or _folders()
        self._model = model
        self._models: dict[str, Model] = {}
        self._parsed: dict[Path, tuple[list[int], isf.ISF]] = {}
        self._played: dict[tuple[str, Path, Stamp | None], tuple[Parameter, ...]] = {}
        if model is not None:
            try:
                self.model_place(model)
            except LookupError as error:
                raise LookupError(f"model {model!r}: {error.args[0]}") from error

    def shader(self, name: str, role: Role) -> tuple[Parameter, ...]:
        """The parameters of a shader that plays `role`; LookupError, or ISFError for a broken one."""
        return self.isf(name, role).parameters

    def images(self, name: str, role: Role) -> tuple[str, ...]:
        """The images that a shader takes besides those of its role."""
        return self.isf(name, role).images[len(isf.LEADING[role]) :]

    def footage(self, kind: Footage, name: str) -> tuple[Parameter, ...]:
        """The parameters of a film or a still that can be played, or of a camera; LookupError when there is
        no such file, FootageError when it cannot be played."""
        if kind == "camera":
            return opening.parameters(kind, None)
        file = self.footage_file(name)
        known = kind, file, stamp(file)
        if known not in self._played:
            self._played[known] = opening.parameters(kind, file)
        return self._played[known]

    def footage_file(self, name: str) -> Path:
        """The file of a film or a still, by path or by its name in footage/."""
        for file in (Path(name), *(folder / "footage" / name for folder in self.folders)):
            if file.is_file():
                return file
        there = [file.name for folder in self.folders for file in sorted((folder / "footage").glob("*.*"))]
        raise LookupError(f"there is no such file{_near(name, there)}")

    def isf(self, name: str, role: Role) -> isf.ISF:
        """The shader as it is in its file now; the same object as long as the file is the same."""
        file = self.shader_file(name, role)
        parts = (file, file.with_suffix(".vs"))
        stamp = [part.stat().st_mtime_ns for part in parts if part.is_file()]
        if file not in self._parsed or self._parsed[file][0] != stamp:
            self._parsed[file] = stamp, isf.load(file)
        shader = self._parsed[file][1]
        if shader.kind != role:
            raise LookupError(f"{file} is a {shader.kind}, not a {role}")
        return shader

    def shader_file(self, name: str, role: Role) -> Path:
        """The file of a shader by name."""
        return self._file(f"shaders/{role}s", name, ".fs", f"{role} shader")

    def preset_file(self, name: str) -> Path:
        """The file of a preset by name."""
        return self._file("presets", name, ".toml", "preset")

    def setlist_file(self, name: str) -> Path:
        """The file of a setlist by name."""
        return self._file("setlists", name, ".toml", "setlist")

    def feeds(self, signals: Iterable[str]) -> list[Feed]:
        """The feeds that give these signals, from their files in feeds/. LookupError, SceneError, OSError."""
        wanted = [signal for signal in sorted(signals) if signal.startswith("feed.")]
        names = dict.fromkeys(signal.split(".")[1] for signal in wanted)
        found = {name: feeds.read_feed(self._file("feeds", name, ".toml", f"feed {name}")) for name in names}
        for signal in wanted:
            if not (feed := found[signal.split(".")[1]]).has(signal):
                known = ", ".join(feed.values)
                raise LookupError(f"{signal}: {feed.file} has {known}, and of each .raw, .age and .quality")
        return list(found.values())

    def mappings(self, signals: Iterable[str]) -> list[SignalMapping]:
        """The mappings that give these signals, from learned/. LookupError, SceneError, OSError."""
        wanted = [signal for signal in sorted(signals) if signal.startswith("learned.")]
        names = dict.fromkeys(signal.split(".")[1] for signal in wanted)
        found = {
            name: read_mapping(self._file("learned", name, ".toml", f"mapping {name}"), self.vocabulary)
            for name in names
        }
        for signal in wanted:
            if not (one := found[signal.split(".")[1]]).has(signal):
                raise LookupError(f"{signal}: {one.name} has {', '.join(one.outputs)}")
        return list(found.values())

    def profiles(self, fault: Callable[[str], None] = lambda _: None) -> list[Profile]:
        """The profiles of MIDI controllers, from profiles/; of two of a name the nearer folder's. One that
        is invalid is left out, and `fault` gets the reason."""
        files: dict[str, Path] = {}
        for folder in self.folders:
            for file in sorted((folder / "profiles").glob("*.toml")):
                files.setdefault(file.stem, file)
        found = []
        for file in files.values():
            try:
                found.append(profiles.read_profile(file))
            except (SceneError, OSError) as error:
                for line in str(error).splitlines():
                    fault(line)
        return found

    def controls(self, signals: Iterable[str]) -> None:
        """Check the signals of controllers. LookupError names a control that a profile does not have."""
        if wanted := [signal for signal in sorted(signals) if profiles.names_device(signal)]:
            known = {one.name: one for one in self.profiles()}
            for signal in wanted:
                profiles.check_control(signal, known)

    def model(self, name: str) -> Model:
        """The model that plays for `name`, read once as long as its file is the same. LookupError when there
        is none of that name, ModelError for a broken one."""
        place = self.model_place(name)
        known = self._models.get(name)
        if known is None or known.place != place or not known.is_current:
            known = self._models[name] = Model.read(place, name)
        return known

    def generator(self, model: str) -> tuple[Parameter, ...]:
        """What [generator] takes with a model; LookupError when there is none of that name."""
        return self.model(model).parameters + PICTURES

    def bend(self, model: str, operation: str) -> tuple[Parameter, ...]:
        """The parameters of an operation on a model's activations; LookupError when there is none."""
        return bending.bend_parameters(operation, self.model(model).layers)

    def blend(self, model: str, other: str) -> tuple[Parameter, ...]:
        """The parameters of a blend of a model with another; LookupError when there is none."""
        self.model_place(other)
        return blending.blend_parameters(self.model(model).layers)

    def model_place(self, name: str) -> str:
        """Where the model that plays for `name` is: a built-in's name, or a file's path."""
        name = self._model or name
        if name in BUILT_IN:
            return name
        if Path(name).is_file():
            return name
        for folder in (folder / "models" for folder in self.folders):
            for suffix in ("", *MODELS):
                file = folder / f"{name}{suffix}"
                if file.is_file() and file.parent == folder:
                    return str(file)
        raise LookupError(f"there is no such model{_near(name, [*BUILT_IN, *self.models()])}")

    def models(self) -> dict[str, Path]:
        """The model files that can be played by name."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for suffix in MODELS:
                for file in sorted((folder / "models").glob(f"*{suffix}")):
                    if not file.name.endswith(COMPANIONS):
                        found.setdefault(file.stem, file)
        return found

    def direction(self, model: str, name: str) -> tuple[Parameter, ...]:
        """The parameters of a direction of a model's space; LookupError when there is none of that name."""
        known = self.directions(model).names
        if name not in known:
            raise LookupError(f"there is no such direction{_near(name, list(known))}")
        return DIRECTION

    def directions(self, model: str) -> Directions:
        """The directions that were found for a model; of two of a name the nearer folder's. LookupError
        when none were."""
        found = self.model(model)
        name = SHARED_MAPPING if found.is_built_in else Path(found.place).stem
        folders = self._direction_folders(found)
        files = [file for folder in folders if (file := folder / f"{name}{DIRECTIONS}").is_file()]
        if not files:
            raise LookupError(
                f"no directions of {name} are known: find them with `perform directions {name}`"
            )
        near, *far = [_directions(file, found.space.w_dim) for file in files]
        return reduce(lambda nearer, other: other.joined(nearer), far, near)

    def _direction_folders(self, model: Model) -> list[Path]:
        """Where the directions of a model may be, the nearest first: what is shipped is of shipped models."""
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
        for file in (Path(name), *(folder / "models" / name for folder in self.folders)):
            if file.is_file():
                return latents.read_latents(file, space)
        raise LookupError("there is no such file")

    def path(self, name: str) -> tuple[Parameter, ...]:
        """The parameters of a latent path; LookupError when there is none of that name."""
        if name not in PATHS:
            raise LookupError(f"there is no such path{_near(name, list(PATHS))}")
        return path_parameters(name)

    def watched(self) -> list[Path]:
        """The folders in which a saved file may change what is played."""
        shaders = (f"shaders/{role}s" for role in get_args(Role))
        kinds = ("presets", "setlists", "feeds", "profiles", "learned", *shaders)
        return [folder / kind for folder in self.folders for kind in kinds if (folder / kind).is_dir()]

    def _file(self, kind: str, name: str, suffix: str, what: str) -> Path:
        for folder in self.folders:
            file = folder / kind / f"{name}{suffix}"
            if file.is_file() and file.parent == folder / kind:
                return file
        raise LookupError(f"there is no such {what}{_near(name, self._names(kind, suffix))}")

    def _names(self, kind: str, suffix: str) -> list[str]:
        found = (file.stem for folder in self.folders for file in (folder / kind).glob(f"*{suffix}"))
        return sorted(set(found))


def _folders() -> tuple[Path, ...]:
    """The folders that are searched; in a checkout the user's copy of what is shipped is before it."""
    here, shipped = Path.cwd(), paths.shipped()
    return (*([] if here == shipped else [here]), paths.user_data(), shipped)


def _directions(file: Path, width: int) -> Directions:
    found = latents.read_directions(file)
    shape = found.components.shape
    if shape[1] != width or found.space != "w":
        raise ModelError(f"{file} has directions {shape}, must be [n, {width}] of w")
    return found


def _near(name: str, known: list[str]) -> str:
    return "; " + (did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}")
