"""Levels that are a multiplication and a shift are found as such, and give the same for every sum."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from benchmarks.inputs.ops import random_requant
from models.ir.formats.integer import IntType
from models.ir.multiplier_fit import as_requant
from models.ir.requant import MOST_MULT_BITS, Requant
from models.ir.thresholds import Thresholds


def same(rule: Thresholds, requant: Requant, dtype: IntType, low: int, high: int) -> bool:
    sums = np.repeat(np.arange(low, high + 1)[:, None], len(requant.bias), axis=1)
    return np.array_equal(rule.to_dtype(sums, dtype), requant.to_dtype(sums, dtype))


@pytest.mark.parametrize("dtype", [IntType(8), IntType(4), IntType(2, False), IntType(8, False)], ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_a_requantizer_s_levels_are_one_again(dtype: IntType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    span = int(rng.choice([40, 500, 9000]))
    requant = random_requant(rng, 3, (-span, span), dtype.min if seed % 2 else 0, dtype.max)
    ranges = [(-span, span)] * 3
    found = as_requant(Thresholds.equal_to(requant, dtype, ranges), dtype, ranges)
    assert found is not None
    assert same(Thresholds.equal_to(requant, dtype, ranges), found, dtype, -span, span)
    assert found.mult_bits <= requant.mult_bits + 1


@pytest.mark.parametrize("seed", range(8))
def test_any_real_scale_is_a_multiplier(seed: int) -> None:
    """Rounded half to even, as float tools do, on a range of 2**17 sums."""
    rng, dtype, span = np.random.default_rng(seed), IntType(8), 1 << 16
    scale, zero = Fraction(float(rng.uniform(0.001, 0.01))), int(rng.integers(-100, 100))
    levels = [-(-(2 * (value - zero) - 1) // (2 * scale)) for value in range(-127, 128)]
    # a tie goes to the even value
    levels = [
        level + (scale * level == Fraction(2 * (value - zero) - 1, 2) and value % 2)
        for value, level in zip(range(-127, 128), levels, strict=True)
    ]
    rule = Thresholds(np.array([levels], np.int64))
    found = as_requant(rule, dtype, [(-span, span)])
    assert found is not None
    assert found.mult_bits < MOST_MULT_BITS
    assert same(rule, found, dtype, -span, span)


def test_what_is_no_line_has_no_multiplier() -> None:
    steps = Thresholds(np.array([[-90, -80, 0, 1, 2, 50, 99]]))
    assert as_requant(steps, IntType(3), [(-100, 100)]) is None


def test_levels_beyond_the_sums_do_not_count() -> None:
    rule = Thresholds(np.array([[-5000, -4000, 7, 5000]]))
    found = as_requant(rule, IntType(3), [(-100, 100)])
    assert found is not None
    assert same(rule, found, IntType(3), -100, 100)
