"""Activity against counts in plain loops and golden's sites, and the figures of it that a file may hold."""

from __future__ import annotations

import copy
import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.ir import golden
from models.ir.activity import (
    SAMPLE,
    Activity,
    activity,
    check_stats,
    density,
    expected_activity,
    frame_activity,
    occupancy,
    sample,
    with_activity,
)
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import GraphError, Shape
from models.ir.ops.windowed import WindowNode
from tests.models.ir.builders import UINT8, conv, every_op, single, tensor


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_op(np.random.default_rng(0))


def taps_by_hand(node: WindowNode, source: np.ndarray, out: np.ndarray) -> list[int]:
    height, width = source.shape
    seen: Counter[int] = Counter()
    for y, x in np.argwhere(out).tolist():
        rows, columns = (
            [axis.stride * n + axis.dilation * k - axis.before for k in range(axis.kernel)]
            for axis, n in ((node.window.y, y), (node.window.x, x))
        )
        inside = [(row, column) for row in rows for column in columns if 0 <= row < height and 0 <= column < width]
        seen[sum(source[place] for place in inside)] += 1
    return [seen[j] for j in range(node.window.taps + 1)]


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


def test_no_masks_are_refused(graph: Graph) -> None:
    with pytest.raises(ValueError, match="'every_op': activity needs at least one mask"):
        activity(graph, [])


def test_a_data_set_leaves_mean_and_99th_percentile_in_the_graph(graph: Graph) -> None:
    rng = np.random.default_rng(7)
    masks = [rng.random((8, 10)) < share for share in np.linspace(0, 1, 200)]
    seen: list[int] = []
    known = with_activity(graph, masks, lambda done, _: seen.append(done))
    assert seen == list(range(200))
    assert known.stats["fc"]["tokens_out"] == 1.0, "what was there before stays"
    assert expected_activity(known) == activity(graph, masks)
    frames = [frame_activity(graph, mask) for mask in masks]
    for name, figures in expected_activity(known, "p99").items():
        work = [sum(j * n for j, n in enumerate(frame[name].taps)) for frame in frames]
        if any(work):
            assert sum(j * n for j, n in enumerate(figures.taps)) == sorted(work)[197]
        assert figures in [frame[name] for frame in frames]
    shares = occupancy(expected_activity(known)["stem"])
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(1)
    assert occupancy(Activity(3, 3)) == ()
    stem = known["stem"]
    assert density(known, stem) == pytest.approx(np.mean([mask.mean() for mask in masks]))


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


def test_a_graph_holds_a_sample_of_its_frames(graph: Graph) -> None:
    rng = np.random.default_rng(7)
    masks = [rng.random((8, 10)) < share for share in np.linspace(0, 1, 100)]
    held = sample(with_activity(graph, masks))
    assert len(held) == SAMPLE
    assert all(any((own == mask).all() for mask in masks) for own in held)
    counts = [int(own.sum()) for own in held]
    assert counts == sorted(counts)
    assert np.mean(counts) == pytest.approx(np.mean([mask.sum() for mask in masks]), rel=0.02)
    few = sample(with_activity(graph, masks[:3]))
    assert len(few) == 3


def test_costs_of_a_dense_graph_need_no_data() -> None:
    rng = np.random.default_rng(0)
    sparse = single(conv(rng, 3, 4, 3), every_op(rng).input.shape, UINT8)
    dense = sparse.replace(nodes=(dataclasses.replace(sparse.input, sparse=False), *sparse.nodes[1:]))
    assert expected_activity(dense) == expected_activity(dense, "p99") == activity(dense, None)
    assert [mask.all() for mask in sample(dense)] == [True]
    assert density(dense, dense["conv"]) == 1.0
    with pytest.raises(GraphError, match=r"'input', field 'stats': .* holds no activity; .*with_activity adds"):
        expected_activity(sparse)
    # graphs of before keep no more than how many tokens and taps there are
    older = {"activity": {"frames": 1, "density": 1.0, "mean": {"tokens_in": 1.0, "tokens_out": 1.0, "taps": []}}}
    with pytest.raises(GraphError, match="holds no activity"):
        expected_activity(sparse.replace(stats={"input": older}))
    with pytest.raises(ValueError, match="load: 'max' must be one of mean, p99"):
        expected_activity(sparse, "max")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def known() -> Graph:
    """Measured on frames of which some windows see nothing and many a site is not active."""
    masks = [np.random.default_rng(seed).random((8, 10)) < 0.05 * seed for seed in range(4)]
    return with_activity(every_op(np.random.default_rng(0)), masks)


def test_what_was_measured_is_taken(known: Graph) -> None:
    check_stats(known)


def changed(graph: Graph, change: Callable[[dict[str, Any]], None], name: str) -> Graph:
    stats = copy.deepcopy(graph.stats)
    change(stats[name]["activity"])
    return graph.replace(stats=stats)


def refused(graph: Graph, change: Callable[[dict[str, Any]], None], name: str, why: str) -> None:
    with pytest.raises(GraphError, match=f"graph node {name!r}, field 'stats': .*{why}"):
        check_stats(changed(graph, change, name))


def window(graph: Graph) -> str:
    return next(node.name for node in graph.nodes if graph.stats[node.name]["activity"]["mean"]["taps"])


def test_a_number_below_zero_is_refused(known: Graph) -> None:
    def change(entry: dict[str, Any]) -> None:
        entry["mean"]["taps"][0] = -1.0

    refused(known, change, window(known), "-1.0 must be a number of 0 or more")


def test_a_text_is_no_number(known: Graph) -> None:
    refused(known, lambda entry: entry.update(density="0.5"), window(known), "'0.5' must be a number of 0 or more")


def test_a_count_of_taps_that_no_window_has_is_refused(known: Graph) -> None:
    refused(known, lambda entry: entry["mean"]["taps"].append(0.0), window(known), "mean: taps: [0-9]+ of them")


def test_a_sample_of_another_size_is_refused(known: Graph) -> None:
    def change(entry: dict[str, Any]) -> None:
        entry["sample"][0] += "00"

    refused(known, change, known.input.name, "must be hexadecimal digits of 80 bits")


def test_without_any_site_no_window_sees_any(known: Graph) -> None:
    node = known[window(known)]
    figures = frame_activity(known, np.zeros((8, 10), dtype=bool))[node.name]
    assert set(figures.taps) == {0}
    assert occupancy(figures) == (0.0,) * len(figures.taps)
