"""HiGHS's search for whole picks, in a process of its own.

HiGHS was seen to corrupt its memory in such searches: in one of 10,000 random problems 1.13.0 and 1.13.1 crash, or
never end, and others report crashes of 1.15. In a process of its own that costs one choice: the exploration goes on,
and the memory that proofs are made in stays whole.
"""

from __future__ import annotations

import atexit
import os
import pickle
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import highspy
import numpy as np

NOTHING = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
PATIENCE = 60
"""CPU seconds of a search after which the process is ended; the nodes of a search are limited, and take a few."""


class Crashed(RuntimeError):
    """HiGHS's process ended before it answered, or was ended because it did not."""


@dataclass(frozen=True)
class Model:
    """A linear program whose variables are at least 0, by rows.

    ``binary``: how many of the first variables are at most 1, and 0 or 1 where the program is not relaxed. ``lower``,
    ``upper``: of each row's sum. ``starts`` [rows + 1]: where each row begins in ``places`` and ``factors``, which name
    its variables and their factors.
    """

    costs: np.ndarray
    binary: int
    lower: list[float]
    upper: list[float]
    starts: list[int]
    places: list[int]
    factors: list[float]


@dataclass(frozen=True)
class Answer:
    """``values``: of the variables, None where nothing is feasible. ``spent``: the process's CPU seconds so far."""

    status: str
    values: list[float] | None
    spent: float


def loaded(model: Model, options: dict[str, object], *, whole: bool) -> highspy.Highs:
    """A HiGHS that has the model. ``whole``: the binary variables are 0 or 1, not between."""
    lp, rest = highspy.HighsLp(), len(model.costs) - model.binary
    lp.num_col_, lp.num_row_ = len(model.costs), len(model.lower)
    lp.col_cost_ = model.costs
    lp.col_lower_ = [0.0] * lp.num_col_
    lp.col_upper_ = [1.0] * model.binary + [float("inf")] * rest
    lp.row_lower_, lp.row_upper_ = model.lower, model.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = model.starts, model.places, model.factors
    if whole:
        kinds = highspy.HighsVarType
        lp.integrality_ = [kinds.kInteger] * model.binary + [kinds.kContinuous] * rest
    highs = highspy.Highs()
    for name, value in {"output_flag": False, "threads": 1, **options}.items():
        highs.setOptionValue(name, value)
    highs.passModel(lp)
    return highs


class _Process:
    """A Python that answers one model after the other. It ends when this one does."""

    def __init__(self) -> None:
        # a session of its own: Ctrl-C is this process's to answer
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self.spent = 0.0

    def ask(self, model: Model, options: dict[str, object]) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((vars(model), options, PATIENCE), self._process.stdin)
        self._process.stdin.flush()
        answer = Answer(*pickle.load(self._process.stdout))
        self.spent = answer.spent
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Own:
    """The process that this one asks, and the CPU seconds of those before it. A fork has its own."""

    def __init__(self) -> None:
        self.process: _Process | None = None
        self.owner = os.getpid()
        self.before = 0.0

    def ask(self, model: Model, options: dict[str, object]) -> Answer:
        if self.owner != os.getpid():
            self.process, self.owner, self.before = None, os.getpid(), 0.0
        if self.process is None:
            self.process = _Process()
        try:
            return self.process.ask(model, options)
        except BaseException as failure:
            # whatever the process would still answer, nobody waits for it
            self.end()
            if isinstance(failure, (EOFError, BrokenPipeError)):
                raise Crashed("HiGHS crashed, or did not end, in a search for whole picks") from failure
            raise

    def end(self) -> None:
        if self.process is not None and self.owner == os.getpid():
            self.before += self.process.spent
            self.process.end()
        self.process = None


_OWN = _Own()
atexit.register(_OWN.end)


def search(model: Model, options: dict[str, object]) -> Answer:
    """The best whole picks that HiGHS finds. ``Crashed`` where it ends without an answer."""
    return _OWN.ask(model, options)


def cpu_seconds() -> float:
    """CPU seconds of this process and of its HiGHS."""
    return time.process_time() + _OWN.before + (_OWN.process.spent if _OWN.process is not None else 0.0)


def _serve() -> None:
    """Answers models from standard input on standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # some versions of HiGHS print a banner whatever they are told
    while True:
        try:
            model, options, patience = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        highs = loaded(Model(**model), options, whole=True)
        # of the CPU, so that what is found is the same whatever the load
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + patience, most))
        highs.run()
        status = highs.getModelStatus()
        values = None if status in NOTHING else list(highs.getSolution().col_value)
        pickle.dump((status.name, values, time.process_time()), answers)
        answers.flush()


if __name__ == "__main__":
    _serve()
