from __future__ import annotations

from itertools import combinations, product

import pytest

from tests.support.selection import pairwise, spread


@pytest.mark.parametrize(
    "count, wanted, places", [(10, 1, {0}), (10, 2, {0, 9}), (10, 4, {0, 3, 6, 9}), (3, 5, {0, 1, 2})]
)
def test_few_cases_lie_from_the_first_to_the_last(count: int, wanted: int, places: set[int]) -> None:
    assert spread(count, wanted) == places


def test_every_pair_of_values_occurs_in_few_cases() -> None:
    # one combination is impossible, and no pair that only it has is wanted
    cases = [case for case in product("abcd", range(5), (True, False)) if case[:2] != ("a", 0)]
    chosen = pairwise(cases)
    assert len(chosen) < len(cases) / 1.5

    def pairs(places: set[int]) -> set[object]:
        return {pair for place in places for pair in combinations(enumerate(cases[place]), 2)}

    assert pairs(chosen) == pairs(set(range(len(cases))))


def test_every_value_of_a_single_parameter_occurs() -> None:
    assert pairwise([("a",), ("b",), ("a",)]) == {0, 1}


QUICK = """
import pytest

@pytest.mark.few(2)
@pytest.mark.parametrize("n", [0, 1, 2, 3, pytest.param(4, marks=pytest.mark.slow)])
def test_few(n): ...

@pytest.mark.pairwise
@pytest.mark.parametrize("a", "xy")
@pytest.mark.parametrize("b", "xy")
@pytest.mark.parametrize("c", "xy")
def test_pairwise(a, b, c): ...

@pytest.mark.whole
def test_whole(): ...
"""


def test_make_test_leaves_out_what_make_test_all_runs(
    pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    root = request.config.rootpath
    pytester.makepyfile(QUICK)
    pytester.makeconftest((root / "tests" / "conftest.py").read_text())
    pytester.makeini("[pytest]\nmarkers = \n  slow: \n  whole: \n  few(count): \n  pairwise: \n")
    for marks, count in (("not slow", 4 + 8 + 1), ("not slow and not whole", 2 + 4)):
        pytester.inline_run("-m", marks).assertoutcome(passed=count)
