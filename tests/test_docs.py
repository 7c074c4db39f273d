"""The documents describe what the code declares."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from perform.outputs.codecs import CODECS, SUFFIXES

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_reference_page_is_up_to_date() -> None:
    from scripts import reference

    assert (ROOT / "docs/formulas.md").read_text(encoding="utf-8") == reference.text()


def test_the_command_line_page_is_up_to_date() -> None:
    from scripts import command_line

    assert (ROOT / "docs/command-line.md").read_text(encoding="utf-8") == command_line.text()


def test_the_codecs_of_the_page_are_those_of_the_recorder() -> None:
    page = (ROOT / "docs/recording.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([.\w ]+) \| (.*) \| (.*) \| .* \|$", page, re.MULTILINE)
    assert {name: tuple(suffixes.split()) for name, suffixes, *_ in rows} == {
        name: tuple(sorted(codec.suffixes, key=SUFFIXES.index)) for name, codec in CODECS.items()
    }
    for name, _, allowed, default in rows:
        assert default.strip("`-") == CODECS[name].default
        numbers = CODECS[name].qualities
        if isinstance(numbers, tuple):
            assert f"{numbers[0]} to {numbers[1]}" in allowed


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in PAGES[1:] if page.name != "README.md" and f"({page.name})" not in index
    ] == []


def test_the_steps_of_the_first_preset_play(tmp_path: Path) -> None:
    """Every file on the page, in the project that its first command makes."""
    from perform.commands.new import write_project
    from perform.show import find, load, open_library

    steps = TOML.findall((ROOT / "docs/first-preset.md").read_text(encoding="utf-8"))
    project = tmp_path / "tulips"
    write_project(project)
    for text in steps[:-1]:
        mine = project / "presets/mine.toml"
        mine.write_text(text, encoding="utf-8")
        assert load(mine, open_library(str(mine))).title == "Mine"
    with (project / "setlist.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{steps[-1]}")
    setlist = load(find(str(project), open_library(str(project))), open_library(str(project)))
    assert [(cue.scene.title, cue.seconds) for cue in setlist.cues][2:] == [("Mine", 20.0)]


def test_the_setlist_of_the_page_is_read(tmp_path: Path) -> None:
    from perform.show import load, open_library

    texts = TOML.findall((ROOT / "docs/setlists.md").read_text(encoding="utf-8"))
    file = tmp_path / "friday.toml"
    file.write_text("\n".join(texts), encoding="utf-8")
    PillowImage.new("RGB", (8, 8)).save(tmp_path / "logo.png")
    setlist = load(file, open_library(str(file)))
    assert [(cue.bars, cue.seconds) for cue in setlist.cues] == [(8, None), (None, 12.5), (None, None)]
    assert setlist.over and [one.name for one in setlist.over.filters] == ["grade"]


def test_the_presets_of_layers_are_read(tmp_path: Path) -> None:
    from perform.scenes.reader import read_scene
    from perform.show import open_library

    whole, part = TOML.findall((ROOT / "docs/layers.md").read_text(encoding="utf-8"))
    file = tmp_path / "mine.toml"
    for text, count in ((whole, 3), (f'title = "T"\n{part}', 1)):
        file.write_text(text, encoding="utf-8")
        assert len(read_scene(file, open_library(str(file))).layers) == count


def test_the_messages_of_troubleshooting_are_those_of_the_program() -> None:
    """Three words in a row of each message stand in the code, or two that stand there seldom."""
    files = [*(ROOT / "perform").rglob("*.py"), ROOT / "scripts/setup.sh"]
    texts = (re.sub(r'"\s*f?"', "", file.read_text(encoding="utf-8")) for file in files)
    code = " ".join(" ".join(texts).split())
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    messages = re.findall(r"^\| `([^`]+)` (?:\||or)", page, re.MULTILINE)
    assert len(messages) > 20
    assert [message for message in messages if not _is_printed(message.split(), code)] == []
    assert not _is_printed(["there", "is", "no", "such", "message:", "must", "be", "invented"], code)


def _is_printed(words: list[str], code: str) -> bool:
    pairs = [" ".join(pair) for pair in pairwise(words)]
    triples = [" ".join(words[at : at + 3]) for at in range(len(words) - 2)]
    triples = [one for one in triples if one not in ("there is no", "is no such")]
    return any(one in code for one in triples) or any(0 < code.count(pair) <= 3 for pair in pairs)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_have_targets(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing
