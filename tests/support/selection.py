"""Few of many cases, chosen so that little is left out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations


def spread(count: int, wanted: int) -> set[int]:
    """``wanted`` places, or all, evenly spread over ``count``; two or more begin at the first and end at the last."""
    if wanted >= count:
        return set(range(count))
    return {round(n * (count - 1) / max(1, wanted - 1)) for n in range(wanted)}


def pairwise(cases: Sequence[Sequence[Hashable]]) -> set[int]:
    """Places of cases in which every pair of values of two parameters occurs that occurs at all.

    Of the cases left, one with the most pairs that are still missing is taken again and again, so that the choice is
    small, though not always the smallest.
    """
    pairs = [set(combinations(enumerate(case), 2)) or set(enumerate(case)) for case in cases]
    missing: set[object] = set().union(*pairs) if pairs else set()
    chosen: set[int] = set()
    while missing:
        place = max(range(len(cases)), key=lambda place: len(pairs[place] & missing))
        chosen.add(place)
        missing -= pairs[place]
    return chosen
