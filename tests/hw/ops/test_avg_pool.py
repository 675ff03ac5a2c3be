"""Average pooling: the width of its sums, and the requantizer that divides them."""

from __future__ import annotations

import pytest

from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import OpMapping
from hw.ops.avg_pool import AvgPoolOp
from models.ir.formats.registry import parse_dtype
from tests.hw.ops.cases import Case
from tests.support.ops import build_op


def pool(name: str, kernel: int, padding: int) -> AvgPoolOp:
    dtype = parse_dtype(name)
    case = Case("avg_pool", (7, 7, 2), dtype, dtype, parse_dtype("int8"), 2, kernel, 1, padding)
    op = build_op(case.graph(), OpMapping(1, 1))
    assert isinstance(op, AvgPoolOp)
    return op


@pytest.mark.parametrize(
    ("name", "kernel", "bounds", "bits"),
    [
        ("uint8", 3, (0, 9 * 255), 13),
        ("int4", 2, (4 * -8, 4 * 7), 6),
        # -16 to 16 in units of a quarter
        ("dybit4", 5, (25 * -16, 25 * 16), 10),
    ],
)
def test_sums_hold_a_window_of_the_largest_value(name: str, kernel: int, bounds: tuple[int, int], bits: int) -> None:
    op = pool(name, kernel, (kernel - 1) // 2)
    assert (op.accumulator, op.mac_array.width, op.mac_array.largest) == (bounds, bits, False)


def test_its_one_requantizer_divides() -> None:
    op = pool("uint8", 3, 1)
    assert op.requant is op.node.requant
    assert [part.kind for part in op.parts(FAMILIES["ecp5"])].count("requantizer") == 1
