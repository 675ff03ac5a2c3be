"""Convolution layers: golden's integers, what each weight sees, and which batch norms the weights can take in."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.window import Sizes, both
from models.layers.conv import ConvLayer
from models.layers.integers import Integers
from models.sparse import SparseTensor
from tests.models.layers.small import assert_golden_agrees, integer_images, requant_params, with_active_sites

WINDOWS: list[tuple[Sizes, Sizes, Sizes, Sizes]] = [
    (1, 1, 0, 1), (1, 2, 0, 1), (2, 1, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (3, 2, 0, 1), ((1, 3), (2, 1), (0, 1), 1),
    (3, 2, (0, 0, 1, 1), 1), (2, (3, 1), (1, 0, 1, 1), (2, 1)),
]  # fmt: skip
"""Kernel, stride, padding and dilation."""


def layer(kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, depthwise: bool, c_in: int = 3) -> ConvLayer:
    """Weights that are integers of 3 bits."""
    shape = (c_in, 1) if depthwise else (2, c_in)
    weight = torch.randint(-4, 4, (*shape, *both(kernel)), generator=torch.Generator().manual_seed(2)).double()
    bias = torch.arange(len(weight)).double()
    return ConvLayer(
        name="conv", inputs=("x",), shape=Shape(1, 1, len(weight)), weight=weight, bias=bias, stride=stride,
        padding=padding, dilation=dilation, groups=c_in if depthwise else 1,
    )  # fmt: skip


def dense(x: Tensor) -> Tensor:
    return x.to_dense() if isinstance(x, SparseTensor) else x


@pytest.mark.parametrize("dtype", [IntType(6), DyBitType(5, False)])
@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("kernel, stride, padding, dilation", WINDOWS)
def test_golden_convolves_the_same(
    kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, depthwise: bool, dtype: IntType
) -> None:
    conv = layer(kernel, stride, padding, dilation, depthwise)
    requant = requant_params([3, 5, 2][: len(conv.weight)], 4, dtype.min, dtype.max, bias=2)
    own = Integers(dtype=dtype, scale=1.0, weight=conv.weight.long(), weight_dtype=IntType(3), requants=(requant,))
    assert_golden_agrees(conv, own, integer_images(3, 5, 4))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("kernel, stride, padding, dilation", WINDOWS)
def test_outputs_are_products_of_weights_with_what_they_see(
    kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, depthwise: bool, sparse: bool
) -> None:
    conv = layer(kernel, stride, padding, dilation, depthwise)
    x = integer_images(3, 5, 4).double()
    x = with_active_sites(x) if sparse else x
    outputs = conv.weigh(x, conv.weight, None)
    rows = outputs.features if isinstance(outputs, SparseTensor) else outputs.permute(0, 2, 3, 1).flatten(0, 2)
    seen, weight = conv.unfold(x), conv.weight.flatten(1)
    if depthwise:
        assert torch.equal(torch.einsum("cmk,ck->mc", seen, weight), rows)
    else:
        assert len(seen) == 1
        assert torch.equal(seen[0] @ weight.T, rows)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("kernel, stride, padding, dilation", WINDOWS)
def test_weights_take_in_a_norm_exactly_where_no_output_changes(
    kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, depthwise: bool, sparse: bool
) -> None:
    conv = layer(kernel, stride, padding, dilation, depthwise)
    x = integer_images(3, 5, 4).double()
    x = with_active_sites(x) if sparse else x
    scale = torch.tensor([2.0, 1.0, -3.0]).double()
    for offset in (torch.zeros(3).double(), torch.tensor([1.0, 0.0, 5.0]).double()):
        before = conv.compute(x * scale[:, None, None] + offset[:, None, None])
        shift = (conv.weight * conv.by_input(offset)[..., None, None]).sum(dim=(1, 2, 3))
        after = conv.weigh(x, conv.weight * conv.by_input(scale)[..., None, None], conv.bias + shift)
        assert conv.absorbs_norm(bool(offset.any()), sparse) == torch.equal(dense(before), dense(after))


def test_groups_follow_the_weights() -> None:
    """A depthwise kernel of ones sums each channel alone, a full one all of them."""
    x = torch.tensor([1.0, 10.0, 100.0]).view(1, 3, 1, 1)
    assert layer(1, 1, 0, 1, True).weigh(x, torch.ones(3, 1, 1, 1), None).flatten().tolist() == [1.0, 10.0, 100.0]
    assert layer(1, 1, 0, 1, False).weigh(x, torch.ones(1, 3, 1, 1), None).flatten().tolist() == [111.0]
