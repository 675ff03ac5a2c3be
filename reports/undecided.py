"""Designs of a front whose accuracies the validation images do not tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.paired import SIGNIFICANCE_LEVEL, mcnemar, unpack_bits
from reports.schema import Point


@dataclass(frozen=True)
class Undecided:
    """``slower`` gets more validation images right than ``faster``, but not so many more that chance is ruled out.

    Parameters
        faster       name of the faster design
        slower       name of the slower design
        probability  of a difference as large between networks that are equally good, by McNemar's test
    """

    faster: str
    slower: str
    probability: float


def undecided(steps: Sequence[Point]) -> list[Undecided]:
    """Of each design on the steps of a front and the next more accurate one, the pairs that are not told apart."""
    pairs = []
    for one, other in pairwise(steps):
        right = [unpack_bits(point.right, point.accuracy.total) for point in (one, other)]
        probability = mcnemar(*right)
        if probability >= SIGNIFICANCE_LEVEL:
            pairs.append(Undecided(one.name, other.name, probability))
    return pairs
