"""Convolution against torch and plain loops, over windows, formats and densities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models.ir import golden
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.conv import Conv
from models.ir.requant import Requant
from tests.models.ir.builders import DYBIT4, INT8, UDYBIT4, UINT8, conv, random_frame, single
from tests.models.ir.by_hand import DENSITIES, WINDOWS, active_by_hand, check, planes


@pytest.mark.few(24)
@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_convolution_equals_torch_at_the_active_sites(kernel: int, stride: int, padding: int, density: float) -> None:
    rng = np.random.default_rng(kernel * 100 + stride * 10 + padding)
    shape = Shape(8, 9, 3)
    frame = random_frame(rng, shape, UINT8, density)
    for depthwise, out in ((False, 4), (True, 3)):
        node = conv(rng, 3, out, kernel, stride=stride, padding=padding, depthwise=depthwise)
        weight = torch.from_numpy(node.weight).double()
        sums = F.conv2d(planes(frame.to_dense()), weight, stride=stride, padding=padding, groups=3 if depthwise else 1)
        acc = sums[0].numpy().transpose(1, 2, 0).astype(np.int64)
        mask = active_by_hand(node, frame.mask)
        assert density < 1 or mask.all()
        check(node, frame, UINT8, acc, mask)


@pytest.mark.parametrize("weights", [INT8, IntType(4), DyBitType(8), DYBIT4], ids=str)
@pytest.mark.parametrize("source", [INT8, IntType(4, False), DyBitType(8, False), UDYBIT4], ids=str)
@pytest.mark.parametrize("dtype", [UINT8, UDYBIT4], ids=str)
def test_convolution_over_mixed_formats(weights: DType, source: DType, dtype: DType) -> None:
    rng = np.random.default_rng(7)
    node = conv(rng, 2, 3, 3, weights=weights, source=source, dtype=dtype)
    frame = random_frame(rng, Shape(5, 4, 2), source, 0.6)
    image, acc = frame.to_dense(), np.zeros((5, 4, 3), dtype=object)
    for y, x, o, ky, kx, c in np.ndindex(5, 4, 3, 3, 3, 2):
        if 0 <= y + ky - 1 < 5 and 0 <= x + kx - 1 < 4:
            acc[y, x, o] += int(image[y + ky - 1, x + kx - 1, c]) * int(node.weight[o, c, ky, kx])
    check(node, frame, source, acc.astype(np.int64), frame.mask)


def test_conv_weight_is_indexed_out_in_y_x() -> None:
    """One weight, one pixel: where the product lands says which index is which."""
    weight = np.zeros((2, 2, 3, 3), np.int64)
    weight[1, 0, 0, 2] = 5
    node = Conv(
        name="conv", inputs=(), dtype=UINT8, kernel=3, padding=1, weight=weight, weight_dtype=INT8,
        requant=Requant.identity(2, 0, 255),
    )  # fmt: skip
    image = np.zeros((4, 4, 2), np.int64)
    image[1, 2, 0] = 7
    out = golden.run(single(node, Shape(4, 4, 2), UINT8), Frame.from_dense(image))["conv"].to_dense()
    assert np.argwhere(out).tolist() == [[2, 1, 1]]
    assert out[2, 1, 1] == 35
