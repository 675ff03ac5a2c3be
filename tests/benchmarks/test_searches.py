"""The searches that the integer program is compared with: never better than the optimum; annealing mostly as good."""

from __future__ import annotations

import pytest

from benchmarks.inputs.problems import random_problem
from benchmarks.searches import anneal, by_target, greedy
from dse import exhaustive
from dse.evaluate import evaluate
from dse.problem import Infeasible, Objective


@pytest.mark.parametrize("objective", [Objective.BOTTLENECK, Objective.LATENCY])
def test_searches_against_every_choice(objective: Objective) -> None:
    met, solved = 0, 0
    for seed in range(30):
        problem = random_problem(seed)
        try:
            _, optimum = exhaustive.solve(problem, objective)
        except Infeasible:
            continue
        try:
            walks = [search(problem, objective) for search in (greedy, by_target)]
            walks.append(anneal(problem, objective, seed, 800))
        except ValueError:
            # the walks begin at a choice made op by op, which not every wiring of lanes has
            continue
        solved += 1
        for selection, found in walks:
            assert found == evaluate(problem, selection)
            if found.feasible:
                assert found.objective(objective) >= optimum.objective(objective)
        met += walks[2][1].feasible and walks[2][1].objective(objective) == optimum.objective(objective)
    assert solved > 7
    assert met > 0.9 * solved
