from __future__ import annotations

import pytest
import torch

from models.ir.dtype import DType, DyBitType, IntType
from models.quant.calibrate import SCALE_SPREAD, Calibration, bounded, choose_scale
from models.quant.fake import nearest
from models.quant.formats import LOGITS
from models.trace import trace
from tests.models.nets import net

TYPES: list[DType] = [IntType(8), IntType(4, False), IntType(2), DyBitType(8, False), DyBitType(4), DyBitType(3, False)]


def rows(signed: bool) -> torch.Tensor:
    x = torch.randn(4, 3000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x * torch.tensor([[0.01], [1.0], [3.0], [50.0]])
    return x if signed else x.abs()


def error(x: torch.Tensor, scale: torch.Tensor, dtype: DType) -> torch.Tensor:
    return (nearest(x / scale[:, None], dtype) * scale[:, None] - x).square().mean(dim=1)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_minmax_reaches_the_largest_value_and_percentile_does_not(dtype: DType) -> None:
    x = rows(dtype.signed)
    top = max(dtype.max, -dtype.min)
    torch.testing.assert_close(choose_scale(x, dtype, "minmax") * top, x.abs().amax(dim=1))
    reach = choose_scale(x, dtype, "percentile") * top
    beyond = (x.abs() > reach[:, None]).double().mean(dim=1)
    assert ((beyond > 0) & (beyond <= 0.0011)).all()


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_mse_is_as_good_as_a_fine_search(dtype: DType) -> None:
    x = rows(dtype.signed)
    ours = error(x, choose_scale(x, dtype, "mse"), dtype)
    top = x.abs().amax(dim=1) / dtype.max
    fine = torch.stack([error(x, top * factor, dtype) for factor in torch.logspace(-2, 3, 500)])
    assert (ours <= 1.05 * fine.min(dim=0).values).all()


def test_zeros_and_far_smaller_channels_have_usable_scales() -> None:
    zero = choose_scale(torch.zeros(2, 5, dtype=torch.float64), IntType(8), "mse")
    assert zero.tolist() == [0.0, 0.0]
    assert bounded(zero).tolist() == [1.0, 1.0]
    assert bounded(torch.tensor([1.0, 0.0, 1e-9])).tolist() == [1.0, SCALE_SPREAD, SCALE_SPREAD]


def test_scales_of_a_plan() -> None:
    model, data = net("depthwise")
    plan = trace(model, data.shape)
    scales = Calibration(plan, data, "minmax")
    x = torch.from_numpy(data.train_x)
    largest = {name: float(value.abs().max()) for name, value in plan.values(x).items()}
    name = plan.choices[0]
    assert scales.activation("input", data.input_dtype) == data.input_scale
    assert scales.activation(name, IntType(4, False)) == pytest.approx(largest[name] / 15)
    assert scales.activation(plan.output, LOGITS) == pytest.approx(2 * largest[plan.output] / 32768)
    weight = plan[name].weight  # type: ignore[attr-defined]
    torch.testing.assert_close(scales.weight(name, IntType(8)) * 128, weight.double().abs().amax(dim=(1, 2, 3)))
    assert scales.weight(name, IntType(8)) is scales.weight(name, IntType(8))


def test_unknown_method_is_named() -> None:
    model, data = net("depthwise")
    with pytest.raises(ValueError, match="unknown calibration 'median'; valid are minmax, percentile, mse"):
        Calibration(trace(model, data.shape), data, "median")
