"""Fully connected layers: golden's integers, what each weight sees, and which batch norms the weights can take in."""

from __future__ import annotations

import pytest
import torch

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.layers.integers import Integers
from models.layers.linear import LinearLayer
from tests.models.layers.small import assert_golden_agrees, integer_images, requant_params, with_active_sites

WEIGHT = torch.randint(-4, 4, (2, 3, 4, 5), generator=torch.Generator().manual_seed(2)).double()
LINEAR = LinearLayer(
    name="fc", inputs=("x",), shape=Shape(1, 1, 2), weight=WEIGHT, bias=torch.tensor([1.0, -2.0]).double()
)


@pytest.mark.parametrize("dtype", [IntType(6), DyBitType(5, False)])
def test_golden_multiplies_the_same(dtype: DType) -> None:
    """Its weights have the channels last."""
    requant = requant_params([3, 5], 5, dtype.min, dtype.max, bias=2)
    own = Integers(dtype=dtype, scale=1.0, weight=WEIGHT.long(), weight_dtype=IntType(3), requants=(requant,))
    assert_golden_agrees(LINEAR, own, integer_images(3, 4, 5))


@pytest.mark.parametrize("sparse", [False, True])
def test_outputs_are_products_of_weights_with_what_they_see(sparse: bool) -> None:
    x = integer_images(3, 4, 5).double()
    expected = torch.einsum("ochw,nchw->no", WEIGHT, with_active_sites(x).to_dense() if sparse else x)
    x = with_active_sites(x) if sparse else x
    assert torch.equal(LINEAR.unfold(x)[0] @ WEIGHT.flatten(1).T, expected)
    assert torch.equal(LINEAR.compute(x).flatten(1), expected + LINEAR.bias)


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_take_in_a_norm_exactly_where_no_output_changes(sparse: bool) -> None:
    x = integer_images(3, 4, 5).double()
    x = with_active_sites(x) if sparse else x
    scale = torch.tensor([2.0, 1.0, -3.0]).double()
    for offset in (torch.zeros(3).double(), torch.tensor([1.0, 0.0, 5.0]).double()):
        before = LINEAR.compute(x * scale[:, None, None] + offset[:, None, None])
        shift = (WEIGHT * LINEAR.by_input(offset)[..., None, None]).sum(dim=(1, 2, 3))
        after = LINEAR.weigh(x, WEIGHT * LINEAR.by_input(scale)[..., None, None], LINEAR.bias + shift)
        assert LINEAR.absorbs_norm(bool(offset.any()), sparse) == torch.equal(before, after)
