"""The error of each format in each layer, summed over an assignment, and the formats worth considering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dse.pareto import non_dominated
from models.ir.layer_format import LayerFormat

Assignment = dict[str, str]
LEAST = 1e-4
"""An increase of the loss that no test can tell from zero."""


def total(sensitivity: Mapping[str, Mapping[str, float]], assignment: Mapping[str, str]) -> float:
    """The summed error of an assignment; an improvement counts as 0.

    Parameters
        sensitivity  error by layer and format name
        assignment   format name by layer
    """
    return sum(max(0.0, sensitivity[layer][name]) for layer, name in assignment.items())


def features(sensitivity: Mapping[str, Mapping[str, float]], assignments: Sequence[Mapping[str, str]]) -> np.ndarray:
    """Rows for an accuracy predictor, float64 [assignments, layers + 1].

    The columns are the error of each layer, in the order of ``sensitivity``, and log10 of their sum, which counts as at
    least ``LEAST``.

    Parameters
        sensitivity  error by layer and format name
        assignments  format name by layer, for each row
    """
    errors = [[max(0.0, own[assignment[layer]]) for layer, own in sensitivity.items()] for assignment in assignments]
    sums = [[np.log10(max(LEAST, total(sensitivity, assignment)))] for assignment in assignments]
    return np.hstack([errors, sums])


def worthwhile(sensitivity: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[str, ...]]:
    """The formats of each layer that no other format dominates in error and in widths; of equal ones the first.

    Widths of codes and of decoded numbers both count, as DyBit needs wider arithmetic than integers of as many bits.

    Parameters
        sensitivity  error by layer and format name
    Returns          format names by layer
    """
    formats: dict[str, tuple[str, ...]] = {}
    for layer, errors in sensitivity.items():
        names = list(errors)
        costs = [(*LayerFormat.parse(name).widths, max(0.0, errors[name])) for name in names]
        formats[layer] = tuple(names[place] for place in non_dominated(costs))
    return formats
