"""The float plan: what a traced network computes, as a list of frozen layers.

Tensors are float ``[n, C, H, W]`` throughout; a linear layer's output is ``[n, C, 1, 1]``. Any of them
may be a ``SparseTensor``, on which the same functions of torch see active sites alone. Layers
stand in an order in which inputs come before their users. ``clip`` bounds a layer's own result, so
that ReLU is ``(0, inf)``.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from models.data.dataset import Dataset
from models.ir.node import Shape
from models.ir.normalization import Normalization
from models.sparse import images

NO_CLIP = (-math.inf, math.inf)


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer:
    """``shape`` is that of the output; ``kind`` the op of the graph node that the layer becomes."""

    kind: ClassVar[str]

    name: str
    inputs: tuple[str, ...]
    shape: Shape

    def compute(self, *inputs: Tensor) -> Tensor:
        """The layer's result in float, before any clip."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class InputLayer(Layer):
    kind: ClassVar[str] = "input"

    inputs: tuple[str, ...] = ()
    sparse: bool = False
    """Whether images have active sites only, or all of them."""
    flat: bool = False
    """Whether the module takes the channels of the one site as ``[n, features]``."""
    normalization: Normalization | None = None
    """What images were made with from the numbers behind them."""
    restored: bool = False
    """Whether the module takes those numbers, not the images."""

    def given(self, x: Tensor) -> Tensor:
        """What the module takes for images ``x`` [n, C, H, W]."""
        x = images(x, self.sparse)
        if self.restored and self.normalization:
            parts = astuple(self.normalization)
            offset, unit = (torch.tensor(part, dtype=x.dtype)[:, None, None] for part in parts)
            x = x * unit + offset
        return x.flatten(1) if self.flat else x


def input_layer(data: Dataset) -> InputLayer:
    """The input of networks for the images of ``data``."""
    return InputLayer(
        name="input",
        shape=data.shape,
        sparse=data.sparse,
        flat=data.flat,
        normalization=data.normalization,
        restored=data.restored,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPoolLayer(Layer):
    kind: ClassVar[str] = "max_pool"

    kernel: int
    stride: int
    padding: int

    def compute(self, *inputs: Tensor) -> Tensor:
        return F.max_pool2d(inputs[0], self.kernel, self.stride, self.padding)


@dataclass(frozen=True, eq=False, kw_only=True)
class BatchNormLayer(Layer):
    """``scale`` and ``offset`` [c]; only until ``fold_batchnorm`` has run."""

    kind: ClassVar[str] = "batch_norm"

    scale: Tensor
    offset: Tensor

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0] * self.scale[:, None, None] + self.offset[:, None, None]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClippedLayer(Layer):
    """A layer with a result of its own, which ``clip`` bounds."""

    clip: tuple[float, float] = NO_CLIP


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightedLayer(ClippedLayer):
    """``weight`` [c_out, ...] and ``bias`` [c_out]; ``compute`` may be given others in their place."""

    weight: Tensor
    bias: Tensor

    def compute(self, *inputs: Tensor) -> Tensor:
        return self.weigh(inputs[0], self.weight, self.bias)

    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The layer's result with ``weight`` and ``bias`` in place of its own."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvLayer(WeightedLayer):
    """``weight`` [c_out, c_in, k, k], for depthwise [c, 1, k, k]."""

    kind: ClassVar[str] = "conv"

    stride: int = 1
    padding: int = 0
    depthwise: bool = False

    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        groups = len(weight) if self.depthwise else 1
        return F.conv2d(x, weight, bias, self.stride, self.padding, groups=groups)


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearLayer(WeightedLayer):
    """``weight`` [c_out, c_in, H, W] over the whole input."""

    kind: ClassVar[str] = "linear"

    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x.flatten(1), weight.flatten(1), bias)[:, :, None, None]


@dataclass(frozen=True, eq=False, kw_only=True)
class AvgPoolLayer(ClippedLayer):
    kind: ClassVar[str] = "avg_pool"

    kernel: int
    stride: int
    padding: int

    def compute(self, *inputs: Tensor) -> Tensor:
        return F.avg_pool2d(inputs[0], self.kernel, self.stride, self.padding)


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalPoolLayer(ClippedLayer):
    kind: ClassVar[str] = "global_pool"

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0].mean(dim=(2, 3), keepdim=True)


@dataclass(frozen=True, eq=False, kw_only=True)
class AddLayer(ClippedLayer):
    kind: ClassVar[str] = "add"

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0] + inputs[1]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipLayer(ClippedLayer):
    """An activation that no layer before it could take in."""

    kind: ClassVar[str] = "requantize"

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0]


@dataclass(frozen=True, eq=False)
class Plan:
    """Layers in topological order, the one input first; ``output`` names the result."""

    name: str
    layers: tuple[Layer, ...]
    output: str
    ending: str = ""
    """What the module does to the output that the plan leaves out: a key of ``models.endings.ENDINGS``, or nothing."""
    notes: tuple[str, ...] = ()
    """Sentences on what the plan leaves out."""

    def __getitem__(self, name: str) -> Layer:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    def users(self, name: str) -> tuple[str, ...]:
        return tuple(layer.name for layer in self.layers for producer in layer.inputs if producer == name)

    @property
    def choices(self) -> tuple[str, ...]:
        """Names of the layers that take a format of their own: what an assignment must name."""
        return tuple(
            layer.name
            for layer in self.layers
            if isinstance(layer, WeightedLayer) or (isinstance(layer, ClippedLayer) and layer.name != self.output)
        )

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Every layer's float result for images ``x`` [n, C, H, W], of a sparse plan for their active sites."""
        values: dict[str, Tensor] = {}
        for layer in self.layers:
            if isinstance(layer, InputLayer):
                values[layer.name] = images(x, layer.sparse)
                continue
            result = layer.compute(*(values[name] for name in layer.inputs))
            if isinstance(layer, ClippedLayer) and layer.clip != NO_CLIP:
                result = result.clamp(*layer.clip)
            values[layer.name] = result
        return values

    def logits(self, x: Tensor) -> Tensor:
        """The float output for images ``x``, flattened: ``[n, classes]``."""
        return self.values(x)[self.output].flatten(1)

    def to(self, dtype: torch.dtype) -> Plan:
        """The same plan with weights of another float type."""

        def cast(layer: Layer) -> Layer:
            tensors = {
                field.name: value.to(dtype)
                for field in dataclasses.fields(layer)
                if isinstance(value := getattr(layer, field.name), Tensor)
            }
            return dataclasses.replace(layer, **tensors)

        return dataclasses.replace(self, layers=tuple(cast(layer) for layer in self.layers))
