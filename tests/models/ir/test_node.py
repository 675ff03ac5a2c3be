"""What every node has: its errors name it, and what it does not say of itself is missed at once."""

from __future__ import annotations

import inspect

import pytest

from models.ir.node import GraphError, Node, NodeSites, Shape
from models.ir.ops.elementwise import ElementwiseNode
from models.ir.ops.registry import NODES
from models.ir.ops.windowed import WindowNode
from tests.models.ir.builders import UINT8


def test_an_error_names_node_field_and_value() -> None:
    error = GraphError("stem", "kernel", 9, "must be 1 to 7")
    assert str(error) == "graph node 'stem', field 'kernel': 9 must be 1 to 7"
    assert (error.node, error.field, error.value) == ("stem", "kernel", 9)


def test_a_shape_is_height_width_channels() -> None:
    assert str(Shape(8, 10, 3)) == "8x10x3"
    assert Shape(8, 10, 3) == (8, 10, 3)


class Incomplete(ElementwiseNode):
    """A node that says neither what fits it nor what it computes."""

    op = "incomplete"


def test_a_node_that_leaves_something_unsaid_cannot_be_made() -> None:
    with pytest.raises(TypeError, match=r"abstract methods '?check'?, '?compute'?$"):
        Incomplete(name="op", inputs=("input",), dtype=UINT8)  # type: ignore[abstract]


def test_none_of_the_operations_leaves_anything_unsaid() -> None:
    assert [kind.op for kind in NODES.values() if inspect.isabstract(kind)] == []
    assert {"out_shape", "check", "compute", "sites", "departures", "work"} == Node.__abstractmethods__


def test_those_with_a_window_are_known_by_it() -> None:
    windows = {name for name, kind in NODES.items() if kind.window is not Node.window}
    assert windows == {name for name, kind in NODES.items() if issubclass(kind, WindowNode)}
    assert windows == {"conv", "max_pool", "avg_pool"}


def test_sites_without_a_window_have_no_taps() -> None:
    sites = NodeSites.without_window([1, 2], [3])  # type: ignore[arg-type]
    assert (sites.source, sites.sites) == ([1, 2], [3])
    assert (len(sites.taps), len(sites.needs), len(sites.whole)) == (0, 0, 0)
