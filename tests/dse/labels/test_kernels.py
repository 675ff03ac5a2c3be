"""The compiled loops of label passes, beside fractions and comparisons of each with each."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dse.labels.kernels import NEVER, ceil_fraction, completions, tabulate, undominated, undominated_binned

LABELS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=30)


@given(st.integers(0, 10**17), st.integers(1, 1000), st.integers(0, 1000))
def test_a_fraction_of_cycles_is_rounded_up(cycles: int, denominator: int, numerator: int) -> None:
    numerator = min(numerator, denominator)
    expected = ceil(cycles * Fraction(numerator, denominator))
    assert ceil_fraction(cycles, np.array([numerator, denominator])) == expected


def check_undominated(labels: np.ndarray, stay: np.ndarray, representatives: np.ndarray) -> None:
    points = list(map(tuple, labels.tolist()))
    front = {p for p in points if not any(all(a <= b for a, b in zip(q, p, strict=True)) for q in {*points} - {p})}
    assert sorted(points[at] for at in stay) == sorted(front)
    assert (labels[stay[representatives]] <= labels).all()


@given(LABELS)
def test_labels_that_no_other_dominates_stay_once(points: list[tuple[int, ...]]) -> None:
    labels = np.array(points)
    order = np.lexsort(labels.T)
    check_undominated(labels, *undominated(labels, order, len(labels)))
    # the middle column is stored, the first and the last are distinguished at every value
    edges = np.array([[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    by_last = np.lexsort(labels.T)
    check_undominated(labels, *undominated_binned(labels, by_last, np.array([0, 2]), 1, edges, np.array([5, 5])))


def test_few_comparisons_lose_no_undominated_label() -> None:
    labels = np.array([[1, 9], [2, 8], [3, 7], [4, 9]])
    stay, representatives = undominated(labels, np.arange(4), 1)
    # (4, 9) is compared with (3, 7) alone, which dominates it
    assert (stay.tolist(), representatives.tolist()) == ([0, 1, 2], [0, 1, 2, 2])
    later = np.array([[1, 1], [0, 5], [2, 2]])
    assert undominated(later, np.array([0, 1, 2]), 1)[0].tolist() == [0, 1, 2]


@given(LABELS, st.integers(0, 2**32 - 1))
def test_a_table_holds_the_most_of_any_label_that_is_no_later(points: list[tuple[int, ...]], seed: int) -> None:
    labels = np.array(points)
    least = np.random.default_rng(seed).integers(0, 50, len(labels))
    table = tabulate(labels, least, *(np.unique(labels[:, column]) for column in range(3)))
    axes = [np.unique(labels[:, column]).tolist() for column in range(3)]
    for layer, branch in enumerate(axes[2]):
        for row, start in enumerate(axes[0]):
            for column, finish in enumerate(axes[1]):
                earlier = (labels <= [start, finish, branch]).all(axis=1)
                assert table[layer, row, column] == max(least[earlier], default=least.min())


def test_completions_take_the_cheapest_extension() -> None:
    """Labels of cost 10 and 20; the first leads to costs 13 and 18, of which the second is completed more cheaply."""
    least, best = np.array([NEVER, NEVER]), np.full(3, NEVER)
    parents, representatives, extended_costs, chosen = (
        np.array(own) for own in ([0, 0, 1], [0, 1, 1], [13, 18, 26], [0, 2, 2])
    )
    completions(least, np.array([10, 20]), parents, representatives, extended_costs, chosen, np.array([9, 1]), best)
    # 13 + 9 - 10 and 18 + 1 - 10; 26 + 1 - 20
    assert least.tolist() == [9, 7]
    assert best.tolist() == [22, NEVER, 19]
