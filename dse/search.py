"""Search for the least value of an objective: a proven lower bound and a best selection approach until they meet.

Each question is whether a selection reaches a value. Narrowing steps remove the candidates that cannot matter
(``restrict``). Where none is left, the answer is no. Otherwise a rowwise pass searches for a selection, then HiGHS, and
then the problem is split in two and each part gets the same question.
"""

from __future__ import annotations

import contextlib
import time
from fractions import Fraction

from dse import effort
from dse.anneal import HOT, MILD, anneal
from dse.certificate import VIOLATION, Certificate, Tree
from dse.evaluate import Evaluation, evaluate, has_links
from dse.labels.goals import Goal, value_of
from dse.labels.layers import Counter, TooManyLabels
from dse.labels.network import Network
from dse.labels.steps import StepResult, is_timed
from dse.problem import Objective, Problem, Selection
from dse.program import Program, SolverError
from dse.question import AnswerFound, BoundQuestion, EffortSpent, OutOfTime, SearchResult, Watch
from dse.restrict import LEAF, WHOLE, RestrictedProblem, Restrictor
from dse.values import Values


class BoundedSearch:
    """Minimises one objective of one problem.

    Parameters
        problem            the problem, without candidates that cannot matter
        objective          what is minimised
        gap                accepted relative gap to the optimum
        lower_bound        a known lower bound
        bound_certificate  certificate of ``lower_bound``; None without one
        seconds            time limit; None for no limit
        most_labels        limit of the labels examined
        levels             number of ``EFFORTS`` that may be used
        estimate           estimate of the optimum, where the relaxation's is low; with a known selection it replaces
                           the relaxation
        watch              called when bound or best value changes
    """

    def __init__(
        self, problem: Problem, objective: Goal, gap: float = 0.0, lower_bound: Fraction = Fraction(0),
        bound_certificate: Certificate | None = None, seconds: float | None = None, most_labels: int = effort.EFFORT,
        levels: int = len(effort.EFFORTS), estimate: Fraction = Fraction(0), watch: Watch = lambda *_: None,
    ) -> None:  # fmt: skip
        self._levels, self._known_estimate = levels, estimate
        self.problem, self.objective, self.gap = problem, objective, Fraction(gap)
        self.lower, self.certificate = lower_bound, bound_certificate
        self.best: tuple[Fraction, Selection, Evaluation] | None = None
        self._begin, self._seconds, self._watch = time.perf_counter(), seconds, watch
        self._most_labels = most_labels
        self._counter = Counter(check=self._check)
        self._restrictor = Restrictor(problem, objective, self._counter)
        self._timed = is_timed(problem, objective)
        self._network = Network(problem, timed=self._timed, whole=RestrictedProblem(problem).count <= WHOLE)
        self._impossible = False
        self._annealings, self._failed_annealings = 0, 0
        self._values = Values(problem, objective, self._network)
        self._narrowest, self._base_of = RestrictedProblem(problem), None
        self._estimate = Fraction(0)
        self._too_far: Fraction | None = None
        self._last: tuple[tuple[Fraction, bool], RestrictedProblem] | None = None
        self._reported: tuple[Fraction, Fraction | None] | None = None

    def run(self, start: Selection | None = None) -> SearchResult:
        """Run the search, from a known selection where ``start`` gives one."""
        if start is not None:
            self._accept(start)
        with contextlib.suppress(OutOfTime):
            self._search()
        selection, evaluation = (None, None) if self.best is None else self.best[1:]
        return SearchResult(selection, evaluation, self.lower, self.certificate, self._impossible)

    def _check(self) -> None:
        late = self._seconds is not None and time.perf_counter() - self._begin > self._seconds
        if late or self._counter.labels > self._most_labels:
            raise OutOfTime

    def _search(self) -> None:
        if not self._network.connectable:
            self._impossible = True
            return
        warm = self.best is not None and self._known_estimate > 0
        self._estimate = max(self.lower, self._known_estimate if warm else self._hint())
        if not warm and not self._timed and self.objective is not Objective.BOTTLENECK and self._estimate > self.lower:
            # one pass proves what the relaxation says
            self._ask(self._values.rounded_down(self._estimate * (1 - effort.BOUND_MARGIN)), False, *effort.EFFORTS[0])
            self._estimate = max(self._estimate, self._known_estimate)
        first = min(max(effort.FIRST_STEP, float(self.gap) / 2), effort.WIDEST)
        step, level, open_count, open_at = first, 0, 0, None
        highest = self._values.highest
        while not self._done():
            if self.best is None:
                above = self._values.beyond(self._estimate, Fraction(step))
                value, below = min(highest, self._values.next(above, open_at)), False
            else:
                value, below = self._between(open_at)
            if self._too_far is not None and value >= self._too_far:
                value, below = self._values.rounded_down((self.lower + self._too_far) / 2), False
            before, last = self._counter.labels, open_at
            answer = self._ask(value, below, *effort.EFFORTS[level])
            if self._too_far == value:
                continue
            if answer is None:
                open_count, open_at = open_count + 1, value
                # raise the effort where the next value would be no easier
                if below or open_count == effort.OPEN_QUESTIONS or value in (highest, last):
                    level, open_count, open_at = level + 1, 0, None
                    if level == self._levels:
                        return
                step = first if self.best is None and level else 2 * step
            else:
                if not answer and self.best is None and value == highest:
                    self._impossible = True
                    return
                labels = self._counter.labels - before
                if labels < effort.QUICK or self._last is None or len(self._last[1].steps) == 1:
                    step = min(2 * step, effort.LONG_STEP)
                elif labels > effort.SLOW:
                    step = max(step / 2, effort.SHORT_STEP, first)
            self._estimate = max(self._estimate, self.lower)
            self._report()

    def _report(self) -> None:
        now = self.lower, self.best and self.best[0]
        if now != self._reported:
            self._reported = now
            self._watch(*now, time.perf_counter() - self._begin)

    def _done(self) -> bool:
        return self.best is not None and self._relative_gap <= self.gap

    def _between(self, open_at: Fraction | None) -> tuple[Fraction, bool]:
        """The next value to ask about, and whether to ask for less than it.

        It lies between what is known and the best selection. With a gap it is enough to prove a bound. That is asked at
        once where labels are few or the gap is wide; otherwise the value is a third of the way, as questions close to
        the best selection need many more labels.
        """
        assert self.best is not None
        upper = self.best[0]
        low = self.lower if open_at is None else max(open_at, self.lower)
        # questions far below the estimated optimum gain little
        likely = max(low, self._estimate) if self._estimate < upper else low
        middle, enough = (likely + upper) / 2, upper * (1 - self.gap)
        nearly = effort.NEARLY if not self._timed else 3 * self.gap if self.gap >= effort.FAR else 0
        if self.gap and self._relative_gap <= nearly and self.lower < enough < (open_at or upper):
            low, middle = self.lower, enough
        elif self.gap and enough > low:
            middle = min(likely + (upper - likely) / 3, enough)
        middle = self._values.rounded_down(middle)
        if upper - low <= effort.NEAR * upper or not low < middle < upper:
            return upper, True
        return middle, False

    def _accept(self, selection: Selection) -> bool:
        """Whether a selection keeps the limits; it is stored where it is the best so far."""
        evaluation = evaluate(self.problem, selection)
        value = value_of(self.objective, evaluation)
        if self.objective is not None and not evaluation.feasible:
            return False
        if self.best is None or value < self.best[0]:
            self.best = value, selection, evaluation
        return True

    @property
    def _relative_gap(self) -> Fraction:
        """The relative distance of the lower bound from the best value; 1 without a selection."""
        if self.best is None:
            return Fraction(1)
        return 1 - self.lower / self.best[0] if self.best[0] else Fraction(0)

    def _close(self, best: Fraction) -> bool:
        """Whether several questions remain to be asked close to the best selection."""
        near = 4 * self.gap <= self._relative_gap <= (effort.CLOSE if self._timed else effort.UNTIMED_CLOSE)
        return near and (self._too_far is None or best < self._too_far)

    def _ask(self, value: Fraction, below: bool, beam: int | None, splits: int | None, nodes: int) -> bool | None:
        """Whether a selection has at most ``value``, or less where ``below``; None where the question stays open."""
        best = None if self.best is None else self.best[0]
        question = BoundQuestion(value, below, self._values.above(value, below), beam, splits, nodes, best)
        far = self._relative_gap > effort.FAR

        def on_step(result: StepResult, coarse: bool) -> bool:
            if coarse and self.best is not None:
                return self._is_moot(question)
            try:
                if not self._is_moot(question):
                    self._anneal(result, question)
                if far and not self._is_moot(question):
                    self._rowwise(result, question, effort.PART_BEAM)
                    pool = self._restrictor.pool(self.best and self.best[1])
                    if pool is not None:
                        self._solve_milp(pool, question)
                        if self.best is None:
                            self._solve_milp(result.core(3 * len(self.problem.ops)), question)
            except AnswerFound:
                return True
            return self._is_moot(question)

        if self.best is not None and self._close(self.best[0]) and self._base_of != (self.best[0], False):
            # remove once, for all later questions, what no selection better than the best can contain
            upper = self.best[0]
            base = self._restrictor.restrict(
                self._base(upper, True), upper, True, upper, on_bound=self._raise_bound, on_step=on_step
            )
            if base.empty:
                self._raise_bound(upper, Tree(base.steps))
                return False
            self._store_base(base, upper, True)
            if self._is_moot(question):
                return True
        try:
            if self._last is None or self._last[0] != (value, below):
                base = self._base(value, below)
                restricted = self._restrictor.restrict(
                    base, value, below, question.bound, on_bound=self._raise_bound, on_step=on_step
                )
                self._last = (value, below), restricted
                if not restricted.empty and self._is_moot(question):
                    self._store_base(restricted, value, below)
                    return True
                if restricted.steps == base.steps and not restricted.empty and value - self.lower > effort.FAR * value:
                    self._too_far = value
                    return None
            tree = self._refutation_at_top(self._last[1], question)
        except AnswerFound:
            return True
        except EffortSpent:
            return None
        self._raise_bound(question.bound, tree)
        return False

    def _is_moot(self, question: BoundQuestion) -> bool:
        """Whether the question needs no further work.

        Either the answer is known, or a better selection was found since, and a lower bound below ``value`` is enough.
        """
        if self.best is None:
            return False
        best = self.best[0]
        better = question.best is None or best < question.best
        return self._done() or question.answered_by(best) or (better and best * (1 - self.gap) < question.value)

    def _store_base(self, restricted: RestrictedProblem, value: Fraction, below: bool) -> None:
        """Store what is left for a question as the start for any question that asks for less."""
        self._narrowest, self._base_of = restricted, (value, not below)

    def _base(self, value: Fraction, below: bool) -> RestrictedProblem:
        if self._base_of is not None and (value, not below) <= self._base_of:
            return self._narrowest
        return RestrictedProblem(self.problem)

    def _refutation_at_top(self, restricted: RestrictedProblem, question: BoundQuestion) -> Tree:
        try:
            return self._refutation(restricted, question, question.beam, top=True)
        except EffortSpent:
            if not self._timed:
                # without times, splitting takes less time than HiGHS, so HiGHS comes last
                self._solve_remaining(restricted, question)
            raise

    def _refutation(self, restricted: RestrictedProblem, question: BoundQuestion, beam: int | None, top: bool) -> Tree:
        """The proof that no selection is left; raises ``AnswerFound`` where one is found."""
        if restricted.empty:
            return Tree(restricted.steps)
        if restricted.last_step is not None:
            wide = beam if restricted.count > LEAF or beam is None else effort.LEAF_BEAM
            if self._rowwise(restricted.last_step, question, wide):
                return Tree(restricted.steps, rows=True)
        if top and self._timed:
            self._solve_remaining(restricted, question)
        if question.splits is not None:
            if not question.splits:
                raise EffortSpent
            question.splits -= 1
        two = self._restrictor.split_problem(restricted, question.value)
        if two is None:
            raise EffortSpent
        trees: dict[bool, Tree] = {}
        for high in (two.high_first, not two.high_first):
            own = self._restrictor.restrict(
                RestrictedProblem(two.parts[high], level=restricted.level),
                question.value,
                question.below,
                question.bound,
                effort.PART_STALLED,
            )
            trees[high] = self._refutation(own, question, effort.PART_BEAM if beam is not None else None, top=False)
        return Tree(restricted.steps, False, two.split, (trees[False], trees[True]))

    def _rowwise(self, result: StepResult, question: BoundQuestion, beam: int | None) -> bool:
        """Whether a rowwise pass proves that there is no selection; raises ``AnswerFound`` where one is found."""
        try:
            outcome = result.rowwise(beam)
        except TooManyLabels:
            return False
        good = False
        for choice in outcome.choices:
            pairs = zip(result.network.ops, choice, strict=True)
            good |= self._answers({op.name: op.candidates[number] for op, number in pairs}, question)
        if good:
            raise AnswerFound
        return outcome.complete and not outcome.choices

    def _answers(self, selection: Selection, question: BoundQuestion) -> bool:
        value = value_of(self.objective, evaluate(self.problem, selection))
        return self._accept(selection) and question.answered_by(value)

    def _anneal(self, result: StepResult, question: BoundQuestion) -> None:
        """Anneal the cheapest selection, and then the best one while it improves, among the cheapest candidates."""
        large = self.objective is Objective.LATENCY and not self._network.whole
        if not large or self._failed_annealings >= effort.MAX_FAILED_ANNEALINGS or self._relative_gap <= effort.NEAR:
            return
        core = result.core(min(effort.ANNEALED_PER_OP * len(self.problem.ops), effort.ANNEALED_AT_MOST))
        start, heat, better = result.cheapest(), HOT, True
        if not has_links(self.problem, start):
            if self.best is None:
                return
            start, heat = self.best[1], MILD
        while better or heat == HOT:
            before = self.best and self.best[0]
            selection, moves = anneal(core, start, heat, self._annealings)
            self._annealings += 1
            self._counter.add(moves)
            if self._answers(selection, question):
                raise AnswerFound
            better = self.best is not None and (before is None or self.best[0] < before * (1 - effort.NEAR))
            if self.best is None or self._is_moot(question):
                return
            self._failed_annealings = 0 if better else self._failed_annealings + 1
            start, heat = self.best[1], MILD

    def _solve_remaining(self, restricted: RestrictedProblem, question: BoundQuestion) -> None:
        """Let HiGHS select among what is left, or among the cheapest candidates of it."""
        if not question.nodes:
            return
        row = None if restricted.last_step is None else restricted.last_step.heaviest_row
        if restricted.count <= effort.SOLVER_CANDIDATES:
            self._solve_milp(restricted.problem, question, row)
        elif restricted.last_step is not None:
            self._solve_milp(restricted.last_step.core(effort.CORE_CANDIDATES), question, row)

    def _solve_milp(self, problem: Problem, question: BoundQuestion, row: str | None = None) -> None:
        """Let HiGHS select among some candidates; its result is a selection and proves nothing.

        ``row`` is what to minimise where a selection only has to keep the limits.
        """
        program, target = Program(problem), None
        if self.objective is None:
            terms = program.violation()
        elif self.objective is not Objective.BOTTLENECK:
            terms = program.constrained(self.objective)
        elif row in problem.limits:
            # all candidates are fast enough; it is easier for HiGHS to keep all limits but one and minimise that amount
            # than to minimise the largest used fraction of all limits
            program.add_constraints(but=row)
            terms, target = program.amount(row), float(problem.limits[row])
        else:
            terms, target = program.limit_use(), 1.0
        try:
            gap = float(self.gap) if target is None else 0.0
            selection = program.minimise(terms, gap, question.nodes, target)
        except SolverError:
            return
        if selection is not None and self._answers(selection, question):
            raise AnswerFound

    def _raise_bound(self, bound: Fraction, tree: Tree) -> None:
        if bound > self.lower:
            self.lower = bound
            name = VIOLATION if self.objective is None else str(self.objective)
            self.certificate = Certificate(name, str(bound), tree, self.problem.max_error)
            self._report()

    def _hint(self) -> Fraction:
        """An estimate of the optimum, by the relaxation."""
        if self.objective is Objective.BOTTLENECK:
            if self.certificate is not None:
                return self.lower
            return self._values.least_feasible(self.lower, self._restrictor.limit_use)
        value = self._restrictor.estimate(RestrictedProblem(self.problem))
        return self._values.highest if value is None else Fraction(max(0.0, value))
