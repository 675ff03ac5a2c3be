"""A surrogate pass as a step: what it reaches, and the problem of the candidates that can still matter after it.

What one step leaves is a problem again, of fewer candidates. New weights fit it better, so that the next step leaves
fewer still, until none is left or nothing changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from dse.labels.goals import Goal, limits_at
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.labels.passes import Completions, Counter, Rowwise, Surrogate, cheapest, complete, finishes, rowwise, surrogate
from dse.labels.weights import Weights
from dse.problem import Objective, Op, Problem, Selection


@dataclass(frozen=True)
class Step:
    """What is needed to take a step again.

    Parameters
        value    choices with less than this are looked for; a fraction, such as ``4438`` or ``17/20``
        whole    whether labels carry the times of all ops
        room     labels that stay after an op, more are merged; all stay where None
        folded   whether states tell apart the interfaces of the longest way alone
        weights  ``Weights.entry``
        tabled   whether labels are held to what the step before, of the same weights, leaves them to the end
    """

    value: str
    whole: bool
    room: int | None
    folded: bool
    weights: Mapping[str, Any]
    tabled: bool


@dataclass(frozen=True)
class Taken:
    """A step that was taken. ``reached`` is a surrogate pass along ``network``, with these weights and limits;
    ``counter`` counts the labels of the way back and of rowwise passes."""

    network: Network
    weights: Weights
    limits: Limits
    reached: Surrogate
    counter: Counter

    @property
    def empty(self) -> bool:
        """Whether no choice is left."""
        return self.reached.empty

    @property
    def least(self) -> int:
        """The least finish of the output that labels reached."""
        return finishes(self.network, self.reached)

    @cached_property
    def completions(self) -> Completions:
        """What the labels that were reached need to the end."""
        return complete(self.network, self.weights, self.limits, self.reached, self.counter)

    def holds(self, network: Network) -> bool:
        """Whether labels of another network can be held to the completions of this step."""
        return self.network.holds(network)

    def rowwise(self, beam: int | None) -> Rowwise:
        """Labels of every row by itself, all interfaces told apart."""
        return rowwise(self.network.unfolded, self.weights, self.completions, self.limits, self.counter, beam)

    def left(self) -> Problem:
        """The problem of the candidates that a choice with less than the step's value can have."""
        network = self.network
        named = zip(network.ops, network.stages, self.completions.stays, strict=True)
        kept = {op.name: np.sort(stage.candidates[own]) for op, stage, own in named}
        return replace(network.problem, ops=tuple(_of(op, kept[op.name]) for op in network.problem.ops))

    @property
    def heaviest(self) -> str:
        """The row whose limit weighs most."""
        weighed = self.weights.rows.astype(float) * self.limits.caps
        return self.network.row_names[int(np.argmax(weighed))]

    def cheapest(self) -> Selection:
        """A choice of least weighted cost."""
        return cheapest(self.network, self.reached)[1]

    def core(self, most: int) -> Problem:
        """The problem of the candidates whose cheapest choices cost least, about so many and one of each op."""
        network, through = self.network, self.completions.through
        enough = np.sort(np.concatenate(through))[:most][-1]
        kept = {}
        for op, stage, own in zip(network.ops, network.stages, through, strict=True):
            kept[op.name] = np.sort(stage.candidates[own <= max(enough, own.min())])
        return replace(network.problem, ops=tuple(_of(op, kept[op.name]) for op in network.problem.ops))


def _of(op: Op, kept: np.ndarray) -> Op:
    return replace(op, candidates=tuple(op.candidates[number] for number in kept))


def take(
    network: Network, weights: Weights, goal: Goal, value: Fraction, below: bool, counter: Counter,
    before: Taken | None = None, room: int | None = None,
) -> Taken:  # fmt: skip
    """Look for choices with at most ``value``, or with less where ``below``.

    Parameters
        before  a step of the same weights, for no less, whose completions labels are held to
        room    labels that stay after an op, more are merged; all stay where None
    """
    known = None
    if before is not None:
        if weights.entry != before.weights.entry or not before.holds(network):
            raise ValueError("the step before has other weights or other times")
        known = before.completions
    limits = limits_at(network.problem, network, goal, value, below=below)
    reached = surrogate(network, weights, limits, counter, known=known, room=room)
    return Taken(network, weights, limits, reached, counter)


def is_timed(problem: Problem, goal: Goal) -> bool:
    """Whether labels have to carry times."""
    return goal is Objective.LATENCY or problem.max_latency is not None


@dataclass(frozen=True)
class Split:
    """The candidates of an op in two parts: those with at most ``most`` of a figure, and those with more.

    ``figure``: a resource, ``error``, ``cycles``, ``span``, ``tail``, or ``lanes`` that are written.
    """

    op: str
    figure: str
    most: int

    def parts(self, problem: Problem) -> tuple[Problem, Problem]:
        """The problems of either part; raises ValueError where one has no candidate."""
        op = next((own for own in problem.ops if own.name == self.op), None)
        if op is None:
            raise ValueError(f"there is no op {self.op!r}")
        amounts = figures(problem, op, self.figure)
        sides = np.flatnonzero(amounts <= self.most), np.flatnonzero(amounts > self.most)
        if not all(map(len, sides)):
            raise ValueError(f"no candidate of op {self.op!r} is on one side of {self.most} {self.figure}")
        low, high = (
            replace(problem, ops=tuple(_of(own, side) if own is op else own for own in problem.ops)) for side in sides
        )
        return low, high


def figures(problem: Problem, op: Op, figure: str) -> np.ndarray:
    """int64 [candidates], one figure of each of an op's candidates."""
    if figure in problem.budget:
        kind = list(problem.budget).index(figure)
        return np.array([own.resources[kind] for own in op.candidates], np.int64)
    if figure == "lanes":
        return np.array([own.writes.lanes for own in op.candidates], np.int64)
    if figure in OTHER_FIGURES:
        return np.array([getattr(own, figure) for own in op.candidates], np.int64)
    raise ValueError(f"there is no figure {figure!r}")


OTHER_FIGURES = ("error", "span", "cycles", "tail")
