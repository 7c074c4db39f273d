"""Shows: from what a person asks for to a rig that is ready to play it."""

from perform.show.opening import RENDER_FPS, by_hand, find, load, play, render
from perform.show.options import DEMO, Options, demo_track, sounding

__all__ = [
    "DEMO",
    "RENDER_FPS",
    "Options",
    "by_hand",
    "demo_track",
    "find",
    "load",
    "play",
    "render",
    "sounding",
]
