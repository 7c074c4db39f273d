"""Mappings by demonstration: from input signals to values, learned from a few examples.

You show a few times what the inputs are and which picture you want then; a model that is fitted to the
examples plays from then on, as in Wekinator (Fiebrink, Trueman, Cook: A meta-instrument for interactive,
on-the-fly machine learning, NIME 2009). A mapping is a file `learned/NAME.toml`; formulas name its
outputs: `learned.NAME.VALUE`, or `learned.NAME` if it has one. Here is what such a file holds and
how it plays; `demonstrations/` makes it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from perform import formula
from perform.arrays import Doubles
from perform.clock import Moment
from perform.documents import SceneError, parse_document
from perform.signals import LARGEST, Signals

METHODS = ("ridge", "nearest", "mlp")
MAX_SIGNALS = 64  # signals, and values, of one mapping
MAX_EXAMPLES = 2000
NEIGHBOURS = 4  # examples that `nearest` mixes, at most
NAME = re.compile(r"[a-z]\w{0,31}", re.ASCII)

Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Row: TypeAlias = list[Number]


class Strict(BaseModel):
    """A part of the file: nothing unknown is in it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Example(Strict):
    """Input signals, and the values wanted with them."""

    signals: Row
    values: Row


class Layer(Strict):
    """weights [inputs, outputs] and bias [outputs]; between two layers is a tanh."""

    weights: list[Row]
    bias: Row


class FittedModel(Strict):
    """What was fitted: the inputs less `centre`, over `spread`, go through the layers (`nearest`: none)."""

    centre: Row
    spread: list[Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]]
    layer: list[Layer] = []


class MappingText(Strict):
    """The file of a mapping."""

    version: Literal[1]
    method: Literal["ridge", "nearest", "mlp"]
    signals: list[str] = Field(min_length=1, max_length=MAX_SIGNALS)
    values: list[str] = Field(min_length=1, max_length=MAX_SIGNALS)
    example: list[Example] = Field(min_length=1, max_length=MAX_EXAMPLES)
    model: FittedModel

    def faults(self, vocabulary: formula.Vocabulary) -> Iterator[str]:
        """What is wrong with names and shapes, each as `key, what is allowed`."""
        yield from misnamed(self.signals, self.values, vocabulary)
        inputs, outputs = len(self.signals), len(self.values)
        for i, example in enumerate(self.example):
            if (len(example.signals), len(example.values)) != (inputs, outputs):
                yield f"example[{i}] must have {inputs} signals and {outputs} values"
        if (len(self.model.centre), len(self.model.spread)) != (inputs, inputs):
            yield f"model.centre and model.spread must have {inputs} numbers each"
        if (self.method == "nearest") == bool(self.model.layer):
            yield f"model.layer: {self.method} has {'none' if self.model.layer else 'at least one'}"
        for i, layer in enumerate(self.model.layer):
            last = i == len(self.model.layer) - 1
            if {len(row) for row in layer.weights} != {len(layer.bias)} or len(layer.weights) != inputs:
                yield f"model.layer[{i}] must have weights {inputs} by {len(layer.bias)}, as many as its bias"
            elif last and len(layer.bias) != outputs:
                yield f"model.layer[{i}].bias has {len(layer.bias)} numbers, must be {outputs}"
            inputs = len(layer.bias)


@dataclass(frozen=True, slots=True)
class SignalMapping:
    """A mapping with its name."""

    name: str
    text: MappingText

    @property
    def outputs(self) -> tuple[str, ...]:
        """The signals that it gives, one for each value."""
        return tuple(f"learned.{self.name}.{value}" for value in self.text.values)

    def has(self, signal: str) -> bool:
        """Whether it is a signal of this mapping."""
        return signal in self.outputs or (len(self.outputs) == 1 and signal == f"learned.{self.name}")


def misnamed(signals: list[str], values: list[str], vocabulary: formula.Vocabulary) -> Iterator[str]:
    """What cannot be the input signals, or the names of values."""
    for signal in signals:
        try:
            used = formula.compile(signal, vocabulary).names
        except formula.FormulaError as error:
            yield f"signals: {signal!r}: {error}"
            continue
        if used != {signal} or signal.startswith("learned."):
            yield f"signals: {signal!r}, must be a signal of an input, such as hand.right.x or midi.cc16"
    yield from (
        f"values: {value!r}, must be a word of letters" for value in values if not NAME.fullmatch(value)
    )
    for key, names in (("signals", signals), ("values", values)):
        if len(set(names)) < len(names):
            yield f"{key}: one is named twice"


def read_mapping(file: Path, vocabulary: formula.Vocabulary) -> SignalMapping:
    """The mapping in a file. Raises SceneError with every fault, OSError."""
    text = parse_document(file, MappingText)
    faults = [f"{file}: {fault}" for fault in text.faults(vocabulary)]
    if not NAME.fullmatch(file.stem):
        faults.append(f"{file}: the name must be a word of letters, as formulas have it")
    if faults:
        raise SceneError(faults)
    return SignalMapping(file.stem, text)


def mapping_text(text: MappingText, comment: str = "") -> str:
    """The file's text, which `read_mapping` reads again."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += [f"version = {text.version}", f'method = "{text.method}"']
    for key, names in (("signals", text.signals), ("values", text.values)):
        lines.append(f"{key} = [{', '.join(map(_toml_string, names))}]")
    for example in text.example:
        lines += ["", "[[example]]", f"signals = {example.signals}", f"values = {example.values}"]
    lines += ["", "[model]", f"centre = {text.model.centre}", f"spread = {text.model.spread}"]
    for layer in text.model.layer:
        rows = "".join(f"    {row},\n" for row in layer.weights)
        lines += ["", "[[model.layer]]", f"weights = [\n{rows}]", f"bias = {layer.bias}"]
    return "\n".join(lines) + "\n"


def _toml_string(name: str) -> str:
    return f"'{name}'" if '"' in name else f'"{name}"'


class MappingPlayer:
    """Plays a mapping. A signal that is missing keeps its last value, at first the mean of the examples.
    The outputs are always finite."""

    def __init__(self, mapping: SignalMapping) -> None:
        text = mapping.text
        self.mapping = mapping
        self._centre, self._spread = np.array(text.model.centre), np.array(text.model.spread)
        self._layers = [(np.array(layer.weights), np.array(layer.bias)) for layer in text.model.layer]
        self._shown = (np.array([one.signals for one in text.example]) - self._centre) / self._spread
        self._wanted = np.array([one.values for one in text.example])
        self._names = mapping.outputs + ((f"learned.{mapping.name}",) if len(mapping.outputs) == 1 else ())
        self._inputs = self._centre.copy()
        self._values = self._wanted.mean(0)

    def step(self, signals: Signals) -> dict[str, float]:
        """The value of each output."""
        for i, name in enumerate(self.mapping.text.signals):
            number = signals.number(name, math.nan)
            if number == number:
                self._inputs[i] = number
        with np.errstate(all="ignore"):
            values = self._answer((self._inputs - self._centre) / self._spread)
        if np.all(np.abs(values) < LARGEST):
            self._values = values
        numbers = self._values.tolist()
        return dict(zip(self._names, numbers * (len(self._names) // len(numbers)), strict=True))

    def _answer(self, x: Doubles) -> Doubles:
        """Values [outputs] for inputs [inputs] in units of their spread."""
        if not self._layers:
            return nearest(x, self._shown, self._wanted)
        for i, (weights, bias) in enumerate(self._layers):
            x = (np.tanh(x) if i else x) @ weights + bias
        return x


def nearest(x: Doubles, shown: Doubles, wanted: Doubles) -> Doubles:
    """The mean of the nearest of `wanted` [n, outputs] by their `shown` [n, inputs]: inverse-distance
    weights (Shepard 1968) that fall to zero at the distance of the first neighbour left out (Franke and
    Nielson 1980), so that nothing jumps when a neighbour is exchanged for another."""
    distances = np.sqrt(((shown - x) ** 2).sum(1))
    order = np.argsort(distances, kind="stable")
    near = distances[order[:NEIGHBOURS]]
    if not near[0] > 0:
        return np.asarray(wanted[order[: np.sum(near == 0)]].mean(0))
    edge = distances[order[NEIGHBOURS]] if len(order) > NEIGHBOURS else math.inf
    weights = (1 / near - 1 / edge) ** 2
    if not weights.sum() > 0:
        weights = np.ones_like(near)
    return np.asarray(weights @ wanted[order[:NEIGHBOURS]] / weights.sum())


class SignalMapper(Protocol):
    """Gives, once a frame, the outputs of mappings for the frame's signals."""

    def step(self, moment: Moment, signals: Signals) -> Mapping[str, float]:
        """The outputs as signals by name."""
        ...

    def use(self, mappings: Iterable[SignalMapping]) -> None:
        """Play these mappings from now on."""
        ...


class MappingPlayers:
    """Plays every mapping of a show."""

    def __init__(self, mappings: Iterable[SignalMapping] = ()) -> None:
        self._players: list[MappingPlayer] = []
        self.use(mappings)

    def use(self, mappings: Iterable[SignalMapping]) -> None:
        """Play these mappings; the player of one that has not changed goes on."""
        before = {player.mapping.name: player for player in self._players}
        self._players = [
            known if (known := before.get(one.name)) and known.mapping == one else MappingPlayer(one)
            for one in mappings
        ]

    def step(self, _moment: Moment, signals: Signals) -> Mapping[str, float]:
        """The outputs of every mapping for these signals."""
        outputs: dict[str, float] = {}
        for player in self._players:
            outputs |= player.step(signals)
        return outputs
