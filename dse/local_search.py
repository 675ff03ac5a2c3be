"""Local search at the end of an exploration: small changes to a design, judged by simulation.

The integer program assumes that active pixels arrive at an even pace, which those of real frames do not. So each op's
folding is changed a little, one op at a time, and the design is simulated. A small integer program then selects the
changes that fit the limits together and have the largest sum of gains. They are kept where a simulation with all of
them shows a gain; otherwise fewer are tried.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import groupby

from dse.evaluate import evaluate
from dse.pareto import non_dominated
from dse.problem import Candidate, MilpOp, Objective, Problem, Selection
from dse.program import Program, SolverError

MOST_CHANGES = 16
"""Ops changed together at first; half as many when that gains nothing."""
NEIGHBOURHOODS = 2
"""Neighbourhood of an op: the number of other cycle counts that are tried on either side of its own."""
GAP = 0.1
"""Accepted relative gap of the sum of gains; the gain of all changes together differs from the sum anyway."""
NODE_LIMIT = 500
"""Node limit of the integer program."""

Evaluator = Callable[[Selection], float]
"""Objective of the local search, less is better."""


def local_search(
    problem: Problem, selection: Selection, evaluator: Evaluator, max_evaluations: int
) -> tuple[Selection, float]:
    """Improve a selection by local search.

    Parameters
        problem          the problem
        selection        where the search starts
        evaluator        the objective, less is better
        max_evaluations  evaluation budget: calls of ``evaluator`` at most
    Returns              the best selection, and its value
    """
    best = evaluator(selection)
    max_evaluations -= 1
    while max_evaluations > 0:
        steps = {op.name: list(_steps(problem, selection, op)) for op in problem.ops}
        gains: dict[str, list[tuple[Candidate, float]]] = {}
        for name, candidates in steps.items():
            # candidates that differ only in resources have the same gain
            gain_of = {_pace(selection[name]): 0.0}
            for own in candidates:
                if _pace(own) not in gain_of and max_evaluations > 0:
                    gain_of[_pace(own)] = evaluator({**selection, name: own}) - best
                    max_evaluations -= 1
            gains[name] = [
                (own, gain_of[_pace(own)]) for own in (selection[name], *candidates) if _pace(own) in gain_of
            ]
        most, better = MOST_CHANGES, None
        while most and max_evaluations > 0 and better is None:
            trial = _together(problem, selection, gains, most)
            changed = sum(trial[name] is not own for name, own in selection.items())
            if changed:
                value = evaluator(trial)
                max_evaluations -= 1
                if value < best:
                    better, best = trial, value
            most = min(most, changed) // 2
        if better is None:
            break
        selection = better
    return selection, best


def _steps(problem: Problem, selection: Selection, op: MilpOp) -> Iterator[Candidate]:
    """The neighbourhood of an op: candidates with nearby cycle counts that have links to the op's neighbours.

    At each cycle count only those stay that no other dominates in resources, links included.
    """
    own = selection[op.name]
    # pruning may have left out the candidate that the selection has
    candidates = op.candidates if any(other is own for other in op.candidates) else (*op.candidates, own)
    rest = {key: value for key, value in selection.items() if key != op.name}
    fitting = [
        (c.cycles, resources, c) for c in candidates if (resources := _resources(problem, rest, op, c)) is not None
    ]
    fitting.sort(key=lambda entry: entry[0])
    levels = [(cycles, list(group)) for cycles, group in groupby(fitting, key=lambda entry: entry[0])]
    here = next(place for place, (cycles, _) in enumerate(levels) if cycles == own.cycles)
    for _, group in levels[max(0, here - NEIGHBOURHOODS) : here + NEIGHBOURHOODS + 1]:
        for place in non_dominated([resources for _, resources, _ in group]):
            if group[place][2] is not own:
                yield group[place][2]


def _pace(candidate: Candidate) -> tuple[object, ...]:
    """All figures of a candidate that affect cycles."""
    own = candidate
    return own.cycles, own.fill, own.first_output, own.duration, own.drain, own.rest, own.writes, own.reads


def _resources(problem: Problem, rest: Selection, op: MilpOp, candidate: Candidate) -> tuple[int, ...] | None:
    """Resources of a candidate and of the links to its neighbours; None where a link is missing."""
    chosen = {**rest, op.name: candidate}
    total = candidate.resources
    for edge in problem.edges:
        if op.name in (edge.producer, edge.consumer):
            link = edge.links.get((chosen[edge.producer].writes, chosen[edge.consumer].reads[edge.index]))
            if link is None:
                return None
            total = tuple(a + b for a, b in zip(total, link.resources, strict=True))
    return total


def _together(
    problem: Problem, selection: Selection, gains: dict[str, list[tuple[Candidate, float]]], most: int
) -> Selection:
    """At most ``most`` changes, with the largest sum of gains under the limits."""
    ops = tuple(dataclasses.replace(op, candidates=tuple(own for own, _ in gains[op.name])) for op in problem.ops)
    program = Program(dataclasses.replace(problem, ops=ops))
    program.constrained(Objective.BOTTLENECK)
    terms, changes = [], []
    for name, assignments in program.assignments.items():
        for (variable, own), (_, gain) in zip(assignments, gains[name], strict=True):
            terms.append((variable, gain))
            if own is not selection[name]:
                changes.append((variable, 1))
    program.add("changes", changes, most)
    try:
        solution = program.minimise(terms, GAP, NODE_LIMIT)
    except SolverError:
        return selection
    # HiGHS keeps limits only to within a tolerance
    return solution if solution is not None and evaluate(problem, solution).feasible else selection
