"""The figures that a graph carries of its data, as a file has them: what ``measured`` leaves is taken, no other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.ir.activity import check_stats, frame_activity, measured, occupancy
from models.ir.graph import Graph, GraphError
from tests.models.ir.builders import every_op


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Measured on frames of which some windows see nothing and many a site is not active."""
    masks = [np.random.default_rng(seed).random((8, 10)) < 0.05 * seed for seed in range(4)]
    return measured(every_op(np.random.default_rng(0)), masks)


def test_what_was_measured_is_taken(graph: Graph) -> None:
    check_stats(graph)


def changed(graph: Graph, change: Callable[[dict[str, Any]], None], name: str) -> Graph:
    stats = copy.deepcopy(graph.stats)
    change(stats[name]["activity"])
    return graph.replace(stats=stats)


def refused(graph: Graph, change: Callable[[dict[str, Any]], None], name: str, why: str) -> None:
    with pytest.raises(GraphError, match=f"graph node {name!r}, field 'stats': .*{why}"):
        check_stats(changed(graph, change, name))


def window(graph: Graph) -> str:
    return next(node.name for node in graph.nodes if graph.stats[node.name]["activity"]["mean"]["taps"])


def test_a_number_below_zero_is_refused(graph: Graph) -> None:
    def change(entry: dict[str, Any]) -> None:
        entry["mean"]["taps"][0] = -1.0

    refused(graph, change, window(graph), "-1.0 must be a number of 0 or more")


def test_a_text_is_no_number(graph: Graph) -> None:
    refused(graph, lambda entry: entry.update(density="0.5"), window(graph), "'0.5' must be a number of 0 or more")


def test_a_count_of_taps_that_no_window_has_is_refused(graph: Graph) -> None:
    refused(graph, lambda entry: entry["mean"]["taps"].append(0.0), window(graph), "mean: taps: [0-9]+ of them")


def test_a_sample_of_another_size_is_refused(graph: Graph) -> None:
    def change(entry: dict[str, Any]) -> None:
        entry["sample"][0] += "00"

    refused(graph, change, graph.input.name, "must be hexadecimal digits of 80 bits")


def test_without_any_site_no_window_sees_any(graph: Graph) -> None:
    node = graph[window(graph)]
    figures = frame_activity(graph, np.zeros((8, 10), dtype=bool))[node.name]
    assert set(figures.taps) == {0}
    assert occupancy(figures) == (0.0,) * len(figures.taps)
