"""Shaders drawn headless, with exact pixels; and every shader that the instrument ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.clock import Moment
from perform.render import isf
from perform.render.isf import ISFError
from perform.render.shader import Shader, ShaderError
from tests.doubles.shaders import SIZE, Stage, main, parse, picture, pixels, write_png
from tests.folders import ROOT

MOMENT = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)
SHADERS = sorted((ROOT / "shaders").rglob("*.fs"))
IMAGE = {"NAME": "inputImage", "TYPE": "image"}
TRANSITION = [
    {"NAME": "startImage", "TYPE": "image"},
    {"NAME": "endImage", "TYPE": "image"},
    {"NAME": "progress", "TYPE": "float"},
]


def test_a_solid_color_fills_the_picture(context: moderngl.Context) -> None:
    color = {"NAME": "shade", "TYPE": "color", "DEFAULT": [1, 0.2, 0, 1]}
    frame = Stage(context, main("shade", INPUTS=[color])).frame()
    assert frame.shape == (4, 8, 4) and (frame == (255, 51, 0, 255)).all()


def test_the_top_row_is_the_top_row(context: moderngl.Context) -> None:
    frame = Stage(context, main("vec4(isf_FragNormCoord.y > 0.75, gl_FragCoord.x < 1.0, 0.0, 1.0)")).frame()
    assert (frame[0, :, 0] == 255).all() and (frame[1:, :, 0] == 0).all()
    assert (frame[:, 0, 1] == 255).all() and (frame[:, 1:, 1] == 0).all()


def test_images_keep_their_position(context: moderngl.Context) -> None:
    rows = np.arange(32).reshape(4, 8) * 8
    image = picture(context, rows)
    for expression in (
        "IMG_THIS_PIXEL(inputImage)",
        "IMG_PIXEL(inputImage, gl_FragCoord.xy)",
        "IMG_NORM_PIXEL(inputImage, vv_FragNormCoord)",
        "texture2D(inputImage, gl_FragCoord.xy / _inputImage_imgSize * _inputImage_imgRect.zw)",
    ):
        assert (Stage(context, main(expression, INPUTS=[IMAGE])).frame(image)[:, :, 0] == rows).all()


def test_missing_images_are_black(context: moderngl.Context) -> None:
    shader = main("IMG_THIS_PIXEL(inputImage) + vec4(IMG_SIZE(inputImage), 0.0, 0.0)", INPUTS=[IMAGE])
    assert (Stage(context, shader).frame() == (255, 255, 0, 255)).all()


@pytest.mark.parametrize("floating", [False, True])
def test_a_persistent_buffer_accumulates(context: moderngl.Context, floating: bool) -> None:
    shader = main(
        "PASSINDEX == 0 ? IMG_THIS_PIXEL(kept) + 16.0 / 255.0 : IMG_THIS_PIXEL(kept)",
        PASSES=[{"TARGET": "kept", "PERSISTENT": True, "FLOAT": floating}, {}],
    )
    stage = Stage(context, shader)
    assert [int(stage.frame()[0, 0, 0]) for _ in range(4)] == [16, 32, 48, 64]


def test_what_a_shader_keeps_goes_on_at_another_size(context: moderngl.Context) -> None:
    shader = main(
        "PASSINDEX > 0 ? IMG_THIS_PIXEL(kept) : FRAMEINDEX == 0 ? vec4(isf_FragNormCoord.xy, 0.0, 1.0) "
        ": IMG_THIS_PIXEL(kept)",
        PASSES=[{"TARGET": "kept", "PERSISTENT": True, "FLOAT": True}, {}],
    )
    unit = Shader(context, shader, (64, 32))
    unit.warm()
    before = unit.render(MOMENT, {})
    assert before.size == (64, 32)
    unit.resize((16, 8))
    after = unit.render(MOMENT, {})
    assert after.size == (16, 8)
    shown = np.frombuffer(after.read(), np.uint8).reshape(8, 16, 4).astype(int)
    expected = (np.arange(16) + 0.5) / 16 * 255
    assert np.abs(shown[:, :, 0] - expected).max() <= 1
    assert np.abs(shown[:, :, 1].T - (np.arange(8) + 0.5) / 8 * 255).max() <= 1
    unit.resize((64, 32))
    again = np.frombuffer(unit.render(MOMENT, {}).read(), np.uint8).reshape(32, 64, 4).astype(int)
    inner = (np.arange(64) + 0.5)[8:-8] / 64 * 255
    assert np.abs(again[:, 8:-8, 0] - inner).max() <= 3
    unit.release()


def test_a_state_of_a_fixed_size_is_not_touched_by_another_size(context: moderngl.Context) -> None:
    shader = main(
        "PASSINDEX == 0 ? IMG_THIS_PIXEL(kept) + 16.0 / 255.0 : IMG_NORM_PIXEL(kept, vec2(0.5))",
        PASSES=[{"TARGET": "kept", "PERSISTENT": True, "WIDTH": "4", "HEIGHT": "4"}, {}],
    )
    unit = Shader(context, shader, (8, 8))
    values = []
    for size in ((8, 8), (8, 8), (4, 4), (16, 16)):
        unit.resize(size)
        values.append(unit.render(MOMENT, {}).read()[0])
    assert values == [16, 32, 48, 64]
    unit.release()


def test_a_persistent_last_pass_is_the_output(context: moderngl.Context) -> None:
    shader = main("IMG_THIS_PIXEL(kept) + 0.2", PASSES=[{"TARGET": "kept", "persistent": True}])
    stage = Stage(context, shader)
    assert [int(stage.frame()[0, 0, 0]) for _ in range(3)] == [51, 102, 153]


def test_other_buffers_are_cleared(context: moderngl.Context) -> None:
    shader = main(
        "PASSINDEX == 0 ? IMG_THIS_PIXEL(drawn) + 0.2 : IMG_THIS_PIXEL(drawn)",
        PASSES=[{"TARGET": "drawn"}, {}],
    )
    stage = Stage(context, shader)
    assert [int(stage.frame()[0, 0, 0]) for _ in range(3)] == [51, 51, 51]


def test_float_buffers_hold_more_than_one(context: moderngl.Context) -> None:
    body = "PASSINDEX == 0 ? vec4(4.0) : IMG_THIS_PIXEL(big) / 8.0"
    assert Stage(context, main(body, PASSES=[{"TARGET": "big", "FLOAT": True}, {}])).frame()[0, 0, 0] == 128
    assert Stage(context, main(body, PASSES=[{"TARGET": "big"}, {}])).frame()[0, 0, 0] == 32


def test_passes_have_their_requested_size(context: moderngl.Context) -> None:
    shader = main(
        "PASSINDEX == 0 ? vec4(RENDERSIZE / 255.0, 0.0, 1.0) : IMG_THIS_PIXEL(small)",
        INPUTS=[{"NAME": "detail", "TYPE": "float", "DEFAULT": 0.5}],
        PASSES=[{"TARGET": "small", "WIDTH": "$WIDTH * $detail", "HEIGHT": "max($HEIGHT / 100, 1)"}, {}],
    )
    stage = Stage(context, shader, (64, 32))
    assert tuple(stage.frame()[0, 0, :2]) == (32, 1)
    assert tuple(stage.frame(detail=0.25)[0, 0, :2]) == (16, 1)


def test_time_and_frame_number_reach_the_shader(context: moderngl.Context) -> None:
    stage = Stage(
        context, main("vec4(TIME, TIMEDELTA, float(FRAMEINDEX), 255.0) / 255.0 * vec4(10, 10, 1, 1)")
    )
    assert [tuple(stage.frame()[0, 0, :3]) for _ in range(3)] == [(0, 0, 0), (1, 1, 1), (2, 1, 2)]


def test_time_delta_is_0_on_the_first_frame_of_a_shader(context: moderngl.Context) -> None:
    shader = Shader(context, main("vec4(TIMEDELTA, float(FRAMEINDEX), 0.0, 1.0)"), SIZE)
    late = Moment(100.0, 6000, 1.0, 200.0, 50.0, 120.0)
    assert tuple(pixels(shader.render(late, {}))[0, 0]) == (0, 0, 0, 255)
    assert tuple(pixels(shader.render(late, {}))[0, 0]) == (255, 255, 0, 255)


def test_a_warmed_up_shader_starts_as_a_new_one(context: moderngl.Context) -> None:
    stage = Stage(context, main("vec4(float(FRAMEINDEX), 0.0, 0.0, 1.0)"))
    stage.shader.warm()
    assert [int(stage.frame()[0, 0, 0]) for _ in range(2)] == [0, 255]


def test_time_starts_again_after_a_day(context: moderngl.Context) -> None:
    shader = Shader(context, main("vec4(TIME * 10.0, 0.0, 0.0, 255.0) / 255.0"), SIZE)
    assert pixels(shader.render(Moment(7 * 86_400 + 1.5, 9, 0.1, 0.0, 0.0, 120.0), {}))[0, 0, 0] == 15


def test_frames_are_counted_for_years(context: moderngl.Context) -> None:
    stage = Stage(context, main("vec4(FRAMEINDEX > 1000, FRAMEINDEX == 1, FRAMEINDEX == 0, 1)"))
    stage.shader._frame = 2**31 - 1
    assert [tuple(stage.frame()[0, 0, :3]) for _ in range(3)] == [(255, 0, 0), (0, 255, 0), (0, 0, 0)]


def test_the_date_is_counted_from_2000(context: moderngl.Context) -> None:
    shader = Shader(context, main("vec4(DATE.x - 2000.0, DATE.yz, DATE.w) / 255.0"), SIZE)
    moment = Moment(86400.0 * 32 + 7, 0, 0.0, 0.0, 0.0, 120.0)
    assert tuple(pixels(shader.render(moment, {}))[0, 0]) == (0, 2, 2, 7)


def test_events_last_one_frame(context: moderngl.Context) -> None:
    stage = Stage(context, main("vec4(hit)", INPUTS=[{"NAME": "hit", "TYPE": "event"}]))
    given = [False, True, True, 0.0, 0.7]
    assert [int(stage.frame(hit=value)[0, 0, 0]) for value in given] == [0, 255, 0, 0, 255]


def test_controls_reach_the_shader(context: moderngl.Context) -> None:
    inputs = [
        {"NAME": "count", "TYPE": "long", "MAX": 9},
        {"NAME": "mode", "TYPE": "long", "VALUES": [3, 5], "LABELS": ["three", "five"]},
        {"NAME": "on", "TYPE": "bool"},
        {"NAME": "spot", "TYPE": "point2D"},
    ]
    shader = main("vec4(count, mode, on ? 1 : 0, spot.x * 10.0 + spot.y) / 255.0", INPUTS=inputs)
    stage = Stage(context, shader)
    assert tuple(stage.frame()[0, 0]) == (0, 3, 0, 0)
    assert tuple(stage.frame(count=7, mode="five", on=True, spot=(0.5, 1.0))[0, 0]) == (7, 5, 1, 6)


def test_sounds_reach_the_shader_as_images(context: moderngl.Context) -> None:
    inputs = [{"NAME": "wave", "TYPE": "audio"}, {"NAME": "bins", "TYPE": "audioFFT", "MAX": 2}]
    shader = main(
        "vec4(IMG_PIXEL(wave, vec2(2.5, 1.5)).r, IMG_SIZE(wave).x / 255.0, "
        "IMG_PIXEL(bins, vec2(1.5, 0.5)).g, IMG_SIZE(bins).x / 255.0)",
        INPUTS=inputs,
    )
    stage = Stage(context, shader)
    assert tuple(stage.frame()[0, 0]) == (128, 64, 0, 2)  # no sound yet: a flat waveform, no spectrum
    wave = np.array([[0.5, 0.5, 0.5], [0.5, 0.5, 0.8]], np.float32)
    bins = np.array([0.1, 0.2, 0.4, 0.3], np.float32)
    assert tuple(stage.frame(wave=wave, bins=bins)[0, 0]) == (204, 3, 102, 2)
    assert tuple(stage.frame(wave=None, bins=bins)[0, 0]) == (128, 64, 102, 2)


def test_imported_images_reach_the_shader(context: moderngl.Context, tmp_path: Path) -> None:
    grey = np.array([[10, 20], [30, 40]], np.uint8)
    write_png(tmp_path / "still.png", np.repeat(grey[:, :, None], 3, axis=2))
    text = '/*{"IMPORTED": {"still": {"PATH": "still.png"}}}*/ void main() {'
    (tmp_path / "a.fs").write_text(text + "gl_FragColor = IMG_PIXEL(still, gl_FragCoord.xy); }")
    shader = isf.load(tmp_path / "a.fs")
    assert (Stage(context, shader, (2, 2)).frame()[:, :, 0] == grey).all()
    for broken in (b"no image", b"", b"GIF89a"):
        (tmp_path / "still.png").write_bytes(broken)
        with pytest.raises(ISFError, match=r"still\.png: cannot be read as an image: [^[]*$"):
            Shader(context, shader, SIZE)


def test_an_imported_image_that_no_texture_holds_is_named(context: moderngl.Context, tmp_path: Path) -> None:
    write_png(tmp_path / "long.png", np.zeros((1, 16385, 3), np.uint8))
    (tmp_path / "a.fs").write_text('/*{"IMPORTED": {"still": {"PATH": "long.png"}}}*/ void main() {}')
    with pytest.raises(ISFError, match=r"long\.png: 16385x1 pixels, must be at most 16384 on each side"):
        Shader(context, isf.load(tmp_path / "a.fs"), SIZE)


def test_a_transition_mixes_its_two_images(context: moderngl.Context) -> None:
    start, end = picture(context, [[10]]), picture(context, [[210]])
    stage = Stage(
        context,
        main("mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), progress)", INPUTS=TRANSITION),
    )
    assert [int(stage.frame(start, end, progress=p)[0, 0, 0]) for p in (0.0, 0.5, 1.0)] == [10, 110, 210]


def test_a_shader_can_have_its_own_vertex_shader(context: moderngl.Context) -> None:
    vertex = (
        "varying vec2 shifted;\nvoid main() { isf_vertShaderInit(); shifted = isf_FragNormCoord + level; }"
    )
    body = "varying vec2 shifted;\nvoid main() { gl_FragColor = vec4(shifted.x > 1.0); }"
    text = '/*{"INPUTS": [{"NAME": "level", "TYPE": "float", "DEFAULT": 0.5}]}*/' + body
    frame = Stage(context, isf.parse(text, "a.fs", vertex)).frame()
    assert (frame[:, :4, 0] == 0).all() and (frame[:, 4:, 0] == 255).all()


def test_shaders_with_common_irregularities_compile(context: moderngl.Context) -> None:
    vertex = """#if __VERSION__ <= 120
varying vec2 offsets[2];
#else
out vec2 offsets[2];
#endif
void main(void) {
    vv_vertShaderInit();
    offsets[0] = isf_FragNormCoord + vec2(1.0 / RENDERSIZE.x, 0.0);
    offsets[1] = isf_FragNormCoord - vec2(1.0 / RENDERSIZE.x, 0.0);
}"""
    text = """/*
{ "CATEGORIES": ["Blur"], "INPUTS": [{"NAME": "inputImage", "TYPE": "image"},
  {"NAME": "gain", "TYPE": "float"}],
  "PERSISTENT_BUFFERS": ["history"], "PASSES": [{"TARGET": "history", "DESCRIPTION": "kept"}, {}] }
*/
#ifdef GL_ES
precision mediump float;
#endif
#if __VERSION__ <= 120
varying vec2 offsets[2];
#else
in vec2 offsets[2];
#endif
vec4 read(sampler2D from, vec2 at) { return texture2D(from, at); }
void main() {
    if (PASSINDEX == 0) gl_FragColor = IMG_THIS_NORM_PIXEL(inputImage) * (1.0 - gain);
    else { gl_FragColor = read(history, offsets[0]); gl_FragColor.a = IMG_NORM_PIXEL(history, offsets[1]).r; }
}"""
    rows = np.arange(32).reshape(4, 8) * 8
    frame = Stage(context, isf.parse(text, "a.fs", vertex)).frame(picture(context, rows))
    assert (frame[:, :6, 0] == rows[:, 1:7]).all() and (frame[:, 2:, 3] == rows[:, 1:7]).all()


def test_new_keywords_and_old_versions_compile(context: moderngl.Context) -> None:
    body = "void main() { vec4 sample = vec4(0.2); float patch = 1.0; gl_FragColor = sample * patch; }"
    assert (Stage(context, parse("#version 120\n" + body)).frame() == 51).all()


def test_faults_are_reported_with_file_and_line(context: moderngl.Context) -> None:
    with pytest.raises(ShaderError, match=r"^a\.fs:4: .*nothing") as caught:
        Shader(context, parse("\nvoid main() {\n gl_FragColor = vec4(nothing); }"), SIZE)
    assert isinstance(caught.value, ValueError)
    vertex = "\nvoid main() { oops; }"
    with pytest.raises(ShaderError, match=r"^a\.vs:2: .*oops"):
        Shader(context, isf.parse("/*{}*/ void main() {}", "a.fs", vertex), SIZE)


def test_the_same_moments_give_the_same_bytes(context: moderngl.Context) -> None:
    shader = main(
        "PASSINDEX == 0 ? fract(IMG_NORM_PIXEL(kept, isf_FragNormCoord * 0.9) + sin(TIME * 7.0) + 0.1) "
        ": IMG_THIS_PIXEL(kept)",
        PASSES=[{"TARGET": "kept", "PERSISTENT": True, "FLOAT": True}, {}],
    )
    one, other = Stage(context, shader, (32, 18)), Stage(context, shader, (32, 18))
    for _ in range(5):
        assert one.frame().tobytes() == other.frame().tobytes()


def test_release_is_safe_twice(context: moderngl.Context) -> None:
    shader = Stage(context, main("vec4(1.0)"))
    shader.frame()
    shader.shader.release()
    shader.shader.release()


def test_a_shader_that_does_not_compile_leaks_nothing(context: moderngl.Context, tmp_path: Path) -> None:
    made: list[str] = []
    given_back: list[str] = []
    spying = Spy(context, made, given_back)
    (tmp_path / "broken.png").write_bytes(b"no image")
    text = '/*{"IMPORTED": {"it": {"PATH": "broken.png"}}}*/ void main() {}'
    broken = isf.parse(text, "a.fs", folder=tmp_path)
    with pytest.raises(ISFError):
        Shader(spying, broken, SIZE)  # type: ignore[arg-type]
    assert made and sorted(made) == sorted(given_back)


class Spy:
    """A context that notes what is made and released."""

    def __init__(self, context: moderngl.Context, made: list[str], released: list[str]) -> None:
        self.context, self.made, self.released = context, made, released

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.context, name)
        if name not in ("texture", "program", "vertex_array", "framebuffer"):
            return attribute

        def make(*args: Any, **kwargs: Any) -> Any:
            thing = attribute(*args, **kwargs)
            self.made.append(name)
            release = thing.release

            def note() -> None:
                self.released.append(name)
                release()

            thing.release = note
            return thing

        return make


@pytest.mark.parametrize("path", SHADERS, ids=[path.stem for path in SHADERS])
def test_every_shader_draws_at_every_aspect_ratio(context: moderngl.Context, path: Path) -> None:
    shader = isf.load(path)
    assert path.parent.name == f"{shader.kind}s"
    assert shader.description, f"{path.name} has no DESCRIPTION"
    sound = np.linspace(0, 1, 1024, dtype=np.float32)
    values = {p.name: sound if p.kind == "sound" else p.default for p in shader.parameters}
    images = [picture(context, np.arange(144).reshape(9, 16)) for _ in shader.images]
    for size in ((640, 360), (360, 640), (1, 1)):
        unit = Shader(context, shader, size)
        for frame in range(3):
            moment = Moment(frame / 30, frame, 1 / 30, frame / 15, frame / 60, 120.0)
            texture = unit.render(moment, values | {"progress": 0.5}, *images)
        assert texture.size == size and context.error == "GL_NO_ERROR"
        unit.release()


@pytest.mark.parametrize("path", SHADERS, ids=[path.stem for path in SHADERS])
def test_transitions_begin_and_end_with_their_images(context: moderngl.Context, path: Path) -> None:
    shader = isf.load(path)
    if shader.kind != "transition":
        return
    images = [picture(context, np.arange(64).reshape(8, 8) * step) for step in (1, 3)]
    for progress, image in zip((0.0, 1.0), images, strict=True):
        stage = Stage(context, shader, (8, 8))
        difference = stage.frame(*images, progress=progress)[:, :, :3].astype(int) - pixels(image)[:, :, :3]
        assert abs(difference).max() <= 1, f"{path.name} at progress {progress}"


@pytest.mark.parametrize(
    ("name", "parts"),
    [("fade", {0.25: 0.25, 0.5: 0.5, 0.75: 0.75}), ("cut", {0.0: 0, 0.499: 0, 0.5: 1, 0.501: 1, 1.0: 1})],
)
def test_a_plain_fade_and_a_cut(context: moderngl.Context, name: str, parts: dict[float, float]) -> None:
    rows = np.arange(64).reshape(8, 8)
    images = [picture(context, rows), picture(context, rows * 3)]
    stage = Stage(context, isf.load(ROOT / f"shaders/transitions/{name}.fs"), (8, 8))
    for progress, part in parts.items():
        expected = rows * (1 + 2 * part)
        assert abs(stage.frame(*images, progress=progress)[:, :, 0] - expected).max() <= 0.5
