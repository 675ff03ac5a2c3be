"""Every rule of a graph raises an error that names node, field and value."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import GraphError, Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.input import Input
from models.ir.requant import Requant
from tests.models.ir.builders import UINT8, every_op


@pytest.fixture(scope="module")
def graph() -> Graph:
    return every_op(np.random.default_rng(0))


def changed(graph: Graph, target: str, /, **changes: Any) -> Graph:
    """The graph with fields of one node replaced; ``requant`` may be a dict of its own changes."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name == target:
            fields = {
                key: dataclasses.replace(getattr(node, key), **value) if isinstance(value, dict) else value
                for key, value in changes.items()
            }
            node = dataclasses.replace(node, **fields)
        nodes.append(node)
    return graph.replace(nodes=tuple(nodes))


@pytest.mark.parametrize(
    "node, changes, field, message",
    [
        ("input", {"shape": Shape(0, 4, 1)}, "shape", "'0x4x1' must be 1 to 4096"),
        ("input", {"shape": Shape(4, 5000, 1)}, "shape", "'4x5000x1' must be 1 to 4096"),
        ("input", {"offset": (0.0,), "unit": (1.0,)}, "unit", "must be empty, or one number for each of"),
        ("input", {"offset": (0.0,)}, "offset, unit", "is no normalization: 1 offsets and 0 units"),
        ("input", {"offset": (0.0,) * 2, "unit": (1.0, 0.0)}, "offset, unit", "must be finite, and units above 0"),
        ("input", {"name": "1st"}, "name", "'1st' must match"),
        ("stem", {"name": "Stem"}, "name", "'Stem' must match"),
        ("stem", {"kernel": 16}, "kernel", "16 must be 1 to 15"),
        ("stem", {"kernel": (3, 16)}, "kernel", r"\(3, 16\) must be 1 to 15"),
        ("stem", {"kernel": (3,)}, "kernel", r"\(3,\) must be one number or 2$"),
        ("stem", {"kernel": (9, 9)}, "kernel", "has 81 taps; at most 64 are possible"),
        ("stem", {"stride": (1, 5)}, "stride", r"\(1, 5\) must be 1 to 4"),
        ("stem", {"dilation": 9}, "dilation", "9 must be 1 to 8"),
        ("stem", {"padding": (0, 0, 2)}, "padding", r"\(0, 0, 2\) must be one number, 2 or 4"),
        ("stem", {"kernel": (4, 3), "padding": (2, 0)}, "padding", "0 to 1 before and 0 to 2 after for kernel 4"),
        ("stem", {"dilation": 2, "padding": 3}, "padding", "3 must be 0 to 2 for kernel 3 of dilation 2"),
        ("stem", {"stride": 0}, "stride", "0 must be 1 to 4"),
        ("stem", {"padding": 2}, "padding", "2 must be 0 to 1 for kernel 3"),
        ("stem", {"scale": 0.0}, "scale", "0.0 must be positive"),
        ("stem", {"scale": float("nan")}, "scale", "nan must be positive"),
        ("stem", {"dtype": IntType(33)}, "dtype", "'int33' must be of at most 32 bits"),
        (
            "stem",
            {"weight": np.zeros((4, 2, 3, 3), np.int64)},
            "weight",
            r"\(4, 2, 3, 3\) must have shape \(4, 3, 3, 3\)",
        ),
        ("stem", {"weight": np.full((4, 3, 3, 3), 128)}, "weight", "128 is no value of int8"),
        ("deep", {"weight": np.full((4, 1, 3, 3), 5)}, "weight", "5 is no value of dybit4"),
        ("stem", {"weight_dtype": IntType(16)}, "weight_dtype", "'int16' must be a format of 2 to 8 bits"),
        ("stem", {"requant": {"bias": np.zeros(3, np.int64)}}, "requant.bias", r"\(3,\) must have shape \(4,\)"),
        ("stem", {"requant": {"bias": np.full(4, 2**43)}}, "requant.bias", "8796093022208 must fit 44 signed bits"),
        ("stem", {"requant": {"mult": np.full(4, 2**36)}}, "requant.mult", "must be 0 to 68719476735"),
        ("stem", {"requant": {"mult": np.full(4, -1)}}, "requant.mult", "must be 0 to 68719476735"),
        ("stem", {"requant": {"shift": 51}}, "requant.shift", "51 must be 0 to 50"),
        ("stem", {"requant": {"fraction": 17}}, "requant.fraction", "17 must be 0 to 16"),
        ("stem", {"requant": {"fraction": -1}}, "requant.fraction", "-1 must be 0 to 16"),
        ("stem", {"requant": {"lo": 9, "hi": 8}}, "requant.lo", "9 must not exceed hi, 8"),
        ("stem", {"requant": {"hi": 256}}, "requant.lo, requant.hi", "must lie within uint8, 0 to 255"),
        ("cast", {"requant": {"shift": -1}}, "requant.shift", "-1 must be 0 to 50"),
        ("avg_pool", {"requant": {"lo": -129}}, "requant.lo, requant.hi", "must lie within int8"),
        ("global_pool", {"requant": {"mult": np.zeros(1, np.int64)}}, "requant.mult", "must have shape"),
        ("max_pool", {"dtype": DyBitType(8, False)}, "dtype", "'udybit8' must equal its input's, uint8"),
        ("max_pool", {"inputs": ("join", "stem")}, "inputs", "must name 1 node"),
        ("join", {"inputs": ("stem", "max_pool")}, "inputs", "'max_pool' is no earlier node; earlier are input, stem"),
        ("join", {"inputs": ("stem", "input")}, "inputs", "must have one shape, not 8x10x4 and 8x10x3"),
        ("join", {"b": {"shift": 99}}, "b.shift", "99 must be 0 to 50"),
        ("join", {"hi": 256}, "lo, hi", r"\(0, 256\) must lie in order within uint8"),
        ("fc", {"weight": np.zeros((5, 6), np.int64)}, "weight", r"\(5, 6\) must have shape \(5, 1, 1, 6\)"),
        ("fc", {"weight": np.zeros((0, 1, 1, 6), np.int64)}, "weight", "must have shape"),
    ],
)
def test_wrong_fields_are_named(graph: Graph, node: str, changes: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(GraphError, match=message) as error:
        changed(graph, node, **changes)
    assert error.value.field == field
    assert error.value.node == changes.get("name", node)


def test_the_order_and_use_of_nodes_is_checked(graph: Graph) -> None:
    entry, stem, *_ = graph.nodes
    with pytest.raises(GraphError, match="must be 'input': it comes first"):
        Graph("g", (), "conv")
    with pytest.raises(GraphError, match="node 'stem', field 'op': 'conv' must be 'input'"):
        Graph("g", (stem, entry), "stem")
    with pytest.raises(GraphError, match="'input' is used by an earlier node"):
        Graph("g", (entry, entry), "input")
    with pytest.raises(GraphError, match="node 'again', field 'op': 'input' must be the first node"):
        Graph("g", (entry, dataclasses.replace(entry, name="again")), "again")
    with pytest.raises(GraphError, match="field 'output': 'logits' is no node; nodes are input, stem"):
        Graph("g", (entry, stem), "logits")
    with pytest.raises(GraphError, match="node 'stem', field 'name': 'stem' is used by no node"):
        Graph("g", (entry, stem), "input")


def test_shapes_edges_and_users(graph: Graph) -> None:
    shapes = {name: str(shape) for name, shape in graph.shapes.items()}
    assert shapes == {
        "input": "8x10x3", "stem": "8x10x4", "deep": "8x10x4", "cast": "8x10x4", "join": "8x10x4",
        "max_pool": "4x5x4", "down": "2x3x6", "avg_pool": "1x2x6", "global_pool": "1x1x6", "fc": "1x1x5",
    }  # fmt: skip
    assert ("cast", "join", 1) in graph.edges
    assert graph.consumers("stem") == ("deep", "join")
    assert graph.input.name == "input"
    assert graph["down"].dtype == UINT8


def test_a_node_equals_itself_alone_and_can_be_looked_up_by(graph: Graph) -> None:
    assert len({*graph.nodes, *graph.nodes}) == len(graph.nodes)
    for node in graph.nodes:
        if node is not graph.input:
            assert node != dataclasses.replace(node)


def test_both_inputs_of_an_add_may_be_one_node() -> None:
    rule = Requant.identity(1, 0, 255)
    add = Add(name="double", inputs=("input", "input"), dtype=UINT8, a=rule, b=rule, lo=0, hi=255)
    graph = Graph("g", (Input(name="input", dtype=UINT8, shape=Shape(2, 2, 1)), add), "double")
    assert graph.edges == (("input", "double", 0), ("input", "double", 1))
