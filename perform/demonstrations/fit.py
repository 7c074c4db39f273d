"""Fitting a mapping to examples with scikit-learn, and the process in which a live show does it.

The process reads a JSON object per line, {"method", "signals", "values", "examples"}. It answers each with
the mapping, or with a fault.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

from perform.arrays import Doubles
from perform.faults import reason
from perform.library.vocabulary import VOCABULARY
from perform.parameters import choice
from perform.scenes.mapping import METHODS, Example, FittedModel, Layer, MappingText, misnamed

RIDGE_ALPHA = 0.01  # regularisation: enough for repeated postures, too little to change values visibly
HIDDEN = 16  # units of the MLP
DECAY = 1e-3  # of the MLP's weights, so that it is smooth between examples
MLP_STEPS = 2000
NICE = 10  # of the process, as the show has priority
DIGITS = 9  # of the numbers in the file


def fit(
    method: str, signals: Sequence[str], values: Sequence[str], examples: Sequence[Example]
) -> MappingText:
    """Fit a mapping to examples. Raises ValueError."""
    choice("method", method, METHODS)
    if faults := list(misnamed(list(signals), list(values), VOCABULARY)):
        raise ValueError("; ".join(faults))
    if not examples:
        raise ValueError("there are no examples to learn from")
    x = np.array([example.signals for example in examples])
    y = np.array([example.values for example in examples])
    centre, spread = x.mean(0), _spread(x)
    standard = (x - centre) / spread
    layers = {"ridge": _ridge, "nearest": lambda _x, _y: [], "mlp": _mlp}[method](standard, y)
    model = FittedModel(centre=_short(centre), spread=_short(spread), layer=layers)
    text: dict[str, Any] = {"version": 1, "method": method, "model": model}
    return MappingText(signals=list(signals), values=list(values), example=list(examples), **text)


def _spread(x: Doubles) -> Doubles:
    """Standard deviations; 1 for a constant signal."""
    deviation = x.std(0)
    return np.asarray(np.where(deviation > 1e-9, deviation, 1.0))


def _ridge(x: Doubles, y: Doubles) -> list[Layer]:
    """Ridge regression (Hoerl and Kennard 1970)."""
    from sklearn.linear_model import Ridge

    found = Ridge(alpha=RIDGE_ALPHA).fit(x, y)
    weights = np.reshape(found.coef_, (y.shape[1], x.shape[1])).T
    return [_layer(weights, np.broadcast_to(found.intercept_, y.shape[1]))]


def _mlp(x: Doubles, y: Doubles) -> list[Layer]:
    """A perceptron with one hidden layer, fitted to standardised values by L-BFGS; every fit is the same."""
    from sklearn.neural_network import MLPRegressor

    mean, spread = y.mean(0), _spread(y)
    found = MLPRegressor(
        hidden_layer_sizes=(HIDDEN,),
        activation="tanh",
        solver="lbfgs",
        alpha=DECAY,
        max_iter=MLP_STEPS,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # if it stops early, it is near enough
        found.fit(x, (y - mean) / spread if y.shape[1] > 1 else ((y - mean) / spread).ravel())
    (first, last), (bias, offset) = found.coefs_, found.intercepts_
    return [_layer(first, bias), _layer(last * spread, offset * spread + mean)]


def _layer(weights: Doubles, bias: Doubles) -> Layer:
    return Layer(weights=[_short(row) for row in weights], bias=_short(bias))


def _short(numbers: Doubles) -> list[float]:
    return [float(f"{number:.{DIGITS}g}") for number in numbers]


def answer(line: str) -> dict[str, object]:
    """The answer of the process to a line."""
    try:
        request = json.loads(line)
        examples = [Example.model_validate(example) for example in request["examples"]]
        return fit(request["method"], request["signals"], request["values"], examples).model_dump()
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        return {"fault": reason(error)}


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer every line until the input ends."""
    import sklearn.linear_model
    import sklearn.neural_network  # noqa: F401 - loaded before the first request

    for line in requests:
        answers.write(json.dumps(answer(line)) + "\n")
        answers.flush()


def main() -> None:
    """The process: it answers the lines of its standard input."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    serve(sys.stdin, sys.stdout)
