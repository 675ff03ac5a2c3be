from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from models.ir.dtype import DType, DyBitType, IntType
from models.quant.fake import fake_quantize, nearest, round_through

TYPES: list[DType] = [
    kind(width, signed) for kind in (IntType, DyBitType) for width in (2, 4, 8) for signed in (True, False)
]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_nearest_of_integers_is_the_formats_own(dtype: DType) -> None:
    limit = 2 * max(dtype.max, -dtype.min) + 3
    values = np.arange(-limit, limit + 1)
    wanted = dtype.nearest(values)
    assert np.array_equal(nearest(torch.from_numpy(values), dtype).numpy(), wanted)
    assert np.array_equal(nearest(torch.from_numpy(values).double(), dtype).numpy(), wanted)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_nearest_of_reals_has_no_nearer_neighbour(dtype: DType) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2000, generator=generator, dtype=torch.float64) * dtype.max
    grid = torch.from_numpy(dtype.values()).double()
    wanted = (x[:, None] - grid).abs().min(dim=1).values
    found = nearest(x, dtype)
    assert torch.equal((x - found).abs(), wanted)
    assert torch.isin(found, grid).all()


def composed(x: Tensor, scale: Tensor, dtype: DType) -> Tensor:
    """The same by plain operations: what autograd makes of clamping and a detached rounding error."""
    steps = torch.clamp(x / scale, dtype.min, dtype.max)
    return scale * (steps + (nearest(steps, dtype) - steps).detach())


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_gradients_go_straight_through(dtype: DType) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(3, 400, generator=generator, dtype=torch.float64) * 2
    weights = torch.randn(3, 400, generator=generator, dtype=torch.float64)
    scale = torch.tensor([[0.5], [0.1], [2.0]], dtype=torch.float64) * 4 / dtype.max
    grads = []
    for function in (fake_quantize, composed):
        inputs = x.clone().requires_grad_(), scale.clone().requires_grad_()
        y = function(*inputs, dtype)
        grads.append((y.detach(), *torch.autograd.grad((y * weights).sum(), inputs)))
    for ours, wanted in zip(*grads, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-9, atol=1e-9)


def test_a_scalar_scale_gathers_the_whole_gradient() -> None:
    x = torch.tensor([[0.3, 9.0], [-9.0, 0.0]])
    scale = torch.tensor(1.0, requires_grad=True)
    fake_quantize(x, scale, IntType(4)).sum().backward()
    # 0.3 rounds down by 0.3; 9 and -9 saturate at 7 and -8
    torch.testing.assert_close(scale.grad, torch.tensor(-0.3 + 7 - 8))


def test_round_through_rounds_and_passes_gradients_on() -> None:
    x = torch.tensor([0.3, -0.8], requires_grad=True)
    scale = torch.tensor(0.5, requires_grad=True)
    y = round_through(x, scale)
    assert y.tolist() == [0.5, -1.0]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 1.0]
    assert scale.grad is None
