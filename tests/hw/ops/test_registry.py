"""The list of hardware ops: every node of a graph has one, and what has none, or no mapping, is named."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.inputs.nets import random_mapping, residual_net
from hw.fpga.mapping import OpMapping
from hw.ops.registry import OPS, build_all, inputs_of, op_class
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.ops.input import Input
from models.ir.ops.registry import NODES
from tests.hw.ops.cases import FOLDED
from tests.support.ops import build_op


def test_every_node_but_the_input_has_hardware() -> None:
    assert set(OPS) == set(NODES.values()) - {Input}


def test_a_node_without_hardware_is_named() -> None:
    graph = FOLDED["add"].graph()
    message = (
        "node 'input': op 'input' has no hardware; "
        "conv, max_pool, avg_pool, global_pool, linear, add, concat, requantize, lookup have"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        op_class(graph.input)


@pytest.mark.parametrize("name", FOLDED)
def test_every_listed_mapping_is_legal_and_listed_once(name: str) -> None:
    case = FOLDED[name]
    graph = case.graph()
    listed = case.mappings(graph)
    assert len(set(listed)) == len(listed)
    for mapping in listed:
        op = build_op(graph, mapping)
        assert type(op) is op_class(graph["op"])
        assert op.mapping == mapping


def test_inputs_carry_what_their_nodes_give() -> None:
    """A concatenation of 6 channels of int4 and 4 of uint8."""
    graph = FOLDED["concat"].graph()
    first, second = inputs_of(graph, graph["op"])
    assert (first.shape, first.dtype, first.sparse) == (Shape(2, 3, 6), IntType(4), True)
    assert (second.shape, second.dtype, second.sparse) == (Shape(2, 3, 4), IntType(8, False), True)


def test_a_graph_s_ops_are_those_of_its_nodes_after_the_input() -> None:
    rng = np.random.default_rng(0)
    graph = residual_net(rng)
    ops = random_mapping(rng, graph).ops
    built = build_all(graph, dict(ops))
    assert list(built) == [node.name for node in graph.nodes[1:]]
    assert all(op.mapping == ops[name] for name, op in built.items())


@pytest.mark.parametrize(
    ("names", "missing", "surplus"),
    [(("input", "other"), "['op']", "['other']"), (("input",), "['op']", "[]"), (("input", "op", "b"), "[]", "['b']")],
)
def test_a_mapping_that_lacks_a_node_or_has_another_is_named(
    names: tuple[str, ...], missing: str, surplus: str
) -> None:
    message = f"mapping of graph 'one': ops missing {missing}, ops of no node {surplus}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        build_all(FOLDED["linear"].graph(), dict.fromkeys(names, OpMapping()))
