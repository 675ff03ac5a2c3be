"""Golden of whole graphs: empty frames, dense ones, and the order of a node's inputs."""

from __future__ import annotations

import numpy as np

from models.ir import golden
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.concat import Concat
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant
from tests.models.ir.builders import (
    UINT8,
    every_op,
    random_frame,
)  # fmt: skip
from tests.models.ir.by_hand import by_hand


def test_an_empty_frame_is_legal_everywhere() -> None:
    graph = every_op(np.random.default_rng(0))
    empty = Frame.from_dense(np.zeros(graph.input.shape, np.int64), np.zeros(graph.input.shape[:2], bool))
    frames = golden.run(graph, empty)
    for node in graph.nodes:
        shape, frame = graph.shapes[node.name], frames[node.name]
        assert (frame.height, frame.width, frame.channels) == shape
        assert len(frame.sites) == isinstance(node, GlobalPool | Linear)
    pool, rule = frames["global_pool"], graph["global_pool"].requant  # type: ignore[attr-defined]
    assert pool.features.tolist() == [[by_hand(0, c, rule) for c in range(6)]]


def test_dense_is_the_sparse_frame_with_every_site() -> None:
    graph = every_op(np.random.default_rng(2))
    for name, frame in golden.run(graph, random_frame(np.random.default_rng(3), graph.input.shape, UINT8)).items():
        assert frame.mask.all(), name


def test_every_node_has_its_inputs_in_their_order() -> None:
    """Of 7, one more and then the double: 8 and 14, laid beside each other in either order."""
    uint8 = IntType(8, False)
    one, two = np.ones(1, np.int64), np.full(1, 2)
    nodes = (
        Input(name="input", dtype=uint8, shape=Shape(1, 1, 1)),
        Requantize(name="more", inputs=("input",), dtype=uint8, requant=Requant(one, one, 0, 0, 255)),
        Requantize(name="double", inputs=("input",), dtype=uint8, requant=Requant(0 * one, two, 0, 0, 255)),
    )
    for inputs, expected in ((("more", "double"), [8, 14]), (("double", "more"), [14, 8])):
        both = Concat(name="both", inputs=inputs, dtype=uint8, requant=Requant.identity(2, 0, 255))
        frames = golden.run(Graph("g", (*nodes, both), "both"), Frame.from_dense(np.full((1, 1, 1), 7)))
        assert list(frames) == ["input", "more", "double", "both"]
        assert frames["both"].features.tolist() == [expected]
