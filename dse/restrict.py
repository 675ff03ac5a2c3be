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
from dse.labels.layers import Counter, TooManyLabels
from dse.labels.network import Network
from dse.labels.steps import OTHER_FIGURES, LabelStep, Split, StepResult, figures, is_timed, take_step
from dse.labels.weights import Weights
from dse.problem import MilpOp, Objective, Problem, Selection
from dse.program import Program, Relaxation, Terms
from dse.prune import fast_enough, prune

WHOLE = 700
"""Candidates of all ops up to which labels carry all times, exactly."""
LEAF = 150
"""The same number for a problem that was narrowed or split."""
LABEL_LIMITS = (100_000_000, 200_000_000, 400_000_000, 800_000_000)
"""Labels that a step may extend, by level, approximately. It determines how many labels stay after an op; further
ones are merged."""
STALLED = 0.9
"""A step that leaves more than this fraction of the candidates has stalled."""
FOLDED = 6_000
"""States after all ops together above which interfaces beside the longest path are not distinguished."""
FEW, MANY = 20_000, 6_000_000
"""Weights are fitted after passes that extended from ``FEW`` to ``MANY`` labels: shorter passes need no better
weights, and longer ones would take too long to repeat."""
LEAST_GAIN = 0.15
"""Fitted weights are used when they gain at least this fraction of what the earlier weights miss."""
POOL = 12
"""Number of cheapest selections whose candidates are combined by HiGHS."""

BoundCallback = Callable[[Fraction, Tree], None]
"""Called with a proven lower bound and its proof."""


@dataclass(frozen=True)
class RestrictedProblem:
    """What steps have left of a problem.

    Parameters
        problem    the problem restricted to the candidates that can still matter
        steps      the steps that removed the other candidates
        level      index into ``LABEL_LIMITS`` for the next step
        last_step  the last step; None before the first
        empty      whether no selection is left
        fitted     whether weights were fitted in the last step
    """

    problem: Problem
    steps: tuple[LabelStep, ...] = ()
    level: int = 0
    last_step: StepResult | None = None
    empty: bool = False
    fitted: bool = False

    @property
    def count(self) -> int:
        """The number of candidates left."""
        return sum(len(op.candidates) for op in self.problem.ops)


class Restrictor:
    """Takes narrowing steps.

    Parameters
        problem    the whole problem
        objective  what is minimised
        counter    counts the labels examined
    """

    def __init__(self, problem: Problem, objective: Goal, counter: Counter) -> None:
        self._problem, self._objective, self._counter = problem, objective, counter
        self._small = RestrictedProblem(problem).count <= WHOLE
        self._timed = is_timed(problem, objective)
        self._first: dict[Fraction | None, Relaxation | None] = {}
        self._shares: Shares | None = None
        self._cuts: list[tuple[Fraction, int, Shares]] = []
        self._cheapest: list[Selection] = []
        self._mixed = 0
        self._program: tuple[Problem, Program] | None = None
        self._pressure: tuple[Program, Terms] | None = None

    def restrict(
        self, restricted: RestrictedProblem, value: Fraction, below: bool, bound: Fraction, stalled: float = STALLED,
        on_bound: BoundCallback | None = None, on_step: Callable[[StepResult, bool], bool] | None = None,
    ) -> RestrictedProblem:  # fmt: skip
        """Narrow a problem for selections with at most ``value``, until a step stalls or needs too many labels.

        From step to step fewer labels are merged, and the completions of one step bound the labels of the next. Where
        ``on_step`` is given, every other step but the first ones uses fitted weights and fewer labels.

        Parameters
            restricted  the problem to narrow
            value       value of the objective
            below       whether a selection must have less than ``value``
            bound       the lower bound that is proven when no selection is left
            stalled     a step that leaves more than this fraction of the candidates has stalled
            on_bound    called after each step that left something, with the least latency and its proof, where latency
                        is minimised
            on_step     called with each step that left something, and whether it is of the first level, in which many
                        labels are merged; returns True to stop
        """
        while True:
            network = self._network(restricted)
            refit = on_step is not None and restricted.level > 1 and not restricted.fitted
            room = self._room(restricted, network, restricted.level - 2 * refit)
            fitter = self._fitter(network, value, below, room) if refit else None
            refit = fitter is not None
            earlier = None if refit or not self._timed else restricted.last_step
            earlier = earlier if earlier is not None and earlier.holds(network) else None
            try:
                weights = self._weights(restricted, network, value, fitter, earlier)
                result = take_step(network, weights, self._objective, value, below, self._counter, earlier, room)
                if fitter is not None:
                    result = self._refitted(fitter, result, value, below)
            except TooManyLabels:
                return restricted
            step = LabelStep(str(bound), network.whole, room, network.folded, result.weights.entry, earlier is not None)
            before, steps = restricted.count, (*restricted.steps, step)
            last = network.whole or not self._timed or restricted.level >= len(LABEL_LIMITS)
            if result.empty:
                return RestrictedProblem(restricted.problem, steps, restricted.level, result, empty=True)
            if on_bound is not None and self._objective is Objective.LATENCY:
                on_bound(Fraction(result.least), Tree(steps))
            enough = False
            if on_step is not None:
                self._cheapest.append(result.cheapest())
                enough = on_step(result, not restricted.level and not last)
            restricted = RestrictedProblem(
                result.remaining(), steps, restricted.level + (not refit), result, fitted=refit
            )
            if enough or (last and restricted.count > stalled * before):
                return restricted

    def estimate(self, restricted: RestrictedProblem) -> float | None:
        """An estimate of the least value by the relaxation; None where it gives none. Not for the bottleneck."""
        relaxed = self._relaxed(restricted, None)
        return None if relaxed is None else relaxed.value

    def limit_use(self, cycles: int) -> float | None:
        """The largest used fraction of a limit in the relaxation, where no op takes more than ``cycles``.

        None where the relaxation is infeasible.
        """
        if self._pressure is None:
            program = Program(replace(self._problem, max_cycles=None))
            self._pressure = program, program.limit_use()
        program, terms = self._pressure
        relaxed = program.relax(terms, cycles)
        return None if relaxed is None else relaxed.value

    def split_problem(self, restricted: RestrictedProblem, value: Fraction) -> SplitProblem | None:
        """Two parts of what is left; None where all selections are alike."""
        return split_problem(restricted, self._relaxed(restricted, value))

    def pool(self, best: Selection | None) -> Problem | None:
        """The problem restricted to the candidates of the cheapest selections and of the best one.

        None where labels carry no times, or no cheap selection was added since the last call.
        """
        if len(self._cheapest) == self._mixed or not self._timed:
            return None
        self._mixed = len(self._cheapest)
        selections, ops = [*self._cheapest[-POOL:], *([] if best is None else [best])], []
        for op in self._problem.ops:
            own = {id(choice[op.name]) for choice in selections}
            ops.append(replace(op, candidates=tuple(c for c in op.candidates if id(c) in own)))
        return replace(self._problem, ops=tuple(ops))

    def _network(self, restricted: RestrictedProblem) -> Network:
        whole = self._small or restricted.count <= LEAF
        network = Network(restricted.problem, timed=self._timed, whole=whole)
        if not whole and sum(stage.states for stage in network.stages) > FOLDED:
            network = Network(restricted.problem, timed=self._timed, whole=whole, folded=True)
        return network

    def _room(self, restricted: RestrictedProblem, network: Network, level: int) -> int | None:
        """Labels kept after an op in a step; None, for all, where labels are exact or carry no times."""
        if network.whole or not self._timed:
            return None
        return max(1, LABEL_LIMITS[min(level, len(LABEL_LIMITS) - 1)] // restricted.count)

    def _weights(
        self,
        restricted: RestrictedProblem,
        network: Network,
        value: Fraction,
        fitter: Fitter | None,
        earlier: StepResult | None,
    ) -> Weights:
        """Weights for the network of what is left."""
        if earlier is not None:
            return earlier.weights.same(network)
        if self._shares is not None and fitter is not None:
            weights = fitter.weights(self._shares)
            if weights is not None:
                return weights
        relaxed = self._relaxed(restricted, value)
        if relaxed is None:
            relaxed = self._limit_relaxation(restricted.problem)
        if relaxed is None:
            return Weights.plain(network, np.zeros(len(network.row_names), np.int64))
        return Weights.of(network, relaxed.duals)

    def _fitter(self, network: Network, value: Fraction, below: bool, room: int | None) -> Fitter | None:
        limits = limits_at(network.problem, network, self._objective, value, below=below)
        if network.whole or not self._timed or (limits.caps == NEVER).all():
            return None
        if self._program is None or self._program[0] is not network.problem:
            # the weights depend little on the value, so the program stays for other values
            program = Program(network.problem)
            program.add("deadline", program.latency, float(limits.deadline), rule=("limit", "latency"))
            self._program = network.problem, program
        return Fitter(network, limits, self._program[1], self._counter, room)

    def _refitted(self, fitter: Fitter, result: StepResult, value: Fraction, below: bool) -> StepResult:
        """The step, repeated with fitted weights where they are better."""
        network, labels = result.network, sum(len(layer.labels) for layer in result.forward.layers)
        if result.empty or not FEW <= labels <= MANY:
            return result
        room = fitter.room
        assert room is not None
        if self._shares is None:
            rows = zip(network.row_names, result.weights.rows.tolist(), strict=True)
            self._shares = fitter.shares(dict(rows))
        cuts = [cut for limit, fine, cut in self._cuts if limit <= value and fine >= room]
        fit = fitter.fit(self._shares, result.weights, result.forward, cuts)
        self._shares = fit.shares
        self._cuts += [(value, room, cut) for cut in fit.cuts]
        self._cheapest += fit.selections
        if fit.gain < LEAST_GAIN:
            return result
        return take_step(network, fit.weights, self._objective, value, below, self._counter, room=room)

    def _relaxed(self, restricted: RestrictedProblem, value: Fraction | None) -> Relaxation | None:
        """The relaxation for the objective; that of the whole problem is stored."""
        key = value if self._objective is Objective.BOTTLENECK else None
        if restricted.steps or restricted.problem is not self._problem:
            return self._relaxation(restricted.problem, key)
        if key not in self._first:
            self._first[key] = self._relaxation(restricted.problem, key)
        return self._first[key]

    def _relaxation(self, problem: Problem, value: Fraction | None) -> Relaxation | None:
        if self._objective is Objective.BOTTLENECK:
            fast = None if value is None else fast_enough(problem, int(value))
            return None if fast is None else self._limit_relaxation(prune(fast, ()))
        program = Program(problem)
        relaxed = program.relax(
            program.violation() if self._objective is None else program.constrained(self._objective)
        )
        if relaxed is None:
            return None
        duals = relaxed.duals
        if self._objective is Objective.LATENCY:
            duals = replace(duals, finish=duals.finish + 1)
        if self._objective is Objective.ERROR:
            duals = replace(duals, rows={**duals.rows, "error": duals.rows["error"] + 1})
        return replace(relaxed, duals=duals)

    def _limit_relaxation(self, problem: Problem) -> Relaxation | None:
        program = Program(problem)
        return program.relax(program.limit_use())


@dataclass(frozen=True)
class SplitProblem:
    """A problem split in two.

    Parameters
        split       how it is split
        parts       the problems of candidates with little and with much of the figure
        high_first  whether the relaxation prefers the second part
    """

    split: Split
    parts: tuple[Problem, Problem]
    high_first: bool


def split_problem(restricted: RestrictedProblem, relaxed: Relaxation | None) -> SplitProblem | None:
    """Split a problem in two; None where all candidates of each op are alike.

    The split is at the op and the figure in which the relaxation mixes candidates most.

    Parameters
        restricted  the problem to split
        relaxed     its relaxation; None without one
    """
    for own, high_first in _splits(restricted, relaxed):
        try:
            return SplitProblem(own, own.parts(restricted.problem), high_first)
        except ValueError:
            continue
    return None


def _splits(restricted: RestrictedProblem, relaxed: Relaxation | None) -> Iterator[tuple[Split, bool]]:
    if restricted.last_step is not None and relaxed is not None:
        network, scored = restricted.last_step.network, []
        for op in restricted.problem.ops:
            shares = relaxed.assignment.get(op.name)
            if shares is None or len(shares) != len(op.candidates):
                continue
            for name, weight in zip(network.row_names, restricted.last_step.weights.rows, strict=True):
                amounts = figures(restricted.problem, op, name)
                mean = float(shares @ amounts)
                mixed = float(weight) * float(shares @ abs(amounts - mean))
                scored.append((-mixed, op.name, name, int(mean), float(shares @ (amounts > mean)) > 0.5))
        for mixed, *own, high_first in sorted(scored):
            if mixed < 0:
                yield Split(*own), high_first
    for op in sorted(restricted.problem.ops, key=lambda op: -len(op.candidates)):
        yield from ((own, False) for own in _median_splits(restricted.problem, op))


def _median_splits(problem: Problem, op: MilpOp) -> Iterator[Split]:
    for name in (*problem.budget, *OTHER_FIGURES, "lanes"):
        values = np.unique(figures(problem, op, name))
        if len(values) > 1:
            yield Split(op.name, name, int(values[(len(values) - 1) // 2]))
