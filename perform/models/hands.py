"""The hand tracker's model: put together from a wheel of MediaPipe that still carried its parts.

MediaPipe's newer wheels hold the program without models, an older one holds both networks of the tracker
(palm detection and hand landmarks, Apache License 2.0). Stored side by side under other names they are the
bundle that the program reads.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from perform.inputs.hands import model_file
from perform.models.keep import Imported, Progress
from perform.networks import ModelError

NAME = "hands"
WHEEL = "mediapipe==0.10.21"
# It is read, not installed, so that of one platform will do for all.
PLATFORM = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
PARTS = {  # in the bundle: in the wheel, and its SHA-256
    "hand_detector.tflite": (
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand_landmarks_detector.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
}
FETCHING = 600.0  # seconds


def bring(wheel: Path | None, progress: Progress = lambda step, share: None) -> Imported:
    """Make the model, from a wheel that is here or (None) from one that pip fetches; the same wheel twice
    changes nothing. Raises ModelError for another file, OSError when it cannot be fetched."""
    target = model_file()
    if wheel is None and whole(target):
        return Imported(target, True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        if wheel is None:
            progress("fetching", None)
            wheel = _fetched(Path(folder))
        progress("writing", None)
        bundle = Path(folder) / target.name
        _write(bundle, _parts(wheel))
        bundle.replace(target)
    return Imported(target, False)


def whole(file: Path) -> bool:
    """Whether a file is the model, unharmed."""
    try:
        with zipfile.ZipFile(file) as bundle:
            return all(_hash(bundle.read(name)) == known for name, (_, known) in PARTS.items())
    except (OSError, KeyError, zipfile.BadZipFile):
        return False


def _parts(wheel: Path) -> dict[str, bytes]:
    found = {}
    try:
        with zipfile.ZipFile(wheel) as file:
            for name, (place, known) in PARTS.items():
                found[name] = file.read(place)
                if _hash(found[name]) != known:
                    raise ModelError(f"{wheel}: {place} is not the one that is known")
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{wheel} does not hold the hand tracker's model, must be {WHEEL}") from error
    return found


def _write(file: Path, parts: dict[str, bytes]) -> None:
    """The parts stored as they are: MediaPipe reads them in place."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
        for name, content in parts.items():
            bundle.writestr(zipfile.ZipInfo(name), content)


def _fetched(folder: Path) -> Path:
    """The wheel, as this machine's pip gets it."""
    ask = ("download", "--quiet", "--no-deps", "--only-binary=:all:", *PLATFORM, "--dest", str(folder))
    command = [sys.executable, "-m", "pip", *ask, WHEEL]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCHING, check=False)
    except subprocess.TimeoutExpired:
        raise OSError(f"pip did not fetch {WHEEL} within {FETCHING:.0f} s") from None
    if found := next(folder.glob("*.whl"), None):
        return found
    said = done.stderr.strip().splitlines() or ["it said nothing"]
    raise OSError(f"pip cannot fetch {WHEEL}: {said[-1]}")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
