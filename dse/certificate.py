"""Proofs of lower bounds in whole numbers that anyone can check.

A certificate says that no selection is below a value. Its steps remove candidates until labels reach no selection, or
until the remaining problem is split in two, and each part is shown to have none. A check repeats the same passes in
integers; it trusts neither the search that found the weights nor HiGHS.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from dse.labels.goals import Goal
from dse.labels.layers import Counter, TooManyLabels
from dse.labels.network import Network
from dse.labels.steps import LabelStep, Split, is_timed, take_step
from dse.labels.weights import Weights
from dse.problem import Objective, Problem
from dse.prune import fast_enough, prune

VIOLATION = "overrun"


class CertificateError(ValueError):
    """A certificate that does not show what it claims; the message names field and value."""


@dataclass(frozen=True)
class Tree:
    """The proof that a problem has no selection below a value.

    Parameters
        steps  narrowing steps, each on the problem that the one before left
        rows   whether a rowwise pass follows the last step; it checks every limit by itself and reaches no selection
        split  how the remaining problem is split in two; None where it has no selection
        parts  the proofs of the two parts; empty without a split
    """

    steps: tuple[LabelStep, ...]
    rows: bool = False
    split: Split | None = None
    parts: tuple[Tree, ...] = ()

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Tree:
        """The tree of a certificate's entry."""
        split = None if entry["split"] is None else Split(**entry["split"])
        parts = tuple(map(cls.read, entry["parts"]))
        if (split is None) != (not parts) or len(parts) not in (0, 2):
            raise CertificateError(f"certificate, field 'parts': {len(parts)} of them where a split has 2")
        return cls(tuple(LabelStep(**step) for step in entry["steps"]), bool(entry["rows"]), split, parts)


@dataclass(frozen=True)
class Certificate:
    """The claim that no selection is below ``value``, with its proof.

    Parameters
        goal       an objective, or ``overrun`` for the largest relative violation of a limit
        value      a fraction as text, such as ``4438`` or ``17/20``
        tree       the proof
        max_error  limit of the summed error under which the proof holds; it holds under lower ones too; None for no
                   limit
    """

    goal: str
    value: str
    tree: Tree
    max_error: int | None

    @property
    def entry(self) -> dict[str, Any]:
        """The certificate as JSON types, for ``read``."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Certificate:
        """The certificate of an entry; raises ``CertificateError`` where a field is missing or bad."""
        try:
            return cls(str(entry["goal"]), str(entry["value"]), Tree.read(entry["tree"]), entry["max_error"])
        except (KeyError, TypeError) as error:
            raise CertificateError(f"certificate: missing or bad field: {error}") from None


def reduced_problem(problem: Problem, objective: Goal) -> Problem:
    """The restricted problem that a certificate is about.

    It lacks the candidates slower than the limit of cycles, and dominated ones. The error always counts, so that a
    certificate also holds under a limit of the error.

    Parameters
        problem    the problem
        objective  what is minimised
    """
    if objective is None:
        return prune(problem, {Objective.ERROR})
    fast = problem if problem.max_cycles is None else fast_enough(problem, problem.max_cycles)
    return prune(problem if fast is None else fast, {Objective.ERROR, objective})


def check(problem: Problem, certificate: Certificate) -> None:
    """Check a certificate by repeating its passes.

    Parameters
        problem      the problem
        certificate  the certificate
    Raises           CertificateError: when the passes do not show what the certificate claims
    """
    try:
        objective: Goal = None if certificate.goal == VIOLATION else Objective(certificate.goal)
        value, most = Fraction(certificate.value), certificate.max_error
        if most is not None and (problem.max_error is None or problem.max_error > most):
            raise CertificateError(f"certificate: shown for errors up to {most}, not up to {problem.max_error}")
        _check(reduced_problem(replace(problem, max_error=most), objective), objective, value, certificate.tree)
    except TooManyLabels:
        raise CertificateError("certificate: to check it takes more labels than fit") from None
    except CertificateError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CertificateError(f"certificate: {error}") from None


def _check(problem: Problem, objective: Goal, value: Fraction, tree: Tree) -> None:
    result, earlier = None, None
    for step in tree.steps:
        if Fraction(step.value) < value:
            raise CertificateError(f"certificate: a step looks for less than {step.value}, below {value}")
        if step.room is not None and step.room < 1:
            raise CertificateError(f"certificate: a step's room is {step.room}, must be at least 1")
        if result is not None:
            problem = result.remaining()
        network = Network(problem, timed=is_timed(problem, objective), whole=step.whole, folded=step.folded)
        weights = Weights.read(network, step.weights)
        if step.tabled and earlier is None:
            raise CertificateError("certificate: a step is held to the one before it, and there is none")
        if step.tabled and earlier is not None and Fraction(earlier.value) < Fraction(step.value):
            raise CertificateError(f"certificate: a step looks for less than {step.value}, the one before for less")
        before = result if step.tabled else None
        result = take_step(network, weights, objective, Fraction(step.value), True, Counter(), before, step.room)
        earlier = step
        if result.empty or (objective is Objective.LATENCY and result.least >= value):
            return
    if tree.rows and result is not None:
        outcome = result.rowwise(None)
        if outcome.complete and not outcome.choices:
            return
    if tree.split is None:
        raise CertificateError(f"certificate: labels reach the output with less than {value}")
    for part, own in zip(tree.split.parts(problem if result is None else result.remaining()), tree.parts, strict=True):
        _check(part, objective, value, own)
