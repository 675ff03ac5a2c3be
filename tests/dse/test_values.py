"""The values that a search asks about."""

from __future__ import annotations

from fractions import Fraction

import pytest

from benchmarks.inputs.problems import random_problem
from dse.exhaustive import selections
from dse.labels.network import Network
from dse.problem import Objective
from dse.values import FINEST, Values


def values(seed: int, goal: Objective) -> Values:
    problem = random_problem(seed)
    return Values(problem, goal, Network(problem, timed=True, whole=False))


@pytest.mark.parametrize("goal", list(Objective))
def test_no_choice_within_the_limits_exceeds_the_highest_value(goal: Objective) -> None:
    for seed in range(20):
        feasible = [own.objective(goal) for _, own in selections(random_problem(seed)) if own.feasible]
        assert max(feasible, default=Fraction(0)) <= values(seed, goal).highest
    if goal is Objective.UTILISATION:
        assert values(0, goal).highest == 1


def test_a_fraction_that_is_asked_about_is_the_next_one_down() -> None:
    asked = values(0, Objective.UTILISATION)
    for value in (Fraction(0), Fraction(1, 3), Fraction(2, 3), Fraction(1)):
        rounded_down = asked.rounded_down(value)
        assert rounded_down <= value < rounded_down + Fraction(1, FINEST)
        assert (rounded_down * FINEST).denominator == 1
    assert asked.beyond(Fraction(0), Fraction(1, 10)) > 0


def test_whole_figures_grow_by_the_step_alone() -> None:
    asked = values(0, Objective.LATENCY)
    assert asked.rounded_down(Fraction(29, 2)) == 14
    assert asked.beyond(Fraction(100), Fraction(1, 50)) == 102
