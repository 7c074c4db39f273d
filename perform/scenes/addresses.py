"""Addresses: every parameter of what plays by name, as `/filter/grade/gain` or `/tempo/bpm`.

An address is where a message for a parameter goes, where its value is told from, and what a list of
the show's controls shows. A message whose address a formula hears goes to the formula; else, if it is
a parameter's own, the parameter is held at what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, TypeVar

from perform.formula import Formula
from perform.parameters import Parameter
from perform.scenes.controls import Controls, Settings
from perform.scenes.holds import Until, holdable
from perform.scenes.scene import Scene
from perform.scenes.setlist import Cue, Setlist
from perform.signals import Event, Signals

READ, WRITE = 1, 2  # bits of a node's access
SHOW = {
    "scene": "/scene",
    "tap": "/tempo/tap",
    "resync": "/tempo/resync",
    "double": "/tempo/double",
    "halve": "/tempo/halve",
    "later": "/tempo/later",
    "sooner": "/tempo/sooner",
    "listen": "/tempo/listen",
    "tempo": "/tempo/bpm",
    "clock": "/tempo/clock",
    "nextclock": "/tempo/clock/next",
}  # those of the show's own parameters that are not just its name
ONCE = ("scene", "tempo", "clock")  # numbers that are said, not held
STAYS = ("crossfade",)
RELEASE = "/release"  # everything; after a parameter's address that one
CLEAR = {"master": 1.0, "blackout": False, "freeze": False}  # what panic makes of the show
NORM = "/norm"  # after a parameter's address: its value as 0..1 of its range
NOW = (
    Parameter("cue", 1, 1, 999, description="the cue that is on", kind="int"),
    Parameter("title", "", description="its title", kind="text"),
    Parameter("queued", 0, 0, 999, description="the cue that waits for its beat, or 0", kind="int"),
    Parameter("beat", 1, 1, 4, description="the beat of the bar", kind="int"),
    Parameter("held", 0, 0, description="how many parameters are held by hand", kind="int"),
)
ODD = re.compile(r"[^\w.+~:@-]+", re.ASCII)  # what OSC keeps for itself, and what cannot be typed everywhere
SIGNAL = re.compile(r'osc\["(?P<address>[^"]+)"\](?:\.(?P<part>\d+))?')

Arguments: TypeAlias = tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """An address: the parameter behind it, what a preset has set that to (a value or a formula's text),
    whether it can be read and written, and whether formulas hear it."""

    address: str
    parameter: Parameter
    setting: Any = None
    access: int = READ | WRITE
    heard: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What plays, at one moment: its nodes by address (a new mapping whenever they change), and the values
    of those that can be read."""

    nodes: Mapping[str, Node] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Arguments] = field(default_factory=lambda: MappingProxyType({}))


class Board:
    """Where the newest standing is put for other threads to read. `known` are the addresses that do
    something: those of the nodes, and what may come after them."""

    def __init__(self) -> None:
        self.standing = Standing()
        self.known: frozenset[str] = frozenset()

    def put(self, standing: Standing) -> None:
        """This is how the show stands now."""
        if standing.nodes is not self.standing.nodes:
            more = (f"{address}{after}" for address in standing.nodes for after in (NORM, RELEASE))
            self.known = frozenset((*standing.nodes, *more))
        self.standing = standing


class Plays(Protocol):
    """A show that tells how it stands."""

    def standing(self) -> Standing:
        """What plays, at this moment."""
        ...


Unit = TypeVar("Unit", Settings, Controls)


def units(scene: Scene) -> list[tuple[str, Settings]]:
    """The units of a scene by the beginning of their addresses; a second of one name is NAME2."""
    rows = [("/generator", scene.source), ("/latent", scene.latent), ("/blend", scene.blend)]
    named = [(prefix, settings) for prefix, settings in rows if settings]
    for kind, several in (
        ("direction", scene.directions),
        ("bend", scene.bends),
        ("filter", scene.filters),
    ):
        names = _apart([ODD.sub("_", settings.name) for settings in several])
        named += [(f"/{kind}/{name}", one) for name, one in zip(names, several, strict=True)]
    return named


def declared(setlist: Setlist, cue: Cue) -> dict[str, Node]:
    """Every address while `cue` is on: those of the show, and those of the scene."""
    show = of_show(setlist)
    return show | _of_cue(cue, show)


def of_show(setlist: Setlist) -> dict[str, Node]:
    """The addresses that are always there."""
    nodes = {node.address: node for node in (*_show(setlist), *map(_told, NOW))}
    postures = [signal for learned in setlist.learned for signal in learned.text.signals]
    heard = listened(setlist.show.heard.union(postures))
    beyond = {address for address in heard - nodes.keys() if re.fullmatch(r"/scene/\d+", address)}
    return _with_heard(nodes, heard - beyond)


def of_cue(setlist: Setlist, cue: Cue) -> dict[str, Node]:
    """The addresses that are there while a cue is on."""
    return _of_cue(cue, of_show(setlist))


def _of_cue(cue: Cue, show: Mapping[str, Node]) -> dict[str, Node]:
    nodes = {}
    for prefix, settings in (*units(cue.scene), ("/transition", cue.entrance.shader)):
        for address, parameter, unit in _unfolded(prefix, settings):
            setting = _text(unit.values.get(parameter.name, parameter.default))
            nodes[address] = Node(address, parameter, setting)
    heard = listened(cue.scene.heard | cue.entrance.shader.heard)
    return _with_heard(nodes, heard - show.keys())


def _with_heard(nodes: dict[str, Node], heard: frozenset[str]) -> dict[str, Node]:
    """Nodes, told whether formulas hear them, and those addresses that only formulas hear."""
    free = {address: _free(address, nodes.values()) for address in sorted(heard - nodes.keys())}
    told = {
        address: replace(node, heard=True) for address, node in (nodes | free).items() if address in heard
    }
    return nodes | told


def listened(signals: Iterable[str]) -> frozenset[str]:
    """The addresses among the names of signals."""
    return frozenset(match["address"] for signal in signals if (match := SIGNAL.fullmatch(signal)))


def _show(setlist: Setlist) -> Iterator[Node]:
    for parameter in setlist.show.parameters:
        once = parameter.kind == "event"
        bound = _text(setlist.show.values.get(parameter.name, parameter.default))
        yield Node(
            SHOW.get(parameter.name, f"/{parameter.name}"), parameter, bound, WRITE if once else READ | WRITE
        )
    about = "everything that is held goes back to its formula"
    yield Node(RELEASE, Parameter("release", False, 0, 1, description=about, kind="event"), None, WRITE)
    for number, cue in enumerate(setlist.cues, 1):
        about = f"to cue {number}, {cue.scene.title}"
        go = Parameter(str(number), False, 0, 1, description=about, kind="event")
        yield Node(f"/scene/{number}", go, None, WRITE)


def _free(address: str, nodes: Iterable[Node]) -> Node:
    """An address that is no parameter's own, and that formulas hear."""
    said = f'osc["{address}"]'
    hearing = [node for node in nodes if said in str(node.setting).replace("'", '"')]
    about = f"heard by {', '.join(node.address for node in hearing)}" if hearing else "heard by formulas"
    pressed = any(f"onset({said})" in str(node.setting) for node in hearing)
    name = address.rpartition("/")[2]
    if pressed:
        return Node(address, Parameter(name, False, 0, 1, description=about, kind="event"), None, WRITE)
    return Node(address, Parameter(name, 0.0, 0.0, 1.0, description=about))


def _told(parameter: Parameter) -> Node:
    return Node(f"/now/{parameter.name}", parameter, None, READ)


def _unfolded(prefix: str, unit: Unit) -> Iterator[tuple[str, Parameter, Unit]]:
    """The addresses of what a unit's parameters and those of its images are, and whose they are."""
    for parameter in unit.parameters:
        if holdable(parameter) and parameter.name != "progress":
            yield f"{prefix}/{ODD.sub('_', parameter.name)}", parameter, unit
    for name, image in unit.images.items():
        yield from _unfolded(f"{prefix}/{ODD.sub('_', name)}", image)


def _apart(names: Sequence[str]) -> list[str]:
    """The names, each of them once: a, b, a is a, b, a2."""
    told: list[str] = []
    for name in names:
        more = (f"{name}{n}" for n in count(2))
        told.append(name if name not in told else next(one for one in more if one not in {*told, *names}))
    return told


def _text(setting: Any) -> Any:
    if isinstance(setting, tuple):
        return [_text(part) for part in setting]
    return setting.text if isinstance(setting, Formula) else setting


@dataclass(slots=True)
class Place:
    """Where a message for an address goes: a parameter of running controls. `number` is what a press
    says of it, None where the message does."""

    controls: Controls
    parameter: Parameter
    until: Until = "release"
    number: float | None = None


class Reach:
    """What messages reach while a cue is on."""

    def __init__(
        self, setlist: Setlist, cue: Cue, show: Controls, scene: Sequence[Controls], transition: Controls
    ) -> None:
        """`scene` are the controls of `units(cue.scene)`, in their order."""
        self.nodes: Mapping[str, Node] = MappingProxyType(declared(setlist, cue))
        self._heard = {address for address, node in self.nodes.items() if node.heard}
        self._show, self._title = show, cue.scene.title
        self._of_scene = [*scene, transition]
        self._places: dict[str, Place] = {}
        for (prefix, _), controls in zip(units(cue.scene), scene, strict=True):
            self._place(prefix, controls)
        self._place("/transition", transition)
        for parameter in show.parameters:
            until: Until = "once" if parameter.name in ONCE else "moved"
            address = SHOW.get(parameter.name, f"/{parameter.name}")
            self._places[address] = Place(show, parameter, until)
            if parameter.name == "scene":
                for n in range(1, len(setlist.cues) + 1):
                    self._places[f"{address}/{n}"] = Place(show, parameter, "once", n)

    def take(self, events: Iterable[Event]) -> None:
        """Hold what messages say, and let go what they release; of one moment, letting go comes first."""
        heard = (event for event in events if event.name.startswith("osc["))
        said = [(event, match) for event in heard if (match := SIGNAL.fullmatch(event.name))]
        for event, match in sorted(said, key=lambda pair: (pair[0].time, not _releases(pair[1]["address"]))):
            if match["address"] not in self._heard and isinstance(event.value, float | str):
                self._say(match["address"], int(match["part"] or 0), event.value)

    def panic(self) -> dict[str, float]:
        """Let go of everything, and hold what of the show keeps the picture from being seen at what lets it;
        that, by name."""
        self.release()
        for name, value in CLEAR.items():
            place = self._places[f"/{name}"]
            place.controls.hold(place.parameter, 0, value, place.until)
        return dict(CLEAR)

    def release(self) -> None:
        """Let go of everything, but of a fader that would play if it jumped."""
        for controls in self._of_scene:
            controls.release()
        for parameter in self._show.parameters:
            if parameter.name not in STAYS:
                self._show.release(parameter)

    @property
    def held(self) -> int:
        """How many parameters of the scene are held."""
        return sum(controls.held for controls in self._of_scene)

    def values(self, signals: Signals, now: Mapping[str, float | str]) -> dict[str, Arguments]:
        """The value of every address that can be read: of one that formulas hear what was said last;
        `now` says more, by address."""
        values: dict[str, Arguments] = {}
        for address, place in self._places.items():
            value = place.controls.last.get(place.parameter.name)
            if value is not None and self.nodes[address].access & READ:
                values[address] = _arguments(value)
        for address in self._heard:
            said = signals.values.get(f'osc["{address}"]')
            if isinstance(said, float | str) and self.nodes[address].access & READ:
                values[address] = (said,)
        return values | {address: (value,) for address, value in now.items() if address in self.nodes}

    def _place(self, prefix: str, controls: Controls) -> None:
        for address, parameter, owner in _unfolded(prefix, controls):
            self._places[address] = Place(owner, parameter)

    def _say(self, address: str, part: int, value: float | str) -> None:
        if address == RELEASE and value:
            self.release()
        elif (place := self._places.get(address)) is not None:
            self._hold(place, part, value)
        elif (place := self._places.get(address.removesuffix(RELEASE))) is not None and value:
            place.controls.release(place.parameter)
        elif (place := self._places.get(address.removesuffix(NORM))) is not None:
            self._hold(place, part, _scaled(place.parameter, value))

    def _hold(self, place: Place, part: int, value: float | str) -> None:
        if place.number is not None:
            if not value:
                return
            value = place.number
        place.controls.hold(place.parameter, part, value, place.until)


def _releases(address: str) -> bool:
    return address.endswith(RELEASE)


def _scaled(parameter: Parameter, value: float | str) -> float | str:
    """0..1 as a part of the parameter's range; as it is where that has no ends."""
    if isinstance(value, str) or parameter.low is None or parameter.high is None:
        return value
    return parameter.low + value * (parameter.high - parameter.low)


def _arguments(value: Any) -> Arguments:
    if isinstance(value, tuple):
        return tuple(float(part) for part in value)
    return (value if isinstance(value, str) else float(value),)
