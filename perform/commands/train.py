"""The command `perform train`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from perform.parameters import choice
from perform.terminal import complaints, err, out

if TYPE_CHECKING:
    from perform.training.run import TrainingReport, TrainingRun
    from perform.training.settings import TrainingSettings

FILM_SIZES = {"stylegan2": "256", "dcgan": "64"}
KEPT_OPTIONS = (  # of the command's parameters, those that a run keeps
    "size", "channels", "judge", "z_dim", "w_dim", "mapping", "batch", "rate", "mapping_rate", "r1", "path",
    "mixing", "average", "augment", "augment_speed", "teacher", "freeze", "head_start", "mirror", "seed",
    "precision", "threads", "snapshot_every", "measure_every", "features",
)  # fmt: skip


def _option(text: str, *names: str, least: float | None = None) -> Any:
    return typer.Option(*names, help=text, min=least)


KindArgument = Annotated[str | None, typer.Argument(metavar="MODEL_KIND", help="stylegan2 or dcgan.")]
DatasetArgument = Annotated[
    Path | None, typer.Argument(metavar="DATASET", help="The folder of a dataset; or a film.")
]
RunFolderArgument = Annotated[
    Path | None, typer.Argument(metavar="RUN_FOLDER", help="What the run is kept in.")
]
Resume = Annotated[Path | None, _option("Go on exactly with the run in this folder.")]
Count = Annotated[int | None, _option("Learn from so many pictures in all. [no end]", least=1)]
Minutes = Annotated[float | None, _option("Learn for so long, from now. [no end]", least=0)]
SizeOption = Annotated[str | None, _option("WIDTHxHEIGHT. [the dataset's]")]
Channels = Annotated[str | None, _option("BASE,MOST: min(BASE / resolution, MOST) a layer.")]
Judge = Annotated[str | None, _option("BASE,MOST of the discriminator. [the generator's]")]
ZDim = Annotated[int | None, _option("Numbers of a latent. [512; dcgan: 100; with a teacher: its own]")]
WDim = Annotated[int | None, _option("Numbers of a style. [512]")]
Mapping = Annotated[int | None, _option("Layers of the mapping. [4]")]
BatchSize = Annotated[int | None, _option("Pictures a step, over all processes. [16; GPU: 32]")]
Rate = Annotated[float | None, _option("Adam's learning rate. [0.0025; dcgan: 0.0005]")]
MappingRate = Annotated[
    float | None,
    _option("Share of it that a new mapping takes; with only a teacher 1 learns soonest. [0.01]"),
]
R1 = Annotated[float | None, _option("Weight of the gradient penalty. [by size and batch]")]
PathLength = Annotated[float | None, _option("Weight of the path-length penalty. [2]")]
Mixing = Annotated[float | None, _option("Share of pictures made of two styles. [0.9]")]
Average = Annotated[float | None, _option("The averaged generator's half-life in pictures.")]
Augment = Annotated[str, _option("auto, none, or a probability 0..1. [auto; dcgan: none]")]
Speed = Annotated[float | None, _option("Pictures in which auto would go from 0 to 1. [500000]")]
Teacher = Annotated[float | None, _option("Share of the loss that compares with pictures of known latents.")]
OriginOption = Annotated[
    Path | None, _option("Begin from a run, a checkpoint of one, or a model file.", "--from")
]
Grow = Annotated[bool, _option("What it begins from is of half the size: double it.", "--grow")]
Frozen = Annotated[str | None, _option("mapping, generator:SIZE, discriminator:SIZE, with commas.")]
HeadStart = Annotated[
    int | None, _option("Pictures that the discriminator learns from alone. [new to --from: 4000]")
]
Mirror = Annotated[bool | None, _option("Mirror half of the pictures. [as the dataset says]")]
Seed = Annotated[int | None, _option("Of all that is drawn. [0]")]
DeviceOption = Annotated[str, _option("auto, cpu or cuda.")]
PrecisionOption = Annotated[str, _option("Of the finest layers: auto, float32, bfloat16 or float16.")]
Threads = Annotated[int | None, _option("Of the CPU. [torch's]")]
Every = Annotated[int | None, _option("Pictures between samples and checkpoints. [20000]")]
MeasureOption = Annotated[int | None, _option("Pictures between figures: see perform metrics. [100000]")]
FeaturesOption = Annotated[Path | None, _option("A network for the figures, ONNX or OpenVINO. [scattering]")]


def train(
    context: typer.Context,
    kind: KindArgument = None,
    dataset: DatasetArgument = None,
    folder: RunFolderArgument = None,
    resume: Resume = None,
    pictures: Count = None,
    minutes: Minutes = None,
    size: SizeOption = None,
    channels: Channels = None,
    judge: Judge = None,
    z_dim: ZDim = None,
    w_dim: WDim = None,
    mapping: Mapping = None,
    batch: BatchSize = None,
    rate: Rate = None,
    mapping_rate: MappingRate = None,
    r1: R1 = None,
    path: PathLength = None,
    mixing: Mixing = None,
    average: Average = None,
    augment: Augment = "",
    augment_speed: Speed = None,
    teacher: Teacher = None,
    origin: OriginOption = None,
    grow: Grow = False,
    freeze: Frozen = None,
    head_start: HeadStart = None,
    mirror: Mirror = None,
    seed: Seed = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    threads: Threads = None,
    snapshot_every: Every = None,
    measure_every: MeasureOption = None,
    features: FeaturesOption = None,
) -> None:
    """Learn a model from a dataset: pictures of its own kind, to play. Ctrl-C keeps it and ends.

    Of a film all frames become a dataset in RUN_FOLDER first; perform dataset film can choose among them.

    On several GPUs or machines: torchrun --nproc-per-node 2 -m perform.training, with the same arguments.
    """
    from perform.training.run import StopConditions

    with complaints():
        if resume is not None:
            run = _resumed_run(resume, device, (kind, dataset, folder, origin))
        elif kind is None or dataset is None or folder is None:
            raise ValueError("give MODEL_KIND, DATASET and RUN_FOLDER, or --resume RUN_FOLDER")
        else:
            wishes = {name: context.params[name] for name in KEPT_OPTIONS}
            run = _new_run(kind, dataset, folder, device, wishes, origin, grow)
        with _progress(run, pictures) as tell:
            reason = run.learn(StopConditions(pictures, minutes), tell)
        if run.group.is_main:
            out.print(f"{reason}: {run.folder.latest}", markup=False, highlight=False, soft_wrap=True)


def _new_run(
    kind: str,
    dataset: Path,
    folder: Path,
    device: str,
    wishes: dict[str, Any],
    origin: Path | None,
    grow: bool,
) -> TrainingRun:
    """A run that is new."""
    from perform.models import located
    from perform.training.dataset import Dataset
    from perform.training.run import TrainingRun

    if dataset.is_file():
        usual = FILM_SIZES[choice("model kind", kind, tuple(FILM_SIZES))]
        dataset = _film_dataset(dataset, folder, wishes["size"] or usual)
    pictures = Dataset.open(dataset)
    run = TrainingRun(folder, pictures, _device(device))
    if origin is not None and not origin.exists():
        origin = Path(located(str(origin)))
    settings = settings_of(kind, pictures, run.device.type, wishes)
    run.begin(settings, origin, grow, dataset, strict=wishes["channels"] is not None)
    return run


def _film_dataset(film: Path, folder: Path, size: str) -> Path:
    """A dataset of all frames of a film, in the folder of the run that is to learn from them."""
    from perform.commands import dataset as commands
    from perform.training.process_group import ProcessGroup

    if ProcessGroup().count > 1:
        raise ValueError(
            f"{film} is a film: for several processes, perform dataset film makes a dataset of it"
        )
    commands.film(film, folder / "dataset", size=size, duplicates=0)
    return folder / "dataset"


def _resumed_run(folder: Path, device: str, others: tuple[Any, ...]) -> TrainingRun:
    """A run that goes on."""
    from perform.training.dataset import Dataset
    from perform.training.run import TrainingRun
    from perform.training.run_folder import TrainingFolder

    if any(one is not None for one in others):
        raise ValueError("--resume goes on with a run as it is: give limits only")
    run = TrainingRun(
        folder, Dataset.open(Path(TrainingFolder(folder).read()[1]["dataset"]["path"])), _device(device)
    )
    run.resume()
    return run


def settings_of(kind: str, pictures: Any, device: str, wishes: dict[str, Any]) -> TrainingSettings:
    """Settings of what a person asked for, the rest by the kind, the device and the dataset."""
    from perform.terminal import size_of
    from perform.training.settings import DCGAN, MODEL_KINDS, ON_GPU, Freeze, TrainingSettings

    choice("model kind", kind, MODEL_KINDS)
    given = {name: value for name, value in wishes.items() if value is not None}
    usual = {**(DCGAN if kind == "dcgan" else {}), **(ON_GPU if device == "cuda" else {})}
    given["size"] = size_of(given["size"]) if "size" in given else tuple(pictures.size)
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
    return TrainingSettings(kind, **{**usual, **given})


def _pair(name: str, text: str) -> tuple[int, int]:
    base, _, most = text.partition(",")
    if not (base.strip().isdigit() and most.strip().isdigit()):
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
    """float32, but on GPUs that have it bfloat16, which needs no care for overflow."""
    if device != "cuda":
        return "float32"
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"


def _device(wanted: str) -> str:
    import torch

    choice("device", wanted, ("auto", "cpu", "cuda"))
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise ValueError("device 'cuda', but torch finds none here; must be auto or cpu")
    return "cuda" if there and wanted != "cpu" else "cpu"


@contextmanager
def _progress(run: TrainingRun, pictures: int | None) -> Iterator[Callable[[TrainingReport], None]]:
    """A bar with rate, time left and losses; without a terminal a line now and then."""
    if not err.is_terminal or not run.group.is_main:
        yield _print_line if run.group.is_main else lambda report: None
        return
    columns = (
        TextColumn("{task.completed:,.0f} pictures"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=err) as bar:
        task = bar.add_task("", total=pictures, completed=run.state.pictures)
        yield lambda report: bar.update(task, completed=report.pictures, description=_summary(report))


def _print_line(report: TrainingReport) -> None:
    err.print(
        f"{report.pictures} pictures, {_summary(report)}", markup=False, highlight=False, soft_wrap=True
    )


def _summary(report: TrainingReport) -> str:
    skipped = ("pictures", "seconds", "rate")
    losses = " ".join(f"{name} {value:.3f}" for name, value in report.line.items() if name not in skipped)
    return f"{report.rate:.1f}/s {losses}"
