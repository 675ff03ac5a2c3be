"""A graph while an importer builds it, node by node."""

from __future__ import annotations

from models.ir.formats.integer import IntType
from models.ir.node import Node, Shape


class GraphBuilder:
    """Nodes in their order, each checked as it comes, with the shapes of their frames."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.shapes: dict[str, Shape] = {}
        self.notes: list[str] = []

    def append(self, node: Node) -> str:
        """Append a node; its name.

        Parameters
            node       takes nodes that have been appended
        Raises         GraphError: it does not fit them
        """
        shapes = tuple(self.shapes[name] for name in node.inputs)
        node.check(shapes, tuple(self.dtype(name) for name in node.inputs))
        self.shapes[node.name] = node.out_shape(*shapes)
        self.nodes.append(node)
        return node.name

    def dtype(self, name: str) -> IntType:
        """The format of a node's numbers, an integer in every importer."""
        dtype = next(node.dtype for node in self.nodes if node.name == name)
        assert isinstance(dtype, IntType)
        return dtype

    def unused_name(self, kind: str) -> str:
        """A name that no node has yet.

        Parameters
            kind       what it begins with
        """
        names = {node.name for node in self.nodes}
        return next(name for number in range(len(names) + 1) if (name := f"{kind}_{number}") not in names)
