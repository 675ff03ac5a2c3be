"""Window ops: cycles that the active taps of small frames give, and rows and frames that are all given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.ops import one_op
from cosim.cycle.input_side import WindowRecord
from cosim.cycle.simulator import Simulator, simulate
from hw.fpga.mapping import Mapping, OpMapping
from models.ir.formats.integer import IntType
from models.ir.graph import Graph

MAPPING = Mapping("zu3eg", 200.0, {"input": OpMapping(), "op": OpMapping(pe=1, simd=1, taps=1)})
"""A step for each active kernel position."""


def conv(height: int, width: int, *, sparse: bool, **shape: Any) -> Graph:
    """A 3 x 3 convolution of one channel."""
    window = {"kernel": 3, "padding": 1, "x": IntType(4), "y": IntType(4), **shape}
    return one_op(np.random.default_rng(0), "conv", (height, width, 1), out=1, sparse=sparse, **window)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_full_frame_takes_its_taps_and_an_end(sparse: bool) -> None:
    run = simulate(conv(3, 3, sparse=sparse), MAPPING, 4)
    # four corners of 4 taps, four edges of 6, a centre of 9, and the end
    assert run.ops["op"].busy == 4 * (4 * 4 + 4 * 6 + 9 + 1)
    assert run.intervals[-1] == 50


def busy(graph: Graph, mask: np.ndarray) -> int:
    return simulate(graph, MAPPING, [mask]).ops["op"].busy


def test_a_sparse_frame_takes_its_active_taps_and_an_end() -> None:
    graph = conv(3, 3, sparse=True)
    # on the diagonal windows of 2, 3 and 2 taps
    assert busy(graph, np.eye(3, dtype=bool)) == 2 + 3 + 2 + 1
    assert busy(graph, np.zeros((3, 3), dtype=bool)) == 1
    # a strided site is active where its cell has a token: of 4 cells two, whose windows see 1 and 2 tokens
    strided = conv(4, 4, sparse=True, stride=2)
    mask = np.zeros((4, 4), dtype=bool)
    mask[[0, 3], [1, 3]] = True
    assert busy(strided, mask) == 1 + 1 + 1
    # the window of cell (1, 1) begins at (1, 1) and sees both
    mask[1, 1] = True
    assert busy(strided, mask) == 2 + 2 + 1


def test_a_site_leaves_when_the_last_token_of_its_window_came() -> None:
    """Of a full frame a token comes in 20 cycles, while a site takes 9 at most."""
    graph = conv(3, 3, sparse=False)
    slow = np.ones(20, dtype=bool)
    slow[0] = False
    run = simulate(graph, MAPPING, 1, source=slow)
    came, left = run.input, run.output
    assert came == [20 * n for n in range(10)]
    # the window of (y, x) ends with the token at (y + 1, x + 1), or at the edge of the frame
    last = [min(y + 1, 2) * 3 + min(x + 1, 2) for y in range(3) for x in range(3)]
    taps = [(3 - (y != 1)) * (3 - (x != 1)) for y in range(3) for x in range(3)]
    first = left[0] - came[last[0]] - taps[0]
    for n in (0, 1, 3, 4):
        assert left[n] == came[last[n]] + taps[n] + first
    # what the others wait for came with the site before: they follow each other, and the end follows them
    for n in (2, 5, 6, 7, 8):
        assert left[n] == left[n - 1] + taps[n]
    assert left[9] == left[8] + 1


@pytest.mark.parametrize("sparse", [False, True])
def test_all_rows_and_frames_are_given_back(sparse: bool) -> None:
    graph = conv(5, 4, sparse=sparse)
    mask = np.zeros((5, 4), dtype=bool)
    mask[[0, 2, 4], [1, 2, 3]] = True
    full = np.ones_like(mask)
    masks = np.stack([full, mask if sparse else full, np.zeros_like(mask), full])
    simulator = Simulator(graph, MAPPING)
    m, _, _ = simulator._run_call(masks)
    op = WindowRecord(m, simulator._parts.ops["op"])
    rows = 5 + (3 if sparse else 5) + 0 + 5
    tokens = int(masks.sum()) + len(masks)
    assert (op.rows, op.freed, op.frame_rows) == (rows, rows, rows)
    assert (op.closed, op.window_frame, op.fill_frame) == (4, 4, 4)
    assert (op.lasts, op.window_token) == (tokens, tokens)
