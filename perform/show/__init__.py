"""Shows: from options to a rig that is ready to play."""

from perform.show.devices import control_inputs
from perform.show.files import find, names_file, open_library, venue_of
from perform.show.opening import RENDER_FPS, check_options, load, play, render
from perform.show.options import DEMO, Options, demo_track, sound_option

__all__ = [
    "DEMO",
    "RENDER_FPS",
    "Options",
    "check_options",
    "control_inputs",
    "demo_track",
    "find",
    "load",
    "names_file",
    "open_library",
    "play",
    "render",
    "sound_option",
    "venue_of",
]
