"""Levels: by counting, equal to a requantizer for every sum, on disk, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.inputs.ops import random_requant
from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.node import GraphError, Shape
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant
from models.ir.thresholds import Thresholds
from tests.models.ir.builders import UINT8


def node(rule: Thresholds, dtype: DType) -> Requantize:
    return Requantize(name="to", inputs=("x",), dtype=dtype, requant=rule)


@pytest.mark.parametrize("name", ["uint2", "int4", "udybit4", "dybit3"])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_sum_becomes_the_value_of_as_many_levels_as_it_reaches(name: str, rows: int) -> None:
    dtype, rng = parse_dtype(name), np.random.default_rng(rows)
    count = len(dtype.values()) - 2
    rule = Thresholds(np.sort(rng.integers(-20, 20, (rows, count)), axis=1), first=1)
    sums = np.repeat(np.arange(-25, 25)[:, None], 3, axis=1)
    found = rule.to_dtype(sums, dtype)
    for channel in range(3):
        levels = rule.levels[channel % rows].tolist()
        wanted = [dtype.values()[1 + sum(level <= total for level in levels)] for total in sums[:, channel].tolist()]
        assert found[:, channel].tolist() == wanted


@pytest.mark.parametrize("name", ["int8", "uint4", "int3", "dybit4", "udybit4", "fp4"])
@pytest.mark.parametrize("seed", range(4))
def test_a_requantizer_is_levels(name: str, seed: int) -> None:
    dtype, rng = parse_dtype(name), np.random.default_rng(seed)
    lo = 0 if seed % 2 else dtype.min
    requant = random_requant(rng, 3, (-500, 500), lo, max(1, dtype.max // (1 + seed)))
    rule = Thresholds.equal_to(requant, dtype, [(-500, 500)] * 3)
    node(rule, dtype).check((Shape(1, 1, 3),), (IntType(10),))
    sums = np.repeat(np.arange(-500, 501)[:, None], 3, axis=1)
    assert np.array_equal(rule.to_dtype(sums, dtype), requant.to_dtype(sums, dtype))


@pytest.mark.parametrize("end", [-8, 3, 7])
def test_a_requantizer_of_one_result_is_a_level(end: int) -> None:
    """The least value, one between, and the largest."""
    dtype, sums = IntType(4), np.arange(-20, 21)[:, None]
    rule = Thresholds.equal_to(Requant.identity(1, end, end), dtype, [(-20, 20)])
    node(rule, dtype).check((Shape(1, 1, 1),), (IntType(6),))
    assert set(rule.to_dtype(sums, dtype).ravel().tolist()) == {end}


@pytest.mark.parametrize(
    ("levels", "first", "why"),
    [
        ([[1, 2], [3, 4]], 0, r"field 'requant.levels': \(2, 2\) must have shape \(1 or 3, 1 or more\)"),
        ([[1, 5, 4]], 0, r"field 'requant.levels': \[5, 4\] must not fall, as those of channel 0 do"),
        ([[1, 2, 3]], 253, "field 'requant.first': 253 and 3 levels must lie within the 256 values of uint8"),
        ([[1, 2, 3]], -1, "field 'requant.first': -1 and 3 levels"),
    ],
)
def test_levels_that_do_not_fit_are_named(levels: list[list[int]], first: int, why: str) -> None:
    with pytest.raises(GraphError, match=f"graph node 'to', {why}"):
        node(Thresholds(np.array(levels), first), UINT8).check((Shape(2, 2, 3),), (UINT8,))
