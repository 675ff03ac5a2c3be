from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.minifloat import FloatType
from models.ir.formats.power_of_two import PowerType
from models.quant.fake import clip, fake_quantize, round_through
from models.rounding import nearest_value

TYPES: list[DType] = [
    kind(width, signed) for kind in (IntType, DyBitType) for width in (2, 4, 8) for signed in (True, False)
] + [kind(width, signed) for kind in (FloatType, PowerType) for width in kind.widths for signed in (True, False)]


def composed(x: Tensor, scale: Tensor, dtype: DType) -> Tensor:
    """The same by plain operations: what autograd makes of clamping and a detached rounding error."""
    steps = torch.clamp(x / scale, dtype.min, dtype.max)
    return scale * (steps + (nearest_value(steps, dtype) - steps).detach())


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


@pytest.mark.parametrize("scale", [0.1, 1.0], ids=["far beyond", "at the ends"])
@pytest.mark.parametrize("dtype", [IntType(4), IntType(3, False), DyBitType(4), DyBitType(3, False)], ids=str)
def test_gradients_of_a_scalar_scale_include_the_ends_of_the_range(dtype: DType, scale: float) -> None:
    one = torch.tensor(scale, dtype=torch.float64)
    x = torch.from_numpy(dtype.values()).double() * one
    x = torch.cat([x, 1.5 * x])
    grads = []
    for function in (fake_quantize, composed):
        inputs = x.clone().requires_grad_(), one.clone().requires_grad_()
        grads.append(torch.autograd.grad(function(*inputs, dtype).sum(), inputs))
    for ours, wanted in zip(*grads, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-9, atol=1e-9)


def test_clip_bounds_values_and_lets_gradients_through_between() -> None:
    x = torch.tensor([-2.0, -0.5, 0.5, 7.0], requires_grad=True)
    for low, high in ((-math.inf, math.inf), (0.0, math.inf), (0.0, 6.0), (-1.0, 1.0)):
        y = clip(x, low, high)
        assert torch.equal(y, x.clamp(low, high))
        (grad,) = torch.autograd.grad(y.sum(), x)
        assert grad.tolist() == [float(low < value < high) for value in x.tolist()]


def test_round_through_rounds_and_passes_gradients_on() -> None:
    x = torch.tensor([0.3, -0.8], requires_grad=True)
    scale = torch.tensor(0.5, requires_grad=True)
    y = round_through(x, scale)
    assert y.tolist() == [0.5, -1.0]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 1.0]
    assert scale.grad is None
