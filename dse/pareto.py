"""Points that no other point beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Costs = tuple[Any, ...]


def dominates(a: Costs, b: Costs) -> bool:
    """Whether ``a`` is nowhere more than ``b`` and somewhere less; less is better in every place."""
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


def non_dominated(costs: Sequence[Costs]) -> list[int]:
    """Places of those that no other dominates, in their order; of equal ones the first alone."""
    kept: list[int] = []
    # whatever dominates another comes before it in this order, and so does the first of equals
    for place in sorted(range(len(costs)), key=lambda i: (costs[i], i)):
        if not any(all(x <= y for x, y in zip(costs[other], costs[place], strict=True)) for other in kept):
            kept.append(place)
    return sorted(kept)
