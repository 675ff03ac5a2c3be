"""The residual add: two roundings, two clips, and what it refuses."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from models.ir import golden
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import GraphError, Shape
from models.ir.ops.add import Add
from models.ir.requant import Requant
from tests.models.ir.builders import DYBIT4, INT8, UDYBIT4, UINT8, random_frame, requant, single
from tests.models.ir.by_hand import by_hand, nearest_by_hand


@pytest.mark.parametrize("dtype", [UINT8, INT8, UDYBIT4, DYBIT4], ids=str)
def test_add_clips_each_branch_then_the_sum(dtype: DType) -> None:
    rng = np.random.default_rng(5)
    lo, hi = dtype.min // 2, dtype.max - dtype.max // 4
    a, b = (dataclasses.replace(requant(rng, 2, dtype, 128), lo=dtype.min, hi=dtype.max) for _ in range(2))
    node = Add(name="sum", inputs=(), dtype=dtype, a=a, b=b, lo=lo, hi=hi)
    frame = random_frame(rng, Shape(6, 6, 2), INT8, 0.7)
    got = golden.run(single(node, Shape(6, 6, 2), INT8), frame)["sum"]
    for row, out in zip(frame.features.tolist(), got.features.tolist(), strict=True):
        for channel, value in enumerate(row):
            total = Fraction(by_hand(value, channel, a) + by_hand(value, channel, b), 2**dtype.guard_bits)
            assert out[channel] == nearest_by_hand(min(max(total, Fraction(lo)), Fraction(hi)), dtype)


def test_add_refuses_branches_with_different_sites() -> None:
    rng = np.random.default_rng(1)
    rule = Requant.identity(1, 0, 255)
    node = Add(name="sum", inputs=("a", "b"), dtype=UINT8, a=rule, b=rule, lo=0, hi=255)
    dense = random_frame(rng, Shape(2, 2, 1), UINT8)
    with pytest.raises(ValueError, match="'sum': its two inputs have different active sites"):
        node.compute(dense, Frame(2, 2, dense.sites[1:], dense.features[1:]))


@pytest.mark.parametrize("changes", [{"lo": -(2**62) - 1}, {"hi": 2**62}])
def test_what_a_branch_of_an_add_is_clipped_to_leaves_room_for_the_other(changes: dict[str, int]) -> None:
    rule = Requant.identity(1, -(2**62), 2**62 - 1)
    node = Add(name="op", inputs=(), dtype=INT8, a=rule, b=dataclasses.replace(rule, **changes), lo=-128, hi=127)
    with pytest.raises(GraphError, match=f"field 'b.lo, b.hi': .* must lie within int63, -{2**62} to {2**62 - 1}"):
        single(node, Shape(1, 1, 1), INT8)
