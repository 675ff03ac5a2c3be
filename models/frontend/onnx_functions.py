"""Nodes of an ONNX file that take one number at a time, computed as ONNX Runtime and ``qonnx`` compute them."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from models.frontend.onnx_file import QONNX, OnnxFile, OnnxNode

Function = Callable[[np.ndarray], np.ndarray]
"""From float32 ``[channels, n]`` to float32 ``[channels, n]``."""
FINEST = 1 << 6
"""Steps into which the step of a list of thresholds is divided, at most, to have its bias in whole ones."""


def channel_axis(index: np.ndarray, channels: int) -> int | None:
    """The one axis along which a tensor goes through the channels; None where there is none such.

    Parameters
        index      int64, the tensor's shape without the batch: where each number stands in its frame
        channels   of the frame
    """
    own = index % channels
    for axis, side in enumerate(index.shape):
        if side == channels:
            order = np.arange(channels).reshape([-1 if place == axis else 1 for place in range(index.ndim)])
            if (own == order).all():
                return axis
    return None


def function_of(file: OnnxFile, node: OnnxNode, place: int, index: np.ndarray, channels: int) -> Function:
    """What a node does to each number of one of its inputs; its other inputs are constants.

    Parameters
        file       the file
        node       the node
        place      which of its inputs is no constant
        index      where each number of that input stands in its frame, ``[sides without the batch]``
        channels   of the frame
    Raises         OnnxError: a constant differs from site to site
    """
    axis = channel_axis(index, channels)
    inputs = [file.constants[name] if name and at != place else None for at, name in enumerate(node.inputs)]
    _check_constants(file, node, inputs, axis, index.ndim + 1)
    if axis is None:
        arranged = (-1,) + (1,) * index.ndim
    else:
        arranged = (-1, *(channels if at == axis else 1 for at in range(index.ndim)))
    run = _of_qonnx(file, node, place) if node.domain == QONNX else _of_runtime(file, node, place)

    def function(numbers: np.ndarray) -> np.ndarray:
        flat = numbers.T if axis is not None else numbers
        found = np.asarray(run(np.ascontiguousarray(flat.astype(np.float32).reshape(arranged))))
        shape = numbers.T.shape if axis is not None else numbers.shape
        found = found.reshape(shape)
        return found.T if axis is not None else found

    return function


def constant_of(file: OnnxFile, node: OnnxNode) -> np.ndarray:
    """What a node gives whose inputs are constants."""
    if node.domain == QONNX:
        return np.asarray(_of_qonnx(file, node, -1)(None))
    return np.asarray(_of_runtime(file, node, -1)(None))


def order_of(file: OnnxFile, node: OnnxNode, numbers: np.ndarray) -> np.ndarray:
    """What a node makes of int64 numbers in its first input, whose other inputs are constants."""
    return _of_runtime(file, node, 0, integers=True)(numbers.astype(np.int64))


def bias_step(scale: float, bias: float) -> float:
    """The largest step of which a scale and a bias are multiples."""
    ratio = Fraction(bias / scale).limit_denominator(FINEST)
    return scale / ratio.denominator if math.isclose(float(ratio), bias / scale, rel_tol=1e-6) else 0.0


def _check_constants(
    file: OnnxFile, node: OnnxNode, inputs: list[np.ndarray | None], axis: int | None, sides: int
) -> None:
    """Raise an OnnxError where a constant differs along another axis than that of the channels."""
    for name, constant in zip(node.inputs, inputs, strict=True):
        if constant is None or constant.size == 1:
            continue
        if node.kind in {"BatchNormalization", "MultiThreshold"}:
            fits = axis == 0 or (constant.ndim == 2 and len(constant) == 1)
        elif node.kind in {"QuantizeLinear", "DequantizeLinear"}:
            fits = axis is not None and node.attributes.get("axis", 1) % sides == axis + 1
        else:
            own = [side for side in range(constant.ndim) if constant.shape[side] > 1]
            fits = axis is not None and [side + sides - constant.ndim for side in own] == [axis + 1]
        if not fits:
            raise file.error(node, f"its constant {name!r} of shape {constant.shape} differs within a channel")


def _of_qonnx(file: OnnxFile, node: OnnxNode, place: int) -> Callable[[np.ndarray | None], np.ndarray]:
    own = file.model.get_customop_wrapper(node.proto)

    def run(numbers: np.ndarray | None) -> np.ndarray:
        context = {
            name: numbers if at == place else file.constants[name] for at, name in enumerate(node.inputs) if name
        }
        own.execute_node(context, None)
        return np.asarray(context[node.outputs[0]])

    return run


def _of_runtime(
    file: OnnxFile, node: OnnxNode, place: int, integers: bool = False
) -> Callable[[np.ndarray | None], np.ndarray]:
    import onnx
    import onnxruntime

    helper = onnx.helper
    constants = [
        onnx.numpy_helper.from_array(file.constants[name], name)
        for at, name in enumerate(node.inputs)
        if name and at != place
    ]
    taken = [node.inputs[place]] if place >= 0 else []
    value, kind = helper.make_tensor_value_info, onnx.TensorProto.INT64 if integers else onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [node.proto],
        "node",
        [value(name, kind, None) for name in taken],
        [onnx.ValueInfoProto(name=node.outputs[0])],
        constants,
    )
    domains = [own for own in file.model.model.opset_import if own.domain != QONNX]
    model = helper.make_model(graph, opset_imports=domains, ir_version=file.model.model.ir_version)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def run(numbers: np.ndarray | None) -> np.ndarray:
        return np.asarray(session.run(None, dict.fromkeys(taken, numbers))[0])

    return run
