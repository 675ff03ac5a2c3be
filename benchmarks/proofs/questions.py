"""What is asked of the solver, in a process of its own, and what comes back."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from types import ModuleType
from typing import Any

from benchmarks.inputs.problems import wide_problem, with_knees
from dse import milp, restrict, search
from dse.evaluate import Evaluation
from dse.highs import cpu_seconds
from dse.labels import passes
from dse.problem import Infeasible, Objective, Problem
from dse.program import SolverError

SOLVER_SECONDS = 2.0
"""The time limit of a program."""
LARGE_EVERY = 5
"""Every so-manieth problem is solved by the ways that else only networks of thousands of candidates take."""
HANG_SECONDS = 180.0
"""Seconds after which a solver that has not answered is ended."""
GAPS = (0.0, 0.0, 0.02, 0.1)
WAYS: dict[str, tuple[tuple[ModuleType, ...], Any, Any]] = {
    "WHOLE": ((restrict, search), restrict.WHOLE, 60),
    "LEAF": ((restrict, search), restrict.LEAF, 20),
    "FOLDED": ((restrict,), restrict.FOLDED, 0),
    "LED": ((restrict,), restrict.LABEL_LIMITS, (1_000, 4_000)),
    "FEW": ((restrict,), restrict.FEW, 0),
    "TRAILED": ((passes,), passes.TRAILED, 0),
}
"""Figures of the solver that tell large networks from others: what they are, and what makes every network large."""


@dataclass(frozen=True)
class Question:
    """What is asked of the solver: a problem, by its seed, and arguments of ``solve``. ``then``: whether ties count."""

    seed: int
    objective: Objective
    gap: float
    then: bool


@dataclass(frozen=True)
class Answer:
    """What came back, in a form that passes between processes.

    ``status``: of the report, or ``infeasible``, ``gave up``, ``raised``, ``crashed`` or ``hung``. ``choice``: the
    place of each op's candidate. ``text``: of an exception. ``seconds``: of the CPU.
    """

    status: str
    choice: tuple[int, ...] = ()
    evaluation: Evaluation | None = None
    objective: float = 0.0
    bound: float = 0.0
    refusal: tuple[tuple[tuple[str, int, int], ...], bool, Fraction] | None = None
    text: str = ""
    seconds: float = 0.0


def questions(seed: int) -> list[Question]:
    rng = random.Random(f"questions {seed}")
    return [Question(seed, objective, rng.choice(GAPS), rng.random() < 0.5) for objective in Objective]


def drawn(seed: int) -> Problem:
    """The problem of a seed; every second one has knees."""
    return with_knees(wide_problem(seed), seed) if seed % 2 else wide_problem(seed)


def answer(problem: Problem, question: Question) -> Answer:
    """What the solver says, or how it fails."""
    begin = cpu_seconds()
    then = None if question.then else ()
    try:
        with _as_if(large=_is_large(question.seed)):
            found = milp.solve(problem, question.objective, then=then, gap=question.gap, time_limit=SOLVER_SECONDS)
    except Infeasible as refusal:
        said = tuple((short.name, short.needed, short.limit) for short in refusal.shortfalls)
        given = Answer("infeasible", refusal=(said, refusal.alone, refusal.violation))
    except SolverError as failure:
        given = Answer("gave up", text=str(failure))
    except Exception as failure:
        given = Answer("raised", text=f"{type(failure).__name__}: {failure}")
    else:
        choice = tuple(op.candidates.index(found.selection[op.name]) for op in problem.ops)
        report = found.report
        given = Answer(report.status, choice, found.evaluation, float(report.objective), float(report.bound))
    return replace(given, seconds=cpu_seconds() - begin)


def _is_large(seed: int) -> bool:
    return seed % LARGE_EVERY == LARGE_EVERY - 1


@contextlib.contextmanager
def _as_if(*, large: bool) -> Iterator[None]:
    """Within this the solver takes the ways of large networks, or its own."""
    try:
        for name, (modules, _, forced) in WAYS.items() if large else ():
            for module in modules:
                setattr(module, name, forced)
        yield
    finally:
        for name, (modules, ordinary, _) in WAYS.items():
            for module in modules:
                setattr(module, name, ordinary)


def _serve(connection: Any) -> None:
    """Answers questions until there are no more."""
    while (question := connection.recv()) is not None:
        connection.send(answer(drawn(question.seed), question))


class Solver:
    """A process that answers questions, and a new one where it crashed or took too long."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def _start(self) -> None:
        self._connection, other = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(other,), daemon=True)
        self._process.start()
        other.close()

    def ask(self, question: Question) -> Answer:
        try:
            self._connection.send(question)
            if self._connection.poll(HANG_SECONDS):
                return self._connection.recv()
            failed = "hung"
        except (EOFError, OSError):
            failed = "crashed"
        self._process.kill()
        self._process.join()
        text = f"exit code {self._process.exitcode}"
        self._start()
        return Answer(failed, text=text, seconds=HANG_SECONDS if failed == "hung" else 0.0)

    def close(self) -> None:
        self._connection.send(None)
        self._process.join()
