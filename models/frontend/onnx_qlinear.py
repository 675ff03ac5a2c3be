"""Nodes of an ONNX file that compute with integers alone, as the three that they stand for: real numbers in between."""

from __future__ import annotations

from typing import Any

from models.frontend.onnx_file import OnnxNode, records

INTEGER_NODES: dict[tuple[str, str], tuple[str, tuple[int, ...], int, int]] = {
    ("", "QLinearConv"): ("Conv", (0, 3), 6, 8),
    ("", "QLinearMatMul"): ("MatMul", (0, 3), 6, -1),
    ("com.microsoft", "QGemm"): ("Gemm", (0, 3), 7, 6),
    ("com.microsoft", "QLinearAdd"): ("Add", (0, 3), 6, -1),
    ("com.microsoft", "QLinearAveragePool"): ("AveragePool", (0,), 3, -1),
    ("com.microsoft", "QLinearGlobalAveragePool"): ("GlobalAveragePool", (0,), 3, -1),
    ("com.microsoft", "QLinearLeakyRelu"): ("LeakyRelu", (0,), 3, -1),
    ("com.microsoft", "QLinearSigmoid"): ("Sigmoid", (0,), 3, -1),
}
"""By domain and operation: that on real numbers, the first of each (integers, scale, zero point) that it takes,
that of (scale, zero point) which it gives, and the biases' place, or -1."""


def expanded(model: Any) -> None:
    """Replace such nodes of a model: what they take becomes real numbers, what they give becomes integers.

    Parameters
        model    what ``onnx`` has read; it is changed
    """
    from onnx import helper

    if not any((node.domain, node.op_type) in INTEGER_NODES for node in model.graph.node):
        return
    nodes = []
    for own in records(model):
        found = INTEGER_NODES.get((own.domain, own.kind))
        if found is None:
            nodes.append(own.proto)
            continue
        kind, taken, given, biases = found
        # outputs have the names of the file, so that messages say what stands there
        output = own.outputs[0]
        inputs = []
        for number, first in enumerate(taken):
            inputs.append(f"{output}.real{number}")
            axis: dict[str, Any] = {"axis": 0} if kind in {"Conv", "Gemm"} and number == 1 else {}
            nodes.append(
                helper.make_node("DequantizeLinear", own.inputs[first : first + 3], inputs[-1:], **axis)
            )  # fmt: skip
        if 0 <= biases < len(own.inputs) and own.inputs[biases]:
            inputs.append(_real_biases(own, taken, own.inputs[biases], nodes))
        options = {name: value for name, value in own.attributes.items() if name not in {"channels_last"}}
        nodes.append(helper.make_node(kind, inputs, [f"{output}.real"], own.proto.name, **options))
        nodes.append(helper.make_node("QuantizeLinear", [f"{output}.real", *own.inputs[given : given + 2]], [output]))
    model.graph.ClearField("node")
    model.graph.node.extend(nodes)


def _real_biases(node: OnnxNode, taken: tuple[int, ...], name: str, nodes: list[Any]) -> str:
    """Biases times the scales of input and weights."""
    from onnx import TensorProto, helper

    output = node.outputs[0]
    step, real, whole = f"{output}.bias_step", f"{output}.bias", f"{output}.bias_whole"
    scales = [node.inputs[first + 1] for first in taken]
    nodes.append(helper.make_node("Mul", scales, [step]))
    nodes.append(helper.make_node("Cast", [name], [whole], to=TensorProto.FLOAT))
    nodes.append(helper.make_node("Mul", [whole, step], [real]))
    return real
