"""Rules of other tools as multiplication and shift, or as levels, exactly; sums of two inputs by the fewest bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.frontend.exact_rescaling import added, repeated, rescaling
from models.ir.formats.integer import IntType
from models.ir.requant import Requant
from models.ir.thresholds import Thresholds

INT8 = IntType(8)
RULES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], type]] = {
    "a line": (lambda sums: np.clip((sums * 5 + 16) >> 5, -128, 127), Requant),
    "a real factor": (lambda sums: np.clip(np.rint(sums * 0.3712).astype(np.int64), -128, 127), Requant),
    "half to even": (lambda sums: np.clip(np.rint(sums * 0.25).astype(np.int64), -128, 127), Thresholds),
    "a curve": (lambda sums: np.sign(sums) * np.minimum(np.sqrt(np.abs(sums) * 9.0), 120).astype(np.int64), Thresholds),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_gives_the_same_for_every_sum(name: str) -> None:
    rule, kind = RULES[name]
    found = rescaling(rule, INT8, [(-900, 900)] * 2, (-128, 127))
    assert isinstance(found, kind)
    sums = np.repeat(np.arange(-900, 901)[:, None], 2, axis=1)
    assert np.array_equal(found.to_dtype(sums, INT8), rule(sums.T).T)


@pytest.mark.parametrize("seed", range(5))
def test_a_sum_of_two_scales_is_that_of_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.uniform(0.3, 1.6, 2).tolist()
    numbers = [np.arange(-20, 30), np.arange(-31, 32)]
    real = numbers[0][:, None] * steps[0] + numbers[1] * steps[1]
    results = np.clip(np.floor(real + 0.5).astype(np.int64), -25, 25)
    found = added(numbers, results, steps, (-25, 25), INT8)
    assert found is not None
    a, b, total = found
    sums = a.integer(numbers[0][:, None]) + b.integer(numbers[1][:, None])[:, 0]
    assert np.array_equal(total.to_dtype(sums.reshape(-1, 1), INT8).reshape(sums.shape), results)


def test_results_that_no_sum_tells_apart_are_none() -> None:
    """The product of two numbers is no sum."""
    numbers = [np.arange(-4, 5), np.arange(-4, 5)]
    assert added(numbers, numbers[0][:, None] * numbers[1], [1.0, 1.0], (-16, 16), INT8) is None


def test_one_channel_s_constants_are_those_of_all() -> None:
    found = repeated(Requant(np.array([3]), np.array([7]), 2, -8, 7), 3)
    assert (found.bias.tolist(), found.mult.tolist(), found.shift) == ([3] * 3, [7] * 3, 2)
