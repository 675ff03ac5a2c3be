"""The last step of an exploration: single changes to a design, judged by simulation.

The integer program takes sites to come at an even pace, which those of real frames do not. So from the design it finds
each op's folding is changed a little, alone, and the design is simulated; a small integer program then picks the
changes that fit the limits and together gain most, as the sum of what each gains alone. They are kept where simulating
all of them at once shows a gain; else fewer are tried.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import groupby

from dse.pareto import non_dominated
from dse.problem import Candidate, Objective, Op, Problem, Selection, evaluate
from dse.program import Program, SolverError

MOST_CHANGES = 16
"""Ops that are changed at once, at first; half as many when that gains nothing."""
RUNGS = 2
"""How many other cycle counts are tried of each op, on either side of its own."""
GAP = 0.1
"""By what share the sum of the gains may miss the largest: what they gain together is another figure anyway."""
PATIENCE = 500
"""Branches after which the program settles for the changes it has found."""

Judge = Callable[[Selection], float]


def polish(problem: Problem, selection: Selection, judge: Judge, tries: int) -> tuple[Selection, float]:
    """The best choice found from ``selection``, and what ``judge`` says of it, less being better.

    ``tries``: how many choices are judged, at the most.
    """
    best = judge(selection)
    tries -= 1
    while tries > 0:
        steps = {op.name: list(_steps(problem, selection, op)) for op in problem.ops}
        gains: dict[str, list[tuple[Candidate, float]]] = {}
        for name, candidates in steps.items():
            # those that differ in resources alone gain the same
            known = {_pace(selection[name]): 0.0}
            for own in candidates:
                if _pace(own) not in known and tries > 0:
                    known[_pace(own)] = judge({**selection, name: own}) - best
                    tries -= 1
            gains[name] = [(own, known[_pace(own)]) for own in (selection[name], *candidates) if _pace(own) in known]
        most, better = MOST_CHANGES, None
        while most and tries > 0 and better is None:
            trial = _together(problem, selection, gains, most)
            changed = sum(trial[name] is not own for name, own in selection.items())
            if changed:
                value = judge(trial)
                tries -= 1
                if value < best:
                    better, best = trial, value
            most = min(most, changed) // 2
        if better is None:
            break
        selection = better
    return selection, best


def _steps(problem: Problem, selection: Selection, op: Op) -> Iterator[Candidate]:
    """The candidates in place of the op's own that fit between its neighbors and are a little faster or slower, or as
    fast with other resources; of each cycle count those that no other beats in resources, links included."""
    own = selection[op.name]
    rest = {key: value for key, value in selection.items() if key != op.name}
    fitting = [(c.cycles, taken, c) for c in op.candidates if (taken := _taken(problem, rest, op, c)) is not None]
    fitting.sort(key=lambda entry: entry[0])
    levels = [(cycles, list(group)) for cycles, group in groupby(fitting, key=lambda entry: entry[0])]
    here = next(place for place, (cycles, _) in enumerate(levels) if cycles == own.cycles)
    for _, group in levels[max(0, here - RUNGS) : here + RUNGS + 1]:
        for place in non_dominated([taken for _, taken, _ in group]):
            if group[place][2] is not own:
                yield group[place][2]


def _pace(candidate: Candidate) -> tuple[object, ...]:
    """All of a candidate that cycles depend on."""
    own = candidate
    return own.cycles, own.fill, own.head, own.span, own.tail, own.rest, own.writes, own.reads


def _taken(problem: Problem, rest: Selection, op: Op, candidate: Candidate) -> tuple[int, ...] | None:
    """What the candidate and the links to its neighbors take; None where it cannot be joined to one."""
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
    """At most so many changes, those whose gains add up to most under the limits."""
    ops = tuple(dataclasses.replace(op, candidates=tuple(own for own, _ in gains[op.name])) for op in problem.ops)
    program = Program(dataclasses.replace(problem, ops=ops))
    program.limited(Objective.BOTTLENECK)
    terms, changes = [], []
    for name, picks in program.picks.items():
        for (pick, own), (_, gain) in zip(picks, gains[name], strict=True):
            terms.append((pick, gain))
            if own is not selection[name]:
                changes.append((pick, 1))
    program.add(changes, most)
    try:
        found = program.minimise(terms, GAP, PATIENCE)
    except SolverError:
        return selection
    # HiGHS keeps limits to within a tolerance
    return found if found is not None and evaluate(problem, found).feasible else selection
