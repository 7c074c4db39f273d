"""The bench of the stage: what it counts is what is there, and its small shows play."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from perform import show
from perform.bench import Figure, stage
from perform.bench.stage import changes, objects, stages
from perform.bench.stage.held import Held, OpenObjects, descriptors, growth_figures, memory_figures, traced
from perform.bench.stage.played import NO_GOVERNOR, Governed, Hand
from perform.bench.stage.written import deck, open_show, setlist, write_files
from perform.cli import app
from perform.clock import OfflineClock
from perform.library import Library
from perform.performance.scene import LatentSource
from perform.render.context import headless
from perform.render.targets import Target
from perform.rig import Rig
from tests.doubles.rig_shows import Show, shows

SMALL = (32, 18)


def values(figures: Iterator[Figure]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}


def held(memory: float = 100.0, textures: int = 3, sockets: int = 1, threads: int = 2) -> Held:
    return Held(memory, {"Texture": textures}, {"socket": sockets}, {"models": threads})


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Show]:
    opened = shows(tmp_path)
    yield next(opened)()
    next(opened, None)


def test_objects_are_counted_by_the_line_that_made_them() -> None:
    before = vars(headless().__class__.__mro__[-2])["texture"]
    with traced() as found:
        context = headless()
        kept, gone = Target(context, SMALL, double=True), Target(context, SMALL)
        gone.release()
        counts = found.count()
        kept.release()
        assert found.count() == {}
    assert sorted(counts.values()) == [2, 2]
    assert {kind.rpartition(":")[0] for kind in counts} == {
        "Texture of tests/bench/test_bench_stage.py",
        "Framebuffer of tests/bench/test_bench_stage.py",
    }
    assert vars(headless().__class__.__mro__[-2])["texture"] is before


def test_descriptors_are_counted_by_kind(tmp_path: Path) -> None:
    before = descriptors()
    with (tmp_path / "a.txt").open("w"):
        read, write = os.pipe()
        more = descriptors() - before
        os.close(read)
        os.close(write)
    assert more == {str(tmp_path / "a.txt"): 1, "pipe": 2}
    assert descriptors() == before


def test_a_leak_misses_its_goal_and_is_named() -> None:
    leak = [held(textures=3 + count // 2, sockets=2 - count % 2) for count in range(16)]
    figures = {figure.name: figure for figure in growth_figures(leak, flat=True)}
    assert figures["gl_objects_growth"] == Figure(
        "gl_objects_growth", 4.0, "objects", 0.0, False, "4 more Texture"
    )
    for name in ("descriptors_growth", "threads_growth"):
        assert (figures[name].value, figures[name].met, figures[name].note) == (0, True, "")
    assert all(figure.met is None for figure in growth_figures(leak, flat=False))


def test_memory_is_that_of_the_last_quarter_after_the_second() -> None:
    grown = [held(100.0 + 2 * count) for count in range(16)]
    figures = {figure.name: figure for figure in memory_figures(grown, 30.0, flat=True)}
    assert (figures["memory_mib"].value, figures["memory_growth_mib"].value) == (127.0, 16.0)
    assert figures["memory_growth_mib"].met is False
    assert figures["memory_slope"].value == pytest.approx(60.0)
    even = memory_figures([held(50.0), *[held(100.0)] * 15], 30.0, flat=True)
    assert {one.name: one.met for one in even}["memory_growth_mib"] is True


def test_a_hand_plays_the_next_frame(small: Show) -> None:
    hand = Hand(small.rig)
    assert small.pixel() == (255, 0, 0)
    hand.say("/go")
    assert small.pixel() == (0, 0, 255)
    edited = small.rig.performance.setlist
    hand.edit(replace(edited, title="Edited"))
    small.pixel()
    assert small.rig.performance.setlist.title == "Edited"
    assert small.pixel() == (0, 0, 255)


def test_without_a_governor_it_says_so(small: Show) -> None:
    governed = Governed(small.rig)
    governed.frame()
    assert list(governed.figures("_a")) == [Figure("governor_changes_a", 0, "changes", note=NO_GOVERNOR)]


def test_the_stages_of_a_frame_add_up_to_its_phases(small: Show) -> None:
    phases = dict(small.rig.timings.phases)
    times = stages.StageTimes(small.rig)
    for _ in range(3):
        times.frame()
    passed = {name: small.rig.timings.phases[name] - before for name, before in phases.items()}
    assert sum(map(sum, times.frames.values())) == pytest.approx(sum(passed.values()) - passed["wait"])
    assert min(times.frames["sources"]) > 0
    assert times.frames["filters"] == times.frames["limiter"] == [0.0] * 3
    names = [figure.name for figure in times.figures("_x")]
    assert names == [f"{name}_ms_{kind}_x" for name in stages.STAGES for kind in ("mean", "p99")]


def test_a_unit_is_counted_once_in_its_stage(small: Show) -> None:
    stages.StageTimes(small.rig)
    again = stages.StageTimes(small.rig)
    again.frame()
    assert again.frames["sources"] == [0.0]  # the first still has them


def test_both_decks_have_four_layers_with_three_filters_each(tmp_path: Path) -> None:
    files = {f"presets/deck{n}.toml": deck(n) for n in (0, 1)}
    files["setlists/decks.toml"] = setlist("Decks", ["deck0", "deck1"])
    library = write_files(tmp_path, files)
    played = show.load(show.find("decks", library), library)
    for cue in played.cues:
        assert [len(layer.filters) for layer in cue.scene.layers] == [3, 3, 3, 3]
        assert [layer.source.kind for layer in cue.scene.layers] == ["shader", "model", "shader", "text"]
        assert cue.follow == "stay"


@pytest.fixture
def object_rig(tmp_path: Path) -> Iterator[tuple[Rig, Library, OpenObjects]]:
    """A show of two scenes of the bench of objects, with a small network in place of its own."""
    scenes = objects.object_scenes("flora-64")
    library = write_files(
        tmp_path, objects.object_files({name: scenes[name] for name in ("keeps", "network")})
    )
    options = show.Options("objects", size=SMALL, headless=True, osc_port=0, watch=False, device="cpu")
    with traced() as found, closing(show.play(options, library)) as rig:
        yield rig, library, found


def test_scene_changes_leave_nothing_behind_and_a_leak_is_found(
    object_rig: tuple[Rig, Library, OpenObjects],
) -> None:
    rig, library, found = object_rig
    assert any(isinstance(one.source, LatentSource) for one in rig.performance.cues[1].scene.layers)
    rounds = {done: Held.now(found) for done in objects.rounds(rig, library, 48)}
    assert isinstance(rig.clock, OfflineClock) and list(rounds) == [16, 32, 48]
    figures = values(growth_figures(taken := [*rounds.values()], flat=True))
    assert figures["gl_objects_growth"] == figures["descriptors_growth"] == 0
    rig.context.texture((1, 1), 4)  # nobody releases it
    taken.append(Held.now(found))
    leak = next(one for one in growth_figures(taken, flat=True) if one.name == "gl_objects_growth")
    assert (leak.value, leak.met) == (1, False)
    assert leak.note.startswith("1 more Texture of ") and "test_bench_stage.py" in leak.note


def test_every_kind_of_change_begins_on_a_scene_of_the_bench(tmp_path: Path) -> None:
    library = write_files(tmp_path, changes.change_files())
    played = show.load(show.find("changes", library), library)
    names = [cue.scene.file.stem for cue in played.cues]
    assert names == [*changes.SCENES, *changes.FADES]
    kinds = [*changes.KINDS.values(), *changes.WINDOW_KINDS.values()]
    assert {kind.scene for kind in kinds} <= set(names)
    assert [cue.transition.beats for cue in played.cues] == [0] * len(changes.SCENES) + [2, 2]


def test_parts_are_measured_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in stage.PARTS:
        part = [Figure(name, 1.0, "")]
        monkeypatch.setattr(f"perform.bench.stage.{name}.{name}_figures", lambda *given, part=part: part)
    assert [one.name for one in stage.stage_figures(None, None, "auto")] == list(stage.PARTS)
    chosen = stage.stage_figures(1.0, None, "auto", ["soak", "stages"], 8)
    assert [one.name for one in chosen] == ["soak", "stages"]
    with pytest.raises(ValueError, match="part 'frames', must be one of stages, soak, objects, changes"):
        list(stage.stage_figures(None, None, "auto", ["frames"]))


def test_the_command_gives_its_options_to_the_stage_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[object] = []

    def figures(*given: object, **options: object) -> list[Figure]:
        asked.append((given, options))
        return [Figure.at_most("objects", 3.0, "", 0.0)]

    monkeypatch.setattr("perform.bench.stage.stage_figures", figures)
    words = ["bench", "stage", "--json", "--part", "objects", "--changes", "1000", "--seconds", "2"]
    done = CliRunner().invoke(app, words)
    assert asked == [((2.0, None, "auto"), {"parts": ["objects"], "changes": 1000})]
    assert json.loads(done.stdout)["figures"][0]["met"] is False
    with caplog.at_level(logging.ERROR):
        assert CliRunner().invoke(app, ["bench", "loop", "--changes", "9"]).exit_code


@pytest.fixture
def playing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[changes.Playing]:
    """The show of the bench of changes, without its networks and its waits."""
    kept = {name: text for name, text in changes.SCENES.items() if "model" not in text}
    monkeypatch.setattr(changes, "SCENES", kept)
    monkeypatch.setattr(changes, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(changes, "SURROUNDING_SECONDS", 0.05)
    library = write_files(tmp_path, changes.change_files())
    with closing(open_show(library, "changes", size=SMALL, watch=True)) as rig:
        yield changes.Playing(rig, tmp_path, Hand(rig))


def test_changes_are_made_while_a_show_plays(playing: changes.Playing) -> None:
    performance = playing.rig.performance
    cues = list(changes.SCENES)
    for name in ("cut", "deck", "blend", "preset_value", "nothing"):
        found = values(changes.kind_figures(playing, name, changes.KINDS[name], 0.0))
        assert found[f"{name}_changes"] == 1 and found[f"{name}_ratio"] >= 1
        if name in ("cut", "deck"):
            assert cues[performance.position.cue] == "rings"
        if name == "blend":
            assert performance.snapshot().values["/layer/2/blend"] == ("multiply",)
    edited = performance.setlist.cues[cues.index("edited")].scene.layers[0].source
    assert edited.with_defaults["tint"] == (0.0, 0.5, 0.5, 1)


def test_a_change_that_never_plays_is_reported(
    playing: changes.Playing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PATIENCE", 0.0)
    kind = changes.Kind("plain", lambda _playing: iter([None, None]))
    [figure] = changes.kind_figures(playing, "never", kind, 0.0)
    assert (figure.name, figure.met, figure.note) == ("never_ratio", False, "the change did not come")
