"""The sites and windows of each frame, against golden's sites and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.inputs.ops import one_op
from benchmarks.inputs.sparse_nets import masked_frame, random_masks, random_sparse_net
from cosim.cycle.active_sites import BLANK, END, PLACE, SINGLE, WHOLE, Classes, walk
from models.ir import golden
from models.ir.activity import frame_activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.ops.windowed import WindowNode
from tests.cosim.cycle.test_sparse import draw_op


def walked(graph: Graph, mask: np.ndarray) -> tuple[dict[str, list[int]], dict[str, np.ndarray]]:
    """Of one frame, by node its sites as places in raster order, and by window op its places ``[n, PLACE]``."""
    classes = Classes(graph)
    w = np.empty(classes.size(1, int(mask.sum())), np.int64)
    walk(mask.reshape(1, -1), np.array(classes.sides), classes.windows, classes.sparse, w)
    count, windows = len(classes.sides), len(classes.windows)
    sites, places = {}, {}
    for name, kind in classes.of.items():
        start = w[count + windows + kind]
        sites[name] = [0] if kind == SINGLE else w[start : start + w[kind]].tolist()
    for name, number in classes.windows_of.items():
        rest = w[w[count + number] :]
        rest = rest[: len(rest) // PLACE * PLACE].reshape(-1, PLACE)
        places[name] = rest[: np.flatnonzero(rest[:, 1] == END)[0] + 1]
    return sites, places


@pytest.mark.parametrize("seed", range(40))
def test_the_walk_finds_the_sites_of_golden(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, _ = draw_op(rng) if seed % 2 else (random_sparse_net(rng), None)
    (mask,) = random_masks(rng, graph.input.shape[:2], 1)
    sites, places = walked(graph, mask)
    frames = golden.run(graph, masked_frame(rng, graph, mask))
    for name, frame in frames.items():
        assert sites[name] == (frame.sites[:, 0] * frame.width + frame.sites[:, 1]).tolist(), name
    for name, own in places.items():
        node = graph[name]
        assert isinstance(node, WindowNode)
        taps = own[own[:, 1] >= 0, 1]
        counted = np.bincount(taps, minlength=node.window.taps + 1)
        assert tuple(counted) == frame_activity(graph, mask)[name].taps


def test_columns_of_no_cell_take_a_place_among_the_sites() -> None:
    rng = np.random.default_rng(0)
    graph = one_op(rng, "max_pool", (4, 5, 1), kernel=2, stride=2, x=IntType(4), y=IntType(4), sparse=True)
    mask = np.zeros((4, 5), dtype=bool)
    mask[[0, 1, 3, 3], [4, 4, 1, 4]] = True
    sites, places = walked(graph, mask)
    assert sites["op"] == [2]
    # each waits for a token whole; twice its number and 1, then taps, then rows that were read for the last time
    assert places["op"].tolist() == [[3, BLANK, 0], [5, 1, 2], [7, BLANK, 2], [9, END, 3]]


def test_windows_wait_for_their_last_token_and_free_the_rows_before_them() -> None:
    rng = np.random.default_rng(0)
    graph = one_op(rng, "conv", (3, 3, 1), out=1, kernel=3, padding=1, x=IntType(4), y=IntType(4), sparse=True)
    sites, places = walked(graph, np.eye(3, dtype=bool))
    assert sites == {"input": [0, 4, 8], "op": [0, 4, 8]}
    # the corner of the window at (0, 0) is token 1, that of (1, 1) and of (2, 2) token 2; with each row less is read
    assert places["op"].tolist() == [[3, 2, 0], [5, 3, 0], [5, 2, 1], [7, END, 3]]
    mask = np.eye(3, dtype=bool)
    mask[1, 1] = False
    # now no token ends the first window: token 1, behind it, must show
    assert walked(graph, mask)[1]["op"].tolist() == [[2, 1, 0], [3, 1, 1], [5, END, 2]]
    assert walked(graph, np.zeros((3, 3), dtype=bool))[1]["op"].tolist() == [[1, END, 0]]


def test_classes_are_shared_by_ops_with_the_same_sites() -> None:
    rng = np.random.default_rng(0)
    shape = {"out": 2, "x": IntType(4), "y": IntType(4), "sparse": True}
    same = Classes(one_op(rng, "conv", (6, 8, 2), kernel=3, padding=1, **shape))
    assert (same.of, same.sides, same.windows_of) == ({"input": WHOLE, "op": WHOLE}, [(1, 1), (6, 8)], {"op": 0})
    half = Classes(one_op(rng, "conv", (6, 8, 2), kernel=3, padding=1, stride=2, **shape))
    assert (half.of["op"], half.sides[2]) == (2, (3, 4))
    # a pointwise convolution finds no sites, and a sum over the frame has one
    assert Classes(one_op(rng, "conv", (6, 8, 2), **shape)).windows_of == {}
    assert Classes(one_op(rng, "global_pool", (6, 8, 2), **shape)).of["op"] == SINGLE
