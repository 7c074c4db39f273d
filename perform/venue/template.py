"""A venue's file for this machine, with comments that teach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = """# What belongs to this place, and not to the show: displays, devices, light.
#   perform play SHOW --venue {file}      plays a show here; in a project's folder it is found by itself
#   perform venue check {file}            finds faults, and displays that are not plugged in
#   perform venue card {file}             shows a test card on every display
# Options of `perform play` have priority over this file. While a show plays, E in the operator's window
# moves corners, meshes, soft edges and masks; what you save here is seen at once.

title = "{title}"
# public = true          # people who did not choose to watch: the flash limiter is on

# The canvas: the picture that the displays share, in pixels.
size = "{size}"
# fps = 60               # at most
# scale = 0.5            # draw scenes at this part of the size
# offset = 40            # milliseconds that beats are shown earlier, for slow projectors
# gamma = 1.1            # above 1: lighter mid-tones
# feed.gallery = {{ low = 0, high = 40 }}        # what is different here of feeds/gallery.toml
"""
DEVICES = """
[sound]
{sound}

[midi]
{midi}
# lights = false         # leave the lights of controllers alone
{clock_out}

[osc]
# listen = "0.0.0.0:9000"            # from all networks; 0: none
# feedback = ["192.168.0.7:9000"]    # send changes to a touchscreen

[clock]
# lead = "midi"          # auto, hand, link, midi, audio or free
# link = true            # join the Ableton Link session of this network

[camera]                 # sees hands
{camera}
# region = [0.1, 0, 0.9, 1]          # left, top, right, bottom of its picture, each 0..1
# mirror = false

[models]
# device = "cuda"        # auto, cpu, cuda or mps
# memory = 8             # GiB for open models, at most
"""
OPERATOR = """
# The operator's window: picture, preview, meters, keys. The displays never show any of them.
[operator]
{monitor}
# size = "1280x720"
# window = false         # none, in a gallery: Esc twice on a display ends the show
"""
DISPLAYS = """
# A display for each projector or screen. Points are 0..1 from the lower left. It `shows` a part of the
# canvas: left, bottom, width, height. Two with the same part show the same picture.
"""
DISPLAY = """[[display]]
name = "{name}"
monitor = {monitor}{mode}
shows = [{part}]
"""
LEARNED = """# rotate = 90            # degrees to the left
# flip = true            # rear projection
# corners = [[0, 0], [1, 0], [1, 1], [0, 1]]    # lower left, lower right, upper right, upper left
# blend = { right = 0.1, gamma = 2.2 }          # soft edges: parts of the picture's width or height
# masks = [{ points = [[0, 0], [0.2, 0], [0, 0.2]], feather = 0.01 }]      # black inside
# colour = { brightness = 0, contrast = 1, gamma = 1, white = 6504 }       # white in kelvin, or 3 gains
# delay = 20             # milliseconds, to wait for a slower display
"""
NO_DISPLAY = """# Only one display is plugged in here: it has the operator's window, and shows the picture.
# [[display]]
# name = "wall"
# monitor = "HDMI-1"     # as `perform devices` lists it
# shows = [0, 0, 1, 1]   # left, bottom, width, height of the canvas
"""


@dataclass(frozen=True, slots=True)
class FoundMonitor:
    """A monitor that is plugged in: `left` is where it begins on the desktop."""

    name: str
    size: tuple[int, int]
    rate: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The devices of a machine by name, and its monitors, the primary one first."""

    monitors: Sequence[FoundMonitor] = ()
    sounds: Sequence[str] = ()
    midi_inputs: Sequence[str] = ()
    midi_outputs: Sequence[str] = ()
    cameras: Sequence[str] = ()


def template(found: Found, title: str, file: str) -> str:
    """The text of a venue's file. The first monitor is the operator's; the others share the canvas from left
    to right, as they stand on the desktop."""
    wall = sorted(found.monitors[1:], key=lambda one: one.left)
    width = sum(one.size[0] for one in wall) or 1280
    height = max((one.size[1] for one in wall), default=720)
    text = HEAD.format(title=_inside(title), file=file, size=f"{width}x{height}")
    text += DISPLAYS + ("\n".join(_displays(wall, width)) if wall else NO_DISPLAY)
    operator = f"monitor = {_quoted_text(found.monitors[0].name)}" if wall else '# monitor = "eDP-1"'
    text += OPERATOR.format(monitor=operator)
    return text + DEVICES.format(
        sound=_device("device", found.sounds, 'a sound device or a file; "none": silence'),
        midi=_device("port", found.midi_inputs, "listen to this controller only"),
        clock_out=_device("clock_out", found.midi_outputs, "send MIDI clock to this port"),
        camera=_device("name", found.cameras, "without it the first is taken"),
    )


def _displays(wall: Sequence[FoundMonitor], width: int) -> list[str]:
    texts, left = [], 0
    for number, one in enumerate(wall, 1):
        part = f"{left / width:.6g}, 0, {one.size[0] / width:.6g}, 1"
        mode = f'\nsize = "{one.size[0]}x{one.size[1]}"' + f"\nrefresh = {one.rate}" * bool(one.rate)
        text = DISPLAY.format(name=f"wall {number}", monitor=_quoted_text(one.name), mode=mode, part=part)
        texts.append(text + LEARNED if number == 1 else text)
        left += one.size[0]
    return texts


def _device(key: str, names: Sequence[str], what: str) -> str:
    """A line that is still a comment, with the devices that were found."""
    listed = ", ".join(_quoted_text(name) for name in names)
    first = _quoted_text(names[0]) if names else '""'
    line = f"# {key} = {first}"
    return f"{line:<24} # {what}; found: {listed or 'nothing'}"


def _quoted_text(text: str) -> str:
    """A text as TOML has it, without control characters."""
    return json.dumps(_inside(text, escape=False), ensure_ascii=False)


def _inside(text: str, escape: bool = True) -> str:
    """A text without control characters; `escape`: as it stands between quotes."""
    clean = "".join(one if one.isprintable() else " " for one in text)
    return json.dumps(clean, ensure_ascii=False)[1:-1] if escape else clean
