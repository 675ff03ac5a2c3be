"""Max pooling against torch's, and the windows that it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch.nn.functional as F

from models.ir import golden
from models.ir.node import GraphError, Shape
from models.ir.ops.max_pool import MaxPool
from tests.models.ir.builders import INT8, random_frame, single
from tests.models.ir.by_hand import DENSITIES, WINDOWS, active_by_hand, planes


@pytest.mark.few(24)
@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("kernel, stride, padding", [w for w in WINDOWS if w[0] >= w[1]])
def test_the_largest_equals_torchs_at_the_active_sites(kernel: int, stride: int, padding: int, density: float) -> None:
    frame = random_frame(np.random.default_rng(kernel), Shape(8, 9, 3), INT8, density)
    node = MaxPool(name="pool", inputs=(), dtype=INT8, kernel=kernel, stride=stride, padding=padding)
    image = np.where(frame.mask[:, :, None], frame.to_dense(), -1000)
    expected = F.max_pool2d(planes(image), kernel, stride, padding)[0].numpy().transpose(1, 2, 0).astype(np.int64)
    mask = active_by_hand(node, frame.mask)
    result = golden.run(single(node, Shape(8, 9, 3), INT8), frame)["pool"]
    assert np.array_equal(result.mask, mask)
    assert np.array_equal(result.features, expected[mask])


def test_a_window_smaller_than_its_stride_is_refused() -> None:
    node = MaxPool(name="pool", inputs=(), dtype=INT8, kernel=1, stride=2)
    with pytest.raises(
        GraphError,
        match=r"^graph node 'pool', field 'kernel': 1 must be at least the stride, 2: no window may be empty$",
    ):
        single(node, Shape(4, 4, 1), INT8)
