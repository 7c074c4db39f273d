"""The tracker's model is made from a wheel, completely or not at all, and the doctor reports it."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from perform.cli import app
from perform.commands.doctor import devices
from perform.inputs import hands
from perform.models import hands as maker
from perform.networks import ModelError

CONTENT = {"hand_detector.tflite": b"palms" * 100, "hand_landmarks_detector.tflite": b"marks" * 200}
Pip = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Parts of a few bytes, and a folder without a model."""
    parts = {
        name: (maker.BUNDLE_PARTS[name][0], hashlib.sha256(content).hexdigest())
        for name, content in CONTENT.items()
    }
    monkeypatch.setattr(maker, "BUNDLE_PARTS", parts)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def wheel(folder: Path, **changed: bytes) -> Path:
    """A wheel with the parts, or with one changed by its stem."""
    file = folder / "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in CONTENT.items():
            archive.writestr(maker.BUNDLE_PARTS[name][0], changed.get(Path(name).stem, content))
    return file


def pip(result: int, said: str = "") -> Pip:
    """A pip that downloads into a given folder, or fails."""

    def run(command: list[str], **_: object) -> SimpleNamespace:
        module = command.index("-m") + 1
        assert command[module : module + 2] == ["pip", "download"]
        assert command[-1] == maker.MEDIAPIPE_WHEEL
        if not result:
            wheel(Path(command[command.index("--dest") + 1]))
        return SimpleNamespace(returncode=result, stderr=said)

    return run


def test_the_model_bundle_holds_its_parts_uncompressed(tmp_path: Path) -> None:
    done = maker.import_hands(wheel(tmp_path))
    assert done.file == hands.model_file() and not done.known
    with zipfile.ZipFile(done.file) as bundle:
        assert {name: bundle.read(name) for name in bundle.namelist()} == CONTENT
        assert all(part.compress_type == zipfile.ZIP_STORED for part in bundle.infolist())
    assert maker.is_whole(done.file)
    assert [*done.file.parent.iterdir()] == [done.file]


def test_the_model_file_is_the_same_twice(tmp_path: Path) -> None:
    first = maker.import_hands(wheel(tmp_path)).file.read_bytes()
    assert maker.import_hands(wheel(tmp_path)).file.read_bytes() == first


def test_the_model_is_downloaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker.subprocess, "run", pip(0))
    assert not maker.import_hands(None).known
    monkeypatch.setattr(maker.subprocess, "run", lambda *_, **__: pytest.fail("fetched again"))
    assert maker.import_hands(None).known


def test_a_damaged_model_is_written_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = maker.import_hands(wheel(tmp_path)).file
    content = bytearray(file.read_bytes())
    content[300] ^= 1
    file.write_bytes(content)
    assert not maker.is_whole(file)
    monkeypatch.setattr(maker.subprocess, "run", pip(0))
    assert not maker.import_hands(None).known and maker.is_whole(file)


def test_without_a_network_the_last_line_of_pip_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maker.subprocess, "run", pip(1, "WARNING: x\nERROR: no route to host\n"))
    with pytest.raises(OSError, match=r"pip cannot fetch mediapipe==0\.10\.21: ERROR: no route to host"):
        maker.import_hands(None)

    def slow(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("pip", maker.FETCH_TIMEOUT)

    monkeypatch.setattr(maker.subprocess, "run", slow)
    with pytest.raises(OSError, match=r"did not fetch .* within 600 s"):
        maker.import_hands(None)


def test_another_wheel_changes_nothing(tmp_path: Path) -> None:
    before = maker.import_hands(wheel(tmp_path)).file.read_bytes()
    with pytest.raises(ModelError, match=r"hand_landmark_full\.tflite is not the one that is known"):
        maker.import_hands(wheel(tmp_path, hand_landmarks_detector=b"other"))
    (tmp_path / "text.whl").write_text("no zip")
    with pytest.raises(ModelError, match=r"must be mediapipe==0\.10\.21"):
        maker.import_hands(tmp_path / "text.whl")
    assert hands.model_file().read_bytes() == before
    assert [*hands.model_file().parent.iterdir()] == [hands.model_file()]


def said(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, " ".join(done.output.split())


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = said("models", "import", wheel(tmp_path), "hands")
    assert code == 0 and text == f"hands is imported: {hands.model_file()}"
    code, text = said("models", "import", "hands")
    assert code == 0 and text == f"hands was imported before: {hands.model_file()}"
    code, text = said("models", "import", "my net (1).pt")
    assert code == 1 and "a model needs a name: perform models import 'my net (1).pt' NAME" in text


def test_the_doctor_reports_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.inputs.hands.tracker.find_spec", lambda name: None)
    state, why, remedy = devices.hands()
    assert state == "warn" and "mediapipe is not installed" in why and remedy
    monkeypatch.setattr("perform.inputs.hands.tracker.find_spec", lambda name: name)
    monkeypatch.setattr(devices.metadata, "version", lambda name: "9.9")
    assert devices.hands() == ("warn", "the tracker's model is missing", "perform models import hands")
    file = maker.import_hands(wheel(tmp_path)).file
    assert devices.hands() == ("ok", f"MediaPipe 9.9, {file}", "")
    file.write_bytes(b"half")
    state, why, remedy = devices.hands()
    assert (state, why) == ("warn", f"{file} is damaged") and "perform models import hands" in remedy


def test_the_doctor_lists_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.inputs.camera.cameras", lambda: {"/dev/video0": "C920"})
    assert devices.camera() == ("ok", "C920", "")
    assert devices.found()["cameras"] == ["C920"]
    monkeypatch.setattr("perform.inputs.camera.cameras", dict)
    assert devices.camera()[0] == "warn"
