"""The command `perform train`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

from perform.parameters import choice
from perform.paths import quoted
from perform.terminal import ENDLESS, INTERRUPTED, complaints, err, options_of, program, say

if TYPE_CHECKING:
    from perform.training.loader import PictureDataset
    from perform.training.run import ReportLine, ReportStep, StopConditions, TrainingRun
    from perform.training.settings import TrainingSettings

FILM_SIZES = {"stylegan2": "256", "dcgan": "64"}


def _option(text: str, *names: str, least: float | None = None) -> Any:
    return typer.Option(*names, help=text, min=least, max=None if least is None else ENDLESS)


DatasetArgument = Annotated[
    Path | None, typer.Argument(metavar="DATASET", help="The folder of a dataset, or a film.")
]
RunFolderArgument = Annotated[
    Path | None, typer.Argument(metavar="RUN_FOLDER", help="The folder of the run.")
]
Minutes = Annotated[float | None, _option("Stop this many minutes from now.", least=0.01)]
Channels = Annotated[
    str | None, _option("BASE,MOST: a layer at resolution r has min(BASE / r, MOST) channels.")
]
ZDim = Annotated[
    int | None, _option("Numbers in a latent. (default: 512; dcgan 100; with a teacher as in the dataset)")
]
MappingRate = Annotated[
    float | None,
    _option("Share of the rate for a new mapping; 1 is fastest with a teacher only. (default: 0.01)"),
]
PathPenalty = Annotated[
    float | None,
    _option("Weight of the path-length penalty. (default: 2)", "--path-penalty", "--path"),
]
Average = Annotated[
    float | None, _option("Half-life of the averaged generator in pictures. (default: from the batch)")
]
Speed = Annotated[float | None, _option("Pictures that --augment auto needs from 0 to 1. (default: 500000)")]
Teacher = Annotated[
    float | None,
    _option("Share of the loss that compares with the dataset's picture of the same latent. (default: 0)"),
]
TeacherGamma = Annotated[
    float | None, _option("Compare with the teacher also after a gamma that opens the dark. (default: 1)")
]
OriginOption = Annotated[Path | None, _option("Begin from a run, a checkpoint, or a model file.", "--from")]
Grow = Annotated[bool, _option("With --from: begin at twice the size of that model.", "--grow")]
Frozen = Annotated[
    str | None, _option("Do not train these: mapping, generator:SIZE, discriminator:SIZE, with commas.")
]
HeadStart = Annotated[
    int | None,
    _option("Pictures for which the discriminator trains alone. (default: 4000 with --from and a new one)"),
]
Every = Annotated[int | None, _option("Pictures between samples and checkpoints. (default: 20000)")]
MeasureOption = Annotated[
    int | None, _option("Pictures between two measurements: see perform metrics. (default: 100000)")
]
FeaturesOption = Annotated[
    Path | None, _option("A network for the figures, ONNX or OpenVINO. (default: scattering)")
]


def train(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(metavar="MODEL_KIND", help="stylegan2 or dcgan.")] = None,
    dataset: DatasetArgument = None,
    folder: RunFolderArgument = None,
    resume: Annotated[Path | None, _option("Resume the run in this folder exactly.")] = None,
    pictures: Annotated[int | None, _option("Stop after this many pictures in all.", least=1)] = None,
    minutes: Minutes = None,
    size: Annotated[
        str | None, _option("WIDTHxHEIGHT, or one number for a square. (default: the dataset's)")
    ] = None,
    channels: Channels = None,
    judge: Annotated[str | None, _option("BASE,MOST for the discriminator. (default: the same)")] = None,
    z_dim: ZDim = None,
    w_dim: Annotated[int | None, _option("Numbers in a style. (default: 512)")] = None,
    mapping: Annotated[int | None, _option("Layers of the mapping. (default: 4)")] = None,
    batch: Annotated[
        int | None, _option("Pictures of all processes in a step. (default: 16; GPU 32)")
    ] = None,
    rate: Annotated[float | None, _option("Adam's learning rate. (default: 0.0025; dcgan 0.0005)")] = None,
    mapping_rate: MappingRate = None,
    r1: Annotated[float | None, _option("Weight of R1. (default: computed from size and batch)")] = None,
    path: PathPenalty = None,
    mixing: Annotated[float | None, _option("Share of pictures from two styles. (default: 0.9)")] = None,
    average: Average = None,
    augment: Annotated[str, _option("auto, none, or a probability 0..1. (default: auto; dcgan none)")] = "",
    augment_speed: Speed = None,
    teacher: Teacher = None,
    teacher_gamma: TeacherGamma = None,
    origin: OriginOption = None,
    grow: Grow = False,
    freeze: Frozen = None,
    head_start: HeadStart = None,
    mirror: Annotated[bool | None, _option("Mirror half of the pictures. (default: as the dataset)")] = None,
    seed: Annotated[int | None, _option("Seed of all random numbers. (default: 0)")] = None,
    device: Annotated[str, _option("auto, cpu or cuda.")] = "auto",
    precision: Annotated[str, _option("For the finest layers: auto, float32, bfloat16 or float16.")] = "auto",
    threads: Annotated[int | None, _option("Threads of the CPU. (default: torch's default)")] = None,
    snapshot_every: Every = None,
    measure_every: MeasureOption = None,
    features: FeaturesOption = None,
) -> None:
    """Train a model from a dataset, to play pictures of its kind. Ctrl-C saves it and ends.

    From a film, all frames become a dataset in RUN_FOLDER first; perform dataset film can choose frames.

    On several GPUs or machines: torchrun --nproc-per-node 2 -m perform train, with the same arguments.
    """
    from perform.training.run import StopConditions
    from perform.training.settings import TrainingSettings

    with complaints():
        if resume is not None:
            run = _resumed_run(resume, device, (kind, dataset, folder, origin))
        elif kind is None or dataset is None or folder is None:
            raise ValueError("give MODEL_KIND, DATASET and RUN_FOLDER, or --resume RUN_FOLDER")
        else:
            options = options_of(context, TrainingSettings)
            run = _new_run(dataset, folder, device, options, origin, grow)
        _learn(run, StopConditions(pictures, minutes))


def _learn(run: TrainingRun, limits: StopConditions) -> None:
    """Train, and say why it ended."""
    with _training_bar(run, limits.pictures) as (report, passed):
        reason = run.learn(limits, report, passed)
    if run.group.is_main:
        say(f"{reason}: {run.folder.latest}")
        if limits.pictures is None or run.state.pictures < limits.pictures:
            say(f"to continue: {program()} train --resume {quoted(run.folder.path)}")
    if run.interrupted:
        raise typer.Exit(INTERRUPTED)


def _new_run(
    dataset: Path,
    folder: Path,
    device: str,
    options: dict[str, Any],
    origin: Path | None,
    grow: bool,
) -> TrainingRun:
    """A new run."""
    from perform.models import located
    from perform.training.dataset import Dataset
    from perform.training.run import TrainingRun, training_device

    if dataset.is_file():
        default = FILM_SIZES[choice("model kind", options["kind"], tuple(FILM_SIZES))]
        dataset = _film_dataset(dataset, folder, options["size"] or default)
    pictures = Dataset.open(dataset)
    run = TrainingRun(folder, pictures, training_device(choice("device", device, ("auto", "cpu", "cuda"))))
    if origin is not None and not origin.exists():
        origin = Path(located(str(origin)))
    settings = settings_of(pictures, run.device.type, options)
    run.begin(settings, origin, grow, dataset, strict=options["channels"] is not None)
    return run


def _film_dataset(film: Path, folder: Path, size: str) -> Path:
    """Make a dataset of all frames of a film in the run's folder."""
    from perform.commands.dataset import make_from_film
    from perform.training.dataset.films import FrameChoice
    from perform.training.dataset.settings import DatasetSettings, dataset_size
    from perform.training.process_group import ProcessGroup

    if ProcessGroup().count > 1:
        raise ValueError(
            f"{film} is a film: for several processes, perform dataset film makes a dataset of it"
        )
    make_from_film(film, folder / "dataset", FrameChoice(), DatasetSettings(dataset_size(size)))
    return folder / "dataset"


def _resumed_run(folder: Path, device: str, others: tuple[object, ...]) -> TrainingRun:
    """A resumed run."""
    from perform.training.dataset import Dataset
    from perform.training.run import TrainingRun, training_device
    from perform.training.run_folder import TrainingFolder

    if any(one is not None for one in others):
        raise ValueError("--resume keeps all settings of the run: give only --pictures or --minutes")
    run = TrainingRun(
        folder,
        Dataset.open(TrainingFolder(folder).dataset()),
        training_device(choice("device", device, ("auto", "cpu", "cuda"))),
    )
    run.resume()
    return run


def settings_of(pictures: PictureDataset, device: str, options: dict[str, Any]) -> TrainingSettings:
    """The settings: from the options that are given, the others from the kind, the device and the dataset."""
    from perform.parameters import size_of
    from perform.training.settings import DCGAN, MODEL_KINDS, ON_GPU, Freeze, TrainingSettings

    kind = choice("model kind", options["kind"], MODEL_KINDS)
    given = {name: value for name, value in options.items() if value is not None}
    defaults = {**(DCGAN if kind == "dcgan" else {}), **(ON_GPU if device == "cuda" else {})}
    given["size"] = size_of(given["size"], square=True) if "size" in given else tuple(pictures.size)
    if "features" in given:
        given["features"] = str(given["features"].resolve())
    for name in ("channels", "judge"):
        if name in given:
            given[name] = _pair(name, given[name])
    if "freeze" in given:
        given["freeze"] = Freeze.parse(given["freeze"])
    if given["augment"] == "":
        del given["augment"]
    else:
        given["augment"] = _probability(given["augment"])
    if given["precision"] == "auto":
        given["precision"] = _precision(device)
    if given.get("teacher") and (known := pictures.latent(0)) is not None:
        given.setdefault("z_dim", len(known))
    given.setdefault("mirror", bool(pictures.mirror) and not given.get("teacher"))
    return TrainingSettings(**{**defaults, **given})


def _pair(name: str, text: str) -> tuple[int, int]:
    base, _, most = text.partition(",")
    if not (base.strip().isdecimal() and most.strip().isdecimal()):
        raise ValueError(f"{name} {text!r}, must be BASE,MOST, such as 8192,256")
    return int(base), int(most)


def _probability(text: str) -> float | None:
    if text in ("auto", "none"):
        return None if text == "auto" else 0.0
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"augment {text!r}, must be auto, none or a number 0..1") from None


def _precision(device: str) -> str:
    """bfloat16 on GPUs that have it, as it does not overflow; float16 on others; float32 on the CPU."""
    if device != "cuda":
        return "float32"
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"


@contextmanager
def _training_bar(run: TrainingRun, pictures: int | None) -> Iterator[tuple[ReportLine, ReportStep]]:
    """A progress bar that moves with each step, with rate, remaining time and losses; without a terminal, a
    line for the first step, and then now and then."""
    if not run.group.is_main:
        yield lambda line: None, lambda pictures: None
        return
    if not err.is_terminal:
        yield _print_line, _first_step(run.state.pictures)
        return
    columns = BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(), "{task.description}"
    with Progress("{task.completed:,.0f} pictures", *columns, console=err) as bar:
        task = bar.add_task("the first step", total=pictures, completed=run.state.pictures)
        before = run.state.pictures

        def passed(pictures: int) -> None:
            first = pictures - before <= run.settings.batch
            bar.update(task, completed=pictures, description="before the first losses" if first else None)

        yield lambda line: bar.update(task, description=_summary(line)), passed


def _first_step(before: int) -> ReportStep:
    """Prints a line at the first call."""
    waiting = [before]

    def passed(pictures: int) -> None:
        if waiting:
            said = f"the first step is done: {pictures - waiting.pop()} pictures in each"
            err.print(said, markup=False, highlight=False)

    return passed


def _print_line(line: Mapping[str, float]) -> None:
    text = f"{line['pictures']} pictures, {_summary(line)}"
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def _summary(line: Mapping[str, float]) -> str:
    skipped = ("pictures", "seconds", "rate")
    losses = " ".join(f"{name} {value:.3f}" for name, value in line.items() if name not in skipped)
    return f"{line['rate']:.1f}/s {losses}"
