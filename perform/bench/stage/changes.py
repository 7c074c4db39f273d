"""How late a frame is when something changes while the show plays: the scene, the deck, the model, a shader,
a preset, the setlist.

Each change is made several times in a live show. The frames from the change until a second after it plays
count, with those of the second before: `p50` is their median, `latest` the longest of them, `ratio` how many
medians that is (`nothing`: without any change). `own_ms` is the most processor time of a frame on its own
thread, which other programs do not change. `plays_after` is how long a change takes to play. A model that is
new is opened in the background, and a new shader tried: the frames meanwhile count, too. The scenes
are cheap, so that a machine without a graphics card has room for their frames.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from perform import paths
from perform.bench import Figure, percentiles
from perform.bench.shows import LATE_FACTOR, SHOW_SIZE, WARM_UP_SECONDS, display, play_for
from perform.bench.stage.played import Governed, Hand
from perform.bench.stage.written import DECK_MODEL, open_show, preset, setlist, write_files
from perform.clock import stopwatch, thread_seconds
from perform.generators.model import Model
from perform.networks import Device
from perform.render.context import of_window
from perform.render.present import Present
from perform.rig import Rig
from perform.venue import read_venue

CHANGE_SECONDS = 9.0  # for each kind of change
SETTLE_SECONDS = 1.5  # on the scene that is changed
SURROUNDING_SECONDS = 1.0  # before a change, and after it plays
WINDOW_SIZE = (640, 360)
PATIENCE = 60.0  # seconds until a change plays
MODELS = (DECK_MODEL, "flora-64", "untrained-small")
NEXT_MODELS = (*MODELS[1:], MODELS[0])
OPEN_MODELS = 2.2  # of the largest: the memory of the show, so that models are opened while it plays
GRADE = '[[filter]]\nshader = "grade"\nhue = "time.seconds / 16"\n'
TINTED = """/*{{"ISFVSN": "2", "INPUTS": [
    {{"NAME": "tint", "TYPE": "color", "DEFAULT": [0.2, 0.4, 0.6, 1]}}]}}*/
void main() {{ gl_FragColor = tint * fract(isf_FragNormCoord.x * {}.0 + TIME); }}
"""
TINTED_FILE, SETLIST_FILE = "shaders/generators/tinted.fs", "setlists/changes.toml"
VENUE_FILE = "venues/bench.toml"
EDITED = '[generator]\nshader = "tinted"\n'
NETWORK = '[generator]\nmodel = "{}"\n[latent]\npath = "walk"\n'
TWO_LAYERS = """
[[layer]]
[layer.generator]
shader = "rings"
[[layer]]
opacity = 0.6
[layer.generator]
shader = "chladni"
"""
SCENES = {
    **{model: NETWORK.format(model) for model in MODELS},
    "remade": NETWORK.format(MODELS[0]),  # no network comes after it, whose model would be opened, too
    "plain": f'[generator]\nshader = "chladni"\n{GRADE}',
    "rings": f'[generator]\nshader = "rings"\n{GRADE}',
    "layers": TWO_LAYERS,
    "edited": EDITED,
}
CUT = 'scene = "{}"\ntransition = {{ beats = 0 }}'
FADE = 'scene = "{}"\ntransition = {{ shader = "dissolve", beats = 2 }}'
CUTS = ("rings", "layers", "edited", "plain")
FADES = ("rings", "plain")  # that a transition brings in, too
ADDED = ("posterise", "mirror", "edges", "halftone", "kaleidoscope", "pulse", "rutt", "crust")
MODES = ("multiply", "overlay", "difference", "hard-light", "color-dodge", "luminosity", "exclusion", "hue")
BANKS = (("drops", "strings", "moire"), ("candles", "stars", "tunnel"), ("sea", "truchet", "molnar"))

Choice = TypeVar("Choice")


@dataclass(slots=True)
class Playing:
    """A show that plays in a folder that may be edited; `turn` counts the changes of a kind."""

    rig: Rig
    folder: Path
    hand: Hand
    turn: int = 0

    def next(self, choices: Sequence[Choice]) -> Choice:
        """Another of these in each turn."""
        return choices[self.turn % len(choices)]

    def cut(self, scene: str) -> Iterator[None]:
        """Go to a scene by a cut; frames until it plays."""
        return self._go(self._cue(scene))

    def load(self, scene: str) -> None:
        """Load a scene on the free deck."""
        self.hand.say("/standby", self._cue(scene) + 1.0)

    def fade(self, scene: str) -> Iterator[None]:
        """Go to a scene by a transition; frames until it plays alone."""
        return self._go(len(SCENES) + FADES.index(scene))

    def save(self, name: str, text: str) -> Iterator[None]:
        """Save a file of the show; frames until the edit plays."""
        before = self.rig.performance.setlist
        paths.write_whole(self.folder / name, text.encode())
        while self.rig.performance.setlist is before:
            yield

    def save_preset(self, name: str, text: str) -> Iterator[None]:
        """Save a preset; frames until the edit plays."""
        return self.save(f"presets/{name}.toml", preset(name, text))

    def _cue(self, scene: str) -> int:
        return list(SCENES).index(scene)

    def _go(self, cue: int) -> Iterator[None]:
        performance = self.rig.performance
        self.hand.say("/scene", cue + 1.0)
        yield
        while performance.position.cue != cue or performance.position.before is not None:
            yield


def _crossfade(playing: Playing) -> Iterator[None]:
    """A scene is loaded on the free deck, and the fader goes there in a second."""
    playing.load(playing.next(CUTS[:3]))
    yield
    began, deck = stopwatch(), playing.rig.performance.position.deck
    while (passed := stopwatch() - began) < 1:
        playing.hand.say("/crossfader", abs(deck - passed))
        yield
    playing.hand.say("/crossfader", 1.0 - deck)
    yield


def _cues(playing: Playing) -> Iterator[None]:
    """Eight cuts, each after three frames."""
    for scene in (*CUTS, *CUTS):
        yield from playing.cut(scene)
        yield from (None, None)


def _blend(playing: Playing) -> Iterator[None]:
    """A hand sets a blend mode that the layer has not had."""
    playing.hand.say("/layer/2/blend", playing.next(MODES))
    yield


def _freeze(playing: Playing) -> Iterator[None]:
    """The picture is frozen for ten frames."""
    playing.hand.say("/freeze", 1.0)
    yield from (None for _ in range(10))
    playing.hand.say("/freeze", 0.0)
    yield


def _shader(playing: Playing) -> Iterator[None]:
    return playing.save(TINTED_FILE, TINTED.format(playing.turn + 2))


def _preset_value(playing: Playing) -> Iterator[None]:
    return playing.save_preset("edited", f"{EDITED}tint = [{0.1 * (playing.turn % 10):.1f}, 0.5, 0.5, 1]\n")


def _preset_filter(playing: Playing) -> Iterator[None]:
    """A filter that did not play before."""
    return playing.save_preset("edited", f'{EDITED}[[filter]]\nshader = "{playing.next(ADDED)}"\n')


def _preset_model(playing: Playing) -> Iterator[None]:
    return playing.save_preset("remade", NETWORK.format(playing.next(NEXT_MODELS)))


def _bank(playing: Playing) -> Iterator[None]:
    """The setlist is saved with three other scenes after its own."""
    shaders = playing.next(BANKS)
    names = [f"bank-{shader}" for shader in shaders]
    for name, shader in zip(names, shaders, strict=True):
        text = preset(name, f'[generator]\nshader = "{shader}"\n{GRADE}')
        paths.write_whole(playing.folder / f"presets/{name}.toml", text.encode())
    return playing.save(SETLIST_FILE, _setlist(names))


def _open_window(playing: Playing) -> Iterator[None]:
    """A second window of the show."""
    from perform.outputs.window import Window

    screens = playing.rig.screens
    first = screens[0]
    assert isinstance(first, Window)
    screens.append(Window(WINDOW_SIZE, of_window, Present, first=first))
    yield


def _close_window(playing: Playing) -> Iterator[None]:
    """Its user closes the second window."""
    import glfw

    from perform.outputs.window import Window

    if len(playing.rig.screens) == 1:
        yield from _open_window(playing)
    second = playing.rig.screens[-1]
    assert isinstance(second, Window)
    glfw.set_window_should_close(second.handle, True)
    while second in playing.rig.screens:
        yield


def _venue(playing: Playing) -> Iterator[None]:
    """The file of the venue is saved with another corner of its display."""
    from perform.venue.wall import Wall

    [wall] = [screen for screen in playing.rig.screens if isinstance(screen, Wall)]
    before = wall.displays[0].window.presenter.projection
    paths.write_whole(playing.folder / VENUE_FILE, _venue_text(0.01 * (1 + playing.turn % 9)).encode())
    while wall.displays[0].window.presenter.projection == before:
        yield


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of change: the scene that is on, and what makes the change, with a frame after each `yield`."""

    scene: str
    change: Callable[[Playing], Iterator[None]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The times in seconds of the frames around a change, the seconds after which it played, and the most
    processor time that a frame took on its own thread."""

    frames: Sequence[float]
    seconds: float
    own: float

    @property
    def ratio(self) -> float:
        """The longest frame in medians of all."""
        return max(self.frames) / percentiles(self.frames).p50


KINDS = {
    "nothing": Kind("plain", lambda _playing: iter([None])),  # for comparison
    "cut": Kind("plain", lambda playing: playing.cut(playing.next(CUTS[:3]))),
    "transition": Kind("layers", lambda playing: playing.fade(playing.next(FADES))),
    "deck": Kind("plain", _crossfade),
    "cues": Kind("plain", _cues),
    "model": Kind("plain", lambda playing: playing.cut(playing.next(NEXT_MODELS))),
    "preset_model": Kind("remade", _preset_model),
    "preset_value": Kind("edited", _preset_value),
    "preset_filter": Kind("edited", _preset_filter),
    "shader": Kind("edited", _shader),
    "blend": Kind("layers", _blend),
    "freeze": Kind("plain", _freeze),
    "bank": Kind("plain", _bank),
}
WINDOW_KINDS = {
    "window_opened": Kind("plain", _open_window),
    "window_closed": Kind("plain", _close_window),
    "venue": Kind("plain", _venue),
}


def changes_figures(
    seconds: float | None, model: str | None, device: Device, _changes: int
) -> Iterator[Figure]:
    """Each kind of change, again and again for `seconds`. The models are the bench's own."""
    seconds = seconds or CHANGE_SECONDS
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        library = write_files(Path(name), change_files())
        memory = OPEN_MODELS * max(Model.read(library.model(one).place).memory for one in MODELS)
        options = {"size": SHOW_SIZE, "device": device, "watch": True, "memory": memory}
        with closing(open_show(library, "changes", **options)) as rig:
            yield from _kinds_figures(rig, Path(name), KINDS, seconds)
        if not stack.enter_context(display(*SHOW_SIZE)):
            missing = "no display, nor Xvfb"
            yield from (_missing(kind, None, missing) for kind in WINDOW_KINDS)
            return
        write_files(Path(name), {VENUE_FILE: _venue_text(0.0)})
        venue = read_venue(Path(name) / VENUE_FILE)
        with closing(open_show(library, "changes", headless=False, venue=venue, **options)) as rig:
            yield from _kinds_figures(rig, Path(name), WINDOW_KINDS, seconds)


def _kinds_figures(rig: Rig, folder: Path, kinds: Mapping[str, Kind], seconds: float) -> Iterator[Figure]:
    playing = Playing(rig, folder, Hand(rig))
    play_for(rig, WARM_UP_SECONDS)
    for name, kind in kinds.items():
        yield from kind_figures(playing, name, kind, seconds)


def change_files() -> dict[str, str]:
    """The shader, the presets and the setlist, by path."""
    presets = {f"presets/{name}.toml": preset(name, text) for name, text in SCENES.items()}
    return presets | {TINTED_FILE: TINTED.format(1), SETLIST_FILE: _setlist()}


def kind_figures(playing: Playing, name: str, kind: Kind, seconds: float) -> Iterator[Figure]:
    """Make changes of a kind for `seconds`, at least one."""
    found: list[Surroundings] = []
    governed, ends, playing.turn = Governed(playing.rig), stopwatch() + seconds, 0
    while not playing.turn or stopwatch() < ends:
        one = surroundings(playing, kind, governed.frame)
        if one is None:
            yield _missing(name, False, "the change did not come")
            return
        found.append(one)
        playing.turn += 1
    frames = [frame for one in found for frame in one.frames]
    yield Figure(f"{name}_changes", len(found), "changes")
    yield Figure(f"{name}_plays_after", max(one.seconds for one in found), "s")
    yield Figure(f"{name}_frame_ms_p50", 1000 * percentiles(frames).p50, "ms")
    yield Figure(f"{name}_frame_ms_latest", 1000 * max(frames), "ms")
    yield Figure(f"{name}_own_ms", 1000 * max(one.own for one in found), "ms")
    yield Figure.at_most(f"{name}_ratio", max(one.ratio for one in found), "medians", LATE_FACTOR)
    yield from governed.figures(f"_{name}")


def _missing(kind: str, met: bool | None, why: str) -> Figure:
    return Figure(f"{kind}_ratio", math.nan, "medians", LATE_FACTOR, met, why)


def surroundings(playing: Playing, kind: Kind, frame: Callable[[], None]) -> Surroundings | None:
    """Go to the scene of a kind, and make a change there; None if it does not come."""
    rig = playing.rig
    if not _played(playing.cut(kind.scene), frame):
        return None
    play_for(rig, SETTLE_SECONDS, frame)
    own: list[float] = []

    def timed() -> None:
        before = thread_seconds()
        frame()
        own.append(thread_seconds() - before)

    rig.timings.frames.clear()
    play_for(rig, SURROUNDING_SECONDS, timed)
    began = stopwatch()
    if not _played(kind.change(playing), timed):
        return None
    seconds = stopwatch() - began
    play_for(rig, SURROUNDING_SECONDS, timed)
    return Surroundings(list(rig.timings.frames), seconds, max(own))


def _played(steps: Iterator[None], frame: Callable[[], None]) -> bool:
    """Play a frame after each step; whether they end in time."""
    ends = stopwatch() + PATIENCE
    for _ in steps:
        frame()
        if stopwatch() > ends:
            return False
    return True


def _venue_text(corner: float) -> str:
    """A venue with one display, whose lower left corner is moved by a part of its sides."""
    from perform.outputs.window import displays

    corners = [[corner, corner], [1, 0], [1, 1], [0, 1]]
    return f'[[display]]\nname = "wall"\nmonitor = "{displays()[0].name}"\ncorners = {corners}\n'


def _setlist(more: Sequence[str] = ()) -> str:
    return setlist("Changes", [*map(CUT.format, SCENES), *map(FADE.format, FADES), *map(CUT.format, more)])
