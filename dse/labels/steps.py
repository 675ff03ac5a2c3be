"""A surrogate pass as a narrowing step: it leaves the problem restricted to the candidates that can still matter.

New weights fit the restricted problem better, so the next step leaves fewer candidates, until none is left or nothing
changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from dse.labels.goals import Goal, limits_at
from dse.labels.layers import Completions, Counter, Rowwise, Surrogate
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.labels.passes import cheapest, complete, finishes, rowwise, surrogate
from dse.labels.weights import Weights
from dse.problem import MilpOp, Objective, Problem, Selection


@dataclass(frozen=True)
class LabelStep:
    """Everything needed to repeat a step.

    Parameters
        value    the step searches selections below this value; a fraction as text, such as ``4438`` or ``17/20``
        whole    whether labels carry the times of all ops of the frontier
        room     labels kept after an op, further ones are merged; None keeps all
        folded   whether states distinguish only the interfaces of the longest path
        weights  the weights, as ``Weights.entry``
        tabled   whether labels are bounded by the completions of the step before, which has the same weights
    """

    value: str
    whole: bool
    room: int | None
    folded: bool
    weights: Mapping[str, Any]
    tabled: bool


@dataclass(frozen=True)
class StepResult:
    """A step that was taken.

    Parameters
        network  network of the problem that was narrowed
        weights  weights of the surrogate pass
        limits   limits of the surrogate pass
        forward  result of the surrogate pass
        counter  counts the labels of the backward pass and of rowwise passes
    """

    network: Network
    weights: Weights
    limits: Limits
    forward: Surrogate
    counter: Counter

    @property
    def empty(self) -> bool:
        """Whether no selection is left."""
        return self.forward.empty

    @property
    def least(self) -> int:
        """The least finish of the output that labels forward."""
        return finishes(self.network, self.forward)

    @cached_property
    def completions(self) -> Completions:
        """The backward pass: the least cost of completing each label."""
        return complete(self.network, self.weights, self.limits, self.forward, self.counter)

    def holds(self, network: Network) -> bool:
        """Whether the completions of this step bound the labels of another network."""
        return self.network.holds(network)

    def rowwise(self, beam: int | None) -> Rowwise:
        """A rowwise pass that distinguishes all interfaces."""
        return rowwise(self.network.unfolded, self.weights, self.completions, self.limits, self.counter, beam)

    def remaining(self) -> Problem:
        """The problem restricted to candidates that a selection below the step's value can have."""
        network = self.network
        named = zip(network.ops, network.stages, self.completions.stays, strict=True)
        indices = {op.name: np.sort(stage.candidates[own]) for op, stage, own in named}
        return replace(network.problem, ops=tuple(_of(op, indices[op.name]) for op in network.problem.ops))

    @property
    def heaviest_row(self) -> str:
        """The name of the row with the largest weight times limit."""
        weighed = self.weights.rows.astype(float) * self.limits.caps
        return self.network.row_names[int(np.argmax(weighed))]

    def cheapest(self) -> Selection:
        """A selection of least weighted cost."""
        return cheapest(self.network, self.forward)[1]

    def core(self, most: int) -> Problem:
        """The problem restricted to the candidates whose cheapest selections cost least.

        These are about ``most`` candidates, at least one of each op.
        """
        network, through = self.network, self.completions.through
        enough = np.sort(np.concatenate(through))[:most][-1]
        indices = {}
        for op, stage, own in zip(network.ops, network.stages, through, strict=True):
            indices[op.name] = np.sort(stage.candidates[own <= max(enough, own.min())])
        return replace(network.problem, ops=tuple(_of(op, indices[op.name]) for op in network.problem.ops))


def _of(op: MilpOp, indices: np.ndarray) -> MilpOp:
    return replace(op, candidates=tuple(op.candidates[number] for number in indices))


def take_step(
    network: Network, weights: Weights, objective: Goal, value: Fraction, below: bool, counter: Counter,
    before: StepResult | None = None, room: int | None = None,
) -> StepResult:  # fmt: skip
    """Search selections with at most ``value`` by a surrogate pass.

    Parameters
        network    network of the problem
        weights    weights of the rows and of the times
        objective  what is minimised
        value      value of the objective
        below      whether a selection must have less than ``value``
        counter    counts the labels examined
        before     an earlier step with the same weights and no tighter limits, whose completions bound the labels
        room       labels kept after an op, further ones are merged; None keeps all
    Raises         ValueError: when ``before`` has other weights or other times
    """
    earlier = None
    if before is not None:
        if weights.entry != before.weights.entry or not before.holds(network):
            raise ValueError("the step before has other weights or other times")
        earlier = before.completions
    limits = limits_at(network.problem, network, objective, value, below=below)
    forward = surrogate(network, weights, limits, counter, earlier=earlier, room=room)
    return StepResult(network, weights, limits, forward, counter)


def is_timed(problem: Problem, objective: Goal) -> bool:
    """Whether labels have to carry times.

    Parameters
        problem    the problem
        objective  what is minimised
    """
    return objective is Objective.LATENCY or problem.max_latency is not None


@dataclass(frozen=True)
class Split:
    """The candidates of an op in two parts: at most ``most`` of a figure, and more.

    Parameters
        op      name of the op
        figure  a resource, ``error``, ``cycles``, ``duration``, ``drain``, or ``lanes`` of the written interface
        most    largest amount in the first part
    """

    op: str
    figure: str
    most: int

    def parts(self, problem: Problem) -> tuple[Problem, Problem]:
        """The problems restricted to either part; raises ValueError where a part has no candidate."""
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


def figures(problem: Problem, op: MilpOp, figure: str) -> np.ndarray:
    """One figure of each candidate of an op, int64 [candidates].

    Parameters
        problem  the problem
        op       the op
        figure   as for ``Split``
    Raises       ValueError: when there is no such figure
    """
    if figure in problem.budget:
        kind = list(problem.budget).index(figure)
        return np.array([own.resources[kind] for own in op.candidates], np.int64)
    if figure == "lanes":
        return np.array([own.writes.lanes for own in op.candidates], np.int64)
    if figure in OTHER_FIGURES:
        return np.array([getattr(own, figure) for own in op.candidates], np.int64)
    raise ValueError(f"there is no figure {figure!r}")


OTHER_FIGURES = ("error", "duration", "cycles", "drain")
