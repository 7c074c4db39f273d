"""`perform demonstrate`: what can be chosen, tables, presets that are written, a session as it is played."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from perform import show
from perform.cli import app
from perform.clock import Moment
from perform.demonstrations import live, preset
from perform.demonstrations.demonstration import Demonstration
from perform.demonstrations.fit import fit
from perform.demonstrations.live import DemonstrationPlan, DemonstrationRequest
from perform.demonstrations.search import PictureSearch
from perform.demonstrations.targets import between_seeds, formula_texts, mapping_targets
from perform.demonstrations.trainer import MappingTrainer
from perform.library import Library
from perform.library.vocabulary import VOCABULARY
from perform.scenes.mapping import Example, MappingPlayer, SignalMapping, read_mapping
from perform.scenes.reader import read_scene
from perform.scenes.scene import Scene
from perform.signals import Event, Signals
from tests.doubles.library import save, write_library
from tests.doubles.waiting import eventually

FPS = 30
POSED = """# The idea.
title = "Posed"

[generator]
shader = "colour"   # red
tint = ["0.25 * midi.cc1", 0, 0, 1]

[[filter]]
shader = "invert"
amount = 0.5        # half

[transition]
beats = 0
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_library(tmp_path)
    save(tmp_path / "presets/posed.toml", POSED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def library() -> Library:
    return Library(Path.cwd())


def scene(name: str = "posed") -> Scene:
    return read_scene(library().preset_file(name), library())


class Still:
    """A trainer that answers immediately, in the same frame."""

    def __init__(self) -> None:
        self.done: MappingPlayer | None = None

    def request(self, method: str, signals: list[str], values: list[str], examples: list[Example]) -> None:
        self.done = MappingPlayer(SignalMapping("pose", fit(method, signals, values, examples)))

    def take(self) -> MappingPlayer | None:
        done, self.done = self.done, None
        return done


class Played:
    """A session with frames."""

    def __init__(
        self, *keys: str, seeds: tuple[int, ...] = (), name: str = "posed", before: object = ()
    ) -> None:
        begun = between_seeds(scene(name), seeds)
        self.search = PictureSearch(begun, mapping_targets(begun, keys, seeds))
        self.session = Demonstration("pose", "ridge", ["midi.cc2"], self.search, Still(), before)  # type: ignore[arg-type]
        self.signals, self.frame = Signals(), 0
        self.said: dict[str, float] = {}
        self.step()

    def step(self, **values: float) -> dict[str, float]:
        """A frame with the values of signals: cc2=0.5, k=1."""
        long = {"midi.": ("cc1", "cc2"), "key.": (*"kzpno", "left", "right", "up", "down")}
        events = [
            Event(self.frame / FPS, prefix + name, value)
            for name, value in values.items()
            for prefix, names in long.items()
            if name in names
        ]
        moment = Moment(self.frame / FPS, self.frame, 1 / FPS, 0, 0, 120)
        self.signals = self.signals.after(moment, events)
        self.said = self.session.step(moment, self.signals)
        self.frame += 1
        return self.said

    def press(self, key: str) -> dict[str, float]:
        self.step(**{key: 1.0})
        return self.step(**{key: 0.0})


def test_postures_and_pictures_become_a_mapping() -> None:
    played = Played("generator.tint", "filter[0].amount")
    played.step(cc1=1.0, cc2=0.0)
    assert played.said["learned.pose.tint_red"] == 0.25  # what the preset itself makes of it
    played.press("k")
    played.step(cc1=0.0, cc2=1.0)
    played.press("k")
    assert [one.signals for one in played.session.examples] == [[0.0], [1.0]]
    assert played.session.examples[0].values == [0.25, 0.0, 0.0, 1.0, 0.5]
    played.press("p")
    for posture, red in ((0.0, 0.25), (0.5, 0.125), (1.0, 0.0)):
        assert played.step(cc2=posture)["learned.pose.tint_red"] == pytest.approx(red, abs=0.01)
    played.press("p")
    assert played.step(cc2=0.0)["learned.pose.tint_red"] == 0.0


def test_targets_are_drawn_nudged_and_reset() -> None:
    played = Played("filter[0].amount")
    assert played.step() == {"learned.pose.amount": 0.5, "learned.pose": 0.5}
    assert played.press("up")["learned.pose.amount"] == pytest.approx(0.55)
    played.press("down")
    assert played.press("down")["learned.pose.amount"] == pytest.approx(0.45)
    drawn = {played.press("n")["learned.pose"] for _ in range(5)}
    assert len(drawn) == 5 and all(0 <= one <= 1 for one in drawn)
    assert played.press("o")["learned.pose"] == 0.5
    again = Played("filter[0].amount")
    assert {again.press("n")["learned.pose"] for _ in range(5)} == drawn


def test_values_are_chosen_in_turn() -> None:
    played = Played("generator.tint", "filter[0].amount")
    played.press("left")
    assert played.press("up")["learned.pose.amount"] == pytest.approx(0.55)
    played.press("right")
    assert played.press("up")["learned.pose.tint_red"] == pytest.approx(0.05)


def test_the_last_example_is_undone() -> None:
    played = Played("filter[0].amount")
    for posture in (0.0, 1.0):
        played.step(cc2=posture)
        played.press("k")
    assert len(played.press("z") and played.session.examples) == 1
    played.press("z")
    played.press("z")
    played.press("p")
    assert played.session.examples == []
    assert played.step()["learned.pose"] == 0.5  # nothing is learned, so there is nothing to play


def test_a_demonstration_continues_from_its_examples() -> None:
    before = [Example(signals=[v], values=[v]) for v in (0.0, 1.0)]
    played = Played("filter[0].amount", before=before)
    played.press("p")
    assert played.step(cc2=0.75)["learned.pose"] == pytest.approx(0.75, abs=0.01)
    played.press("k")
    assert len(played.session.examples) == 3


def test_a_point_between_seeds_is_learned() -> None:
    played = Played(seeds=(3, 14, 15), name="neural")
    played.step()
    assert played.said == {f"learned.pose.seed{seed}": float(seed == 3) for seed in (3, 14, 15)}
    for _ in range(4):
        found = played.press("n")
        assert sorted(found.values()) == [0, 0, 1]


def test_the_choices_are_listed() -> None:
    with pytest.raises(
        LookupError, match=r"no parameter filter\[0\]\.amuont to play; there are filter\[0\]\.amount"
    ):
        mapping_targets(scene(), ["filter[0].amuont"])
    with pytest.raises(LookupError, match="nothing to learn"):
        mapping_targets(scene(), [])
    with pytest.raises(ValueError, match="a shader has no latent space"):
        between_seeds(scene(), (1, 2))
    with pytest.raises(ValueError, match=r"must be 2\.\.8 different ones"):
        between_seeds(scene("neural"), (1, 1))


def test_every_value_has_a_name() -> None:
    twice = POSED + '[[filter]]\nshader = "invert"\n'
    save(Path("presets/twice.toml"), twice)
    found = mapping_targets(scene("twice"), ["filter[0].amount", "filter[1].amount"])
    assert [one.value for one in found] == ["filter0_amount", "filter1_amount"]


def test_a_preset_is_written_with_its_comments() -> None:
    chosen = mapping_targets(scene(), ["generator.tint", "filter[0].amount"])
    text = preset.insert_formulas(POSED, formula_texts("pose", chosen))
    assert [line for line in text.splitlines() if "#" in line] == [
        "# The idea.", 'shader = "colour"   # red', 'amount = "learned.pose.amount"        # half'
    ]  # fmt: skip
    table = tomllib.loads(text)
    assert table["generator"]["tint"] == [f"learned.pose.tint_{c}" for c in ("red", "green", "blue", "alpha")]


def test_a_latent_path_is_written() -> None:
    old = '[latent]\npath = "walk"\nspeed = 2 # fast\nmix = 0.25\n'
    table = tomllib.loads(preset.insert_formulas(old, {"latent.weight1": "learned.pose.seed3"}, (3, 14)))
    assert table["latent"] == {
        "path": "weights",
        "mix": 0.25,
        "seeds": [3, 14],
        "weight1": "learned.pose.seed3",
    }
    text = preset.insert_formulas(
        'title = "A"\n[generator]\nmodel = "untrained-small"\n', {"latent.weight1": "learned.a"}, (1, 2)
    )
    assert tomllib.loads(text)["latent"]["seeds"] == [1, 2]


ROWS = "midi.cc2,filter[0].amount\n0,0.25\n\n1,0.75\n"


def test_a_table_is_learned_written_and_played() -> None:
    Path("examples.csv").write_text(ROWS)
    command = ["demonstrate", "posed", "pose", "--signals", "midi.cc2", "--parameters", "filter[0].amount"]
    done = CliRunner().invoke(app, [*command, "--from", "examples.csv", "--save", "presets/mine.toml"])
    assert done.exit_code == 0, done.output
    found = show.load(Path("presets/mine.toml"), library())
    assert found.mappings == (read_mapping(Path("learned/pose.toml"), VOCABULARY),)
    assert found.mappings[0].text.method == "ridge"
    done = CliRunner().invoke(app, ["demonstrate", "posed", "pose", "--again", "--method", "nearest"])
    assert done.exit_code == 0, done.output
    assert read_mapping(Path("learned/pose.toml"), VOCABULARY).text.method == "nearest"
    assert read_mapping(Path("learned/pose.toml"), VOCABULARY).text.example == found.mappings[0].text.example
    done = CliRunner().invoke(app, [*command, "--from", "examples.csv", "--save", "presets/mine.toml"])
    assert done.exit_code == 1 and "is there already" in done.output


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("", "cannot be read as a table: it is empty"),
        ("midi.cc2\n0\n", "has no column amount or filter[0].amount, it has midi.cc2"),
        ("midi.cc2,amount\n0,0.5\n1,x\n", "row 3: amount = 'x', must be a number"),
        ("midi.cc2,amount\n0\n", "row 2: amount = '', must be a number"),
        ("midi.cc2,amount\n0,1.5\n", "row 2: filter[0].amount = 1.5, must be 0..1"),
        ("midi.cc2,amount\nnan,1\n", "row 2: midi.cc2 = 'nan', must be a number"),
        ("midi.cc2,amount\n", "has 0 rows, must have 1..2000"),
    ],
)
def test_a_wrong_table_gives_a_clear_error(rows: str, fault: str) -> None:
    Path("examples.csv").write_text(rows)
    lesson = DemonstrationPlan.of(
        DemonstrationRequest("posed", "pose", ("midi.cc2",), ("filter[0].amount",)), library()
    )
    with pytest.raises(ValueError) as error:
        lesson.of_table(Path("examples.csv"))
    assert fault in str(error.value) and str(error.value).startswith("examples.csv")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["nowhere", "pose", "--signals", "midi.cc2"], "there is no such setlist or preset"),
        (["demo", "pose", "--signals", "midi.cc2"], "demo is a setlist, must be a preset"),
        (["posed", "pose"], "the signals are missing"),
        (["posed", "../pose"], "must be a word of small letters"),
        (["posed", "Pose"], "name 'Pose', must be a word of small letters"),
        (
            ["posed", "pose", "--method", "forest", "--signals", "midi.cc2"],
            "method 'forest', must be one of ridge, nearest, mlp",
        ),
        (
            ["posed", "pose", "--parameters", "filter[0].amount", "--signals", "midi.cx"],
            "unknown signal midi.cx",
        ),
        (["posed", "pose", "--seeds", "a"], "seeds 'a', must be whole numbers"),
        (["posed", "pose", "--again"], "nothing was shown yet"),
    ],
)
def test_a_wrong_target_gives_a_clear_error(arguments: list[str], fault: str) -> None:
    done = CliRunner().invoke(app, ["demonstrate", *arguments])
    assert done.exit_code == 1
    assert fault in " ".join(done.output.split())


@pytest.fixture
def trainer() -> Iterator[MappingTrainer]:
    unit = MappingTrainer("pose")
    yield unit
    unit.close()


def test_a_trainer_learns_survives_its_process_and_answers_the_newest(trainer: MappingTrainer) -> None:
    taken: list[SignalMapping] = []

    def asked(method: str) -> None:
        examples = [Example(signals=[v], values=[v]) for v in (0.0, 0.5, 1.0)]
        trainer.request(method, ["midi.cc2"], ["light"], examples)

    def look() -> None:
        if one := trainer.take():
            taken.append(one.mapping)

    asked("mlp")
    eventually(lambda: taken, "the first mapping", look)
    assert taken[0].text.method == "mlp"
    assert trainer._process is not None  # nobody but the trainer knows its process
    os.kill(trainer._process.pid, 9)
    trainer._process.wait()
    asked("nearest")
    eventually(lambda: len(taken) > 1 or trainer.fault, "the second", look)
    asked("forest")
    eventually(lambda: "method 'forest'" in trainer.fault, "the fault", look)
    for _ in range(50):
        asked("nearest")
    asked("ridge")
    eventually(lambda: taken[-1].text.method == "ridge", "the newest", look)
    assert len(taken) < 20


def test_a_live_show_is_demonstrated() -> None:
    from pythonosc.udp_client import SimpleUDPClient

    from perform.inputs.osc import Osc

    asked = DemonstrationRequest("posed", "pose", ('osc["/hand"]',), ("filter[0].amount",), method="nearest")
    options = show.Options(size=(64, 36), headless=True, osc_port=0, fps=60)
    rig, session, trainer = live.open_demonstration(
        DemonstrationPlan.of(asked, library()), options, library()
    )
    osc = Osc(port=0, now=rig.clock.now)
    rig.inputs.append(osc)
    client = SimpleUDPClient("127.0.0.1", osc.port)
    file = Path("learned/pose.toml")

    def amount() -> float:
        return float(rig.performance.cues[0].scene.controls[-1].last["amount"])

    def hand(value: float) -> None:
        client.send_message("/hand", value)
        eventually(lambda: rig.performance.signals.number('osc["/hand"]', 9) == value, step=rig.frame)

    def keep() -> None:
        count = len(session.examples)
        client.send_message("/demonstrate/keep", [])
        eventually(lambda: len(session.examples) > count, step=rig.frame)

    try:
        rig.frame()
        hand(0.0)
        keep()
        hand(1.0)
        client.send_message("/demonstrate/up", [])
        eventually(lambda: amount() == pytest.approx(0.55), step=rig.frame)
        keep()
        hand(2.0)
        client.send_message("/filter/invert/amount", 0.875)  # a slider of a tablet holds it
        eventually(lambda: amount() == 0.875, step=rig.frame)
        keep()
        eventually(lambda: session.learned and len(session.learned.text.example) == 3, step=rig.frame)
        eventually(lambda: file.is_file() and len(read_mapping(file, VOCABULARY).text.example) == 3)
        client.send_message("/demonstrate/play", [])
        eventually(lambda: session.playing, step=rig.frame)
        for posture, wanted in ((0.0, 0.5), (1.0, 0.55), (2.0, 0.875)):
            hand(posture)
            assert amount() == pytest.approx(wanted)
        assert not rig.stage.faults.counts
    finally:
        trainer.close()
        rig.close()
    examples = read_mapping(file, VOCABULARY).text.example
    assert [one.values[0] for one in examples] == pytest.approx([0.5, 0.55, 0.875])


def test_the_command_plays_and_reports_that_nothing_was_saved() -> None:
    chosen = ["--signals", "midi.cc2", "--parameters", "filter[0].amount", "--osc", "0", "--audio", "none"]
    done = CliRunner().invoke(
        app, ["demonstrate", "posed", "pose", *chosen, "--headless", "--seconds", "0.2", "--size", "64x36"]
    )
    assert done.exit_code == 0, done.output
    assert "keep this posture" in done.output and "nothing was kept" in done.output
