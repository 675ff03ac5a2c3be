"""Poolings of an ONNX file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.frontend.onnx_file import OnnxNode
from models.frontend.onnx_sources import IntegerSource, NodeSource, Numbers, RealTensor
from models.frontend.onnx_sums import OPEN, open_sum, window_sizes
from models.frontend.onnx_tensors import Tensors, canonical
from models.ir.node import Shape
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.max_pool import MaxPool
from models.ir.requant import Range
from models.ir.window import Window


@dataclass(frozen=True, eq=False)
class PoolSource(IntegerSource):
    """The largest numbers of windows over a source.

    Parameters
        inner    the source
        sizes    kernel, stride and padding
    """

    inner: IntegerSource
    sizes: dict[str, Any]

    @property
    def shape(self) -> Shape:
        inner = self.inner.shape
        return Shape(*Window.of(**self.sizes).out_sides(inner.height, inner.width), inner.channels)

    @property
    def ranges(self) -> list[Range]:
        return self.inner.ranges

    def finish(self, numbers: Numbers) -> str:
        name, build = self.inner.finish(numbers), self.build
        node = MaxPool(
            name=build.unused_name("max_pool"),
            inputs=(name,),
            dtype=build.dtype(name),
            scale=numbers.scale,
            **self.sizes,
        )
        return build.append(node)


def largest(tensors: Tensors, node: OnnxNode) -> None:
    """MaxPool: the quantizer that follows comes before it, as it never falls."""
    tensor = tensors.tensor(node)
    if not np.array_equal(tensor.index, canonical(tensor.source.shape, tensor.index.ndim)):
        raise tensors.error(node, "its input is no frame, channels first")
    if len(node.outputs) > 1 and node.outputs[1]:
        raise tensors.error(node, "gives indices; must give the largest numbers alone")
    sizes = window_sizes(tensors, node, tensor, tuple(node.attributes["kernel_shape"]))
    if Window.of(**sizes).may_be_empty:
        raise tensors.error(node, f"its stride {sizes['stride']} is larger than its kernel {sizes['kernel']}")
    source = PoolSource(tensors.build, tensor.source, sizes)
    index = canonical(source.shape, tensor.index.ndim)
    pooled = replace(tensor, source=source, index=index, pooled=len(tensor.functions) + 1)
    plain = not tensor.functions and not tensor.offset.any() and isinstance(tensor.source, NodeSource)
    tensors.put(node, replace(tensors.settled(pooled, node), zero=tensor.zero) if plain else pooled)


def average(tensors: Tensors, node: OnnxNode) -> None:
    """A mean over windows, or over the whole frame."""
    tensor, name = tensors.image(node)
    shape, sides = tensor.source.shape, tensor.index.ndim
    whole = node.kind != "AveragePool"
    if node.kind == "ReduceMean":
        given = tensors.constant(node, 1)
        axes = node.attributes.get("axes") if given is None else given.reshape(-1).tolist()
        if axes is None or sorted(axis % (sides + 1) for axis in axes) != list(range(2, sides + 1)):
            raise tensors.error(node, f"its axes {axes} must be all but batch and channels")
        sides = sides if node.attributes.get("keepdims", 1) else 1
    if whole:
        _means(tensors, node, tensor, GlobalPool(inputs=(name,), **OPEN), shape.height * shape.width, sides)
        return
    sizes = window_sizes(tensors, node, tensor, tuple(node.attributes["kernel_shape"]))
    if any(sizes["padding"]) and not node.attributes.get("count_include_pad", 0):
        raise tensors.error(node, "pads; a mean over fewer numbers at the border is not supported")
    draft = AvgPool(inputs=(name,), **sizes, **OPEN)
    if sizes["kernel"] == shape[:2] and not any(sizes["padding"]):
        draft = GlobalPool(inputs=(name,), **OPEN)
    _means(tensors, node, tensor, draft, math.prod(sizes["kernel"]), sides)


def _means(tensors: Tensors, node: OnnxNode, tensor: RealTensor, draft: Any, count: int, sides: int) -> None:
    step = np.broadcast_to(tensor.step / count, (tensor.source.shape.channels,))
    open_sum(tensors, node, draft, step, sides, 0)
