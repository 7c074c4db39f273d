"""Shaders of other people, examined: how far each comes, and what is wrong with it."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from perform import children
from perform.render.examining import ShaderReport, examined
from tests.doubles.command import environment, finished, run

SIZE = (32, 18)
PLAIN = "/*{}*/ void main() { gl_FragColor = vec4(isf_FragNormCoord, 0.0, 1.0); }"
FILTER = """/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 1, "MIN": 0, "MAX": 1, "IDENTITY": 0}]}*/
void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) * (1.0 - amount) + OFFSET; }
"""
TRANSITION = """/*{"INPUTS": [{"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float"}]}*/
void main() { gl_FragColor = mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), SHARE); }
"""
HUGE = """/*{"PASSES": [{"TARGET": "kept", "PERSISTENT": true, "FLOAT": true, "WIDTH": "16384",
    "HEIGHT": "16384"}, {}]}*/ void main() { gl_FragColor = vec4(1.0); }
"""
# The process holds the interpreter for years, or is killed, when it loads a certain file.
ODD = """import os, re, signal
from perform.render import examining, isf
real = isf.load
def load(path):
    if path.name == "endless.fs":
        re.match("(a+)+b", 64 * "a")
    if path.name == "crash.fs":
        os.kill(os.getpid(), signal.SIGSEGV)
    return real(path)
isf.load = load
examining.examine_lines()"""

# A line of less than no width is an error of OpenGL: whenever a certain file is drawn, or only in floats.
FAULTY = """from perform.render import examining
from perform.render.shader import Shader
render = Shader.render
def rendered(self, *arguments):
    if "always" in self.isf.name or "floats" in self.isf.name and self.isf.passes[0].floating:
        self._context.line_width = -1.0
    return render(self, *arguments)
Shader.render = rendered
examining.examine_lines()"""


TEXTS = {
    "plain": PLAIN,
    "no-isf": "void main() {}",
    "no-glsl": "/*{}*/ void main() { oops }",
    "huge": HUGE,
    "flat": "/*{}*/ void main() { gl_FragColor = vec4(0.5); }",
    "nan": "/*{}*/ void main() { gl_FragColor = vec4(sqrt(isf_FragNormCoord.x - 0.5), TIME / 0.0, 0, 1); }",
    "healed": """/*{"PASSES": [{"TARGET": "kept", "PERSISTENT": true, "FLOAT": true}, {}]}*/
    void main() { gl_FragColor = PASSINDEX == 0 ? vec4(log(-1.0 - TIME)) : vec4(isf_FragNormCoord.x); }
    """,
    "filter": FILTER.replace("OFFSET", "vec4(0.0)"),
    "no-filter": FILTER.replace("OFFSET", "vec4(0.2)"),
    "transition": TRANSITION.replace("SHARE", "progress"),
    "no-start": TRANSITION.replace("SHARE", "1.0"),
    "no-ends": TRANSITION.replace("SHARE", "0.5"),
    "swapped": '/*{"INPUTS": [{"NAME": "a", "TYPE": "float", "MIN": 1, "MAX": 0}]}*/' + PLAIN,
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ShaderReport]:
    folder = tmp_path_factory.mktemp("shaders")
    for name, text in TEXTS.items():
        (folder / f"{name}.fs").write_text(text, encoding="utf-8")
    return dict(zip(TEXTS, examined([folder / f"{name}.fs" for name in TEXTS], SIZE), strict=True))


Reports = dict[str, ShaderReport]


def test_what_draws(reports: Reports) -> None:
    found = reports["plain"]
    assert found == ShaderReport(
        found.file, parse=True, compile=True, draw=True, repeat=True, ms=found.ms, warnings=[]
    )
    assert Path(found.file).name == "plain.fs"
    assert found.ms is not None and found.ms > 0


@pytest.mark.parametrize(
    ("name", "came", "error"),
    [
        ("no-isf", (False, False, False), "no-isf.fs:1:"),
        ("no-glsl", (True, False, False), "no-glsl.fs:1: "),
        ("huge", (True, True, False), "huge.fs:1: its passes need 4.3 GB"),
    ],
)
def test_how_far_it_comes(reports: Reports, name: str, came: tuple[bool, ...], error: str) -> None:
    found = reports[name]
    assert (found.parse, found.compile, found.draw) == came
    assert error in found.error


def test_one_colour_and_what_is_not_a_number(reports: Reports) -> None:
    assert [name for name, one in reports.items() if one.flat] == ["flat", "filter", "no-filter"]
    assert [name for name, one in reports.items() if one.nan] == ["nan"]  # what is kept is healed


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("filter", []),
        ("no-filter", ["is not its image at IDENTITY, but off by 51 of 255"]),
        ("transition", []),
        ("no-start", ["is not the start image at progress 0"]),
        ("no-ends", ["is not the start image at progress 0", "is not the end image at progress 1"]),
        ("swapped", ["MIN = 1 is above MAX = 0: they are swapped", "INPUTS a: no DEFAULT"]),
    ],
)
def test_warnings(reports: Reports, name: str, warned: list[str]) -> None:
    found = reports[name]
    assert found.draw
    assert [part in one for part, one in zip(warned, found.warnings, strict=True)] == [True] * len(warned)


def test_one_that_never_ends_or_crashes_does_not_stop_the_rest(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.fs" for name in ("a", "endless", "crash", "z")]
    for file in files:
        file.write_text(PLAIN, encoding="utf-8")
    found = list(examined(files, SIZE, limit=5.0, command=children.command(ODD)))
    assert [one.draw for one in found] == [True, False, False, True]
    assert found[1].error == "takes longer than 5 s, it may never end"
    assert found[2].error == "the graphics driver crashed on it (signal 11)"


def test_an_error_of_opengl_is_named_and_is_that_of_its_shader(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.fs" for name in ("always", "plain", "floats", "z")]
    for file in files:
        file.write_text(PLAIN, encoding="utf-8")
    found = list(examined(files, SIZE, command=children.command(FAULTY)))
    assert [one.error for one in found] == ["draws with an error of OpenGL: GL_INVALID_VALUE", "", "", ""]


def test_the_command_reports_a_folder(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "good.fs").write_text(PLAIN, encoding="utf-8")
    (row,) = json.loads(run("shaders", "check", tmp_path, "--json"))
    assert row.keys() == asdict(ShaderReport("")).keys()
    assert row["file"] == str(tmp_path / "good.fs") and row["draw"]
    (tmp_path / "inner/bad.fs").write_text("/*{}*/ void main() { oops }", encoding="utf-8")
    assert "1 of 2 draw" in run("shaders", "check", tmp_path, expect=1)
    (tmp_path / "folder.fs").mkdir()
    assert "1 of 2 draw" in run("shaders", "check", tmp_path, expect=1)
    empty, none = str(tmp_path / "folder.fs"), str(tmp_path / "none")
    assert f"{empty}: there is no shader (.fs, .isf)" in finished("shaders", "check", empty).stderr
    assert f"{none}: there is no such file or folder" in finished("shaders", "check", none).stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="EGL is the way to OpenGL on Linux")
def test_without_opengl_no_shader_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "good.fs").write_text(PLAIN, encoding="utf-8")
    without = environment() | {"__EGL_VENDOR_LIBRARY_FILENAMES": os.devnull}
    done = finished("shaders", "check", str(tmp_path), env=without)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("perform: no OpenGL 4.1 without a window: ")
