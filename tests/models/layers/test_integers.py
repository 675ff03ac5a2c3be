"""Exact integers: requantization against fractions, and sums that float32 holds."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.minifloat import FloatType
from models.ir.formats.tapered import TaperedType
from models.layers.integers import FLOAT32_LIMIT, Integers, RequantParams, round_doubled


@pytest.mark.few(4)
@pytest.mark.parametrize("images", [1, 32])
@pytest.mark.parametrize(("c_in", "c_out", "kernel", "groups"), [(64, 64, 3, 1), (16, 16, 5, 16), (64, 32, 1, 1)])
def test_float32_sums_are_exact_up_to_their_limit(images: int, c_in: int, c_out: int, kernel: int, groups: int) -> None:
    """Whatever algorithm the library picks, sums as large as float32 may be given equal those of integers."""
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(0, 256, (images, c_in, 9, 9)))
    terms = c_in // groups * kernel**2
    most = (FLOAT32_LIMIT - 1) // (255 * terms)
    weight = torch.from_numpy(rng.integers(-most, most + 1, (c_out, c_in // groups, kernel, kernel)))
    floats = F.conv2d(x.float(), weight.float(), None, padding=kernel // 2, groups=groups)
    patches = F.unfold(x.double(), kernel, padding=kernel // 2).long().view(images, groups, terms, -1)
    rows = weight.view(groups, c_out // groups, terms)
    exact = (rows[None, :, :, :, None] * patches[:, :, None]).sum(dim=3)
    assert torch.equal(floats.long().view(images, c_out, -1), exact.view(images, c_out, -1))


@settings(max_examples=30)
@given(
    st.lists(st.integers(-(1 << 20), 1 << 20), min_size=1, max_size=4),
    st.integers(0, (1 << 16) - 1),
    st.integers(-(1 << 20), 1 << 20),
    st.integers(0, 40),
    st.integers(0, 4),
)
def test_requantization_rounds_half_up_once_and_clips(
    sums: list[int], mult: int, bias: int, shift: int, fraction: int
) -> None:
    """An integer format rounds to the nearest integer, a tapered one to its nearest value, both with ties upward."""
    params = RequantParams(torch.tensor([bias]), torch.tensor([mult]), shift, -8, 7, fraction)
    x = torch.tensor(sums).view(1, 1, 1, -1)
    exact = [Fraction((value << fraction) + bias) * mult / (1 << shift) for value in sums]
    integers = [min(max(floor(value + Fraction(1, 2)), -8), 7) for value in exact]
    assert params.apply(x).flatten().tolist() == integers
    assert params.nearest_value(x, IntType(4)).flatten().tolist() == integers
    for dtype in (DyBitType(4), FloatType(4)):
        values = dtype.values().tolist()
        clipped = [min(max(value, Fraction(-8)), Fraction(7)) for value in exact]
        nearest = [min(values, key=lambda own: (abs(own - value), -own)) for value in clipped]
        assert params.nearest_value(x, dtype).flatten().tolist() == nearest
        assert params.export().to_dtype(np.array(sums)[:, None], dtype).flatten().tolist() == nearest
    assert x.flatten().tolist() == sums, "the sums themselves stay"


def test_channels_have_their_own_bias_and_multiplier() -> None:
    params = RequantParams(torch.tensor([0, 10]), torch.tensor([1, 3]), 0, -100, 100)
    assert params.apply(torch.tensor([5, 5]).view(1, 2, 1, 1)).flatten().tolist() == [5, 45]


@pytest.mark.parametrize("dtype", [DyBitType(4), DyBitType(3, False), FloatType(5)])
def test_twice_a_value_is_rounded_to_the_nearest_value(dtype: TaperedType) -> None:
    doubled = range(2 * dtype.min - 3, 2 * dtype.max + 4)
    values = dtype.values().tolist()
    nearest = [min(values, key=lambda own: (abs(2 * own - twice), -own)) for twice in doubled]
    assert round_doubled(torch.tensor(doubled), dtype).tolist() == nearest


def test_float32_serves_below_its_limit_alone() -> None:
    kinds = [
        Integers(dtype=IntType(4), scale=1.0, largest=largest).exact(torch.tensor([1])).dtype
        for largest in ((1 << 24) - 1, 1 << 24)
    ]
    assert kinds == [torch.float32, torch.float64]
