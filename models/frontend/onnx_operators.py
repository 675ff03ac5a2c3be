"""What each node of an ONNX file becomes: sums, poolings, functions of single numbers, renamings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.frontend.onnx_file import OnnxNode
from models.frontend.onnx_functions import constant_of, function_of, order_of
from models.frontend.onnx_joins import add, concat, joined
from models.frontend.onnx_pools import average, largest
from models.frontend.onnx_quantizers import GRIDS, dequantize, quantize
from models.frontend.onnx_sources import Constant, RealTensor
from models.frontend.onnx_sums import OPEN, open_sum, window_sizes
from models.frontend.onnx_tensors import Tensors
from models.ir.ops.conv import Conv
from models.ir.ops.linear import Linear


def function(tensors: Tensors, node: OnnxNode) -> None:
    """A function of single numbers, with constants or of two results of one number."""
    taken = [tensors.value(node, place) for place in range(len(node.inputs))]
    computed = [place for place, own in enumerate(taken) if isinstance(own, RealTensor)]
    if not computed:
        tensors.put(node, Constant(constant_of(tensors.file, node)))
    elif len(computed) == 1:
        tensor = tensors.tensor(node, computed[0])
        own = function_of(tensors.file, node, computed[0], tensor.index, tensor.source.shape.channels)
        tensors.put(node, tensor.after(node, own))
    else:
        TWO[node.kind](tensors, node) if node.kind in TWO else joined(tensors, node)


def conv(tensors: Tensors, node: OnnxNode) -> None:
    """A convolution of an image or a sequence."""
    tensor, name = tensors.image(node)
    weight, steps, dtype = tensors.weights(node, 1, 0)
    if weight.ndim != tensor.index.ndim + 1:
        raise tensors.error(node, f"its weights of shape {weight.shape} do not fit its input's {tensor.index.shape}")
    kernel = node.attributes.get("kernel_shape", list(weight.shape[2:]))
    if kernel != list(weight.shape[2:]):
        raise tensors.error(node, f"kernel_shape {kernel} must be that of its weights, {list(weight.shape[2:])}")
    weight = weight[:, :, None] if weight.ndim == 3 else weight
    sizes = window_sizes(tensors, node, tensor, weight.shape[2:])
    groups = node.attributes.get("group", 1)
    shape = tensor.source.shape
    if weight.shape[1] * groups != shape.channels or len(weight) % groups:
        raise tensors.error(node, f"its weights of shape {weight.shape} in {groups} groups do not fit {shape}")
    draft = Conv(inputs=(name,), **sizes, groups=groups, weight=weight, weight_dtype=dtype, **OPEN)
    step = tensor.step
    if len(step) > 1:
        if not draft.depthwise:
            raise tensors.error(node, "its input has a scale for each channel; only a depthwise convolution may")
        step = np.repeat(step, len(weight) // groups)
    open_sum(tensors, node, draft, step * steps, tensor.index.ndim, 2)


def linear(tensors: Tensors, node: OnnxNode) -> None:
    """Gemm and MatMul with constant weights: a linear layer."""
    options = node.attributes
    tensor = tensors.integers(node)
    turned = node.kind == "Gemm" and options.get("transB", 0)
    scaled = options.get("alpha", 1.0) != 1 or options.get("beta", 1.0) != 1
    if tensor.index.ndim != 1 or options.get("transA", 0) or scaled:
        raise tensors.error(node, f"takes {tensor.index.shape} numbers a batch, must take [batch, features], unscaled")
    weight, steps, dtype = tensors.weights(node, 1, 0 if turned else 1)
    weight = weight if turned else weight.T
    shape = tensor.source.shape
    if weight.shape[1] != len(tensor.index):
        raise tensors.error(node, f"its weights of shape {weight.shape} do not fit {len(tensor.index)} numbers")
    if len(tensor.step) > 1:
        raise tensors.error(node, "its input has a scale for each channel; must have one")
    spread = np.zeros((len(weight), math.prod(shape)), np.int64)
    np.add.at(spread.T, tensor.index, weight.T)
    draft = Linear(
        inputs=(tensors.node_of(tensor),), weight=spread.reshape(len(weight), *shape), weight_dtype=dtype, **OPEN
    )  # fmt: skip
    open_sum(tensors, node, draft, tensor.step * steps, 1, 2)


TWO: dict[str, Callable[[Tensors, OnnxNode], None]] = {"Add": add}
"""Functions of two numbers that the network computes."""


def renaming(tensors: Tensors, node: OnnxNode) -> None:
    """Another shape or order of the same numbers: it becomes no node."""
    value = tensors.value(node, 0)
    if isinstance(value, Constant):
        tensors.put(node, _renamed_constant(tensors, node, value))
        return
    tensor = tensors.tensor(node)
    for place in range(1, len(node.inputs)):
        tensors.constant(node, place)
    index = order_of(tensors.file, node, tensor.index[None])
    if index.shape[:1] != (1,):
        raise tensors.error(node, f"gives a tensor of shape {index.shape}; its batch must stay 1")
    tensors.put(node, replace(tensor, index=index[0]))


def _renamed_constant(tensors: Tensors, node: OnnxNode, value: Constant) -> Constant:
    numbers = order_of(tensors.file, node, np.arange(value.numbers.size).reshape(value.numbers.shape))
    if value.integers is None or value.step is None:
        return Constant(value.numbers.reshape(-1)[numbers])
    step = np.broadcast_to(value.step, value.numbers.shape).reshape(-1)[numbers]
    return Constant(value.numbers.reshape(-1)[numbers], value.integers.reshape(-1)[numbers], step)


def same(tensors: Tensors, node: OnnxNode) -> None:
    """What leaves every number as it is."""
    value = tensors.value(node, 0)
    assert value is not None
    tensors.put(node, value)


FUNCTIONS = (
    *("Abs", "Add", "BatchNormalization", "Celu", "Clip", "Div", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSwish"),
    *("LeakyRelu", "Mish", "Mul", "Neg", "PRelu", "Pow", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt"),
    *("Sub", "Tanh"),
)
RENAMINGS = ["Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"]
ENDINGS = {"ArgMax", "LogSoftmax", "Softmax", "TopK"}
"""What may end a network: it is computed outside of it."""
OPERATORS: dict[str, Callable[[Tensors, OnnxNode], None]] = {
    **dict.fromkeys(FUNCTIONS, function),
    **dict.fromkeys(RENAMINGS, renaming),
    **dict.fromkeys(GRIDS, quantize),
    "AveragePool": average,
    "Concat": concat,
    "Conv": conv,
    "DequantizeLinear": dequantize,
    "Dropout": same,
    "Gemm": linear,
    "GlobalAveragePool": average,
    "Identity": same,
    "MatMul": linear,
    "MaxPool": largest,
    "ReduceMean": average,
}
