"""The integer program on chains of 30 layers, which no oracle can try every choice of, against a dynamic program."""

from __future__ import annotations

import pytest

from dse import exhaustive, milp
from dse.problem import TIE_BREAK, Infeasible, Objective
from tests.dse.chains import optimum, random_chain


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("objective", list(Objective))
def test_the_dynamic_program_equals_every_choice(seed: int, objective: Objective) -> None:
    problem = random_chain(seed, 4)
    try:
        found = exhaustive.solve(problem, objective)[1]
    except Infeasible:
        assert optimum(problem, objective) is None
        return
    assert optimum(problem, objective) == (found.objective(objective), found.objective(TIE_BREAK[objective]))


@pytest.mark.few(5)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("objective", list(Objective))
def test_equals_the_dynamic_program(seed: int, objective: Objective) -> None:
    problem = random_chain(seed, 30)
    expected = optimum(problem, objective)
    if expected is None:
        with pytest.raises(Infeasible):
            milp.solve(problem, objective)
        return
    found = milp.solve(problem, objective)
    assert (found.evaluation.objective(objective), found.evaluation.objective(TIE_BREAK[objective])) == expected
    assert found.report.status == "optimal"
