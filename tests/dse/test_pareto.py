from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dse.pareto import dominates, non_dominated

COSTS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=30)


@given(COSTS)
def test_equals_comparing_each_with_each(costs: list[tuple[int, ...]]) -> None:
    naive = [
        i for i, own in enumerate(costs) if not any(dominates(other, own) for other in costs) and own not in costs[:i]
    ]
    assert non_dominated(costs) == naive


@given(COSTS)
def test_every_other_point_is_matched_by_one_that_is_kept(costs: list[tuple[int, ...]]) -> None:
    kept = [costs[place] for place in non_dominated(costs)]
    assert all(any(all(a <= b for a, b in zip(best, own, strict=True)) for best in kept) for own in costs)
    assert not any(dominates(a, b) for a in kept for b in kept)


def test_dominates_needs_one_place_of_less() -> None:
    assert dominates((1, 2), (1, 3))
    assert not dominates((1, 2), (1, 2))
    assert not dominates((0, 3), (1, 2))
