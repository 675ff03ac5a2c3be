"""``Evaluations``: networks that were trained and measured, each once, up to so many; what they cover together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dse.architecture.space import Choice, Space
from dse.hypervolume import hypervolume
from dse.pareto import non_dominated

Costs = tuple[float, ...]
Evaluate = Callable[[Sequence[Choice]], Sequence[Costs | None]]
"""The costs of networks, all worth knowing and all finite; None of one that cannot be built. Less is better."""


class Evaluations:
    """Networks of ``space`` with their ``costs``, in the order in which they were asked for.

    No network is evaluated twice, and no more than ``limit`` are. ``reference``: costs beyond which a network is of no
    use, on any axis; volumes are measured from there.
    """

    def __init__(self, space: Space, evaluate: Evaluate, limit: int, reference: Costs) -> None:
        if limit < 1:
            raise ValueError(f"evaluations: {limit} must be 1 or more")
        self.space, self.limit, self.reference = space, min(limit, space.size), reference
        self.costs: dict[Choice, Costs | None] = {}
        self._evaluate = evaluate

    @property
    def left(self) -> int:
        """How many more there may be."""
        return self.limit - len(self.costs)

    def ask(self, choices: Sequence[Choice]) -> None:
        """Evaluate those that have not been, the first of them as far as the limit allows."""
        new = [choice for choice in dict.fromkeys(choices) if choice not in self.costs][: self.left]
        if not new:
            return
        for choice, costs in zip(new, self._evaluate(new), strict=True):
            if costs is not None and (len(costs) != len(self.reference) or not all(map(math.isfinite, costs))):
                raise ValueError(
                    f"network {self.space.values(choice)}: costs {costs} must be {len(self.reference)} finite"
                )
            self.costs[choice] = costs

    @property
    def found(self) -> dict[Choice, Costs]:
        """Those that can be built."""
        return {choice: costs for choice, costs in self.costs.items() if costs is not None}

    @property
    def front(self) -> dict[Choice, Costs]:
        """Those that no other beats, of equal costs the first, by the first cost; also those beyond the reference."""
        found = list(self.found.items())
        return dict(
            sorted((found[place] for place in non_dominated([c for _, c in found])), key=lambda entry: entry[1])
        )

    @property
    def volume(self) -> float:
        """What all cover together."""
        return hypervolume(list(self.found.values()), self.reference)

    @property
    def volumes(self) -> list[float]:
        """What the first, the first two, ... covered."""
        costs = list(self.costs.values())
        return [
            hypervolume([own for own in costs[: n + 1] if own is not None], self.reference) for n in range(len(costs))
        ]
