"""Narrowing of a problem: steps remove candidates that cannot matter, and new weights are computed for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from dse.certificate import Tree
from dse.fit import Fitter, Shares
from dse.labels.goals import Goal, limits_at
from dse.labels.kernels import NEVER
from dse.labels.layers import Counter, TooMany
from dse.labels.network import Network
from dse.labels.steps import OTHER_FIGURES, LabelStep, Split, Taken, figures, is_timed, take
from dse.labels.weights import Weights
from dse.problem import MilpOp, Objective, Problem, Selection
from dse.program import Program, Relaxed, Terms
from dse.prune import fast_enough, prune

WHOLE = 700
"""Candidates of all ops up to which labels carry all times, exactly."""
LEAF = 150
"""The same number for a problem that was narrowed or split."""
LED = (100_000_000, 200_000_000, 400_000_000, 800_000_000)
"""Labels that a step may extend, by level, approximately. It determines how many labels stay after an op; further
ones are merged."""
STALLED = 0.9
"""A step that leaves more than this fraction of the candidates has stalled."""
FOLDED = 6_000
"""States after all ops together above which interfaces beside the longest path are not distinguished."""
FEW, MANY = 20_000, 6_000_000
"""Weights are fitted after passes that extended from ``FEW`` to ``MANY`` labels: shorter passes need no better
weights, and longer ones would take too long to repeat."""
GAINED = 0.15
"""Fitted weights are used when they gain at least this fraction of what the earlier weights miss."""
POOL = 12
"""Number of cheapest selections whose candidates are combined by HiGHS."""

Told = Callable[[Fraction, Tree], None]
"""Called with a proven lower bound and its proof."""


@dataclass(frozen=True)
class Left:
    """What steps have left of a problem.

    Parameters
        problem  the problem restricted to the candidates that can still matter
        steps    the steps that removed the other candidates
        level    index into ``LED`` for the next step
        taken    the last step; None before the first
        empty    whether no selection is left
        fitted   whether weights were fitted in the last step
    """

    problem: Problem
    steps: tuple[LabelStep, ...] = ()
    level: int = 0
    taken: Taken | None = None
    empty: bool = False
    fitted: bool = False

    @property
    def count(self) -> int:
        """The number of candidates left."""
        return sum(len(op.candidates) for op in self.problem.ops)


class Restrictor:
    """Takes narrowing steps.

    Parameters
        problem  the whole problem
        goal     what is minimised
        counter  counts the labels examined
    """

    def __init__(self, problem: Problem, goal: Goal, counter: Counter) -> None:
        self._problem, self._goal, self._counter = problem, goal, counter
        self._small = Left(problem).count <= WHOLE
        self._timed = is_timed(problem, goal)
        self._first: dict[Fraction | None, Relaxed | None] = {}
        self._shares: Shares | None = None
        self._cuts: list[tuple[Fraction, int, Shares]] = []
        self._cheapest: list[Selection] = []
        self._mixed = 0
        self._program: tuple[Problem, Program] | None = None
        self._pressure: tuple[Program, Terms] | None = None

    def restricted(
        self, left: Left, value: Fraction, below: bool, bound: Fraction, stalled: float = STALLED,
        told: Told | None = None, tried: Callable[[Taken, bool], bool] | None = None,
    ) -> Left:  # fmt: skip
        """Narrow a problem for selections with at most ``value``, until a step stalls or needs too many labels.

        From step to step fewer labels are merged, and the completions of one step bound the labels of the next. Where
        ``tried`` is given, every other step but the first ones uses fitted weights and fewer labels.

        Parameters
            left     the problem to narrow
            value    value of the goal
            below    whether a selection must have less than ``value``
            bound    the lower bound that is proven when no selection is left
            stalled  a step that leaves more than this fraction of the candidates has stalled
            told     called after each step that left something, with the least latency and its proof, where latency is
                     minimised
            tried    called with each step that left something, and whether it is of the first level, in which many
                     labels are merged; returns True to stop
        """
        while True:
            network = self._network(left)
            again = tried is not None and left.level > 1 and not left.fitted
            room = self._room(left, network, left.level - 2 * again)
            fitter = self._fitter(network, value, below, room) if again else None
            again = fitter is not None
            earlier = None if again or not self._timed else left.taken
            earlier = earlier if earlier is not None and earlier.holds(network) else None
            try:
                weights = self._weights(left, network, value, fitter, earlier)
                taken = take(network, weights, self._goal, value, below, self._counter, earlier, room)
                if fitter is not None:
                    taken = self._fitted(fitter, taken, value, below)
            except TooMany:
                return left
            step = LabelStep(str(bound), network.whole, room, network.folded, taken.weights.entry, earlier is not None)
            before, steps = left.count, (*left.steps, step)
            last = network.whole or not self._timed or left.level >= len(LED)
            if taken.empty:
                return Left(left.problem, steps, left.level, taken, empty=True)
            if told is not None and self._goal is Objective.LATENCY:
                told(Fraction(taken.least), Tree(steps))
            enough = False
            if tried is not None:
                self._cheapest.append(taken.cheapest())
                enough = tried(taken, not left.level and not last)
            left = Left(taken.left(), steps, left.level + (not again), taken, fitted=again)
            if enough or (last and left.count > stalled * before):
                return left

    def hint(self, left: Left) -> float | None:
        """An estimate of the least value by the relaxation; None where it gives none. Not for the bottleneck."""
        relaxed = self._relaxed(left, None)
        return None if relaxed is None else relaxed.value

    def pressure(self, cycles: int) -> float | None:
        """The largest used fraction of a limit in the relaxation, where no op takes more than ``cycles``.

        None where the relaxation is infeasible.
        """
        if self._pressure is None:
            program = Program(replace(self._problem, max_cycles=None))
            self._pressure = program, program.pressure()
        program, goal = self._pressure
        relaxed = program.relax(goal, cycles)
        return None if relaxed is None else relaxed.value

    def parted(self, left: Left, value: Fraction) -> Parted | None:
        """Two parts of what is left; None where all selections are alike."""
        return parted(left, self._relaxed(left, value))

    def pool(self, best: Selection | None) -> Problem | None:
        """The problem restricted to the candidates of the cheapest selections and of the best one.

        None where labels carry no times, or no cheap selection was added since the last call.
        """
        if len(self._cheapest) == self._mixed or not self._timed:
            return None
        self._mixed = len(self._cheapest)
        choices, ops = [*self._cheapest[-POOL:], *([] if best is None else [best])], []
        for op in self._problem.ops:
            own = {id(choice[op.name]) for choice in choices}
            ops.append(replace(op, candidates=tuple(c for c in op.candidates if id(c) in own)))
        return replace(self._problem, ops=tuple(ops))

    def _network(self, left: Left) -> Network:
        whole = self._small or left.count <= LEAF
        network = Network(left.problem, timed=self._timed, whole=whole)
        if not whole and sum(stage.states for stage in network.stages) > FOLDED:
            network = Network(left.problem, timed=self._timed, whole=whole, folded=True)
        return network

    def _room(self, left: Left, network: Network, level: int) -> int | None:
        """Labels kept after an op in a step; None, for all, where labels are exact or carry no times."""
        if network.whole or not self._timed:
            return None
        return max(1, LED[min(level, len(LED) - 1)] // left.count)

    def _weights(
        self, left: Left, network: Network, value: Fraction, fitter: Fitter | None, earlier: Taken | None
    ) -> Weights:
        """Weights for the network of what is left."""
        if earlier is not None:
            return earlier.weights.same(network)
        if self._shares is not None and fitter is not None:
            weights = fitter.weights(self._shares)
            if weights is not None:
                return weights
        relaxed = self._relaxed(left, value)
        if relaxed is None:
            relaxed = self._pressed(left.problem)
        if relaxed is None:
            return Weights.plain(network, np.zeros(len(network.row_names), np.int64))
        return Weights.of(network, relaxed.duals)

    def _fitter(self, network: Network, value: Fraction, below: bool, room: int | None) -> Fitter | None:
        limits = limits_at(network.problem, network, self._goal, value, below=below)
        if network.whole or not self._timed or (limits.caps == NEVER).all():
            return None
        if self._program is None or self._program[0] is not network.problem:
            # the weights depend little on the value, so the program stays for other values
            program = Program(network.problem)
            program.add("deadline", program.latency, float(limits.deadline), rule=("limit", "latency"))
            self._program = network.problem, program
        return Fitter(network, limits, self._program[1], self._counter, room)

    def _fitted(self, fitter: Fitter, taken: Taken, value: Fraction, below: bool) -> Taken:
        """The step, repeated with fitted weights where they are better."""
        network, labels = taken.network, sum(len(layer.labels) for layer in taken.reached.layers)
        if taken.empty or not FEW <= labels <= MANY:
            return taken
        room = fitter.room
        assert room is not None
        if self._shares is None:
            rows = zip(network.row_names, taken.weights.rows.tolist(), strict=True)
            self._shares = fitter.shares(dict(rows))
        known = [cut for limit, fine, cut in self._cuts if limit <= value and fine >= room]
        fit = fitter.fit(self._shares, taken.weights, taken.reached, known)
        self._shares = fit.shares
        self._cuts += [(value, room, cut) for cut in fit.cuts]
        self._cheapest += fit.choices
        if fit.gained < GAINED:
            return taken
        return take(network, fit.weights, self._goal, value, below, self._counter, room=room)

    def _relaxed(self, left: Left, value: Fraction | None) -> Relaxed | None:
        """The relaxation for the goal; that of the whole problem is stored."""
        key = value if self._goal is Objective.BOTTLENECK else None
        if left.steps or left.problem is not self._problem:
            return self._relaxation(left.problem, key)
        if key not in self._first:
            self._first[key] = self._relaxation(left.problem, key)
        return self._first[key]

    def _relaxation(self, problem: Problem, value: Fraction | None) -> Relaxed | None:
        if self._goal is Objective.BOTTLENECK:
            fast = None if value is None else fast_enough(problem, int(value))
            return None if fast is None else self._pressed(prune(fast, ()))
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


@dataclass(frozen=True)
class Parted:
    """A problem split in two.

    Parameters
        split       how it is split
        parts       the problems of candidates with little and with much of the figure
        high_first  whether the relaxation prefers the second part
    """

    split: Split
    parts: tuple[Problem, Problem]
    high_first: bool


def parted(left: Left, relaxed: Relaxed | None) -> Parted | None:
    """Split a problem in two; None where all candidates of each op are alike.

    The split is at the op and the figure in which the relaxation mixes candidates most.

    Parameters
        left     the problem to split
        relaxed  its relaxation; None without one
    """
    for own, high_first in _splits(left, relaxed):
        try:
            return Parted(own, own.parts(left.problem), high_first)
        except ValueError:
            continue
    return None


def _splits(left: Left, relaxed: Relaxed | None) -> Iterator[tuple[Split, bool]]:
    if left.taken is not None and relaxed is not None:
        network, scored = left.taken.network, []
        for op in left.problem.ops:
            shares = relaxed.shares.get(op.name)
            if shares is None or len(shares) != len(op.candidates):
                continue
            for name, weight in zip(network.row_names, left.taken.weights.rows, strict=True):
                amounts = figures(left.problem, op, name)
                mean = float(shares @ amounts)
                mixed = float(weight) * float(shares @ abs(amounts - mean))
                scored.append((-mixed, op.name, name, int(mean), float(shares @ (amounts > mean)) > 0.5))
        for mixed, *own, high_first in sorted(scored):
            if mixed < 0:
                yield Split(*own), high_first
    for op in sorted(left.problem.ops, key=lambda op: -len(op.candidates)):
        yield from ((own, False) for own in _halves(left.problem, op))


def _halves(problem: Problem, op: MilpOp) -> Iterator[Split]:
    for name in (*problem.budget, *OTHER_FIGURES, "lanes"):
        values = np.unique(figures(problem, op, name))
        if len(values) > 1:
            yield Split(op.name, name, int(values[(len(values) - 1) // 2]))
