"""Text as a source: where it stands, what it says, and what it does with bad fonts and files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.arrays import Pixels
from perform.clock import Moment
from perform.documents import SceneError
from perform.footage import FootageError
from perform.footage.text import (
    LINE,
    MOST_LETTERS,
    TEXT,
    Text,
    broken,
    filled,
    font_file,
    opened,
    without_glyph,
)
from perform.library import Library
from perform.scenes.reader import read_scene
from tests.doubles.library import CUT
from tests.doubles.rig_shows import Show, shows_of

SIZE = (160, 90)
NO_FONT = "there is no such file: write the path of a font; sans and mono are fonts, too"
MOMENT = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)
DEFAULTS = {parameter.name: parameter.default for parameter in TEXT}
LINE_ENDS = ("\r\n", "\r", "\x1c", "\x85", "\u2028", "\u2029")
BLOCK = "\u2588"  # fills its cell in the font mono


@pytest.fixture
def text(context: moderngl.Context) -> Iterator[Text]:
    text = Text(context, SIZE, "mono", "")
    yield text
    text.release()


def drawn(unit: Text, /, **values: Any) -> Pixels:
    """The image [height, width, 4], the top row first."""
    image = unit.render(MOMENT, DEFAULTS | values)
    width, height = image.size
    return np.frombuffer(image.read(), np.uint8).reshape(height, width, 4)[::-1]


def edges(pixels: Pixels) -> tuple[int, ...]:
    """First and last row, first and last column with more than half ink."""
    rows, columns = np.nonzero(pixels[..., 3] > 127)
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_the_controls_have_valid_defaults() -> None:
    assert [p.check(p.default) for p in TEXT] == [p.default for p in TEXT]


def test_nothing_is_clear(text: Text) -> None:
    assert not drawn(text).any()


def test_a_letter_stands_in_the_middle_in_its_colour(text: Text) -> None:
    pixels = drawn(text, text="H", size=0.5, color=(1.0, 0.5, 0.0, 1.0))
    top, bottom, left, right = edges(pixels)
    assert abs(left + right - 159) <= 1
    assert 30 <= bottom - top <= 36  # a capital is 0.73 of the size of 45 pixels
    assert abs(top + bottom - 89) <= 8
    assert set(map(tuple, pixels[pixels[..., 3] == 255])) <= {(255, 127, 0, 255), (255, 128, 0, 255)}
    assert (pixels[..., :3] <= pixels[..., 3:]).all()  # colours are times alpha


@pytest.mark.parametrize(("align", "wanted"), [("left", 80), ("right", 79)])
def test_lines_stand_at_their_place(text: Text, align: str, wanted: int) -> None:
    _, _, left, right = edges(drawn(text, text=BLOCK * 2, size=0.2, align=align))
    assert (left if align == "left" else right) == wanted


def test_its_place_is_counted_from_the_lower_left(text: Text) -> None:
    low = edges(drawn(text, text=BLOCK, size=0.2, place=(0.5, 0.25)))
    high = edges(drawn(text, text=BLOCK, size=0.2, place=(0.5, 0.75)))
    assert low[0] - high[0] == 45
    assert low[0] > 45 > high[1]


def test_lines(text: Text) -> None:
    one = edges(drawn(text, text="H", size=0.2))
    two = edges(drawn(text, text="H\nH", size=0.2))
    assert (two[1] - two[0]) - (one[1] - one[0]) == round(18 * LINE)


def test_a_long_line_is_broken_between_words() -> None:
    font = opened(font_file("mono"), 20)  # a letter is 12.04 pixels wide
    assert broken("ab cd ef", font, 62) == ["ab cd", "ef"]
    assert broken("ab cd ef", font, 1000) == ["ab cd ef"]
    assert broken("abcdef gh", font, 30) == ["abcdef", "gh"]
    assert broken("", font, 30) == [""]


@pytest.mark.parametrize(
    ("words", "value", "seen"),
    [
        ("{value} bpm", 120.0, "120 bpm"),
        ("{value:.2f}", 1 / 3, "0.33"),
        ("{value:+.0f}/{value:.1e}", 12.0, "+12/1.2e+01"),
        ("{value:zzz} {other} {value.__class__}", 1.0, "{value:zzz} {other} {value.__class__}"),
        ("{value:d}", 1.0, "{value:d}"),
        ("{value:12.2f}|", 1.0, "        1.00|"),
        ("{value:999999999}", 1.0, "{value:999999999}"),
        ("{value:.999999999f}", 1.0, "{value:.999999999f}"),
        ("x" * (MOST_LETTERS + 5), 0.0, "x" * MOST_LETTERS),
    ],
)
def test_a_value_in_a_text(words: str, value: float, seen: str) -> None:
    assert filled(words, value) == seen


def test_it_is_sharp_at_any_size(text: Text) -> None:
    small = edges(drawn(text, text=BLOCK, size=0.2))
    text.resize((640, 360))
    large = drawn(text, text=BLOCK, size=0.2)
    assert np.allclose(np.array(edges(large)) / 4, small, atol=1.5)
    assert (np.isin(large[..., 3], (0, 255))).mean() > 0.99  # no soft edge of an enlarged picture


def test_it_is_drawn_again_only_when_it_changes(text: Text) -> None:
    first = drawn(text, text="one")
    assert (drawn(text, text="one") == first).all()
    assert (drawn(text, text="one", place=(0.1, 0.1)) != first).any()
    assert (drawn(text, text="two") != first).any()
    assert (drawn(text, text="one") == first).all()


@pytest.mark.parametrize("end", LINE_ENDS)
def test_the_ends_of_lines(text: Text, end: str) -> None:
    assert (drawn(text, text=f"one{end}two") == drawn(text, text="one\ntwo")).all()


def test_of_many_lines_those_in_the_frame_are_drawn(text: Text) -> None:
    for lines in (199, 200):
        words = ["i"] * lines
        words[lines // 2] = BLOCK
        few = words[lines // 2 - 3 : lines // 2 + 3 + lines % 2]
        assert (
            drawn(text, text="\n".join(words), size=0.4) == drawn(text, text="\n".join(few), size=0.4)
        ).all()


@pytest.mark.parametrize(
    "words",
    [*LINE_ENDS, "\ud800", "\t", "\0\x07", "\u202e\u0301", "\U0001f600 \u4e16\u754c", "\n" * 50, "x" * 5000],
)
def test_odd_texts_are_drawn(text: Text, words: str) -> None:
    assert drawn(text, text=words).shape == (90, 160, 4)
    assert drawn(text, text=words, size=1.0, width=0.05).shape == (90, 160, 4)


def test_what_is_no_font(context: moderngl.Context, tmp_path: Path) -> None:
    (tmp_path / "bad.ttf").write_text("no font")
    for name in (tmp_path / "bad.ttf", tmp_path):
        with pytest.raises(FootageError, match="cannot be read as a font"):
            Text(context, SIZE, str(name), "")
    with pytest.raises(FootageError, match="there is no such file"):
        Text(context, SIZE, str(tmp_path / "gone.ttf"), "")


def test_letters_that_a_font_does_not_have_are_named_once(
    text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    assert without_glyph("Osaka {value} 100% \u00e9\u2026 e\u0301\n\t\0", font_file("sans")) == ""
    assert without_glyph("\u5927\u962a \u5927", font_file("sans")) == "\u5927\u962a"
    for words in ("Osaka", "\u5927\u962a", "\u5927\u962a!", "Osaka", "\u5927"):
        drawn(text, text=words)
    wanted = [
        f"text: DejaVuSansMono.ttf has no {one}: choose a font that has"
        for one in ("\u5927 \u962a", "\u5927")
    ]
    assert caplog.messages == wanted


def test_a_file_of_words(context: moderngl.Context, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("from a file\r\n", encoding="utf-8")
    text, plain = Text(context, SIZE, "mono", str(file)), Text(context, SIZE, "mono", "")
    assert (drawn(text) == drawn(plain, text="from a file")).all()
    assert (drawn(text, text="by hand") == drawn(plain, text="by hand")).all()
    with pytest.raises(FootageError, match=r"gone\.txt"):
        Text(context, SIZE, "mono", str(tmp_path / "gone.txt"))


def test_perform_check_reads_font_and_file(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(
        'title = "W"\n[source]\ntext = ""\nfont = "none.ttf"\nfile = "gone.txt"\n'
    )
    with pytest.raises(SceneError) as caught:
        read_scene(tmp_path / "x.toml", Library(tmp_path))
    assert [one.split(": ", 1)[1] for one in caught.value.faults[:2]] == [
        "source.font = 'none.ttf': " + NO_FONT,
        "source.file = 'gone.txt': gone.txt: No such file or directory",
    ]


def test_all_faults_of_a_source_are_there_at_once(tmp_path: Path) -> None:
    def faults(source: str) -> list[str]:
        file = tmp_path / "x.toml"
        file.write_text(f'title = "W"\n[source]\n{source}')
        with pytest.raises(SceneError) as caught:
            read_scene(file, Library(tmp_path))
        lines = (one.removeprefix(f"{file}: ") for one in caught.value.faults)
        return [one for one in lines if one.startswith("source")]  # there is no transition, either

    assert faults('text = 5\nsize = 3\nalign = "middle"\nplace = "left"\nwdth = 1') == [
        "source.text = 5, must be text",
        "source.size = 3, must be 0.005..1",
        "source.align = 'middle', must be one of left, center, right",
        "source.place = 'left', must be a list of 2 numbers or formulas",
        "source.wdth is unknown; did you mean width?",
    ]
    kinds = "film, still, camera, ndi, spout, syphon, text, feedback, shader"
    assert faults('txt = "A"') == [f"source must have one of {kinds}; did you mean text?"]
    assert faults('text = "A"\nshader = "a"') == ["source has text and shader: a source has one of these"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Show]]:
    yield from shows_of(tmp_path, "presets/words.toml")


def test_a_message_changes_the_text_of_a_layer(start: Callable[[str], Show]) -> None:
    layer = f'[[layer]]\n[layer.source]\ntext = ""\nsize = 1\nfont = "mono"\n{CUT}'
    show = start(f'title = "Words"\n[[layer]]\n[layer.generator]\nshader = "colour"\n{layer}')
    assert show.pixel() == (255, 0, 0)
    assert show.pixel(("/layer/2/generator/text", BLOCK)) == (255, 255, 255)
    assert show.pixel(("/release", 1.0)) == (255, 0, 0)


def test_a_number_is_shown_as_it_is_written(start: Callable[[str], Show]) -> None:
    show = start(f'title = "Words"\n[source]\ntext = "a"\n{CUT}')
    for number, words in ((120.0, "120"), (0.5, "0.5"), (0.0, "0")):
        show.pixel(("/source/text", number))
        assert show.rig.performance.snapshot().values["/generator/text"] == (words,)


def test_a_font_that_is_not_there_is_a_fault(start: Callable[[str], Show]) -> None:
    with pytest.raises(SceneError, match=f"source.font = 'none.ttf': {NO_FONT}"):
        start(f'title = "W"\n[source]\ntext = "a"\nfont = "none.ttf"\n{CUT}')
