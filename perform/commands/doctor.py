"""The doctor: what this machine has of what a show needs, and the remedy where something is missing.

Every check looks at the real thing, opens it for a moment where that is what counts, and leaves it
as it was. `warn` means that the show plays with less, `fail` that a part of it cannot play.
"""

from __future__ import annotations

import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from ctypes import CDLL, byref, c_int
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from threading import Thread
from typing import Literal, TypeAlias

from perform import paths

State: TypeAlias = Literal["ok", "warn", "fail"]

PATIENCE = 3.0  # seconds for one check: a sound server or a driver that hangs must not hang the doctor
OLDEST, NEWEST = (3, 11), (3, 14)  # of Python; the newest is the one that wheels exist for
OSC_PORT = 9000
ENCODERS = ("libx264", "aac", "ffv1")
REINSTALL = "install the packages again: make clean play"
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor: what was looked at, how it is, why, and what to do about it."""

    name: str
    state: State
    why: str
    remedy: str = ""


Finding: TypeAlias = tuple[State, str, str]  # state, why, remedy


def checks() -> list[Check]:
    """Every check, in the order in which a show needs them. Raises nothing."""
    return [_contained(name, look, patience) for name, look, patience in CHECKS]


def found() -> dict[str, list[str]]:
    """The names of the devices that are there, by kind; of a kind that cannot be asked, none."""
    kinds: dict[str, Callable[[], list[str]]] = {
        "sound inputs": lambda: _sounds()[0],
        "sound outputs": lambda: _sounds()[1],
        "MIDI ports": _ports,
        "MIDI outputs": _outputs,
        "Ableton Link": _session,
        "cameras": _cameras,
        "gamepads": _gamepads,
        "displays": _displays,
    }
    return {kind: _listed(look) for kind, look in kinds.items()}


def _listed(look: Callable[[], list[str]]) -> list[str]:
    try:
        return look()
    except Exception:  # noqa: BLE001 - why it cannot be asked is for `checks` to say
        return []


def _contained(name: str, look: Callable[[], Finding], patience: float | None) -> Check:
    """The check's finding in time, or that it did not answer; None waits in the calling thread."""
    if patience is None:
        return _found(name, look)
    answers: list[Check] = []
    worker = Thread(target=lambda: answers.append(_found(name, look)), name=name, daemon=True)
    worker.start()
    worker.join(patience)
    if answers:
        return answers[0]
    return Check(name, "fail", f"no answer within {patience:g} s", "restart the service or driver behind it")


def _found(name: str, look: Callable[[], Finding]) -> Check:
    try:
        return Check(name, *look())
    except ImportError as error:
        return Check(name, "fail", _one_line(error), REINSTALL)
    except Exception as error:  # noqa: BLE001 - whatever a driver throws is a finding, not the doctor's end
        return Check(
            name,
            "fail",
            f"{type(error).__name__}: {_one_line(error)}",
            "look again; if it stays, report this line",
        )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def python() -> Finding:
    """The interpreter's version."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}", ""
    allowed = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)
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
    return "ok", ", ".join(f"{count} {folder}" for folder, count in counts.items()), ""


def opengl() -> Finding:
    """An OpenGL 4.1 core context without a window, and who draws it."""
    from perform.render.context import GLError, describe, headless, is_software

    try:
        context = headless()
    except GLError as error:
        why, _, remedy = _one_line(error).rpartition("; ")
        return "fail", why or remedy, remedy
    try:
        driver, software = describe(context), is_software(context)
    finally:
        context.release()
    why = f"{driver['renderer']}, OpenGL {driver['version']}"
    if software:
        remedy = "use a machine with a graphics card or its driver, or stay at 1280x720 and below"
        return "warn", f"{why}: drawn by the processor", remedy
    return "ok", why, ""


def display() -> Finding:
    """The displays that a window could open on."""
    from perform.outputs.window import WindowError

    with suppress(WindowError):
        if names := _displays():
            return "ok", ", ".join(names), ""
    why = "no display: the demo is rendered to a video instead of a window"
    return "warn", why, "run it from a desktop session, or go on with --headless"


def _gamepads() -> list[str]:
    from perform.outputs.window.gamepads import there

    return there()


def _displays() -> list[str]:
    from perform.outputs.window import displays

    return [str(one) for one in displays()]


def sound() -> Finding:
    """PortAudio, and the devices that it offers."""
    from perform.inputs.audio import DeviceError

    try:
        ears, mouths = _sounds()
    except DeviceError as error:  # the binding is there, the library is not
        why, _, remedy = _one_line(error).rpartition(": ")
        return "fail", why, remedy if _linux() else REINSTALL
    if not ears and not mouths:
        why = "no sound device: files are heard by the show, but not by the room"
        return "warn", why, "plug one in, or start the sound server (PipeWire, PulseAudio, JACK)"
    return "ok", f"{len(ears)} to listen to, {len(mouths)} to play on: {', '.join([*ears, *mouths][:4])}", ""


def _sounds() -> tuple[list[str], list[str]]:
    """The devices that hear, and those that play."""
    from perform.inputs.audio import devices

    there = devices()
    return [one.name for one in there if one.inputs], [one.name for one in there if one.outputs]


def midi() -> Finding:
    """The MIDI backend, and the ports that it offers."""
    try:
        names = _ports()
    except OSError as error:
        return "warn", f"{error}: controllers cannot be opened", "load it: sudo modprobe snd-seq"
    return "ok", ", ".join(names) or "ready, no controller is plugged in", ""


def _ports() -> list[str]:
    from perform.inputs.midi import input_ports

    return input_ports()


def _outputs() -> list[str]:
    from perform.midi.ports import port_names

    return port_names("out")


def link() -> Finding:
    """The optional library of Ableton Link."""
    from perform.inputs import link

    if not link.installed():
        return "ok", link.not_installed(), ""
    return "ok", f"{link.LIBRARY} {metadata.version(link.LIBRARY)}: perform play --link", ""


def _session() -> list[str]:
    from perform.inputs.link import session_found

    return [session_found()]


def osc() -> Finding:
    """Whether the port that OSC listens on is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        try:
            listener.bind(("0.0.0.0", OSC_PORT))
        except OSError as error:
            why = f"UDP port {OSC_PORT} cannot be opened: {error.strerror}"
            return "warn", why, "close the program that listens on it, or choose another port"
    return "ok", f"UDP port {OSC_PORT} is free", ""


def camera() -> Finding:
    """The cameras that are there."""
    if names := _cameras():
        return "ok", ", ".join(names), ""
    return "warn", "no camera: hands and pictures of the room cannot be played", "plug one in"


def _cameras() -> list[str]:
    from perform.inputs.camera import cameras

    return list(cameras().values())


def hands() -> Finding:
    """What tracks hands: MediaPipe, and its model."""
    from perform.inputs.hands import lacking, model_file
    from perform.models.hands import is_whole

    if missing := lacking(str(model_file())):
        why, _, remedy = missing.partition(": ")
        return "warn", why, remedy or "play with knobs, keys or sensors on this machine"
    if not is_whole(model_file()):
        return "warn", f"{model_file()} is damaged", "perform models import hands"
    return "ok", f"MediaPipe {metadata.version('mediapipe')}, {model_file()}", ""


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
    return "warn", why, "install PyTorch's build for CUDA (see the README) and a driver that fits it"


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
    state: State = "fail" if free < 0.5 else "warn" if free < 5 else "ok"
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


def _linux() -> bool:
    return sys.platform.startswith("linux")


# Windowing belongs to the main thread on macOS, so the display waits for nobody; the first import of
# torch, needed only where there is a GPU, may read gigabytes from a cold disk.
CHECKS: tuple[tuple[str, Callable[[], Finding], float | None], ...] = (
    ("python", python, PATIENCE),
    ("shipped", shipped, PATIENCE),
    ("opengl", opengl, PATIENCE),
    ("display", display, None),
    ("sound", sound, PATIENCE),
    ("midi", midi, PATIENCE),
    ("link", link, PATIENCE),
    ("osc", osc, PATIENCE),
    ("camera", camera, PATIENCE),
    ("hands", hands, PATIENCE),
    ("processor", processor, PATIENCE),
    ("accelerator", accelerator, 10 * PATIENCE),
    ("video", video, PATIENCE),
    ("disk", disk, PATIENCE),
    ("folders", folders, PATIENCE),
)
