from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from models.data.dataset import Dataset
from models.frontend.trace import trace
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.quant.calibrate import IMAGES, SAMPLE, SCALE_SPREAD, Calibration, choose_scale, limit_spread
from models.quant.formats import LOGITS
from models.rounding import nearest_value
from tests.models.nets import net

TYPES: list[DType] = [IntType(8), IntType(4, False), IntType(2), DyBitType(8, False), DyBitType(4), DyBitType(3, False)]


def rows(signed: bool) -> torch.Tensor:
    x = torch.randn(4, 3000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x * torch.tensor([[0.01], [1.0], [3.0], [50.0]])
    return x if signed else x.abs()


def error(x: torch.Tensor, scale: torch.Tensor, dtype: DType) -> torch.Tensor:
    return (nearest_value(x / scale[:, None], dtype) * scale[:, None] - x).square().mean(dim=1)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_minmax_reaches_the_largest_value_and_percentile_does_not(dtype: DType) -> None:
    x = rows(dtype.signed)
    top = max(dtype.max, -dtype.min)
    torch.testing.assert_close(choose_scale(x, dtype, "minmax") * top, x.abs().amax(dim=1))
    reach = choose_scale(x, dtype, "percentile") * top
    beyond = (x.abs() > reach[:, None]).double().mean(dim=1)
    assert ((beyond > 0) & (beyond <= 0.0011)).all()


def skewed(kind: str) -> torch.Tensor:
    """Distributions as activations have them, a thousand values each."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1000, generator=generator, dtype=torch.float64)
    return {
        "normal": x,
        "long tail": x**3,
        "more above": torch.where(x > 0, 5 * x, x),
        "more below": torch.where(x > 0, x, 5 * x),
        "mostly zero": torch.where(x > 1.3, x, 0.0),
        "one outlier": torch.cat([x, torch.tensor([40.0])]),
        "few values": x.round(),
    }[kind][None]


SHORT: list[DType] = [
    kind(width, signed) for kind in (IntType, DyBitType) for width in (2, 3, 4) for signed in (False, True)
]
KINDS = ("normal", "long tail", "more above", "more below", "mostly zero", "one outlier", "few values")


@pytest.mark.few(20)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", SHORT, ids=str)
def test_no_scale_has_a_noticeably_smaller_squared_error(dtype: DType, kind: str) -> None:
    x = skewed(kind) if dtype.signed else skewed(kind).abs()
    ours = float(error(x, choose_scale(x, dtype, "mse"), dtype))
    # all scales by 0.4 %, from where the root of the mean square saturates to where all values lie on the first step
    ends = torch.stack([x.square().mean().sqrt() / dtype.max, 2 * x.abs().amax()]).log2()
    every = 2.0 ** torch.arange(float(ends[0]), float(ends[1]), 0.006, dtype=torch.float64)
    values = torch.from_numpy(dtype.values()).double()
    least = min(
        float((x - scale * values[(x.T - scale * values).abs().argmin(dim=1)]).square().mean()) for scale in every
    )
    # a few values that lie on the grid themselves have an error of nearly 0 at one scale, and only there
    assert ours <= 1.02 * least + (3e-3 * float(x.square().mean()) if kind == "few values" else 0.0)


def test_zeros_and_far_smaller_channels_have_usable_scales() -> None:
    zero = choose_scale(torch.zeros(2, 5, dtype=torch.float64), IntType(8), "mse")
    assert zero.tolist() == [0.0, 0.0]
    assert limit_spread(zero).tolist() == [1.0, 1.0]
    assert limit_spread(torch.tensor([1.0, 0.0, 1e-9])).tolist() == [1.0, SCALE_SPREAD, SCALE_SPREAD]


def test_scales_of_a_plan() -> None:
    model, data = net("depthwise")
    plan = trace(model, data.shape)
    scales = Calibration(plan, data, "minmax")
    x = torch.from_numpy(data.train_x)
    largest = {name: float(value.abs().max()) for name, value in plan.values(x).items()}
    name = plan.quantizable_layers[0]
    assert scales.activation("input", data.input_dtype) == data.input_scale
    assert scales.activation(name, IntType(4, False)) == pytest.approx(largest[name] / 15)
    assert scales.activation(plan.output, LOGITS) == pytest.approx(2 * largest[plan.output] / 32768)
    weight = plan[name].weight  # type: ignore[attr-defined]
    torch.testing.assert_close(scales.weight(name, IntType(8)) * 128, weight.double().abs().amax(dim=(1, 2, 3)))
    assert scales.weight(name, IntType(8)) is scales.weight(name, IntType(8))


def test_a_sample_of_a_layer_sees_every_column() -> None:
    """Every other column is dark, in images whose values are a power of two in number."""
    images = np.zeros((IMAGES, 1, 16, 16), np.float32)
    images[..., 1::2] = 1.0
    assert images.size // SAMPLE == 8
    labels = np.arange(IMAGES) % 2
    data = Dataset("columns", images, labels, *2 * (images[:2], labels[:2]), 2, IntType(4, False), 1 / 8)
    copy = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(copy.weight)
    plan = trace(nn.Sequential(copy, nn.ReLU(), nn.Flatten(), nn.Linear(256, 2)).eval(), data.shape)
    scales = Calibration(plan, data, "percentile")
    assert scales.activation(plan.quantizable_layers[0], IntType(8, False)) == pytest.approx(1 / 255)


def test_unknown_method_is_named() -> None:
    model, data = net("depthwise")
    with pytest.raises(ValueError, match="unknown calibration 'median'; valid are minmax, percentile, mse"):
        Calibration(trace(model, data.shape), data, "median")
