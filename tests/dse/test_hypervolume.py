"""Hypervolumes of integer points against two oracles: cells counted one by one, and inclusion-exclusion."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.hypervolume import MARGIN, common_reference, hypervolume, latency_and_error, relative_hypervolumes
from dse.pareto import non_dominated

SIDE = 6
Points = list[tuple[int, ...]]


def reduced_problem(points: Points, reference: tuple[int, ...]) -> int:
    """Unit cells below the reference that lie above one of the points on every axis."""
    cells = product(*(range(-1, limit) for limit in reference))
    return sum(any(all(x <= y for x, y in zip(p, cell, strict=True)) for p in points) for cell in cells)


def included_and_excluded(points: Points, reference: tuple[int, ...]) -> int:
    """Boxes added, their intersections of two taken away, those of three added, and so on."""
    total = 0
    for size in range(1, len(points) + 1):
        for chosen in combinations(points, size):
            corner = [max(values) for values in zip(*chosen, strict=True)]
            volume = math.prod(max(0, far - near) for near, far in zip(corner, reference, strict=True))
            total += volume if size % 2 else -volume
    return total


@st.composite
def fronts(draw: st.DrawFn) -> Points:
    axes = draw(st.integers(1, 5))
    # some beyond the reference, some the same
    return draw(st.lists(st.tuples(*[st.integers(-1, SIDE + 1)] * axes), min_size=1, max_size=8))


@given(fronts())
@settings(max_examples=300)
def test_equals_both_oracles(points: Points) -> None:
    reference = (SIDE,) * len(points[0])
    found = hypervolume(points, reference)
    assert found == included_and_excluded(points, reference)
    if len(reference) < 5:
        assert found == reduced_problem(points, reference)


@given(fronts())
@settings(max_examples=100)
def test_dominated_points_and_order_change_nothing(points: Points) -> None:
    reference = (SIDE,) * len(points[0])
    kept = [points[place] for place in non_dominated(points)]
    assert hypervolume(points, reference) == hypervolume(kept, reference) == hypervolume(points[::-1], reference)


def test_many_points_on_a_staircase() -> None:
    size = 1000
    points = [(n, size - 1 - n) for n in range(size)]
    assert hypervolume(points, (size, size)) == size * (size + 1) // 2


def test_no_points_cover_nothing() -> None:
    assert hypervolume([], (3, 3)) == 0
    assert hypervolume([(3, 0)], (3, 3)) == 0


def test_axes_must_agree() -> None:
    with pytest.raises(ValueError, match="reference has 2 axes, the points have 3"):
        hypervolume([(1, 2, 3)], (4, 4))


def test_costs_of_a_design() -> None:
    assert latency_and_error(1024, 0.75) == (10, 25)
    assert latency_and_error(512, 1) == (9, 0)
    with pytest.raises(ValueError, match=r"share from 0 to 1, not 100 and 97\.5"):
        latency_and_error(100, 97.5)
    with pytest.raises(ValueError, match=r"cycles must be positive .* not 0 and 0\.5"):
        latency_and_error(0, 0.5)


def test_reference_lies_beyond_the_worst_of_all_fronts() -> None:
    pair = {"a": [(0.0, 5.0)], "b": [(10.0, 5.0), (4.0, 5.0)]}
    # the second axis has no range
    assert common_reference(pair) == (10 + MARGIN * 10, 5 + MARGIN)


def test_relative_to_the_box_of_all_fronts() -> None:
    pair = {"best": [(0.0, 0.0)], "two": [(0.0, 10.0), (10.0, 0.0)], "none": []}
    found = relative_hypervolumes(pair)
    assert found["best"] == 1
    assert found["none"] == 0
    # an L of two strips that are a margin wide: 2 x 1 x 11 less the corner, of 11 x 11
    assert Fraction(found["two"]).limit_denominator(1000) == Fraction(2 * 11 - 1, 121)
    with pytest.raises(ValueError, match="none of the fronts a, b has a point"):
        relative_hypervolumes({"a": [], "b": []})


@given(fronts(), st.integers(2, 8))
@settings(max_examples=50)
def test_units_do_not_matter(points: Points, factor: int) -> None:
    parts: dict[str, Points] = {"first": points[: len(points) // 2], "rest": points[len(points) // 2 :]}
    # powers of two scale a float exactly, unless the axis has no range and the margin counts as 1
    if any(len(set(values)) == 1 for values in zip(*points, strict=True)):
        return
    scaled = {name: [tuple(x * 2**factor for x in p) for p in front] for name, front in parts.items()}
    assert relative_hypervolumes(parts) == relative_hypervolumes(scaled)
