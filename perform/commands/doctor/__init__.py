"""The doctor: checks what a show needs of this machine, and names a remedy for what is missing.

Every check looks at the real thing, opens it for a moment if necessary, and leaves it as it was. `warn` means
that the show plays with less, `fail` that a part of it cannot play.
"""

from __future__ import annotations

from collections.abc import Callable

from perform.commands.doctor import devices, machine, sharing
from perform.commands.doctor.finding import REINSTALL, Check, Finding, one_line
from perform.threads import Background

CHECK_TIMEOUT = 3.0  # seconds for one check: a hanging sound server or driver must not stop the doctor


def checks() -> list[Check]:
    """Every check, in the order in which a show needs them. Raises nothing."""
    return [_contained(name, look, timeout) for name, look, timeout in CHECKS]


def _contained(name: str, look: Callable[[], Finding], timeout: float | None) -> Check:
    """The check's finding, or that it did not answer in time; without a timeout it runs on this thread."""
    if timeout is None:
        return _found(name, look)
    answers: list[Check] = []
    Background(lambda _closing: answers.append(_found(name, look)), name).close(timeout)
    if answers:
        return answers[0]
    return Check(name, "fail", f"no answer within {timeout:g} s", "restart the service or driver behind it")


def _found(name: str, look: Callable[[], Finding]) -> Check:
    try:
        return Check(name, *look())
    except ImportError as error:
        return Check(name, "fail", one_line(error), REINSTALL)
    except Exception as error:  # noqa: BLE001 - any exception of a driver is a finding
        why = f"{type(error).__name__}: {one_line(error)}"
        return Check(name, "fail", why, "look again; if it stays, report this line")


# macOS opens windows on the main thread only, so the display has no timeout. The first import of torch, which
# only a machine with a GPU needs, may read gigabytes from a cold disk.
CHECKS: tuple[tuple[str, Callable[[], Finding], float | None], ...] = (
    ("python", machine.python, CHECK_TIMEOUT),
    ("shipped", machine.shipped, CHECK_TIMEOUT),
    ("opengl", devices.opengl, CHECK_TIMEOUT),
    ("display", devices.display, None),
    ("sound", devices.sound, CHECK_TIMEOUT),
    ("midi", devices.midi, CHECK_TIMEOUT),
    ("link", devices.link, CHECK_TIMEOUT),
    ("osc", devices.osc, CHECK_TIMEOUT),
    ("camera", devices.camera, CHECK_TIMEOUT),
    ("hands", devices.hands, CHECK_TIMEOUT),
    *((kind, look, CHECK_TIMEOUT) for kind, look in sharing.CHECKS.items()),
    ("processor", machine.processor, CHECK_TIMEOUT),
    ("accelerator", machine.accelerator, 10 * CHECK_TIMEOUT),
    ("bridge", machine.bridge, 10 * CHECK_TIMEOUT),
    ("video", machine.video, CHECK_TIMEOUT),
    ("disk", machine.disk, CHECK_TIMEOUT),
    ("folders", machine.folders, CHECK_TIMEOUT),
)
