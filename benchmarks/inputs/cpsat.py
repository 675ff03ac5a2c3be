"""An exact model of the whole problem in OR-tools' CP-SAT, which judges what a solver of ``dse`` says.

CP-SAT computes with 64-bit integers alone, so its word holds at any scale that the model fits into. Where the model
does not fit, the status is ``unknown``, as it is where time ran out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from ortools.sat.python import cp_model

from dse.evaluate import evaluate
from dse.problem import Candidate, Interface, Link, MilpEdge, Objective, Problem, Selection

MOST = 1 << 61
"""What the terms of a rule may add up to; CP-SAT refuses sums that could leave 64 bits."""
EXACT = 1 << 53
"""What a goal may reach; CP-SAT reports it as a floating-point number."""
FINEST = 1 << 30
"""The most steps a unit in which a share is minimised."""

Terms = list[tuple[cp_model.IntVar, int]]
"""A sum: variables, none of which is ever negative, and their factors."""


class _TooLarge(Exception):
    """A rule that does not fit into 64 bits."""


class Contradiction(AssertionError):
    """CP-SAT says what its own choice, or another, proves to be false."""


@dataclass(frozen=True)
class Verdict:
    """What CP-SAT says of one question.

    ``status``: ``optimal``, ``infeasible``, or ``unknown`` where time ran out or numbers are too large.
    ``value``: of the best choice found, by ``evaluate``; None where none was found. ``bound``: no choice has less.
    """

    status: str
    value: Fraction | None = None
    bound: Fraction = Fraction(0)
    selection: Selection | None = None


def solve(problem: Problem, objective: Objective, seconds: float = 10, start: Selection | None = None) -> Verdict:
    """The least of an objective within all limits. ``start``: a choice to begin with."""
    deadline = time.monotonic() + seconds
    if objective is Objective.UTILISATION:
        budget = {name: (0, max(limit, 1)) for name, limit in problem.budget.items()}
        return _least_share(problem, problem.limits, budget, deadline, start)
    name = {Objective.BOTTLENECK: "cycles", Objective.LATENCY: "latency", Objective.ERROR: "error"}[objective]
    return _least(problem, problem.limits, name, deadline, start)


def least_amount(problem: Problem, name: str, seconds: float = 10) -> Verdict:
    """The least of one limited quantity among all choices that can be joined, whatever the limits."""
    return _least(problem, {}, name, time.monotonic() + seconds)


def least_overrun(problem: Problem, seconds: float = 10, start: Selection | None = None) -> Verdict:
    """The least there is of the largest share by which a limit is exceeded."""
    limits = {name: (limit, max(limit, 1)) for name, limit in problem.limits.items()}
    return _least_share(problem, {}, limits, time.monotonic() + seconds, start)


def joinable(problem: Problem, limits: Mapping[str, int], seconds: float = 10) -> Verdict:
    """Whether any choice keeps ``limits``: ``optimal`` with a value of 0, or ``infeasible``."""
    return _least(problem, limits, None, time.monotonic() + seconds)


def _least(
    problem: Problem, limits: Mapping[str, int], name: str | None, deadline: float, start: Selection | None = None
) -> Verdict:
    try:
        model = _Model(problem)
        for limited, limit in limits.items():
            model.keep(model.amount(limited), limit)
        goal = model.amount(name) if name else []
        return _checked(model, limits, name, model.minimise(goal, deadline, start))
    except _TooLarge:
        return Verdict("unknown")


def _checked(model: _Model, limits: Mapping[str, int], name: str | None, found: Verdict) -> Verdict:
    """The verdict with the value that ``evaluate`` gives its choice; the two must not contradict each other."""
    if found.selection is None:
        return found
    amounts = evaluate(model.problem, found.selection).amounts
    over = {limited: amounts[limited] for limited, limit in limits.items() if amounts[limited] > limit}
    value = Fraction(amounts[name]) if name else Fraction(0)
    if over or value < found.bound or (found.status == "optimal" and value != found.bound):
        raise Contradiction(f"{model.problem.name}: CP-SAT says {found}, but that choice costs {amounts}")
    return replace(found, value=value)


def _least_share(
    problem: Problem, limits: Mapping[str, int], shares: Mapping[str, tuple[int, int]], deadline: float,
    start: Selection | None,
) -> Verdict:  # fmt: skip
    """The least of the largest ``(amount - origin) / unit``, and at least 0, where ``shares`` has origin and unit.

    First on a grid of shares, as fine as 64 bits allow. What lies within one step of the grid is told apart by whole
    amounts: whether a choice has no more than a share is a question about caps on each of them. It is asked in turn of
    the next share below the best so far, which is mostly the last question, and of half the way down.
    """

    def share(selection: Selection) -> Fraction:
        amounts = evaluate(problem, selection).amounts
        each = (Fraction(amounts[name] - origin, unit) for name, (origin, unit) in shares.items())
        return max((Fraction(0), *each))

    def above(share: Fraction) -> Fraction:
        """The next share that an amount can have."""
        return min(Fraction(math.floor(share * unit) + 1, unit) for _, unit in shares.values())

    def below(share: Fraction) -> Fraction:
        return max(Fraction(math.ceil(share * unit) - 1, unit) for _, unit in shares.values())

    def caps(share: Fraction) -> dict[str, int]:
        """The limits, and what an amount may be at most to have no more than a share."""
        own = {name: math.floor(origin + share * unit) for name, (origin, unit) in shares.items()}
        return {**own, **{name: min(limit, own.get(name, limit)) for name, limit in limits.items()}}

    try:
        model = _Model(problem)
        for name, limit in limits.items():
            model.keep(model.amount(name), limit)
        goal, grid = model.largest_share(shares)
        first = model.minimise(goal, deadline, start)
    except _TooLarge:
        return Verdict("unknown")
    if first.selection is None:
        return Verdict(first.status)
    best, value = first.selection, share(first.selection)
    low = above((first.bound - 1) / grid) if first.bound > 0 else Fraction(0)
    status, halved = first.status, False
    while status == "optimal" and value > low:
        asked = (low + value) / 2 if halved else below(value)
        found = _least(problem, caps(asked), None, deadline)
        if found.selection is not None:
            best, value = found.selection, share(found.selection)
        elif found.status == "infeasible":
            low = above(asked)
        else:
            status = "unknown"
        halved = not halved
    if value < low:
        raise Contradiction(f"{problem.name}: CP-SAT says that no share is below {low}, but {value} is reached")
    return Verdict(status, value, low, best)


class _Model:
    """Picks, joined pairs of interfaces, and starts and finishes where the latency counts.

    A pick is a candidate of an op, a join a pair of interfaces of an edge; both are 0 or 1. Starts and finishes are
    whole cycles that keep to the lower bounds of ``evaluate``, of which the least are what it gives.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._model = cp_model.CpModel()
        self._most: dict[int, int] = {}
        self._latency: Terms | None = None
        self._picks: dict[str, list[tuple[cp_model.IntVar, Candidate]]] = {
            op.name: [(self._variable(1), candidate) for candidate in op.candidates] for op in problem.ops
        }
        for picks in self._picks.values():
            self._model.add_exactly_one(pick for pick, _ in picks)
        self._joins = [self._join(edge) for edge in problem.edges]

    def _variable(self, most: int, least: int = 0) -> cp_model.IntVar:
        if most > MOST:
            raise _TooLarge
        variable = self._model.new_int_var(least, most, "")
        self._most[variable.index] = most
        return variable

    def _join(self, edge: MilpEdge) -> list[tuple[cp_model.IntVar, Link]]:
        """One pair of interfaces is joined: that which the picks at both ends of the edge write and read."""
        writers: dict[Interface, list[cp_model.IntVar]] = {}
        readers: dict[Interface, list[cp_model.IntVar]] = {}
        for pick, candidate in self._picks[edge.producer]:
            writers.setdefault(candidate.writes, []).append(pick)
        for pick, candidate in self._picks[edge.consumer]:
            readers.setdefault(candidate.reads[edge.index], []).append(pick)
        joins = [(self._variable(1), pair) for pair in edge.links if pair[0] in writers and pair[1] in readers]
        for end, picks in enumerate((writers, readers)):
            for interface, own in picks.items():
                joined = [join for join, pair in joins if pair[end] == interface]
                self._model.add(cp_model.LinearExpr.sum(joined) == cp_model.LinearExpr.sum(own))
        return [(join, edge.links[pair]) for join, pair in joins]

    def most(self, terms: Terms) -> int:
        """A bound on a sum, and on what CP-SAT computes on the way to it."""
        return sum(abs(factor) * self._most[variable.index] for variable, factor in terms)

    def keep(self, terms: Terms, limit: int) -> None:
        """The rule that a sum of variables does not exceed a limit."""
        divisor = math.gcd(*(factor for _, factor in terms)) or 1
        terms = [(variable, factor // divisor) for variable, factor in terms if factor]
        limit //= divisor
        if self.most(terms) > MOST:
            raise _TooLarge
        total = cp_model.LinearExpr.weighted_sum([variable for variable, _ in terms], [factor for _, factor in terms])
        self._model.add(total <= max(-MOST, min(limit, MOST)))

    def amount(self, name: str) -> Terms:
        """Of a resource, of cycles, of error or of latency; of the last but error a bound that can be reached."""
        if name == "cycles":
            slowest = self._variable(max(own.cycles for op in self.problem.ops for own in op.candidates))
            for op in self._picks:
                self.keep([*self._chosen(op, "cycles"), (slowest, -1)], 0)
            return [(slowest, 1)]
        if name == "latency":
            self._latency = self._latency or self._timed()
            return self._latency
        if name == "error":
            return [term for op in self._picks for term in self._chosen(op, "error")]
        kind = list(self.problem.budget).index(name)
        terms = [(pick, own.resources[kind]) for picks in self._picks.values() for pick, own in picks]
        terms += [(join, link.resources[kind]) for joins in self._joins for join, link in joins]
        return [(variable, amount) for variable, amount in terms if amount]

    def _chosen(self, op: str, figure: str) -> Terms:
        """The figure of the candidate that is picked for an op."""
        return [(pick, getattr(own, figure)) for pick, own in self._picks[op] if getattr(own, figure)]

    def _timed(self) -> Terms:
        """Starts and finishes of all ops; gives the finish of the output.

        With ``input_fraction`` as ``n / d``, a start that is whole lies at ``start + n / d * (finish - start)`` of a
        producer or later if and only if it lies at that rounded up or later, so no rule needs to round.
        """
        least, most = self._times(min), self._times(max)
        start = {name: self._variable(most[name][0], begin) for name, (begin, _) in least.items()}
        finish = {name: self._variable(most[name][1], end) for name, (_, end) in least.items()}
        input_fractions = {op.name: op.input_fraction for op in self.problem.ops}
        knees = {op.name: op.knee for op in self.problem.ops}
        for own in start:
            self.keep([*self._chosen(own, "fill"), (start[own], -1)], 0)
            self.keep([*self._chosen(own, "first_output"), (start[own], -1)], 0)
            self.keep([*self._chosen(own, "duration"), (start[own], 1), (finish[own], -1)], 0)
        for edge, joins in zip(self.problem.edges, self._joins, strict=True):
            source, own = edge.producer, edge.consumer
            link = [(join, link.fill) for join, link in joins if link.fill]
            part, whole = input_fractions[own].as_integer_ratio()
            waits = [(variable, whole * delay) for variable, delay in [*self._chosen(own, "fill"), *link]]
            arrived = [(start[source], whole - part), (finish[source], part)]
            self.keep([*waits, *arrived, (start[own], -whole)], 0)
            self.keep([*self._chosen(own, "first_output"), *link, (start[source], 1), (start[own], -1)], 0)
            self.keep([*self._chosen(own, "drain"), *link, (finish[source], 1), (finish[own], -1)], 0)
            part, whole = knees[own].as_integer_ratio()
            rests = [(variable, whole * delay) for variable, delay in [*self._chosen(own, "rest"), *link]]
            self.keep([*rests, (start[source], whole - part), (finish[source], part), (finish[own], -whole)], 0)
        return [(finish[self.problem.output], 1)]

    def _times(self, end: Callable[..., int]) -> dict[str, tuple[int, int]]:
        """The earliest (``min``) or latest (``max``) start and finish of each op in any choice, or beyond those."""
        times: dict[str, tuple[int, int]] = {}
        for op in self.problem.ops:
            fill, first_output, duration, drain, rest = (
                end(getattr(own, figure) for own in op.candidates)
                for figure in ("fill", "first_output", "duration", "drain", "rest")
            )
            starts, ends = [fill, first_output], [0]
            for edge in self.problem.inputs[op.name]:
                link = end((link.fill for link in edge.links.values()), default=0)
                start, finish = times[edge.producer]
                starts += [
                    link + start + math.ceil(op.input_fraction * (finish - start)) + fill,
                    link + start + first_output,
                ]
                ends += [link + finish + drain, link + start + math.ceil(op.knee * (finish - start)) + rest]
            times[op.name] = max(starts), max(max(starts) + duration, *ends)
        return times

    def largest_share(self, shares: Mapping[str, tuple[int, int]]) -> tuple[Terms, int]:
        """The largest ``(amount - origin) / unit``, at least 0, in steps that are as fine as 64 bits allow, rounded up;
        and how many steps are 1."""
        amounts = {name: self.amount(name) for name in shares}
        most = {name: self.most(terms) for name, terms in amounts.items()}
        shares_most = [most[name] // unit + 1 for name, (_, unit) in shares.items()]
        steps = min(FINEST, MOST // (4 * max((1, *most.values()))), EXACT // max((1, *shares_most)))
        if not steps:
            raise _TooLarge
        steps = min(steps, math.lcm(*(unit for _, unit in shares.values())))
        largest = self._variable(steps * max((1, *shares_most)))
        for name, (origin, unit) in shares.items():
            own = self._variable(steps * most[name] // unit + 1)
            scaled = [(variable, steps * factor) for variable, factor in amounts[name]]
            self.keep([*scaled, (own, -unit)], steps * origin)
            self.keep([(own, 1), (largest, -1)], 0)
        return [(largest, 1)], steps

    def minimise(self, goal: Terms, deadline: float, start: Selection | None = None) -> Verdict:
        """The least of a sum, by CP-SAT's own figures, until ``deadline`` on the monotonic clock."""
        if self.most(goal) > EXACT:
            raise _TooLarge
        if goal:
            variables, factors = zip(*goal, strict=True)
            self._model.minimize(cp_model.LinearExpr.weighted_sum(variables, factors))
        for name, own in (start or {}).items():
            place = [candidate for _, candidate in self._picks[name]].index(own)
            for number, (pick, _) in enumerate(self._picks[name]):
                self._model.add_hint(pick, number == place)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        # presolve of OR-tools 9.15 overflows where factors are large: wrong values were called optimal, and choices
        # infeasible (google/or-tools, issue 5293, is one of the causes)
        solver.parameters.cp_model_presolve = False
        solver.parameters.max_time_in_seconds = max(0.01, deadline - time.monotonic())
        status = solver.solve(self._model)
        if status == cp_model.INFEASIBLE:
            return Verdict("infeasible")
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Verdict("unknown")
        selection: Selection = {}
        for name, picks in self._picks.items():
            (selection[name],) = (candidate for pick, candidate in picks if solver.boolean_value(pick))
        bound = Fraction(round(solver.best_objective_bound)) if goal else Fraction(0)
        return Verdict("optimal" if status == cp_model.OPTIMAL else "unknown", Fraction(0), bound, selection)
