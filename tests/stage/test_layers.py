"""Layers of a show, with real pictures: drawn over each other, played by hand, and edited."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perform.documents import SceneError
from tests.doubles.library import CUT, NEURAL, save
from tests.doubles.rig_shows import Show, shows_of
from tests.doubles.waiting import eventually

GREEN, RED_ = "tint = [0, 1, 0, 1]", "tint = [1, 0, 0, 1]"


def flat(tint: str, *settings: str) -> str:
    return "\n".join(("[[layer]]", *settings, "[layer.generator]", 'shader = "colour"', tint, ""))


def preset(*layers: str, rest: str = "") -> str:
    return f'title = "Layers"\n{"".join(layers)}{rest}\n{CUT}'


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Show]]:
    yield from shows_of(tmp_path, "presets/layers.toml")


def test_layers_are_blended_from_the_lowest_up(start: Callable[[str], Show]) -> None:
    show = start(
        preset(flat(RED_), flat("tint = [0, 0, 1, 1]", 'blend = "add"'), flat(GREEN, "opacity = 0.0"))
    )
    assert show.pixel() == (255, 0, 255)
    assert show.pixel(("/layer/3/opacity", 1.0)) == (0, 255, 0)
    assert show.pixel(("/layer/3/visible", 0.0)) == (255, 0, 255)
    assert show.pixel(("/layer/2/blend", "multiply")) == (0, 0, 0)
    assert show.pixel(("/layer/1/generator/tint.2", 1.0)) == (0, 0, 255)
    assert show.pixel(("/release", 1.0)) == (255, 0, 255)


def test_filters_of_a_layer_and_of_the_scene(start: Callable[[str], Show]) -> None:
    own = '[[layer.filter]]\nshader = "invert"\n'
    show = start(
        preset(flat(RED_), flat(GREEN, 'blend = "add"') + own, rest='[[filter]]\nshader = "invert"\n')
    )
    assert show.pixel() == (0, 255, 0)  # the inverse of red with the inverse of green
    assert show.pixel(("/filter/invert/amount", 0.0)) == (255, 0, 255)
    assert show.pixel(("/layer/2/filter/invert/amount", 0.0)) == (255, 255, 0)


def test_a_matte_is_drawn_though_it_is_not_visible(start: Callable[[str], Show]) -> None:
    mask = flat("tint = [1, 1, 1, 0]", 'name = "mask"', "visible = false")
    show = start(preset(flat(RED_), flat(GREEN, 'matte = "mask"'), mask))
    assert show.pixel() == (255, 0, 0)
    assert show.pixel(("/layer/3/generator/tint.3", 1.0)) == (0, 255, 0)
    assert show.pixel(("/layer/2/matte_invert", 1.0)) == (255, 0, 0)


def test_an_edit_keeps_what_is_held(start: Callable[[str], Show]) -> None:
    over = flat(GREEN, 'name = "over"', "opacity = 0.0")
    show = start(preset(flat(RED_), over))
    assert show.pixel(("/layer/2/opacity", 1.0)) == (0, 255, 0)
    show.edit("presets/layers.toml", preset(flat("tint = [0, 0, 1, 1]"), over))
    assert show.pixel() == (0, 255, 0)
    assert show.pixel(("/layer/2/opacity/release", 1.0)) == (0, 0, 255)
    show.edit("presets/layers.toml", preset(flat("tint = [0, 0, 1, 1]")))
    assert show.pixel() == (0, 0, 255)
    show.edit("presets/layers.toml", f'title = "Layers"\n[generator]\nshader = "colour"\n{RED_}\n{CUT}')
    assert show.pixel() == (255, 0, 0)


def test_what_is_held_goes_with_its_layer(start: Callable[[str], Show]) -> None:
    red, green = flat(RED_, 'name = "red"'), flat(GREEN, 'name = "green"', 'blend = "add"')
    blue = flat("tint = [0, 0, 1, 1]", 'name = "blue"', 'blend = "add"')
    show = start(preset(red, green))
    assert show.pixel(("/layer/2/opacity", 0.0)) == (255, 0, 0)
    show.edit("presets/layers.toml", preset(red, blue, green))
    assert show.pixel() == (255, 0, 255)  # green is still hidden
    show.edit("presets/layers.toml", preset(green, red))
    assert show.pixel(("/layer/2/blend", "add")) == (255, 0, 0)
    assert show.pixel(("/layer/1/opacity/release", 1.0)) == (255, 255, 0)
    show.edit("presets/layers.toml", preset(green.replace('"green"', '"lime"'), red))
    assert show.pixel() == (255, 255, 0)


def test_a_broken_edit_keeps_all_layers(start: Callable[[str], Show]) -> None:
    show = start(preset(flat(RED_), flat(GREEN, 'blend = "add"')))
    assert show.pixel() == (255, 255, 0)
    show.edit("shaders/generators/colour.fs", "/*{}*/ void main() { gl_FragColor = nothing; }")
    assert show.pixel() == (255, 255, 0)


def test_a_frozen_picture_stays_when_its_filter_is_edited_away(start: Callable[[str], Show]) -> None:
    plain = f'title = "F"\n[generator]\nshader = "colour"\n{CUT}'
    show = start(f'{plain}[[filter]]\nshader = "invert"\n')
    assert show.pixel() == (0, 255, 255)
    assert show.pixel(("/freeze", 1.0)) == (0, 255, 255)
    show.edit("presets/layers.toml", plain)
    assert show.pixel() == (0, 255, 255)
    assert show.pixel(("/master", 0.6)) == (0, 153, 153)
    assert show.pixel(("/freeze", 0.0)) == (153, 0, 0)
    assert not show.rig.faults.counts


def test_a_network_in_a_layer(start: Callable[[str], Show]) -> None:
    layer = '[[layer]]\nopacity = "audio.level"\n[layer.generator]\nmodel = "untrained-small"\n'
    show = start(preset(flat(RED_), layer))
    assert show.pixel() == (255, 0, 0)
    assert show.pixel(("audio.level", 1.0)) != (255, 0, 0)


def test_the_latent_path_of_a_layer_that_is_not_seen_goes_on(start: Callable[[str], Show]) -> None:
    walk = '[layer.generator]\nmodel = "untrained-small"\n[layer.latent]\nspeed = 3\n'
    show = start(preset(f"[[layer]]\n{walk}", f'[[layer]]\nblend = "difference"\nopacity = 0\n{walk}'))
    for _ in range(80):  # more than a bar
        show.pixel()
    assert show.memory.last and show.memory.last.pixels.max() > 50
    show.pixel(("/layer/2/opacity", 1.0))
    assert show.memory.last.pixels.max() == 0  # both are at the same point of their paths


def test_feedback_of_the_scene(start: Callable[[str], Show]) -> None:
    fading = '[[layer]]\nopacity = 0.5\n[layer.source]\nfeedback = "scene"\n'
    flash = flat("tint = [1, 1, 1, 1]", 'opacity = "osc[\\"/flash\\"]"')
    show = start(preset(fading, flash))
    assert show.pixel() == (0, 0, 0)
    assert show.pixel(("/flash", 1.0)) == (255, 255, 255)
    assert show.pixel(("/flash", 0.0))[0] in (127, 128)  # half of what was shown before
    assert show.pixel()[0] in (63, 64)


def test_feedback_of_the_stage_into_a_shader(start: Callable[[str], Show]) -> None:
    text = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "seen", "TYPE": "image"}]}*/
    void main() { gl_FragColor = vec4(1.0 - IMG_NORM_PIXEL(seen, isf_FragNormCoord).r, 0.0, 0.0, 1.0); }
    """
    folder = start(preset(flat(RED_))).folder
    (folder / "shaders/generators/negative.fs").write_text(text)
    show = start(
        f'title = "N"\n[generator]\nshader = "negative"\n[generator.seen]\nfeedback = "stage"\n{CUT}'
    )
    assert [show.pixel()[0] for _ in range(4)] == [255, 0, 255, 0]


def test_feedback_goes_on_at_another_size(start: Callable[[str], Show]) -> None:
    fading = '[[layer]]\nopacity = 0.5\n[layer.source]\nfeedback = "scene"\n'
    show = start(preset(fading, flat("tint = [1, 1, 1, 1]", 'opacity = "osc[\\"/flash\\"]"')))
    assert show.pixel(("/flash", 1.0)) == (255, 255, 255)
    show.rig.stage.resize((32, 18), show.rig.performance.cues)
    assert show.pixel(("/flash", 0.0))[0] in (127, 128)
    assert show.rig.picture and show.rig.picture.image.size == (32, 18)
    assert show.pixel()[0] in (63, 64)


def test_feedback_goes_on_in_a_morph(start: Callable[[str], Show]) -> None:
    text = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"},
        {"NAME": "seen", "TYPE": "image"}]}*/
    void main() { gl_FragColor = vec4(1.0 - IMG_NORM_PIXEL(seen, isf_FragNormCoord).r, 0.0, 0.0, 1.0); }
    """
    folder = start(preset(flat(RED_))).folder
    (folder / "shaders/filters/negative.fs").write_text(text)
    save(
        folder / "presets/negative.toml",
        f'{NEURAL}[[filter]]\nshader = "negative"\n[filter.seen]\nfeedback = "scene"\n',
    )
    cues = (
        '[[cue]]\nscene = "negative"\n[[cue]]\nscene = "neural"\ntransition = {path = "morph", beats = 16}\n'
    )
    show = start(f'title = "M"\nquantise = "off"\n{cues}')
    assert [show.pixel()[0] for _ in range(2)] == [255, 0]
    reds = [show.pixel(("/go", 1.0))[0] for _ in range(4)]
    assert show.rig.performance.position.before == 0
    assert [red > 127 for red in reds] == [True, False, True, False]


def test_feedback_of_what(start: Callable[[str], Show]) -> None:
    with pytest.raises(SceneError, match=r"layer\[0\].source.feedback = 'sene'.*must be one of scene, stage"):
        start(preset('[[layer]]\n[layer.source]\nfeedback = "sene"\n'))


def test_a_morph_of_layers_shows_what_a_morph_of_plain_scenes_shows(start: Callable[[str], Show]) -> None:
    def played(head: str, latent: str, rest: str) -> list[bytes]:
        folder = start(preset(flat(RED_))).folder
        for name, seed in (("first", 3), ("last", 8)):
            scene = f'{head}\nmodel = "untrained-small"\n{latent}\npath = "hold"\nseed = {seed}\n{rest}'
            save(folder / f"presets/{name}.toml", preset(scene))
        cues = '[[cue]]\nscene = "first"\n[[cue]]\nscene = "last"\ntransition = {path = "morph", beats = 2}\n'
        show = start(f'title = "M"\nquantise = "off"\n{cues}')

        def frame(go: float = 0) -> bytes:
            show.pixel(("/go", go))
            assert show.memory.last
            return show.memory.last.pixels.tobytes()

        eventually(lambda: any(frame()), "the model")
        return [frame(float(at == 1)) for at in range(20)]

    plain = played("[generator]", "[latent]", "")
    layered = played("[[layer]]\n[layer.generator]", "[layer.latent]", flat(GREEN, "opacity = 0.0"))
    assert len(set(plain)) > 10
    assert layered == plain
