"""Activity against counts in plain loops, and against the sites golden computes."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from models.ir import golden
from models.ir.activity import (
    SAMPLE,
    Activity,
    activity,
    density,
    expected,
    frame_activity,
    measured,
    occupancy,
    sample,
)
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import GraphError, Shape
from models.ir.ops.windowed import WindowNode
from models.ir.sites import reference, walk
from tests.models.ir.builders import UINT8, conv, every_op, single, tensor


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_op(np.random.default_rng(0))


def taps_by_hand(node: WindowNode, source: np.ndarray, out: np.ndarray) -> list[int]:
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
        if isinstance(node, WindowNode):
            counted = [taps_by_hand(node, frames[source].mask, frames[name].mask) for frames in runs]
            assert figures.taps == tuple(np.mean(counted, axis=0).tolist())
            assert sum(figures.taps) == pytest.approx(figures.tokens_out)
        else:
            assert figures.taps == ()


def test_dense_is_the_full_mask_in_whole_numbers(graph: Graph) -> None:
    dense = activity(graph, None)
    assert dense == activity(graph, [np.ones((8, 10), bool)])
    stem = dataclasses.replace(dense["stem"], waits=None)
    assert stem == Activity(80.0, 80.0, (0, 0, 0, 0, 4, 0, 2 * 6 + 2 * 8, 0, 0, 6 * 8))
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


def test_a_site_is_complete_when_no_later_token_can_change_it(graph: Graph) -> None:
    rng = np.random.default_rng(9)
    for share in (0.1, 0.5, 1.0):
        sites = walk(graph, rng.random((8, 10)) < share)
        for node in graph.nodes:
            if not isinstance(node, WindowNode):
                continue
            own, (height, width, _) = sites[node.name], graph.shapes[node.inputs[0]]
            before = 0
            for (y, x), need, whole in zip(own.sites.tolist(), own.needs.tolist(), own.whole.tolist(), strict=True):
                corner = [
                    min(node.stride * at + node.window.extent, side - 1) for at, side in ((y, height), (x, width))
                ]
                earlier = sum(token < corner for token in own.source.tolist())
                assert whole == (corner in own.source.tolist())
                before = max(before, earlier + 1)
                assert need == before


def test_what_a_dense_window_waits_for() -> None:
    rng = np.random.default_rng(0)
    graph = single(conv(rng, 2, 3, 3), Shape(4, 5, 2), UINT8)
    dense = graph.replace(nodes=(dataclasses.replace(graph.input, sparse=False), *graph.nodes[1:]))
    waits = activity(dense, None)["conv"].waits
    assert waits is not None
    assert waits.first == (0, 0, 0, 0, 1, 0, 0, 0, 0, 0)
    assert waits.start.left == activity(dense, None)["conv"].taps
    # the first site waits for a line and two tokens; two lines of sites are left when the last line comes
    assert (waits.start.tokens, waits.start.share) == (7, pytest.approx(7 / 20))
    assert (waits.line.tokens, sum(waits.line.left), waits.line.coming) == (17, 10, pytest.approx(3 / 20))
    assert (waits.end.tokens, sum(waits.end.left), waits.end.share, waits.end.coming) == (20, 7, 1, 0)
    assert [stage.ended for stage in waits.stages] == [0, 0, 0, 0]


def test_the_last_line_of_a_sparse_frame_is_the_last_with_tokens() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[1:4, 2:5] = True
    graph = single(conv(np.random.default_rng(0), 2, 3, 3), Shape(8, 8, 2), UINT8)
    waits = frame_activity(graph, mask)["conv"].waits
    assert waits is not None
    assert waits.start.tokens == 5
    # the last site of the first line waits until it shows that the second ends there: with the third line
    assert (waits.line.tokens, sum(waits.line.left), waits.line.ended) == (6, 7, 0)
    # two sites of the second line wait for the last token or the end, and the third line
    assert (waits.end.tokens, sum(waits.end.left), waits.end.ended) == (9, 5, 0)


def test_in_the_reference_every_op_takes_a_frame(graph: Graph) -> None:
    sites = walk(graph, np.ones((8, 10), dtype=bool))
    times = reference(graph, sites)
    assert times["input"][-1] == 1
    # the stem's first output waits for a line and two tokens, its last for the last token and a line of work
    assert times["stem"][0] == pytest.approx(12 / 80 + 4 / 616)
    assert 1 + 60 / 616 < times["stem"][-1] < 1.2


def test_a_graph_holds_a_sample_of_its_frames(graph: Graph) -> None:
    rng = np.random.default_rng(7)
    masks = [rng.random((8, 10)) < share for share in np.linspace(0, 1, 100)]
    held = sample(measured(graph, masks))
    assert len(held) == SAMPLE
    assert all(any((own == mask).all() for mask in masks) for own in held)
    counts = [int(own.sum()) for own in held]
    assert counts == sorted(counts)
    assert np.mean(counts) == pytest.approx(np.mean([mask.sum() for mask in masks]), rel=0.02)
    few = sample(measured(graph, masks[:3]))
    assert len(few) == 3


def test_costs_of_a_dense_graph_need_no_data() -> None:
    rng = np.random.default_rng(0)
    sparse = single(conv(rng, 3, 4, 3), every_op(rng).input.shape, UINT8)
    dense = sparse.replace(nodes=(dataclasses.replace(sparse.input, sparse=False), *sparse.nodes[1:]))
    assert expected(dense) == expected(dense, "p99") == activity(dense, None)
    assert [mask.all() for mask in sample(dense)] == [True]
    assert density(dense, dense["conv"]) == 1.0
    with pytest.raises(GraphError, match=r"'input', field 'stats': .* holds no activity; .*measured adds"):
        expected(sparse)
    # graphs of before keep no more than how many tokens and taps there are
    older = {"activity": {"frames": 1, "density": 1.0, "mean": {"tokens_in": 1.0, "tokens_out": 1.0, "taps": []}}}
    with pytest.raises(GraphError, match="holds no activity"):
        expected(sparse.replace(stats={"input": older}))
    with pytest.raises(ValueError, match="load: 'max' must be one of mean, p99"):
        expected(sparse, "max")  # type: ignore[arg-type]
