"""What a search asks: whether a selection keeps the limits and reaches a value of the objective."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from dse.evaluate import Evaluation
from dse.labels.kernels import NEVER
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.problem import Objective, Problem

Goal = Objective | None
"""What is minimised; None stands for the largest relative violation of a limit."""


def value_of(objective: Goal, evaluation: Evaluation) -> Fraction:
    """The value of a selection in the objective.

    Parameters
        objective   what is minimised
        evaluation  what the selection costs
    """
    return evaluation.violation if objective is None else evaluation.objective(objective)


def limits_at(problem: Problem, network: Network, objective: Goal, value: Fraction, *, below: bool) -> Limits:
    """The limits of a selection that has at most ``value`` in the objective.

    Parameters
        problem    the problem
        network    network of the problem
        objective  what is minimised
        value      value of the objective
        below      whether a selection must have less than ``value``
    """

    def at_most(limit: Fraction) -> int:
        return math.ceil(limit) - 1 if below else math.floor(limit)

    def exceeded(limit: int) -> int:
        return at_most(limit + value * max(limit, 1))

    caps: dict[str, int] = dict(problem.budget)
    if problem.max_error is not None:
        caps["error"] = problem.max_error
    deadline = NEVER if problem.max_latency is None else problem.max_latency
    cycles = NEVER if problem.max_cycles is None else problem.max_cycles
    match objective:
        case None:
            caps = {name: exceeded(limit) for name, limit in caps.items()}
            deadline = NEVER if problem.max_latency is None else exceeded(problem.max_latency)
            cycles = NEVER if problem.max_cycles is None else exceeded(problem.max_cycles)
        case Objective.UTILISATION:
            shares = {name: at_most(value * max(limit, 1)) for name, limit in problem.budget.items()}
            caps |= {name: min(limit, caps[name]) for name, limit in shares.items()}
        case Objective.ERROR:
            caps["error"] = min(at_most(value), caps.get("error", NEVER))
        case Objective.LATENCY:
            deadline = min(deadline, at_most(value))
        case Objective.BOTTLENECK:
            cycles = min(cycles, at_most(value))
    rows = np.array([min(caps.get(name, NEVER), NEVER) for name in network.row_names], np.int64)
    return Limits(min(deadline, NEVER), rows, min(cycles, NEVER))
