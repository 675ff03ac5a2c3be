"""Designs for a front: formats by sensitivity, foldings by the integer program, over shares of the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dse.candidates import Build, Table, queue_beats
from dse.milp import Solution, SolverReport, solve
from dse.problem import Evaluation, Infeasible, Objective
from dse.sensitivity import Assignment, Sensitivity, worthwhile
from hw.device import Device, Resources
from hw.mapping import Mapping as HwMapping
from models.ir.graph import Graph

SHARES = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8))
ERROR_SHARES = (Fraction(1, 16), Fraction(1, 4), Fraction(1, 2))
GAP = 0.02

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Design:
    """One answer of the integer program.

    ``assignment``: the format of each layer. ``mapping``: foldings, with queues of about the depth they need.
    ``share``: of the device, to which it was held. ``evaluation``: its figures, all of kind ``estimated``.
    """

    name: str
    assignment: Assignment
    mapping: HwMapping
    share: Fraction
    evaluation: Evaluation
    solver: SolverReport


@dataclass(frozen=True)
class Search:
    """What designs are asked for.

    ``limit``: share of the device that may be used at all; ``shares`` of that, each tried for every assignment.
    ``error_shares``: mixed assignments may have so much of the largest summed error. ``gap``: share by
    which a design may miss the best objective.
    """

    objective: Objective = Objective.LATENCY
    limit: Fraction = Fraction(1)
    shares: Sequence[Fraction] = SHARES
    error_shares: Sequence[Fraction] = ERROR_SHARES
    gap: float = GAP
    time_limit: float | None = None


def explore(
    graphs: Mapping[str, Graph], sensitivity: Sensitivity, device: Device, search: Search | None = None,
    clock_mhz: float | None = None, progress: Progress | None = None,
) -> list[Design]:  # fmt: skip
    """Distinct designs: each format throughout, and mixtures the program chooses, at every share of the device.

    ``graphs``: the network quantized at each format throughout. A share in which nothing fits gives no design; where
    nothing fits at all, the ``Infeasible`` of the largest share is raised.
    """
    search = search or Search()
    table = Table(graphs, device, sensitivity)
    assignments = {name: dict.fromkeys(table.layers, name) for name in graphs}
    steps = len(search.error_shares) * (len(graphs) > 1)
    for step, (name, found) in enumerate(_mixtures(table, sensitivity, search).items()):
        if progress:
            progress("formats", step, steps)
        if found not in assignments.values():
            assignments[name] = found
    designs: list[Design] = []
    refusals: list[Infeasible] = []
    tries = [(name, share) for name in assignments for share in search.shares]
    for step, (name, share) in enumerate(tries):
        if progress:
            progress("foldings", step, len(tries))
        try:
            found = solve_one(table, assignments[name], _share(device, share * search.limit), search)
        except Infeasible as error:
            refusals.append(error)
            continue
        mapping = _mapping(table, found, clock_mhz)
        if not any((other.assignment, other.mapping) == (assignments[name], mapping) for other in designs):
            label = f"{name}-{share.numerator}of{share.denominator}" if share != 1 else name
            designs.append(Design(label, assignments[name], mapping, share, found.evaluation, found.report))
    if not designs:
        raise refusals[0]
    return designs


def solve_one(table: Table, assignment: Assignment, limit: Resources, search: Search) -> Solution:
    """The best foldings of one assignment under ``limit``."""
    fixed = {layer: (name,) for layer, name in assignment.items()}
    return solve(table.problem(limit, formats=fixed), search.objective, gap=search.gap, time_limit=search.time_limit)


def _mixtures(table: Table, sensitivity: Sensitivity, search: Search) -> dict[str, Assignment]:
    """One mixed assignment for each cap on the summed error, each layer choosing among its worthwhile formats."""
    formats = worthwhile(sensitivity)
    worst = sum(max(0.0, *(sensitivity[layer][name] for name in names)) for layer, names in formats.items())
    found: dict[str, Assignment] = {}
    for share in search.error_shares if len(table.graphs) > 1 else ():
        problem = table.problem(_share(table.device, search.limit), formats=formats, max_error=float(share * worst))
        try:
            solution = solve(problem, search.objective, gap=search.gap, time_limit=search.time_limit)
        except Infeasible:
            continue
        found[f"mixed{share.numerator}of{share.denominator}"] = _assignment(solution)
    return found


def _share(device: Device, share: Fraction) -> Resources:
    return Resources(*(int(getattr(device, kind) * share) for kind in Resources.names()))


def _build(solution: Solution, name: str) -> Build:
    choice = solution.selection[name].choice
    assert isinstance(choice, Build)
    return choice


def _assignment(solution: Solution) -> Assignment:
    builds = {name: _build(solution, name) for name in solution.selection}
    return {name: build.format for name, build in builds.items() if build.format is not None}


def _mapping(table: Table, solution: Solution, clock_mhz: float | None) -> HwMapping:
    queues = {}
    for producer, consumer, _ in table.graph.edges:
        layout = table.layout(producer, solution.selection[producer].writes)
        if depth := queue_beats(table.graph, producer, consumer, layout):
            queues[f"{producer}->{consumer}"] = depth
    ops = {name: _build(solution, name).mapping for name in solution.selection}
    return HwMapping(table.device.name, clock_mhz or table.device.clock_mhz, ops, queues)
