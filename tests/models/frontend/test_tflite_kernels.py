"""The reference kernels' arithmetic against the same, number by number, in Python's integers as the C code has it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.frontend.tflite_kernels import KernelMultiplier, mean, softmax


def truncated(a: int, b: int) -> int:
    """C's division."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def doubling_high(a: int, b: int) -> int:
    product = a * b
    return truncated(product + ((1 << 30) if product >= 0 else 1 - (1 << 30)), 1 << 31)


def by_power_of_two(x: int, exponent: int) -> int:
    mask = (1 << exponent) - 1
    remainder, threshold = x & mask, (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if remainder > threshold else 0)


@given(st.integers(-(1 << 26), 1 << 26), st.floats(1e-8, 60.0))
def test_a_product_is_rounded_twice_or_once(total: int, factor: float) -> None:
    multiplier = KernelMultiplier.of(factor)
    mult, shift = int(multiplier.mult[0, 0]), int(multiplier.shift[0, 0])
    assert (1 << 30) <= mult < 1 << 31
    assert math.isclose(mult * 2.0 ** (shift - 31), factor, rel_tol=2.0**-30)
    sums = np.array([[total]])
    twice = by_power_of_two(doubling_high(total << max(shift, 0), mult), max(-shift, 0))
    assert multiplier.apply(sums).item() == twice
    right = 31 - shift
    assert multiplier.apply_once(sums).item() == (total * mult + (1 << right - 1)) >> right


def test_channels_have_multipliers_of_their_own_and_zero_is_zero() -> None:
    multiplier = KernelMultiplier.of(np.array([0.5, 0.0, 2.0]))
    assert multiplier.apply(np.array([[10, -3], [10, -3], [10, -3]])).tolist() == [[5, -1], [0, 0], [20, -6]]


@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_a_mean_goes_to_the_nearest_away_from_zero(count: int) -> None:
    sums = np.arange(-300, 301)
    wanted = [truncated(total + (count // 2 if total > 0 else -(count // 2)), count) for total in sums.tolist()]
    assert mean(sums, count).tolist() == wanted


@pytest.mark.parametrize(("scale", "beta"), [(0.17, 1.0), (0.02, 1.0), (0.3, 0.5), (1.5, 1.0)])
def test_a_softmax_is_the_real_one_to_a_step(scale: float, beta: float) -> None:
    logits = np.random.default_rng(0).integers(-128, 128, (50, 10))
    real = np.exp((logits - logits.max(axis=1, keepdims=True)) * scale * beta)
    real /= real.sum(axis=1, keepdims=True)
    found = softmax(logits, scale, beta)
    assert found.min() >= -128
    assert found.max() <= 127
    assert np.abs(found + 128 - np.minimum(256 * real, 255)).max() <= 1
