"""Remove dominated candidates, which no best selection needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Hashable, Sequence

import numpy as np
from numba import njit

from dse.problem import Candidate, Interface, MilpEdge, MilpOp, Objective, Problem

NEVER = 1 << 60
"""Cost of a pair of interfaces without a link; above every sum of real costs (``problem.LARGEST``)."""


def prune(problem: Problem, objectives: Collection[Objective] = tuple(Objective)) -> Problem:
    """The same problem without dominated candidates; the optimum of ``objectives`` and the shortages stay the same.

    A candidate is dominated when another one with the same formats is no worse in any cost that counts, even after
    adding the most that its different lanes can cost on the links of its edges, whatever the other end is. A cost
    counts where one of the objectives or a limit depends on it.

    Parameters
        problem     the problem
        objectives  the objectives that may be minimised later
    """
    timed = Objective.LATENCY in objectives or problem.max_latency is not None
    counts = np.array(
        [
            Objective.BOTTLENECK in objectives or problem.max_cycles is not None,
            *[timed] * 5,
            Objective.ERROR in objectives or problem.max_error is not None,
            *[True] * len(problem.budget),
        ]
    )
    return dataclasses.replace(problem, ops=tuple(_prune_op(problem, op, counts) for op in problem.ops))


def fast_enough(problem: Problem, cycles: int) -> Problem | None:
    """The problem restricted to candidates of at most ``cycles``, without that limit; None where an op has none.

    Parameters
        problem  the problem
        cycles   limit of the bottleneck in cycles per frame
    """
    ops = [tuple(own for own in op.candidates if own.cycles <= cycles) for op in problem.ops]
    if not all(ops):
        return None
    fast = tuple(dataclasses.replace(op, candidates=own) for op, own in zip(problem.ops, ops, strict=True))
    return dataclasses.replace(problem, ops=fast, max_cycles=None)


def _prune_op(problem: Problem, op: MilpOp, counts: np.ndarray) -> MilpOp:
    groups: dict[Hashable, list[Candidate]] = {}
    for candidate in op.candidates:
        groups.setdefault((candidate.writes.format, *(read.format for read in candidate.reads)), []).append(candidate)
    stored: set[Hashable] = set()
    for group in groups.values():
        stored.update(id(candidate) for candidate in _undominated(problem, op.name, group, counts))
    return dataclasses.replace(op, candidates=tuple(c for c in op.candidates if id(c) in stored))


def _undominated(problem: Problem, name: str, group: Sequence[Candidate], counts: np.ndarray) -> list[Candidate]:
    costs = np.array([candidate.costs for candidate in group], dtype=np.int64)[:, counts]
    ends = sorted({(candidate.writes, candidate.reads) for candidate in group})
    extra = np.zeros((len(ends), len(ends), len(counts)), dtype=np.int64)
    for edge in problem.edges:
        if edge.producer == name:
            extra += _extra(edge, [writes for writes, _ in ends], len(counts), reading=False)
        if edge.consumer == name:
            extra += _extra(edge, [reads[edge.index] for _, reads in ends], len(counts), reading=True)
    extra = extra[:, :, counts]
    places = {end: place for place, end in enumerate(ends)}
    own = np.array([places[candidate.writes, candidate.reads] for candidate in group])
    # candidates that dominate others mostly come early in this order, so that few stay to compare with
    order = np.argsort((costs / costs.max(axis=0, initial=1)).sum(axis=1), kind="stable")
    costs, own = costs[order], own[order]
    return [group[place] for place in order[_undominated_rows(costs, own, extra)]]


@njit(cache=True)
def _undominated_rows(costs, own, extra):
    """int64 [kept], the candidates that no kept one dominates.

    Parameters
        costs  int64 [candidates, costs]
        own    int64 [candidates], number of each candidate's interfaces
        extra  int64 [interfaces, interfaces, costs], what the first in place of the second adds
    """
    stored = np.empty(len(costs), np.int64)
    count = 0
    for candidate in range(len(costs)):
        dominated = False
        for at in range(count):
            dominated = True
            for cost in range(costs.shape[1]):
                more = extra[own[stored[at]], own[candidate], cost]
                if costs[stored[at], cost] + more > costs[candidate, cost]:
                    dominated = False
                    break
            if dominated:
                break
        if not dominated:
            stored[count] = candidate
            count += 1
    return stored[:count]


def _extra(edge: MilpEdge, ends: Sequence[Interface], kinds: int, *, reading: bool) -> np.ndarray:
    """int64 [new, old, cost], the most that a new interface in place of an old one adds to the edge's link.

    Costs are in the order of ``Candidate.costs``; a link's delay counts as more fill, first_output, drain and rest.
    """
    distinct = sorted(set(ends))
    others = sorted({pair[0] if reading else pair[1] for pair in edge.links})
    price = np.full((len(distinct), max(1, len(others)), kinds), NEVER, dtype=np.int64)
    places = {end: place for place, end in enumerate(distinct)}
    columns = {other: column for column, other in enumerate(others)}
    for pair, link in edge.links.items():
        own, other = (pair[1], pair[0]) if reading else pair
        if own in places:
            delay = link.fill
            price[places[own], columns[other]] = (0, delay, delay, 0, delay, delay, 0, *link.resources)
    # nothing is added where the old interface has no link either
    added = np.where(price[None] == NEVER, -NEVER, price[:, None] - price[None]).max(axis=2)
    rows = [places[end] for end in ends]
    return added[np.ix_(rows, rows)]
