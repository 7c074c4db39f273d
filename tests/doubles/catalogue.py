"""A catalogue for tests: two shaders, a transition, a model and two paths."""

from collections.abc import Iterable
from pathlib import Path

from perform.latent.directions import PARAMETERS
from perform.latent.paths import path_parameters
from perform.library.vocabulary import VOCABULARY
from perform.networks import bending, blending
from perform.parameters import Parameter

SHADERS = {
    ("generator", "grid"): (
        Parameter("disorder", 0.5, 0.0, 1.0),
        Parameter("ink", (0, 0, 0, 1), 0.0, 1.0, kind="color"),
    ),
    ("filter", "feedback"): (
        Parameter("amount", 0.5, 0.0, 1.0),
        Parameter("mode", "zoom", kind="choice", choices=("zoom", "turn")),
        Parameter("push", 0.0, 0.0, 1.0, kind="event"),
        Parameter("sound", "audio.spectrum", kind="sound"),
    ),
    ("transition", "dissolve"): (Parameter("softness", 0.5, 0.0, 1.0),),
}
MODEL = (
    Parameter("truncation", 0.7, -1.5, 2.0),
    Parameter("cutoff", -1, -1, 64, kind="int"),
    Parameter("centre", (), 0, 2**32 - 1, kind="list"),
    Parameter("kept", "", kind="text"),
    Parameter("noise", 1.0, 0.0, 4.0),
    Parameter("label", 0, 0, 9, kind="int"),
)


class FakeCatalogue:
    """A catalogue of the tables above."""

    vocabulary = VOCABULARY

    def shader(self, name: str, role: str) -> tuple[Parameter, ...]:
        if (role, name) not in SHADERS:
            raise LookupError(
                f"there is no such {role}; there are: {', '.join(n for r, n in SHADERS if r == role)}"
            )
        return SHADERS[role, name]  # type: ignore[index]

    def images(self, name: str, role: str) -> tuple[str, ...]:
        return ("over",) if (role, name) == ("filter", "feedback") else ()

    def footage(self, kind: str, name: str) -> tuple[Parameter, ...]:
        if name == "gone.mp4":
            raise LookupError("there is no such file")
        return (Parameter("speed", 1.0, -8.0, 8.0),)

    def check_text(self, setting: str, file: str) -> None:
        if file == "gone.txt":
            raise ValueError("gone.txt cannot be read")

    def generator(self, model: str) -> tuple[Parameter, ...]:
        if model != "flora":
            raise LookupError("there is no such model; did you mean flora?")
        return MODEL

    def replaced(self, model: str) -> bool:
        return False

    def leave_out(self, fault: str) -> None:
        raise AssertionError(fault)

    def signal_faults(self, file: Path, signals: Iterable[str]) -> list[str]:
        return []

    def path(self, name: str) -> tuple[Parameter, ...]:
        return path_parameters(name)

    def blend(self, model: str, other: str) -> tuple[Parameter, ...]:
        self.generator(other)
        return blending.blend_parameters(("b4.conv1", "b8.conv1"))

    def direction(self, model: str, name: str) -> tuple[Parameter, ...]:
        self.generator(model)
        if name not in ("pca1", "smile"):
            raise LookupError("there is no such direction; did you mean smile?")
        return PARAMETERS

    def latents(self, model: str, name: str) -> object:
        self.generator(model)
        if name != "kept.npz":
            raise LookupError("there is no such file")
        return None

    def bend(self, model: str, operation: str) -> tuple[Parameter, ...]:
        return bending.bend_parameters(operation, ("b4.conv1", "b8.conv1"))
