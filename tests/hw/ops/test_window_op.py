"""What convolution and pooling share: folds, lanes, starts and latencies, worked out window by window."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hw.fpga.mapping import OpMapping
from hw.line_buffer.token_buffer import SITE_LATENCY, SPARSE_SITE_LATENCY, WindowGeometry
from hw.ops.latency import OpLatency
from hw.ops.window_op import WindowOp
from models.ir.activity import Activity, frame_activity
from models.ir.formats.integer import IntType
from models.ir.window import Window
from tests.hw.ops.cases import FOLDED, Case
from tests.support.ops import build_op, window_taps

INT4 = IntType(4)


def window_op(case: Case, mapping: OpMapping) -> WindowOp:
    op = build_op(case.graph(), mapping)
    assert isinstance(op, WindowOp)
    return op


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (3, 1, 0), (5, 2, 2), (2, 2, 0)])
def test_the_shortest_fold_is_that_of_the_emptiest_window(kernel: int, stride: int, padding: int, sparse: bool) -> None:
    """A dense frame's windows are emptiest in a corner; a sparse frame may have windows of one site."""
    case = Case("full", (6, 7, 4), INT4, INT4, INT4, 12, kernel, stride, padding, sparse_windows=sparse)
    taps = window_taps(np.ones((6, 7), dtype=bool), kernel, stride, padding)
    emptiest = 1 if sparse else min(taps)
    for simd, words in ((4, 1), (2, 2), (1, 4)):
        serial = window_op(case, OpMapping(12, simd, 1))
        assert serial.fold_cycles == emptiest * words
        assert window_op(case, OpMapping(12, simd, kernel**2)).fold_cycles == words
        # the results of a fold leave before those of the next come, and no fewer lanes would do
        beats = 12 // serial.out_lanes
        assert serial.folds.beats == beats
        assert beats <= serial.fold_cycles
        assert not [
            lanes for lanes in (1, 2, 3, 4, 6, 12) if lanes < serial.out_lanes and 12 // lanes <= emptiest * words
        ]


@pytest.mark.parametrize(
    ("kernel", "stride", "sparse", "start"),
    [
        (3, 1, False, SITE_LATENCY),
        (3, 1, True, SPARSE_SITE_LATENCY),
        # a window of one site is active with its site, unless the stride leaves sites out
        (1, 1, True, SITE_LATENCY),
        (1, 2, True, SPARSE_SITE_LATENCY),
    ],
)
def test_only_sparse_windows_are_searched_for(kernel: int, stride: int, sparse: bool, start: int) -> None:
    case = Case("full", (6, 6, 2), INT4, INT4, INT4, 2, kernel, stride, 0, sparse_windows=sparse)
    op = window_op(case, OpMapping(1, 1))
    assert op.start == start
    assert op.finds_sites == (start == SPARSE_SITE_LATENCY)


def test_one_tap_at_a_time_is_serial_only_where_there_are_several() -> None:
    ops = [
        window_op(FOLDED[kind], OpMapping(2, 2, taps)) for kind, taps in (("full", 1), ("full", 9), ("pointwise", 1))
    ]
    assert [(op.serial_kernel, op.parallel, op.pointwise) for op in ops] == [
        (True, False, False), (False, True, False), (False, False, True),
    ]  # fmt: skip


def test_latency_of_a_frame_that_is_one_window() -> None:
    """The window is complete with the ninth token, in cycle 8; a fold takes 9 steps, and there are 3 of them."""
    case = Case("full", (3, 3, 4), INT4, INT4, INT4, 6, 3, 1, 0)
    graph = case.graph()
    op = build_op(graph, OpMapping(2, 4, 1))
    assert op.out_lanes == 1
    fill = op.start + 9 - 1 + op.pipeline
    # the last fold ends 27 steps after the first began, and gives two beats
    drain = op.start + 27 - 1 + op.pipeline + 1
    figures = op.latency(frame_activity(graph, np.ones((3, 3), dtype=bool))["op"])
    assert figures[:4] == (fill, 8 + fill, drain - fill, drain)


def test_a_frame_without_output_has_no_latency_after_its_fill() -> None:
    case = Case("full", (4, 4, 2), INT4, INT4, INT4, 2, 3, 1, 1, sparse_windows=True)
    graph = case.graph()
    op = build_op(graph, OpMapping(1, 1, 9))
    figures = op.latency(frame_activity(graph, np.zeros((4, 4), dtype=bool))["op"])
    assert figures == OpLatency(op.start + op.pipeline, op.start + op.pipeline, 0, 0, 0)


@pytest.mark.parametrize(("pe", "simd"), [(1, 1), (2, 4), (6, 2), (6, 4)])
def test_cycles_of_windows_of_one_site(pe: int, simd: int) -> None:
    """``c_in/simd * c_out/pe`` cycles a token, and those of the end; at least a cycle for each beat that comes."""
    op = window_op(FOLDED["pointwise"], OpMapping(pe, simd))
    for tokens in (0, 1, 9):
        steps = tokens * (4 // simd) * (6 // pe) + 6 // op.out_lanes // (6 // pe)
        assert op.cycles(Activity(float(tokens), float(tokens))) == max(steps, tokens * 4 // simd + 1)


def test_rows_are_stored_for_the_frame_s_own_window() -> None:
    op = window_op(FOLDED["depthwise"], OpMapping(3, 3))
    bare = dataclasses.replace(op.geometry, spare=0)
    assert bare == WindowGeometry(4, 3, 2, Window.of(3, 2, 1), 0)
