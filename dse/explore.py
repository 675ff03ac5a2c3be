"""The parts of an exploration: design families in fractions of a device, each searched for by itself.

A family is named after its formats. The name of a format: every layer has that format. ``mixed``: each layer has a
format of its own, and every Pareto point of the objective against the summed error is found. ``speedup4``: the least
error at four times the speed of ``int8`` in the same budget. ``error0.05``: the best objective with at most that summed
error. The last two are strategies of DyBit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from dse.candidates import ERROR_UNIT, OpChoice, Table, queue_beats
from dse.epsilon import pareto_points
from dse.local_search import local_search
from dse.milp import Solution, SolverReport, least_utilisation, solve
from dse.problem import Candidate, MilpOp, Objective, Problem, Selection
from dse.prune import prune
from dse.question import Watch
from dse.sensitivity import Assignment, worthwhile
from hw.fpga.device import Device, Resources
from hw.fpga.mapping import Mapping as HwMapping

SPAN = 8
"""The smallest budget fraction of a sweep is 1/``SPAN`` of the largest, or more."""
MIXED, SPEEDUP, ERROR = "mixed", "speedup", "error"
CAPS = {"max_cycles": "cycles", "max_error": "error", "max_latency": "latency"}
"""Fields of a problem, and the names of their limits."""
BASE = "int8"
"""The format that speed-ups refer to."""

Evaluator = Callable[[HwMapping], float]
"""Simulated cycles of a mapping; less is better."""


@dataclass(frozen=True)
class SearchSettings:
    """Settings of an exploration.

    Parameters
        objective          what to minimise
        limit              fraction of the device that may be used at all
        budgets            number of budget fractions per family: from ``limit`` down to the least that fits, at least
                           ``limit / SPAN``
        gap                accepted relative gap to the best objective
        error_step         epsilon step of ``mixed``, as a fraction of the largest summed error
        max_cycles         limit of the bottleneck in cycles per frame; None for no limit
        max_latency        limit of the latency in cycles; None for no limit
        speedups           a family ``speedup`` for each of these factors
        max_errors         a family ``error`` for each of these summed errors
        time_limit         seconds per integer program; None for no limit
        max_evaluations    evaluation budget of the local search, in mappings per design
    """

    objective: Objective = Objective.LATENCY
    limit: float = 1.0
    budgets: int = 4
    gap: float = 0.02
    error_step: float = 0.2
    max_cycles: int | None = None
    max_latency: int | None = None
    speedups: Sequence[float] = ()
    max_errors: Sequence[float] = ()
    time_limit: float | None = None
    max_evaluations: int = 400

    @property
    def whole(self) -> Fraction:
        """``limit`` as an exact fraction."""
        return Fraction(self.limit).limit_denominator(1000)


@dataclass(frozen=True)
class ExploredDesign:
    """One solution of the integer program, improved by local search where there was an evaluator.

    Parameters
        name               name of the design
        family             its design family
        assignment         format name by layer
        mapping            foldings, with FIFOs of estimated depth
        budget_fraction    budget: the fraction of the device that the design keeps to
        solver             report of the integer program
        minimised          the objective that ``solver`` reports on
        choice             index of each op's candidate in the problem, as the program selected it
    """

    name: str
    family: str
    assignment: Assignment
    mapping: HwMapping
    budget_fraction: Fraction
    solver: SolverReport
    minimised: Objective
    choice: list[int]


def families(formats: Sequence[str], search: SearchSettings) -> list[str]:
    """The design families of an exploration.

    Parameters
        formats  format names; with one format there is one family
        search   settings of the exploration
    """
    if len(formats) == 1:
        return list(formats)
    fast, exact = (f"{SPEEDUP}{ratio:g}" for ratio in search.speedups), (f"{ERROR}{cap:g}" for cap in search.max_errors)
    return [*formats, MIXED, *fast, *exact]


def budget_fractions(table: Table, search: SearchSettings, family: str) -> list[Fraction]:
    """The budget fractions of a family, in geometric steps.

    There is one fraction where the objective is the least utilisation.

    Parameters
        table   all candidates
        search  settings of the exploration
        family  design family
    Returns     fractions of the device, the largest first
    Raises      Infeasible: when the family fits in none
    """
    limit = search.whole
    if search.budgets == 1 or search.objective is Objective.UTILISATION:
        return [limit]
    whole = _problem(table, search, limit, _formats(table, family))
    least = max(least_utilisation(whole, gap=search.gap, time_limit=search.time_limit) * limit, limit / SPAN)
    steps = search.budgets - 1
    # floating point rounds, and no fraction may be below the least one
    return [limit] + [
        max(least, limit * Fraction(float(least / limit) ** (n / steps))) for n in range(1, search.budgets)
    ]


def designs(
    table: Table, search: SearchSettings, family: str, budget_fraction: Fraction, clock_mhz: float | None = None,
    watch: Watch = lambda *_: None,
) -> list[ExploredDesign]:  # fmt: skip
    """The designs of a family in a fraction of the device.

    Parameters
        table            all candidates
        search           settings of the exploration
        family           design family
        budget_fraction  fraction of the device
        clock_mhz        clock for the mapping; None for that of the device
        watch            called as in ``solve``
    Raises               Infeasible: when no design keeps all limits
    """
    limited = _problem(table, search, budget_fraction, _formats(table, family))
    if family == MIXED:
        worst = _largest_error(table)
        error_step = max(1, round(search.error_step * worst))
        points = pareto_points(limited, search.objective, error_step, gap=search.gap, watch=watch).points
        solutions = {f"{MIXED}{100 * point.evaluation.error / max(1, worst):.3g}": point for point in points}
    elif family.startswith(SPEEDUP):
        base = _solve(_problem(table, search, budget_fraction, _formats(table, BASE)), search.objective, search, watch)
        speed = base.evaluation.objective(search.objective) / Fraction(family.removeprefix(SPEEDUP))
        solutions = {family: _solve(limited.with_limit(search.objective, speed), Objective.ERROR, search, watch)}
    elif family.startswith(ERROR):
        cap = Fraction(round(float(family.removeprefix(ERROR)) / ERROR_UNIT))
        solutions = {family: _solve(limited.with_limit(Objective.ERROR, cap), search.objective, search, watch)}
    else:
        solutions = {family: _solve(limited, search.objective, search, watch)}
    return [
        _design(
            table,
            f"{name}-{100 * float(budget_fraction):.3g}",
            family,
            budget_fraction,
            limited,
            point,
            point.selection,
            clock_mhz,
        )
        for name, point in solutions.items()
    ]


def search_again(
    table: Table, search: SearchSettings, name: str, family: str, budget_fraction: Fraction, minimised: Objective,
    limits: Mapping[str, int], clock_mhz: float | None = None, watch: Watch = lambda *_: None,
) -> ExploredDesign:  # fmt: skip
    """Search again for a design, under the given limits.

    Parameters
        table            all candidates
        search           settings of the exploration
        name             name for the design
        family           its design family
        budget_fraction  fraction of the device
        minimised        what to minimise
        limits           limits by name, as ``design_problem`` takes them
        clock_mhz        clock for the mapping; None for that of the device
        watch            called as in ``solve``
    Raises               Infeasible: when no design keeps all limits
    """
    problem = design_problem(table, search, family, budget_fraction, limits)
    solution = _solve(problem, minimised, search, watch)
    return _design(table, name, family, budget_fraction, problem, solution, solution.selection, clock_mhz)


def design_problem(
    table: Table, search: SearchSettings, family: str, budget_fraction: Fraction, limits: Mapping[str, int]
) -> Problem:
    """The optimisation problem of a design, under the limits of its report.

    Parameters
        table              all candidates
        search             settings of the exploration
        family             design family
        budget_fraction    fraction of the device
        limits             limits by name, as in ``SolverReport.limits``
    """
    problem = _problem(table, search, budget_fraction, _formats(table, family))
    # the resources of candidates are in the order of the problem's own budget
    budget = {name: limits[name] for name in problem.budget}
    return replace(problem, budget=budget, **{name: limits.get(key) for name, key in CAPS.items()})


def restrict_formats(problem: Problem, assignment: Assignment) -> Problem:
    """The problem restricted to candidates in the format that each layer is assigned.

    Parameters
        problem     the problem
        assignment  format name by layer
    """

    def restricted(op: MilpOp) -> MilpOp:
        names = (assignment.get(op.name), None)
        return replace(op, candidates=tuple(own for own in op.candidates if _build(own).format in names))

    return replace(problem, ops=tuple(map(restricted, problem.ops)))


def best(
    table: Table, search: SearchSettings, clock_mhz: float | None = None, evaluator: Evaluator | None = None
) -> ExploredDesign:
    """The best design of a table of one format, in all of the device that may be used.

    Parameters
        table      all candidates, of one format
        search     settings of the exploration
        clock_mhz  clock for the mapping; None for that of the device
        evaluator  objective of a local search that improves the foldings; None for no local search
    Raises         Infeasible: when no design keeps all limits
    """
    (family,) = table.graphs
    problem = _problem(table, search, search.whole, _formats(table, family))
    solution = _solve(problem, search.objective, search)
    selection = solution.selection
    if evaluator is not None:
        selection, _ = improve(table, problem, selection, evaluator, search.max_evaluations, clock_mhz)
    label = f"{family}-{100 * float(search.whole):.3g}"
    return _design(table, label, family, search.whole, problem, solution, selection, clock_mhz)


def improve(
    table: Table,
    problem: Problem,
    selection: Selection,
    evaluator: Evaluator,
    max_evaluations: int,
    clock_mhz: float | None = None,
) -> tuple[Selection, float]:
    """Improve a selection by local search on its mapping.

    Parameters
        table            all candidates
        problem          the problem
        selection        where the search starts
        evaluator        simulated cycles of a mapping
        max_evaluations  evaluation budget: calls of ``evaluator`` at most
        clock_mhz        clock for the mapping; None for that of the device
    Returns              the best selection, and its value
    """
    return local_search(
        prune(problem), selection, lambda near: evaluator(mapping_of(table, near, clock_mhz)), max_evaluations
    )


def _solve(problem: Problem, objective: Objective, search: SearchSettings, watch: Watch = lambda *_: None) -> Solution:
    return solve(problem, objective, gap=search.gap, time_limit=search.time_limit, watch=watch)


def _design(
    table: Table, name: str, family: str, budget_fraction: Fraction, problem: Problem, solution: Solution, selection:
    Selection, clock_mhz: float | None,
) -> ExploredDesign:  # fmt: skip
    # a search may have found its candidates in another order than that of the ops
    choice = [list(map(id, op.candidates)).index(id(solution.selection[op.name])) for op in problem.ops]
    builds = {node: _build(own) for node, own in selection.items()}
    assignment = {node: build.format for node, build in builds.items() if build.format is not None}
    mapping, proven = mapping_of(table, selection, clock_mhz), (solution.report, solution.objective)
    return ExploredDesign(name, family, assignment, mapping, budget_fraction, *proven, choice)


def _formats(table: Table, family: str) -> dict[str, tuple[str, ...]]:
    """The formats that each layer may take in a family."""
    if family in table.graphs:
        return dict.fromkeys(table.layers, (family,))
    return worthwhile(table.errors)


def _problem(
    table: Table, search: SearchSettings, budget_fraction: Fraction, formats: dict[str, tuple[str, ...]]
) -> Problem:
    part = _part(table.device, budget_fraction)
    return table.problem(part, formats=formats, max_cycles=search.max_cycles, max_latency=search.max_latency)


def _largest_error(table: Table) -> int:
    """The summed error, in units of ``ERROR_UNIT``, with the worst of its worthwhile formats in each layer."""
    formats = worthwhile(table.errors)
    return round(
        sum(max(0.0, *(table.errors[layer][name] for name in names)) for layer, names in formats.items()) / ERROR_UNIT
    )


def _part(device: Device, budget_fraction: Fraction) -> Resources:
    return Resources(*(math.floor(getattr(device, kind) * budget_fraction) for kind in Resources.names()))


def _build(candidate: Candidate) -> OpChoice:
    assert isinstance(candidate.choice, OpChoice)
    return candidate.choice


def mapping_of(table: Table, selection: Selection, clock_mhz: float | None) -> HwMapping:
    """The mapping of a selection, with FIFOs of estimated depth.

    Parameters
        table      all candidates
        selection  one candidate per node
        clock_mhz  clock for the mapping; None for that of the device
    """
    queues = {}
    for producer, consumer, _ in table.graph.edges:
        layout = table.layout(producer, selection[producer].writes)
        if depth := queue_beats(table.graph, producer, consumer, layout):
            queues[f"{producer}->{consumer}"] = depth
    ops = {name: _build(own).mapping for name, own in selection.items()}
    return HwMapping(table.device.name, clock_mhz or table.device.clock_mhz, ops, queues, table.frame_input)
