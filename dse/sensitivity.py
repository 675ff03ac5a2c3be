"""What each format costs each layer, by an evaluator, and which formats are worth a layer's while."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dse.pareto import non_dominated
from models.ir.dtype import parse_dtype

Assignment = dict[str, str]
Sensitivity = dict[str, dict[str, float]]


def measure(
    layers: Sequence[str], formats: Sequence[str], evaluate: Callable[[Assignment], float], base: str = "int8"
) -> Sensitivity:
    """By layer and format, the increase of the error when that layer alone leaves ``base``.

    ``evaluate`` gives an assignment's error, less being better; it is called once for ``base`` and once
    for every layer and other format. An improvement shows as a negative number.
    """
    uniform = dict.fromkeys(layers, base)
    reference = evaluate(uniform)
    return {
        layer: {name: 0.0 if name == base else evaluate({**uniform, layer: name}) - reference for name in formats}
        for layer in layers
    }


def total(sensitivity: Mapping[str, Mapping[str, float]], assignment: Mapping[str, str]) -> float:
    """The summed error of an assignment; improvements count as none."""
    return sum(max(0.0, sensitivity[layer][name]) for layer, name in assignment.items())


def worthwhile(sensitivity: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[str, ...]]:
    """The formats of each layer that no other format equals or beats in both bits and error; of equals the first."""
    found: dict[str, tuple[str, ...]] = {}
    for layer, errors in sensitivity.items():
        names = list(errors)
        costs = [(parse_dtype(name).width, max(0.0, errors[name])) for name in names]
        found[layer] = tuple(names[place] for place in non_dominated(costs))
    return found
