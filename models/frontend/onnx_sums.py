"""Nodes of an ONNX file that sum: what they give, with their biases and windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.frontend.onnx_file import OnnxNode
from models.frontend.onnx_sources import RealTensor, SumSource
from models.frontend.onnx_tensors import Tensors, canonical
from models.ir.formats.integer import IntType
from models.ir.ops.windowed import refusal
from models.ir.requant import Requant
from models.ir.window import Window, missing_zeros

OPEN: dict[str, Any] = {"name": "open", "dtype": IntType(8), "requant": Requant.identity(1, 0, 0)}
"""Placeholders of a node whose rule is not known yet."""
BIAS_ERROR = 1e-3
"""How far a bias may be from a whole number of steps to be one, in steps."""


def open_sum(tensors: Tensors, node: OnnxNode, draft: Any, step: np.ndarray, sides: int, bias: int) -> None:
    """What a node that sums gives, with its bias."""
    source = SumSource(tensors.build, draft)
    offset, biased = np.zeros(1), None
    channels = source.shape.channels
    if bias:
        constant = tensors.value(node, bias)
        biased = np.zeros(channels, np.int64)
        if isinstance(constant, RealTensor):
            raise tensors.error(node, f"input {bias}, {node.inputs[bias]!r}, must be a constant")
        if constant is not None:
            offset = np.broadcast_to(constant.numbers.astype(np.float64).reshape(-1), (channels,))
            whole = offset / step
            biased = np.rint(whole).astype(np.int64) if np.abs(whole - np.rint(whole)).max() < BIAS_ERROR else None
    index = canonical(source.shape, sides)
    step = step[:1] if (step == step[0]).all() else np.broadcast_to(step, (channels,))
    tensors.put(node, RealTensor(source, index, step, offset, biased=biased))


def window_sizes(tensors: Tensors, node: OnnxNode, tensor: RealTensor, kernel: tuple[int, ...]) -> dict[str, Any]:
    """Kernel, stride, padding and dilation, of a sequence as of an image of one row."""
    options, line = node.attributes, tensor.index.ndim == 2
    auto = options.get("auto_pad", "NOTSET")
    if options.get("ceil_mode", 0):
        raise tensors.error(node, "has ceil_mode 1; must be 0")
    count = 1 if line else 2
    stride, dilation = options.get("strides", [1] * count), options.get("dilations", [1] * count)
    kernel = kernel[-count:]
    pads = options.get("pads", [0] * 2 * count)
    if len(stride) != count or len(dilation) != count or len(pads) != 2 * count or len(kernel) != count:
        raise tensors.error(node, f"strides {stride}, dilations {dilation} and pads {pads} must be of {count} axes")
    if auto in {"SAME_UPPER", "SAME_LOWER"}:
        shape = tensor.source.shape[:2][-count:]
        missing = [missing_zeros(*own) for own in zip(shape, kernel, stride, dilation, strict=True)]
        less, more = [own // 2 for own in missing], [own - own // 2 for own in missing]
        pads = less + more if auto == "SAME_UPPER" else more + less
    first, last = pads[:count], pads[count:]
    if line:
        sizes = {"kernel": (1, kernel[0]), "stride": (1, stride[0]), "padding": (0, first[0], 0, last[0])}
        dilation = [1, dilation[0]]
    else:
        sizes = {"kernel": tuple(kernel), "stride": tuple(stride), "padding": (*first, *last)}
    sizes = {name: tuple(int(own) for own in value) for name, value in sizes.items()}
    if node.kind == "Conv":
        sizes["dilation"] = (int(dilation[0]), int(dilation[1]))
    elif any(own != 1 for own in dilation):
        raise tensors.error(node, f"dilations {dilation} must be 1")
    refused = refusal(Window.of(*(sizes[name] for name in sizes)), tensor.source.shape)
    if refused:
        raise tensors.error(node, f"{refused[0]} {sizes[refused[0]]} {refused[1]}")
    return sizes
