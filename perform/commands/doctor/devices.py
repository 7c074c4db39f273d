"""Checks of the devices: displays, sound, MIDI, OSC, Link, cameras, hands; and their names."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import metadata

from perform.commands.doctor.finding import REINSTALL, Finding, one_line
from perform.sharing import KINDS, lacking

OSC_PORT = 9000


def found() -> dict[str, list[str]]:
    """The names of the devices that are there, by kind; of a kind that cannot be asked, none."""
    from perform.inputs.sharing import RECEIVERS, senders

    kinds: dict[str, Callable[[], list[str]]] = {
        "sound inputs": lambda: _sounds()[0],
        "sound outputs": lambda: _sounds()[1],
        "MIDI ports": _ports,
        "MIDI outputs": _outputs,
        "Ableton Link": _session,
        "cameras": _cameras,
        **{f"{KINDS[kind].title} senders": partial(senders, kind) for kind in RECEIVERS if not lacking(kind)},
        "gamepads": _gamepads,
        "displays": _displays,
    }
    return {kind: _listed(look) for kind, look in kinds.items()}


def _listed(look: Callable[[], list[str]]) -> list[str]:
    try:
        return look()
    except Exception:  # noqa: BLE001 - why it cannot be asked is for `checks` to say
        return []


def opengl() -> Finding:
    """An OpenGL 4.1 core context without a window, and who draws it."""
    from perform.render.context import GLError, describe, headless, is_software

    try:
        context = headless()
    except GLError as error:
        why, _, remedy = one_line(error).rpartition("; ")
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
    return "warn", why, "run it from a desktop session, or give --headless"


def _gamepads() -> list[str]:
    from perform.outputs.window.gamepads import gamepad_names

    return gamepad_names()


def _displays() -> list[str]:
    from perform.outputs.window import displays

    return [str(one) for one in displays()]


def sound() -> Finding:
    """PortAudio, and the devices that it offers."""
    from perform.inputs.audio import DeviceError

    try:
        ears, mouths = _sounds()
    except DeviceError as error:  # the binding is there, the library is not
        why, _, remedy = one_line(error).rpartition(": ")
        return "fail", why, remedy if sys.platform.startswith("linux") else REINSTALL
    if not ears and not mouths:
        why = "no sound device: the show follows sound files, but you do not hear them"
        return "warn", why, "plug one in, or start the sound server (PipeWire, PulseAudio, JACK)"
    return "ok", f"{len(ears)} to listen to, {len(mouths)} to play on: {', '.join([*ears, *mouths][:4])}", ""


def _sounds() -> tuple[list[str], list[str]]:
    """The devices that hear, and those that play."""
    from perform.inputs.audio import audio_devices

    there = audio_devices()
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
    return "warn", "no camera: hands and camera scenes do not work", "plug one in"


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
