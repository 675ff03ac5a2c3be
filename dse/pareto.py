"""Points that no other point dominates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Costs = tuple[Any, ...]


def dominates(a: Costs, b: Costs) -> bool:
    """Whether ``a`` is nowhere more than ``b`` and somewhere less.

    Parameters
        a  costs, less is better
        b  costs, as many
    """
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


def non_dominated(costs: Sequence[Costs]) -> list[int]:
    """Indices of the points that no other dominates, in their order; of equal points only the first.

    Parameters
        costs  costs of each point, less is better
    """
    indices: list[int] = []
    # in this order a point comes after those that dominate it, and after the first of those equal to it
    for place in sorted(range(len(costs)), key=lambda i: (costs[i], i)):
        if not any(all(x <= y for x, y in zip(costs[other], costs[place], strict=True)) for other in indices):
            indices.append(place)
    return sorted(indices)
