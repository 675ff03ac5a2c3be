"""The nearest value of a format to torch's numbers: against numpy's, the grid itself, and rationals at every tie."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.minifloat import FloatType
from models.ir.formats.power_of_two import PowerType
from models.rounding import nearest_value
from models.sparse import SparseTensor

TYPES: list[DType] = [
    kind(width, signed) for kind in (IntType, DyBitType) for width in (2, 4, 8) for signed in (True, False)
] + [kind(width, signed) for kind in (FloatType, PowerType) for width in kind.widths for signed in (True, False)]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_nearest_of_integers_is_the_formats_own(dtype: DType) -> None:
    limit = 2 * max(dtype.max, -dtype.min) + 3
    values = np.arange(-limit, limit + 1)
    wanted = dtype.nearest_value(values)
    assert np.array_equal(nearest_value(torch.from_numpy(values), dtype).numpy(), wanted)
    assert np.array_equal(nearest_value(torch.from_numpy(values).double(), dtype).numpy(), wanted)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_nearest_of_reals_has_no_nearer_neighbour(dtype: DType) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2000, generator=generator, dtype=torch.float64) * dtype.max
    grid = torch.from_numpy(dtype.values()).double()
    wanted = (x[:, None] - grid).abs().min(dim=1).values
    found = nearest_value(x, dtype)
    assert torch.equal((x - found).abs(), wanted)
    assert torch.isin(found, grid).all()


EVERY = [
    kind(width, signed)
    for kind in (DyBitType, FloatType, PowerType)
    for width in kind.widths
    for signed in (True, False)
]


def neighborhood(values: Tensor) -> Tensor:
    """Each value, with the floats just below and above it."""
    up, down = torch.tensor(torch.inf).to(values), torch.tensor(-torch.inf).to(values)
    return torch.cat([values, values.nextafter(up), values.nextafter(down)])


@pytest.mark.parametrize("kind", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_nearest_is_exact_at_and_beside_every_tie(dtype: DyBitType, kind: torch.dtype) -> None:
    grid = torch.from_numpy(dtype.values()).to(kind)
    ties = (grid[:-1] + grid[1:]) / 2
    x = neighborhood(torch.cat([grid, ties, torch.tensor([0.0, 1e-30, 1e30, dtype.max + 1.0], dtype=kind)]))
    x = torch.cat([x, -x])
    # in fractions: the least distance, and at a tie the upper value
    assert nearest_value(x, dtype).tolist() == [
        nearest_fraction(Fraction(f), dtype.values().tolist()) for f in x.tolist()
    ]


def nearest_fraction(wanted: Fraction, values: list[int]) -> int:
    above = bisect_left(values, wanted)
    return min(values[max(0, above - 1) : above + 1], key=lambda value: (abs(wanted - value), -value))


@pytest.mark.parametrize("layout", ["rows", "channels last", "every other", "repeated"])
def test_nearest_follows_any_order_in_memory(layout: str) -> None:
    x = torch.randn(4, 6, 5, 8, generator=torch.Generator().manual_seed(0)) * 10
    laid = {
        "rows": x,
        "channels last": x.contiguous(memory_format=torch.channels_last),
        "every other": x.repeat_interleave(2, dim=3)[..., ::2],
        "repeated": x[:1].expand(4, 6, 5, 8),
    }[layout]
    before = laid.clone()
    for dtype in (DyBitType(4), DyBitType(5, False)):
        wanted = [nearest_value(value, dtype) for value in laid.flatten()]
        assert torch.equal(nearest_value(laid, dtype).flatten(), torch.stack(wanted))
    assert torch.equal(laid, before)


def test_of_a_sparse_tensor_the_features_are_rounded() -> None:
    x = torch.tensor([[[[0.0, 2.6], [-9.0, 0.0]]]])
    result = nearest_value(SparseTensor.from_dense(x), IntType(4))
    assert isinstance(result, SparseTensor)
    assert len(result.sites) == 2
    assert result.to_dense().tolist() == [[[[0.0, 3.0], [-8.0, 0.0]]]]
