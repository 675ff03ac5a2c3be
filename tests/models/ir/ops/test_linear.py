"""The fully connected layer: weighted sums over the whole frame, by their place."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir import golden
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.linear import Linear
from models.ir.requant import Requant
from tests.models.ir.builders import DYBIT4, INT8, INT16, UDYBIT4, UINT8, random_frame, requant, single, tensor
from tests.models.ir.by_hand import DENSITIES, by_hand


@pytest.mark.parametrize("density", [*DENSITIES, 0.0])
def test_sums_are_those_of_the_whole_frame(density: float) -> None:
    rng = np.random.default_rng(3)
    frame = random_frame(rng, Shape(4, 5, 6), UDYBIT4, density)
    weight = tensor(rng, DYBIT4, 7, 4, 5, 6)
    rule = requant(rng, 7, INT16, 120 * 64 * 16)
    linear = Linear(name="fc", inputs=(), dtype=INT16, weight=weight, weight_dtype=DYBIT4, requant=rule)
    sums = (weight.reshape(7, -1) * frame.to_dense().reshape(-1)).sum(axis=1)
    result = golden.run(single(linear, Shape(4, 5, 6), UDYBIT4), frame)["fc"]
    assert result.features.tolist() == [[by_hand(int(acc), c, rule) for c, acc in enumerate(sums)]]


def test_a_weight_is_indexed_out_y_x_in() -> None:
    """One weight is not zero: the output that shows it says which index is which."""
    weight = np.zeros((2, 2, 3, 4), np.int64)
    weight[1, 0, 2, 3] = 5
    rule = Requant.identity(2, 0, 255)
    node = Linear(name="fc", inputs=(), dtype=UINT8, weight=weight, weight_dtype=INT8, requant=rule)
    image = np.arange(24).reshape(2, 3, 4)
    result = golden.run(single(node, Shape(2, 3, 4), UINT8), Frame.from_dense(image))["fc"]
    assert result.to_dense().tolist() == [[[0, 5 * 11]]]
