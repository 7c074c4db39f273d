"""Profiles of controllers, and a show whose addresses set their lights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from perform import paths
from perform.library import Library
from perform.midi import profiles
from perform.midi.profiles import Profile
from perform.scenes.nodes import all_nodes
from perform.scenes.setlist import read_setlist
from perform.scenes.snapshot import Arguments, Snapshot
from tests.doubles.library import RED, save, write_library

FILES = {file.stem: file for file in sorted(Path("profiles").glob("*.toml"))}


def profile(name: str) -> Profile:
    return profiles.read_profile(FILES[name])


@dataclass
class FakeShow:
    """A show of three scenes as a snapshot of its addresses, which a test changes."""

    nodes: Mapping[str, object]
    values: dict[str, Arguments] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, knob: str, button: str, on: int = 0) -> FakeShow:
        """The cue `on` plays, the one after it waits on the other deck."""
        write_library(folder)
        save(
            folder / "presets/red.toml", f'{RED}[[filter]]\nshader = "invert"\namount = "pickup({knob}, 0)"\n'
        )
        listed = "".join(f'[[cue]]\nscene = "{scene}"\n' for scene in ("red", "blue", "inverted"))
        save(
            folder / "setlists/demo.toml",
            f'title = "Demo"\n{listed}[bindings]\nblackout = "toggle({button})"\n',
        )
        library = Library(folder, paths.shipped())
        setlist = read_setlist(folder / "setlists/demo.toml", library, library.preset_file)
        values: dict[str, Arguments] = {
            "/now/cue": (1.0,),
            "/now/queued": (0.0,),
            "/filter/invert/amount": (0.0,),
        }
        cues = setlist.cues[on], setlist.cues[(on + 1) % 3]
        return cls(MappingProxyType(all_nodes(setlist, cues[0], cues)), values)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.nodes, dict(self.values))  # type: ignore[arg-type]
