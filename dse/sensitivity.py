"""What formats cost layers, summed over an assignment, and which are worth a layer's while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dse.pareto import non_dominated
from models.ir.layer_format import LayerFormat

Assignment = dict[str, str]
LEAST = 1e-4
"""An increase of the loss that no test tells from none."""


def total(sensitivity: Mapping[str, Mapping[str, float]], assignment: Mapping[str, str]) -> float:
    """The summed error of an assignment; improvements count as none."""
    return sum(max(0.0, sensitivity[layer][name]) for layer, name in assignment.items())


def features(sensitivity: Mapping[str, Mapping[str, float]], assignments: Sequence[Mapping[str, str]]) -> np.ndarray:
    """float64 ``[n, layers + 1]``, for a predictor: the error of each layer, in the order of ``sensitivity``, and the
    decimal logarithm of their sum, which is taken to be at least ``LEAST``.
    """
    errors = [[max(0.0, own[assignment[layer]]) for layer, own in sensitivity.items()] for assignment in assignments]
    sums = [[np.log10(max(LEAST, total(sensitivity, assignment)))] for assignment in assignments]
    return np.hstack([errors, sums])


def worthwhile(sensitivity: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[str, ...]]:
    """The formats of each layer that no other one equals or beats in error and in all widths, of codes and of decoded
    numbers, as DyBit's codes take wider arithmetic than integers of as many bits; of equals the first.
    """
    found: dict[str, tuple[str, ...]] = {}
    for layer, errors in sensitivity.items():
        names = list(errors)
        costs = [(*LayerFormat.parse(name).widths, max(0.0, errors[name])) for name in names]
        found[layer] = tuple(names[place] for place in non_dominated(costs))
    return found
