"""Whether what the solver says is true: ``dse.milp.solve`` on wide random problems, each word held against a judge.

The problems are those of ``inputs.problems.wide_problem``: 2 to 60 ops, amounts of 1 to 1e12, any shape of graph,
limits that a choice just keeps or just misses. Each is solved for all four objectives, half of the time with a gap of
2 or 10 %, and every fifth problem by the ways that large networks take: labels merged, shortcuts not told apart, labels
led on twice. Where the choices are few, a judge tries them all; elsewhere CP-SAT looks for a better choice, and for a
proof that there is none, in short time. A false word is

* ``optimal``, or ``within gap``, where a choice exists that is better than that, or a bound that a choice lies below;
* ``Infeasible`` where a choice exists, or where the shortages are not those of the least there is;
* a choice that is over a limit, or an objective that is not what ``evaluate`` says of the choice;
* an exception other than ``Infeasible`` and ``SolverError``, a crash, or no end.

The solver runs in a process of its own, which is started again after a crash. What is done is kept under ``runs``, in a
file of its own for each state of the code, so that a run that was stopped goes on where it ended:
``python -m benchmarks.proofs --first 0 --count 500`` does a part of it and says what it found.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from benchmarks.inputs import cpsat
from benchmarks.inputs.cpsat import Contradiction, Verdict
from benchmarks.inputs.problems import wide_problem, with_knees
from dse import exhaustive, milp, narrow, search
from dse.evaluate import Evaluation, evaluate, overrun
from dse.highs import cpu_seconds
from dse.labels import passes
from dse.problem import TIE_BREAK, Infeasible, Objective, Problem, Selection
from dse.program import SolverError

COUNT = 2_000
"""Problems of a run, half an hour of a processor; docs/solver.md has 10,000, solved at commit 2b643ed."""
FEW = 20_000
"""Choices, joined or not, that are tried one after the other."""
SOLVER_SECONDS, JUDGE_SECONDS = 2.0, 2.0
"""The time limit of a program, and that of a question to CP-SAT."""
LARGE_EVERY = 5
"""Every so-manieth problem is solved by the ways that else only networks of thousands of candidates take."""
HANG_SECONDS = 180.0
"""Seconds after which a solver that has not answered is ended."""
GAPS = (0.0, 0.0, 0.02, 0.1)
TINY = 1e-6
"""A share by which a false word misses that is counted apart: it may come of rounding."""
SHOWN = 12
"""False words that the figures list."""
WAYS: dict[str, tuple[tuple[ModuleType, ...], Any, Any]] = {
    "WHOLE": ((narrow, search), narrow.WHOLE, 60),
    "LEAF": ((narrow, search), narrow.LEAF, 20),
    "FOLDED": ((narrow,), narrow.FOLDED, 0),
    "LED": ((narrow,), narrow.LED, (1_000, 4_000)),
    "FEW": ((narrow,), narrow.FEW, 0),
    "TRAILED": ((passes,), passes.TRAILED, 0),
}
"""Figures of the solver that tell large networks from others: what they are, and what makes every network large."""
SOLVER = (
    "anneal", "certificate", "exhaustive", "fit", "highs", "milp", "narrow", "problem", "program", "prune", "search",
    "values",
)  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent
FILES = (
    *sorted((ROOT / "dse" / "labels").glob("*.py")),
    *(ROOT / "dse" / f"{name}.py" for name in SOLVER),
    ROOT / "benchmarks/inputs/problems.py",
    ROOT / "benchmarks/inputs/cpsat.py",
    Path(__file__),
)
"""The code that the figures depend on."""


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


@dataclass(frozen=True)
class FalseWord:
    """``share``: by how much it misses, of what it says; None where that means nothing."""

    kind: str
    share: float | None
    detail: str


def questions(seed: int) -> list[Question]:
    rng = random.Random(f"questions {seed}")
    return [Question(seed, objective, rng.choice(GAPS), rng.random() < 0.5) for objective in Objective]


def answer(problem: Problem, question: Question) -> Answer:
    """What the solver says, or how it fails."""
    begin = cpu_seconds()
    then = None if question.then else ()
    try:
        with _as_if(large=_is_large(question.seed)):
            found = milp.solve(problem, question.objective, then=then, gap=question.gap, time_limit=SOLVER_SECONDS)
    except Infeasible as refusal:
        said = tuple((short.name, short.needed, short.limit) for short in refusal.shortages)
        given = Answer("infeasible", refusal=(said, refusal.alone, refusal.overrun))
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


class Judge(Protocol):
    """Knows, or bounds, the least of what a problem's choices take."""

    def least(self, objective: Objective, start: Selection | None = None) -> Verdict: ...

    def amount(self, name: str) -> Verdict: ...

    def overrun(self) -> Verdict: ...

    def ties(self, objective: Objective, value: Fraction) -> Fraction | None:
        """The least of ``TIE_BREAK`` among choices with a value of the objective; None where it is not known."""
        ...


class Exhaustive:
    """Has tried every choice."""

    def __init__(self, problem: Problem) -> None:
        self._joined = list(exhaustive.selections(problem))
        self._feasible = [found for found in self._joined if found[1].feasible]

    def least(self, objective: Objective, start: Selection | None = None) -> Verdict:
        return _verdict(evaluation.objective(objective) for _, evaluation in self._feasible)

    def amount(self, name: str) -> Verdict:
        return _verdict(Fraction(evaluation.amounts[name]) for _, evaluation in self._joined)

    def overrun(self) -> Verdict:
        return _verdict(evaluation.overrun for _, evaluation in self._joined)

    def ties(self, objective: Objective, value: Fraction) -> Fraction | None:
        equal = [evaluation for _, evaluation in self._feasible if evaluation.objective(objective) == value]
        return min((evaluation.objective(TIE_BREAK[objective]) for evaluation in equal), default=None)


def _verdict(values: Iterable[Fraction]) -> Verdict:
    least = min(values, default=None)
    return Verdict("infeasible") if least is None else Verdict("optimal", least, least)


class CpSat:
    """Asks CP-SAT, and may not know."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def least(self, objective: Objective, start: Selection | None = None) -> Verdict:
        return cpsat.solve(self._problem, objective, JUDGE_SECONDS, start)

    def amount(self, name: str) -> Verdict:
        return cpsat.least_amount(self._problem, name, JUDGE_SECONDS)

    def overrun(self) -> Verdict:
        return cpsat.least_overrun(self._problem, JUDGE_SECONDS)

    def ties(self, objective: Objective, value: Fraction) -> Fraction | None:
        return None


def judge(problem: Problem) -> Judge:
    few = math.prod(len(op.candidates) for op in problem.ops) <= FEW
    return Exhaustive(problem) if few else CpSat(problem)


class Trial:
    """One answer before the judge: ``false`` words in it, and ``open`` words that the judge could not decide."""

    def __init__(self, problem: Problem, question: Question, given: Answer, judge: Judge) -> None:
        self.false: list[FalseWord] = []
        self.open: list[str] = []
        self._problem, self._question, self._given, self._judge = problem, question, given, judge
        try:
            if given.status in ("raised", "crashed", "hung"):
                self._charge(given.status, None, given.text)
            elif given.status == "infeasible":
                self._refused()
            elif given.status != "gave up":
                self._answered()
        except Contradiction as contradiction:
            self.open.append(f"the judge contradicts itself: {contradiction}")

    def _charge(self, kind: str, share: Fraction | float | None, detail: str) -> None:
        self.false.append(FalseWord(kind, None if share is None else float(share), detail))

    def _answered(self) -> None:
        given, objective = self._given, self._question.objective
        selection = {op.name: op.candidates[i] for op, i in zip(self._problem.ops, given.choice, strict=True)}
        true = evaluate(self._problem, selection)
        value = true.objective(objective)
        if not true.feasible:
            self._charge("a choice over a limit", true.overrun, f"{true.amounts}, limits {self._problem.limits}")
            return
        if given.evaluation != true or given.objective != float(value):
            self._charge("a contradicted objective", None, f"says {given.objective}, is {float(value)}")
        found = self._judge.least(objective, selection)
        if found.status == "infeasible" or found.bound > value:
            raise Contradiction(f"{self._problem.name}, {objective}: the judge says {found}, but {value} is reached")
        best = value if found.value is None else min(value, found.value)
        self._bound(best, found.bound)
        if given.status == "optimal":
            self._excess("optimal", value, best, found.bound, Fraction(0))
            self._tie(true, value, best)
        elif given.status == "within gap":
            self._excess("within gap", value, best, found.bound, Fraction(self._question.gap))

    def _excess(self, status: str, value: Fraction, best: Fraction, least: Fraction, gap: Fraction) -> None:
        """``best`` is reached, and nothing below ``least`` is."""
        allowed = value - value * gap
        if best < allowed:
            detail = f"{float(value)} is said, {float(best)} is reached, gap asked {float(gap)}"
            self._charge(f"{status}, but a better choice exists", (allowed - best) / value, detail)
        elif least < allowed:
            self.open.append(status)

    def _bound(self, best: Fraction, least: Fraction) -> None:
        bound = self._given.bound
        if not bound <= float(best):
            share = (Fraction(bound) - best) / Fraction(bound) if math.isfinite(bound) else None
            self._charge("a bound above a choice", share, f"bound {bound}, {float(best)} is reached")
        elif bound > float(least):
            self.open.append("bound")

    def _tie(self, true: Evaluation, value: Fraction, best: Fraction) -> None:
        """Whether the least of ``TIE_BREAK`` was found, where it was asked for without a gap."""
        if not self._question.then or self._question.gap or value != best:
            return
        least, second = self._judge.ties(self._question.objective, value), TIE_BREAK[self._question.objective]
        if least is not None and true.objective(second) > least:
            said = true.objective(second)
            detail = f"{second} {float(said)}, {float(least)} is reached"
            self._charge("of equal choices not the best", (said - least) / said, detail)

    def _refused(self) -> None:
        assert self._given.refusal is not None
        shortages, alone, exceeded = self._given.refusal
        found = self._judge.least(self._question.objective)
        if found.value is not None:
            self._charge("infeasible, but a choice exists", None, f"{float(found.value)} is reached")
            return
        if found.status != "infeasible":
            self.open.append("infeasible")
            return
        together = self._judge.overrun()
        if together.status == "unknown":
            self.open.append("overrun")
        elif (together.value is None) != (not shortages):
            self._charge("a wrong shortage", None, f"{shortages}, but the least overrun is {together.value}")
            return
        elif together.value is not None and together.value != exceeded:
            share = abs(exceeded - together.value) / max(exceeded, together.value)
            self._charge("a wrong overrun", share, f"says {float(exceeded)}, is {float(together.value)}")
        if shortages and not alone:
            needed, limits = ({name: said[i] for name, *said in shortages} for i in (0, 1))
            if overrun(needed, limits) != exceeded:
                self._charge("a wrong shortage", None, f"{shortages} do not show an overrun of {float(exceeded)}")
        if shortages:
            self._alone({name: needed for name, needed, _ in shortages} if alone else {})

    def _alone(self, said: dict[str, int]) -> None:
        """``said``: what is needed of each limit that cannot be kept even alone."""
        for name, limit in self._problem.limits.items():
            least = self._judge.amount(name)
            stated = said.get(name)
            if stated is None:
                wrong = least.bound > limit
                certain = least.value is not None and least.value <= limit
            else:
                wrong = least.bound > stated or (least.value is not None and least.value < stated)
                certain = least.status == "optimal"
            if wrong:
                value = least.bound if least.value is None else least.value
                share = abs(value - stated) / max(value, stated, 1) if stated is not None else None
                self._charge("a wrong shortage", share, f"{name}: {stated} said to be needed, {value} is")
            elif not certain:
                self.open.append("shortage")


def drawn(seed: int) -> Problem:
    """The problem of a seed; every second one has knees."""
    return with_knees(wide_problem(seed), seed) if seed % 2 else wide_problem(seed)


def examine(solver: Solver, seed: int) -> dict[str, Any]:
    """A problem's four answers, as they are kept."""
    problem = drawn(seed)
    judging, answers = None, []
    for question in questions(seed):
        given = solver.ask(question)
        judging = judging or judge(problem)
        trial = Trial(problem, question, given, judging)
        answers.append(
            {
                "objective": question.objective.value,
                "gap": question.gap,
                "ties count": question.then,
                "status": given.status,
                "CPU seconds": round(given.seconds, 4),
                "false": [vars(word) for word in trial.false],
                "open": trial.open,
            }
        )
    return {
        "seed": seed,
        "ops": len(problem.ops),
        "large": seed % LARGE_EVERY == LARGE_EVERY - 1,
        "judge": type(judging).__name__,
        "answers": answers,
    }


def stored() -> Path:
    """Where what is done is kept, for the code as it is."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in FILES)).hexdigest()
    return ROOT / "runs" / "proofs" / f"{digest[:16]}.jsonl"


def _kept(path: Path) -> dict[int, dict[str, Any]]:
    """What a file holds, by seed; a line that was cut off is not there."""
    kept: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            found = json.loads(line)
            kept[found["seed"]] = found
    return kept


def examined(seeds: range) -> Iterator[dict[str, Any]]:
    """What was found for each seed: kept from before, or found now and kept."""
    path = stored()
    kept = _kept(path)
    missing = [seed for seed in seeds if seed not in kept]
    yield from (kept[seed] for seed in seeds if seed in kept)
    if not missing:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    solver, said, false = Solver(), time.monotonic(), 0
    for number, seed in enumerate(missing):
        found = examine(solver, seed)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        false += sum(len(given["false"]) for given in found["answers"])
        if time.monotonic() - said > 30:
            said = time.monotonic()
            print(f"{number + 1} of {len(missing)} problems, {false} false words", file=sys.stderr, flush=True)
        yield found
    solver.close()


def figures(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts of words by kind, the first false ones, and the time that answers took."""
    answers = [(problem["seed"], given) for problem in found for given in problem["answers"]]
    words = [(seed, given, word) for seed, given in answers for word in given["false"]]
    tiny = [word["kind"] for _, _, word in words if word["share"] is not None and word["share"] < TINY]
    seconds = np.array([given["CPU seconds"] for _, given in answers])
    shown = sorted(words, key=lambda shown: (shown[2]["share"] is not None and shown[2]["share"] < TINY, shown[0]))
    return {
        "label": "measured",
        "problems": len(found),
        "of them with every choice tried": sum(problem["judge"] == Exhaustive.__name__ for problem in found),
        "ops, median and most": [int(np.median([p["ops"] for p in found])), max(p["ops"] for p in found)],
        "of them by the ways of large networks": sum(problem["large"] for problem in found),
        "answers": len(answers),
        "statuses": dict(Counter(given["status"] for _, given in answers).most_common()),
        "answers with a false word": sum(bool(given["false"]) for _, given in answers),
        "false words": dict(Counter(word["kind"] for _, _, word in words).most_common()),
        f"of them by a share below {TINY:g}": dict(Counter(tiny).most_common()),
        "words that no judge could decide": dict(Counter(word for _, given in answers for word in given["open"])),
        "CPU seconds an answer, median": round(float(np.median(seconds)), 3),
        "CPU seconds an answer, 95 %": round(float(np.percentile(seconds, 95)), 3),
        "CPU seconds an answer, most": round(float(seconds.max()), 2),
        "first false words": [
            {"seed": seed, "objective": given["objective"], "gap": given["gap"], "status": given["status"], **word}
            for seed, given, word in shown[:SHOWN]
        ],
    }


def measure(count: int = COUNT, first: int = 0) -> dict[str, Any]:
    return figures(list(examined(range(first, first + count))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Hold the solver's words against judges.")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=COUNT)
    wanted = parser.parse_args()
    print(json.dumps(measure(wanted.count, wanted.first), indent=1))
