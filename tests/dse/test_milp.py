"""The integer program against the oracle that tries every choice."""

from __future__ import annotations


import pytest

from dse import exhaustive, milp
from dse.problem import Infeasible, Objective, evaluate, overrun, utilisation
from tests.dse.problems import random_problem


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("objective", list(Objective))
def test_equals_the_oracle(seed: int, objective: Objective) -> None:
    problem = random_problem(seed)
    try:
        _, best = exhaustive.solve(problem, objective)
    except Infeasible as expected:
        with pytest.raises(Infeasible) as caught:
            milp.solve(problem, objective)
        found = caught.value
        assert (found.alone, found.overrun) == (expected.alone, expected.overrun)
        if expected.alone:
            assert found.shortages == expected.shortages
        elif expected.shortages:
            # several choices may share the smallest overrun; the one reported must show it
            needed = {shortage.name: shortage.needed for shortage in found.shortages}
            limits = {shortage.name: shortage.limit for shortage in found.shortages}
            assert overrun(needed, limits) == expected.overrun
            assert limits.items() <= problem.limits.items()
        else:
            assert found.shortages == ()
        return
    solution = milp.solve(problem, objective)
    assert solution.evaluation == evaluate(problem, solution.selection)
    assert solution.evaluation.feasible
    assert solution.evaluation.objective(objective) == best.objective(objective)
    least = min(
        utilisation(other.resources, problem.budget)
        for _, other in exhaustive.selections(problem)
        if other.feasible and other.objective(objective) == best.objective(objective)
    )
    assert utilisation(solution.evaluation.resources, problem.budget) == least
    assert solution.report.status == "optimal"
    assert solution.report.objective == float(best.objective(objective))
    assert solution.report.bound == pytest.approx(solution.report.objective, rel=1e-6)
    assert solution.report.gap < 1e-6
