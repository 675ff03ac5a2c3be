"""Global pooling: one site, the sum of all that are active."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.node import Shape
from models.ir.ops.global_pool import GlobalPool
from tests.models.ir.builders import UDYBIT4, UINT8, random_frame, requant
from tests.models.ir.by_hand import DENSITIES, check


@pytest.mark.parametrize("density", [*DENSITIES, 0.0])
def test_the_sum_is_that_of_the_whole_frame(density: float) -> None:
    rng = np.random.default_rng(3)
    frame = random_frame(rng, Shape(4, 5, 6), UDYBIT4, density)
    image = frame.to_dense()
    pool = GlobalPool(name="pool", inputs=(), dtype=UINT8, requant=requant(rng, 6, UINT8, 20 * 64))
    total = np.array([[[sum(image[y, x, c] for y in range(4) for x in range(5)) for c in range(6)]]])
    check(pool, frame, UDYBIT4, total, np.ones((1, 1), bool))
