"""What a selection costs, exactly, in integers and fractions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from dse.problem import Objective, Problem, ProblemError, Selection


@dataclass(frozen=True)
class Evaluation:
    """What a selection costs.

    Parameters
        bottleneck   cycles per frame of the slowest op
        latency      cycles from the first beat of a frame in to its last beat out
        resources    amount of each resource, by name
        error        summed error
        violation    largest constraint violation as a fraction of the limit; 0 where all limits hold
        utilisation  largest fraction of a resource's budget that is used; ``==`` ignores it, so that equal designs
                     compare equal under different budgets
    """

    bottleneck: int
    latency: int
    resources: dict[str, int]
    error: int
    violation: Fraction
    utilisation: Fraction = field(compare=False)

    @property
    def feasible(self) -> bool:
        """Whether all limits hold."""
        return self.violation == 0

    @property
    def amounts(self) -> dict[str, int]:
        """Every quantity that a problem can limit, by name."""
        return {**self.resources, "cycles": self.bottleneck, "error": self.error, "latency": self.latency}

    def objective(self, objective: Objective) -> Fraction:
        """The value of one objective."""
        match objective:
            case Objective.BOTTLENECK:
                return Fraction(self.bottleneck)
            case Objective.LATENCY:
                return Fraction(self.latency)
            case Objective.UTILISATION:
                return self.utilisation
            case Objective.ERROR:
                return Fraction(self.error)


def violation(amounts: Mapping[str, int], limits: Mapping[str, int]) -> Fraction:
    """The largest constraint violation as a fraction of the limit; 0 where all limits hold.

    A limit of 0 counts as 1 in the division.

    Parameters
        amounts  every limited quantity, by name
        limits   limits, by name
    """
    shares = (Fraction(amounts[name] - limit, max(limit, 1)) for name, limit in limits.items())
    return max(Fraction(0), max(shares, default=Fraction(0)))


def utilisation(amounts: Mapping[str, int], budget: Mapping[str, int]) -> Fraction:
    """The largest fraction of a resource's budget that is used; 0 without resources.

    A budget of 0 counts as 1 in the division.

    Parameters
        amounts  amount of each resource, by name
        budget   limit of each resource, by name
    """
    return max((Fraction(amounts[name], max(limit, 1)) for name, limit in budget.items()), default=Fraction(0))


def has_links(problem: Problem, selection: Selection) -> bool:
    """Whether every edge of a selection has a link for its two interfaces.

    Parameters
        problem    the problem
        selection  one candidate per op, by op name
    """
    return all(
        (selection[edge.producer].writes, selection[edge.consumer].reads[edge.index]) in edge.links
        for edge in problem.edges
    )


def evaluate(problem: Problem, selection: Selection) -> Evaluation:
    """Compute what a selection costs.

    Each op has a start, the time of its first output, and a finish, the time of its last output. The input duration is
    the time from the producer's start to its finish.

    An op starts ``fill`` cycles after the fraction ``input_fraction`` of the input duration has passed, rounded up to
    whole cycles, but no earlier than ``first_output`` cycles after its producer's start. An op finishes ``duration``
    cycles after its start, but no earlier than ``drain`` cycles after its producer's finish, and no earlier than
    ``rest`` cycles after the fraction ``knee`` of the input duration has passed. Each link delays what passes it by its
    own ``fill``.

    Parameters
        problem    the problem
        selection  one candidate per op, by op name
    Raises         ProblemError: when an edge has no link for its two interfaces
    """
    total = [0] * len(problem.budget)
    start: dict[str, int] = {}
    finish: dict[str, int] = {}
    for op in problem.ops:
        own = selection[op.name]
        total = [a + b for a, b in zip(total, own.resources, strict=True)]
        starts, ends = [max(own.fill, own.first_output)], [0]
        for edge in problem.inputs[op.name]:
            source, pair = edge.producer, (selection[edge.producer].writes, own.reads[edge.index])
            if pair not in edge.links:
                raise ProblemError(f"edge {edge}: {pair[0]} cannot be joined to {pair[1]}")
            link = edge.links[pair]
            total = [a + b for a, b in zip(total, link.resources, strict=True)]
            input_start, input_duration = link.fill + start[source], finish[source] - start[source]
            starts.append(input_start + max(math.ceil(op.input_fraction * input_duration) + own.fill, own.first_output))
            ends.append(input_start + max(math.ceil(op.knee * input_duration) + own.rest, input_duration + own.drain))
        start[op.name] = max(starts)
        finish[op.name] = max(start[op.name] + own.duration, *ends)
    amounts = dict(zip(problem.budget, total, strict=True))
    bottleneck = max(selection[op.name].cycles for op in problem.ops)
    error = sum(selection[op.name].error for op in problem.ops)
    latency = finish[problem.output]
    exceeded = violation({**amounts, "cycles": bottleneck, "error": error, "latency": latency}, problem.limits)
    return Evaluation(bottleneck, latency, amounts, error, exceeded, utilisation(amounts, problem.budget))
