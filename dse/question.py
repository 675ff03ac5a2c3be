"""What the search asks: whether a selection reaches a value; and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from dse.certificate import Certificate
from dse.evaluate import Evaluation
from dse.problem import Selection

Watch = Callable[[Fraction, Fraction | None, float], None]
"""Called with the lower bound, the value of the best selection or None, and seconds since the start."""


class OutOfTime(RuntimeError):
    """The search has used its time or its labels."""


class AnswerFound(Exception):
    """A selection that answers the question was found."""


class EffortSpent(Exception):
    """The question needs more effort than its level allows."""


@dataclass(frozen=True)
class SearchResult:
    """Result of a search.

    Parameters
        selection    best selection, one candidate per op; None where none was found
        evaluation   its costs; None where none was found
        bound        lower bound: no selection has less
        certificate  proof of ``bound``; None where the bound is 0 or was given without a proof
        impossible   whether it is proven that there is no selection
    """

    selection: Selection | None
    evaluation: Evaluation | None
    bound: Fraction
    certificate: Certificate | None
    impossible: bool


@dataclass
class BoundQuestion:
    """Whether a selection has at most ``value``; if not, none has less than ``bound``.

    Parameters
        value   the value
        below   whether a selection must have less than ``value``
        bound   lower bound that a refutation proves
        beam    labels kept after an op in a rowwise pass; None keeps all
        splits  splits that are left; None for no limit
        nodes   node limit of HiGHS
        best    value of the best selection when the question was asked; None without one
    """

    value: Fraction
    below: bool
    bound: Fraction
    beam: int | None
    splits: int | None
    nodes: int
    best: Fraction | None

    def answered_by(self, value: Fraction) -> bool:
        """Whether a selection of this value answers it with yes."""
        return value < self.value if self.below else value <= self.value
