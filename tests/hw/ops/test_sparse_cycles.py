"""Cycles a frame and latencies of windows over sparse frames, as each op states them, against the RTL, exactly."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from hw.fpga.mapping import OpMapping
from hw.line_buffer.token_buffer import ROW_DELAY, SPARSE_SITE_LATENCY, row_margin
from hw.ops.registry import build, inputs_of
from hw.ops.window_op import WindowOp
from models.ir.activity import frame_activity
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.ops.windowed import WindowNode
from tests.hw.ops.cases import WINDOWS, Case, masked_frame
from tests.hw.ops.test_cycles import BALANCED, SHORT_ROWS, balance, check_period
from tests.support.ops import check_op

INT4 = IntType(4)
LONGEST = 300
"""Steps of the frames that a test plays over and over."""


def periods(case: Case, mapping: OpMapping, masks: list[np.ndarray], turns: int = 5) -> tuple[int, set[int]]:
    """(cycles the op states for the frames of ``masks``, cycles of each of the later turns of them)."""
    graph = case.graph()
    frames = [masked_frame(case.rng, graph, mask) for mask in masks]
    op, run = check_op(graph, mapping, frames * turns)
    stated = sum(op.cycles(frame_activity(graph, mask)["op"]) for mask in masks)
    ends = run.end_cycles[len(masks) - 1 :: len(masks)]
    return stated, {after - before for before, after in list(pairwise(ends))[turns // 2 :]}


def built(case: Case, mapping: OpMapping) -> WindowOp:
    graph = case.graph()
    op = build(graph["op"], inputs_of(graph, graph["op"]), mapping)
    assert isinstance(op, WindowOp)
    return op


def steps_by_row(op: WindowOp, mask: np.ndarray) -> list[int]:
    """Steps of each row of windows that has sites."""
    assert isinstance(op.node, WindowNode)
    frame = Frame.from_dense(np.zeros((*mask.shape, 1), np.int64), mask)
    _, _, sites = op.node.window.out_sites(frame)
    taps = (op.node.window.input_rows(frame, sites) >= 0).sum(axis=0)
    return [sum(op.folds.cycles(int(n)) for n in taps[sites[:, 0] == row]) for row in np.unique(sites[:, 0])]


def bound_by_steps(op: WindowOp, mask: np.ndarray) -> bool:
    """Whether a row of windows always takes longer than its successor's input, and the delays around its storage."""
    beats = [int(tokens) * op.in_layout.beats_per_token for tokens in mask.sum(axis=1) if tokens]
    around = [sum((beats * 2)[n : n + op.window.y.stride]) for n in range(len(beats))]
    return min(steps_by_row(op, mask)) >= max(around) + ROW_DELAY


def draw_bound_by_steps(seed: int) -> tuple[Case, OpMapping, list[np.ndarray]]:
    """An op and frames of different density for which it is."""
    rng = np.random.default_rng(seed)
    while True:
        kernel, stride = [(3, 1), (3, 2), (5, 1), (2, 2), (5, 2)][int(rng.integers(5))]
        height, width = (2 * int(n) for n in rng.integers(2, 6, 2))
        shape, out = (height, width, int(rng.choice([1, 2, 4]))), int(rng.choice([4, 8]))
        window = (kernel, stride, (kernel - 1) // 2)
        case = Case(WINDOWS[seed % 4], shape, INT4, INT4, INT4, out, *window, seed, sparse_windows=True)
        legal = case.mappings(case.graph())
        mapping = legal[int(rng.integers(len(legal)))]
        op = built(case, mapping)
        masks = [rng.random((height, width)) < share for share in rng.choice([0.05, 0.2, 0.6, 1.0], 12)]
        masks = [mask for mask in masks if mask.any() and bound_by_steps(op, mask)]
        if masks and sum(map(sum, (steps_by_row(op, mask) for mask in masks[:3]))) < LONGEST:
            return case, mapping, masks[:3]


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(8))
def test_a_frame_takes_the_sum_of_its_sites_steps(seed: int) -> None:
    """Frames of one density, or of several that alternate: each costs what its own sites cost."""
    case, mapping, masks = draw_bound_by_steps(seed)
    stated, measured = periods(case, mapping, masks)
    assert measured == {stated}
    op = built(case, mapping)
    assert stated == sum(sum(steps_by_row(op, mask)) + op.folds.end_cycles for mask in masks)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8, 160))
def test_more_frames_take_the_sum_of_their_sites_steps(seed: int) -> None:
    test_a_frame_takes_the_sum_of_its_sites_steps(seed)


@pytest.mark.few(1)
@pytest.mark.parametrize(("kernel", "stride", "words", "out"), [(3, 1, 1, 6), (3, 2, 1, 10), (1, 2, 4, 4)])
def test_rows_with_one_token(kernel: int, stride: int, words: int, out: int) -> None:
    """The margin says from how many steps on the storage of such rows comes round in time."""
    mask = np.eye(12, dtype=bool)
    waits = []
    for channels in (1, out // 2, out):
        case = Case("full", (12, 12, words), INT4, INT4, INT4, channels, kernel, stride, (kernel - 1) // 2)
        case = dataclasses.replace(case, sparse_windows=True)
        mapping = OpMapping(1, 1, kernel**2)
        op = built(case, mapping)
        stated, measured = periods(case, mapping, [mask])
        waits.append(measured != {stated})
        assert waits[-1] == (row_margin(op.geometry, op.folds.cycles(1)) < 0)
    assert waits[0]
    assert not waits[-1]


@pytest.mark.parametrize("case", BALANCED[::4], ids=lambda case: f"{case.kind}-{case.kernel}-{case.stride}")
def test_a_full_frame_takes_no_longer_than_a_dense_op(case: Case) -> None:
    legal = {(m.pe, m.simd, m.taps): m for m in case.mappings(case.graph())}
    mapping = min(legal.values(), key=lambda mapping: abs(np.log(balance(case, mapping))))
    check_period(dataclasses.replace(case, sparse_windows=True), mapping)


NARROW = [
    (Case("full", (23, 2, 2), INT4, INT4, INT4, 2, 3, 2, 1), OpMapping(1, 1, 9)),
    (Case("full", (9, 1, 1), INT4, INT4, INT4, 1, 3, 1, 1), OpMapping(1, 1, 9)),
    (Case("avg_pool", (8, 3, 2), INT4, INT4, INT4, 2, 5, 1, 2), OpMapping(2, 2, 25)),
]


@pytest.mark.few(4)
@pytest.mark.parametrize(("case", "mapping"), SHORT_ROWS + NARROW, ids=lambda value: getattr(value, "kind", ""))
def test_a_full_frame_of_short_rows_takes_no_longer(case: Case, mapping: OpMapping) -> None:
    check_period(dataclasses.replace(case, sparse_windows=True), mapping, 8)


@pytest.mark.few(4)
@pytest.mark.parametrize("seed", range(8))
def test_first_beat_follows_the_timing(seed: int) -> None:
    """From the beat beyond a lone site's window, or ``end``, or the corner of the window itself."""
    rng = np.random.default_rng(seed)
    kernel, stride = int(rng.choice([2, 3, 5])), 1 + seed % 2
    padding, channels = (kernel - 1) // 2, 1 + seed // 2 % 2
    case = Case(
        WINDOWS[seed % 4], (9, 9, channels), INT4, INT4, INT4, 2, kernel, stride, padding, seed, sparse_windows=True
    )
    mask = np.zeros((9, 9), dtype=bool)
    mask[4, 4] = True
    needed = 4 // stride * stride + max(kernel - 1 - padding, stride - 1)
    last = [(4, 4)]
    if seed % 3 == 1:
        last = [(4, 4), (8, 8)]
    elif seed % 3 == 2:
        last = [(4, 4), (needed, needed)]
    for site in last:
        mask[site] = True
    graph = case.graph()
    op, run = check_op(graph, OpMapping(1, 1, kernel**2), [masked_frame(rng, graph, mask)])
    assert isinstance(op, WindowOp)
    # the beat that shows that the window is complete: the last of the token at its corner, else the first beyond
    beat = -1 if seed % 3 == 0 else (len(last) - 1) * channels + (channels - 1) * (seed % 3 == 2)
    assert op.start == SPARSE_SITE_LATENCY
    assert run.outputs[0][0] == run.accepted[0][beat] + op.start + op.folds.fold_cycles(1) - 1 + op.pipeline
