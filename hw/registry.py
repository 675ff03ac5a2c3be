"""Which op is made by what: the one list of hardware ops."""

from __future__ import annotations

from hw.device import Device
from hw.mapping import OpMapping
from hw.op import Op, Tensor
from hw.ops.conv import ConvOp
from hw.ops.elementwise import ElementwiseOp
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.ops.pool import PoolOp
from models.ir.graph import Add, AvgPool, Conv, GlobalPool, Graph, Input, Linear, MaxPool, Node, Requantize

OPS: dict[type[Node], type[Op]] = {
    Conv: ConvOp,
    MaxPool: PoolOp,
    AvgPool: PoolOp,
    GlobalPool: GlobalPoolOp,
    Linear: LinearOp,
    Add: ElementwiseOp,
    Requantize: ElementwiseOp,
}


def op_class(node: Node) -> type[Op]:
    if type(node) not in OPS:
        raise ValueError(f"node {node.name!r}: op {node.op!r} has no hardware; {', '.join(n.op for n in OPS)} have")
    return OPS[type(node)]


def inputs_of(graph: Graph, node: Node) -> tuple[Tensor, ...]:
    return tuple(Tensor(graph.shapes[name], graph[name].dtype, graph.sparse[name]) for name in node.inputs)


def mappings(node: Node, inputs: tuple[Tensor, ...], device: Device) -> list[OpMapping]:
    """Every mapping of the node that makes sense on the device."""
    return list(op_class(node).mappings(node, inputs, device))


def build(node: Node, inputs: tuple[Tensor, ...], mapping: OpMapping) -> Op:
    return op_class(node)(node, inputs, mapping)


def build_all(graph: Graph, ops: dict[str, OpMapping]) -> dict[str, Op]:
    """The op of every node but the input, whose entry only says how many lanes the graph's input stream has."""
    missing = [node.name for node in graph.nodes if node.name not in ops]
    surplus = [name for name in ops if name not in graph.shapes]
    if missing or surplus:
        raise ValueError(f"mapping of graph {graph.name!r}: ops missing {missing}, ops of no node {surplus}")
    nodes = [node for node in graph.nodes if not isinstance(node, Input)]
    return {node.name: build(node, inputs_of(graph, node), ops[node.name]) for node in nodes}
