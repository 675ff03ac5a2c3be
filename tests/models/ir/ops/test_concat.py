"""The concatenation of channels, and what it refuses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import GraphError, Shape
from models.ir.ops.concat import Concat
from models.ir.requant import Requant
from tests.models.ir.builders import DYBIT4, INT8, UINT8, random_frame, requant
from tests.models.ir.by_hand import nearest_by_hand


@pytest.mark.parametrize("dtype", [UINT8, IntType(4), DYBIT4], ids=str)
def test_concat_lays_channels_beside_each_other(dtype: DType) -> None:
    """Of two inputs of their own channels and formats, each channel with its own constants."""
    rng = np.random.default_rng(7)
    rule = requant(rng, 5, dtype, 128)
    node = Concat(name="both", inputs=("a", "b"), dtype=dtype, requant=rule)
    shapes = Shape(6, 6, 2), Shape(6, 6, 3)
    node.check(shapes, (INT8, UINT8))
    assert node.out_shape(*shapes) == Shape(6, 6, 5)
    a = random_frame(rng, shapes[0], INT8, 0.7)
    b = a.with_features(rng.integers(0, 256, (len(a.sites), 3)))
    got = node.compute(a, b)
    assert np.array_equal(got.sites, a.sites)
    for left, right, out in zip(a.features.tolist(), b.features.tolist(), got.features.tolist(), strict=True):
        for channel, value in enumerate(left + right):
            biased = (value << rule.fraction) + int(rule.bias[channel])
            exact = Fraction(biased * int(rule.mult[channel]), 2**rule.shift)
            assert out[channel] == nearest_by_hand(min(max(exact, Fraction(rule.lo)), Fraction(rule.hi)), dtype)


@pytest.mark.parametrize(
    ("shapes", "channels", "why"),
    [
        (
            (Shape(2, 2, 1), Shape(2, 3, 1)),
            2,
            r"field 'inputs': .* must have one height and width, not 2x2x1 and 2x3x1",
        ),
        ((Shape(2, 2, 1), Shape(2, 2, 3)), 2, r"field 'requant.bias': \(2,\) must have shape \(4,\)"),
    ],
)
def test_a_concat_that_does_not_fit_is_named(shapes: tuple[Shape, Shape], channels: int, why: str) -> None:
    node = Concat(name="both", inputs=("a", "b"), dtype=UINT8, requant=Requant.identity(channels, 0, 255))
    with pytest.raises(GraphError, match=f"graph node 'both', {why}"):
        node.check(shapes, (UINT8, UINT8))


def test_concat_refuses_inputs_with_different_sites() -> None:
    node = Concat(name="both", inputs=("a", "b"), dtype=UINT8, requant=Requant.identity(2, 0, 255))
    dense = random_frame(np.random.default_rng(1), Shape(2, 2, 1), UINT8)
    with pytest.raises(ValueError, match="'both': its two inputs have different active sites"):
        node.compute(dense, Frame(2, 2, dense.sites[1:], dense.features[1:]))
