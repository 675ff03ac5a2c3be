"""The least value of an objective, between a bound that is proven and a choice that is found, until they meet.

Each question is whether a choice keeps to a value. Labels answer it exactly: with a choice, or by reaching none. Where
so many labels would be needed that some are left out, it may stay open.
"""

from __future__ import annotations

import contextlib
import math
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from dse.certificate import OVERRUN, ROWS, SURROGATE, Certificate, tilted
from dse.labels.goals import Goal, limits_at, value_of
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.labels.passes import Completions, Counter, TooMany, complete, finishes, rowwise, surrogate
from dse.labels.weights import Weights
from dse.problem import Evaluation, Objective, Problem, Selection, evaluate
from dse.program import Program, SolverError
from dse.prune import prune

WHOLE = 700
"""Candidates of all ops up to which labels carry every time."""
LEVELS = ((1_000, False), (30_000, False), (8_000, True), (60_000, True), (None, True))
"""How many labels go on from an op, and whether more weights tell them apart; where a question stays open, the next."""
MIX, MIX_SECONDS = 2_500, 25.0
"""Up to how many candidates that can matter are left to HiGHS where labels find no choice, and for how long."""
EFFORT = 20_000_000_000
"""Labels looked at before a search settles for what it has."""
FIRST_STEP = 0.002
"""By what share of the bound the first choice is looked for above it; doubled until there is one."""
LONG_STEP, SHORT_STEP, QUICK = Fraction(1, 50), Fraction(1, 150), 3_000_000
"""By what share the bound is raised while a surrogate pass reaches nothing; less once it looks at more labels."""
NEAR = Fraction(1, 1000)
"""A distance, as a share, at which the last question is asked: whether any choice has less."""
PATIENCE = 2
"""How many questions may stay open before a wider beam is tried."""

GRAIN = 0.003
"""Times are rounded down to multiples of this share of a latency, taken once over all ops."""
Watch = Callable[[Fraction, Fraction | None, float], None]


class OutOfTime(RuntimeError):
    """The search has used what it may."""


@dataclass(frozen=True)
class Found:
    """``selection`` and its ``evaluation`` are None where none was found. ``bound``: no choice has less, by
    ``certificate``, which is None where the bound is 0 or was given without. ``impossible``: there is no choice."""

    selection: Selection | None
    evaluation: Evaluation | None
    bound: Fraction
    certificate: Certificate | None
    impossible: bool


@dataclass(frozen=True)
class _Answer:
    """``open``: neither a choice was found nor is it shown that there is none."""

    found: bool
    open: bool


class Search:
    """One objective of one problem.

    Parameters
        problem   what is to be chosen; candidates that cannot matter left out
        goal      what is to be least
        gap       share of the value by which it may miss the least
        floor     no choice has less, as is known
        because   the certificate of ``floor``
        seconds   how long it may take; no limit where None
        effort    how many labels it may look at
        watch     is told bound, value of the best choice or None, and seconds, whenever one of them moves
    """

    def __init__(
        self, problem: Problem, goal: Goal, gap: float = 0.0, floor: Fraction = Fraction(0),
        because: Certificate | None = None, seconds: float | None = None, effort: int = EFFORT,
        watch: Watch = lambda *_: None,
    ) -> None:  # fmt: skip
        self.problem, self.goal, self.gap = problem, goal, Fraction(gap)
        self.lower, self.certificate = floor, because
        self.best: tuple[Fraction, Selection, Evaluation] | None = None
        self._begin, self._seconds, self._effort, self._watch = time.perf_counter(), seconds, effort, watch
        self._counter = Counter(check=self._check)
        self._whole = sum(len(op.candidates) for op in problem.ops) <= WHOLE
        self._timed = goal is Objective.LATENCY or problem.max_latency is not None
        self._network = Network(problem, timed=self._timed, whole=self._whole)
        self._impossible = False
        self._mixed: dict[str, set[int]] = {}
        self._steps = sorted({own.cycles for op in problem.ops for own in op.candidates})
        self._weights: dict[Fraction | None, Weights] = {}
        self._known: tuple[tuple[Fraction, bool, bool], list[tuple[Weights, Completions]]] | None = None

    def run(self, start: Selection | None = None) -> Found:
        """Search; ``start`` is a choice that is known."""
        if start is not None:
            self._take(start)
        with contextlib.suppress(OutOfTime):
            self._search()
        selection, evaluation = (None, None) if self.best is None else self.best[1:]
        return Found(selection, evaluation, self.lower, self.certificate, self._impossible)

    def _check(self) -> None:
        late = self._seconds is not None and time.perf_counter() - self._begin > self._seconds
        if late or self._counter.labels > self._effort:
            raise OutOfTime

    def _search(self) -> None:
        if not self._network.joined:
            self._impossible = True
            return
        hint = max(self.lower, self._hint())
        if self.goal is Objective.LATENCY:
            hint = self._surrogate_least(hint)
        step, level, left_open, open_at = FIRST_STEP, 0, 0, None
        highest = self._highest()
        while not self._done():
            if self.best is None:
                value, below = min(highest, self._snapped(self._beyond(hint, Fraction(step)))), False
            else:
                value, below = self._between(open_at)
            answer = self._ask(value, below, *LEVELS[level])
            if answer.open:
                left_open, open_at = left_open + 1, value
                if self.best is None:
                    self._mix()
                # a wider beam, where the next value would be no easier
                if below or left_open == PATIENCE or value == highest:
                    level, left_open, open_at = level + 1, 0, None
                    if level == len(LEVELS):
                        return
                step = FIRST_STEP if self.best is None and level else 2 * step
            else:
                if not answer.found and self.best is None and value == highest:
                    self._impossible = True
                    return
                step *= 2
            hint = max(hint, self.lower)
            self._tell()

    def _surrogate_least(self, hint: Fraction) -> Fraction:
        """The least latency at which the weighted sum of all limits can be kept; it is a bound."""
        value, highest = self._snapped(hint), self._highest()
        while value < highest:
            before = self._counter.labels
            limits = limits_at(self.problem, self._network, self.goal, value, below=False)
            weights = self._weights_at(value, limits)
            try:
                reached = surrogate(self._network, weights, limits, self._counter, False)
            except TooMany:
                return value
            if not reached.empty:
                least = Fraction(finishes(self._network, reached))
                self._refuted(least, True, SURROGATE, weights)
                return least
            self._refuted(value, False, SURROGATE, weights)
            self._tell()
            quick = self._counter.labels - before < QUICK
            value = min(highest, self._snapped(value * (1 + (LONG_STEP if quick else SHORT_STEP))) + 1)
        return value

    def _tell(self) -> None:
        self._watch(self.lower, self.best and self.best[0], time.perf_counter() - self._begin)

    def _done(self) -> bool:
        return self.best is not None and self.best[0] - self.lower <= self.gap * self.best[0]

    def _between(self, open_at: Fraction | None) -> tuple[Fraction, bool]:
        """The next value to ask about, and whether about less than it: halfway from what is known to the best choice,
        or so near to it that a bound there is enough."""
        assert self.best is not None
        upper = self.best[0]
        low = self.lower if open_at is None else max(open_at, self.lower)
        middle = self._snapped(max((low + upper) / 2, upper * (1 - self.gap)))
        if upper - low <= NEAR * upper or not low < middle < upper:
            return upper, True
        return middle, False

    def _beyond(self, hint: Fraction, step: Fraction) -> Fraction:
        """A value above the hint by a share of it; shares of limits may be 0."""
        more = step / 100 if self.goal in (None, Objective.UTILISATION) else 0
        return hint * (1 + step) + more

    def _snapped(self, value: Fraction) -> Fraction:
        """The value itself, or of whole figures the largest that there is up to it."""
        if self.goal is Objective.BOTTLENECK:
            return Fraction(self._steps[max(0, bisect_right(self._steps, value) - 1)])
        return value if self.goal in (None, Objective.UTILISATION) else Fraction(math.floor(value))

    def _above(self, value: Fraction, below: bool) -> Fraction:
        """The bound, once it is known that no choice has ``value`` or less; or that none has less."""
        if below or self.goal in (None, Objective.UTILISATION):
            return value
        if self.goal is Objective.BOTTLENECK:
            above = bisect_right(self._steps, value)
            return Fraction(self._steps[above]) if above < len(self._steps) else value + 1
        return Fraction(math.floor(value) + 1)

    def _highest(self) -> Fraction:
        """A value that every choice within the limits keeps to."""
        match self.goal:
            case Objective.LATENCY:
                return Fraction(_least(self.problem.max_latency, self._network.latest))
            case Objective.BOTTLENECK:
                return Fraction(_least(self.problem.max_cycles, self._steps[-1]))
            case Objective.ERROR:
                most = sum(max(own.error for own in op.candidates) for op in self.problem.ops)
                return Fraction(_least(self.problem.max_error, most))
            case Objective.UTILISATION:
                return Fraction(1)
        return Fraction(self._network.latest + sum(self._network.most) + self._steps[-1])

    def _take(self, selection: Selection) -> bool:
        """Whether a choice keeps the limits; kept where it is the best so far."""
        evaluation = evaluate(self.problem, selection)
        value = value_of(self.goal, evaluation)
        if self.goal is not None and not evaluation.feasible:
            return False
        if self.best is None or value < self.best[0]:
            self.best = value, selection, evaluation
        return True

    def _ask(self, value: Fraction, below: bool, beam: int | None, tilt: bool) -> _Answer:
        """Whether a choice has at most ``value``, or less where ``below``."""
        network, limits = self._network, limits_at(self.problem, self._network, self.goal, value, below=below)
        weights = self._weights_at(value, limits)
        try:
            if self._known is None or self._known[0] != (value, below, tilt):
                known: list[tuple[Weights, Completions]] = []
                for own in (weights, *(tilted(weights) if tilt else ())):
                    reached = surrogate(network, own, limits, self._counter, True)
                    if reached.empty:
                        return self._refuted(value, below, SURROGATE, own)
                    if self.goal is Objective.LATENCY:
                        least = finishes(network, reached)
                        if least > self.lower:
                            self._refuted(Fraction(least), True, SURROGATE, own)
                    known.append((own, complete(network, own, limits, reached)))
                self._known = (value, below, tilt), known
            found = rowwise(network, self._known[1], limits, self._counter, beam)
        except TooMany:
            return _Answer(False, True)
        good = False
        for choice in found.choices:
            names = zip(self._network.ops, choice, strict=True)
            selection = {op.name: op.candidates[number] for op, number in names}
            own = value_of(self.goal, evaluate(self.problem, selection))
            good |= self._take(selection) and (own < value if below else own <= value)
        if good:
            return _Answer(True, False)
        if found.complete and not found.choices:
            return self._refuted(value, below, ROWS, weights, tilt)
        return _Answer(False, True)

    def _mix(self) -> None:
        """Have HiGHS choose among the candidates that can still matter; what it finds is a choice, but no proof."""
        if self._known is None:
            return
        stays = [np.logical_and.reduce(own) for own in zip(*(own.stays for _, own in self._known[1]), strict=True)]
        named = zip(self._network.ops, self._network.stages, stays, strict=True)
        left = {op.name: {int(number) for number in stage.candidates[own]} for op, stage, own in named}
        if not 0 < sum(map(len, left.values())) <= MIX or not all(left.values()) or self._mixed == left:
            return
        self._mixed = left
        ops = tuple(
            replace(op, candidates=tuple(c for number, c in enumerate(op.candidates) if number in left[op.name]))
            for op in self.problem.ops
        )
        program = Program(replace(self.problem, ops=ops))
        goal = program.overrun() if self.goal is None else program.limited(self.goal)
        try:
            found = program.minimise(goal, float(self.gap), MIX_SECONDS)
        except SolverError:
            return
        if found is not None:
            self._take(found.selection)

    def _refuted(self, value: Fraction, below: bool, passes: str, weights: Weights, tilt: bool = False) -> _Answer:
        bound = self._above(value, below)
        if bound > self.lower:
            self.lower = bound
            goal = OVERRUN if self.goal is None else str(self.goal)
            grain = self._network.grain
            self.certificate = Certificate(goal, str(bound), passes, self._whole, grain, tilt, weights.entry)
        return _Answer(False, False)

    def _weights_at(self, value: Fraction, limits: Limits) -> Weights:
        """One set of weights for all values; for the bottleneck one for each."""
        key = value if self.goal is Objective.BOTTLENECK else None
        if key not in self._weights:
            fast = self._fast_enough(limits.cycles)
            if fast is None:
                return Weights.plain(self._network, np.zeros(len(self._network.row_names), np.int64))
            program = Program(fast)
            relaxed = program.relax(program.pressure())
            if relaxed is None:
                return Weights.plain(self._network, np.zeros(len(self._network.row_names), np.int64))
            self._weights[key] = Weights.of(self._network, relaxed[1])
        return self._weights[key]

    def _fast_enough(self, cycles: int) -> Problem | None:
        """The problem of the candidates that keep to ``cycles``, without that limit; None where an op has none."""
        ops = [tuple(own for own in op.candidates if own.cycles <= cycles) for op in self.problem.ops]
        if not all(ops):
            return None
        fast = tuple(replace(op, candidates=own) for op, own in zip(self.problem.ops, ops, strict=True))
        return prune(replace(self.problem, ops=fast, max_cycles=None), ())

    def _hint(self) -> Fraction:
        """About the least value there is, by the relaxation; it also gives the weights, where it can."""
        if self.goal is Objective.BOTTLENECK:
            return self._bottleneck_hint()
        program = Program(self.problem)
        goal = program.overrun() if self.goal is None else program.limited(self.goal)
        relaxed = program.relax(goal)
        if relaxed is None:
            return self._highest()
        value, duals = relaxed
        if self._timed and not self._whole:
            about = value if self.goal is Objective.LATENCY else self.problem.max_latency or 0
            grain = max(1, int(GRAIN * about / len(self.problem.ops)))
            self._network = Network(self.problem, timed=True, whole=False, grain=grain)
        if self.goal is Objective.LATENCY:
            duals = replace(duals, finish=duals.finish + 1)
        if self.goal is Objective.ERROR:
            duals = replace(duals, rows={**duals.rows, "error": duals.rows["error"] + 1})
        self._weights[None] = Weights.of(self._network, duals)
        return max(self.lower, Fraction(max(0.0, value)))

    def _bottleneck_hint(self) -> Fraction:
        """The least cycles up to which candidates leave the relaxation a choice."""
        steps = self._steps

        def relaxed(cycles: int) -> bool:
            fast = self._fast_enough(cycles)
            if fast is None:
                return False
            program = Program(fast)
            program.limit()
            return program.relax([]) is not None

        low, high, stride = bisect_left(steps, self.lower), bisect_left(steps, self.lower), 1
        while high < len(steps) and not relaxed(steps[high]):
            low, high, stride = high + 1, high + stride, 2 * stride
        at = bisect_left(steps, True, low, min(high, len(steps)), key=relaxed)
        return Fraction(steps[min(at, len(steps) - 1)]) / (1 + Fraction(FIRST_STEP))


def _least(limit: int | None, most: int) -> int:
    return most if limit is None else min(limit, most)
