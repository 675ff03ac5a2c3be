"""Average pooling: the sums over active sites against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models.ir.node import Shape
from models.ir.ops.avg_pool import AvgPool
from tests.models.ir.builders import INT8, random_frame, requant
from tests.models.ir.by_hand import DENSITIES, WINDOWS, active_by_hand, check, planes


@pytest.mark.few(24)
@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("kernel, stride, padding", [w for w in WINDOWS if w[0] >= w[1]])
def test_sums_equal_torch_at_the_active_sites(kernel: int, stride: int, padding: int, density: float) -> None:
    rng = np.random.default_rng(kernel)
    frame = random_frame(rng, Shape(8, 9, 3), INT8, density)
    node = AvgPool(
        name="pool", inputs=(), dtype=INT8, kernel=kernel, stride=stride, padding=padding,
        requant=requant(rng, 3, INT8, 128 * kernel**2),
    )  # fmt: skip
    ones = torch.ones((3, 1, kernel, kernel), dtype=torch.float64)
    sums = F.conv2d(planes(frame.to_dense()), ones, stride=stride, padding=padding, groups=3)
    mask = active_by_hand(node, frame.mask)
    check(node, frame, INT8, sums[0].numpy().transpose(1, 2, 0).astype(np.int64), mask)
