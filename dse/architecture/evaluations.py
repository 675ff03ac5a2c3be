"""``Evaluations``: trained and measured networks, each evaluated once, within an evaluation budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dse.architecture.space import Choice, Space
from dse.hypervolume import hypervolume
from dse.pareto import non_dominated

Costs = tuple[float, ...]
"""Costs of a network; less is better."""
Evaluate = Callable[[Sequence[Choice]], Sequence[Costs | None]]
"""Costs of networks, all finite; None for a network that cannot be built. Less is better."""


class Evaluations:
    """Networks of a space with their costs, in the order in which they were asked for.

    No network is evaluated twice.

    Parameters
        space      the space of networks
        evaluate   function that trains and measures networks
        limit      evaluation budget: networks evaluated at most
        reference  reference point of the hypervolume: costs beyond which a network is of no use, on any axis
    Raises         ValueError: when ``limit`` is below 1
    """

    def __init__(self, space: Space, evaluate: Evaluate, limit: int, reference: Costs) -> None:
        if limit < 1:
            raise ValueError(f"evaluations: {limit} must be 1 or more")
        self.space, self.limit, self.reference = space, min(limit, space.size), reference
        self.costs: dict[Choice, Costs | None] = {}
        self._evaluate = evaluate

    @property
    def remaining(self) -> int:
        """The evaluations left in the budget."""
        return self.limit - len(self.costs)

    def ask(self, choices: Sequence[Choice]) -> None:
        """Evaluate the networks that were not evaluated before, in order, as far as the budget allows."""
        new = [choice for choice in dict.fromkeys(choices) if choice not in self.costs][: self.remaining]
        if not new:
            return
        for choice, costs in zip(new, self._evaluate(new), strict=True):
            if costs is not None and (len(costs) != len(self.reference) or not all(map(math.isfinite, costs))):
                raise ValueError(
                    f"network {self.space.values(choice)}: costs {costs} must be {len(self.reference)} finite"
                )
            self.costs[choice] = costs

    @property
    def feasible(self) -> dict[Choice, Costs]:
        """The networks that can be built, with their costs."""
        return {choice: costs for choice, costs in self.costs.items() if costs is not None}

    @property
    def front(self) -> dict[Choice, Costs]:
        """The networks that no other dominates, by rising first cost; of equal ones the first.

        Networks beyond the reference may be among them.
        """
        networks = list(self.feasible.items())
        return dict(
            sorted((networks[place] for place in non_dominated([c for _, c in networks])), key=lambda entry: entry[1])
        )

    @property
    def volume(self) -> float:
        """Hypervolume of all networks evaluated."""
        return hypervolume(list(self.feasible.values()), self.reference)

    @property
    def volumes(self) -> list[float]:
        """Hypervolume after the first evaluation, after the first two, and so on."""
        costs = list(self.costs.values())
        return [
            hypervolume([own for own in costs[: n + 1] if own is not None], self.reference) for n in range(len(costs))
        ]
