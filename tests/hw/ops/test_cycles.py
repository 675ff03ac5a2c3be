"""Cycles a frame and latencies as each op states them, against the RTL, exactly."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from hw.fpga.mapping import OpMapping
from hw.ops.linear import LinearOp
from hw.ops.registry import build, inputs_of
from hw.ops.window_op import WindowOp
from hw.streams.stream import BLOCK_DEPTH
from models.ir.activity import activity
from models.ir.formats.integer import IntType
from tests.hw.ops.cases import KINDS, Case, draw_case
from tests.support.ops import check_op


def periods(case: Case, mapping: OpMapping, frames: int) -> tuple[int, list[int]]:
    """(cycles the op states, cycles between consecutive ends out), for dense frames without stalls."""
    graph = case.graph()
    op, run = check_op(graph, mapping, case.frames(graph, "f" * frames), limit_cycles=60_000)
    ends = [after - before for before, after in pairwise(run.end_cycles)]
    return op.cycles(activity(graph, None)["op"]), ends


def check_period(case: Case, mapping: OpMapping, frames: int = 6) -> None:
    stated, measured = periods(case, mapping, frames)
    # half of them, as a buffer that is too small may show in some frames only
    steady = measured[len(measured) // 2 :]
    assert set(steady) == {stated}, f"{case}, {mapping}: states {stated}, took {measured}"


@pytest.mark.few(9)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(10))
def test_random_ops(kind: str, seed: int) -> None:
    case = draw_case(seed + 300, kind, side=6)
    check_period(case, case.mapping(case.graph()))


def balance(case: Case, mapping: OpMapping) -> float:
    """Cycles of the steps over cycles of the input: 1 where neither waits for the other."""
    graph = case.graph()
    op = build(graph["op"], inputs_of(graph, graph["op"]), mapping)
    figures = activity(graph, None)["op"]
    assert isinstance(op, WindowOp)
    sites = (0.0, figures.tokens_out) if op.pointwise else figures.taps
    steps = sum(count * op.folds.cycles(taps) for taps, count in enumerate(sites))
    return steps / (figures.tokens_in * op.in_layout.beats_per_token)


BALANCED = [
    Case(kind, shape, IntType(4), IntType(4), IntType(4), out, kernel, stride, padding)
    for kind, shape, out, kernel, stride, padding in [
        ("full", (6, 9, 2), 2, 3, 1, 1),
        ("full", (8, 10, 1), 4, 3, 2, 1),
        ("full", (9, 8, 2), 8, 3, 2, 0),
        ("full", (7, 12, 1), 4, 5, 2, 2),
        ("full", (6, 9, 2), 8, 1, 2, 0),
        ("full", (8, 9, 6), 4, 1, 2, 0),
        ("pointwise", (5, 6, 4), 8, 1, 1, 0),
        ("depthwise", (6, 9, 4), 4, 3, 1, 1),
        ("depthwise", (8, 10, 4), 4, 3, 2, 1),
        ("max_pool", (8, 10, 4), 4, 2, 2, 0),
        ("max_pool", (7, 11, 2), 2, 3, 2, 1),
        ("avg_pool", (8, 12, 3), 3, 2, 2, 0),
        ("avg_pool", (6, 10, 3), 3, 3, 1, 1),
    ]
]


@pytest.mark.few(4)
@pytest.mark.parametrize("case", BALANCED, ids=lambda case: f"{case.kind}-{case.kernel}-{case.stride}-{case.padding}")
@pytest.mark.parametrize("rank", range(3))
def test_where_input_and_steps_are_close(case: Case, rank: int) -> None:
    legal = {(m.pe, m.simd, m.taps): m for m in case.mappings(case.graph())}
    nearest = sorted(legal.values(), key=lambda mapping: abs(np.log(balance(case, mapping))))
    check_period(case, nearest[rank])


SHORT_ROWS = [
    # storage of rows is a few cycles short where a row is short against the delays around it
    (Case("avg_pool", (4, 2, 1), IntType(4), IntType(4), IntType(4), 1, 3, 1, 1), OpMapping(1, 1, 9)),
    (Case("max_pool", (3, 3, 2), IntType(4), IntType(4), IntType(4), 2, 3, 1, 1), OpMapping(2, 2, 9)),
    (Case("depthwise", (4, 1, 3), IntType(4), IntType(4), IntType(4), 3, 3, 2, 1), OpMapping(1, 1, 1)),
    (Case("full", (5, 2, 3), IntType(4), IntType(4), IntType(4), 3, 2, 1, 0), OpMapping(1, 3, 4)),
    (Case("full", (4, 1, 3), IntType(4), IntType(4), IntType(4), 2, 1, 2, 0), OpMapping(1, 3, 1)),
    # the whole frame is one window: it is freed, and the next but one comes, a cycle late
    (Case("full", (2, 2, 3), IntType(4), IntType(4), IntType(4), 1, 2, 1, 0), OpMapping(1, 1, 1)),
    (Case("full", (8, 2, 4), IntType(4), IntType(4), IntType(4), 4, 2, 2, 0), OpMapping(1, 1, 4)),
    # frames shorter than the pipeline: several ends wait in the output queue at a time
    (Case("full", (2, 1, 1), IntType(4), IntType(4), IntType(4), 1, 5, 2, 2), OpMapping(1, 1, 1)),
    (Case("depthwise", (2, 1, 1), IntType(4), IntType(4), IntType(4), 1, 3, 2, 1), OpMapping(1, 1, 1)),
]


@pytest.mark.parametrize(
    ("case", "mapping"), SHORT_ROWS, ids=lambda value: value.kind if isinstance(value, Case) else ""
)
def test_short_rows(case: Case, mapping: OpMapping) -> None:
    check_period(case, mapping, 20)


@pytest.mark.few(5)
@pytest.mark.parametrize("kind", ["pointwise", "linear", "global_pool", "add", "concat", "requantize"])
@pytest.mark.parametrize("shape", [(1, 1, 4), (1, 2, 6), (2, 1, 12)])
def test_small_frames_without_windows(kind: str, shape: tuple[int, int, int]) -> None:
    case = Case(kind, shape, IntType(4), IntType(4), IntType(4), 6)
    graph = case.graph()
    legal = {(m.pe, m.simd, m.taps): m for m in case.mappings(graph)}
    for mapping in list(legal.values())[:: max(1, len(legal) // 4)]:
        check_period(case, mapping, 20)


@pytest.mark.few(9)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_first_beat_follows_the_timing(kind: str, seed: int) -> None:
    """From the beat that completes the first site, or the frame: ``start``, the first round's steps, ``pipeline``."""
    case = draw_case(seed + 700, kind)
    if kind == "linear":
        case = dataclasses.replace(case, shape=(1, 1, case.shape[2]))
    check_first_beat(case, case.mapping(case.graph()))


WIDE = BLOCK_DEPTH + 2
DEEP = [("linear", OpMapping(1, WIDE)), ("global_pool", OpMapping(1, 1)), ("pointwise", OpMapping(WIDE, 1))]
"""Ops of that many channels whose output queues are block memories."""


@pytest.mark.parametrize(("kind", "mapping"), DEEP)
def test_first_beat_of_a_queue_in_block_memory(kind: str, mapping: OpMapping) -> None:
    case = Case(kind, (1, 1, WIDE), IntType(4), IntType(4), IntType(4), WIDE)
    assert check_first_beat(case, mapping) > BLOCK_DEPTH


def check_first_beat(case: Case, mapping: OpMapping) -> int:
    """The places of the op's output queue."""
    kind, graph = case.kind, case.graph()
    op, run = check_op(graph, mapping, case.frames(graph, "f"), limit_cycles=60_000)
    beats = op.in_layout.beats_per_token
    height, width, _ = case.shape
    if isinstance(op, WindowOp):
        steps, tokens = op.folds.fold_cycles(1), 1
        if not op.pointwise:
            y, x = case.window.y, case.window.x
            tokens = min(y.below, height - 1) * width + min(x.below, width - 1) + 1
            inside = [
                sum(0 <= axis.dilation * n - axis.before < side for n in range(axis.kernel))
                for axis, side in ((y, height), (x, width))
            ]
            steps = op._folds(1).fold_cycles(inside[0] * inside[1])
        last = run.accepted[0][tokens * beats - 1] + op.start + steps - 1
    elif kind in ("add", "concat", "lookup", "requantize"):
        last = run.accepted[0][0]
    elif isinstance(op, LinearOp):
        # the end, a step of its own, waits for the steps of the only token
        last = run.accepted[0][-2] + op.start + op.folds.cycles(1)
    else:
        last = run.accepted[0][-1]
    assert run.outputs[0][0] == last + op.pipeline
    return op.depth
