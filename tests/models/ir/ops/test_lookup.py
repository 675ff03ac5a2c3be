"""Tables of functions: by hand, channel by channel, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.node import GraphError, Shape
from models.ir.ops.lookup import Lookup
from tests.models.ir.builders import DYBIT4, UINT8, random_frame


def lookup(source: DType, dtype: DType, table: np.ndarray, **fields: Any) -> Lookup:
    return Lookup(name="f", inputs=("x",), dtype=dtype, source=source, table=table, **fields)


@pytest.mark.parametrize("source", [IntType(3), IntType(4, False), DYBIT4], ids=str)
@pytest.mark.parametrize("rows", [1, 3])
def test_each_number_has_its_result(source: DType, rows: int) -> None:
    """The square, less a number for each row."""
    table = np.stack([source.values() ** 2 - 5 * row for row in range(rows)])
    node = lookup(source, IntType(16), table)
    shape = Shape(4, 5, 3)
    node.check((shape,), (source,))
    assert node.out_shape(shape) == shape
    frame = random_frame(np.random.default_rng(1), shape, source, 0.7)
    found = node.compute(frame)
    assert np.array_equal(found.sites, frame.sites)
    for before, after in zip(frame.features.tolist(), found.features.tolist(), strict=True):
        assert after == [x * x - 5 * (channel if rows > 1 else 0) for channel, x in enumerate(before)]


def test_codes_follow_the_codes_of_the_input() -> None:
    """-2 to 1 have the codes 2, 3, 0, 1; minus zero of a tapered format stands for zero."""
    node = lookup(IntType(2), UINT8, np.array([[10, 20, 30, 40]]))
    assert node.codes().tolist() == [[30, 40, 10, 20]]
    table = np.arange(15)[None]
    assert lookup(DYBIT4, UINT8, table).codes()[0, [0, 8]].tolist() == [7, 7]


@pytest.mark.parametrize(
    ("source", "table", "why"),
    [
        (IntType(12), np.zeros((1, 4096), np.int64), "field 'source': 'int12' must have at most 10 bits"),
        (IntType(3), np.zeros((1, 8), np.int64), "field 'source': 'int3' must equal its input's format, int4"),
        (
            IntType(4),
            np.zeros((1, 8), np.int64),
            r"field 'table': \(1, 8\) must have shape \(1, 16\) or \(3, 16\), for",
        ),
        (IntType(4), np.full((1, 16), 256), "field 'table': 256 is no value of uint8"),
    ],
)
def test_a_table_that_does_not_fit_is_named(source: DType, table: np.ndarray, why: str) -> None:
    node = lookup(source, UINT8, table)
    with pytest.raises(GraphError, match=f"graph node 'f', {why}"):
        node.check((Shape(2, 2, 3),), (source if source.width == 12 else IntType(4),))
