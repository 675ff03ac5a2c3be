"""What steps leave of a problem: candidates that cannot matter go, and new weights are taken for those that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from dse.certificate import Tree
from dse.labels.goals import Goal
from dse.labels.network import Network
from dse.labels.passes import Counter, TooMany
from dse.labels.steps import OTHER_FIGURES, Split, Step, Taken, figures, is_timed, take
from dse.labels.weights import Weights
from dse.problem import Objective, Op, Problem
from dse.program import Program, Relaxed
from dse.prune import prune

WHOLE = 700
"""Candidates of all ops up to which labels carry every time, exactly."""
LEAF = 150
"""The same in what is left of more."""
GRAINS = (0.1, 0.03, 0.01, 0.003, 0.0015)
"""Times are rounded down to multiples of this share of a latency, taken once over all ops; step by step."""
STALLED = 0.97
"""A step that leaves more than this share of the candidates has changed nothing."""
FOLDED = 6_000
"""States after all ops together above which interfaces beside the longest way are not told apart."""
CORE = 1_000
"""Candidates that are left of all ops where only those are taken that the relaxation likes best."""

Told = Callable[[Fraction, Tree], None]


@dataclass(frozen=True)
class Left:
    """What steps have left of a problem.

    Parameters
        problem  of the candidates that can still matter
        steps    what left out the others
        level    the next of ``GRAINS``
        taken    the last step
        relaxed  the relaxation that its weights are from
        empty    whether no choice is left
    """

    problem: Problem
    steps: tuple[Step, ...] = ()
    level: int = 0
    taken: Taken | None = None
    relaxed: Relaxed | None = None
    empty: bool = False

    @property
    def count(self) -> int:
        return sum(len(op.candidates) for op in self.problem.ops)


class Narrower:
    """Takes the steps.

    Parameters
        problem  the whole one
        goal     what is to be least
        counter  counts labels
    """

    def __init__(self, problem: Problem, goal: Goal, counter: Counter) -> None:
        self._problem, self._goal, self._counter = problem, goal, counter
        self._small = Left(problem).count <= WHOLE
        self._timed = is_timed(problem, goal)
        self._first: dict[Fraction | None, Relaxed | None] = {}

    def narrowed(
        self, left: Left, value: Fraction, below: bool, bound: Fraction, stalled: float = STALLED,
        told: Told | None = None, tried: Callable[[Taken], None] | None = None,
    ) -> Left:  # fmt: skip
        """What is left of a problem where a choice must have at most ``value``, or less where ``below``: step by step,
        until one changes nothing more or takes too many labels.

        ``bound``: all choices with less than this are looked for. ``stalled``: a step that leaves more than this share
        of the candidates has changed nothing. ``told`` is given the least latency of what each step
        left, and why there is none below; ``tried`` is given each step that left something.
        """
        while True:
            network, weights, relaxed = self._aimed(left, value)
            try:
                taken = take(network, weights, self._goal, value, below, self._counter)
            except TooMany:
                return left
            step = Step(str(bound), network.whole, network.grain, network.folded, weights.entry)
            before, steps = left.count, (*left.steps, step)
            if taken.empty:
                return Left(left.problem, steps, left.level, taken, relaxed, empty=True)
            if told is not None and self._goal is Objective.LATENCY:
                least = Fraction(taken.least)
                told(least, Tree((*left.steps, replace(step, value=str(least)))))
            if tried is not None:
                tried(taken)
            left = Left(taken.left(), steps, left.level + 1, taken, relaxed)
            if left.count > stalled * before and (network.whole or left.level >= len(GRAINS)):
                return left

    def hint(self, left: Left) -> float | None:
        """About the least value there is, by the relaxation; None where it has none. Not for the bottleneck."""
        relaxed = self._relaxed(left, None)
        return None if relaxed is None else relaxed.value

    def core(self, left: Left, value: Fraction) -> Problem:
        """Of what is left the candidates that the relaxation likes best, as many of each op."""
        problem = left.problem
        if self._goal is Objective.BOTTLENECK:
            problem = fast_enough(problem, int(value)) or problem
        # of this very problem: the relaxation that is kept may be of more candidates
        relaxed = self._pressed(problem) if self._goal is Objective.BOTTLENECK else self._relaxed(left, value)
        if relaxed is None:
            return problem
        each = max(2, CORE // len(problem.ops))
        ops = []
        for op in problem.ops:
            best = np.argsort(relaxed.reduced[op.name], kind="stable")[:each]
            ops.append(replace(op, candidates=tuple(op.candidates[number] for number in np.sort(best))))
        return replace(problem, ops=tuple(ops))

    def _aimed(self, left: Left, value: Fraction) -> tuple[Network, Weights, Relaxed | None]:
        """A network of what is left, and weights that fit it."""
        whole = self._small or left.count <= LEAF
        grain = 1
        if self._timed and not whole:
            about = value if self._goal is Objective.LATENCY else Fraction(left.problem.max_latency or 0)
            grain = max(1, int(GRAINS[min(left.level, len(GRAINS) - 1)] * about / len(left.problem.ops)))
        network = Network(left.problem, timed=self._timed, whole=whole, grain=grain)
        if not whole and sum(stage.states for stage in network.stages) > FOLDED:
            network = Network(left.problem, timed=self._timed, whole=whole, grain=grain, folded=True)
        relaxed = self._relaxed(left, value)
        if relaxed is None:
            relaxed = self._pressed(left.problem)
        if relaxed is None:
            return network, Weights.plain(network, np.zeros(len(network.row_names), np.int64)), None
        return network, Weights.of(network, relaxed.duals), relaxed

    def _relaxed(self, left: Left, value: Fraction | None) -> Relaxed | None:
        """The relaxation for the goal; that of the whole problem is kept."""
        key = value if self._goal is Objective.BOTTLENECK else None
        if left.steps or left.problem is not self._problem:
            return self._relaxation(left.problem, key)
        if key not in self._first:
            self._first[key] = self._relaxation(left.problem, key)
        return self._first[key]

    def _relaxation(self, problem: Problem, value: Fraction | None) -> Relaxed | None:
        if self._goal is Objective.BOTTLENECK:
            fast = None if value is None else fast_enough(problem, int(value))
            return None if fast is None else self._pressed(fast)
        program = Program(problem)
        relaxed = program.relax(program.overrun() if self._goal is None else program.limited(self._goal))
        if relaxed is None:
            return None
        duals = relaxed.duals
        if self._goal is Objective.LATENCY:
            duals = replace(duals, finish=duals.finish + 1)
        if self._goal is Objective.ERROR:
            duals = replace(duals, rows={**duals.rows, "error": duals.rows["error"] + 1})
        return replace(relaxed, duals=duals)

    def _pressed(self, problem: Problem) -> Relaxed | None:
        program = Program(problem)
        return program.relax(program.pressure())


def fast_enough(problem: Problem, cycles: int) -> Problem | None:
    """The problem of the candidates that keep to ``cycles``, without that limit; None where an op has none."""
    ops = [tuple(own for own in op.candidates if own.cycles <= cycles) for op in problem.ops]
    if not all(ops):
        return None
    fast = tuple(replace(op, candidates=own) for op, own in zip(problem.ops, ops, strict=True))
    return prune(replace(problem, ops=fast, max_cycles=None), ())


@dataclass(frozen=True)
class Parted:
    """``parts``: the problems of candidates with little and with much of the figure. ``high_first``: whether the
    relaxation takes more of the second."""

    split: Split
    parts: tuple[Problem, Problem]
    high_first: bool


def parted(left: Left) -> Parted | None:
    """Two parts of what is left: of the op and the figure that the relaxation mixes most; None where all are alike."""
    for own, high_first in _splits(left):
        try:
            return Parted(own, own.parts(left.problem), high_first)
        except ValueError:
            continue
    return None


def _splits(left: Left) -> Iterator[tuple[Split, bool]]:
    if left.taken is not None and left.relaxed is not None:
        network, scored = left.taken.network, []
        for op in network.problem.ops:
            shares = left.relaxed.shares.get(op.name)
            if shares is None or len(shares) != len(op.candidates):
                continue
            for name, weight in zip(network.row_names, left.taken.weights.rows, strict=True):
                amounts = figures(network.problem, op, name)
                mean = float(shares @ amounts)
                mixed = float(weight) * float(shares @ abs(amounts - mean))
                scored.append((-mixed, op.name, name, int(mean), float(shares @ (amounts > mean)) > 0.5))
        for mixed, *own, high_first in sorted(scored):
            if mixed < 0:
                yield Split(*own), high_first
    for op in sorted(left.problem.ops, key=lambda op: -len(op.candidates)):
        yield from ((own, False) for own in _halves(left.problem, op))


def _halves(problem: Problem, op: Op) -> Iterator[Split]:
    for name in (*problem.budget, *OTHER_FIGURES, "lanes"):
        values = np.unique(figures(problem, op, name))
        if len(values) > 1:
            yield Split(op.name, name, int(values[(len(values) - 1) // 2]))
