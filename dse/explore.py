"""Designs for a front: formats by sensitivity, foldings by the integer program, over shares of the device.

With a judge, which simulates a mapping, the foldings that the program found are polished by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from dse.candidates import Build, Table, queue_beats
from dse.milp import SolverReport, least_utilisation, solve
from dse.polish import polish
from dse.problem import Evaluation, Infeasible, Objective, Selection, evaluate
from dse.prune import prune
from dse.sensitivity import Assignment, worthwhile
from hw.device import Device, Resources
from hw.mapping import Mapping as HwMapping

SPAN = 8
ERROR_SHARES = (Fraction(1, 16), Fraction(1, 4), Fraction(1, 2))

Progress = Callable[[str, int, int], None]
Judge = Callable[[HwMapping], float]
"""Cycles of a mapping, simulated; less is better."""


@dataclass(frozen=True)
class Design:
    """One answer of the integer program, polished where there was a judge.

    ``assignment``: the format of each layer. ``mapping``: foldings, with queues of about the depth they need.
    ``share``: of the device, which it keeps to. ``evaluation``: its figures, all of kind ``estimated``.
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

    ``limit``: share of the device that may be used at all. ``sizes``: designs for each assignment, from all of that
    down to the least it fits in, but no further than a ``1/SPAN`` of it. ``error_shares``: mixed assignments may
    have so much of the largest summed error. ``gap``: share by which a design may miss the best objective;
    ``mixed_gap``: the same where formats are chosen. ``tries``: mappings that a judge is asked about for each design.
    """

    objective: Objective = Objective.LATENCY
    limit: float = 1.0
    sizes: int = 4
    error_shares: Sequence[Fraction] = ERROR_SHARES
    gap: float = 0.02
    mixed_gap: float = 0.05
    time_limit: float | None = None
    tries: int = 400


def explore(
    table: Table, search: Search | None = None, clock_mhz: float | None = None, progress: Progress | None = None,
    judge: Judge | None = None,
) -> list[Design]:  # fmt: skip
    """Distinct designs: each format throughout, and mixtures the program chooses, each in several sizes.

    ``table.errors``: what each format costs each layer. An assignment that does not fit gives no design; where none
    fits, the ``Infeasible`` of the first is raised.
    """
    search, notify = search or Search(), progress or (lambda what, done, of: None)
    limit = Fraction(search.limit).limit_denominator(1000)
    assignments = {name: dict.fromkeys(table.layers, name) for name in table.graphs}
    for name, assignment in _mixtures(table, limit, search, notify).items():
        if assignment not in assignments.values():
            assignments[name] = assignment
    designs: list[Design] = []
    refusals: list[Infeasible] = []
    for done, (name, assignment) in enumerate(assignments.items()):
        notify("foldings", done, len(assignments))
        try:
            designs += _sizes(table, name, assignment, limit, search, clock_mhz, judge)
        except Infeasible as error:
            refusals.append(error)
    if not designs:
        raise refusals[0]
    return designs


def _sizes(
    table: Table, name: str, assignment: Assignment, limit: Fraction, search: Search, clock_mhz: float | None,
    judge: Judge | None,
) -> list[Design]:  # fmt: skip
    """Designs of one assignment, the largest first, their shares of the device in geometric steps."""
    if search.sizes == 1:
        return [_design(table, name, assignment, limit, search, clock_mhz, judge)]
    formats = {layer: (own,) for layer, own in assignment.items()}
    whole = table.problem(_part(table.device, limit), formats=formats)
    fits = least_utilisation(whole, gap=search.gap, time_limit=search.time_limit) * limit
    least = max(fits, limit / SPAN)
    steps = search.sizes - 1
    shares = [limit] + [limit * Fraction(float(least / limit) ** (step / steps)) for step in range(1, search.sizes)]
    designs: dict[str, Design] = {}
    for share in shares:
        design = _design(table, name, assignment, max(share, least), search, clock_mhz, judge)
        if design.name not in designs and all(design.mapping != other.mapping for other in designs.values()):
            designs[design.name] = design
    return list(designs.values())


def between(table: Table, search: Search, larger: Design, smaller: Design) -> Design:
    """The best design of their assignment in the share of the device halfway between two, in geometric terms."""
    share = Fraction(math.sqrt(larger.share * smaller.share))
    name = larger.name.rpartition("-")[0]
    return _design(table, name, larger.assignment, share, search, larger.mapping.clock_mhz)


def _design(
    table: Table, name: str, assignment: Assignment, share: Fraction, search: Search, clock_mhz: float | None,
    judge: Judge | None = None,
) -> Design:  # fmt: skip
    formats = {layer: (own,) for layer, own in assignment.items()}
    problem = table.problem(_part(table.device, share), formats=formats)
    solution = solve(problem, search.objective, gap=search.gap, time_limit=search.time_limit)
    selection = solution.selection
    if judge is not None:
        selection, _ = polish(
            prune(problem), selection, lambda choice: judge(_mapping(table, choice, clock_mhz)), search.tries
        )
    mapping = _mapping(table, selection, clock_mhz)
    label = f"{name}-{100 * float(share):.3g}"
    return Design(label, assignment, mapping, share, evaluate(problem, selection), solution.report)


def _mixtures(table: Table, limit: Fraction, search: Search, notify: Progress) -> dict[str, Assignment]:
    """One mixed assignment for each cap on the summed error, each layer choosing among its worthwhile formats."""
    if len(table.graphs) == 1:
        return {}
    sensitivity = table.errors
    formats = worthwhile(sensitivity)
    worst = sum(max(0.0, *(sensitivity[layer][name] for name in names)) for layer, names in formats.items())
    found: dict[str, Assignment] = {}
    for done, share in enumerate(search.error_shares):
        notify("formats", done, len(search.error_shares))
        problem = table.problem(_part(table.device, limit), formats=formats, max_error=float(share * worst))
        try:
            solution = solve(problem, search.objective, gap=search.mixed_gap, time_limit=search.time_limit)
        except Infeasible:
            continue
        builds = {name: _build(solution.selection, name) for name in solution.selection}
        assignment = {name: build.format for name, build in builds.items() if build.format is not None}
        found[f"mixed{round(100 * share)}"] = assignment
    return found


def _part(device: Device, share: Fraction) -> Resources:
    return Resources(*(math.floor(getattr(device, kind) * share) for kind in Resources.names()))


def _build(selection: Selection, name: str) -> Build:
    choice = selection[name].choice
    assert isinstance(choice, Build)
    return choice


def _mapping(table: Table, selection: Selection, clock_mhz: float | None) -> HwMapping:
    queues = {}
    for producer, consumer, _ in table.graph.edges:
        layout = table.layout(producer, selection[producer].writes)
        if depth := queue_beats(table.graph, producer, consumer, layout):
            queues[f"{producer}->{consumer}"] = depth
    ops = {name: _build(selection, name).mapping for name in selection}
    return HwMapping(table.device.name, clock_mhz or table.device.clock_mhz, ops, queues, table.frame_input)
