"""Devices that networks compute on, and the memory that is free there."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from shutil import which
from typing import get_args

from perform.networks import Device, ModelError

MEMINFO = Path("/proc/meminfo")  # of Linux
SPARE_SHARE = 0.6  # of the free memory that open models may take
UNKNOWN_MEMORY = 8.0 * 2**30  # bytes, on a system that does not report them


def choose_device(wanted: Device) -> Device:
    """The device asked for, or the best one here. ModelError when it is not there."""
    if wanted not in get_args(Device):
        raise ModelError(f"device = {wanted!r}, must be auto, cpu, cuda or mps")
    if wanted == "cpu" or (wanted == "auto" and not _may_have_gpu()):
        return "cpu"
    import torch

    there: dict[Device, bool] = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next((device for device, present in there.items() if present), "cpu")
    if not there[wanted]:
        raise ModelError(f"device = {wanted!r}, but torch finds none here; must be auto or cpu")
    return wanted


def cuda_device(wanted: Device = "auto") -> int | None:
    """The number of the CUDA device that networks compute on; None if they compute on another kind."""
    if choose_device(wanted) != "cuda":
        return None
    import torch

    return torch.cuda.current_device()


def spare_memory(device: Device = "auto") -> float:
    """How many bytes open models may take together: most of what is free now."""
    if choose_device(device) == "cuda":
        import torch

        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # torch's, of closed models
        return SPARE_SHARE * (torch.cuda.mem_get_info()[0] + kept)
    return SPARE_SHARE * _available_memory()


def _may_have_gpu() -> bool:
    """A look at the system that costs nothing: importing torch costs seconds."""
    nvidia = Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists() or which("nvidia-smi")
    return bool(nvidia) or sys.platform == "darwin"


def _available_memory() -> float:
    """Bytes of memory that programs can have. Linux's free pages are fewer: the cache of files gives way."""
    text = MEMINFO.read_text("ascii", "replace") if MEMINFO.is_file() else ""
    if found := re.search(r"^MemAvailable: +(\d+) kB", text, re.MULTILINE):
        return 1024.0 * int(found[1])
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return UNKNOWN_MEMORY
