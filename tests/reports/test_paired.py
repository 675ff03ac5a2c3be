"""McNemar's test against all outcomes that there can be."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.paired import mcnemar, pack_bits, unpack_bits


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5), st.integers(0, 5))
def test_it_counts_outcomes_that_are_as_uneven(alone: int, others: int, both: int, neither: int) -> None:
    one = np.array([True] * alone + [False] * others + [True] * both + [False] * neither, bool)
    other = np.array([False] * alone + [True] * others + [True] * both + [False] * neither, bool)
    count = alone + others
    if count > 12:
        return
    # each image that one of the two alone gets right falls to either with the same probability
    outcomes = [sum(fell) for fell in product((0, 1), repeat=count)]
    uneven = [abs(2 * fell - count) >= abs(alone - others) for fell in outcomes]
    assert mcnemar(one, other) == pytest.approx(sum(uneven) / len(uneven))
    assert mcnemar(other, one) == pytest.approx(mcnemar(one, other))


def test_networks_on_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match="networks were run on 3 and on 4 images"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


@given(st.lists(st.booleans(), max_size=40))
def test_what_is_packed_is_unpacked(right: list[bool]) -> None:
    assert unpack_bits(pack_bits(np.array(right, bool)), len(right)).tolist() == right
