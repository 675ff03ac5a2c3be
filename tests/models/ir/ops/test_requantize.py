"""A requantization on its own, from integers to other formats."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.ops.requantize import Requantize
from tests.models.ir.builders import DYBIT4, INT8, UDYBIT4, random_frame, requant
from tests.models.ir.by_hand import check


@pytest.mark.parametrize("dtype", [IntType(4), UDYBIT4, DYBIT4], ids=str)
def test_requantize_node_changes_the_format(dtype: DType) -> None:
    rng = np.random.default_rng(6)
    node = Requantize(name="cast", inputs=(), dtype=dtype, requant=requant(rng, 3, dtype, 128))
    frame = random_frame(rng, Shape(5, 7, 3), INT8, 0.5)
    check(node, frame, INT8, frame.to_dense(), frame.mask)
