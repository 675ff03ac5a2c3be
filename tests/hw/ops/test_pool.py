"""What max and average pooling share: a depthwise schedule without weights, and its mappings."""

from __future__ import annotations

import numpy as np
import pytest

from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import OpMapping
from hw.ops.pool import PoolOp
from models.ir.activity import frame_activity
from models.ir.formats.integer import IntType
from tests.hw.ops.cases import FOLDED, Case
from tests.support.ops import build_op, refusal, window_taps

KINDS = ("max_pool", "avg_pool")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("pe", "taps"), [(1, 1), (2, 1), (1, 9), (4, 9)])
def test_a_frame_takes_the_sum_of_its_windows(kind: str, pe: int, taps: int) -> None:
    """``ceil(active / taps) * c/pe`` cycles a window, or as many as its beats, and those of the end."""
    case = Case(kind, (5, 6, 4), IntType(4), IntType(4), IntType(4), 4, 3, 2, 1, sparse_windows=True)
    graph = case.graph()
    mask = np.random.default_rng(pe).random((5, 6)) < 0.4
    op = build_op(graph, OpMapping(pe, pe, taps))
    beats = pe // op.out_lanes
    steps = sum(max(max(1, -(-active // taps)), beats) * 4 // pe for active in window_taps(mask, 3, 2, 1))
    assert op.cycles(frame_activity(graph, mask)["op"]) == max(steps + beats, int(mask.sum()) * 4 // pe + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_no_weights(kind: str) -> None:
    op = build_op(FOLDED[kind].graph(), OpMapping(2, 2))
    assert isinstance(op, PoolOp)
    assert op.mac_array.weights is None
    assert op.weight_words().size == 0
    assert not [part for part in op.parts(FAMILIES["ecp5"]) if part.kind in ("weights", "products")]


@pytest.mark.parametrize(("kind", "taps"), [("max_pool", 4), ("avg_pool", 9)])
def test_mappings_are_the_divisors_of_the_channels_with_one_tap_or_all(kind: str, taps: int) -> None:
    case = FOLDED[kind]
    assert case.mappings(case.graph()) == [OpMapping(pe, pe, own) for pe in (1, 2, 3, 6) for own in (1, taps)]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (OpMapping(4, 4), "op 'op', field 'pe': 4 does not divide 6 output channels; 1, 2, 3, 6 do"),
        (OpMapping(2), "op 'op', field 'simd': 1 must be one of (2,)"),
        (OpMapping(2, 2, 2), "op 'op', field 'taps': 2 must be one of (1, 4)"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(mapping: OpMapping, message: str) -> None:
    assert refusal(FOLDED["max_pool"].graph(), mapping) == message
