"""The HiGHS search for binary assignments, in a process of its own.

HiGHS was seen to corrupt its memory in such searches: on one of 10,000 random problems, versions 1.13.0 and 1.13.1
crash or never end, and others report crashes of 1.15. In a separate process a crash costs one selection only: the
exploration goes on, and the memory in which proofs are made stays intact.
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

INFEASIBLE_STATUSES = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)
"""Statuses of a program without a solution."""
HANG_SECONDS = 60
"""CPU seconds of one search after which the process is ended; the node limit normally ends it within a few seconds."""


class Crashed(RuntimeError):
    """The HiGHS process ended before it answered, or was ended because it took too long."""


@dataclass(frozen=True)
class Model:
    """A linear program by rows; its variables are at least 0, the leading ones binary.

    Parameters
        costs    float [variables], coefficients of the objective
        binary   number of binary variables, which come first; they are between 0 and 1 in the relaxation
        lower    lower bound of each row's sum
        upper    upper bound of each row's sum
        starts   [rows + 1], where each row begins in ``places`` and ``factors``
        places   index of the variable of each entry
        factors  coefficient of each entry
    """

    costs: np.ndarray
    binary: int
    lower: list[float]
    upper: list[float]
    starts: list[int]
    places: list[int]
    factors: list[float]


@dataclass(frozen=True)
class SolverAnswer:
    """What the HiGHS process answers.

    Parameters
        status        name of the HiGHS model status
        values        value of each variable; None where the program is infeasible
        seconds_used  CPU seconds that the process has used so far
    """

    status: str
    values: list[float] | None
    seconds_used: float


def load_model(model: Model, options: dict[str, object], *, whole: bool) -> highspy.Highs:
    """A HiGHS instance with the model loaded.

    Parameters
        model    the linear program
        options  HiGHS options by name
        whole    whether the binary variables must be 0 or 1
    """
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
    """A Python process that solves one model after the other, and ends when this process does."""

    def __init__(self) -> None:
        # in a session of its own, so that Ctrl-C reaches this process alone
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self.seconds_used = 0.0

    def ask(self, model: Model, options: dict[str, object]) -> SolverAnswer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((vars(model), options, HANG_SECONDS), self._process.stdin)
        self._process.stdin.flush()
        answer = SolverAnswer(*pickle.load(self._process.stdout))
        self.seconds_used = answer.seconds_used
        return answer

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class _Own:
    """The HiGHS process of this process, and the CPU seconds of earlier ones.

    After a fork, the child starts a HiGHS process of its own.
    """

    def __init__(self) -> None:
        self.process: _Process | None = None
        self.owner = os.getpid()
        self.before = 0.0

    def ask(self, model: Model, options: dict[str, object]) -> SolverAnswer:
        if self.owner != os.getpid():
            self.process, self.owner, self.before = None, os.getpid(), 0.0
        if self.process is None:
            self.process = _Process()
        try:
            return self.process.ask(model, options)
        except BaseException as failure:
            # nobody would read a late answer
            self.end()
            if isinstance(failure, (EOFError, BrokenPipeError, pickle.UnpicklingError)):
                raise Crashed("HiGHS crashed, or did not end, in a search for whole picks") from failure
            raise

    def end(self) -> None:
        if self.process is not None and self.owner == os.getpid():
            self.before += self.process.seconds_used
            self.process.end()
        self.process = None


_OWN = _Own()
atexit.register(_OWN.end)


def search(model: Model, options: dict[str, object]) -> SolverAnswer:
    """Search for the best binary assignment in the HiGHS process.

    Parameters
        model    the linear program
        options  HiGHS options by name
    Raises       Crashed: when the process ends without an answer
    """
    return _OWN.ask(model, options)


def cpu_seconds() -> float:
    """CPU seconds of this process and of its HiGHS processes."""
    return time.process_time() + _OWN.before + (_OWN.process.seconds_used if _OWN.process is not None else 0.0)


def _serve() -> None:
    """Solve models from standard input and write the answers to standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # some versions of HiGHS print a banner whatever they are told
    while True:
        try:
            model, options, patience = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        highs = load_model(Model(**model), options, whole=True)
        # a limit of CPU time, so that the result does not depend on the load of the machine
        most = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + patience, most))
        highs.run()
        status = highs.getModelStatus()
        values = None if status in INFEASIBLE_STATUSES else list(highs.getSolution().col_value)
        pickle.dump((status.name, values, time.process_time()), answers)
        answers.flush()


if __name__ == "__main__":
    _serve()
