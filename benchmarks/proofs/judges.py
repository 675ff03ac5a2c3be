"""What is true of a problem: by trying every choice, or by CP-SAT."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

from benchmarks.inputs import cpsat
from benchmarks.inputs.cpsat import Verdict
from dse import exhaustive
from dse.problem import TIE_BREAK, Objective, Problem, Selection

FEW = 20_000
"""Choices, joined or not, that are tried one after the other."""
JUDGE_SECONDS = 2.0
"""The time limit of a question to CP-SAT."""


class Judge(Protocol):
    """Knows, or bounds, the least of what a problem's choices take."""

    def least(self, objective: Objective, start: Selection | None = None) -> Verdict: ...

    def amount(self, name: str) -> Verdict: ...

    def overrun(self) -> Verdict: ...

    def ties(self, objective: Objective, value: Fraction) -> Fraction | None:
        """The least of ``TIE_BREAK`` among choices with a value of the objective; None where it is not known."""
        ...


class Exhaustive:
    """Has tried every choice."""

    def __init__(self, problem: Problem) -> None:
        self._joined = list(exhaustive.selections(problem))
        self._feasible = [found for found in self._joined if found[1].feasible]

    def least(self, objective: Objective, start: Selection | None = None) -> Verdict:
        return _verdict(evaluation.objective(objective) for _, evaluation in self._feasible)

    def amount(self, name: str) -> Verdict:
        return _verdict(Fraction(evaluation.amounts[name]) for _, evaluation in self._joined)

    def overrun(self) -> Verdict:
        return _verdict(evaluation.violation for _, evaluation in self._joined)

    def ties(self, objective: Objective, value: Fraction) -> Fraction | None:
        equal = [evaluation for _, evaluation in self._feasible if evaluation.objective(objective) == value]
        return min((evaluation.objective(TIE_BREAK[objective]) for evaluation in equal), default=None)


def _verdict(values: Iterable[Fraction]) -> Verdict:
    least = min(values, default=None)
    return Verdict("infeasible") if least is None else Verdict("optimal", least, least)


class CpSat:
    """Asks CP-SAT, and may not know."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def least(self, objective: Objective, start: Selection | None = None) -> Verdict:
        return cpsat.solve(self._problem, objective, JUDGE_SECONDS, start)

    def amount(self, name: str) -> Verdict:
        return cpsat.least_amount(self._problem, name, JUDGE_SECONDS)

    def overrun(self) -> Verdict:
        return cpsat.least_overrun(self._problem, JUDGE_SECONDS)

    def ties(self, objective: Objective, value: Fraction) -> Fraction | None:
        return None


def judge(problem: Problem) -> Judge:
    few = math.prod(len(op.candidates) for op in problem.ops) <= FEW
    return Exhaustive(problem) if few else CpSat(problem)
