"""Each word of an answer, held against a judge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from benchmarks.inputs.cpsat import Contradiction
from benchmarks.proofs.judges import Judge
from benchmarks.proofs.questions import Answer, Question
from dse.evaluate import Evaluation, evaluate, violation
from dse.problem import TIE_BREAK, Problem

TINY = 1e-6
"""A share by which a false word misses that is counted apart: it may come of rounding."""


@dataclass(frozen=True)
class FalseWord:
    """``share``: by how much it misses, of what it says; None where that means nothing."""

    kind: str
    share: float | None
    detail: str


class Trial:
    """One answer before the judge: ``false`` words in it, and ``open`` words that the judge could not decide."""

    def __init__(self, problem: Problem, question: Question, given: Answer, judge: Judge) -> None:
        self.false: list[FalseWord] = []
        self.open: list[str] = []
        self._problem, self._question, self._given, self._judge = problem, question, given, judge
        try:
            if given.status in ("raised", "crashed", "hung"):
                self._charge(given.status, None, given.text)
            elif given.status == "infeasible":
                self._refused()
            elif given.status != "gave up":
                self._answered()
        except Contradiction as contradiction:
            self.open.append(f"the judge contradicts itself: {contradiction}")

    def _charge(self, kind: str, share: Fraction | float | None, detail: str) -> None:
        self.false.append(FalseWord(kind, None if share is None else float(share), detail))

    def _answered(self) -> None:
        given, objective = self._given, self._question.objective
        selection = {op.name: op.candidates[i] for op, i in zip(self._problem.ops, given.choice, strict=True)}
        true = evaluate(self._problem, selection)
        value = true.objective(objective)
        if not true.feasible:
            self._charge("a choice over a limit", true.violation, f"{true.amounts}, limits {self._problem.limits}")
            return
        if given.evaluation != true or given.objective != float(value):
            self._charge("a contradicted objective", None, f"says {given.objective}, is {float(value)}")
        found = self._judge.least(objective, selection)
        if found.status == "infeasible" or found.bound > value:
            raise Contradiction(f"{self._problem.name}, {objective}: the judge says {found}, but {value} is reached")
        best = value if found.value is None else min(value, found.value)
        self._bound(best, found.bound)
        if given.status == "optimal":
            self._excess("optimal", value, best, found.bound, Fraction(0))
            self._tie(true, value, best)
        elif given.status == "within gap":
            self._excess("within gap", value, best, found.bound, Fraction(self._question.gap))

    def _excess(self, status: str, value: Fraction, best: Fraction, least: Fraction, gap: Fraction) -> None:
        """``best`` is reached, and nothing below ``least`` is."""
        allowed = value - value * gap
        if best < allowed:
            detail = f"{float(value)} is said, {float(best)} is reached, gap asked {float(gap)}"
            self._charge(f"{status}, but a better choice exists", (allowed - best) / value, detail)
        elif least < allowed:
            self.open.append(status)

    def _bound(self, best: Fraction, least: Fraction) -> None:
        bound = self._given.bound
        if not bound <= float(best):
            share = (Fraction(bound) - best) / Fraction(bound) if math.isfinite(bound) else None
            self._charge("a bound above a choice", share, f"bound {bound}, {float(best)} is reached")
        elif bound > float(least):
            self.open.append("bound")

    def _tie(self, true: Evaluation, value: Fraction, best: Fraction) -> None:
        """Whether the least of ``TIE_BREAK`` was found, where it was asked for without a gap."""
        if not self._question.then or self._question.gap or value != best:
            return
        least, second = self._judge.ties(self._question.objective, value), TIE_BREAK[self._question.objective]
        if least is not None and true.objective(second) > least:
            said = true.objective(second)
            detail = f"{second} {float(said)}, {float(least)} is reached"
            self._charge("of equal choices not the best", (said - least) / said, detail)

    def _refused(self) -> None:
        assert self._given.refusal is not None
        shortages, alone, exceeded = self._given.refusal
        found = self._judge.least(self._question.objective)
        if found.value is not None:
            self._charge("infeasible, but a choice exists", None, f"{float(found.value)} is reached")
            return
        if found.status != "infeasible":
            self.open.append("infeasible")
            return
        together = self._judge.overrun()
        if together.status == "unknown":
            self.open.append("overrun")
        elif (together.value is None) != (not shortages):
            self._charge("a wrong shortage", None, f"{shortages}, but the least overrun is {together.value}")
            return
        elif together.value is not None and together.value != exceeded:
            share = abs(exceeded - together.value) / max(exceeded, together.value)
            self._charge("a wrong overrun", share, f"says {float(exceeded)}, is {float(together.value)}")
        if shortages and not alone:
            needed, limits = ({name: said[i] for name, *said in shortages} for i in (0, 1))
            if violation(needed, limits) != exceeded:
                self._charge("a wrong shortage", None, f"{shortages} do not show an overrun of {float(exceeded)}")
        if shortages:
            self._alone({name: needed for name, needed, _ in shortages} if alone else {})

    def _alone(self, said: dict[str, int]) -> None:
        """``said``: what is needed of each limit that cannot be kept even alone."""
        for name, limit in self._problem.limits.items():
            least = self._judge.amount(name)
            stated = said.get(name)
            if stated is None:
                wrong = least.bound > limit
                certain = least.value is not None and least.value <= limit
            else:
                wrong = least.bound > stated or (least.value is not None and least.value < stated)
                certain = least.status == "optimal"
            if wrong:
                value = least.bound if least.value is None else least.value
                share = abs(value - stated) / max(value, stated, 1) if stated is not None else None
                self._charge("a wrong shortage", share, f"{name}: {stated} said to be needed, {value} is")
            elif not certain:
                self.open.append("shortage")
