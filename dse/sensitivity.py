"""What formats cost layers, summed over an assignment, and which are worth a layer's while."""

from __future__ import annotations

from collections.abc import Mapping

from dse.pareto import non_dominated
from models.ir.dtype import parse_dtype

Assignment = dict[str, str]


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
