"""The integer graph: nodes in order, and the check that it can be computed.

Every tensor is a frame of decoded integers; ``scale`` is the real value of one decoded step.
Nodes stand in an order in which inputs come before their consumers. What each of them computes is in
``ops``, the files in ``serialize``.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from models.ir.node import GraphError, Node, Shape
from models.ir.ops.input import Input

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in topological order, the one ``Input`` first.

    Parameters
        name       name of the network
        nodes      every node after its inputs
        output     name of the node whose frames are the result
        stats      statistics over a data set (see ``activity``), by node
    Raises         GraphError: the graph cannot be computed
    """

    name: str
    nodes: tuple[Node, ...]
    output: str
    stats: dict[str, dict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        self.validate()

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            shapes[node.name] = node.out_shape(*(shapes[name] for name in node.inputs))
        return shapes

    @cached_property
    def sparse(self) -> dict[str, bool]:
        """By node, whether its frames may have only some of their sites active."""
        sparse: dict[str, bool] = {}
        for node in self.nodes:
            of_input = sparse[node.inputs[0]] if node.inputs else self.input.sparse
            sparse[node.name] = of_input and not node.takes_frame
        return sparse

    @property
    def input(self) -> Input:
        node = self.nodes[0]
        assert isinstance(node, Input)
        return node

    @cached_property
    def edges(self) -> tuple[tuple[str, str, int], ...]:
        """Every (producer, consumer, input index of the consumer)."""
        return tuple((name, node.name, i) for node in self.nodes for i, name in enumerate(node.inputs))

    def consumers(self, name: str) -> tuple[str, ...]:
        return tuple(consumer for producer, consumer, _ in self.edges if producer == name)

    def validate(self) -> None:
        if not self.nodes or not isinstance(self.nodes[0], Input):
            first = self.nodes[0].name if self.nodes else ""
            raise GraphError(first, "op", self.nodes[0].op if self.nodes else None, "must be 'input': it comes first")
        earlier: dict[str, Node] = {}
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            if not NAME.fullmatch(node.name):
                raise node.error("name", node.name, f"must match {NAME.pattern}")
            if node.name in earlier:
                raise node.error("name", node.name, "is used by an earlier node")
            if isinstance(node, Input) and earlier:
                raise node.error("op", node.op, "must be the first node and the only input")
            if len(node.inputs) != node.arity:
                raise node.error("inputs", node.inputs, f"must name {node.arity} node(s)")
            for name in node.inputs:
                if name not in earlier:
                    raise node.error("inputs", name, f"is no earlier node; earlier are {', '.join(earlier)}")
            _check_dtype(node)
            inputs = tuple(shapes[name] for name in node.inputs)
            node.check(inputs, tuple(earlier[name].dtype for name in node.inputs))
            earlier[node.name] = node
            shapes[node.name] = node.out_shape(*inputs)
        if self.output not in earlier:
            raise GraphError(self.output, "output", self.output, f"is no node; nodes are {', '.join(earlier)}")
        for node in self.nodes:
            if node.name != self.output and not self.consumers(node.name):
                raise node.error("name", node.name, "is used by no node and is not the output")

    def replace(self, **changes: object) -> Graph:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def _check_dtype(node: Node) -> None:
    if node.dtype.width > 32:
        raise node.error("dtype", str(node.dtype), "must be of at most 32 bits")
    if not (np.isfinite(node.scale) and node.scale > 0):
        raise node.error("scale", node.scale, "must be positive and finite")
