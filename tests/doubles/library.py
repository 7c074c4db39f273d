"""A small library of shaders, presets and a setlist, written where a test wants it."""

from pathlib import Path

COLOUR = """/*{"ISFVSN": "2", "INPUTS": [
    {"NAME": "tint", "TYPE": "color", "DEFAULT": [1, 0, 0, 1]}]}*/
void main() { gl_FragColor = tint; }
"""
INVERT = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1}]}*/
void main() { vec4 c = IMG_THIS_PIXEL(inputImage); gl_FragColor = mix(c, vec4(1.0 - c.rgb, 1.0), amount); }
"""
DISSOLVE = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"}, {"NAME": "progress", "TYPE": "float", "DEFAULT": 0}]}*/
void main() { gl_FragColor = mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), progress); }
"""
CUT = "[transition]\nbeats = 0\n"
RED = f'title = "Red"\n[generator]\nshader = "colour"\n{CUT}'
BLUE = 'title = "Blue"\n[generator]\nshader = "colour"\ntint = [0, 0, "audio.level + 1", 1]\n' + CUT
INVERTED = RED + '[[filter]]\nshader = "invert"\n'
NEURAL = 'title = "Neural"\n[generator]\nmodel = "untrained-small"\n[latent]\npath = "walk"\n' + CUT
DEMO = 'title = "Demo"\nquantise = "off"\n[[cue]]\nscene = "red"\n[[cue]]\nscene = "blue"\n'
FILES = {
    "shaders/generators/colour.fs": COLOUR,
    "shaders/filters/invert.fs": INVERT,
    "shaders/transitions/dissolve.fs": DISSOLVE,
    "presets/red.toml": RED,
    "presets/blue.toml": BLUE,
    "presets/inverted.toml": INVERTED,
    "presets/neural.toml": NEURAL,
    "setlists/demo.toml": DEMO,
}


def write_library(folder: Path) -> Path:
    """The library's folder."""
    for name, text in FILES.items():
        save(folder / name, text)
    return folder


def save(file: Path, text: str) -> None:
    """Write a file at once, as editors do, with a new modification time, however fast the test is."""
    import os

    stamp = file.stat().st_mtime_ns + 1_000_000 if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = file.with_name(f".{file.name}.new")
    whole.write_text(text, encoding="utf-8")
    if stamp:
        os.utime(whole, ns=(stamp, stamp))
    whole.replace(file)
