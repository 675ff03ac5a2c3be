"""What an exploration is made of: families of designs in shares of a device, each to be found by itself.

A family is a format throughout, by its name; ``mixed``, every trade of the objective against the summed error when each
layer has a format of its own; ``speedup4``, the least error of what is four times as fast as int8 in the same share; or
``error0.05``, the best objective of what has no more than that summed error. The last two are DyBit's strategies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from dse.candidates import ERROR_UNIT, Build, Table, queue_beats
from dse.epsilon import trades
from dse.milp import Solution, SolverReport, least_utilisation, solve
from dse.polish import polish
from dse.problem import Candidate, Objective, Op, Problem, Selection
from dse.prune import prune
from dse.search import Watch
from dse.sensitivity import Assignment, worthwhile
from hw.device import Device, Resources
from hw.mapping import Mapping as HwMapping

SPAN = 8
MIXED, SPEEDUP, ERROR = "mixed", "speedup", "error"
CAPS = {"max_cycles": "cycles", "max_error": "error", "max_latency": "latency"}
"""Fields of a problem, and what its limits call them."""
BASE = "int8"
"""The format that speed-ups are counted from."""

Judge = Callable[[HwMapping], float]
"""Cycles of a mapping, simulated; less is better."""


@dataclass(frozen=True)
class Search:
    """What designs are asked for.

    ``limit``: share of the device that may be used at all. ``sizes``: shares tried of each family, from all of that
    down to the least it fits in, but no further than a ``1/SPAN`` of it. ``gap``: share by which a design may miss
    the best objective. ``grain``: by how much of the largest summed error those of ``mixed`` are apart.
    ``max_cycles`` a frame and ``max_latency``: limits, in cycles. ``speedups`` and ``max_errors``: a family for each.
    ``time_limit``: seconds a program. ``tries``: mappings that a judge is asked about for each design.
    """

    objective: Objective = Objective.LATENCY
    limit: float = 1.0
    sizes: int = 4
    gap: float = 0.02
    grain: float = 0.2
    max_cycles: int | None = None
    max_latency: int | None = None
    speedups: Sequence[float] = ()
    max_errors: Sequence[float] = ()
    time_limit: float | None = None
    tries: int = 400

    @property
    def whole(self) -> Fraction:
        return Fraction(self.limit).limit_denominator(1000)


@dataclass(frozen=True)
class Design:
    """One answer of the integer program, polished where there was a judge.

    ``minimised``: what ``solver`` has the figures of. ``assignment``: the format of each layer. ``mapping``: foldings,
    with queues of about the depth they need. ``share``: of the device, which it keeps to. ``choice``: the place of each
    op's candidate among those there were, as the program found it.
    """

    name: str
    family: str
    assignment: Assignment
    mapping: HwMapping
    share: Fraction
    solver: SolverReport
    minimised: Objective
    choice: list[int]


def families(formats: Sequence[str], search: Search) -> list[str]:
    """Those that a choice of formats allows."""
    if len(formats) == 1:
        return list(formats)
    fast, exact = (f"{SPEEDUP}{ratio:g}" for ratio in search.speedups), (f"{ERROR}{cap:g}" for cap in search.max_errors)
    return [*formats, MIXED, *fast, *exact]


def shares(table: Table, search: Search, family: str) -> list[Fraction]:
    """The shares of the device to look at, in geometric steps; ``Infeasible`` where the family fits in none.

    One where all that is asked for is the least resources.
    """
    limit = search.whole
    if search.sizes == 1 or search.objective is Objective.UTILISATION:
        return [limit]
    whole = _problem(table, search, limit, _formats(table, family))
    least = max(least_utilisation(whole, gap=search.gap, time_limit=search.time_limit) * limit, limit / SPAN)
    steps = search.sizes - 1
    # floats round: none may be less than the least
    return [limit] + [max(least, limit * Fraction(float(least / limit) ** (n / steps))) for n in range(1, search.sizes)]


def designs(
    table: Table, search: Search, family: str, share: Fraction, clock_mhz: float | None = None,
    watch: Watch = lambda *_: None,
) -> list[Design]:  # fmt: skip
    """A family's designs in a share of the device, ``Infeasible`` where there is none. ``watch``: as for ``solve``."""
    limited = _problem(table, search, share, _formats(table, family))
    if family == MIXED:
        worst = _largest_error(table)
        grain = max(1, round(search.grain * worst))
        points = trades(limited, search.objective, grain, gap=search.gap, watch=watch).points
        found = {f"{MIXED}{100 * point.evaluation.error / max(1, worst):.3g}": point for point in points}
    elif family.startswith(SPEEDUP):
        base = _solved(_problem(table, search, share, _formats(table, BASE)), search.objective, search, watch)
        speed = base.evaluation.objective(search.objective) / Fraction(family.removeprefix(SPEEDUP))
        found = {family: _solved(limited.capped(search.objective, speed), Objective.ERROR, search, watch)}
    elif family.startswith(ERROR):
        cap = Fraction(round(float(family.removeprefix(ERROR)) / ERROR_UNIT))
        found = {family: _solved(limited.capped(Objective.ERROR, cap), search.objective, search, watch)}
    else:
        found = {family: _solved(limited, search.objective, search, watch)}
    return [
        _design(table, f"{name}-{100 * float(share):.3g}", family, share, limited, point, point.selection, clock_mhz)
        for name, point in found.items()
    ]


def again(
    table: Table, search: Search, name: str, family: str, share: Fraction, minimised: Objective,
    limits: Mapping[str, int], clock_mhz: float | None = None, watch: Watch = lambda *_: None,
) -> Design:  # fmt: skip
    """The design called ``name`` under other ``limits`` than its report names; ``Infeasible`` where there is none."""
    problem = asked(table, search, family, share, limits)
    found = _solved(problem, minimised, search, watch)
    return _design(table, name, family, share, problem, found, found.selection, clock_mhz)


def asked(table: Table, search: Search, family: str, share: Fraction, limits: Mapping[str, int]) -> Problem:
    """The problem of which a design of a family in a share of the device is the answer, under the ``limits`` that its
    report names."""
    problem = _problem(table, search, share, _formats(table, family))
    # candidates have their resources in the order of the problem's own budget
    budget = {name: limits[name] for name in problem.budget}
    return replace(problem, budget=budget, **{name: limits.get(key) for name, key in CAPS.items()})


def assigned(problem: Problem, assignment: Assignment) -> Problem:
    """The problem of the candidates that have each layer in the format it is assigned."""

    def kept(op: Op) -> Op:
        names = (assignment.get(op.name), None)
        return replace(op, candidates=tuple(own for own in op.candidates if _build(own).format in names))

    return replace(problem, ops=tuple(map(kept, problem.ops)))


def best(table: Table, search: Search, clock_mhz: float | None = None, judge: Judge | None = None) -> Design:
    """The design that a table of one format has in all of the device that may be used.

    With a judge, the foldings that the program found are polished by it.
    """
    (family,) = table.graphs
    problem = _problem(table, search, search.whole, _formats(table, family))
    found = _solved(problem, search.objective, search)
    selection = found.selection
    if judge is not None:
        selection, _ = polished(table, problem, selection, judge, search.tries, clock_mhz)
    label = f"{family}-{100 * float(search.whole):.3g}"
    return _design(table, label, family, search.whole, problem, found, selection, clock_mhz)


def polished(
    table: Table, problem: Problem, selection: Selection, judge: Judge, tries: int, clock_mhz: float | None = None
) -> tuple[Selection, float]:
    """The best choice found near ``selection`` and what the judge says of it, after at most so many ``tries``."""
    return polish(prune(problem), selection, lambda near: judge(mapping_of(table, near, clock_mhz)), tries)


def _solved(problem: Problem, objective: Objective, search: Search, watch: Watch = lambda *_: None) -> Solution:
    return solve(problem, objective, gap=search.gap, time_limit=search.time_limit, watch=watch)


def _design(
    table: Table, name: str, family: str, share: Fraction, problem: Problem, found: Solution, selection: Selection,
    clock_mhz: float | None,
) -> Design:  # fmt: skip
    places = {op.name: {id(own): number for number, own in enumerate(op.candidates)} for op in problem.ops}
    choice = [places[name][id(own)] for name, own in found.selection.items()]
    builds = {node: _build(own) for node, own in selection.items()}
    assignment = {node: build.format for node, build in builds.items() if build.format is not None}
    mapping, proven = mapping_of(table, selection, clock_mhz), (found.report, found.objective)
    return Design(name, family, assignment, mapping, share, *proven, choice)


def _formats(table: Table, family: str) -> dict[str, tuple[str, ...]]:
    """The formats that each layer may take."""
    if family in table.graphs:
        return dict.fromkeys(table.layers, (family,))
    return worthwhile(table.errors)


def _problem(table: Table, search: Search, share: Fraction, formats: dict[str, tuple[str, ...]]) -> Problem:
    part = _part(table.device, share)
    return table.problem(part, formats=formats, max_cycles=search.max_cycles, max_latency=search.max_latency)


def _largest_error(table: Table) -> int:
    """The summed error, in the program's unit, with the worst of its worthwhile formats in each layer."""
    formats = worthwhile(table.errors)
    return round(
        sum(max(0.0, *(table.errors[layer][name] for name in names)) for layer, names in formats.items()) / ERROR_UNIT
    )


def _part(device: Device, share: Fraction) -> Resources:
    return Resources(*(math.floor(getattr(device, kind) * share) for kind in Resources.names()))


def _build(candidate: Candidate) -> Build:
    assert isinstance(candidate.choice, Build)
    return candidate.choice


def mapping_of(table: Table, selection: Selection, clock_mhz: float | None) -> HwMapping:
    """The mapping that a choice stands for, with queues of about the depth they need."""
    queues = {}
    for producer, consumer, _ in table.graph.edges:
        layout = table.layout(producer, selection[producer].writes)
        if depth := queue_beats(table.graph, producer, consumer, layout):
            queues[f"{producer}->{consumer}"] = depth
    ops = {name: _build(own).mapping for name, own in selection.items()}
    return HwMapping(table.device.name, clock_mhz or table.device.clock_mhz, ops, queues, table.frame_input)
