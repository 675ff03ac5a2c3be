"""Activity against counts in plain loops, and against the sites golden computes."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from models.ir import golden
from models.ir.activity import Activity, activity, density, expected, frame_activity, measured, occupancy
from models.ir.frame import Frame
from models.ir.graph import Graph, GraphError, Window
from tests.models.ir.builders import UINT8, conv, every_op, single, tensor


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_op(np.random.default_rng(0))


def taps_by_hand(node: Window, source: np.ndarray, out: np.ndarray) -> list[int]:
    height, width = source.shape
    seen: Counter[int] = Counter()
    for y, x in np.argwhere(out).tolist():
        window = [
            source[node.stride * y + ky - node.padding, node.stride * x + kx - node.padding]
            for ky in range(node.kernel)
            for kx in range(node.kernel)
            if 0 <= node.stride * y + ky - node.padding < height and 0 <= node.stride * x + kx - node.padding < width
        ]
        seen[sum(window)] += 1
    return [seen[j] for j in range(node.kernel**2 + 1)]


def test_counts_equal_golden_and_plain_loops(graph: Graph) -> None:
    rng = np.random.default_rng(4)
    masks = [rng.random((8, 10)) < density for density in (0.0, 0.1, 0.4, 0.9, 1.0)]
    runs = [golden.run(graph, Frame.from_dense(tensor(rng, UINT8, 8, 10, 3), mask)) for mask in masks]
    for name, figures in activity(graph, masks).items():
        node = graph[name]
        source = node.inputs[0] if node.inputs else name
        assert figures.tokens_in == np.mean([len(frames[source].sites) for frames in runs])
        assert figures.tokens_out == np.mean([len(frames[name].sites) for frames in runs])
        if isinstance(node, Window):
            counted = [taps_by_hand(node, frames[source].mask, frames[name].mask) for frames in runs]
            assert figures.taps == tuple(np.mean(counted, axis=0).tolist())
            assert sum(figures.taps) == pytest.approx(figures.tokens_out)
        else:
            assert figures.taps == ()


def test_dense_is_the_full_mask_in_whole_numbers(graph: Graph) -> None:
    dense = activity(graph, None)
    assert dense == activity(graph, [np.ones((8, 10), bool)])
    assert dense["stem"] == Activity(80.0, 80.0, (0, 0, 0, 0, 4, 0, 2 * 6 + 2 * 8, 0, 0, 6 * 8))
    assert dense["down"].tokens_out == 6
    assert dense["fc"] == Activity(1.0, 1.0)
    assert dense["join"] == Activity(80.0, 80.0)


def test_wrong_masks_are_refused(graph: Graph) -> None:
    with pytest.raises(ValueError, match="'every_op': activity needs at least one mask"):
        activity(graph, [])
    with pytest.raises(ValueError, match=r"masks must have shape \(8, 10\), not \(10, 8\)"):
        activity(graph, [np.ones((10, 8), bool)])


def test_a_data_set_leaves_mean_and_99th_percentile_in_the_graph(graph: Graph) -> None:
    rng = np.random.default_rng(7)
    masks = [rng.random((8, 10)) < share for share in np.linspace(0, 1, 200)]
    seen: list[int] = []
    known = measured(graph, masks, lambda done, _: seen.append(done))
    assert seen == list(range(200))
    assert known.stats["fc"]["tokens_out"] == 1.0, "what was there before stays"
    assert expected(known) == activity(graph, masks)
    frames = [frame_activity(graph, mask) for mask in masks]
    for name, figures in expected(known, "p99").items():
        work = [sum(j * n for j, n in enumerate(frame[name].taps)) for frame in frames]
        if any(work):
            assert sum(j * n for j, n in enumerate(figures.taps)) == sorted(work)[197]
        assert figures in [frame[name] for frame in frames]
    shares = occupancy(expected(known)["stem"])
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(1)
    assert occupancy(Activity(3, 3)) == ()
    stem = known["stem"]
    assert density(known, stem) == pytest.approx(np.mean([mask.mean() for mask in masks]))


def test_costs_of_a_dense_graph_need_no_data() -> None:
    rng = np.random.default_rng(0)
    sparse = single(conv(rng, 3, 4, 3), every_op(rng).input.shape, UINT8)
    dense = sparse.replace(nodes=(dataclasses.replace(sparse.input, sparse=False), *sparse.nodes[1:]))
    assert expected(dense) == expected(dense, "p99") == activity(dense, None)
    assert density(dense, dense["conv"]) == 1.0
    with pytest.raises(GraphError, match=r"'input', field 'stats': .* holds no activity; .*measured adds"):
        expected(sparse)
    with pytest.raises(ValueError, match="load: 'max' must be one of mean, p99"):
        expected(sparse, "max")  # type: ignore[arg-type]
