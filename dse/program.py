"""The integer linear program, modelled with PuLP, and the calls to HiGHS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pulp

from dse.highs import INFEASIBLE_STATUSES, Crashed, Model, load_model, search
from dse.labels.weights import Duals
from dse.problem import Candidate, Interface, MilpEdge, Objective, Problem, Selection

TOLERANCE = 1e-9
"""Feasibility tolerance of HiGHS."""
LOOSE = 1e-6
"""Integrality tolerance for large programs, the default of HiGHS: with 1e-9, HiGHS 1.13 crashed far more often
(``dse/highs.py``). ``evaluate`` checks the rounded assignment."""
MANY = 20
"""Number of ops above which a program counts as large and gets presolve and heuristics."""

Terms = list[tuple[pulp.LpVariable, float]]
"""A linear expression: variables, each once, and their coefficients."""


class SolverError(RuntimeError):
    """The solver found nothing within its limits, or reports what the selection does not have."""


@dataclass(frozen=True)
class Relaxation:
    """An optimum of the linear relaxation, in floating point.

    Parameters
        value       least value of the objective
        duals       dual values of the named constraints
        assignment  value of each candidate's assignment variable, float [candidates] by op name
    """

    value: float
    duals: Duals
    assignment: dict[str, np.ndarray]


class Program:
    """The variables, and the constraints that hold for every objective.

    A binary assignment variable per candidate selects one candidate per op (``assignments``). A continuous edge
    compatibility variable per link selects a pair of interfaces per edge (``compatibilities``). For each interface the
    sum of its compatibility variables equals the sum of the assignment variables that write it, or read it, so the
    former are 0 or 1 whenever the latter are.

    Parameters
        problem  the problem
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._count = 0
        self.lp = pulp.LpProblem("choice", pulp.LpMinimize)
        self._variables: list[pulp.LpVariable] = []
        self._rules: dict[tuple[str | int, ...], int] = {}
        self._relaxing: tuple[tuple[int, int], highspy.Highs] | None = None
        self.assignments: dict[str, list[tuple[pulp.LpVariable, Candidate]]] = {}
        for op in problem.ops:
            self.assignments[op.name] = [
                (self._variable(f"x_{op.name}_{number}", pulp.LpBinary), candidate)
                for number, candidate in enumerate(op.candidates)
            ]
        self._binary = len(self._variables)
        for name, assignments in self.assignments.items():
            self.add(f"one_{name}", [(variable, 1) for variable, _ in assignments], 1, pulp.LpConstraintEQ)
        self.compatibilities = [self._add_compatibilities(edge) for edge in problem.edges]

    def _variable(self, name: str, kind: str = pulp.LpContinuous) -> pulp.LpVariable:
        variable = self.lp.add_variable(name, lowBound=0, cat=kind)
        self._variables.append(variable)
        return variable

    def add(
        self, name: str, terms: Terms, limit: float, sense: int = pulp.LpConstraintLE, rule: tuple[str | int, ...] = ()
    ) -> None:
        """Add the constraint that a linear expression keeps to a limit.

        Parameters
            name   name of the constraint in a written model
            terms  the linear expression
            limit  the limit
            sense  PuLP's sense of the constraint
            rule   key of the constraint, where its dual value is needed
        """
        if rule:
            self._rules[rule] = self._count
        self._count += 1
        self.lp.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, rhs=limit), name)

    def _add_compatibilities(self, edge: MilpEdge) -> list[tuple[pulp.LpVariable, tuple[Interface, Interface]]]:
        """Add the edge compatibility variables of an edge."""
        producers: dict[Interface, Terms] = {}
        consumers: dict[Interface, Terms] = {}
        for assignment, candidate in self.assignments[edge.producer]:
            producers.setdefault(candidate.writes, []).append((assignment, -1))
        for assignment, candidate in self.assignments[edge.consumer]:
            consumers.setdefault(candidate.reads[edge.index], []).append((assignment, -1))
        compatibilities = []
        name = f"{edge.producer}_{edge.consumer}_{edge.index}"
        for pair in edge.links:
            if pair[0] in producers and pair[1] in consumers:
                compatibility = self._variable(f"link_{name}_{_named(pair[0])}_{_named(pair[1])}")
                producers[pair[0]].append((compatibility, 1))
                consumers[pair[1]].append((compatibility, 1))
                compatibilities.append((compatibility, pair))
        for end, side in (("writes", producers), ("reads", consumers)):
            for interface, terms in side.items():
                self.add(f"{end}_{name}_{_named(interface)}", terms, 0, pulp.LpConstraintEQ)
        return compatibilities

    def _figure(self, op: str, figure: str, sign: int = 1) -> Terms:
        """A figure of the candidate that is selected for an op, as a linear expression."""
        return [
            (variable, sign * getattr(own, figure)) for variable, own in self.assignments[op] if getattr(own, figure)
        ]

    @cached_property
    def cycles(self) -> Terms:
        """A variable that is at least the cycles of the slowest op; minimising it makes them equal."""
        slowest = self._variable("slowest")
        for op in self.assignments:
            self.add(f"cycles_{op}", [*self._figure(op, "cycles"), (slowest, -1)], 0)
        return [(slowest, 1)]

    def amount(self, name: str) -> Terms:
        """A limited quantity as a linear expression: a resource, ``cycles``, ``error`` or ``latency``."""
        if name == "cycles":
            return self.cycles
        if name == "latency":
            return self.latency
        if name == "error":
            return [term for op in self.assignments for term in self._figure(op, "error")]
        kind = list(self.problem.budget).index(name)
        terms = [
            (variable, own.resources[kind])
            for assignments in self.assignments.values()
            for variable, own in assignments
        ]
        for edge, compatibilities in zip(self.problem.edges, self.compatibilities, strict=True):
            terms += [(variable, edge.links[pair].resources[kind]) for variable, pair in compatibilities]
        return [(variable, float(amount)) for variable, amount in terms if amount]

    def constrained(self, objective: Objective) -> Terms:
        """Add all limits as constraints; returns the objective's linear expression."""
        self.add_constraints()
        return self.objective_terms(objective)

    def add_constraints(self, but: str | None = None) -> None:
        """Add all limits as constraints, or all but one."""
        for name, limit in self.problem.limits.items():
            if name != but:
                self.add(f"limit_{name}", self.amount(name), float(limit), rule=("limit", name))

    def objective_terms(self, objective: Objective) -> Terms:
        """The linear expression of an objective."""
        match objective:
            case Objective.BOTTLENECK:
                return self.cycles
            case Objective.LATENCY:
                return self.latency
            case Objective.UTILISATION:
                return self._utilisation()
            case Objective.ERROR:
                return self.amount("error")

    def violation(self) -> Terms:
        """Add a variable that is at least the largest relative violation of a limit; returns it."""
        worst = self._variable("overrun")
        for name, limit in self.problem.limits.items():
            terms = [*self.amount(name), (worst, -float(max(limit, 1)))]
            self.add(f"overrun_{name}", terms, float(limit), rule=("limit", name))
        return [(worst, 1)]

    def limit_use(self) -> Terms:
        """Add a variable that is at least the largest used fraction of a limit; returns it."""
        most = self._variable("pressure")
        for name, limit in self.problem.limits.items():
            self.add(f"pressure_{name}", [*self.amount(name), (most, -float(max(limit, 1)))], 0, rule=("limit", name))
        return [(most, 1)]

    def weighted_sum(self, weights: Mapping[str, float]) -> Terms:
        """The sum of limited quantities, each times its weight."""
        summed: dict[int, tuple[pulp.LpVariable, float]] = {}
        for name, weight in weights.items():
            for variable, amount in self.amount(name) if weight else ():
                _, before = summed.get(variable.hash, (variable, 0.0))
                summed[variable.hash] = variable, before + weight * amount
        return list(summed.values())

    def _utilisation(self) -> Terms:
        """Add a variable that is at least the largest used fraction of a resource's budget; returns it."""
        most = self._variable("used")
        for name, limit in self.problem.budget.items():
            self.add(f"used_{name}", [*self.amount(name), (most, -float(max(limit, 1)))], 0, rule=("share", name))
        return [(most, 1)]

    @cached_property
    def latency(self) -> Terms:
        """A variable that is at least the output's finish as ``evaluate`` has it, without rounding up to whole
        cycles."""
        start = {op.name: self._variable(f"start_{op.name}") for op in self.problem.ops}
        finish = {op.name: self._variable(f"finish_{op.name}") for op in self.problem.ops}
        for own in start:
            self.add(f"fill_{own}", [*self._figure(own, "fill"), (start[own], -1)], 0)
            self.add(f"first_output_{own}", [*self._figure(own, "first_output"), (start[own], -1)], 0)
            durations = [*self._figure(own, "duration"), (start[own], 1), (finish[own], -1)]
            self.add(f"duration_{own}", durations, 0, rule=("duration", own))
        input_fractions = {op.name: (float(op.input_fraction), float(op.knee)) for op in self.problem.ops}
        for edge, compatibilities in zip(self.problem.edges, self.compatibilities, strict=True):
            source, own, (input_fraction, knee) = edge.producer, edge.consumer, input_fractions[edge.consumer]
            link: Terms = [
                (variable, edge.links[pair].fill) for variable, pair in compatibilities if edge.links[pair].fill
            ]
            arrived = [(start[source], 1 - input_fraction), (finish[source], input_fraction)]
            arrives = [*self._figure(own, "fill"), *link, *arrived, (start[own], -1)]
            begins = [*self._figure(own, "first_output"), *link, (start[source], 1), (start[own], -1)]
            ends = [*self._figure(own, "drain"), *link, (finish[source], 1), (finish[own], -1)]
            between = [(start[source], 1 - knee), (finish[source], knee)]
            rests = [*self._figure(own, "rest"), *link, *between, (finish[own], -1)]
            for name, terms in (("arrived", arrives), ("begun", begins), ("ended", ends), ("rested", rests)):
                self.add(f"{name}_{source}_{own}_{edge.index}", terms, 0, rule=(name, own, edge.index))
        return [(finish[self.problem.output], 1)]

    def write(self, path: Path, objective: Terms) -> None:
        """Write the program as an LP file, which other solvers read; comments say what each candidate is.

        Parameters
            path       the file
            objective  what to minimise
        """
        self.lp.setObjective(pulp.LpAffineExpression(objective))
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lp.writeLP(path)
        budget = self.problem.budget
        lines = []
        for name, assignments in self.assignments.items():
            for variable, own in assignments:
                reads = " and ".join(f"{end.lanes} {end.format}" for end in own.reads) or "nothing"
                resources = ", ".join(f"{amount} {kind}" for kind, amount in zip(budget, own.resources, strict=True))
                lines.append(
                    f"\\ {variable.name}: {name} reads {reads} and writes {own.writes.lanes} {own.writes.format} "
                    f"a cycle; {own.cycles} cycles a frame, error {own.error}, {resources}\n"
                )
        path.write_text("".join(lines) + path.read_text(encoding="utf-8"), encoding="utf-8")

    def _model(self, objective: Terms) -> Model:
        """The program for HiGHS. PuLP's own interface to HiGHS adds rows one by one, which is slow."""
        self.lp.setObjective(pulp.LpAffineExpression(objective))
        places, rules = self._places, self.lp.constraints()
        return Model(
            costs=self._costs(objective),
            binary=self._binary,
            lower=[-math.inf if rule.sense == pulp.LpConstraintLE else -rule.constant for rule in rules],
            upper=[-rule.constant for rule in rules],
            starts=list(accumulate(map(len, rules), initial=0)),
            places=[places[variable.hash] for rule in rules for variable in rule],
            factors=[float(factor) for rule in rules for factor in rule.values()],
        )

    @cached_property
    def _cycles(self) -> np.ndarray:
        return np.array([own.cycles for assignments in self.assignments.values() for _, own in assignments])

    @property
    def _places(self) -> dict[int, int]:
        return {variable.hash: place for place, variable in enumerate(self._variables)}

    def _costs(self, objective: Terms) -> np.ndarray:
        """float [variables], the coefficient of each variable in a linear expression."""
        costs, places = np.zeros(len(self._variables)), self._places
        for variable, factor in objective:
            costs[places[variable.hash]] = factor
        return costs

    def relax(self, objective: Terms, cycles: int | None = None) -> Relaxation | None:
        """Solve the linear relaxation; None where it is infeasible or HiGHS fails.

        The result is floating point: it guides the search and proves nothing.

        Parameters
            objective  what to minimise
            cycles     candidates that take more cycles per frame are excluded; None for no limit
        """
        if self._relaxing is None or self._relaxing[0] != (self._count, len(self._variables)):
            highs = load_model(self._model(objective), {}, whole=False)
            self._relaxing = (self._count, len(self._variables)), highs
        else:
            # the constraints are the same, so HiGHS starts from its last solution and needs few iterations
            highs = self._relaxing[1]
            costs = self._costs(objective)
            highs.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
        if cycles is not None:
            most = np.where(self._cycles <= cycles, 1.0, 0.0)
            highs.changeColsBounds(self._binary, np.arange(self._binary, dtype=np.int32), np.zeros(self._binary), most)
        highs.run()
        if highs.getModelStatus() in INFEASIBLE_STATUSES:
            return None
        solution = highs.getSolution()
        duals, assignment = solution.row_dual, np.array(solution.col_value[: self._binary])
        if not np.isfinite([*duals, *solution.col_value]).all():
            return None
        by_kind: dict[str, dict[Any, float]] = {}
        for (kind, *key), number in self._rules.items():
            by_kind.setdefault(str(kind), {})[key[0] if len(key) == 1 else tuple(key)] = abs(duals[number])
        limits, budget = by_kind.get("limit", {}), by_kind.get("share", {})
        rows = {name: limits.get(name, 0.0) + budget.get(name, 0.0) for name in (*self.problem.budget, "error")}
        dual_values = Duals(
            rows, by_kind.get("arrived", {}), by_kind.get("begun", {}), by_kind.get("ended", {}),
            by_kind.get("rested", {}), by_kind.get("duration", {}), limits.get("latency", 0.0),
        )  # fmt: skip
        ends = np.cumsum([len(assignments) for assignments in self.assignments.values()])
        parts = dict(zip(self.assignments, np.split(assignment, ends[:-1]), strict=True))
        return Relaxation(highs.getInfo().objective_function_value, dual_values, parts)

    def minimise(self, objective: Terms, gap: float, nodes: int, target: float | None = None) -> Selection | None:
        """The best selection found within ``nodes``, under the constraints added so far; None where there is none.

        The result does not depend on the load of the machine.

        Parameters
            objective  what to minimise
            gap        accepted relative gap
            nodes      node limit of the branch and bound
            target     objective value at which the search may stop; None for none
        Raises         SolverError: when HiGHS crashes, or stops before it finds a selection
        """
        # measured: for networks of 9 and 11 ops, presolve and these two heuristics double the time; for those of 35 ops
        # and more, presolve halves the time, and without the heuristics the results are up to 1.5 times as slow
        many = len(self.problem.ops) > MANY
        options: dict[str, object] = {
            "mip_rel_gap": gap, "mip_abs_gap": 0.0, "presolve": "on" if many else "off", "mip_max_nodes": nodes,
            "mip_heuristic_run_rins": many, "mip_heuristic_run_rens": many, "mip_allow_restart": not many,
            "mip_feasibility_tolerance": LOOSE if many else TOLERANCE, "primal_feasibility_tolerance": TOLERANCE,
        }  # fmt: skip
        if target is not None:
            options["objective_target"] = target
        try:
            answer = search(self._model(objective), options)
        except Crashed as crash:
            raise SolverError(str(crash)) from crash
        if answer.values is None:
            return None
        values = iter(answer.values)
        selection: Selection = {}
        for name, assignments in self.assignments.items():
            chosen = [candidate for _, candidate in assignments if next(values, 0) > 0.5]
            if len(chosen) != 1:
                raise SolverError(f"the solver stopped with status {answer.status} before it found a choice")
            selection[name] = chosen[0]
        return selection


def _named(interface: Interface) -> str:
    """An interface as a part of a variable's name."""
    return f"{interface.lanes}x{interface.format}"
