"""The integer program: its variables, its rules, and the calls to HiGHS through pulp."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import highspy
import pulp

from dse.problem import Candidate, Edge, Interface, Objective, Problem, Selection

TOLERANCE = 1e-9
LARGE = 2000
"""Picks above which a program is worth heuristics of its own."""
NOTHING = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)

Pick = tuple[pulp.LpVariable, Candidate]
Join = tuple[pulp.LpVariable, tuple[Interface, Interface]]


class SolverError(RuntimeError):
    """The solver found nothing in its time, or what it reports is not what its choice costs."""


@dataclass(frozen=True)
class Outcome:
    """A choice, its value in the goal, a lower bound on every choice's, and whether it is proven within the gap."""

    selection: Selection
    value: float
    bound: float
    proven: bool


class Program:
    """The variables and the rules that hold whatever is minimised.

    Binary ``picks`` choose a candidate an op. Continuous ``joins`` choose a pair of interfaces an edge:
    their sums over readers and over writers equal what the picks at both ends write and read, which
    makes them 0 or 1 as soon as the picks are.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.lp = pulp.LpProblem("choice", pulp.LpMinimize)
        self.picks: dict[str, list[Pick]] = {}
        self.joins: list[list[Join]] = []
        self.cycles = pulp.LpAffineExpression([(self._variable("cycles"), 1)])
        for i, op in enumerate(problem.ops):
            picks = [
                (self.lp.add_variable(f"pick_{i}_{j}", cat=pulp.LpBinary), candidate)
                for j, candidate in enumerate(op.candidates)
            ]
            self.picks[op.name] = picks
            self.lp.addConstraint(pulp.LpAffineExpression([(pick, 1) for pick, _ in picks]) == 1)
            self.lp.addConstraint(self.cycles >= self._chosen(op.name, "cycles"))
        for i, edge in enumerate(problem.edges):
            self.joins.append(self._join(i, edge))

    def _variable(self, name: str) -> pulp.LpVariable:
        return self.lp.add_variable(name, lowBound=0)

    def _join(self, i: int, edge: Edge) -> list[Join]:
        writers: dict[Interface, list[tuple[pulp.LpVariable, int]]] = {}
        readers: dict[Interface, list[tuple[pulp.LpVariable, int]]] = {}
        for pick, candidate in self.picks[edge.producer]:
            writers.setdefault(candidate.writes, []).append((pick, -1))
        for pick, candidate in self.picks[edge.consumer]:
            readers.setdefault(candidate.reads[edge.index], []).append((pick, -1))
        joins = []
        for pair in edge.links:
            if pair[0] in writers and pair[1] in readers:
                join = self._variable(f"join_{i}_{len(joins)}")
                writers[pair[0]].append((join, 1))
                readers[pair[1]].append((join, 1))
                joins.append((join, pair))
        for terms in (*writers.values(), *readers.values()):
            self.lp.addConstraint(pulp.LpAffineExpression(terms) == 0)
        return joins

    def _chosen(self, op: str, figure: str) -> pulp.LpAffineExpression:
        """The figure of the candidate that is picked for an op."""
        return pulp.LpAffineExpression([(pick, getattr(candidate, figure)) for pick, candidate in self.picks[op]])

    def amount(self, name: str) -> pulp.LpAffineExpression:
        """Of a resource, of cycles, of error or of latency."""
        if name == "cycles":
            return self.cycles
        if name == "latency":
            return self.latency
        picks = [pick for picks in self.picks.values() for pick in picks]
        if name == "error":
            return pulp.LpAffineExpression([(pick, candidate.error) for pick, candidate in picks])
        kind = list(self.problem.budget).index(name)
        terms = [(pick, candidate.resources[kind]) for pick, candidate in picks]
        for edge, joins in zip(self.problem.edges, self.joins, strict=True):
            terms += [(join, edge.links[pair].resources[kind]) for join, pair in joins]
        return pulp.LpAffineExpression(terms)

    def limited(self, objective: Objective) -> pulp.LpAffineExpression:
        """Add the limits, and what the objective needs; gives the objective."""
        for name, limit in self.problem.limits.items():
            self.lp.addConstraint(self.amount(name) <= limit)
        match objective:
            case Objective.BOTTLENECK:
                return self.cycles
            case Objective.LATENCY:
                return self.latency
            case Objective.UTILISATION:
                return self._utilisation()
            case Objective.ERROR:
                return self.amount("error")

    def overrun(self) -> pulp.LpAffineExpression:
        """The largest share by which a limit is exceeded."""
        worst = self._variable("overrun")
        for name, limit in self.problem.limits.items():
            self.lp.addConstraint(self.amount(name) <= limit + max(limit, 1) * worst)
        return pulp.LpAffineExpression([(worst, 1)])

    def _utilisation(self) -> pulp.LpAffineExpression:
        """The largest share of a resource's budget."""
        most = self._variable("utilisation")
        for name, limit in self.problem.budget.items():
            self.lp.addConstraint(self.amount(name) <= max(limit, 1) * most)
        return pulp.LpAffineExpression([(most, 1)])

    @cached_property
    def latency(self) -> pulp.LpAffineExpression:
        """When the output finishes: lower bounds alone, as ``evaluate`` takes the largest of each kind."""
        start = {op.name: self._variable(f"start_{i}") for i, op in enumerate(self.problem.ops)}
        finish = {op.name: self._variable(f"finish_{i}") for i, op in enumerate(self.problem.ops)}
        leads = {op.name: float(op.lead) for op in self.problem.ops}
        for own in start:
            self.lp.addConstraint(start[own] >= self._chosen(own, "fill"))
            self.lp.addConstraint(start[own] >= self._chosen(own, "head"))
            self.lp.addConstraint(finish[own] >= start[own] + self._chosen(own, "span"))
        for edge, joins in zip(self.problem.edges, self.joins, strict=True):
            source, own, lead = edge.producer, edge.consumer, leads[edge.consumer]
            link = pulp.LpAffineExpression([(join, edge.links[pair].fill) for join, pair in joins])
            arrived = (1 - lead) * start[source] + lead * finish[source]
            self.lp.addConstraint(start[own] >= arrived + self._chosen(own, "fill") + link)
            self.lp.addConstraint(start[own] >= start[source] + self._chosen(own, "head") + link)
            self.lp.addConstraint(finish[own] >= finish[source] + self._chosen(own, "tail") + link)
        return pulp.LpAffineExpression([(finish[self.problem.output], 1)])

    def relax(self, goal: pulp.LpAffineExpression) -> tuple[float, list[list[float]]] | None:
        """The least goal when picks may be fractions, and each pick's reduced cost; None where nothing is feasible."""
        self.lp.setObjective(goal)
        highs = self._run(pulp.HiGHS(mip=False, msg=False, threads=1))
        if highs.getModelStatus() in NOTHING:
            return None
        costs = [[float(pick.dj or 0) for pick, _ in picks] for picks in self.picks.values()]
        return highs.getInfo().objective_function_value, costs

    def _run(self, solver: pulp.HiGHS) -> highspy.Highs:
        self.lp.solve(solver)
        highs = self.lp.solverModel
        assert isinstance(highs, highspy.Highs)
        return highs

    def minimise(
        self, goal: pulp.LpAffineExpression, gap: float = 0.0, time_limit: float | None = None, nodes: int | None = None
    ) -> Outcome | None:
        """The best choice, to within ``gap`` of its value, under the rules added so far; None where there is none.

        It is not proven where ``time_limit``, in seconds, ends the search, or ``nodes``, which does not depend on load.
        """
        self.lp.setObjective(goal)
        # measured: with presolve and these two heuristics, networks of 9 and 11 ops take twice as long; but without the
        # heuristics those of 35 and more find choices up to half as slow again in the same time
        large = sum(map(len, self.picks.values())) > LARGE
        most: dict[str, Any] = {} if nodes is None else {"mip_max_nodes": nodes}
        solver = pulp.HiGHS(
            msg=False, threads=1, **most, gapRel=gap, gapAbs=0.0, timeLimit=time_limit, presolve="off",
            mip_heuristic_run_rins=large, mip_heuristic_run_rens=large,
            mip_feasibility_tolerance=TOLERANCE, primal_feasibility_tolerance=TOLERANCE,
        )  # fmt: skip
        highs = self._run(solver)
        status = highs.getModelStatus()
        if status in NOTHING:
            return None
        selection: Selection = {}
        for name, picks in self.picks.items():
            chosen = [candidate for pick, candidate in picks if (pick.value() or 0) > 0.5]
            if len(chosen) != 1:
                raise SolverError(f"the solver stopped with status {status.name} before it found a choice")
            selection[name] = chosen[0]
        info = highs.getInfo()
        proven = status == highspy.HighsModelStatus.kOptimal
        return Outcome(selection, info.objective_function_value, info.mip_dual_bound, proven)
