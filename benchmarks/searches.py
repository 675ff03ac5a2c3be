"""What folding is chosen by elsewhere, on our own problems: a target of cycles, a greedy walk, and simulated annealing.

All see the candidates, links and limits that the integer program sees, and are judged by the same ``evaluate``: here
on the demo's networks within ``SHARE`` of a zu3eg. Annealing is given two first temperatures, and many evaluations.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.inputs.demo import demo
from dse.candidates import Table
from dse.evaluate import Evaluation, evaluate
from dse.milp import solve
from dse.problem import Candidate, MilpEdge, Objective, Problem, Selection
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES

DEVICE, SHARE = DEVICES["zu3eg"], 0.25
SEEDS, TEMPERATURES, EVALUATIONS = range(3), (0.1, 0.5), 5000
COOLING = 1e-3
"""The last temperature, as a share of the first."""
WEIGHT = 4.0
"""Octaves of the objective that an overrun of a limit by all of it costs."""
REACH = 6
"""Ops that may change at once."""


def smallest(problem: Problem) -> Selection:
    """A choice that can be joined, of candidates of few resources: lanes as its neighbor before has them, if it can."""
    selection: Selection = {}
    for op in problem.ops:
        fitting = [c for c in op.candidates if _joined(problem, {**selection, op.name: c}, op.name)]
        if not fitting:
            raise ValueError(f"op {op.name!r}: no candidate can be joined to {', '.join(selection)}")
        selection[op.name] = min(fitting, key=lambda c: _share(problem, c))
    return selection


def greedy(problem: Problem, objective: Objective) -> tuple[Selection, Evaluation]:
    """From the smallest design the slowest op is made a step faster, by the candidate that takes the least more, until
    it has none that fits; then the next slowest, to the last."""
    selection = smallest(problem)
    best = evaluate(problem, selection)
    waiting = list(selection)
    while waiting:
        name = max(waiting, key=lambda op: selection[op].cycles)
        for candidate in _faster(problem, selection, name):
            trial = {**selection, name: candidate}
            found = evaluate(problem, trial)
            if found.feasible and found.objective(objective) <= best.objective(objective):
                selection, best = trial, found
                break
        else:
            waiting.remove(name)
    return selection, best


def by_target(problem: Problem, objective: Objective) -> tuple[Selection, Evaluation]:
    """The best choice on the way of a bisection to the fewest cycles that every op can keep to within the limits.

    For each target every op, in the order of the graph, takes the candidate that keeps to it and can be joined to those
    before it, and with which the largest share of a limit taken so far is least: as FINN's SetFolding, which has one
    candidate for each folding.
    """
    targets = sorted({candidate.cycles for op in problem.ops for candidate in op.candidates})
    best = smallest(problem)
    found = evaluate(problem, best)
    low, high = 0, len(targets)
    while low < high:
        middle = (low + high) // 2
        trial = _cheapest_within(problem, targets[middle])
        evaluation = None if trial is None else evaluate(problem, trial)
        if trial is None or evaluation is None or not evaluation.feasible:
            low = middle + 1
            continue
        high = middle
        if not found.feasible or evaluation.objective(objective) < found.objective(objective):
            best, found = trial, evaluation
    return best, found


def _cheapest_within(problem: Problem, target: int) -> Selection | None:
    """Of each op a candidate of few resources with at most so many cycles; None where one has none."""
    selection: Selection = {}
    total = (0,) * len(problem.budget)
    for op in problem.ops:
        edges = [edge for edge in problem.edges if edge.consumer == op.name]
        fitting: list[tuple[float, int, Candidate, tuple[int, ...]]] = []
        for candidate in op.candidates:
            trial = {**selection, op.name: candidate}
            if candidate.cycles <= target and _joined(problem, trial, op.name):
                links = [edge.links[trial[edge.producer].writes, candidate.reads[edge.index]] for edge in edges]
                taken = tuple(map(sum, zip(total, candidate.resources, *(own.resources for own in links), strict=True)))
                fitting.append((_part(problem, taken), len(fitting), candidate, taken))
        if not fitting:
            return None
        _, _, selection[op.name], total = min(fitting)
    return selection


def anneal(
    problem: Problem, objective: Objective, seed: int, evaluations: int, first: float = 0.1
) -> tuple[Selection, Evaluation]:
    """The best feasible choice of a walk from the smallest design, at falling temperatures, each step a change of an op
    and of neighbors that cannot be joined to it then.

    ``first``: the first temperature, in octaves of the objective. A choice over the limits costs more the further it is
    over them.
    """
    rng = random.Random(seed)
    selection = smallest(problem)
    found = evaluate(problem, selection)
    now, best = _cost(found, objective), (selection, found)
    for step in range(evaluations):
        temperature = first * COOLING ** (step / evaluations)
        trial = _changed(problem, selection, rng)
        if trial is None:
            continue
        found = evaluate(problem, trial)
        cost = _cost(found, objective)
        if cost <= now or rng.random() < math.exp((now - cost) / temperature):
            selection, now = trial, cost
            if found.feasible and (not best[1].feasible or found.objective(objective) < best[1].objective(objective)):
                best = trial, found
    return best


def _changed(problem: Problem, selection: Selection, rng: random.Random) -> Selection | None:
    """With another candidate of an op, and of all up to ``REACH`` around it that could not be joined then."""
    trial, waiting = dict(selection), [rng.choice(problem.ops).name]
    ops = {op.name: op for op in problem.ops}
    kept: set[str] = set()
    while waiting and len(kept) < REACH:
        name = waiting.pop()
        kept.add(name)
        rest = {other: own for other, own in trial.items() if other in kept and other != name}
        fitting = [c for c in ops[name].candidates if _joined(problem, {**rest, name: c}, name)]
        if not fitting:
            return None
        trial[name] = rng.choice(fitting)
        for edge in problem.edges:
            if name in (edge.producer, edge.consumer) and not _link(edge, trial):
                other = edge.consumer if edge.producer == name else edge.producer
                waiting += [other] if other not in waiting else []
    return None if waiting else trial


def _cost(found: Evaluation, objective: Objective) -> float:
    """In octaves, as a step is worth as much at the end as at the start."""
    return math.log2(max(1.0, float(found.objective(objective)))) + WEIGHT * float(found.violation)


def _faster(problem: Problem, selection: Selection, name: str) -> Iterator[Candidate]:
    """Those of an op that are faster than its own and can be joined, the smallest step first."""
    (op,) = (op for op in problem.ops if op.name == name)
    own = selection[name]
    better = [c for c in op.candidates if c.cycles < own.cycles and _joined(problem, {**selection, name: c}, name)]
    yield from sorted(better, key=lambda c: (-c.cycles, _share(problem, c)))


def _share(problem: Problem, candidate: Candidate) -> float:
    return _part(problem, candidate.resources)


def _part(problem: Problem, resources: tuple[int, ...]) -> float:
    """The largest share of a limit that so much takes."""
    limits = problem.budget.values()
    return max((amount / max(1, limit) for amount, limit in zip(resources, limits, strict=True)), default=0.0)


def _joined(problem: Problem, selection: Selection, name: str) -> bool:
    """Whether the op can be joined to those of its neighbors that are chosen."""
    return all(
        _link(edge, selection)
        for edge in problem.edges
        if name in (edge.producer, edge.consumer) and edge.producer in selection and edge.consumer in selection
    )


def _link(edge: MilpEdge, selection: Selection) -> bool:
    return (selection[edge.producer].writes, selection[edge.consumer].reads[edge.index]) in edge.links


def measure() -> dict[str, Any]:
    limit = Resources(*(int(SHARE * getattr(DEVICE, kind)) for kind in Resources.names()))
    figures: dict[str, Any] = {}
    for name in ("int8", "int4"):
        problem = Table({name: demo(name)}, DEVICE).problem(limit)
        for objective in (Objective.BOTTLENECK, Objective.LATENCY):
            found = solve(problem, objective)
            best = float(found.evaluation.objective(objective))
            walked, aimed = (search(problem, objective)[1] for search in (greedy, by_target))
            begin = time.perf_counter()
            annealed = [
                min(
                    _value(anneal(problem, objective, seed, EVALUATIONS, first)[1], objective) for first in TEMPERATURES
                )
                for seed in SEEDS
            ]
            figures[f"{name}, {objective}"] = {
                "label": "estimated",
                "integer program, cycles": round(best, 1),
                "status": found.report.status,
                "integer program, seconds": round(found.report.seconds, 2),
                "greedy, times the program's": round(_value(walked, objective) / best, 3),
                "target of cycles, times the program's": round(_value(aimed, objective) / best, 3),
                "annealing, times the program's, by seed": [round(value / best, 3) for value in annealed],
                "annealing, median": round(median(annealed) / best, 3),
                "annealing, seconds a seed": round((time.perf_counter() - begin) / len(SEEDS), 1),
            }
    return figures


def _value(found: Evaluation, objective: Objective) -> float:
    return float(found.objective(objective)) if found.feasible else math.inf
