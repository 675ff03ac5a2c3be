"""Building a graph node by node."""

from __future__ import annotations

import pytest

from models.frontend.graph_builder import GraphBuilder
from models.ir.formats.integer import IntType
from models.ir.node import GraphError, Shape
from models.ir.ops.input import Input
from models.ir.ops.max_pool import MaxPool


def test_nodes_are_checked_as_they_come() -> None:
    build = GraphBuilder()
    assert build.append(Input(name="input", shape=Shape(4, 6, 2), dtype=IntType(4))) == "input"
    pool = MaxPool(name=build.unused_name("pool"), inputs=("input",), dtype=IntType(4), kernel=2, stride=2)
    assert build.append(pool) == "pool_0"
    assert build.shapes == {"input": (4, 6, 2), "pool_0": (2, 3, 2)}
    assert build.dtype("pool_0") == IntType(4)
    assert build.unused_name("pool") == "pool_1"
    with pytest.raises(GraphError, match="node 'pool_1', field 'dtype': 'int8' must equal its input's, int4"):
        build.append(MaxPool(name="pool_1", inputs=("pool_0",), dtype=IntType(8), kernel=2))
    assert len(build.nodes) == 2
