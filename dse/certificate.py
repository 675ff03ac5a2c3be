"""Why no choice has less, as a few whole numbers that anyone can check.

A certificate says that no choice has less than a value, and names the weights with which a pass of labels reaches none.
To check it takes that pass alone, in integers: neither the search that found the weights nor HiGHS is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from dse.labels.goals import Goal, limits_at
from dse.labels.network import Network
from dse.labels.passes import Counter, TooMany, complete, rowwise, surrogate
from dse.labels.weights import Weights
from dse.problem import Objective, Problem
from dse.prune import prune

OVERRUN = "overrun"
SURROGATE, ROWS = "surrogate", "rows"
TILT = 0.02
"""By what share a row counts more in a second set of weights."""


class CertificateError(ValueError):
    """A certificate that does not show what it says; the message names field and value."""


@dataclass(frozen=True)
class Certificate:
    """That no choice has less than ``value``.

    Parameters
        goal      an objective, or ``overrun`` for the largest share by which a limit is exceeded
        value     as a fraction, such as ``4438`` or ``17/20``
        passes    ``surrogate`` where the weighted sum of all limits shows it, ``rows`` where each limit is needed
        whole     whether labels carry the times of all ops
        grain     to multiples of how many cycles times are rounded down
        tilted    whether further weights are used, in which each row in turn counts more
        weights   ``Weights.entry``
    """

    goal: str
    value: str
    passes: str
    whole: bool
    grain: int
    tilted: bool
    weights: dict[str, Any]

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Certificate:
        try:
            return cls(**entry)
        except TypeError as error:
            raise CertificateError(f"certificate: {error}") from None


def tilted(weights: Weights) -> list[Weights]:
    """Weights that tell apart what the given ones find equally good: each row in turn counts more."""
    weighed = np.flatnonzero(weights.rows)
    return [weights.tilted(int(row), TILT) for row in weighed] if len(weighed) > 1 else []


def check(problem: Problem, certificate: Certificate) -> None:
    """Run the certificate's passes; raises ``CertificateError`` where they do not show what it says."""
    try:
        goal: Goal = None if certificate.goal == OVERRUN else Objective(certificate.goal)
        value = Fraction(certificate.value)
    except ValueError as error:
        raise CertificateError(f"certificate: {error}") from None
    if certificate.passes not in (SURROGATE, ROWS) or certificate.grain < 1:
        raise CertificateError(f"certificate: passes {certificate.passes!r}, grain {certificate.grain!r}")
    timed = goal is Objective.LATENCY or problem.max_latency is not None
    problem = prune(problem, () if goal is None else (goal,))
    network = Network(problem, timed=timed, whole=certificate.whole, grain=certificate.grain)
    try:
        weights = Weights.read(network, certificate.weights)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CertificateError(f"certificate, field 'weights': {error}") from None
    limits, counter = limits_at(problem, network, goal, value, below=True), Counter()
    try:
        known = []
        for own in (weights, *(tilted(weights) if certificate.tilted else ())):
            reached = surrogate(network, own, limits, counter, certificate.passes == ROWS)
            if reached.empty:
                return
            if certificate.passes == SURROGATE:
                break
            known.append((own, complete(network, own, limits, reached)))
        if certificate.passes == ROWS:
            found = rowwise(network, known, limits, counter, None)
            if found.complete and not found.choices:
                return
    except TooMany:
        raise CertificateError("certificate: to check it takes more labels than fit") from None
    raise CertificateError(f"certificate: labels reach the output with less than {certificate.value}")
