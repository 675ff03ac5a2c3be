"""Leave out candidates that another one beats, which no best choice needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence

import numpy as np

from dse.problem import Candidate, Edge, Interface, Op, Problem

NEVER = 1 << 40
"""The price of a pair of interfaces that cannot be joined; above every sum of real ones."""


def prune(problem: Problem) -> Problem:
    """The same problem without dominated candidates: the same best objective, the same shortages.

    A candidate is dominated when another one of the same formats is no worse in any cost, even after paying
    what changing its lanes can add to the links of its edges, whatever is at their other end.
    """
    return dataclasses.replace(problem, ops=tuple(_prune_op(problem, op) for op in problem.ops))


def _prune_op(problem: Problem, op: Op) -> Op:
    groups: dict[Hashable, list[Candidate]] = {}
    for candidate in op.candidates:
        groups.setdefault((candidate.writes.format, *(read.format for read in candidate.reads)), []).append(candidate)
    kept: set[Hashable] = set()
    for group in groups.values():
        kept.update(id(candidate) for candidate in _undominated(problem, op.name, group))
    return dataclasses.replace(op, candidates=tuple(c for c in op.candidates if id(c) in kept))


def _undominated(problem: Problem, name: str, group: Sequence[Candidate]) -> list[Candidate]:
    costs = np.array([candidate.costs for candidate in group], dtype=np.int64)
    extra = np.zeros((len(group), len(group), costs.shape[1]), dtype=np.int64)
    for edge in problem.edges:
        if edge.producer == name:
            extra += _extra(edge, [candidate.writes for candidate in group], costs.shape[1], reading=False)
        if edge.consumer == name:
            extra += _extra(edge, [candidate.reads[edge.index] for candidate in group], costs.shape[1], reading=True)
    alive = np.ones(len(group), dtype=bool)
    for i in range(len(group)):
        beats = (costs + extra[:, i] <= costs[i]).all(axis=1) & alive
        beats[i] = False
        alive[i] = not beats.any()
    return [candidate for candidate, keep in zip(group, alive, strict=True) if keep]


def _extra(edge: Edge, ends: Sequence[Interface], kinds: int, *, reading: bool) -> np.ndarray:
    """int64 ``[new, old, cost]``: the most that a new interface in place of an old one adds to the edge's link.

    In the order of ``Candidate.costs``; a later start and finish counts as more fill, head and tail.
    """
    distinct = sorted(set(ends))
    others = sorted({pair[0] if reading else pair[1] for pair in edge.links})
    price = np.full((len(distinct), max(1, len(others)), kinds), NEVER, dtype=np.int64)
    for pair, link in edge.links.items():
        own, other = (pair[1], pair[0]) if reading else pair
        if own in distinct:
            delay = link.fill
            price[distinct.index(own), others.index(other)] = (0, delay, delay, 0, delay, 0, *link.resources)
    # where the old one cannot be joined either there is nothing to add
    added = np.where(price[None] == NEVER, -NEVER, price[:, None] - price[None]).max(axis=2)
    places = [distinct.index(end) for end in ends]
    return added[np.ix_(places, places)]
