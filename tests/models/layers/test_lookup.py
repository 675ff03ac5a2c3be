"""Functions of single numbers as tables: golden's integers, and each result the nearest to the function's."""

from __future__ import annotations

import functools

import pytest
import torch
import torch.nn.functional as F

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.layers.integers import Integers
from models.layers.lookup import LookupLayer
from models.quant.integer import integer_table
from tests.models.layers.small import assert_golden_agrees, integer_images

SOURCE = Integers(dtype=IntType(4), scale=0.25)
SHAPE = Shape(4, 5, 2)


def layers() -> dict[str, LookupLayer]:
    common = {"name": "f", "inputs": ("x",), "shape": SHAPE}
    return {
        "sigmoid": LookupLayer(**common, function=torch.sigmoid, clip=(0.0, torch.inf)),
        "leaky": LookupLayer(**common, function=functools.partial(F.leaky_relu, negative_slope=0.3)),
        "prelu": LookupLayer(**common, function=F.prelu, weight=torch.tensor([0.5, -2.0])),
        "clipped": LookupLayer(**common, function=F.silu, clip=(-0.1, 1.0)),
    }


@pytest.mark.parametrize("dtype", [IntType(6), DyBitType(5)])
@pytest.mark.parametrize("name", layers())
def test_golden_looks_up_the_same(name: str, dtype: DType) -> None:
    own = integer_table(layers()[name], SOURCE, dtype, 0.1).integers
    assert_golden_agrees(layers()[name], own, integer_images(2, 4, 5))


@pytest.mark.parametrize("name", layers())
def test_results_are_the_nearest_to_the_function_s(name: str) -> None:
    layer, scale = layers()[name], 0.01
    x = torch.arange(-8, 8).repeat(2, 1).view(1, 2, 1, 16)
    own = integer_table(layer, SOURCE, IntType(16), scale).integers
    wanted = (
        layer.clipped(x.double() * SOURCE.scale)
        if layer.weight is None
        else F.prelu(x.double() * SOURCE.scale, torch.tensor([0.5, -2.0]).double())
    )
    assert (layer.integer(own, x) * scale - wanted).abs().max() <= scale / 2 + 1e-6


def test_only_layers_of_a_kind_with_tables_have_one() -> None:
    assert LookupLayer.tabulated
    own = integer_table(layers()["prelu"], SOURCE, IntType(8), 1.0).integers
    assert own.table is not None
    assert own.table.shape == (2, 16)
