"""From real factors, biases and clips to a layer's integers, and numbers that do not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.frontend.trace import trace
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.requant import BIAS_BITS, MAX_SHIFT
from models.layers.integers import Integers
from models.quant.fake import fake_quantize
from models.quant.integer import ACCUMULATOR_LIMIT, RangeError, bounds, fixed_point, integer_weighted
from tests.models.nets import net, quantized


@given(st.lists(st.floats(1e-9, 6e4), min_size=1, max_size=5))
def test_multipliers_use_their_bits(ratios: list[float]) -> None:
    ratio = torch.tensor(ratios, dtype=torch.float64)
    fixed = fixed_point("x", ratio, torch.zeros(len(ratios)), 0, 255)
    assert 0 <= fixed.shift <= MAX_SHIFT
    assert int(fixed.mult.max()) < 1 << 16
    assert fixed.shift == MAX_SHIFT or int(fixed.mult.max()) >= (1 << 15) - 1
    assert ((fixed.mult.double() / 2.0**fixed.shift - ratio).abs() <= 0.5 / 2.0**fixed.shift + 1e-12).all()


@given(st.lists(st.tuples(st.floats(1e-6, 60), st.floats(-200, 200)), min_size=1, max_size=5))
def test_biases_move_no_output_by_more_than_a_32nd_of_a_step(channels: list[tuple[float, float]]) -> None:
    """Also where one unit of the accumulator is many steps of the output."""
    ratio, bias = torch.tensor(channels, dtype=torch.float64).T
    fixed = fixed_point("x", ratio, bias, 0, 255)
    moved = (fixed.bias.double() / 2.0**fixed.fraction - bias) * ratio
    assert (moved.abs() <= 1 / 32).all()
    if float(ratio.max()) <= 1 / 16:
        assert not fixed.fraction


def test_a_factor_beyond_the_multipliers_is_refused() -> None:
    with pytest.raises(RangeError, match="layer 'x', requantize factor: 1e\\+05 must be below 65535"):
        fixed_point("x", torch.tensor([1e5]), torch.zeros(1), 0, 1)


def test_an_accumulator_beyond_int64_is_refused_and_a_wide_bias_is_kept() -> None:
    model, data = net("kernel7")
    plan = trace(model, data.shape)
    network = quantized("kernel7", "int8")
    source = network.integer_layers()[0].integers
    layer = next(layer for layer in plan.layers if layer.kind == "conv")
    weight, bias = layer.weight, layer.bias + 1.0  # type: ignore[attr-defined]
    tiny = torch.full((len(weight),), 1e-14, dtype=torch.float64)
    args = (layer, weight, bias, tiny, IntType(8), source, IntType(8), 0.01)
    made = integer_weighted(*args).integers  # type: ignore[arg-type]
    assert int(made.requants[0].bias.abs().max()) < 1 << (BIAS_BITS - 1)
    wide = DyBitType(8)
    huge = replace(source, dtype=IntType(40))
    with pytest.raises(RangeError, match=rf"accumulator: \d+ must stay below {ACCUMULATOR_LIMIT}"):
        integer_weighted(layer, weight, bias, tiny, wide, huge, wide, 0.01)  # type: ignore[arg-type]


def test_the_fraction_of_biases_counts_towards_the_accumulator() -> None:
    """Sums that fit by themselves, and do not once their biases' bits stand below them."""
    model, data = net("kernel7")
    plan = trace(model, data.shape)
    first = quantized("kernel7", "int8").integer_layers()[0].integers
    layer = next(layer for layer in plan.layers if layer.kind == "conv")
    weight = layer.weight  # type: ignore[attr-defined]
    bias = torch.full((len(weight),), 1e-6, dtype=torch.float64)
    steps = torch.full((len(weight),), 1e-4, dtype=torch.float64)

    def made(width: int) -> Integers:
        source = replace(first, dtype=IntType(width))
        # a unit of the sum is 2**10 steps of the output
        scale = first.scale * 1e-4 / 1024
        args = (layer, weight, bias, steps, IntType(8), source, IntType(8), scale)
        return integer_weighted(*args).integers  # type: ignore[arg-type]

    fraction, weights = made(8).requants[0].fraction, made(8).largest // 128
    assert fraction == 14
    room = (ACCUMULATOR_LIMIT - 1 >> fraction) // weights
    widest = room.bit_length()
    assert made(widest).largest << fraction < ACCUMULATOR_LIMIT
    assert weights << widest < ACCUMULATOR_LIMIT
    with pytest.raises(
        RangeError, match=rf"accumulator: {weights << widest} must stay below {ACCUMULATOR_LIMIT >> 14}$"
    ):
        made(widest + 1)


@pytest.mark.parametrize("name", ["uint4", "int8", "udybit3", "udybit4", "dybit4", "udybit8"])
def test_what_is_clipped_ends_where_fake_quantization_takes_it(name: str) -> None:
    """A ReLU6 at every scale: also where 6 lies beside the middle of two values of a tapered format."""
    dtype = parse_dtype(name)
    for scale in np.geomspace(6 / dtype.max / 2, 6, 400):
        end = fake_quantize(torch.tensor([6.0], dtype=torch.float64), torch.tensor(scale), dtype)
        assert bounds((0.0, 6.0), float(scale), dtype) == (0, round(float(end) / scale))
