"""The list of hardware ops: which class builds which node."""

from __future__ import annotations

from hw.fpga.device import Device
from hw.fpga.mapping import OpMapping
from hw.ops.add import AddOp
from hw.ops.avg_pool import AvgPoolOp
from hw.ops.concat import ConcatOp
from hw.ops.conv import ConvOp
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.ops.lookup import LookupOp
from hw.ops.max_pool import MaxPoolOp
from hw.ops.op import Op, Tensor
from hw.ops.requantize import RequantizeOp
from models.ir.graph import Graph
from models.ir.node import Node
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.concat import Concat
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.linear import Linear
from models.ir.ops.lookup import Lookup
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.requantize import Requantize

OPS: dict[type[Node], type[Op]] = {
    Conv: ConvOp,
    MaxPool: MaxPoolOp,
    AvgPool: AvgPoolOp,
    GlobalPool: GlobalPoolOp,
    Linear: LinearOp,
    Add: AddOp,
    Concat: ConcatOp,
    Requantize: RequantizeOp,
    Lookup: LookupOp,
}


def op_class(node: Node) -> type[Op]:
    """The hardware op of a node.

    Parameters
        node       any node
    Raises         ValueError: when there is no hardware for its op
    """
    if type(node) not in OPS:
        raise ValueError(f"node {node.name!r}: op {node.op!r} has no hardware; {', '.join(n.op for n in OPS)} have")
    return OPS[type(node)]


def inputs_of(graph: Graph, node: Node) -> tuple[Tensor, ...]:
    """What the inputs of a node carry.

    Parameters
        graph      the network
        node       one of its nodes
    """
    return tuple(Tensor(graph.shapes[name], graph[name].dtype, graph.sparse[name]) for name in node.inputs)


def mappings(node: Node, inputs: tuple[Tensor, ...], device: Device) -> list[OpMapping]:
    """Every mapping of a node that makes sense on a device.

    Parameters
        node       any node but the graph's input
        inputs     one entry per input of the node
        device     the device
    """
    return list(op_class(node).mappings(node, inputs, device))


def build(node: Node, inputs: tuple[Tensor, ...], mapping: OpMapping) -> Op:
    """The op of a node with its mapping.

    Parameters
        node       any node but the graph's input
        inputs     one entry per input of the node
        mapping    folding of the op, and what it is made of
    Raises         ValueError: when the mapping does not fit the node
    """
    return op_class(node)(node, inputs, mapping)


def build_all(graph: Graph, ops: dict[str, OpMapping]) -> dict[str, Op]:
    """The op of every node of a graph but its input.

    Parameters
        graph      the network
        ops        a mapping for each node by name; of the input node only ``pe`` counts, the lanes of the input stream
    Raises         ValueError: when a node has no mapping, a mapping has no node, or one does not fit
    """
    missing = [node.name for node in graph.nodes if node.name not in ops]
    surplus = [name for name in ops if name not in graph.shapes]
    if missing or surplus:
        raise ValueError(f"mapping of graph {graph.name!r}: ops missing {missing}, ops of no node {surplus}")
    return {node.name: build(node, inputs_of(graph, node), ops[node.name]) for node in graph.nodes[1:]}
