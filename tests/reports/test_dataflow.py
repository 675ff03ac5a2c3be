"""The picture of the graph: long edges beside the nodes that they pass."""

from __future__ import annotations

from reports.dataflow import _layout
from tests.reports.example import report


def test_dataflow_edges_keep_clear_of_nodes() -> None:
    nodes = report().graph
    routes, place = _layout(nodes)
    assert len(set(place.values())) == len(place), "no two stops share a place"
    for route in routes:
        heights = [place[stop][1] for stop in route]
        assert heights == [heights[0] - i for i in range(len(route))], "one step down at a time, to a free place"
