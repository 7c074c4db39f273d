"""Checks of the machine: Python, the files of the program, processor, GPU, video, disk."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from ctypes import CDLL, byref, c_int
from importlib import metadata
from pathlib import Path

from perform import paths
from perform.commands.doctor.finding import CheckState, Finding

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)  # the newest that wheels exist for
ENCODERS = ("libx264", "aac", "ffv1")
GIB = 2**30


def python() -> Finding:
    """The interpreter's version."""
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}", ""
    allowed = "{}.{} to {}.{}".format(*OLDEST_PYTHON, *NEWEST_PYTHON)
    return "fail", f"{platform.python_version()}, must be {allowed}", f"install Python {allowed}"


def shipped() -> Finding:
    """The shaders, presets, setlists and the demo track that come with the program."""
    kinds = {"shaders": "*.fs", "presets": "*.toml", "setlists": "*.toml", "demo": "track.*"}
    root = paths.shipped()
    counts = {folder: len(list((root / folder).rglob(pattern))) for folder, pattern in kinds.items()}
    empty = [folder for folder, count in counts.items() if not count]
    if empty:
        remedy = "install perform-live again, or clone it whole"
        return "fail", f"nothing in {', '.join(empty)} of {root}", remedy
    del counts["demo"]
    named = [f"{n} {kind.removesuffix('s') if n == 1 else kind}" for kind, n in counts.items()]
    return "ok", ", ".join((*named, "the demo track")), ""


def processor() -> Finding:
    """OpenVINO, and whether the processor multiplies in bfloat16 (twice the pictures a second)."""
    import openvino

    from perform.networks.runtimes.openvino.runtime import core

    able = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    version = openvino.__version__.split("-")[0]
    why = f"OpenVINO {version} on {core().get_property('CPU', 'FULL_DEVICE_NAME').strip()}"
    if "BF16" in able:
        return "ok", f"{why}, bfloat16 and float32", ""
    return (
        "warn",
        f"{why}, float32 only",
        "big networks run at half the rate: play smaller ones, or add a GPU",
    )


def accelerator() -> Finding:
    """A GPU that PyTorch can use: CUDA, or MPS on a Mac."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        import torch

        found = torch.backends.mps.is_available()
        return ("ok", "MPS", "") if found else ("warn", "no MPS", "update macOS to 14 or newer")
    if not (count := _cuda_devices()):
        return "ok", "no CUDA device: networks run on the processor", ""
    return _cuda(count)


def _cuda(count: int) -> Finding:
    version = metadata.version("torch")
    if not version.endswith("+cpu"):
        import torch

        if torch.cuda.is_available():
            return "ok", f"CUDA {torch.version.cuda} on {torch.cuda.get_device_name(0)}", ""
    why = f"{count} CUDA device(s), which PyTorch {version} cannot use"
    return "warn", why, "install PyTorch's build for CUDA (docs/troubleshooting.md) and a driver that fits it"


def bridge() -> Finding:
    """How pictures of networks become textures: without a copy in memory where an NVIDIA card can do it."""
    if not _cuda_devices() or _cuda(1)[0] != "ok":
        return "ok", "no CUDA device that PyTorch can use: pictures are uploaded", ""
    from perform.networks.devices import cuda_device
    from perform.render.bridges.opening import open_bridges
    from perform.render.context import headless

    context = headless(cuda_device())
    try:
        bridges = open_bridges(context)
        best, direct, missing = bridges.best, bridges.direct, bridges.reasons
        bridges.close()
    finally:
        context.release()
    why = "; ".join((best, *(f"no {name}: {reason}" for name, reason in missing.items())))
    if direct:
        return "ok", why, ""
    return "warn", why, "pip install 'perform-live[cuda]', and let the NVIDIA card draw, too"


def _cuda_devices() -> int:
    """How many devices the CUDA driver sees; asked directly, because importing torch takes seconds."""
    count = c_int(0)
    try:
        driver = CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(byref(count)) == 0 else 0


def video() -> Finding:
    """FFmpeg inside PyAV, and its encoders."""
    import av

    missing = [name for name in ENCODERS if name not in av.codecs_available]
    version = f"FFmpeg {av.ffmpeg_version_info}"
    if missing:
        remedy = "use PyAV's own wheel: pip install --force-reinstall --only-binary av av"
        return "fail", f"{version} without {', '.join(missing)}", remedy
    return "ok", f"{version} with {', '.join(ENCODERS)}", ""


def disk() -> Finding:
    """Room for recordings; 1080p takes about 6 GiB an hour."""
    folder = _nearest(paths.output())
    free = shutil.disk_usage(folder).free / GIB
    state: CheckState = "fail" if free < 0.5 else "warn" if free < 5 else "ok"
    return state, f"{free:.1f} GiB free in {folder}", "" if state == "ok" else "make room before recording"


def folders() -> Finding:
    """Whether the program may write where it records and keeps things."""
    wanted = {paths.output(), paths.user_data(), paths.user_cache()}
    refused = sorted(str(folder) for folder in wanted if not _writable(folder))
    if refused:
        return "fail", f"cannot write to {', '.join(refused)}", "give yourself the right to, or run elsewhere"
    return "ok", ", ".join(sorted(map(str, wanted))), ""


def _writable(folder: Path) -> bool:
    """Tried with a file that is gone at once: permission bits do not know of read-only disks."""
    try:
        with tempfile.TemporaryFile(dir=_nearest(folder)):
            return True
    except OSError:
        return False


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
