"""Nodes: every parameter of a show by its address, such as `/filter/grade/gain` or `/tempo/bpm`.

An address is made from the declaration of a parameter. Messages are routed by it (`router.py`), values are
sent back by it, and a list of the show's controls shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeVar

from perform.formula import Formula
from perform.parameters import Parameter
from perform.scenes.addresses import segment
from perform.scenes.controls import RunningControls, UnitSettings
from perform.scenes.holds import holdable
from perform.scenes.scene import Layer, Scene
from perform.scenes.setlist import Cue, Setlist
from perform.scenes.show import DECKS, SHOW_CONTROLS, STATUS_PARAMETERS

READ, WRITE = 1, 2  # bits of a node's access
CROSSFADER = "/crossfader"  # also the beginning of the addresses of its law
DECK = "/deck/"  # the beginning of the addresses of both decks
RELEASE = "/release"  # releases everything; after a parameter's address, that parameter
NORM = "/norm"  # after a parameter's address: its value as 0..1 of its range
OSC_SIGNAL = re.compile(r'osc\["(?P<address>[^"]+)"\](?:\.(?P<part>\d+))?')

AnyUnit = TypeVar("AnyUnit", UnitSettings, RunningControls)


@dataclass(frozen=True, slots=True)
class Node:
    """An address with its parameter. `setting` is what the preset sets it to (a value, or a formula's
    text), `access` whether it can be read and written, `in_formulas` whether a formula names it."""

    address: str
    parameter: Parameter
    setting: object = None
    access: int = READ | WRITE
    in_formulas: bool = False


@dataclass(frozen=True, slots=True)
class SceneUnit:
    """A unit of a scene: the `key` of its table in the preset, such as `filter[0]`, the beginning of its
    addresses, and its settings."""

    key: str
    prefix: str
    settings: UnitSettings


def units(scene: Scene) -> list[SceneUnit]:
    """The units of a scene, those of the lowest layer first."""
    return list(named_units(scene).values())


def named_units(scene: Scene) -> dict[tuple[str, str], SceneUnit]:
    """The same by the name of their layer and the rest of their addresses: layers may change their order."""
    layers = [(layer, unit) for layer in scene.layers for unit in _layer_units(layer)]
    named = {(layer.name, unit.prefix.removeprefix(layer.prefix)): unit for layer, unit in layers}
    filters = _named_units("filter", f"{scene.prefix}/filter", scene.filters)
    return named | {("", unit.prefix): unit for unit in filters}


def _layer_units(layer: Layer) -> Iterator[SceneUnit]:
    key, prefix = layer.inner, layer.prefix
    if layer.placement:
        yield SceneUnit(layer.key, prefix, layer.placement)
    yield SceneUnit(key(layer.source_table), f"{prefix}/generator", layer.source)
    if layer.latent:
        yield SceneUnit(key("latent"), f"{prefix}/latent", layer.latent)
    if layer.blend:
        yield SceneUnit(key("generator.blend"), f"{prefix}/blend", layer.blend)
    yield from _named_units(key("direction"), f"{prefix}/direction", layer.directions)
    yield from _named_units(key("generator.bend"), f"{prefix}/bend", layer.bends)
    yield from _named_units(key("filter"), f"{prefix}/filter", layer.filters)


def _named_units(key: str, prefix: str, several: Sequence[UnitSettings]) -> Iterator[SceneUnit]:
    """Units in the tables of one list; a second unit of one name is NAME2."""
    names = _distinct([segment(settings.name) for settings in several])
    for number, (name, settings) in enumerate(zip(names, several, strict=True)):
        yield SceneUnit(f"{key}[{number}]", f"{prefix}/{name}", settings)


def all_nodes(setlist: Setlist, cue: Cue, decks: Sequence[Cue | None] = ()) -> dict[str, Node]:
    """Every node while `cue` is on: those of the show, those of the scene, and those of the cues on `decks` A
    and B."""
    show = show_nodes(setlist)
    nodes = show | _cue_nodes(cue, show)
    signals = setlist.show.signal_names.union(*(one.scene.signal_names for one in decks if one))
    named = osc_addresses(signals)
    for deck, one in zip(DECKS, decks, strict=False):
        nodes |= _deck_nodes(deck_prefix(deck), one, named) if one else {}
    return nodes


def show_nodes(setlist: Setlist) -> dict[str, Node]:
    """The nodes that are always there."""
    status = [Node(f"/now/{parameter.name}", parameter, None, READ) for parameter in STATUS_PARAMETERS]
    nodes = {node.address: node for node in (*_parameter_nodes(setlist), *status)}
    over, signals = setlist.over, setlist.show.signal_names | setlist.mapping_inputs
    if over:
        nodes |= _unit_nodes((one.prefix, one.settings) for one in units(over))
        signals |= over.signal_names
    if setlist.crossfader:
        nodes |= _unit_nodes([(CROSSFADER, setlist.crossfader)])
    named = osc_addresses(signals)
    absent = {address for address in named - nodes.keys() if re.fullmatch(r"/scene/\d+", address)}
    return _with_formulas(nodes, named - absent)


def cue_nodes(setlist: Setlist, cue: Cue) -> dict[str, Node]:
    """The nodes that are there while a cue is on."""
    return _cue_nodes(cue, show_nodes(setlist))


def osc_addresses(signal_names: Iterable[str]) -> frozenset[str]:
    """The addresses among the names of signals."""
    matches = map(OSC_SIGNAL.fullmatch, signal_names)
    return frozenset(match["address"] for match in matches if match)


def unit_addresses(prefix: str, unit: AnyUnit) -> Iterator[tuple[str, Parameter, AnyUnit]]:
    """The addresses of a unit's parameters and of those of its images: each with its parameter and owner."""
    for parameter in unit.parameters:
        if holdable(parameter) and parameter.name != "progress":
            yield f"{prefix}/{segment(parameter.name)}", parameter, unit
    for name, image in unit.images.items():
        yield from unit_addresses(f"{prefix}/{segment(name)}", image)


def deck_prefix(deck: str) -> str:
    """The beginning of the addresses of a deck, `a` or `b`."""
    return f"{DECK}{deck}"


def deck_scene(deck: str) -> str:
    """The address that loads a cue on a deck."""
    return f"{deck_prefix(deck)}/scene"


def cue_address(cue: Cue) -> str:
    """The address that goes to a cue by the number that people give it."""
    return f"/cue/{segment(cue.number)}/start"


def cue_rows(cue: Cue) -> list[tuple[str, UnitSettings]]:
    """The units of a cue, those of its scene and its transition, each with the beginning of its addresses."""
    rows = [(one.prefix, one.settings) for one in units(cue.scene)]
    return [*rows, ("/transition", cue.transition.shader)]


def _cue_nodes(cue: Cue, show: Mapping[str, Node]) -> dict[str, Node]:
    named = osc_addresses(cue.scene.signal_names | cue.transition.shader.signal_names)
    return _with_formulas(_unit_nodes(cue_rows(cue)), named - show.keys())


def _deck_nodes(prefix: str, cue: Cue, named: frozenset[str]) -> dict[str, Node]:
    """The nodes of a cue on a deck; `named` are the addresses that formulas name."""
    address, about = f"{prefix}{RELEASE}", "everything that is held on this deck goes back to its formula"
    release = _trigger_node(address, "release", about, address in named)
    rows = ((f"{prefix}{start}", settings) for start, settings in cue_rows(cue))
    return _unit_nodes(rows, named) | {address: release}


def _unit_nodes(
    rows: Iterable[tuple[str, UnitSettings]], named: frozenset[str] = frozenset()
) -> dict[str, Node]:
    """The nodes of units, each with the beginning of its addresses; `named` are those that formulas name."""
    nodes = {}
    for prefix, settings in rows:
        for address, parameter, unit in unit_addresses(prefix, settings):
            setting = _setting_text(unit.values.get(parameter.name, parameter.default))
            nodes[address] = Node(address, parameter, setting, in_formulas=address in named)
    return nodes


def _with_formulas(nodes: dict[str, Node], named: frozenset[str]) -> dict[str, Node]:
    """The nodes, marked where formulas name them, and those addresses that only formulas name."""
    free = {address: _free_node(address, nodes.values()) for address in sorted(named - nodes.keys())}
    marked = {
        address: replace(node, in_formulas=True)
        for address, node in (nodes | free).items()
        if address in named
    }
    return nodes | marked


def _parameter_nodes(setlist: Setlist) -> Iterator[Node]:
    settings = setlist.show.with_defaults
    for control in SHOW_CONTROLS:
        access = WRITE if control.parameter.kind == "event" else READ | WRITE
        yield Node(control.address, control.parameter, _setting_text(settings[control.name]), access)
    yield _trigger_node(RELEASE, "release", "everything that is held goes back to its formula")
    for number, cue in enumerate(setlist.cues, 1):
        about = f"to cue {number}, {cue.scene.title}"
        yield _trigger_node(f"/scene/{number}", str(number), about)
        if cue.number:
            yield _trigger_node(cue_address(cue), str(number), about)


def _trigger_node(address: str, name: str, about: str, in_formulas: bool = False) -> Node:
    """A node that is written alone: it does something when it is set."""
    parameter = Parameter(name, False, 0, 1, description=about, kind="event")
    return Node(address, parameter, None, WRITE, in_formulas)


def _free_node(address: str, nodes: Iterable[Node]) -> Node:
    """The node of an address that is no parameter's own, and that formulas name."""
    signal = f'osc["{address}"]'
    users = [node for node in nodes if signal in str(node.setting).replace("'", '"')]
    about = f"a signal of {', '.join(node.address for node in users)}" if users else "a signal of formulas"
    pressed = any(f"onset({signal})" in str(node.setting) for node in users)
    name = address.rpartition("/")[2]
    if pressed:
        return _trigger_node(address, name, about)
    return Node(address, Parameter(name, 0.0, 0.0, 1.0, description=about))


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, each of them once: a, b, a becomes a, b, a2."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}{n}" for n in count(2))
        free = name if name not in found else next(one for one in numbered if one not in {*found, *names})
        found.append(free)
    return found


def _setting_text(setting: object) -> object:
    if isinstance(setting, tuple):
        return [_setting_text(part) for part in setting]
    return setting.text if isinstance(setting, Formula) else setting
