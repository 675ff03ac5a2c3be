"""Why no choice has less, as whole numbers that anyone can check.

A certificate says that no choice has less than a value. Its steps leave out candidates until labels reach none, or
until what is left is split into two parts, of which each is shown to have none. To check it takes the same passes, in
integers: neither the search that found the weights nor HiGHS is trusted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from dse.labels.goals import Goal
from dse.labels.network import Network
from dse.labels.passes import Counter, TooMany
from dse.labels.steps import Split, Step, is_timed, take
from dse.labels.weights import Weights
from dse.problem import Objective, Problem
from dse.prune import fast_enough, prune

OVERRUN = "overrun"


class CertificateError(ValueError):
    """A certificate that does not show what it says; the message names field and value."""


@dataclass(frozen=True)
class Tree:
    """Why no choice is left in a problem.

    Parameters
        steps  each leaves out candidates of what the one before left
        rows   whether the last one is followed by a pass in which each limit counts by itself, and which reaches none
        split  in two parts of what is left then, where it is not empty
        parts  why neither of these has a choice
    """

    steps: tuple[Step, ...]
    rows: bool = False
    split: Split | None = None
    parts: tuple[Tree, ...] = ()

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Tree:
        split = None if entry["split"] is None else Split(**entry["split"])
        parts = tuple(map(cls.read, entry["parts"]))
        if (split is None) != (not parts) or len(parts) not in (0, 2):
            raise CertificateError(f"certificate, field 'parts': {len(parts)} of them where a split has 2")
        return cls(tuple(Step(**step) for step in entry["steps"]), bool(entry["rows"]), split, parts)


@dataclass(frozen=True)
class Certificate:
    """That no choice has less than ``value``.

    Parameters
        goal       an objective, or ``overrun`` for the largest share by which a limit is exceeded
        value      as a fraction, such as ``4438`` or ``17/20``
        tree       why
        max_error  the limit on the summed error under which it is shown, which holds under a lower one too; None
                   without one
    """

    goal: str
    value: str
    tree: Tree
    max_error: int | None

    @property
    def entry(self) -> dict[str, Any]:
        """As ``read`` takes it, of what JSON knows alone."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Certificate:
        try:
            return cls(str(entry["goal"]), str(entry["value"]), Tree.read(entry["tree"]), entry["max_error"])
        except (KeyError, TypeError) as error:
            raise CertificateError(f"certificate: missing or bad field: {error}") from None


def counted(problem: Problem, goal: Goal) -> Problem:
    """The problem whose candidates a certificate is about: without those that are slower than the limit on cycles or
    that another one beats in all that can count.

    Errors always count, so that a certificate holds under a cap on the error too.
    """
    if goal is None:
        return prune(problem, {Objective.ERROR})
    fast = problem if problem.max_cycles is None else fast_enough(problem, problem.max_cycles)
    return prune(problem if fast is None else fast, {Objective.ERROR, goal})


def check(problem: Problem, certificate: Certificate) -> None:
    """Take the certificate's passes again; raises ``CertificateError`` where they do not show what it says."""
    try:
        goal: Goal = None if certificate.goal == OVERRUN else Objective(certificate.goal)
        value, most = Fraction(certificate.value), certificate.max_error
        if most is not None and (problem.max_error is None or problem.max_error > most):
            raise CertificateError(f"certificate: shown for errors up to {most}, not up to {problem.max_error}")
        _check(counted(replace(problem, max_error=most), goal), goal, value, certificate.tree)
    except TooMany:
        raise CertificateError("certificate: to check it takes more labels than fit") from None
    except CertificateError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CertificateError(f"certificate: {error}") from None


def _check(problem: Problem, goal: Goal, value: Fraction, tree: Tree) -> None:
    taken, earlier = None, None
    for step in tree.steps:
        if Fraction(step.value) < value:
            raise CertificateError(f"certificate: a step looks for less than {step.value}, below {value}")
        if step.room is not None and step.room < 1:
            raise CertificateError(f"certificate: a step's room is {step.room}, must be at least 1")
        if taken is not None:
            problem = taken.left()
        network = Network(problem, timed=is_timed(problem, goal), whole=step.whole, folded=step.folded)
        weights = Weights.read(network, step.weights)
        if step.tabled and earlier is None:
            raise CertificateError("certificate: a step is held to the one before it, and there is none")
        if step.tabled and earlier is not None and Fraction(earlier.value) < Fraction(step.value):
            raise CertificateError(f"certificate: a step looks for less than {step.value}, the one before for less")
        before = taken if step.tabled else None
        taken = take(network, weights, goal, Fraction(step.value), True, Counter(), before, step.room)
        earlier = step
        if taken.empty or (goal is Objective.LATENCY and taken.least >= value):
            return
    if tree.rows and taken is not None:
        found = taken.rowwise(None)
        if found.complete and not found.choices:
            return
    if tree.split is None:
        raise CertificateError(f"certificate: labels reach the output with less than {value}")
    for part, own in zip(tree.split.parts(problem if taken is None else taken.left()), tree.parts, strict=True):
        _check(part, goal, value, own)
