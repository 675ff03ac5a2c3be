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

import contextlib
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.proofs.judges import Exhaustive, judge
from benchmarks.proofs.questions import LARGE_EVERY, Solver, drawn, questions
from benchmarks.proofs.trial import TINY, Trial

COUNT = 2_000
"""Problems of a run, half an hour of a processor; docs/solver.md has 10,000, solved at commit 2b643ed."""
SHOWN = 12
"""False words that the figures list."""
SOLVER = (
    "anneal", "certificate", "effort", "evaluate", "exhaustive", "fit", "highs", "milp", "narrow", "problem",
    "program", "prune", "question", "search", "values",
)  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent.parent
FILES = (
    *sorted((ROOT / "dse" / "labels").glob("*.py")),
    *(ROOT / "dse" / f"{name}.py" for name in SOLVER),
    ROOT / "benchmarks/inputs/problems.py",
    ROOT / "benchmarks/inputs/cpsat.py",
    *sorted(Path(__file__).parent.glob("*.py")),
)
"""The code that the figures depend on."""


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
